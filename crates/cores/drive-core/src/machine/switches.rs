//! Lights and horn.

use super::Machine;
use crate::event::Rejection;
use crate::timing::HOLD;

impl Machine {
    /// Whether the driver wants the lights on. They stay as they are when the driver is lost.
    #[must_use]
    pub fn lights(&self) -> bool {
        self.lights
    }

    /// Whether the horn is to sound: only as long as fresh input says so.
    #[must_use]
    pub fn horn(&self) -> bool {
        let fresh = self.now.since(self.fresh_at()) < HOLD;
        let counts = self.doubt.is_none_or(|why| why == Rejection::Overtaken);
        fresh && counts && self.last.is_some_and(|last| last.horn)
    }
}
