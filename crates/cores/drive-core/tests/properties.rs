//! Promises that hold after any sequence of inputs, forged ones included.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::{Bench, throttle_of};
use proptest::prelude::*;
use rccar_drive_core::timing::{ARM_NEUTRAL, HOLD, NEUTRAL_BY};
use rccar_drive_core::{
    Allowance, Machine, Motor, Output, PictureSettings, Settings, SteeringSettings,
    ThrottleSettings,
};
use rccar_protocol::setpoint::SetPoint;
use rccar_protocol::state::{DriveState, StopReason};
use rccar_protocol::units::{MonotonicMicros, Steering, Throttle};
use std::time::Duration;

/// What a driver, a broken sender or an attacker does.
#[derive(Debug, Clone)]
enum Act {
    Arm,
    Drive {
        frames: u64,
        arm: bool,
        steering: i16,
        throttle: i16,
    },
    Silence {
        micros: u64,
    },
    Forge {
        after_us: u64,
        set_point: SetPoint,
        seq_ahead: u32,
        sample: i64,
    },
    Fault,
    Battery(Allowance),
    /// Somebody calibrates the car in this session, or ends that.
    Calibrate(Option<u64>),
    /// The process is not scheduled for this time.
    Stall {
        micros: u64,
    },
}

fn act() -> impl Strategy<Value = Act> {
    let wait = prop_oneof![0u64..30_000, 30_000u64..400_000];
    prop_oneof![
        3 => Just(Act::Arm),
        4 => (1u64..20, prop::bool::weighted(0.8), ratio(), ratio())
            .prop_map(|(frames, arm, steering, throttle)| {
                Act::Drive { frames, arm, steering, throttle }
            }),
        2 => wait.clone().prop_map(|micros| Act::Silence { micros }),
        4 => (wait.clone(), set_point(), seq_ahead(), sample())
            .prop_map(|(after_us, set_point, seq_ahead, sample)| {
                Act::Forge { after_us, set_point, seq_ahead, sample }
            }),
        1 => Just(Act::Fault),
        1 => allowance().prop_map(Act::Battery),
        1 => prop::option::weighted(0.8, 0u64..3).prop_map(Act::Calibrate),
        1 => wait.prop_map(|micros| Act::Stall { micros }),
    ]
}

fn allowance() -> impl Strategy<Value = Allowance> {
    prop_oneof![
        2 => Just(Allowance::Full),
        2 => (0u16..=10_000).prop_map(Allowance::Share),
        1 => Just(Allowance::Nothing),
    ]
}

fn ratio() -> impl Strategy<Value = i16> {
    prop_oneof![Just(0), Just(10_000), Just(-10_000), -10_000i16..=10_000]
}

fn seq_ahead() -> impl Strategy<Value = u32> {
    prop_oneof![4 => Just(1u32), 1 => Just(0), 1 => any::<u32>()]
}

/// The moment of the sample, in µs from now.
fn sample() -> impl Strategy<Value = i64> {
    prop_oneof![
        3 => -80_000i64..=0,
        1 => Just(-80_000),
        1 => 0i64..=5_000,
        1 => -200_000i64..200_000,
        1 => any::<i64>(),
    ]
}

fn set_point() -> impl Strategy<Value = SetPoint> {
    let reason =
        prop_oneof![4 => Just(StopReason::None), 1 => prop::sample::select(StopReason::ALL)];
    // Made relative to the moment of sending by `play`.
    let picture = prop::option::weighted(0.5, picture_age());
    let flags = (any::<bool>(), prop::bool::weighted(0.2), any::<bool>());
    (reason, flags, 0u64..3, ratio(), ratio(), picture).prop_map(
        |(not_input, (arm, brake, jog), session, steering, throttle, picture)| SetPoint {
            picture_at: picture.map(MonotonicMicros),
            not_input,
            arm,
            brake,
            jog,
            session,
            steering: Steering::from_permyriad(steering).unwrap(),
            throttle: Throttle::from_permyriad(throttle).unwrap(),
            ..SetPoint::default()
        },
    )
}

/// In µs.
fn picture_age() -> impl Strategy<Value = u64> {
    prop_oneof![4 => 0u64..200_000, 2 => 140_000u64..520_000, 1 => any::<u64>()]
}

