//! Counters of one direction of a link.

use std::fmt;
use std::time::Duration;

/// Waits from this on are counted together, in milliseconds.
const BUCKETS: usize = 2_000;

/// Counts of packets, and how long they waited for their turn.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Counters {
    /// Packets that entered.
    pub taken: u64,
    /// Bytes in them, IP headers included.
    pub taken_bytes: u64,
    /// Packets that came out at the other end.
    pub delivered: u64,
    /// Bytes in them, IP headers included.
    pub delivered_bytes: u64,
    /// Packets lost on the way, or by a cut.
    pub lost: u64,
    /// Packets that found the queue full.
    pub tail_dropped: u64,
    /// Packets that the device at the other end did not take.
    pub refused: u64,
    /// Longest time by which a packet was delivered late: the emulator's own fault.
    pub latest: Duration,
    /// Number of packets that waited for each count of milliseconds.
    waits_ms: Vec<u64>,
}

impl Counters {
    pub(crate) fn note_wait(&mut self, wait: Duration) {
        let bucket = usize::try_from(wait.as_millis()).unwrap_or(BUCKETS).min(BUCKETS);
        if self.waits_ms.len() <= bucket {
            self.waits_ms.resize(bucket + 1, 0);
        }
        self.waits_ms[bucket] += 1;
    }

    /// The time for which so many percent of the packets waited at most, in whole milliseconds and
    /// up to 2 s.
    #[must_use]
    pub fn wait_percentile(&self, percent: u64) -> Duration {
        let all: u64 = self.waits_ms.iter().sum();
        let mut rest = (all * percent).div_ceil(100);
        for (ms, count) in (0..).zip(&self.waits_ms) {
            if *count >= rest {
                return Duration::from_millis(ms);
            }
            rest -= count;
        }
        Duration::ZERO
    }
}

impl fmt::Display for Counters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} packets in ({} kB), {} out ({} kB), {} lost, {} tail-dropped, {} refused; \
             queue p50 {:?} p95 {:?}; late by {:?} at most",
            self.taken,
            self.taken_bytes / 1000,
            self.delivered,
            self.delivered_bytes / 1000,
            self.lost,
            self.tail_dropped,
            self.refused,
            self.wait_percentile(50),
            self.wait_percentile(95),
            self.latest,
        )
    }
}
