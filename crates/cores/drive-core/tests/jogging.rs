//! Calibration: jogging with the car disarmed, and other settings while it rests.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::{Bench, throttle_of};
use rccar_drive_core::timing::HOLD;
use rccar_drive_core::{Allowance, Event, Motor, Settings, SteeringSettings, ThrottleSettings};
use rccar_protocol::setpoint::SetPoint;
use rccar_protocol::state::{DriveState, StopReason};
use std::time::Duration;

impl Bench {
    fn open(&mut self) {
        self.machine.handle_calibration(self.now, Some(self.session));
        // No key is held yet.
        self.drive(common::FRAME_MS, false, 0, 0);
    }

    fn jog(&mut self, millis: u64, steering: i16, throttle: i16) {
        for _ in 0..millis / common::FRAME_MS {
            self.wait(common::FRAME_MS);
            let frame = SetPoint { jog: true, ..self.frame(false, steering, throttle) };
            self.send(&frame);
        }
    }
}

fn bench() -> Bench {
    let mut bench = Bench::new(Settings::default());
    bench.drive(40, false, 0, 0);
    bench
}

#[test]
fn nothing_jogs_unless_the_calibration_is_open_for_this_session() {
    let mut bench = bench();
    bench.jog(100, -10_000, 10_000);
    assert_eq!((bench.machine.state(), throttle_of(&bench.machine)), (DriveState::Disarmed, 0));
    bench.machine.handle_calibration(bench.now, Some(bench.session + 1));
    bench.jog(100, -10_000, 10_000);
    assert_eq!(bench.machine.state(), DriveState::Disarmed);
    assert_eq!(bench.machine.output().steering.permyriad(), 0);
}

#[test]
fn a_jog_moves_within_the_limits_and_ends_at_neutral_with_the_key() {
    let mut bench = bench();
    bench.open();
    bench.jog(400, -10_000, 10_000);
    assert_eq!(bench.machine.state(), DriveState::Jogging);
    assert!(!bench.machine.is_at_rest());
    assert_eq!(throttle_of(&bench.machine), 5_000, "max_forward");
    assert_eq!(bench.machine.output().steering.permyriad(), -10_000);
    let brake = SetPoint { jog: true, brake: true, ..bench.frame(false, 0, 0) };
    bench.send(&brake);
    assert_eq!(bench.machine.output().motor, Motor::Brake);
    let released = bench.frame(false, 0, 0);
    bench.send(&released);
    assert_eq!(bench.machine.state(), DriveState::Disarmed);
    assert_eq!(bench.machine.output().motor, Motor::Neutral);
    assert_eq!(bench.machine.output().steering.permyriad(), 0);
    assert!(bench.events.contains(&Event::JogStarted));
    assert!(bench.events.contains(&Event::JogEnded { reason: StopReason::None }));
}

#[test]
fn silence_ends_a_jog_when_the_last_sample_has_expired() {
    let mut bench = bench();
    bench.open();
    bench.jog(100, 0, 10_000);
    let last = bench.machine.last_input().unwrap();
    bench.wait_until(last.plus(HOLD - Duration::from_micros(1)));
    assert!(throttle_of(&bench.machine) > 0);
    bench.wait_until(last.plus(HOLD));
    assert_eq!(bench.machine.state(), DriveState::Disarmed);
    assert_eq!(bench.machine.output().motor, Motor::Neutral);
    assert_eq!(bench.machine.reason(), StopReason::Silent);
}

#[test]
fn whatever_is_no_input_or_takes_the_car_ends_a_jog_at_once() {
    let hidden = |frame| SetPoint { not_input: StopReason::Hidden, jog: true, ..frame };
    let armed = |frame| SetPoint { arm: true, jog: true, ..frame };
    let other = |frame| SetPoint { session: 9, jog: true, ..frame };
    for change in [hidden as fn(SetPoint) -> SetPoint, armed, other] {
        let mut bench = bench();
        bench.open();
        bench.jog(100, 0, 10_000);
        assert_eq!(bench.machine.state(), DriveState::Jogging);
        let frame = change(bench.frame(false, 0, 10_000));
        bench.send(&frame);
        assert_eq!(bench.machine.output().motor, Motor::Neutral);
        assert_eq!(bench.machine.state(), DriveState::Disarmed);
    }
    for stop in [
        |bench: &mut Bench| bench.machine.handle_calibration(bench.now, None),
        |bench: &mut Bench| bench.machine.handle_battery(bench.now, Allowance::Nothing),
        |bench: &mut Bench| bench.machine.handle_shutdown(bench.now),
        |bench: &mut Bench| bench.machine.handle_fault(bench.now),
    ] {
        let mut bench = bench();
        bench.open();
        bench.jog(100, 0, 10_000);
        stop(&mut bench);
        assert_eq!(bench.machine.output().motor, Motor::Neutral);
        assert!(bench.machine.is_at_rest());
        bench.jog(20, 0, 10_000);
        assert!(bench.machine.is_at_rest());
        assert_eq!(bench.machine.output().motor, Motor::Neutral);
    }
}

