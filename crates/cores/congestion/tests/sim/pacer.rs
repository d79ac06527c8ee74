//! Packets leave in bursts of 5 ms, copies first.

use super::{Load, Micros};
use std::collections::VecDeque;

const BURST: f64 = 0.005;

/// A packet that waits for its time.
#[derive(Debug, Clone, Copy)]
pub struct Waiting {
    pub bytes: f64,
    pub load: Load,
}

#[derive(Default)]
pub struct Pacer {
    copies: VecDeque<Waiting>,
    media: VecDeque<Waiting>,
    bytes: f64,
    next: Micros,
}

impl Pacer {
    pub fn push(&mut self, packet: Waiting) {
        self.bytes += packet.bytes;
        match packet.load {
            Load::Media { copy: true, .. } => self.copies.push_back(packet),
            _ => self.media.push_back(packet),
        }
    }

    pub fn has_copy_of(&self, wanted: u64) -> bool {
        self.copies
            .iter()
            .any(|packet| matches!(packet.load, Load::Media { seq, .. } if seq == wanted))
    }

    /// Bytes that wait.
    pub fn waiting(&self) -> f64 {
        self.bytes
    }

    /// What leaves now, at `pacing` bit/s.
    pub fn poll(&mut self, now: Micros, pacing: f64) -> Vec<Waiting> {
        let mut burst = Vec::new();
        if now < self.next {
            return burst;
        }
        let (mut left, mut sent) = (pacing * BURST / 8.0, 0.0);
        while left > 0.0 {
            let Some(packet) = self.copies.pop_front().or_else(|| self.media.pop_front()) else {
                break;
            };
            left -= packet.bytes;
            sent += packet.bytes;
            burst.push(packet);
        }
        self.bytes -= sent;
        self.next = now + (sent * 8e6 / pacing) as Micros;
        burst
    }
}
