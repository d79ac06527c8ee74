//! When the PIN is sent, and when it is not.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use common::{START, due};
use rccar_modem_core::{
    Effect, Fault, Machine, ModemView, Observation, Outcome, Pin, Registration, Rung, Stage,
    Status, timing,
};
use rccar_protocol::units::MonotonicMicros;
use std::time::Duration;

struct Bench {
    machine: Machine,
    now: Duration,
}

impl Bench {
    fn new(pin: Pin) -> Self {
        Self { machine: Machine::new(START, 200, pin, &[]), now: Duration::ZERO }
    }

    fn at(&self) -> MonotonicMicros {
        START.plus(self.now)
    }

    fn see(&mut self, stage: Stage) {
        let modem = Some(ModemView::new(stage, Registration::Missing, false));
        self.machine
            .handle_observation(self.at(), Observation { expected: true, daemon: true, modem });
    }

    /// Lets the next try end so. Returns whether the PIN was sent with it.
    fn try_ends(&mut self, outcome: Outcome) -> bool {
        loop {
            match self.machine.poll_effect() {
                Some(Effect::Act { action, rung, with_pin }) => {
                    assert_eq!(rung, Rung::Reconnect);
                    self.machine.handle_done(self.at(), action, outcome);
                    return with_pin;
                }
                Some(_) => self.machine.handle_control_probe(self.at(), true),
                None => {
                    self.now = due(self.machine.poll_timeout());
                    self.machine.handle_timeout(self.at());
                }
            }
        }
    }
}

#[test]
fn a_refused_pin_is_never_sent_again_until_the_sim_was_out() {
    let mut bench = Bench::new(Pin::Configured);
    bench.see(Stage::LockedByPin(Some(3)));
    assert!(bench.try_ends(Outcome::Refused(Fault::PinWrong)));
    bench.see(Stage::LockedByPin(Some(2)));
    for _ in 0..5 {
        assert!(!bench.try_ends(Outcome::Failed));
        assert_eq!(
            (bench.machine.fault(), bench.machine.is_pin_refused()),
            (Some(Fault::PinWrong), true)
        );
    }
    bench.see(Stage::Failed(Fault::SimMissing));
    assert_eq!(
        (bench.machine.fault(), bench.machine.is_pin_refused()),
        (Some(Fault::SimMissing), false)
    );
    bench.see(Stage::LockedByPin(Some(3)));
    assert!(bench.try_ends(Outcome::Failed), "another SIM may have that PIN");
}

#[test]
fn a_pin_that_was_refused_before_the_start_is_not_sent_by_a_modem_that_does_not_tell_its_tries() {
    let mut bench = Bench::new(Pin::Refused);
    bench.see(Stage::Starting);
    bench.see(Stage::LockedByPin(None));
    assert!(!bench.try_ends(Outcome::Failed));
    assert_eq!(
        (bench.machine.fault(), bench.machine.is_pin_refused()),
        (Some(Fault::PinWrong), true)
    );
    let Status::Waiting { due_ms, .. } = bench.machine.status() else {
        panic!("{:?}", bench.machine)
    };
    assert!(Duration::from_millis(due_ms) > timing::FAULT_FIRST / 2, "a person is waited for");
    for _ in 0..5 {
        assert!(!bench.try_ends(Outcome::Failed));
    }
    bench.see(Stage::Failed(Fault::SimMissing));
    bench.see(Stage::LockedByPin(None));
    assert!(bench.try_ends(Outcome::Failed));
}

#[test]
fn a_sim_whose_lock_is_open_has_its_tries_again() {
    let mut bench = Bench::new(Pin::Refused);
    bench.see(Stage::LockedByPin(Some(2)));
    assert!(bench.machine.is_pin_refused());
    bench.see(Stage::Ready);
    assert!(!bench.machine.is_pin_refused());
    // A modem that reports `Ready` and refuses all the same: a second report of it changes nothing.
    bench.try_ends(Outcome::Refused(Fault::PinWrong));
    bench.see(Stage::Ready);
    assert!(bench.machine.is_pin_refused());
}

#[test]
fn with_one_try_left_or_without_a_pin_it_is_left_to_a_person() {
    for (pin, left) in [
        (Pin::Configured, Some(1)),
        (Pin::Configured, Some(0)),
        (Pin::Missing, Some(3)),
        (Pin::Missing, None),
    ] {
        let mut bench = Bench::new(pin);
        bench.see(Stage::LockedByPin(left));
        assert!(!bench.try_ends(Outcome::Failed), "{pin:?} {left:?}");
    }
}
