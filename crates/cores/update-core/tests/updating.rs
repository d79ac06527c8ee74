//! The way of an update, from the release to a version that has proved itself.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod common;

use common::{Kind, V1, V2, V3, World};
use rccar_protocol::units::MonotonicMicros;
use rccar_update_core::{Refusal, Settings, State, Wish};
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);

#[test]
fn an_offered_version_is_installed_booted_and_proved() {
    let mut world = World::new(Settings::default());
    world.release(V2, Kind::Good);
    world.until("the installation", |world| world.state() == State::Installing);
    world.until("the end of it", |world| world.state() == State::Waiting);
    world.until("the trial", |world| world.state() == State::Testing);
    world.until("the proof", |world| world.state() == State::Idle);
    assert_eq!((world.running(), world.slots[1].tries), (&V2, 3));
    assert_eq!((world.disk.last.clone().unwrap().failed, &world.disk.pending), (None, &None));
    world.run(MINUTE * 180);
    assert_eq!((world.installs_of(&V2), world.boots), (1, 2));
}

#[test]
fn the_car_reboots_only_after_it_has_been_parked_for_a_while() {
    let mut world = World::new(Settings::default());
    world.release(V2, Kind::Good);
    world.until("the installation", |world| world.state() == State::Waiting);
    world.driver = true;
    world.run(MINUTE * 60);
    assert_eq!(
        (world.state(), world.boots, world.reason().as_str()),
        (State::Waiting, 1, "the car is armed")
    );
    world.driver = false;
    world.run(MINUTE * 4);
    assert_eq!(world.boots, 1);
    world.run(MINUTE * 2);
    assert_eq!((world.running(), world.boots), (&V2, 2));
}

#[test]
fn the_transfer_rests_while_somebody_drives() {
    let mut world = World::new(Settings::default());
    world.release(V2, Kind::Good);
    world
        .until("some progress", |world| world.status().percent.is_some_and(|percent| percent > 20));
    world.driver = true;
    world.run(Duration::from_secs(2));
    let percent = world.status().percent;
    world.run(MINUTE * 3);
    assert_eq!((world.status().percent, world.reason().as_str()), (percent, "the car is armed"));
    world.driver = false;
    world.until("the end", |world| world.state() == State::Waiting);
    assert_eq!(world.installs_of(&V2), 1);
}

#[test]
fn a_version_that_does_not_start_is_left_with_that_reason() {
    let mut world = World::new(Settings::default());
    world.release(V2, Kind::DoesNotStart);
    world.until("the fall back", |world| world.boots == 2);
    assert_eq!((world.running(), world.state()), (&V1, State::Failed));
    assert_eq!(world.reason(), "version 2.0.0 did not start");
}

#[test]
fn a_version_without_picture_is_left_with_that_reason() {
    let mut world = World::new(Settings::default());
    world.release(V2, Kind::NoPicture);
    world.until("the trial", |world| world.state() == State::Testing);
    world.until("the fall back", |world| world.boots == 3);
    assert_eq!((world.running(), world.state()), (&V1, State::Failed));
    assert_eq!(world.reason(), "version 2.0.0 did not become healthy: no picture from the camera");
}

#[test]
fn a_failed_trial_waits_for_the_driver_to_leave() {
    let mut world = World::new(Settings::default());
    world.release(V2, Kind::NoPicture);
    world.until("the trial", |world| world.state() == State::Testing);
    world.driver = true;
    world.run(MINUTE * 30);
    assert_eq!((world.running(), world.state()), (&V2, State::Failed));
    world.driver = false;
    world.run(MINUTE);
    assert_eq!(world.running(), &V1);
}

#[test]
fn no_failing_version_is_tried_more_often_than_set() {
    for kind in [Kind::DoesNotStart, Kind::NoPicture, Kind::Refused] {
        let mut world = World::new(Settings::default());
        world.release(V2, kind);
        world.run(MINUTE * 60 * 48);
        assert_eq!((world.installs_of(&V2), world.running()), (3, &V1), "{kind:?}");
        assert_eq!(world.state(), State::Failed);
        assert!(world.reason().starts_with("not tried again: "), "{}", world.reason());
    }
}

#[test]
fn a_version_for_another_board_is_tried_once() {
    let mut world = World::new(Settings::default());
    world.release(V2, Kind::WrongBoard);
    world.run(MINUTE * 60 * 48);
    assert_eq!(
        (world.installs_of(&V2), world.reason().as_str()),
        (1, "not tried again: it is made for another board")
    );
}

#[test]
fn another_version_is_not_held_back_by_one_that_failed() {
    let mut world = World::new(Settings::default());
    world.release(V2, Kind::Refused);
    world.run(MINUTE * 60 * 48);
    world.release(V3, Kind::Good);
    world.until("the next version", |world| *world.running() == V3 && world.state() == State::Idle);
}

#[test]
fn the_owner_can_have_a_failed_version_tried_again() {
    let mut world = World::new(Settings::default());
    world.release(V2, Kind::Refused);
    world.run(MINUTE * 60 * 48);
    world.kinds.insert(V2, Kind::Good);
    world.wish(V2, false);
    world.until("the version", |world| *world.running() == V2 && world.state() == State::Idle);
}

