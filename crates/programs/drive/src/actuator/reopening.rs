//! Hardware that may be missing, break, and come back.

use super::{Actuator, ActuatorError};
use rccar_drive_core::Output;
use rccar_drive_core::esc::EscSettings;
use rccar_protocol::units::MonotonicMicros;
use std::io;
use std::time::Duration;

/// Between two attempts. A chip that hangs its bus costs some transfers each time, of 10 ms each.
const AGAIN: Duration = Duration::from_secs(1);

/// Between two attempts to get neutral through to hardware that has failed.
const NEUTRAL_AGAIN: Duration = Duration::from_millis(50);

/// Opens an actuator when it is first needed, and again after each fault: on the card this program
/// starts before the drivers of the bus do, and a wire that was loose may be pushed in again.
///
/// Until then neutral is tried by itself: one transfer that was lost must not leave the motor
/// running for a second.
pub(super) struct Reopening<Open, Neutral> {
    /// For the next opening.
    esc: EscSettings,
    open: Open,
    neutral: Neutral,
    actuator: Option<Box<dyn Actuator>>,
    fault: Option<Fault>,
}

/// Why there is no actuator, and what is tried when.
struct Fault {
    what: &'static str,
    why: String,
    again_at: MonotonicMicros,
    /// `None`: neutral got through.
    neutral_at: Option<MonotonicMicros>,
}

impl<Open, Neutral> Reopening<Open, Neutral>
where
    Open: FnMut(MonotonicMicros, EscSettings) -> Result<Box<dyn Actuator>, ActuatorError>,
    Neutral: FnMut() -> Result<(), ActuatorError>,
{
    pub(super) fn new(esc: EscSettings, open: Open, neutral: Neutral) -> Self {
        Self { esc, open, neutral, actuator: None, fault: None }
    }

    fn opened(&mut self, now: MonotonicMicros) -> Result<&mut Box<dyn Actuator>, ActuatorError> {
        let actuator = match self.actuator.take() {
            Some(actuator) => actuator,
            None => (self.open)(now, self.esc)?,
        };
        Ok(self.actuator.insert(actuator))
    }
}

impl<Open, Neutral> Actuator for Reopening<Open, Neutral>
where
    Open: FnMut(MonotonicMicros, EscSettings) -> Result<Box<dyn Actuator>, ActuatorError>,
    Neutral: FnMut() -> Result<(), ActuatorError>,
{
    fn apply(&mut self, now: MonotonicMicros, output: Output) -> Result<(), ActuatorError> {
        if let Some(fault) = self.fault.as_mut().filter(|fault| now < fault.again_at) {
            if fault.neutral_at.is_some_and(|due| now >= due) {
                let through = (self.neutral)().is_ok();
                fault.neutral_at = (!through).then(|| now.plus(NEUTRAL_AGAIN));
            }
            return Err(fault.error());
        }
        match self.opened(now).and_then(|actuator| actuator.apply(now, output)) {
            Ok(()) => {
                self.fault = None;
                Ok(())
            }
            Err(error) => {
                // Dropping it takes its outputs off.
                self.actuator = None;
                let ActuatorError { what, why } = &error;
                let (why, again_at) = (why.to_string(), now.plus(AGAIN));
                self.fault = Some(Fault { what, why, again_at, neutral_at: Some(now) });
                Err(error)
            }
        }
    }

    fn handle_interruption(&mut self, now: MonotonicMicros) {
        if let Some(actuator) = &mut self.actuator {
            actuator.handle_interruption(now);
        }
    }

    fn set_esc(&mut self, now: MonotonicMicros, esc: EscSettings) {
        self.esc = esc;
        if let Some(actuator) = &mut self.actuator {
            actuator.set_esc(now, esc);
        }
    }

    fn end(&mut self) {
        if let Some(actuator) = &mut self.actuator {
            actuator.end();
        }
    }
}

impl Fault {
    fn error(&self) -> ActuatorError {
        ActuatorError { what: self.what, why: io::Error::other(self.why.clone()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rccar_drive_core::Motor;
    use rccar_protocol::units::Steering;
    use std::cell::{Cell, RefCell};
    use std::rc::Rc;

    /// A device that is there or not, and counts.
    #[derive(Default)]
    struct Device {
        there: Cell<bool>,
        opened: Cell<u32>,
        open: Cell<u32>,
        applied: RefCell<Vec<Motor>>,
    }

    struct Opened(Rc<Device>);

    impl Actuator for Opened {
        fn apply(&mut self, _: MonotonicMicros, output: Output) -> Result<(), ActuatorError> {
            if !self.0.there.get() {
                return Err(gone());
            }
            self.0.applied.borrow_mut().push(output.motor);
            Ok(())
        }
    }

    impl Drop for Opened {
        fn drop(&mut self) {
            self.0.open.set(self.0.open.get() - 1);
        }
    }

    fn gone() -> ActuatorError {
        ActuatorError { what: "cannot write", why: io::ErrorKind::NotFound.into() }
    }

    #[test]
    fn what_is_missing_is_looked_for_once_a_second_and_used_when_it_comes() {
        let device = Rc::new(Device::default());
        let looked = Rc::new(Cell::new(0));
        let (own, looks) = (Rc::clone(&device), Rc::clone(&looked));
        let neutral = Rc::new(Cell::new(0));
        let (tries, reachable) = (Rc::clone(&neutral), Rc::clone(&device));
        let by_hand = move || {
            tries.set(tries.get() + 1);
            if reachable.there.get() { Ok(()) } else { Err(gone()) }
        };
        let open = move |_, _| {
            looks.set(looks.get() + 1);
            if !own.there.get() {
                return Err(gone());
            }
            own.opened.set(own.opened.get() + 1);
            own.open.set(own.open.get() + 1);
            Ok(Box::new(Opened(Rc::clone(&own))) as Box<dyn Actuator>)
        };
        let mut actuator = Reopening::new(EscSettings::default(), open, by_hand);
        let at = |ms: u64| MonotonicMicros(ms * 1_000);
        let neutral_output = Output { steering: Steering::NEUTRAL, motor: Motor::Neutral };
        // Two a turn, as the shell asks after a fault, at 20 Hz.
        for turn in 0..40 {
            for _ in 0..2 {
                let error = actuator.apply(at(turn * 50), neutral_output).unwrap_err();
                assert!(error.to_string().starts_with("cannot write: "), "{error}");
            }
        }
        assert_eq!(looked.get(), 2, "in two seconds");
        assert_eq!(neutral.get(), 40, "every 50 ms, as it does not get through");
        device.there.set(true);
        assert!(actuator.apply(at(2_000), neutral_output).is_ok());
        assert_eq!((device.opened.get(), device.open.get()), (1, 1));
        // It goes, which drops it at once, and comes back.
        device.there.set(false);
        assert!(actuator.apply(at(2_050), neutral_output).is_err());
        assert_eq!(device.open.get(), 0);
        device.there.set(true);
        let before = neutral.get();
        for turn in 0..10 {
            assert!(actuator.apply(at(2_050 + turn * 5), neutral_output).is_err());
        }
        assert_eq!(neutral.get() - before, 1, "at once, and not again when it got through");
        assert!(actuator.apply(at(2_100), neutral_output).is_err(), "not before its time");
        assert!(actuator.apply(at(3_050), neutral_output).is_ok());
        assert_eq!((device.opened.get(), device.applied.borrow().len()), (2, 2));
    }
}
