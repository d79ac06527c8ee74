//! The way to the car is lost and another one is found: how long the driver sees nothing.
//!
//! Each story is told 20 times in a row (`RCCAR_RUNS`), and prints what it measured.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "tests")]

use rccar_netlab::emulator::Profile;
use rccar_netlab::{Access, Driver, Lab, Picture, story, until};
use rccar_protocol::state::DriveState;
use std::time::{Duration, Instant};

/// From the last fresh input to neutral (PROTOCOL.md, "Timing").
const STOPPED_WITHIN: Duration = Duration::from_millis(250);
/// A better uplink is used sooner than usual: 20 returns of 5 s each would only be waited for.
const RETURN_SOON: &str = "[uplinks]\nreturn_after_s = 1\n";

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn runs() -> usize {
    std::env::var("RCCAR_RUNS").ok().and_then(|runs| runs.parse().ok()).unwrap_or(20)
}

/// Prints times and holds them against their budget.
fn assert_budget(what: &str, mut times: Vec<Duration>, median: Duration, worst: Duration) {
    times.sort();
    let (middle, last) = (times[times.len() / 2], times[times.len() - 1]);
    println!("{what}: median {middle:?}, worst {last:?} of {} ({times:?})", times.len());
    assert!(middle <= median, "{what}: the median of {times:?} is over {median:?}");
    assert!(last <= worst, "{what}: the worst of {times:?} is over {worst:?}");
}

/// Waits until frames come steadily again: ten in a row without a gap of a quarter of a second.
async fn steady(driver: &Driver) {
    until("frames come steadily", || {
        let times = driver.seen().frames.times().to_vec();
        let last = &times[times.len().saturating_sub(11)..];
        last.len() == 11
            && last.windows(2).all(|pair| pair[1] - pair[0] < ms(250))
            && last.last().is_some_and(|at| at.elapsed() < ms(250))
    })
    .await;
}

/// A car with Wi-Fi and a modem behind NAT of two kinds, and a driver at home.
async fn two_uplinks(lab: &mut Lab, driver: Access) {
    lab.picture(Picture { fps: 30, kbps: 800 });
    lab.car_settings(RETURN_SOON);
    lab.car_uplink("wlan0", Access::PortRestricted, Profile::cable());
    lab.car_uplink("wwan0", Access::Cgnat, Profile::good_4g());
    lab.driver_uplink("net0", driver, Profile::cable());
    lab.start_host().await;
    lab.start_car().await;
}

/// Loses Wi-Fi and gets it back, again and again: the gaps at the loss and at the return.
async fn swap(lab: &Lab, driver: &Driver) -> (Vec<Duration>, Vec<Duration>) {
    let (mut losses, mut returns) = (Vec::new(), Vec::new());
    for _ in 0..runs() {
        steady(driver).await;
        let begun = Instant::now();
        lab.uplink("wlan0").unplug().unwrap();
        until("the gap is over", || begun.elapsed() > ms(400)).await;
        steady(driver).await;
        losses.push(driver.seen().frames.longest_gap(begun));
        let (begun, offers) = (Instant::now(), driver.seen().offers.len());
        lab.uplink("wlan0").plug().unwrap();
        until("the car returns to Wi-Fi", || driver.seen().offers.len() > offers).await;
        let offered = Instant::now();
        until("the gap is over", || offered.elapsed() > ms(400)).await;
        steady(driver).await;
        returns.push(driver.seen().frames.longest_gap(begun));
    }
    (losses, returns)
}

#[test]
#[ignore = "needs namespaces and the programs: run ci/netlab"]
fn another_uplink_with_another_address_and_nat_takes_over() {
    story(async |lab| {
        two_uplinks(lab, Access::PortRestricted).await;
        let driver = lab.connect().await;
        driver.await_live().await;
        let (losses, returns) = swap(lab, &driver).await;
        assert_budget("uplink lost, direct path", losses, ms(300), ms(1_000));
        assert_budget("return to the better uplink, direct path", returns, ms(300), ms(1_000));
        assert_eq!(driver.seen().sessions.len(), 1, "the session is the same");
    });
}