fn settings() -> impl Strategy<Value = Settings> {
    let rate = prop_oneof![Just(0u32), 1_000u32..200_000];
    let end = 1u16..=10_000;
    (
        end.clone(),
        end,
        -1.0f64..=1.0,
        rate.clone(),
        any::<bool>(),
        0u16..=10_000,
        0u16..=10_000,
        0u16..=5_000,
        rate,
    )
        .prop_map(
            |(
                left,
                right,
                trim,
                steer_slew,
                reversed,
                max_forward,
                max_reverse,
                dead_band,
                throttle_slew,
            )| {
                #[expect(clippy::cast_possible_truncation, reason = "a share of an end point")]
                let trim = (trim * f64::from(if trim < 0.0 { left } else { right })) as i16;
                Settings {
                    steering: SteeringSettings {
                        trim,
                        left,
                        right,
                        slew_per_s: steer_slew,
                        reversed,
                    },
                    throttle: ThrottleSettings {
                        max_forward,
                        max_reverse,
                        dead_band,
                        slew_per_s: throttle_slew,
                    },
                    picture: PictureSettings::default(),
                }
            },
        )
}

/// Knows nothing of the inside of the machine. It follows what was sent and what came out.
struct Witness {
    settings: Settings,
    /// The newest sample of any acceptable input.
    fresh_at: MonotonicMicros,
    session: u64,
    /// Number of the newest input, and the moment of its sample. Input that is not newer may count
    /// or not: both are allowed.
    seq: Option<u32>,
    numbered_at: MonotonicMicros,
    released: bool,
    neutral_since: Option<MonotonicMicros>,
    moved: bool,
    battery: Allowance,
    /// The newest picture that any set-point of this session named.
    picture_at: Option<MonotonicMicros>,
    /// Of all set-points of this session.
    numbers: Vec<u32>,
    calibrating: Option<u64>,
    before: (MonotonicMicros, Output),
}

impl Witness {
    fn new(settings: Settings, now: MonotonicMicros, output: Output) -> Self {
        let nothing = MonotonicMicros(0);
        Self {
            settings,
            fresh_at: nothing,
            session: 0,
            seq: None,
            numbered_at: nothing,
            released: false,
            neutral_since: None,
            moved: false,
            battery: Allowance::Full,
            picture_at: None,
            numbers: Vec::new(),
            calibrating: None,
            before: (now, output),
        }
    }

    fn sent(&mut self, now: MonotonicMicros, set_point: &SetPoint) {
        if set_point.session != self.session {
            (self.session, self.seq, self.released, self.neutral_since) =
                (set_point.session, None, false, None);
            self.moved = false;
            self.picture_at = None;
            self.numbers.clear();
        }
        let is_newer = |seq: u32| set_point.seq != seq && set_point.seq.wrapping_sub(seq) < 1 << 31;
        // One that is not newer than all others may count or not. If it was the first to name a
        // picture, the car may go on without a limit.
        if self.picture_at.is_some() || self.numbers.iter().all(|seq| is_newer(*seq)) {
            self.picture_at = self.picture_at.max(set_point.picture_at.map(|at| at.min(now)));
        }
        self.numbers.push(set_point.seq);
        let age = now.since(set_point.sampled_at);
        let ahead = set_point.sampled_at.since(now);
        let counts = set_point.session != 0 && set_point.not_input == StopReason::None;
        if !counts || age > HOLD || ahead > Duration::from_millis(5) {
            return;
        }
        if now.since(self.fresh_at) > HOLD {
            self.neutral_since = None;
        }
        self.fresh_at = self.fresh_at.max(set_point.sampled_at.min(now));
        self.released |= !set_point.arm && self.battery != Allowance::Nothing;
        let dead_band = i16::try_from(self.settings.throttle.dead_band).unwrap();
        if !self.moved && now.since(self.numbered_at) > HOLD {
            self.seq = None;
        }
        let newer = self.seq.is_none_or(is_newer);
        if newer {
            (self.seq, self.numbered_at) = (Some(set_point.seq), set_point.sampled_at.min(now));
        }
        if set_point.arm && set_point.throttle.is_neutral(dead_band) {
            self.neutral_since.get_or_insert(now);
        } else if newer {
            self.neutral_since = None;
        }
    }

    /// Checks the outputs while time passes.
    fn look(&self, machine: &Machine, now: MonotonicMicros) {
        let (state, output) = (machine.state(), machine.output());
        let age = now.since(self.fresh_at);
        // The outputs stay until the machine is called at the very moment that it named.
        let a_moment_ago = now.minus(Duration::from_micros(1));
        assert!(
            !matches!(output.motor, Motor::Drive(_)) || age <= HOLD,
            "drives {age:?} after the last input"
        );
        assert!(
            output.motor == Motor::Neutral || age < NEUTRAL_BY,
            "{:?} {age:?} after the last input",
            output.motor
        );
        assert!(
            !matches!(output.motor, Motor::Drive(_)) || self.picture_share(a_moment_ago).is_some(),
            "drives by a picture of {:?}",
            self.picture_at.map(|at| now.since(at))
        );
        assert!(
            state.may_move() || !matches!(output.motor, Motor::Drive(_)),
            "drives while {state:?}"
        );
        assert!(
            !state.may_move() || self.battery != Allowance::Nothing,
            "{state:?} with an empty battery"
        );
    }

