//! Two channels of the computer's own PWM: Raspberry Pi 4 and its family, and older ones.
//!
//! The hardware goes on with its last pulses when this program dies, as a PCA9685 does, and has no
//! line that takes them off: the guard writes neutral, and the service manager then runs
//! `rccar-drive neutral`.
//!
//! # Design decisions
//!
//! * The chip is found by its device (`fe20c000.pwm`), not by its number, which depends on which
//!   driver came first: a Pi 4 has a second one for its audio jack.
//! * `rppal` takes a channel's pulses off whenever it opens it, so they are let to end before that.
//!   A start, and a reopening after a fault, begin with a gap, which an ESC takes for no signal: it
//!   stops the motor. A handle that is there is kept, and dropping it leaves the pulses. The guard
//!   writes beside it.
//! * Pulses off first, then length zero, period, neutral, read back, pulses on. The kernel refuses
//!   a pulse that is longer than its period, and the channel may have been another program's. It
//!   refuses everything else while there is no period (`pwm_apply_might_sleep`), and the channel
//!   may be fresh; so only from the period on everything has to succeed.

mod sysfs;

use super::ActuatorError;
use super::pulsed::{Board, Pulsed, Pulses};
use crate::config::Config;
use rccar_drive_core::esc::EscSettings;
use rccar_drive_core::pulse::Pulse;
use rccar_protocol::units::MonotonicMicros;
use std::io;
use std::time::Duration;

pub(super) use sysfs::{NeutralByHand, open};

/// One channel, which makes no pulses when it is opened.
pub(super) trait Channel {
    fn set_on(&mut self, on: bool) -> io::Result<()>;
    fn set_period(&mut self, period: Duration) -> io::Result<()>;
    fn set_pulse(&mut self, pulse: Duration) -> io::Result<()>;
    /// Length of the pulses, and whether there are any.
    fn read(&mut self) -> io::Result<(Duration, bool)>;
}

/// Both channels.
pub(super) struct Pwm<C: Channel> {
    steering: C,
    motor: C,
    on: bool,
}

impl<C: Channel> Pwm<C> {
    /// Neutral on both channels, whatever they did before.
    pub(super) fn start(
        now: MonotonicMicros,
        [steering, motor]: [C; 2],
        config: &Config,
        esc: EscSettings,
    ) -> Result<Pulsed<Self>, ActuatorError> {
        let mut board = Self { steering, motor, on: false };
        let period = Duration::from_secs(1) / u32::from(config.pwm.frequency.0);
        board.prepare(period).map_err(failed("cannot prepare the PWM"))?;
        Pulsed::start(now, board, config.servo.0, esc)
    }

    fn prepare(&mut self, period: Duration) -> io::Result<()> {
        // The motor first: it is what runs away.
        for channel in [&mut self.motor, &mut self.steering] {
            let _ = channel.set_on(false);
            let _ = channel.set_pulse(Duration::ZERO);
            channel.set_period(period)?;
            channel.set_on(false)?;
        }
        Ok(())
    }
}

impl<C: Channel> Board for Pwm<C> {
    fn put(&mut self, pulses: Pulses, before: Option<Pulses>) -> Result<(), ActuatorError> {
        let put = |channel: &mut C, pulse: Pulse, before: Option<Pulse>| {
            if before == Some(pulse) { Ok(()) } else { channel.set_pulse(length(pulse)) }
        };
        let motor = put(&mut self.motor, pulses.motor, before.map(|before| before.motor));
        let steering =
            put(&mut self.steering, pulses.steering, before.map(|before| before.steering));
        motor.and(steering).map_err(failed("cannot write to the PWM"))
    }

