//! Packets that wait for their time.

use rtc::interceptor::TaggedPacket;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Packets may leave together if they fit into this time.
const BURST: f64 = 0.005;
/// More packets do not wait: 0.8 s of 12 Mbit/s, far beyond what admission lets through.
const MOST: usize = 1_024;
/// The stack's timer ticks in milliseconds; earlier would only be a wake-up for nothing.
const TICK: Duration = Duration::from_millis(1);

#[derive(Default)]
pub(super) struct Pacer {
    /// Sent once more: the picture waits for them.
    copies: VecDeque<(TaggedPacket, usize)>,
    first: VecDeque<(TaggedPacket, usize)>,
    bytes: usize,
    /// Bytes that may leave; below zero while the last packet still takes its time.
    budget: f64,
    filled: Option<Instant>,
}

impl Pacer {
    /// `false`: there is no room, and the packet is gone.
    pub(super) fn push(&mut self, packet: TaggedPacket, size: usize, copy: bool) -> bool {
        let queue = if copy { &mut self.copies } else { &mut self.first };
        if queue.len() >= MOST {
            return false;
        }
        queue.push_back((packet, size));
        self.bytes += size;
        true
    }

    /// The next packet and its size, if its time has come at this rate (bit/s).
    pub(super) fn pop(&mut self, now: Instant, rate: u32) -> Option<(TaggedPacket, usize)> {
        let per_second = f64::from(rate) / 8.0;
        let since = self.filled.map_or(Duration::ZERO, |last| now.saturating_duration_since(last));
        // A caller's time may be older than the last one; then nothing is gained twice.
        self.filled = Some(self.filled.map_or(now, |last| last.max(now)));
        self.budget = (self.budget + per_second * since.as_secs_f64()).min(per_second * BURST);
        if self.budget < 0.0 {
            return None;
        }
        let (packet, size) = self.copies.pop_front().or_else(|| self.first.pop_front())?;
        self.bytes -= size;
        #[expect(clippy::cast_precision_loss, reason = "the size of a packet")]
        let taken = size as f64;
        self.budget -= taken;
        Some((packet, size))
    }

    /// When the next packet may leave.
    pub(super) fn due(&self, rate: u32) -> Option<Instant> {
        if self.bytes == 0 {
            return None;
        }
        let missing = (-self.budget).max(0.0) / (f64::from(rate.max(1)) / 8.0);
        Some(self.filled? + Duration::from_secs_f64(missing.min(1.0)) + TICK)
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}
