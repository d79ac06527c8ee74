//! Data probes: one after another, at once after one that failed.

use crate::timing::{PROBE_IN_SESSION, PROBE_LIMIT, PROBE_PARKED, PROBES};
use rccar_protocol::units::MonotonicMicros;

/// The present probe, or the next one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Probe {
    /// When the next one is due, or when the present one is given up.
    pub(crate) at: MonotonicMicros,
    pub(crate) pending: bool,
    /// Failed ones in a row.
    pub(crate) failed: u32,
}

impl Probe {
    /// Due at once.
    pub(crate) fn new(now: MonotonicMicros) -> Self {
        Self { at: now, pending: false, failed: 0 }
    }

    pub(crate) fn is_overdue(&self, now: MonotonicMicros) -> bool {
        self.pending && self.at <= now
    }

    /// Whether one is to be sent now; it counts as sent.
    pub(crate) fn begin(&mut self, now: MonotonicMicros) -> bool {
        let due = !self.pending && self.at <= now;
        if due {
            (self.at, self.pending) = (now.plus(PROBE_LIMIT), true);
        }
        due
    }

    /// Takes an answer, or that there was none; whether these are enough without one to be a loss.
    pub(crate) fn end(&mut self, now: MonotonicMicros, answered: bool, in_session: bool) -> bool {
        self.failed = if answered { 0 } else { self.failed.saturating_add(1) };
        let interval = if in_session { PROBE_IN_SESSION } else { PROBE_PARKED };
        // Once one failed the others follow quickly, whatever the car does, until it is a loss.
        let next = if (1..PROBES).contains(&self.failed) { PROBE_IN_SESSION } else { interval };
        let started = self.at.minus(PROBE_LIMIT);
        (self.at, self.pending) = (started.plus(next).max(now), false);
        self.failed >= PROBES
    }

    /// Does not wait for its time.
    pub(crate) fn hurry(&mut self, now: MonotonicMicros) {
        if !self.pending {
            self.at = self.at.min(now);
        }
    }
}