    fn picture_share(&self, now: MonotonicMicros) -> Option<u16> {
        self.picture_at.map_or(Some(10_000), |at| self.settings.picture.share(now.since(at)))
    }

    /// Checks decisions and the step of the outputs after a call of the machine.
    fn look_at_step(&mut self, machine: &Machine, now: MonotonicMicros) {
        self.look(machine, now);
        let (state, output) = (machine.state(), machine.output());
        if state == DriveState::Jogging {
            assert!(!self.moved, "an armed car jogs");
            assert_eq!(self.calibrating, Some(self.session), "jogs for somebody else");
        } else if state.may_move() && !self.moved {
            assert!(self.released, "armed without a release");
            let rested = self.neutral_since.map(|since| now.since(since));
            assert!(
                rested.is_some_and(|rested| rested >= ARM_NEUTRAL),
                "armed after {rested:?} at neutral"
            );
        }
        if state == DriveState::Tripped {
            (self.seq, self.released, self.neutral_since) = (None, false, None);
        }
        self.moved = state.may_move() && state != DriveState::Jogging;

        let SteeringSettings { left, right, reversed, slew_per_s, .. } = self.settings.steering;
        let (low, high) = if reversed { (right, left) } else { (left, right) };
        let steering = i32::from(output.steering.permyriad());
        assert!((-i32::from(low)..=i32::from(high)).contains(&steering), "steering at {steering}");
        let throttle = i32::from(throttle_of(machine));
        let ThrottleSettings { max_forward, max_reverse, .. } = self.settings.throttle;
        let by_battery = match self.battery {
            Allowance::Full => 10_000,
            Allowance::Share(share) => share,
            Allowance::Nothing => 0,
        };
        let share = self.picture_share(now).unwrap_or(0).min(by_battery);
        let allowed = |most: u16| i32::from(most) * i32::from(share) / 10_000;
        assert!(
            (-allowed(max_reverse)..=allowed(max_forward)).contains(&throttle),
            "throttle at {throttle}"
        );

        let (before, was) = self.before;
        let was_throttle = if let Motor::Drive(throttle) = was.motor {
            i32::from(throttle.permyriad())
        } else {
            0
        };
        assert!(throttle * was_throttle >= 0, "throttle jumps from {was_throttle} to {throttle}");
        let passed = now.since(before);
        let rise = throttle.abs() - was_throttle.abs();
        assert!(
            rise <= most(self.settings.throttle.slew_per_s, passed),
            "throttle rises by {rise} in {passed:?}"
        );
        let turned = (steering - i32::from(was.steering.permyriad())).abs();
        assert!(
            output.motor == Motor::Neutral || turned <= most(slew_per_s, passed),
            "steering turns by {turned} in {passed:?}"
        );
        self.before = (now, output);
    }
}

/// Largest change that a rate allows, with one unit for rounding. Rate zero allows any change.
fn most(per_s: u32, passed: Duration) -> i32 {
    if per_s == 0 {
        return i32::MAX;
    }
    i32::try_from(u128::from(per_s) * passed.as_micros() / 1_000_000 + 1).unwrap_or(i32::MAX)
}

