//! What was seen of one car's picture.

use super::browser::Paint;
use super::{MILLI, Micros, SECOND};
use std::collections::VecDeque;
use std::fmt;

/// The age is looked at this often, and everything else summed up.
pub const SAMPLE: Micros = 5 * MILLI;
const SLOT: Micros = 100 * MILLI;
/// A picture that stands for longer is frozen.
const FROZEN: Micros = 300 * MILLI;
/// The controller starts below the link; ages count from then on.
const SETTLED: Micros = SECOND;
/// A SIM card is not to be burnt: what is sent is compared with the target over this time.
const AIR: usize = 50;

/// Sums over 100 ms.
#[derive(Debug, Clone, Copy, Default)]
pub struct Slot {
    /// Bytes that the browser did not have yet.
    pub useful: f64,
    /// All bytes that left.
    pub air: f64,
    /// Bytes that the controller's rate allows.
    pub target: f64,
    /// Bytes that the link carries, as far as the limits want them.
    pub possible: f64,
}

#[derive(Debug, Clone, Default)]
pub struct Sheet {
    from: Micros,
    /// Age of the picture on the screen (ms), each 5 ms from `SETTLED` on.
    ages: Vec<f64>,
    /// From capture to paint (ms), of each frame that was painted.
    frames: Vec<f64>,
    /// Of pictures that stood too long (ms).
    freezes: Vec<f64>,
    longest: f64,
    pub slots: Vec<Slot>,
    coming: VecDeque<Paint>,
    shown: Option<Paint>,
    sampled_at: Micros,
    pub left_out: u64,
    pub encoded: u64,
    pub keyframes: u64,
    pub copies: u64,
    pub lost: u64,
}

impl Sheet {
    pub fn new(from: Micros) -> Self {
        Self { from, sampled_at: from, ..Self::default() }
    }

    pub fn handle_paint(&mut self, paint: Paint) {
        self.coming.push_back(paint);
    }

    pub fn slot(&mut self, now: Micros) -> &mut Slot {
        let index = usize::try_from(now / SLOT).unwrap();
        if self.slots.len() <= index {
            self.slots.resize(index + 1, Slot::default());
        }
        &mut self.slots[index]
    }

    pub fn step(&mut self, now: Micros) {
        while let Some(paint) = self.coming.pop_front_if(|paint| paint.at <= now) {
            self.frames.push((paint.at - paint.captured) as f64 / 1e3);
            self.stood(paint.at);
            self.shown = Some(paint);
        }
        if now >= self.sampled_at {
            self.sampled_at += SAMPLE;
            if now - self.from >= SETTLED {
                let captured = self.shown.map_or(self.from, |paint| paint.captured);
                self.ages.push((now - captured) as f64 / 1e3);
            }
        }
    }

    /// The drive is over: what stands now has stood until now.
    pub fn finish(&mut self, now: Micros) {
        self.stood(now);
    }

    fn stood(&mut self, until: Micros) {
        let gap = until - self.shown.map_or(self.from, |paint| paint.at);
        self.longest = self.longest.max(gap as f64 / 1e3);
        if gap > FROZEN {
            self.freezes.push(gap as f64 / 1e3);
        }
    }

    pub fn age(&self, part: f64) -> f64 {
        quantile(&self.ages, part)
    }

    /// Age between two moments (seconds of the scene).
    pub fn age_between(&self, from: f64, to: f64, part: f64) -> f64 {
        let index = |second: f64| {
            let at = (second * 1e6) as Micros - self.from - SETTLED;
            usize::try_from((at / SAMPLE).max(0)).unwrap().min(self.ages.len())
        };
        quantile(&self.ages[index(from)..index(to)], part)
    }

    pub fn frame(&self, part: f64) -> f64 {
        quantile(&self.frames, part)
    }

    pub fn painted(&self) -> usize {
        self.frames.len()
    }

    pub fn freezes(&self) -> usize {
        self.freezes.len()
    }

    pub fn frozen_seconds(&self) -> f64 {
        self.freezes.iter().fold(0.0, |sum, freeze| sum + freeze) / 1e3
    }

    /// The longest time (ms) without another picture.
    pub fn longest(&self) -> f64 {
        self.longest
    }

    /// kbit/s of the picture that arrived.
    pub fn kbits(&self) -> f64 {
        let seconds = (self.slots.len() as f64).mul_add(SLOT as f64, -(self.from as f64)) / 1e6;
        self.slots.iter().map(|slot| slot.useful).sum::<f64>() * 8.0 / seconds / 1e3
    }

    /// Part of what was possible, between two moments (seconds of the scene).
    pub fn usage(&self, from: f64, to: f64) -> f64 {
        let index = |second: f64| ((second * 10.0) as usize).min(self.slots.len());
        let slots = &self.slots[index(from)..index(to)];
        let sum = |what: fn(&Slot) -> f64| slots.iter().map(what).sum::<f64>();
        sum(|slot| slot.useful) / sum(|slot| slot.possible)
    }

    /// Seconds from `from` until a second begins in which the use is `wanted`.
    pub fn back_to(&self, from: f64, wanted: f64) -> f64 {
        let last = self.slots.len() as f64 / 10.0 - 1.0;
        let mut second = from;
        while second < last && self.usage(second, second + 1.0) < wanted {
            second += 0.1;
        }
        second - from
    }

    /// Bytes that left, beside those that the rate allowed: the most in any 5 s.
    pub fn air(&self) -> f64 {
        let parts = self.slots.windows(AIR).filter(|slots| slots[0].target > 0.0).map(|slots| {
            let sum = |what: fn(&Slot) -> f64| slots.iter().map(what).sum::<f64>();
            sum(|slot| slot.air) / sum(|slot| slot.target)
        });
        parts.fold(0.0, f64::max)
    }
}

/// One line for people, under [`HEADER`].
impl fmt::Display for Sheet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = self.slots.len() as f64 / 10.0;
        let usage = self.usage(self.from as f64 / 1e6, end);
        write!(f, "{:>6.0} {usage:>5.2}", self.kbits())?;
        write!(f, " {:>5.0} {:>5.0} {:>5.0}", self.age(0.5), self.age(0.95), self.age(1.0))?;
        write!(f, " {:>5.0} {:>5.0}", self.frame(0.5), self.frame(0.95))?;
        write!(f, " {:>4} {:>5.1}", self.freezes(), self.frozen_seconds())?;
        write!(f, " {:>7.0} {:>4} {:>4}", self.longest, self.left_out, self.lost)?;
        write!(f, " {:>6} {:>4} {:>4.2}", self.copies, self.keyframes, self.air())
    }
}

/// Ages, frames (capture to paint) and the longest time without a picture in ms, freezes in number
/// and seconds, frames left out, packets lost and sent again, keyframes, most on the air.
pub const HEADER: &str = concat!(
    "kbit/s   use  age50 age95 agemax frm50 frm95  frz     s longest left lost",
    " copies keys  air",
);

pub fn quantile(values: &[f64], part: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let index = (sorted.len().saturating_sub(1) as f64 * part) as usize;
    sorted.get(index).copied().unwrap_or(f64::NAN)
}