#[test]
#[ignore = "needs namespaces and the programs: run ci/netlab"]
fn another_uplink_takes_over_when_only_a_relay_helps() {
    story(async |lab| {
        two_uplinks(lab, Access::Symmetric).await;
        let driver = lab.connect().await;
        driver.await_live().await;
        let relayed = lab.relayed_packets();
        let (losses, returns) = swap(lab, &driver).await;
        assert!(lab.relayed_packets() > relayed, "it was relayed");
        assert_budget("uplink lost, relayed path", losses, ms(800), ms(2_000));
        assert_budget("return to the better uplink, relayed path", returns, ms(800), ms(2_000));
        assert_eq!(driver.seen().sessions.len(), 1, "the session is the same");
    });
}

#[test]
#[ignore = "needs namespaces and the programs: run ci/netlab"]
fn a_link_that_was_silently_dead_for_four_seconds_shows_the_picture_at_once() {
    story(async |lab| {
        lab.picture(Picture { fps: 30, kbps: 800 });
        lab.start_world((Access::Cgnat, Profile::good_4g()), (Access::PortRestricted, Profile::cable())).await;
        let driver = lab.connect().await;
        driver.await_live().await;
        let mut back = Vec::new();
        for _ in 0..runs() {
            steady(&driver).await;
            let begun = Instant::now();
            lab.uplink("wwan0").link().cut(true);
            until("4 s are over", || begun.elapsed() > Duration::from_secs(4)).await;
            lab.uplink("wwan0").link().cut(false);
            let healed = Instant::now();
            let first = || driver.seen().frames.times().iter().copied().find(|at| *at > healed);
            until("a picture comes", || first().is_some()).await;
            back.push(first().unwrap() - healed);
        }
        assert_budget("picture after a dead link", back, ms(700), ms(700));
        assert_eq!(driver.seen().sessions.len(), 1, "the session is the same");
    });
}

#[test]
#[ignore = "needs namespaces and the programs: run ci/netlab"]
fn a_silent_uplink_is_left_for_the_other_one() {
    story(async |lab| {
        two_uplinks(lab, Access::PortRestricted).await;
        let driver = lab.connect().await;
        driver.await_live().await;
        steady(&driver).await;
        let begun = Instant::now();
        lab.uplink("wlan0").link().cut(true);
        until("silence is noticed", || begun.elapsed() > ms(600)).await;
        steady(&driver).await;
        let gap = driver.seen().frames.longest_gap(begun);
        println!("silent uplink left for the other one: {gap:?}");
        assert!(gap < Duration::from_secs(4), "{gap:?}");
    });
}

#[test]
#[ignore = "needs namespaces and the programs: run ci/netlab"]
fn whatever_happens_to_the_link_the_car_stops_and_waits_to_be_armed_anew() {
    story(async |lab| {
        two_uplinks(lab, Access::PortRestricted).await;
        let driver = lab.connect().await;
        driver.await_live().await;
        for (round, silent) in [false, true, false, true].into_iter().enumerate() {
            steady(&driver).await;
            driver.arm().await;
            driver.drive(0.0, 0.2);
            until("the motor turns", || driver.throttle() > 0.05).await;
            let cut = |cut| ["wlan0", "wwan0"].map(|uplink| lab.uplink(uplink).link().cut(cut));
            let begun = Instant::now();
            if silent {
                cut(true);
            } else {
                ["wlan0", "wwan0"].map(|uplink| lab.uplink(uplink).unplug().unwrap());
            }
            until("2 s are over", || begun.elapsed() > Duration::from_secs(2)).await;
            if silent {
                cut(false);
            } else {
                ["wlan0", "wwan0"].map(|uplink| lab.uplink(uplink).plug().unwrap());
            }
            until("the driver hears that the car has stopped", || driver.state() == Some(DriveState::Tripped)).await;
            steady(&driver).await;
            // The throttle was held all the time; that moves nothing.
            assert!(driver.state() == Some(DriveState::Tripped) && driver.throttle().abs() < f32::EPSILON);
            let log = lab.drive_log();
            let trips: Vec<_> = log.iter().filter(|line| line["event"] == "tripped").collect();
            assert_eq!(trips.len(), round + 1, "{trips:?}");
            for trip in trips {
                let at = |name: &str| trip[name].as_u64().unwrap();
                let stopped = Duration::from_micros(at("at") - at("input"));
                assert!(stopped <= STOPPED_WITHIN, "{stopped:?}");
            }
        }
        driver.arm().await;
    });
}
