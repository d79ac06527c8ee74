//! The speed of a wheel from the pulses of a sensor at it: edges in, mm/s out.
//!
//! * **Between pulses the speed only falls**: when the next pulse has not come, the wheel cannot
//!   have turned as far as one. After [`STANDS_AFTER`] without a pulse it stands.
//! * A pulse that follows sooner than any car could turn its wheel is a bounce and does not count.
//! * **A line that floats is no speed.** More edges in a second than the fastest car makes are
//!   noise: the speed is unknown until [`Speedometer::restart`]. The shell lets go of the line
//!   meanwhile, so that it cannot eat the processor.
//!
//! A sensor with one line does not know the direction. A wire that is off looks like a wheel that
//! stands.

use crate::settings::SettingsError;
use rccar_protocol::units::MonotonicMicros;
use std::collections::VecDeque;
use std::time::Duration;

/// Without a pulse for so long the wheel stands. At one pulse a turn a wheel of 1/10 scale (20 cm
/// around) then makes less than 0.14 m/s.
pub const STANDS_AFTER: Duration = Duration::from_millis(1_500);
/// No faster speed is believed, in mm/s: 144 km/h, about what the fastest cars of 1/10 scale make.
pub const MOST_SPEED: u64 = 40_000;
/// The speed is the mean of this time, unless pulses are farther apart.
const WINDOW: Duration = Duration::from_millis(200);
/// Pulses that are remembered.
const MOST_PULSES: usize = 64;
/// Shortest way between two pulses, in mm: at [`MOST_SPEED`] they make 8000 interrupts a second,
/// some per cent of one processor.
const SHORTEST_WAY: u32 = 5;
/// Edges in a second beyond those of [`MOST_SPEED`] that are no noise yet.
const SPARE_EDGES: u64 = 100;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpeedSettings {
    /// Pulses in one turn of the wheel, from 1.
    pub pulses_per_turn: u16,
    /// Way of the car in one turn of the wheel, in mm: 20 to 3000.
    pub circumference_mm: u16,
}

impl SpeedSettings {
    pub fn check(&self) -> Result<(), SettingsError> {
        let wrong = |key, value: u16, rule| Err(SettingsError { key, value: value.into(), rule });
        if !(20..=3_000).contains(&self.circumference_mm) {
            let rule = "it must be from 20 to 3000";
            return wrong("speed.circumference_mm", self.circumference_mm, rule);
        }
        let most = u32::from(self.circumference_mm) / SHORTEST_WAY;
        if !(1..=most).contains(&self.pulses_per_turn.into()) {
            let rule = "it must be from 1 to one for 5 mm of speed.circumference_mm";
            return wrong("speed.pulses_per_turn", self.pulses_per_turn, rule);
        }
        Ok(())
    }

    /// The way from pulse to pulse, in µm.
    fn way(&self) -> u64 {
        u64::from(self.circumference_mm) * 1_000 / u64::from(self.pulses_per_turn.max(1))
    }

    /// Time between two pulses at [`MOST_SPEED`].
    #[must_use]
    pub fn shortest_period(&self) -> Duration {
        Duration::from_micros(self.way() * 1_000 / MOST_SPEED)
    }

    fn most_edges_per_s(&self) -> u64 {
        MOST_SPEED * 1_000 / self.way().max(1) + SPARE_EDGES
    }
}

#[derive(Debug, Clone, Copy)]
struct Pulse {
    at: MonotonicMicros,
    /// Pulses up to this one.
    count: u64,
}

/// Makes a speed from pulses.
#[derive(Debug, Clone)]
pub struct Speedometer {
    settings: SpeedSettings,
    /// The newest pulses, the oldest first.
    pulses: VecDeque<Pulse>,
    /// Number of the last edge, bounces included.
    edge: Option<u32>,
    /// Begin of the second in which edges are counted, and their number.
    second: (MonotonicMicros, u64),
    noisy: bool,
}

impl Speedometer {
    /// Begins with a wheel that stands.
    ///
    /// # Errors
    /// If a setting is out of range.
    pub fn new(settings: SpeedSettings) -> Result<Self, SettingsError> {
        settings.check()?;
        Ok(Self {
            settings,
            pulses: VecDeque::with_capacity(MOST_PULSES),
            edge: None,
            second: (MonotonicMicros::default(), 0),
            noisy: false,
        })
    }

    /// Takes an edge. `number` counts all edges of the line and wraps: those in between were lost
    /// on the way here, and count as well.
    pub fn handle_edge(&mut self, at: MonotonicMicros, number: u32) {
        let before = self.edge.replace(number);
        let edges = before.map_or(1, |before| u64::from(number.wrapping_sub(before)).max(1));
        self.count(at, edges);
        let last = self.pulses.back().copied();
        let Some(last) = last.filter(|last| at.since(last.at) < STANDS_AFTER) else {
            // After a pause the time since the last pulse says nothing.
            self.pulses.clear();
            self.pulses.push_back(Pulse { at, count: 0 });
            return;
        };
        if at.since(last.at) < self.settings.shortest_period() / 2 {
            return;
        }
        self.pulses.push_back(Pulse { at, count: last.count + edges });
        let oldest = at.minus(WINDOW);
        while self.pulses.len() > MOST_PULSES
            || (self.pulses.len() > 2 && self.pulses.front().is_some_and(|pulse| pulse.at < oldest))
        {
            self.pulses.pop_front();
        }
    }

    /// In mm/s; `None`: the line is noisy.
    #[must_use]
    pub fn speed(&self, now: MonotonicMicros) -> Option<u16> {
        if self.noisy {
            return None;
        }
        let (Some(first), Some(last)) = (self.pulses.front(), self.pulses.back()) else {
            return Some(0);
        };
        let waited = now.since(last.at);
        if waited >= STANDS_AFTER || first.count == last.count {
            return Some(0);
        }
        let speed = |pulses: u64, time: Duration| {
            let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX).max(1);
            self.settings.way().saturating_mul(pulses).saturating_mul(1_000) / micros
        };
        let measured = speed(last.count - first.count, last.at.since(first.at));
        let slowed = speed(1, waited);
        Some(u16::try_from(measured.min(slowed).min(MOST_SPEED)).unwrap_or(u16::MAX))
    }

    /// The line had too many edges, and should be left alone for a while.
    #[must_use]
    pub fn is_noisy(&self) -> bool {
        self.noisy
    }

    /// The line was opened again: what was before counts no longer.
    pub fn restart(&mut self) {
        self.pulses.clear();
        self.edge = None;
        self.second = (MonotonicMicros::default(), 0);
        self.noisy = false;
    }

    fn count(&mut self, at: MonotonicMicros, edges: u64) {
        if at.since(self.second.0) >= Duration::from_secs(1) {
            self.second = (at, 0);
        }
        self.second.1 = self.second.1.saturating_add(edges);
        self.noisy |= self.second.1 > self.settings.most_edges_per_s();
    }
}
