//! Lights and horn on lines of a GPIO chip.
//!
//! They follow the driver as long as the driver is there: a horn ends with the last fresh input,
//! the lights stay as they are. A line that does not work costs itself and a line in the log, and
//! nothing that moves the car waits for it: it is looked for while the car rests.

use crate::config::{Config, LineSettings};
use crate::gpio::{GpioLine, Line, Open};
use rccar_protocol::units::{MonotonicMicros, Switch as Reported, Switches as Report};
use std::io;
use std::time::Duration;

/// Between two attempts to take a line.
const AGAIN: Duration = Duration::from_secs(1);

/// Lights and horn of one car.
pub struct Switches {
    lights: Option<Switch>,
    horn: Option<Switch>,
}

struct Switch {
    name: &'static str,
    open: Open,
    line: Option<Box<dyn Line>>,
    /// What the line is at.
    on: bool,
    again_at: MonotonicMicros,
    /// The last fault that was reported.
    fault: Option<String>,
}

impl Switches {
    #[must_use]
    pub fn new(config: &Config) -> Self {
        let open = |settings: LineSettings| -> Open {
            Box::new(move || Ok(Box::new(GpioLine::open(&settings)?) as Box<dyn Line>))
        };
        let [lights, horn] =
            [&config.lights, &config.horn].map(|switch| switch.settings().map(open));
        Self::on(lights, horn)
    }

    pub(crate) fn on(lights: Option<Open>, horn: Option<Open>) -> Self {
        Self {
            lights: lights.map(|open| Switch::new("the lights", open)),
            horn: horn.map(|open| Switch::new("the horn", open)),
        }
    }

    /// Puts both where the driver wants them. `rests`: the car does, and there is time to look for
    /// a line. Returns a fault that is new.
    pub fn apply(
        &mut self,
        now: MonotonicMicros,
        [lights, horn]: [bool; 2],
        rests: bool,
    ) -> Option<String> {
        // The horn first: it is what disturbs.
        let horn = self.horn.as_mut().and_then(|switch| switch.apply(now, horn, rests));
        let lights = self.lights.as_mut().and_then(|switch| switch.apply(now, lights, rests));
        horn.or(lights)
    }

    /// For the driver. A switch whose line does not work is off.
    #[must_use]
    pub fn report(&self) -> Option<Report> {
        if self.lights.is_none() && self.horn.is_none() {
            return None;
        }
        let report = |switch: &Option<Switch>| match switch {
            None => Reported::Absent,
            Some(switch) if switch.on => Reported::On,
            Some(_) => Reported::Off,
        };
        Some(Report { lights: report(&self.lights), horn: report(&self.horn) })
    }
}

impl Switch {
    fn new(name: &'static str, open: Open) -> Self {
        let again_at = MonotonicMicros::default();
        Self { name, open, line: None, on: false, again_at, fault: None }
    }

    fn apply(&mut self, now: MonotonicMicros, on: bool, rests: bool) -> Option<String> {
        if self.line.is_none() && rests && now >= self.again_at {
            self.again_at = now.plus(AGAIN);
            match (self.open)() {
                Ok(line) => self.line = Some(line),
                Err(error) => return self.failed(&error),
            }
        }
        let line = self.line.as_mut()?;
        if on == self.on {
            return None;
        }
        match line.set(on) {
            Ok(()) => {
                (self.on, self.fault) = (on, None);
                None
            }
            Err(error) => {
                // The kernel takes a line that nobody holds back to an input.
                (self.line, self.on, self.again_at) = (None, false, now.plus(AGAIN));
                self.failed(&error)
            }
        }
    }

    fn failed(&mut self, error: &io::Error) -> Option<String> {
        let fault = format!("{}: {error}", self.name);
        let known = self.fault.replace(fault.clone());
        (known.as_ref() != Some(&fault)).then_some(fault)
    }
}

impl Drop for Switch {
    fn drop(&mut self) {
        if let Some(line) = &mut self.line {
            let _ = line.set(false);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::{Cell, RefCell};
    use std::rc::Rc;

    #[derive(Default)]
    struct Fake {
        set: RefCell<Vec<bool>>,
        opened: Cell<u32>,
        broken: Cell<bool>,
    }

    impl Line for Rc<Fake> {
        fn set(&mut self, on: bool) -> io::Result<()> {
            if self.broken.get() {
                return Err(io::ErrorKind::NotFound.into());
            }
            self.set.borrow_mut().push(on);
            Ok(())
        }
    }

    fn switch(name: &'static str) -> (Option<Switch>, Rc<Fake>) {
        let fake = Rc::<Fake>::default();
        let own = Rc::clone(&fake);
        let open = move || {
            own.opened.set(own.opened.get() + 1);
            if own.broken.get() {
                return Err(io::ErrorKind::NotFound.into());
            }
            Ok(Box::new(Rc::clone(&own)) as Box<dyn Line>)
        };
        (Some(Switch::new(name, Box::new(open))), fake)
    }

    fn at(ms: u64) -> MonotonicMicros {
        MonotonicMicros(10_000_000 + ms * 1_000)
    }

    #[test]
    fn a_change_is_written_once_and_the_end_is_off() {
        let ((lights, lamp), (horn, buzzer)) = (switch("the lights"), switch("the horn"));
        let mut switches = Switches { lights, horn };
        for (ms, wanted) in [(0, [false, false]), (5, [true, true]), (10, [true, true])] {
            assert_eq!(switches.apply(at(ms), wanted, true), None);
        }
        let (lights, horn) = (Reported::On, Reported::On);
        assert_eq!(switches.report(), Some(Report { lights, horn }));
        switches.apply(at(15), [true, false], false);
        assert_eq!((&*lamp.set.borrow(), &*buzzer.set.borrow()), (&vec![true], &vec![true, false]));
        drop(switches);
        assert_eq!(lamp.set.borrow().last(), Some(&false));
    }

    #[test]
    fn a_line_that_is_missing_is_said_once_and_looked_for_while_the_car_rests() {
        let (lights, fake) = switch("the lights");
        fake.broken.set(true);
        let mut switches = Switches { lights, horn: None };
        let faults: Vec<_> =
            (0..60).filter_map(|turn| switches.apply(at(turn * 50), [true, false], true)).collect();
        assert_eq!(faults, ["the lights: entity not found"]);
        assert_eq!(fake.opened.get(), 3, "in three seconds");
        switches.apply(at(9_000), [true, false], false);
        assert_eq!(fake.opened.get(), 3, "not while the car moves");
        let report = Report { lights: Reported::Off, horn: Reported::Absent };
        assert_eq!(switches.report(), Some(report));
        fake.broken.set(false);
        switches.apply(at(9_050), [true, false], true);
        assert_eq!(*fake.set.borrow(), [true]);
        // It breaks: that is news again.
        fake.broken.set(true);
        assert!(switches.apply(at(9_100), [false, false], true).is_some());
    }

    #[test]
    fn a_car_without_lines_says_nothing_of_them() {
        assert_eq!(Switches::new(&Config::default()).report(), None);
    }
}
