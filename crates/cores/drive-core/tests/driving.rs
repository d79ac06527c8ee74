//! Arming, driving, disarming, and which session the drive obeys.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::{Bench, throttle_of};
use rccar_drive_core::{Event, Motor, Settings};
use rccar_protocol::setpoint::SetPoint;
use rccar_protocol::state::{DriveState, StopReason};

#[test]
fn arming_takes_a_release_and_300_ms_at_neutral() {
    let mut bench = Bench::new(Settings::default());
    bench.drive(20, false, 0, 0);
    bench.drive(320, true, 8_000, 0);
    let story = [
        Event::SessionChanged { from: 0, to: 1 },
        Event::Released,
        Event::ArmingStarted,
        Event::Armed,
    ];
    assert_eq!(bench.events, story);
}

#[test]
fn a_session_that_begins_with_arm_set_has_to_release_it_first() {
    let mut bench = Bench::new(Settings::default());
    bench.drive(1_000, true, 0, 0);
    assert_eq!(bench.machine.state(), DriveState::Disarmed);
    bench.arm();
    assert_eq!(bench.machine.state(), DriveState::Armed);
}

#[test]
fn a_throttle_that_moves_while_arming_starts_the_wait_anew() {
    let mut bench = Bench::new(Settings::default());
    bench.drive(20, false, 0, 0);
    bench.drive(280, true, 0, 0);
    bench.drive(20, true, 0, 500);
    bench.drive(300, true, 0, 0);
    assert_eq!(bench.machine.state(), DriveState::Arming);
    bench.drive(20, true, 0, 0);
    assert_eq!(bench.machine.state(), DriveState::Armed);
    assert!(bench.events.contains(&Event::ArmingRestarted));
}

#[test]
fn a_gap_while_arming_asks_for_a_new_release() {
    let mut bench = Bench::new(Settings::default());
    bench.drive(20, false, 0, 0);
    bench.drive(100, true, 0, 0);
    bench.wait(80);
    assert_eq!(
        (bench.machine.state(), bench.machine.reason()),
        (DriveState::Disarmed, StopReason::Silent)
    );
    bench.drive(1_000, true, 0, 0);
    assert_eq!(
        (bench.machine.state(), bench.machine.reason()),
        (DriveState::Disarmed, StopReason::None)
    );
}

#[test]
fn a_release_is_forgotten_when_the_driver_was_away() {
    let mut bench = Bench::new(Settings::default());
    bench.drive(100, false, 0, 0);
    bench.wait(60_000);
    bench.drive(1_000, true, 0, 0);
    assert_eq!(bench.machine.state(), DriveState::Disarmed);
}

#[test]
fn the_wheels_stay_at_neutral_until_armed() {
    let mut bench = Bench::new(Settings::default());
    bench.drive(100, false, 10_000, 10_000);
    bench.drive(500, true, -10_000, 10_000);
    assert_eq!(
        (bench.machine.state(), bench.machine.output()),
        (DriveState::Arming, Default::default())
    );
}

#[test]
fn disarming_brakes_for_a_moment_and_then_rests() {
    let mut bench = Bench::new(Settings::default());
    bench.arm();
    bench.drive(200, true, 5_000, 5_000);
    bench.drive(20, false, 5_000, 5_000);
    assert_eq!(
        (bench.machine.state(), bench.machine.reason()),
        (DriveState::Disarmed, StopReason::DriverDisarmed)
    );
    assert_eq!(bench.machine.output().motor, Motor::Brake);
    bench.wait(169);
    assert_eq!(bench.machine.output().motor, Motor::Brake);
    bench.wait(1);
    assert_eq!(bench.machine.output(), Default::default());
}

#[test]
fn the_brake_beats_the_throttle() {
    let mut bench = Bench::new(Settings::default());
    bench.arm();
    bench.drive(200, true, 0, 10_000);
    bench.wait(20);
    let braking = SetPoint { brake: true, ..bench.frame(true, 2_000, 10_000) };
    bench.send(&braking);
    assert_eq!(
        (bench.machine.state(), bench.machine.output().motor),
        (DriveState::Armed, Motor::Brake)
    );
    bench.wait(20);
    assert!(bench.machine.output().steering.permyriad() > 1_000, "the wheels still steer");
    bench.drive(20, true, 2_000, 10_000);
    assert_eq!(throttle_of(&bench.machine), 0, "the throttle rises from zero after the brake");
}

#[test]
fn another_session_stops_the_car_and_has_to_arm() {
    for to in [0, 2] {
        let mut bench = Bench::new(Settings::default());
        bench.arm();
        bench.drive(200, true, 0, 10_000);
        bench.wait(20);
        bench.session = to;
        let frame = bench.frame(true, 0, 10_000);
        bench.send(&frame);
        assert_eq!(
            (bench.machine.state(), bench.machine.reason()),
            (DriveState::Disarmed, StopReason::DriverLeft)
        );
        assert!(bench.events.contains(&Event::Disarmed { reason: StopReason::DriverLeft }));
        assert_eq!(bench.machine.output().motor, Motor::Brake);
        bench.drive(1_000, true, 0, 0);
        assert_eq!(
            (bench.machine.state(), bench.machine.output().motor),
            (DriveState::Disarmed, Motor::Neutral)
        );
        assert_eq!(bench.machine.session(), to);
        bench.arm();
        assert_eq!(
            bench.machine.state() == DriveState::Armed,
            to != 0,
            "nobody's session never arms"
        );
    }
}

#[test]
fn a_sender_that_starts_counting_anew_can_arm_once_the_old_input_has_expired() {
    let mut bench = Bench::new(Settings::default());
    bench.seq = 4_000_000;
    bench.arm();
    bench.seq = 0;
    bench.drive(240, true, 0, 10_000);
    assert_eq!(
        bench.machine.state(),
        DriveState::Tripped,
        "while the car may move, numbers only rise"
    );
    bench.arm();
    assert_eq!(bench.machine.state(), DriveState::Armed);
}
