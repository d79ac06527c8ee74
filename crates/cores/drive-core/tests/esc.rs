//! The ESC's pulses, with models of ESCs that take them as the manuals say.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use proptest::prelude::*;
use rccar_drive_core::Motor;
use rccar_drive_core::esc::{CLICK, Esc, EscKind, EscSettings, SETTLE};
use rccar_drive_core::pulse::PulseRange;
use rccar_protocol::units::{MonotonicMicros, Throttle};
use std::time::Duration;

const NEUTRAL: u16 = 1500;
/// Of the ESC, in µs to either side.
const DEAD_BAND: u16 = 50;

fn drive(permyriad: i16) -> Motor {
    Motor::Drive(Throttle::from_permyriad(permyriad).unwrap())
}

/// What the motor does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turns {
    Forward,
    Backward,
    Brakes,
    Not,
}

/// An ESC that brakes first. It wants this much of a brake and of neutral before it reverses, and
/// may have been in use before.
struct Model {
    wants: Duration,
    braked: Duration,
    rested: Duration,
    unlocked: bool,
}

impl Model {
    fn take(&mut self, pulse: u16, passed: Duration) -> Turns {
        let pulse = if pulse.abs_diff(NEUTRAL) <= DEAD_BAND { NEUTRAL } else { pulse };
        if pulse > NEUTRAL {
            *self = Self { wants: self.wants, ..Self::locked() };
            return Turns::Forward;
        }
        if pulse == NEUTRAL {
            self.rested += passed;
            self.unlocked |=
                !self.braked.is_zero() && self.braked >= self.wants && self.rested >= self.wants;
            return Turns::Not;
        }
        if self.unlocked {
            return Turns::Backward;
        }
        if !self.rested.is_zero() {
            self.braked = Duration::ZERO;
        }
        self.rested = Duration::ZERO;
        self.braked += passed;
        Turns::Brakes
    }

    fn locked() -> Self {
        Self {
            wants: Duration::ZERO,
            braked: Duration::ZERO,
            rested: Duration::ZERO,
            unlocked: false,
        }
    }
}

/// An ESC and its model on one clock, past the time in which the ESC arms.
struct Bench {
    esc: Esc,
    model: Model,
    now: MonotonicMicros,
}

impl Bench {
    fn new(kind: EscKind, model: Model) -> Self {
        let settings = EscSettings { kind, pulses: PulseRange::default() };
        let start = MonotonicMicros(5_000_000);
        let mut bench = Self { esc: Esc::new(start, settings), model, now: start.plus(SETTLE) };
        bench.esc.handle_motor(bench.now, Motor::Neutral);
        bench
    }

    fn step(&mut self, motor: Motor, passed: Duration) -> Turns {
        self.esc.handle_motor(self.now, motor);
        self.now = self.now.plus(passed);
        self.model.take(self.esc.pulse().micros(), passed)
    }

    /// What the motor did within `time`, in steps of 5 ms as the drive takes them.
    fn run(&mut self, motor: Motor, time: Duration) -> Vec<Turns> {
        let steps = time.as_millis() / 5;
        let mut seen: Vec<_> = (0..steps).map(|_| self.step(motor, TICK)).collect();
        seen.dedup();
        seen
    }
}

const TICK: Duration = Duration::from_millis(5);
const SECOND: Duration = Duration::from_secs(1);

#[test]
fn nothing_moves_before_the_esc_is_armed() {
    let settings = EscSettings { kind: EscKind::BrakeFirst, pulses: PulseRange::default() };
    let start = MonotonicMicros(1_000);
    let mut esc = Esc::new(start, settings);
    for motor in [drive(10_000), Motor::Brake, drive(-10_000), Motor::Neutral] {
        esc.handle_motor(start.plus(SETTLE - Duration::from_millis(1)), motor);
        assert_eq!(esc.pulse().micros(), NEUTRAL, "{motor:?}");
    }
    // A driver who pushes by then is not launched.
    let settled = start.plus(SETTLE + SECOND);
    esc.handle_motor(settled, drive(10_000));
    assert_eq!(esc.pulse().micros(), NEUTRAL);
    esc.handle_motor(settled, Motor::Neutral);
    esc.handle_motor(settled, drive(10_000));
    assert_eq!(esc.pulse().micros(), 2000);
}

#[test]
fn forward_and_brake_take_effect_at_once() {
    let mut bench = Bench::new(EscKind::BrakeFirst, Model::locked());
    assert_eq!(bench.step(drive(3_000), TICK), Turns::Forward);
    bench.run(drive(3_000), CLICK);
    assert_eq!(bench.step(Motor::Brake, TICK), Turns::Brakes);
    assert_eq!(bench.run(Motor::Brake, SECOND), [Turns::Brakes]);
}

#[test]
fn reverse_is_a_brake_a_neutral_and_reverse() {
    let strict = Model { wants: CLICK - TICK, ..Model::locked() };
    let mut bench = Bench::new(EscKind::BrakeFirst, strict);
    bench.run(drive(5_000), SECOND);
    let seen = bench.run(drive(-5_000), CLICK * 3);
    assert_eq!(seen, [Turns::Brakes, Turns::Not, Turns::Backward]);
    assert_eq!(bench.esc.pulse().micros(), 1250, "as much as asked for");
    // It stays there until the car goes forward again.
    bench.run(Motor::Neutral, SECOND);
    assert_eq!(bench.run(drive(-5_000), SECOND), [Turns::Backward]);
    bench.run(drive(5_000), CLICK * 2);
    assert_eq!(bench.step(drive(-5_000), TICK), Turns::Brakes);
}