#[test]
fn a_key_that_was_held_through_a_stop_has_to_be_let_go_first() {
    let held = |bench: &mut Bench| {
        for _ in 0..5 {
            bench.jog(400, 0, 10_000);
            assert_eq!(bench.machine.state(), DriveState::Disarmed, "{:?}", bench.machine.reason());
            assert!(throttle_of(&bench.machine) == 0);
        }
        // Let go and pressed again.
        bench.drive(40, false, 0, 0);
        bench.jog(100, 0, 10_000);
        assert_eq!(bench.machine.state(), DriveState::Jogging);
    };
    // Held when the calibration opens.
    let mut bench = bench();
    bench.jog(100, 0, 10_000);
    bench.machine.handle_calibration(bench.now, Some(bench.session));
    held(&mut bench);
    // Held through arming and driving.
    bench.drive(40, false, 0, 0);
    bench.arm();
    bench.drive(200, true, 0, 10_000);
    held(&mut bench);
    // Held through silence, in which the car itself says that no input comes; and through what is
    // no input.
    bench.wait(200);
    let silent = SetPoint { not_input: StopReason::Silent, ..bench.frame(false, 0, 0) };
    bench.send(&silent);
    held(&mut bench);
    let hidden =
        SetPoint { not_input: StopReason::Hidden, jog: true, ..bench.frame(false, 0, 10_000) };
    bench.send(&hidden);
    held(&mut bench);
}

#[test]
fn a_page_without_a_device_in_hand_holds_no_button() {
    let mut bench = bench();
    bench.machine.handle_calibration(bench.now, Some(bench.session));
    let none = SetPoint { not_input: StopReason::NoDevice, ..bench.frame(false, 0, 0) };
    bench.send(&none);
    bench.jog(40, 0, 10_000);
    assert_eq!(bench.machine.state(), DriveState::Jogging);
}

#[test]
fn a_driver_who_jogged_arms_as_ever() {
    let mut bench = bench();
    bench.open();
    bench.jog(100, 0, 10_000);
    bench.arm();
    assert_eq!(bench.machine.state(), DriveState::Armed);
    // While the car is armed `jog` says nothing, and its absence of `arm` disarms.
    bench.jog(20, 0, 10_000);
    assert_eq!(bench.machine.output().motor, Motor::Brake);
}

fn other_settings() -> Settings {
    Settings {
        steering: SteeringSettings { trim: 2_000, ..SteeringSettings::default() },
        throttle: ThrottleSettings { max_forward: 1_000, ..ThrottleSettings::default() },
        ..Settings::default()
    }
}

#[test]
fn settings_change_while_the_car_rests_and_the_servo_goes_there_at_its_rate() {
    let mut bench = bench();
    assert_eq!(bench.machine.handle_settings(bench.now, other_settings()), Ok(true));
    assert_eq!(bench.machine.output().steering.permyriad(), 0, "no jump");
    assert_eq!(bench.machine.output().motor, Motor::Neutral);
    bench.wait(10);
    let on_its_way = bench.machine.output().steering.permyriad();
    assert!((1..2_000).contains(&on_its_way), "{on_its_way}");
    bench.wait(100);
    assert_eq!(bench.machine.output().steering.permyriad(), 2_000);
    bench.open();
    bench.jog(400, 0, 10_000);
    assert_eq!(throttle_of(&bench.machine), 1_000);
}

#[test]
fn settings_stay_while_the_car_may_move_or_are_wrong() {
    let mut bench = bench();
    bench.arm();
    bench.drive(400, true, 0, 10_000);
    assert_eq!(bench.machine.handle_settings(bench.now, other_settings()), Ok(false));
    assert_eq!(throttle_of(&bench.machine), 5_000);
    let mut wrong = other_settings();
    wrong.steering.left = 0;
    assert_eq!(bench.machine.handle_settings(bench.now, wrong).unwrap_err().key, "steering.left");
}

#[test]
fn the_horn_needs_fresh_input_and_lights_stay() {
    let mut bench = bench();
    let on = SetPoint { lights: true, horn: true, ..bench.frame(false, 0, 0) };
    bench.send(&on);
    assert!(bench.machine.lights() && bench.machine.horn());
    bench.wait(79);
    assert!(bench.machine.horn());
    bench.wait(1);
    assert!(bench.machine.lights() && !bench.machine.horn());
    let on = SetPoint { lights: true, horn: true, ..bench.frame(false, 0, 0) };
    bench.send(&on);
    let hidden = SetPoint {
        not_input: StopReason::Hidden,
        lights: false,
        horn: true,
        ..bench.frame(false, 0, 0)
    };
    bench.send(&hidden);
    assert!(bench.machine.lights() && !bench.machine.horn());
}
