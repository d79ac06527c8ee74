//! A line that the loop toggles, for a circuit on the board's output-enable: when the toggles end,
//! because the loop or the whole computer hangs, the circuit takes the outputs off by itself
//! (docs/drive.md has its drawing).
//!
//! An edge every 5 ms, from the first turn to the last. It says that the loop turns and nothing
//! else: faults of the board are the business of its own output-enable line.

use crate::config::{LineName, LineSettings};
use crate::gpio::{GpioLine, Line, Open};
use rccar_protocol::units::MonotonicMicros;
use std::io;
use std::time::Duration;

/// Between two edges: a tick of the loop. The circuit holds for 12 ms at least.
pub(crate) const EVERY: Duration = Duration::from_millis(5);
/// Between two attempts to take the line.
const AGAIN: Duration = Duration::from_secs(1);

pub struct Heartbeat {
    open: Open,
    line: Option<Box<dyn Line>>,
    high: bool,
    due: MonotonicMicros,
    fault: Option<String>,
}

impl Heartbeat {
    #[must_use]
    pub fn new(name: &LineName) -> Self {
        let settings = LineSettings::named(name);
        Self::on(Box::new(move || Ok(Box::new(GpioLine::open(&settings)?) as Box<dyn Line>)))
    }

    pub(crate) fn on(open: Open) -> Self {
        Self { open, line: None, high: false, due: MonotonicMicros::default(), fault: None }
    }

    /// When the next edge is due.
    pub(crate) fn poll_timeout(&self) -> MonotonicMicros {
        self.due
    }

    /// The loop turns. Returns a fault that is new.
    pub(crate) fn beat(&mut self, now: MonotonicMicros) -> Option<String> {
        if now < self.due {
            return None;
        }
        match self.toggle() {
            Ok(()) => {
                (self.due, self.fault) = (now.plus(EVERY), None);
                None
            }
            Err(error) => {
                (self.line, self.due) = (None, now.plus(AGAIN));
                let fault = format!("the heartbeat line: {error}");
                let known = self.fault.replace(fault.clone());
                (known.as_ref() != Some(&fault)).then_some(fault)
            }
        }
    }

    fn toggle(&mut self) -> io::Result<()> {
        let line = match &mut self.line {
            Some(line) => line,
            None => self.line.insert((self.open)()?),
        };
        self.high = !self.high;
        line.set(self.high)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::{Cell, RefCell};
    use std::rc::Rc;

    struct Fake {
        levels: Rc<RefCell<Vec<bool>>>,
        broken: Rc<Cell<bool>>,
    }

    impl Line for Fake {
        fn set(&mut self, on: bool) -> io::Result<()> {
            if self.broken.get() {
                return Err(io::ErrorKind::NotFound.into());
            }
            self.levels.borrow_mut().push(on);
            Ok(())
        }
    }

    #[test]
    fn an_edge_comes_every_5_ms_however_often_the_loop_turns() {
        let levels = Rc::<RefCell<Vec<bool>>>::default();
        let broken = Rc::<Cell<bool>>::default();
        let (own, breaks) = (Rc::clone(&levels), Rc::clone(&broken));
        let mut heartbeat = Heartbeat::on(Box::new(move || {
            Ok(Box::new(Fake { levels: Rc::clone(&own), broken: Rc::clone(&breaks) }))
        }));
        let at = |ms: u64| MonotonicMicros(1_000_000 + ms * 1_000);
        for ms in 0..100 {
            assert_eq!(heartbeat.beat(at(ms)), None);
            assert!(heartbeat.poll_timeout() > at(ms));
        }
        assert_eq!(levels.borrow().len(), 20);
        assert!(levels.borrow().windows(2).all(|pair| pair[0] != pair[1]));
        // A line that is lost is said once, and taken again.
        broken.set(true);
        let faults = (100..3_000).filter_map(|ms| heartbeat.beat(at(ms))).count();
        assert_eq!(faults, 1);
        broken.set(false);
        heartbeat.beat(at(4_000));
        assert_eq!(levels.borrow().len(), 21);
    }
}
