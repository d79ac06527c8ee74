//! When a satellite receiver is asked, and what becomes of its answers.
#![allow(clippy::unwrap_used, reason = "tests")]

use rccar_modem_core::receiver::{AGAIN, FORGET, Fix, Receiver, Step};
use rccar_protocol::units::MonotonicMicros;
use std::time::Duration;

const START: MonotonicMicros = MonotonicMicros(86_400_000_000);
const SECOND: Duration = Duration::from_secs(1);
const MODEM: Option<&str> = Some("/modem/0");

fn fix(latitude: f64, time: Option<&str>) -> Option<Fix> {
    Some(Fix { latitude, longitude: 13.4, time: time.map(str::to_owned) })
}

fn on() -> Receiver {
    let mut receiver = Receiver::default();
    assert_eq!(receiver.step(START, MODEM, false), Step::SwitchOn);
    receiver.handle_switched(START, true);
    receiver
}

#[test]
fn it_is_switched_on_once_and_asked_only_while_somebody_drives() {
    let mut receiver = on();
    for second in 1..100 {
        assert_eq!(receiver.step(START.plus(SECOND * second), MODEM, false), Step::Nothing);
    }
    let now = START.plus(SECOND * 100);
    assert_eq!(receiver.step(now, MODEM, true), Step::Ask);
    assert_eq!(receiver.step(now.plus(SECOND / 2), MODEM, true), Step::Nothing, "once a second");
    assert_eq!(receiver.step(now.plus(SECOND), MODEM, true), Step::Ask);
}

#[test]
fn without_a_modem_nothing_happens_and_one_that_comes_back_is_switched_on_again() {
    let mut receiver = on();
    assert_eq!(receiver.step(START.plus(SECOND), None, true), Step::Nothing);
    assert_eq!(receiver.step(START.plus(SECOND * 2), MODEM, true), Step::SwitchOn);
    receiver.handle_switched(START.plus(SECOND * 2), true);
    assert_eq!(receiver.step(START.plus(SECOND * 3), Some("/modem/1"), true), Step::SwitchOn);
}

#[test]
fn a_receiver_that_refuses_is_tried_again_after_a_minute() {
    let mut receiver = Receiver::default();
    assert_eq!(receiver.step(START, MODEM, true), Step::SwitchOn);
    receiver.handle_switched(START, false);
    assert_eq!(receiver.step(START.plus(AGAIN - SECOND), MODEM, true), Step::Nothing);
    assert_eq!(receiver.step(START.plus(AGAIN), MODEM, true), Step::SwitchOn);
    receiver.handle_switched(START.plus(AGAIN), true);
    let now = START.plus(AGAIN + SECOND);
    assert_eq!(receiver.step(now, MODEM, true), Step::Ask);
    // As after a reset of the modem that ModemManager did not see.
    receiver.handle_failure(now);
    assert_eq!(receiver.step(now.plus(SECOND), MODEM, true), Step::Nothing);
    assert_eq!(receiver.step(now.plus(AGAIN), MODEM, true), Step::SwitchOn);
}

#[test]
fn a_place_that_is_repeated_grows_old_and_is_forgotten() {
    let mut receiver = on();
    receiver.handle_fix(START, fix(52.5, Some("120000")));
    for second in 1..=600 {
        let now = START.plus(SECOND * second);
        receiver.handle_fix(now, fix(52.5, Some("120000")));
        assert_eq!(receiver.place(now).unwrap().1, START);
    }
    let now = START.plus(FORGET + SECOND);
    assert_eq!(receiver.place(now), None);
    // A car that stands is where it was, at another time of day.
    receiver.handle_fix(now, fix(52.5, Some("121001")));
    assert_eq!(receiver.place(now).unwrap().1, now);
}

#[test]
fn no_answer_and_nonsense_leave_the_last_place_to_its_age() {
    let mut receiver = on();
    receiver.handle_fix(START, fix(52.5, None));
    let now = START.plus(SECOND * 9);
    for nonsense in [None, fix(90.1, None), fix(f64::NAN, None), fix(f64::INFINITY, None)] {
        receiver.handle_fix(now, nonsense);
        assert_eq!(receiver.place(now).unwrap().1, START);
    }
    receiver.handle_fix(now, fix(52.5, None));
    assert_eq!(receiver.place(now).unwrap().1, now, "without a time every sentence is new");
}

#[test]
fn when_nobody_drives_any_more_the_place_is_forgotten_at_once() {
    let mut receiver = on();
    receiver.handle_fix(START, fix(52.5, None));
    receiver.step(START.plus(SECOND), MODEM, false);
    assert_eq!(receiver.place(START.plus(SECOND)), None);
}
