//! Bytes of the last second.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

const SECOND: Duration = Duration::from_secs(1);

/// A sum over a sliding second.
#[derive(Debug, Default)]
pub(crate) struct Window {
    entries: VecDeque<(Instant, usize)>,
    bytes: usize,
}

impl Window {
    pub(crate) fn add(&mut self, now: Instant, bytes: usize) {
        self.forget(now);
        self.entries.push_back((now, bytes));
        self.bytes += bytes;
    }

    pub(crate) fn bytes(&mut self, now: Instant) -> usize {
        self.forget(now);
        self.bytes
    }

    fn forget(&mut self, now: Instant) {
        while let Some((_, bytes)) =
            self.entries.pop_front_if(|(at, _)| now.saturating_duration_since(*at) >= SECOND)
        {
            self.bytes -= bytes;
        }
    }
}
