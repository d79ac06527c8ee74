//! What happens when input is lost, and what a driver has to do to drive again.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::{Bench, throttle_of};
use rccar_drive_core::timing::{HOLD, NEUTRAL_AT, QUIET};
use rccar_drive_core::{Event, Motor, Rejection, Settings};
use rccar_protocol::setpoint::SetPoint;
use rccar_protocol::state::{DriveState, StopReason};
use rccar_protocol::units::MonotonicMicros;
use std::time::Duration;

fn driving() -> Bench {
    let mut bench = Bench::new(Settings::default());
    bench.arm();
    bench.drive(400, true, 3_000, 10_000);
    assert_eq!((bench.machine.state(), throttle_of(&bench.machine)), (DriveState::Armed, 5_000));
    bench
}

fn state(bench: &Bench) -> (DriveState, StopReason) {
    (bench.machine.state(), bench.machine.reason())
}

#[test]
fn silence_holds_then_brakes_then_trips_at_the_promised_times() {
    let mut bench = driving();
    let last = bench.now;
    bench.wait_until(last.plus(QUIET));
    assert_eq!(state(&bench), (DriveState::Holding, StopReason::Silent));
    assert_eq!(throttle_of(&bench.machine), 5_000);
    bench.wait_until(MonotonicMicros(last.plus(HOLD).0 - 1));
    assert_eq!(throttle_of(&bench.machine), 5_000);
    bench.wait_until(last.plus(HOLD));
    assert_eq!(
        (state(&bench).0, bench.machine.output().motor),
        (DriveState::Braking, Motor::Brake)
    );
    assert_eq!(
        bench.machine.output().steering.permyriad(),
        3_000,
        "a car that brakes in a bend stays in it"
    );
    bench.wait_until(MonotonicMicros(last.plus(NEUTRAL_AT).0 - 1));
    assert_eq!(bench.machine.output().motor, Motor::Brake);
    bench.wait_until(last.plus(NEUTRAL_AT));
    assert_eq!(
        (state(&bench), bench.machine.output()),
        ((DriveState::Tripped, StopReason::Silent), Default::default())
    );
    assert_eq!(bench.machine.poll_timeout(), None);
}

#[test]
fn deadlines_count_from_the_sample_and_not_from_its_arrival() {
    let mut bench = driving();
    bench.wait(60);
    let late = SetPoint {
        sampled_at: bench.now.minus(Duration::from_millis(70)),
        ..bench.frame(true, 0, 10_000)
    };
    bench.send(&late);
    assert_eq!(bench.machine.state(), DriveState::Armed);
    bench.wait(10);
    assert_eq!(bench.machine.state(), DriveState::Braking);
    bench.wait(160);
    assert_eq!(bench.machine.state(), DriveState::Tripped);
}

#[test]
fn set_points_that_are_not_input_say_why_and_extend_nothing() {
    for reason in
        [StopReason::Hidden, StopReason::Unfocused, StopReason::NoDevice, StopReason::StaleInput]
    {
        let mut bench = driving();
        let last = bench.now;
        for after in (20..=260).step_by(20) {
            bench.wait_until(last.plus(Duration::from_millis(after)));
            let empty = SetPoint { not_input: reason, ..bench.frame(true, 0, 10_000) };
            bench.send(&empty);
            assert_ne!(bench.machine.state(), DriveState::Armed);
            assert_eq!(bench.machine.output().motor == Motor::Brake, (80..240).contains(&after));
        }
        assert_eq!(state(&bench), (DriveState::Tripped, reason));
        let rejected = bench
            .events
            .iter()
            .filter(|event| matches!(event, Event::InputRejected { .. }))
            .count();
        assert_eq!(rejected, 1, "the cause is recorded once, not fifty times a second");
    }
}

#[test]
fn repeated_stale_and_future_frames_extend_nothing() {
    type Forge = fn(SetPoint, MonotonicMicros) -> SetPoint;
    let hostile: [(Rejection, Forge); 3] = [
        (Rejection::Overtaken, |last, now| SetPoint { sampled_at: now, ..last }),
        (Rejection::Stale, |last, now| SetPoint {
            seq: last.seq + 1,
            sampled_at: now.minus(Duration::from_millis(81)),
            ..last
        }),
        (Rejection::Future, |last, now| SetPoint {
            seq: last.seq + 1,
            sampled_at: now.plus(Duration::from_secs(9)),
            ..last
        }),
    ];
    for (why, forge) in hostile {
        let mut bench = driving();
        let last = bench.frame(true, 0, 10_000);
        bench.send(&last);
        for _ in 0..50 {
            bench.wait(5);
            let forged = forge(last, bench.now);
            bench.send(&forged);
        }
        assert_eq!(bench.machine.state(), DriveState::Tripped, "{why:?}");
        assert!(bench.events.contains(&Event::InputRejected { why }));
    }
}

