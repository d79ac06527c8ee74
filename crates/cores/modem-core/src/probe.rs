//! Data probes: one after another, and sooner after one that failed.

use crate::timing::{PROBE_IN_SESSION, PROBE_LIMIT, PROBE_PARKED, PROBES};
use rccar_protocol::units::MonotonicMicros;

#[derive(Debug, Clone, Copy)]
pub(crate) struct Probe {
    /// While pending: when the probe is given up. Otherwise: when the next one is due.
    pub(crate) at: MonotonicMicros,
    pub(crate) pending: bool,
    /// Failed probes in a row.
    pub(crate) failed: u32,
}

impl Probe {
    pub(crate) fn new(now: MonotonicMicros) -> Self {
        Self { at: now, pending: false, failed: 0 }
    }

    pub(crate) fn is_overdue(&self, now: MonotonicMicros) -> bool {
        self.pending && self.at <= now
    }

    /// Returns whether to send a probe now. It then counts as sent.
    pub(crate) fn begin(&mut self, now: MonotonicMicros) -> bool {
        let due = !self.pending && self.at <= now;
        if due {
            (self.at, self.pending) = (now.plus(PROBE_LIMIT), true);
        }
        due
    }

    /// Notes that the probe was answered, or not. Returns whether enough have failed to call the
    /// link lost.
    pub(crate) fn end(&mut self, now: MonotonicMicros, answered: bool, in_session: bool) -> bool {
        self.failed = if answered { 0 } else { self.failed.saturating_add(1) };
        let interval = if in_session { PROBE_IN_SESSION } else { PROBE_PARKED };
        // After a failed probe the next ones follow quickly, also while parked, until the link
        // counts as lost.
        let next = if (1..PROBES).contains(&self.failed) { PROBE_IN_SESSION } else { interval };
        // The interval counts from when the probe was sent.
        let started = self.at.minus(PROBE_LIMIT);
        (self.at, self.pending) = (started.plus(next).max(now), false);
        self.failed >= PROBES
    }

    /// Makes the next probe due now.
    pub(crate) fn hurry(&mut self, now: MonotonicMicros) {
        if !self.pending {
            self.at = self.at.min(now);
        }
    }
}
