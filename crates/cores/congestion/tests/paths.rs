//! What a driver sees when the path is long or becomes another one, or somebody else uses it.
#![allow(clippy::print_stdout, reason = "a failure shows its figures")]

mod sim;

use sim::judge::{alone, each, spends_no_more_than_said};
use sim::scenes;

#[test]
fn another_uplink_that_is_longer_costs_a_moment_and_not_the_rate() {
    alone(&scenes::new_path(), |sheet| {
        assert!(sheet.longest() < 500.0);
        assert!(sheet.age_between(scenes::DETOUR_AT + 3.0, 40.0, 0.95) <= 150.0 + 200.0);
        assert!(sheet.usage(scenes::DETOUR_AT + 3.0, 40.0) >= 0.85);
        spends_no_more_than_said(sheet);
    });
}

#[test]
fn a_network_that_takes_a_longer_way_without_a_word_freezes_nothing() {
    alone(&scenes::detour(), |sheet| {
        assert_eq!(sheet.freezes(), 0);
        assert!(sheet.age_between(scenes::DETOUR_AT, 40.0, 0.95) <= 150.0 + 60.0);
        assert!(sheet.usage(scenes::DETOUR_AT + 3.0, 40.0) >= 0.85);
        spends_no_more_than_said(sheet);
    });
}

#[test]
fn a_long_way_is_no_queue() {
    alone(&scenes::far_away(), |sheet| {
        // The first picture is lost to nobody: it is shown after 345 ms, and the next after 33.
        assert!(sheet.longest() < 400.0);
        assert!(sheet.age(0.95) <= 150.0 + 275.0);
        assert!(sheet.usage(5.0, 40.0) >= 0.85);
        spends_no_more_than_said(sheet);
    });
}

#[test]
fn two_cars_on_one_link_leave_each_other_room() {
    each(&scenes::two_cars(), |sheets| {
        let shares: Vec<f64> = sheets.iter().map(|sheet| sheet.usage(40.0, 70.0)).collect();
        println!("{shares:.2?}");
        assert!(shares.iter().sum::<f64>() >= 0.9);
        let (one, other) = (shares[0], shares[1]);
        assert!(one <= 2.0 * other && other <= 2.0 * one);
        for sheet in sheets {
            assert_eq!(sheet.freezes(), 0);
            assert!(sheet.age(0.95) <= 150.0);
        }
    });
}

#[test]
fn beside_a_long_upload_a_fifth_of_the_link_is_left() {
    let (from, to) = scenes::UPLOAD;
    alone(&scenes::beside_upload(), |sheet| {
        let beside = sheet.usage(from + 5.0, to);
        println!("{beside:.3} of the link, age p95 {:.0}", sheet.age_between(from + 5.0, to, 0.95));
        assert!(sheet.usage(from - 5.0, from) >= 0.85);
        assert!(beside >= 0.2);
        // Their queue alone takes up to 300 ms.
        assert!(sheet.age_between(from + 5.0, to, 0.95) <= 750.0);
        assert!(sheet.back_to(to, 0.85) <= 3.0);
    });
}
