//! What somebody at a screen has seen.

use serde::Deserialize;
use std::fmt;
use std::ops::Range;
use std::time::Duration;

/// How often the age of the picture is sampled.
const SAMPLE_MS: f64 = 5.0;
/// A longer gap between two frames is a freeze.
const FREEZE_MS: f64 = 300.0;

/// Frames on a screen, in the order in which they came.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
pub struct Watched {
    /// Number of frames in each second.
    pub frames: Vec<u64>,
    /// Height of the picture in each second, in pixels.
    pub heights: Vec<u64>,
    /// When each frame was presented, and its age then: milliseconds since the begin, and since its
    /// capture.
    shown: Vec<(f64, f64)>,
}

/// The picture during a part of the time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Viewed {
    /// Age of what is on the screen at any moment: half of the time it is at most this old.
    pub age_p50: Duration,
    /// The same for 95 % of the time.
    pub age_p95: Duration,
    /// The oldest picture that was ever on the screen.
    pub age_max: Duration,
    /// From capture to screen, for 95 % of the frames.
    pub frame_p95: Duration,
    /// Gaps between frames of more than 300 ms.
    pub freezes: usize,
    /// The sum of these gaps.
    pub frozen: Duration,
    /// Frames in each second, on average.
    pub fps: f64,
}

impl Watched {
    /// The picture between these seconds.
    #[must_use]
    pub fn seen(&self, seconds: Range<u64>) -> Viewed {
        #[allow(clippy::cast_precision_loss, reason = "seconds of a test")]
        let (from, to) = (seconds.start as f64 * 1e3, seconds.end as f64 * 1e3);
        let within = |at: f64| (from..to).contains(&at);
        let mut frames: Vec<f64> =
            self.shown.iter().filter(|(at, _)| within(*at)).map(|(_, age)| *age).collect();
        let mut ages = Vec::new();
        let (mut freezes, mut frozen) = (0, 0.0);
        let ends = self.shown.iter().map(|(at, _)| *at).skip(1).chain([to]);
        for ((at, age), end) in self.shown.iter().copied().zip(ends) {
            let (from, to) = (at.max(from), end.min(to));
            if to - from > FREEZE_MS {
                freezes += 1;
                frozen += to - from;
            }
            let mut sample = (from / SAMPLE_MS).ceil() * SAMPLE_MS;
            while sample < to {
                ages.push(age + sample - at);
                sample += SAMPLE_MS;
            }
        }
        #[allow(clippy::cast_precision_loss, reason = "frames of a test")]
        let fps = frames.len() as f64 * 1e3 / (to - from);
        Viewed {
            age_p50: percentile(&mut ages, 0.5),
            age_p95: percentile(&mut ages, 0.95),
            age_max: percentile(&mut ages, 1.0),
            frame_p95: percentile(&mut frames, 0.95),
            freezes,
            frozen: milliseconds(frozen),
            fps,
        }
    }
}

/// Without any value, the longest time there is: nothing was seen.
fn percentile(values: &mut [f64], part: f64) -> Duration {
    values.sort_by(f64::total_cmp);
    #[allow(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an index"
    )]
    let index = ((values.len() as f64 * part).ceil() as usize).max(1) - 1;
    values.get(index).map_or(Duration::MAX, |value| milliseconds(*value))
}

fn milliseconds(value: f64) -> Duration {
    Duration::from_secs_f64(value.max(0.0) / 1e3)
}

impl fmt::Display for Viewed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = |time: Duration| time.as_millis();
        write!(
            f,
            "age p50 {} p95 {} max {} ms; frame p95 {} ms; {} freezes, {:.1} s; {:.1} fps",
            ms(self.age_p50),
            ms(self.age_p95),
            ms(self.age_max),
            ms(self.frame_p95),
            self.freezes,
            self.frozen.as_secs_f64(),
            self.fps
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn age_counts_what_is_on_the_screen_at_each_moment() {
        // Every 100 ms a frame that is 50 ms old, and none from 2 to 3 s.
        let at =
            (0..50).map(|n| f64::from(n) * 100.0).filter(|at| !(2_000.0..3_000.0).contains(at));
        let watched =
            Watched { frames: vec![], heights: vec![], shown: at.map(|at| (at, 50.0)).collect() };
        let calm = watched.seen(0..1);
        assert_eq!(calm.age_p50, Duration::from_millis(95));
        assert_eq!(calm.age_max, Duration::from_millis(145));
        assert_eq!((calm.freezes, calm.frame_p95), (0, Duration::from_millis(50)));
        assert!((calm.fps - 10.0).abs() < 0.01);
        let all = watched.seen(0..5);
        assert_eq!((all.freezes, all.frozen), (1, Duration::from_millis(1_100)));
        assert_eq!(all.age_max, Duration::from_millis(1_145));
        // A picture that never comes again is frozen to the end.
        assert_eq!(watched.seen(4..9).frozen, Duration::from_millis(4_100));
        assert_eq!(Watched::default().seen(0..1).age_p50, Duration::MAX);
    }
}
