//! A software encoder at a constant bit rate, as openh264 on a small computer.

use super::dice::Dice;
use super::{MILLI, Micros};

/// Part of the way to a new rate with each frame: after two frames it is nearly there.
const FOLLOWS: f64 = 0.6;
/// Frames differ by this (deviation of the logarithm), and one of a hundred shows much that is new.
const SPREAD: f64 = 0.18;
const SURPRISE: (f64, f64) = (0.01, 1.7);
/// A keyframe beside the average frame, and the least that one takes at 360p.
const KEYFRAME: (f64, f64) = (3.0, 4_000.0);
/// Headers and skipped blocks.
const LEAST: f64 = 300.0;

pub struct Encoder {
    rate: Option<f64>,
    fps: f64,
}

impl Encoder {
    pub fn new(fps: u32) -> Self {
        Self { rate: None, fps: fps.into() }
    }

    /// Size of the next frame (bytes), and how long it takes to encode it.
    pub fn encode(&mut self, rate: f64, keyframe: bool, dice: &mut Dice) -> (f64, Micros) {
        let before = self.rate.unwrap_or(rate);
        let now = before + FOLLOWS * (rate - before);
        self.rate = Some(now);
        let average = now / self.fps / 8.0;
        let mut size = average * (SPREAD * dice.normal()).exp();
        if dice.chance(SURPRISE.0) {
            size *= SURPRISE.1;
        }
        if keyframe {
            size = (KEYFRAME.0 * average).max(KEYFRAME.1);
        }
        (size.max(LEAST), 8 * MILLI + (dice.share() * 4e3) as Micros)
    }
}