#[test]
fn fresh_input_resumes_from_hold_and_brake_and_the_throttle_rises_anew() {
    for (gap, from) in [(60, DriveState::Holding), (200, DriveState::Braking)] {
        let mut bench = driving();
        bench.wait(gap);
        assert_eq!(bench.machine.state(), from);
        let frame = bench.frame(true, 3_000, 10_000);
        bench.send(&frame);
        assert_eq!(bench.machine.state(), DriveState::Armed);
        assert_eq!(
            throttle_of(&bench.machine),
            if from == DriveState::Holding { 5_000 } else { 0 }
        );
        assert_eq!(bench.events.last(), Some(&Event::Resumed { from }));
        bench.wait(20);
        assert!(throttle_of(&bench.machine) >= 500);
    }
}

#[test]
fn the_throttle_does_not_rise_while_holding() {
    let mut bench = Bench::new(Settings::default());
    bench.arm();
    bench.drive(20, true, 0, 10_000);
    bench.wait(40);
    assert_eq!((bench.machine.state(), throttle_of(&bench.machine)), (DriveState::Holding, 875));
    bench.wait(39);
    assert_eq!((bench.machine.state(), throttle_of(&bench.machine)), (DriveState::Holding, 875));
}

#[test]
fn after_a_trip_only_release_and_arming_at_neutral_drive_again() {
    let mut bench = driving();
    bench.wait(300);
    bench.drive(1_000, true, 0, 10_000);
    bench.drive(1_000, true, 0, 0);
    assert_eq!(state(&bench), (DriveState::Tripped, StopReason::Silent), "arm was never released");
    bench.drive(20, false, 0, 0);
    assert_eq!(state(&bench), (DriveState::Disarmed, StopReason::None));
    bench.drive(1_000, true, 0, 2_000);
    assert_eq!(bench.machine.state(), DriveState::Arming, "the throttle never rested");
    bench.drive(300, true, 0, 0);
    assert_eq!(bench.machine.state(), DriveState::Arming);
    bench.drive(20, true, 0, 0);
    assert_eq!(state(&bench), (DriveState::Armed, StopReason::None));
}

#[test]
fn a_machine_that_was_not_called_for_a_while_catches_up_before_it_listens() {
    let mut bench = driving();
    bench.now = bench.now.plus(Duration::from_secs(2));
    let frame = bench.frame(true, 0, 10_000);
    bench.send(&frame);
    assert_eq!(
        (bench.machine.state(), bench.machine.output().motor),
        (DriveState::Tripped, Motor::Neutral)
    );
}

#[test]
fn a_fault_means_neutral_at_once_and_a_new_arming() {
    let mut bench = driving();
    bench.machine.handle_fault(bench.now);
    bench.machine.handle_fault(bench.now);
    assert_eq!(
        (state(&bench), bench.machine.output()),
        ((DriveState::Tripped, StopReason::ActuatorFault), Default::default())
    );
    assert_eq!(bench.machine.poll_event(), Some(Event::Faulted));
    assert_eq!(bench.machine.poll_event(), None);
    bench.drive(1_000, true, 0, 0);
    assert_eq!(bench.machine.state(), DriveState::Tripped);
    bench.arm();
    assert_eq!(bench.machine.state(), DriveState::Armed);
}

#[test]
fn shutdown_brakes_then_rests_and_hears_nothing_more() {
    let mut bench = driving();
    bench.machine.handle_shutdown(bench.now);
    assert_eq!(
        (state(&bench), bench.machine.output().motor),
        ((DriveState::Disarmed, StopReason::Shutdown), Motor::Brake)
    );
    assert!(!bench.machine.is_at_rest());
    bench.wait(170);
    assert!(bench.machine.is_at_rest());
    assert_eq!(bench.machine.output(), Default::default());
    bench.arm();
    assert_eq!(state(&bench), (DriveState::Disarmed, StopReason::Shutdown));
}