    fn read_back(&mut self, pulses: Pulses) -> Result<(), ActuatorError> {
        let on = self.on;
        let holds = |channel: &mut C, pulse: Pulse| -> io::Result<()> {
            let found = channel.read()?;
            let differs = || {
                let (pulse, on) = found;
                io::Error::other(format!("pulses of {pulse:?}, {}", if on { "on" } else { "off" }))
            };
            (found == (length(pulse), on)).then_some(()).ok_or_else(differs)
        };
        holds(&mut self.motor, pulses.motor)
            .and_then(|()| holds(&mut self.steering, pulses.steering))
            .map_err(failed("the PWM does not hold what was written"))
    }

    fn set_on(&mut self, on: bool) -> Result<(), ActuatorError> {
        self.on = on;
        let (motor, steering) = (self.motor.set_on(on), self.steering.set_on(on));
        motor.and(steering).map_err(failed("cannot switch the PWM"))
    }
}

fn length(pulse: Pulse) -> Duration {
    Duration::from_micros(pulse.micros().into())
}

fn failed(what: &'static str) -> impl Fn(io::Error) -> ActuatorError {
    move |why| ActuatorError { what, why }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actuator::Actuator;
    use rccar_drive_core::{Motor, Output};
    use rccar_protocol::units::{Steering, Throttle};
    use std::cell::RefCell;
    use std::rc::Rc;

    /// A channel as the kernel has it (`drivers/pwm/core.c`): it refuses a pulse that is longer
    /// than its period, and everything while there is no period.
    struct Model {
        period: Duration,
        pulse: Duration,
        on: bool,
        fault: Option<io::ErrorKind>,
        /// Whatever comes out, as it changes; `None`: nothing.
        seen: Vec<Option<Duration>>,
        writes: usize,
    }

    impl Model {
        /// As another program has left it: with pulses of 5 ms, 100 a second.
        fn used() -> Rc<RefCell<Self>> {
            let pulse = Duration::from_millis(5);
            Rc::new(RefCell::new(Self {
                period: Duration::from_millis(10),
                pulse,
                on: true,
                fault: None,
                seen: vec![Some(pulse)],
                writes: 0,
            }))
        }

        /// As after the start of the computer.
        fn fresh() -> Rc<RefCell<Self>> {
            let fresh = Self::used();
            {
                let mut model = fresh.borrow_mut();
                (model.period, model.pulse) = (Duration::ZERO, Duration::ZERO);
                (model.on, model.seen) = (false, vec![None]);
            }
            fresh
        }

        fn write(&mut self, change: impl FnOnce(&mut Self)) -> io::Result<()> {
            self.writes += 1;
            if let Some(kind) = self.fault {
                return Err(kind.into());
            }
            let before = (self.period, self.pulse, self.on);
            change(self);
            if self.pulse > self.period || self.period.is_zero() {
                (self.period, self.pulse, self.on) = before;
                return Err(io::ErrorKind::InvalidInput.into());
            }
            let now = self.on.then_some(self.pulse);
            if self.seen.last() != Some(&now) {
                self.seen.push(now);
            }
            Ok(())
        }
    }

    impl Channel for Rc<RefCell<Model>> {
        fn set_on(&mut self, on: bool) -> io::Result<()> {
            self.borrow_mut().write(|model| model.on = on)
        }
        fn set_period(&mut self, period: Duration) -> io::Result<()> {
            self.borrow_mut().write(|model| model.period = period)
        }
        fn set_pulse(&mut self, pulse: Duration) -> io::Result<()> {
            self.borrow_mut().write(|model| model.pulse = pulse)
        }
        fn read(&mut self) -> io::Result<(Duration, bool)> {
            let model = self.borrow();
            model.fault.map_or(Ok((model.pulse, model.on)), |kind| Err(kind.into()))
        }
    }

    type Models = [Rc<RefCell<Model>>; 2];

    fn start() -> (Models, Pulsed<Pwm<Rc<RefCell<Model>>>>) {
        start_with([Model::used(), Model::used()])
    }

    fn start_with(models: Models) -> (Models, Pulsed<Pwm<Rc<RefCell<Model>>>>) {
        let config = Config::default();
        let started = Pwm::start(at(0), models.clone(), &config, config.esc()).unwrap();
        (models, started)
    }

    fn at(ms: u64) -> MonotonicMicros {
        MonotonicMicros(1_000_000 + ms * 1_000)
    }

    fn output(steering: i16, motor: Motor) -> Output {
        Output { steering: Steering::from_permyriad(steering).unwrap(), motor }
    }

    fn last(model: &Rc<RefCell<Model>>) -> Option<Duration> {
        *model.borrow().seen.last().unwrap()
    }

    fn micros(micros: u64) -> Option<Duration> {
        Some(Duration::from_micros(micros))
    }

    #[test]
    fn the_first_pulse_is_neutral_whatever_the_channels_did_before() {
        let (models, mut actuator) = start_with([Model::fresh(), Model::used()]);
        for model in &models {
            let model = model.borrow();
            assert_eq!(model.seen[model.seen.len() - 2..], [None, micros(1_500)]);
            assert!(model.seen.len() <= 3, "{:?}", model.seen);
            assert_eq!(model.period, Duration::from_millis(20));
        }
        actuator.apply(at(3_500), output(0, Motor::Neutral)).unwrap();
        actuator.apply(at(3_505), output(-10_000, Motor::Drive(Throttle::MAX))).unwrap();
        assert_eq!(models.each_ref().map(last), [micros(1_000), micros(2_000)]);
    }

    #[test]
    fn what_does_not_change_is_not_written() {
        let (models, mut actuator) = start();
        let before = models.each_ref().map(|model| model.borrow().writes);
        for ms in 0..190 {
            actuator.apply(at(ms * 5), output(0, Motor::Neutral)).unwrap();
        }
        assert_eq!(models.each_ref().map(|model| model.borrow().writes), before);
    }

    #[test]
    fn a_channel_that_somebody_else_took_is_a_fault_within_a_second() {
        for spoil in [
            |model: &mut Model| model.on = false,
            |model: &mut Model| model.pulse = Duration::from_millis(1),
        ] {
            let (models, mut actuator) = start();
            spoil(&mut models[1].borrow_mut());
            let fault = (0..=1_000)
                .step_by(50)
                .find_map(|ms| actuator.apply(at(ms), output(0, Motor::Neutral)).err());
            let fault = fault.unwrap().to_string();
            assert!(fault.starts_with("the PWM does not hold what was written"), "{fault}");
        }
    }

    #[test]
    fn a_fault_of_one_channel_does_not_keep_neutral_from_the_motor() {
        let (models, mut actuator) = start();
        actuator.apply(at(3_500), output(0, Motor::Neutral)).unwrap();
        actuator.apply(at(3_505), output(0, Motor::Drive(Throttle::MAX))).unwrap();
        models[0].borrow_mut().fault = Some(io::ErrorKind::NotFound);
        let fault = actuator.apply(at(3_510), output(500, Motor::Neutral)).unwrap_err();
        assert!(fault.to_string().starts_with("cannot write to the PWM"), "{fault}");
        assert_eq!(last(&models[1]), micros(1_500));
        drop(actuator);
        assert_eq!(last(&models[1]), None);
    }

    #[test]
    fn the_end_is_neutral_for_a_while_and_then_nothing() {
        let (models, mut actuator) = start();
        actuator.apply(at(3_500), output(0, Motor::Neutral)).unwrap();
        actuator.apply(at(3_505), output(5_000, Motor::Drive(Throttle::MAX))).unwrap();
        actuator.apply(at(3_510), output(0, Motor::Neutral)).unwrap();
        let begun = std::time::Instant::now();
        actuator.end();
        drop(actuator);
        assert!(begun.elapsed() >= crate::actuator::pulsed::LAST_NEUTRAL);
        for model in &models {
            let seen = &model.borrow().seen;
            assert_eq!(seen[seen.len() - 2..], [micros(1_500), None]);
        }
    }
}
