//! A connection over the next uplink that waits in the host's anteroom while somebody drives:
//! challenged, not registered.
//!
//! ```text
//!            somebody drives, a second uplink is there: knock
//!   OFF ──────────────────────────────────────────────────────► KNOCKING ── challenged ─► WAITING ── taken: registers with it
//!    ▲                          ▲                                  │                        │
//!    │ nobody drives: drop      └── 8 s, or 4 s after a failure; other uplinks: at once ◄───┘ (what waits is kept until the next is here)
//!    └───────────────────────────── from each
//! ```
//!
//! When the uplink in use is lost, registering over it takes one message instead of three round
//! trips. It costs some kilobytes a minute.

use crate::uplinks::Uplink;
use rccar_protocol::units::MonotonicMicros;
use std::collections::VecDeque;
use std::time::Duration;

/// The host lets nobody wait for longer than 10 s.
pub const LASTS: Duration = Duration::from_secs(8);
/// The last one of these was not used, the next one is made: an uplink that just failed is not
/// asked much.
pub const AGAIN: Duration = Duration::from_secs(4);

/// What is to be done, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Connect over this uplink and no other, up to the host's challenge, and keep the connection
    /// as the one that stands by when [`Standby::handle_knocked`] is told of it.
    Knock {
        over: Uplink,
        /// A connection that takes longer is worth nothing.
        within: Duration,
    },
    /// Drop the connection that stands by, if there is one.
    Drop,
}

/// The machine.
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
    /// Somebody drives, or is about to; or nobody any more.
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

    /// The uplinks as they are worth trying.
    pub fn handle_uplinks(&mut self, now: MonotonicMicros, order: &[Uplink]) {
        // What waits is left alone until another one is here: the uplink that became the only one
        // is the one that it is for.
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
        // Other uplinks meanwhile: they are tried at once.
        if self.due <= now && self.second.as_ref().is_none_or(|second| second.index != over.index) {
            return self.handle_timeout(now);
        }
        self.due = now.plus(if answered { LASTS } else { AGAIN });
    }

    /// Takes the connection that stands by, if it is over this uplink and still good. What is not
    /// good is dropped.
    pub fn take(&mut self, now: MonotonicMicros, uplink: &str) -> bool {
        let Some((over, since)) = self.waiting.take() else { return false };
        let good = over == uplink && now.since(since) < LASTS;
        if !good {
            self.effects.push_back(Effect::Drop);
        }
        good
    }

    /// Acts on what is due.
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

    /// When to call [`Self::handle_timeout`] at the latest; `None` while nobody drives, or one is
    /// being made.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<MonotonicMicros> {
        (self.urgent && self.knocking.is_none()).then_some(self.due)
    }

    /// What is to be done next.
    pub fn poll_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    fn drop_waiting(&mut self) {
        if self.waiting.take().is_some() {
            self.effects.push_back(Effect::Drop);
        }
    }
}
