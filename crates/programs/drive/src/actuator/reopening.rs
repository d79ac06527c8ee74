//! Hardware that may be missing, break, and come back.

use super::{Actuator, ActuatorError};
use rccar_drive_core::Output;
use rccar_protocol::units::MonotonicMicros;
use std::io;
use std::time::Duration;

/// Between two attempts. A chip that hangs its bus costs some transfers each time, of 10 ms each.
const AGAIN: Duration = Duration::from_secs(1);

/// Opens an actuator when it is first needed, and again after each fault: on the card this program
/// starts before the drivers of the bus do, and a wire that was loose may be pushed in again.
pub(super) struct Reopening<Open> {
    open: Open,
    actuator: Option<Box<dyn Actuator>>,
    fault: Option<Fault>,
}

/// Why there is no actuator, and when the next attempt is.
struct Fault {
    what: &'static str,
    why: String,
    again_at: MonotonicMicros,
}

impl<Open> Reopening<Open>
where
    Open: FnMut(MonotonicMicros) -> Result<Box<dyn Actuator>, ActuatorError>,
{
    pub(super) fn new(open: Open) -> Self {
        Self { open, actuator: None, fault: None }
    }

    fn opened(&mut self, now: MonotonicMicros) -> Result<&mut Box<dyn Actuator>, ActuatorError> {
        let actuator = match self.actuator.take() {
            Some(actuator) => actuator,
            None => match &self.fault {
                Some(fault) if now < fault.again_at => return Err(fault.error()),
                _ => (self.open)(now)?,
            },
        };
        Ok(self.actuator.insert(actuator))
    }
}

impl<Open> Actuator for Reopening<Open>
where
    Open: FnMut(MonotonicMicros) -> Result<Box<dyn Actuator>, ActuatorError>,
{
    fn apply(&mut self, now: MonotonicMicros, output: Output) -> Result<(), ActuatorError> {
        let waits = |fault: &Fault| now < fault.again_at;
        if self.actuator.is_none() && self.fault.as_ref().is_some_and(waits) {
            return self.opened(now).map(drop);
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
                let again_at = now.plus(AGAIN);
                self.fault = Some(Fault { what, why: why.to_string(), again_at });
                Err(error)
            }
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
        let mut actuator = Reopening::new(move |_| {
            looks.set(looks.get() + 1);
            if !own.there.get() {
                return Err(gone());
            }
            own.opened.set(own.opened.get() + 1);
            own.open.set(own.open.get() + 1);
            Ok(Box::new(Opened(Rc::clone(&own))) as Box<dyn Actuator>)
        });
        let at = |ms: u64| MonotonicMicros(ms * 1_000);
        let neutral = Output { steering: Steering::NEUTRAL, motor: Motor::Neutral };
        // Two a turn, as the shell asks after a fault, at 20 Hz.
        for turn in 0..40 {
            for _ in 0..2 {
                let error = actuator.apply(at(turn * 50), neutral).unwrap_err();
                assert!(error.to_string().starts_with("cannot write: "), "{error}");
            }
        }
        assert_eq!(looked.get(), 2, "in two seconds");
        device.there.set(true);
        assert!(actuator.apply(at(2_000), neutral).is_ok());
        assert_eq!((device.opened.get(), device.open.get()), (1, 1));
        // It goes, which drops it at once, and comes back.
        device.there.set(false);
        assert!(actuator.apply(at(2_050), neutral).is_err());
        assert_eq!(device.open.get(), 0);
        device.there.set(true);
        assert!(actuator.apply(at(2_100), neutral).is_err(), "not before its time");
        assert!(actuator.apply(at(3_050), neutral).is_ok());
        assert_eq!((device.opened.get(), device.applied.borrow().len()), (2, 2));
    }
}
