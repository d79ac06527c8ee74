//! A software encoder at a constant bit rate, as openh264 on a small computer.

use super::dice::Dice;
use super::{MILLI, Micros};

/// Most of the way to a new rate within one frame: OpenH264 changes its quantiser by a few steps
/// only (measured: 8416, 6652, 5526, 4213, 3176, 2482, 1915 bytes after a fall of the rate).
const FALLS: f64 = 0.77;
const RISES: f64 = 1.5;
/// Frames differ by this (deviation of the logarithm), and one of a hundred shows much that is new.
const SPREAD: f64 = 0.18;
const SURPRISE: (f64, f64) = (0.01, 1.7);
/// A keyframe beside the average frame, and the least that one takes at 360p.
const KEYFRAME: (f64, f64) = (3.0, 4_000.0);
/// Headers and skipped blocks.
const LEAST: f64 = 300.0;
/// The lab's picture at its coarsest (OpenH264, 640×360): bytes of a frame in which everything has
/// changed, and the part that has not after one frame. Measured: 1976, 4321 and 6447 bytes for 1, 3
/// and 8 frames at once.
const RESTLESS: (f64, f64) = (7_000.0, 0.72);
/// And at its finest, in a smaller size.
const FINEST: f64 = 3_300.0;

/// What the camera sees.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Picture {
    /// A frame can be made as small as the rate wants it.
    Calm,
    /// That of the network lab, in which a sixth of the picture changes with each frame.
    Restless,
}

pub struct Encoder {
    /// Bytes of the average frame at present.
    average: Option<f64>,
    fps: f64,
    picture: Picture,
    /// The last frame.
    last: Option<Micros>,
    /// Bytes of a frame beside those at 640×360.
    share: f64,
}

/// One encoded frame.
#[derive(Debug, Clone, Copy)]
pub struct Encoded {
    pub bytes: f64,
    /// How long it takes to encode it.
    pub takes: Micros,
}

impl Encoder {
    pub fn new(fps: u32, picture: Picture) -> Self {
        Self { average: None, fps: fps.into(), picture, last: None, share: 1.0 }
    }

    /// Begins with another size.
    pub fn set_share(&mut self, share: f64) {
        (self.share, self.average) = (share, None);
    }

    /// At a rate in bit/s.
    pub fn encode(&mut self, at: Micros, rate: f64, keyframe: bool, dice: &mut Dice) -> Encoded {
        let wanted = rate / self.fps / 8.0;
        let before = self.average.unwrap_or(wanted);
        let average = wanted.clamp(before * FALLS, before * RISES);
        self.average = Some(average);
        let mut size = average * (SPREAD * dice.normal()).exp();
        if dice.chance(SURPRISE.0) {
            size *= SURPRISE.1;
        }
        if keyframe {
            size = (KEYFRAME.0 * average).max(KEYFRAME.1 * self.share);
        }
        let frames = self.last.replace(at).map_or(1.0, |last| (at - last) as f64 * self.fps / 1e6);
        let least = match self.picture {
            Picture::Calm => LEAST,
            // So much has changed since the frame before.
            Picture::Restless => RESTLESS.0 * self.share * (1.0 - RESTLESS.1.powf(frames.max(1.0))),
        };
        if self.picture == Picture::Restless && self.share < 1.0 {
            size = size.min(FINEST);
        }
        Encoded { bytes: size.max(least), takes: 8 * MILLI + (dice.share() * 4e3) as Micros }
    }
}