#[test]
fn a_stick_that_rests_a_little_forward_does_not_make_the_brake_a_reverse() {
    let mut bench = Bench::new(EscKind::BrakeFirst, Model::locked());
    bench.run(drive(5_000), SECOND);
    assert_eq!(bench.run(drive(-5_000), SECOND).last(), Some(&Turns::Backward));
    // Within the dead band the ESC sees neutral, and stays in reverse.
    bench.run(drive(500), SECOND);
    assert_eq!(bench.run(Motor::Brake, SECOND), [Turns::Not]);
    // A blink of full throttle, which the ESC may not have seen either.
    bench.esc.handle_motor(bench.now, drive(10_000));
    assert_eq!(bench.run(Motor::Brake, SECOND), [Turns::Not]);
}

#[test]
fn after_an_interruption_the_brake_is_neutral_until_the_car_goes_forward() {
    let mut bench = Bench::new(EscKind::BrakeFirst, Model::locked());
    bench.run(drive(5_000), SECOND);
    bench.run(Motor::Brake, CLICK);
    // Another hand writes neutral: that is a click.
    for _ in 0..20 {
        bench.model.take(NEUTRAL, TICK);
    }
    bench.esc.handle_interruption(bench.now);
    assert_eq!(bench.run(Motor::Brake, SECOND), [Turns::Not]);
}

#[test]
fn reverse_comes_after_a_start_in_whatever_state_the_esc_is() {
    for unlocked in [false, true] {
        let model = Model { wants: CLICK - TICK, unlocked, ..Model::locked() };
        let mut bench = Bench::new(EscKind::BrakeFirst, model);
        let seen = bench.run(drive(-2_000), CLICK * 3);
        assert_eq!(seen.last(), Some(&Turns::Backward), "{unlocked}: {seen:?}");
    }
}

#[test]
fn a_brake_that_was_too_short_is_made_up_for() {
    let strict = Model { wants: CLICK - TICK, ..Model::locked() };
    let mut bench = Bench::new(EscKind::BrakeFirst, strict);
    bench.run(drive(5_000), SECOND);
    bench.run(Motor::Brake, TICK * 2);
    bench.run(Motor::Neutral, SECOND);
    let seen = bench.run(drive(-5_000), CLICK * 3);
    assert_eq!(seen.last(), Some(&Turns::Backward), "{seen:?}");
}

#[test]
fn brake_on_a_direct_esc_is_neutral() {
    let mut bench = Bench::new(EscKind::Direct, Model::locked());
    bench.run(drive(10_000), SECOND);
    bench.step(Motor::Brake, TICK);
    assert_eq!(bench.esc.pulse().micros(), NEUTRAL);
    bench.step(drive(-10_000), TICK);
    assert_eq!(bench.esc.pulse().micros(), 1000);
}

fn motor() -> impl Strategy<Value = Motor> {
    prop_oneof![
        2 => (-10_000i16..=10_000).prop_map(drive),
        1 => Just(drive(0)),
        2 => Just(Motor::Brake),
        2 => Just(Motor::Neutral),
    ]
}

proptest! {
    /// The worst ESC takes the shortest brake and the shortest neutral for a click, and may have
    /// been in reverse before the drive was started.
    #[test]
    fn only_a_driver_who_asks_for_it_goes_backward(
        unlocked: bool,
        // It looks at one pulse in so many ms.
        frame in prop_oneof![Just(1u64), Just(20)],
        acts in prop::collection::vec((motor(), 1u64..300), 1..60),
    ) {
        let mut bench = Bench::new(EscKind::BrakeFirst, Model { unlocked, ..Model::locked() });
        let mut passed = 0;
        for (motor, ms) in acts {
            let asked = matches!(motor, Motor::Drive(throttle) if throttle.permyriad() < 0);
            for _ in 0..ms {
                bench.esc.handle_motor(bench.now, motor);
                bench.now = bench.now.plus(Duration::from_millis(1));
                passed += 1;
                if passed % frame != 0 {
                    continue;
                }
                let pulse = bench.esc.pulse().micros();
                let turns = bench.model.take(pulse, Duration::from_millis(frame));
                prop_assert!(asked || turns != Turns::Backward, "{motor:?}");
                let forward = matches!(motor, Motor::Drive(throttle) if throttle.permyriad() > 0);
                prop_assert!(forward || turns != Turns::Forward, "{motor:?}");
            }
        }
    }

    #[test]
    fn pulses_stay_within_the_range(
        low in 800u16..1400, high in 1600u16..=2200,
        direct: bool,
        falls: bool,
        acts in prop::collection::vec((motor(), 0u64..200), 1..60),
    ) {
        let kind = if direct { EscKind::Direct } else { EscKind::BrakeFirst };
        let pulses = if falls {
            PulseRange::new(high, NEUTRAL, low)
        } else {
            PulseRange::new(low, NEUTRAL, high)
        };
        let pulses = pulses.unwrap();
        let mut now = MonotonicMicros(0);
        let mut esc = Esc::new(now, EscSettings { kind, pulses });
        for (motor, ms) in acts {
            now = now.plus(Duration::from_millis(ms * 20));
            esc.handle_motor(now, motor);
            prop_assert!((low..=high).contains(&esc.pulse().micros()));
            if motor == Motor::Neutral {
                prop_assert_eq!(esc.pulse().micros(), NEUTRAL);
            }
        }
    }
}
