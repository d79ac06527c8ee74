//! While somebody drives, the car keeps a second connection to the host over the next uplink. The
//! host has challenged it, and the car has not registered with it.
//!
//! ```text
//!          somebody drives, a second uplink is there
//!   OFF ─────────────────────────────────────────────► KNOCKING ── challenged ─► WAITING
//!    ▲                                                  ▲    │                    │  │
//!    │ nobody drives: drop                              │    │ failed: 4 s later  │  └─ taken:
//!    └───────────────────── from each                   └────┴────────────────────┘     registers
//!                                                        8 s later; other uplinks:      with it
//!                                                        at once
//! ```
//!
//! A connection that waits is kept until the next one is there.
//!
//! When the uplink in use is lost, registering over this connection takes one message instead of
//! three round trips. It costs some kilobytes a minute.

use crate::uplinks::Uplink;
use rccar_protocol::units::MonotonicMicros;
use std::collections::VecDeque;
use std::time::Duration;

/// How long a connection is good. The host ends one that has not registered after 10 s.
pub const LASTS: Duration = Duration::from_secs(8);
/// The wait after a failure: an uplink that has just failed is not tried too often.
pub const AGAIN: Duration = Duration::from_secs(4);

/// To be done in the order in which they come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Connect over this uplink and no other, and wait for the host's challenge. Keep the
    /// connection as the one that stands by, in place of the one before, and call
    /// [`Standby::handle_knocked`].
    Knock {
        over: Uplink,
        /// Give up a connection that takes longer.
        within: Duration,
    },
    /// Drop the connection that stands by, if there is one.
    Drop,
}

#[derive(Debug, Default)]
pub struct Standby {
    urgent: bool,
    second: Option<Uplink>,
    knocking: Option<Uplink>,
    waiting: Option<(String, MonotonicMicros)>,
    due: MonotonicMicros,
    effects: VecDeque<Effect>,
}

impl Standby {
    /// `urgent`: somebody drives, or is about to.
    pub fn handle_urgent(&mut self, now: MonotonicMicros, urgent: bool) {
        if std::mem::replace(&mut self.urgent, urgent) == urgent {
            return;
        }
        if urgent {
            self.due = now;
        } else {
            self.drop_waiting();
        }
        self.handle_timeout(now);
    }

    /// `order`: as [`Uplinks::order`](crate::uplinks::Uplinks::order) gives it.
    pub fn handle_uplinks(&mut self, now: MonotonicMicros, order: &[Uplink]) {
        // A connection that waits is kept even if there is no second uplink now: the one that is
        // left may be just the one that it goes over.
        self.second = order.get(1).cloned();
        self.due = now;
        self.handle_timeout(now);
    }

    /// The result of [`Effect::Knock`].
    pub fn handle_knocked(&mut self, now: MonotonicMicros, answered: bool) {
        let Some(over) = self.knocking.take() else { return };
        if !self.urgent {
            self.waiting = None;
            return self.effects.push_back(Effect::Drop);
        }
        if answered {
            self.waiting = Some((over.name, now));
        }
        // The uplinks changed in the meantime: the new second one is tried at once.
        if self.due <= now && self.second.as_ref().is_none_or(|second| second.index != over.index) {
            return self.handle_timeout(now);
        }
        self.due = now.plus(if answered { LASTS } else { AGAIN });
    }

    /// True if a connection stands by that goes over this uplink and is still good; the caller then
    /// registers with it. Any other one is dropped.
    pub fn take(&mut self, now: MonotonicMicros, uplink: &str) -> bool {
        let Some((over, since)) = self.waiting.take() else { return false };
        let good = over == uplink && now.since(since) < LASTS;
        if !good {
            self.effects.push_back(Effect::Drop);
        }
        good
    }

    pub fn handle_timeout(&mut self, now: MonotonicMicros) {
        if !self.urgent || self.knocking.is_some() || now < self.due {
            return;
        }
        self.due = now.plus(LASTS);
        if let Some(over) = self.second.clone() {
            self.knocking = Some(over.clone());
            self.effects.push_back(Effect::Knock { over, within: LASTS });
        }
    }

    /// When to call [`Self::handle_timeout`] at the latest; `None` while nobody drives, or while a
    /// connection is being made.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<MonotonicMicros> {
        (self.urgent && self.knocking.is_none()).then_some(self.due)
    }

    pub fn poll_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    fn drop_waiting(&mut self) {
        if self.waiting.take().is_some() {
            self.effects.push_back(Effect::Drop);
        }
    }
}
