//! Somebody's long upload through the same bottleneck: TCP with CUBIC (RFC 9438), without ECN.

use super::link::Link;
use super::{Load, Micros, Packet, SECOND};
use std::collections::VecDeque;

const BYTES: f64 = 1_500.0;
/// RFC 9438, 4.1 and 4.6.
const C: f64 = 0.4;
const BETA: f64 = 0.7;

pub struct Upload {
    /// In packets.
    window: f64,
    flight: f64,
    /// Of the window when something was last lost, and when that was.
    cut: Option<(f64, Micros)>,
    acks: VecDeque<Micros>,
    losses: VecDeque<Micros>,
    /// No second cut before the first shows.
    deaf_until: Micros,
}

impl Default for Upload {
    fn default() -> Self {
        Self {
            window: 10.0,
            flight: 0.0,
            cut: None,
            acks: VecDeque::new(),
            losses: VecDeque::new(),
            deaf_until: 0,
        }
    }
}

impl Upload {
    /// One of its packets is there.
    pub fn handle_arrived(&mut self, now: Micros, back: Micros) {
        self.acks.push_back(now + back);
    }

    pub fn step(&mut self, now: Micros, link: &mut Link) {
        let round_trip = link.way.there + link.way.back + link.wait(now);
        while self.acks.pop_front_if(|at| *at <= now).is_some() {
            self.flight -= 1.0;
            if self.cut.is_none() {
                self.window += 1.0;
            }
        }
        while self.losses.pop_front_if(|at| *at <= now).is_some() {
            self.flight -= 1.0;
            if now >= self.deaf_until {
                self.cut = Some((self.window, now));
                self.window = (BETA * self.window).max(2.0);
                self.deaf_until = now + round_trip;
            }
        }
        if let Some((most, at)) = self.cut {
            let seconds = (now - at) as f64 / SECOND as f64;
            let back_at_most = (most * (1.0 - BETA) / C).cbrt();
            let trips = (now - at) as f64 / round_trip as f64;
            // Not slower than Reno would grow (4.3).
            let reno = BETA * most + 3.0 * (1.0 - BETA) / (1.0 + BETA) * trips;
            self.window = (C * (seconds - back_at_most).powi(3) + most).max(reno).max(2.0);
        }
        while self.flight + 1.0 <= self.window {
            self.flight += 1.0;
            let packet = Packet { car: usize::MAX, number: 0, bytes: BYTES, load: Load::Upload };
            if !link.send(now, packet) {
                // The packets behind it tell.
                self.losses.push_back(now + round_trip);
                break;
            }
        }
    }
}