fn play(settings: Settings, acts: &[Act]) -> Bench {
    let mut bench = Bench::new(settings);
    let mut witness = Witness::new(settings, bench.now, bench.machine.output());
    let mut frames = Vec::new();
    for act in acts {
        frames.clear();
        match *act {
            Act::Arm => {
                frames.push((3, false, 0, 0));
                frames.push((17, true, 0, 0));
            }
            Act::Drive { frames: count, arm, steering, throttle } => {
                frames.push((count, arm, steering, throttle))
            }
            Act::Silence { micros } => pass(&mut bench, &mut witness, micros),
            Act::Forge { after_us, mut set_point, seq_ahead, sample } => {
                pass(&mut bench, &mut witness, after_us);
                set_point.seq = bench.seq.wrapping_add(seq_ahead);
                set_point.picture_at = set_point
                    .picture_at
                    .map(|age| MonotonicMicros(bench.now.0.wrapping_sub(age.0)));
                set_point.sampled_at = MonotonicMicros(bench.now.0.saturating_add_signed(sample));
                send(&mut bench, &mut witness, &set_point);
            }
            Act::Fault => {
                bench.machine.handle_fault(bench.now);
                assert_eq!(bench.machine.output().motor, Motor::Neutral);
                witness.look_at_step(&bench.machine, bench.now);
            }
            Act::Battery(allows) => {
                bench.machine.handle_timeout(bench.now);
                witness.look_at_step(&bench.machine, bench.now);
                bench.machine.handle_battery(bench.now, allows);
                witness.battery = allows;
                if allows == Allowance::Nothing {
                    (witness.released, witness.neutral_since) = (false, None);
                }
                witness.look_at_step(&bench.machine, bench.now);
            }
            Act::Calibrate(session) => {
                bench.machine.handle_timeout(bench.now);
                witness.look_at_step(&bench.machine, bench.now);
                bench.machine.handle_calibration(bench.now, session);
                witness.calibrating = session;
                witness.look_at_step(&bench.machine, bench.now);
            }
            Act::Stall { micros } => {
                bench.now = bench.now.plus(Duration::from_micros(micros));
                bench.machine.handle_timeout(bench.now);
                witness.look_at_step(&bench.machine, bench.now);
            }
        }
        for &(count, arm, steering, throttle) in &frames {
            for _ in 0..count {
                pass(&mut bench, &mut witness, 20_000);
                let frame = bench.frame(arm, steering, throttle);
                send(&mut bench, &mut witness, &frame);
            }
        }
    }
    bench
}

fn send(bench: &mut Bench, witness: &mut Witness, set_point: &SetPoint) {
    // First the changes that the clock alone brings, then those of the set-point.
    bench.machine.handle_timeout(bench.now);
    witness.look_at_step(&bench.machine, bench.now);
    witness.sent(bench.now, set_point);
    bench.send(set_point);
    witness.look_at_step(&bench.machine, bench.now);
}

/// Lets time pass, and calls the machine when it asks for it.
fn pass(bench: &mut Bench, witness: &mut Witness, micros: u64) {
    let until = bench.now.plus(Duration::from_micros(micros));
    while let Some(at) = bench.machine.poll_timeout().filter(|&at| at <= until) {
        // The outputs stay until the very moment of the call.
        witness.look(&bench.machine, at);
        bench.wait_until(at);
        witness.look_at_step(&bench.machine, at);
    }
    bench.wait_until(until);
    witness.look(&bench.machine, until);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn no_sequence_breaks_a_promise(
        settings in settings(),
        acts in prop::collection::vec(act(), 1..40),
    ) {
        play(settings, &acts);
    }

    #[test]
    fn without_input_every_drive_comes_to_rest_and_asks_for_nothing_more(
        acts in prop::collection::vec(act(), 1..20),
    ) {
        let mut bench = play(Settings::default(), &acts);
        let mut calls = 0;
        while let Some(at) = bench.machine.poll_timeout() {
            bench.wait_until(at);
            calls += 1;
            // 250 ms at 200 Hz, and the deadlines.
            prop_assert!(calls < 60, "still asks for {at:?}");
        }
        prop_assert!(bench.machine.is_at_rest());
        prop_assert_eq!(bench.machine.output().motor, Motor::Neutral);
    }

    #[test]
    fn nothing_arms_after_shutdown(
        before in prop::collection::vec(act(), 1..10),
        after in prop::collection::vec(act(), 1..10),
    ) {
        let mut bench = play(Settings::default(), &before);
        bench.machine.handle_shutdown(bench.now);
        bench.wait(200);
        prop_assert!(bench.machine.is_at_rest());
        for act in after {
            if let Act::Drive { frames, arm, steering, throttle } = act {
                bench.drive(frames * 20, arm, steering, throttle);
            } else {
                bench.arm();
            }
            prop_assert_eq!(bench.machine.output(), Output::default());
        }
    }

    #[test]
    fn a_driver_at_50_hz_is_never_stopped(
        jitter in prop::collection::vec((0u64..20_000, 0u64..40_000), 1..100),
    ) {
        let mut bench = Bench::new(Settings::default());
        bench.arm();
        for (late, age) in jitter {
            bench.wait_until(bench.now.plus(Duration::from_micros(20_000 + late)));
            let sampled_at = bench.now.minus(Duration::from_micros(age));
            let frame = SetPoint { sampled_at, ..bench.frame(true, 1_000, 5_000) };
            bench.send(&frame);
            prop_assert_eq!(bench.machine.state(), DriveState::Armed);
        }
    }
}