#[test]
fn a_lost_link_never_counts_against_a_version() {
    let mut world = World::new(Settings::default());
    world.release(V2, Kind::Good);
    for _ in 0..10 {
        world.link = true;
        world.until("an installation", |world| world.state() == State::Installing);
        world.link = false;
        world.until("its failure", |world| world.state() != State::Installing);
        assert!(world.reason().ends_with("the link was lost"), "{}", world.reason());
    }
    world.link = true;
    world.until("the version", |world| *world.running() == V2 && world.state() == State::Idle);
}

#[test]
fn without_the_owner_nothing_is_installed_if_updates_are_not_automatic() {
    let mut world = World::new(Settings { automatic: false, ..Settings::default() });
    world.release(V2, Kind::Good);
    world.run(MINUTE * 120);
    assert_eq!((world.state(), world.installs_of(&V2)), (State::Offered, 0));
    world.wish(V2, false);
    let since = world.now;
    world.until("the version", |world| *world.running() == V2);
    assert!(
        world.boots == 2 && since.0 > 0,
        "whoever asks does not wait for the car to be parked for minutes"
    );
}

#[test]
fn older_and_same_versions_are_refused_unless_the_owner_asks_at_the_car() {
    let mut world = World::new(Settings::default());
    let older = semver::Version::new(0, 9, 0);
    world.release(older.clone(), Kind::Good);
    world.run(MINUTE * 120);
    assert_eq!(world.installs_of(&older), 0);
    assert_eq!(world.reason(), "version 0.9.0 is older than 1.0.0, which is running: refused");
    let refused = |world: &mut World, version| {
        world
            .machine
            .handle_wish(MonotonicMicros(0), Wish::Install { version, downgrade: false })
            .unwrap_err()
    };
    assert_eq!(
        refused(&mut world, older.clone()),
        Refusal::Older { asked: older.clone(), running: V1 }
    );
    assert_eq!(refused(&mut world, V1), Refusal::Same(V1));
    world.wish(older.clone(), true);
    world.until("the older version", |world| {
        *world.running() == older && world.state() == State::Idle
    });
}

#[test]
fn a_version_that_the_host_does_not_have_is_said_to_be_missing() {
    let mut world = World::new(Settings::default());
    world.run(MINUTE);
    world.wish(V3, false);
    world.run(MINUTE);
    assert_eq!(
        (world.state(), world.reason().as_str()),
        (State::Failed, "version 3.0.0 is not offered by the host")
    );
}

#[test]
fn the_cap_of_metered_links_is_kept_to_the_byte() {
    let mut world = World::new(Settings { metered_cap: 1_234_567, ..Settings::default() });
    world.metered = true;
    world.release(V2, Kind::Good);
    world.run(MINUTE * 60 * 24);
    assert_eq!(world.fetched, 1_234_567);
    assert_eq!(world.reason(), "this month's cap for metered links is reached");
    world.boot();
    world.run(MINUTE * 60);
    assert_eq!(world.fetched, 1_234_567, "a reboot does not reset the meter");
    world.metered = false;
    world.until("the version over a free link", |world| *world.running() == V2);
}

#[test]
fn a_low_battery_holds_installation_and_reboot() {
    let mut world = World::new(Settings { park: MINUTE * 90, ..Settings::default() });
    world.battery_mv = Some(6_900);
    world.release(V2, Kind::Good);
    world.run(MINUTE * 60);
    assert_eq!(
        (world.installs_of(&V2), world.reason().as_str()),
        (0, "the battery is low (6.90 V of 7.00 V)")
    );
    world.battery_mv = Some(7_400);
    world.until("the installation", |world| world.state() == State::Waiting);
    world.battery_mv = Some(6_900);
    world.run(MINUTE * 60);
    assert_eq!(world.boots, 1);
    world.battery_mv = None;
    world.run(MINUTE);
    assert_eq!(world.running(), &V2);
}

#[test]
fn a_car_that_is_switched_on_and_off_without_network_keeps_its_slot() {
    let mut world = World::new(Settings::default());
    world.registered = false;
    for _ in 0..20 {
        world.run(Duration::from_secs(10));
        world.boot();
    }
    assert_eq!((world.booted, world.slots[0].tries), (0, 2));
}

#[test]
fn a_proved_slot_that_stops_starting_is_reported() {
    let mut world = World::new(Settings::default());
    world.release(V2, Kind::Good);
    world.until("the version", |world| *world.running() == V2 && world.state() == State::Idle);
    world.kinds.insert(V2, Kind::DoesNotStart);
    world.boot();
    assert_eq!(
        (world.running(), world.reason().as_str()),
        (&V1, "version 2.0.0 does not start any more")
    );
}

#[test]
fn the_host_is_asked_after_registering_and_then_by_the_interval() {
    let mut world = World::new(Settings::default());
    world.registered = false;
    world.run(MINUTE * 10);
    assert_eq!(world.checks, 0);
    world.registered = true;
    world.run(MINUTE * 10);
    assert_eq!(world.checks, 1);
    world.run(MINUTE * 60 * 24);
    assert!((20..=31).contains(&world.checks), "{} in a day", world.checks);
}
