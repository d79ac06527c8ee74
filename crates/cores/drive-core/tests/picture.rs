//! What the age of the driver's picture does to the throttle, from 50 Hz of input.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::{Bench, FRAME_MS, throttle_of};
use rccar_drive_core::{Event, Motor, Rejection, Settings};
use rccar_protocol::setpoint::SetPoint;
use rccar_protocol::state::{DriveState, LimitCause, SpeedLimit, StopReason};
use rccar_protocol::units::MonotonicMicros;
use std::time::Duration;

const FULL: i16 = 10_000;
/// `max_forward` of the default settings.
const MOST: i16 = 5_000;

/// Sends frames for `millis`, each with a picture that is `age_ms` old at sending.
fn drive(bench: &mut Bench, millis: u64, arm: bool, throttle: i16, age_ms: impl Fn(u64) -> u64) {
    for n in 0..millis / FRAME_MS {
        bench.wait(FRAME_MS);
        let at = bench.now.minus(Duration::from_millis(age_ms(n * FRAME_MS)));
        let frame = SetPoint { picture_at: Some(at), ..bench.frame(arm, 0, throttle) };
        bench.send(&frame);
    }
}

fn armed(age_ms: u64) -> Bench {
    let mut bench = Bench::new(Settings::default());
    drive(&mut bench, 40, false, 0, |_| age_ms);
    drive(&mut bench, 340, true, 0, |_| age_ms);
    bench
}

#[test]
fn a_young_picture_leaves_the_whole_throttle_and_an_older_one_less() {
    // Between two frames of input the picture grows older by 20 ms.
    for (age_ms, throttle) in [
        (60, MOST..=MOST),
        (130, MOST..=MOST),
        (200, 2_200..=3_000),
        (250, 1_000..=1_000),
        (470, 1_000..=1_000),
    ] {
        let mut bench = armed(age_ms);
        drive(&mut bench, 400, true, FULL, |_| age_ms);
        let got = throttle_of(&bench.machine);
        assert!(throttle.contains(&got), "{got} at {age_ms} ms");
    }
    let mut bench = armed(200);
    drive(&mut bench, 400, true, -FULL, |_| 200);
    assert!((-1_800..=-1_320).contains(&throttle_of(&bench.machine)), "backward as well");
}

#[test]
fn a_growing_queue_slows_the_car_and_stops_it_before_the_picture_is_half_a_second_old() {
    let mut bench = armed(60);
    drive(&mut bench, 400, true, FULL, |_| 60);
    // From here on the picture grows older by 400 ms a second, while input keeps coming.
    let mut before = MOST;
    let grows = |ms: u64| 60 + ms * 2 / 5;
    for step in 0..60u64 {
        drive(&mut bench, FRAME_MS, true, FULL, |_| grows(step * FRAME_MS));
        let throttle = throttle_of(&bench.machine);
        assert!(throttle <= before, "{throttle} after {before}");
        before = throttle;
        let limit = bench.machine.speed_limit();
        let slowed = grows(step * FRAME_MS) > 150;
        assert_eq!(limit.is_some(), slowed, "{limit:?}");
        assert!(limit.is_none_or(|limit| limit.cause == LimitCause::Picture));
    }
    assert!(bench.machine.state().may_move());
    drive(&mut bench, 20, true, FULL, |_| 500);
    assert_eq!(
        (bench.machine.output().motor, bench.machine.reason()),
        (Motor::Brake, StopReason::OldPicture)
    );
    drive(&mut bench, 240, true, FULL, |_| 520);
    assert_eq!(
        (bench.machine.state(), bench.machine.output().motor),
        (DriveState::Tripped, Motor::Neutral)
    );
    assert!(bench.events.contains(&Event::InputRejected { why: Rejection::OldPicture }));
}

#[test]
fn a_frozen_picture_brakes_when_it_is_half_a_second_old_though_input_goes_on() {
    let mut bench = armed(60);
    let frozen = bench.now;
    while bench.machine.output().motor != Motor::Brake {
        bench.wait(FRAME_MS);
        let frame = SetPoint { picture_at: Some(frozen), ..bench.frame(true, 0, FULL) };
        bench.send(&frame);
        let age = bench.now.since(frozen);
        assert!(age <= Duration::from_millis(500), "drives by a picture of {age:?}");
    }
    assert_eq!(bench.machine.reason(), StopReason::OldPicture);
}

#[test]
fn the_throttle_falls_between_two_frames_of_input() {
    let mut bench = armed(145);
    drive(&mut bench, 400, true, FULL, |_| 145);
    bench.wait(30);
    // 175 ms: a quarter of the way from full to crawl.
    assert_eq!(throttle_of(&bench.machine), 4_000);
}

#[test]
fn a_car_cannot_be_armed_by_an_old_picture() {
    let mut bench = armed(3_000);
    assert_eq!(
        (bench.machine.state(), bench.machine.reason()),
        (DriveState::Disarmed, StopReason::OldPicture)
    );
    // It grows young again: then arming takes the usual steps.
    drive(&mut bench, 40, false, 0, |_| 80);
    drive(&mut bench, 340, true, 0, |_| 80);
    assert_eq!(bench.machine.state(), DriveState::Armed);
}

#[test]
fn a_picture_that_is_young_again_in_time_gives_the_throttle_back_at_its_rate() {
    let mut bench = armed(60);
    drive(&mut bench, 400, true, FULL, |_| 240);
    let slow = throttle_of(&bench.machine);
    drive(&mut bench, 20, true, FULL, |_| 60);
    let risen = throttle_of(&bench.machine) - slow;
    assert!((0..=500).contains(&risen), "rises by {risen} in 20 ms");
    drive(&mut bench, 400, true, FULL, |_| 60);
    assert_eq!(throttle_of(&bench.machine), MOST);
}

#[test]
fn a_page_that_stops_naming_pictures_is_judged_by_the_last_one() {
    let mut bench = armed(60);
    bench.drive(480, true, 0, FULL);
    assert_eq!(bench.machine.reason(), StopReason::OldPicture);
}

#[test]
fn another_session_begins_without_a_picture() {
    let mut bench = armed(60);
    bench.wait(2_000);
    bench.session = 2;
    bench.arm();
    bench.drive(400, true, 0, FULL);
    assert_eq!((throttle_of(&bench.machine), bench.machine.speed_limit()), (MOST, None));
}

#[test]
fn a_picture_of_the_future_is_as_old_as_its_report() {
    let mut bench = armed(60);
    let frame = SetPoint { picture_at: Some(MonotonicMicros(u64::MAX)), ..bench.frame(true, 0, 0) };
    bench.send(&frame);
    bench.drive(480, true, 0, 0);
    assert_eq!(bench.machine.reason(), StopReason::None);
    bench.drive(40, true, 0, 0);
    assert_eq!(bench.machine.reason(), StopReason::OldPicture);
}

#[test]
fn the_stricter_of_picture_and_battery_counts() {
    use rccar_drive_core::Allowance;
    let mut bench = armed(200);
    let now = bench.now;
    for (share, limit) in [
        (5_000, SpeedLimit { share: 5_000, cause: LimitCause::Battery }),
        (9_000, SpeedLimit { share: 6_000, cause: LimitCause::Picture }),
    ] {
        bench.machine.handle_battery(now, Allowance::Share(share));
        assert_eq!(bench.machine.speed_limit(), Some(limit));
    }
}
