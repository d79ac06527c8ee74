//! Which size of the picture a rate is enough for.
//!
//! ```text
//!   1280×720 ──── rate below its floor for 2 s ────► 854×480 ──── the same ────► 640×360
//!      │     ◄─ 1.5 times its floor for 10 s ──────         ◄──── the same ─────    ▲
//!      └──────────────── rate below half of its floor for 0.2 s ────────────────────┘
//!
//!   any size ──── its frames do not become as small as the rate wants them ────► the next smaller
//!                                        one, after 640×360 the last resort
//! ```
//!
//! An encoder has a coarsest setting, and a picture that is never at rest takes its bytes at any
//! rate: at 640×360 OpenH264 was seen to make no frame below 2 kB of it. Frames that are too large
//! for the link arrive late and seldom. So a size is left, too, when frames of it stay too large,
//! and what they took then is what it needs to come back, for half a minute.
//!
//! Down soon, because a large picture of few bits is mud, and its frames are too large for the
//! link; up with care, because each change costs a keyframe.

use rccar_protocol::units::MonotonicMicros;
use std::time::Duration;

const DOWN_AFTER: Duration = Duration::from_secs(2);
/// With less than half of what its size is worth, a picture shrinks after this time, to the size
/// that fits.
const FALL_AFTER: Duration = Duration::from_millis(200);
const UP_AFTER: Duration = Duration::from_secs(10);
/// The last resort is left sooner: it is poor, and too small to use a wide link.
const FROM_RESORT_AFTER: Duration = Duration::from_secs(2);
/// A frame is too large when it has more than this many times the bytes that the rate has for it,
/// in tenths. From the second value on it counts twice.
const LARGE_AT: (u64, u64) = (13, 16);
/// So many in a row: one may show much that is new.
const LARGE: u32 = 5;
/// After a fall of the rate an encoder comes down by a quarter or so with each frame. A frame that
/// has less than this part of the one before, in tenths, is on its way.
const COMES_DOWN: u64 = 9;
/// What a size was seen to need counts for so long.
const SEEN_FOR: Duration = Duration::from_secs(30);
/// A larger size needs this many times its floor, in tenths.
const UP_AT: u64 = 15;

/// Sizes of the picture, the largest first, each with the least rate that it is worth (bit/s).
#[derive(Debug, Clone)]
pub struct Ladder<T> {
    largest: (T, u32),
    smaller: Vec<(T, u32)>,
    /// Only for frames that are too large: of the smaller sizes the last.
    resort: bool,
    rung: usize,
    /// Frames in a row that were too large, the last of them, and the smallest.
    large: (u32, u32, u32),
    /// A size that was left because its frames were too large: its rung, what they took (bit/s).
    seen: Option<(usize, u32, MonotonicMicros)>,
    /// Since when the rate has been too low for this size.
    low_since: Option<MonotonicMicros>,
    /// Since when it has been less than half of that.
    fallen_since: Option<MonotonicMicros>,
    /// Since when it has been enough for the next larger one.
    high_since: Option<MonotonicMicros>,
}

impl<T: Copy> Ladder<T> {
    /// Begins with the largest.
    #[must_use]
    pub fn new(largest: (T, u32), smaller: Vec<(T, u32)>) -> Self {
        Self {
            largest,
            smaller,
            resort: false,
            rung: 0,
            large: (0, 0, u32::MAX),
            seen: None,
            low_since: None,
            fallen_since: None,
            high_since: None,
        }
    }

    /// A size that is used only while frames of the smallest one are too large.
    #[must_use]
    pub fn with_last_resort(mut self, size: (T, u32)) -> Self {
        self.smaller.push(size);
        self.resort = true;
        self
    }

    /// A frame was encoded that is no keyframe: its bytes, and those that the rate has for one.
    pub fn handle_frame(&mut self, bytes: u32, budget: u32) {
        let (count, last, least) = self.large;
        let exceeds = |tenths: u64| u64::from(bytes) * 10 > u64::from(budget) * tenths;
        let weight = u32::from(exceeds(LARGE_AT.0)) + u32::from(exceeds(LARGE_AT.1));
        let comes_down = u64::from(bytes) * 10 < u64::from(last) * COMES_DOWN;
        self.large = match weight > 0 && !comes_down {
            true => (count.saturating_add(weight), bytes, least.min(bytes)),
            false => (0, bytes, u32::MAX),
        };
    }

    /// The rate at this moment, in bit/s, at so many frames per second. Returns the size to use.
    pub fn handle_rate(&mut self, now: MonotonicMicros, rate: u32, fps: u32) -> T {
        self.seen = self.seen.filter(|(.., at)| now.since(*at) < SEEN_FOR);
        let (count, _, least) = self.large;
        if count >= LARGE && self.rung < self.smaller.len() {
            let took = least.saturating_mul(8).saturating_mul(fps);
            self.seen = Some((self.rung, took, now));
            self.go(self.rung + 1);
            return self.present();
        }
        let (_, floor) = self.at(self.rung);
        let low = self.rung < self.smaller.len() - usize::from(self.resort) && rate < floor;
        let above = self.rung.checked_sub(1).map(|rung| self.need(rung));
        let high = above.is_some_and(|floor| u64::from(rate) * 10 >= u64::from(floor) * UP_AT);
        let fallen = low && u64::from(rate) * 2 < u64::from(floor);
        let fallen = lasts(&mut self.fallen_since, now, fallen) >= FALL_AFTER;
        let low = lasts(&mut self.low_since, now, low) >= DOWN_AFTER;
        let is_last = self.resort && self.rung == self.smaller.len();
        let patience = if is_last { FROM_RESORT_AFTER } else { UP_AFTER };
        let high = lasts(&mut self.high_since, now, high) >= patience;
        match (fallen, low, high) {
            (true, ..) => self.go(self.fitting(rate)),
            (_, true, _) => self.go(self.rung + 1),
            (.., true) => self.go(self.rung - 1),
            _ => {}
        }
        self.present()
    }

    /// The size that is used now.
    #[must_use]
    pub fn present(&self) -> T {
        self.at(self.rung).0
    }

    fn at(&self, rung: usize) -> (T, u32) {
        let smaller = rung.checked_sub(1).and_then(|rung| self.smaller.get(rung));
        smaller.copied().unwrap_or(self.largest)
    }

    /// What a size is worth, or was seen to need.
    fn need(&self, rung: usize) -> u32 {
        let seen = self.seen.filter(|(seen, ..)| *seen == rung).map_or(0, |(_, took, _)| took);
        self.at(rung).1.max(seen)
    }

    /// The largest smaller size that this rate is worth, or else the smallest.
    fn fitting(&self, rate: u32) -> usize {
        let last = self.smaller.len() - usize::from(self.resort);
        let mut smaller = self.rung + 1..=last;
        smaller.find(|rung| self.at(*rung).1 <= rate).unwrap_or(last)
    }

    fn go(&mut self, rung: usize) {
        self.rung = rung;
        self.large = (0, 0, u32::MAX);
        (self.low_since, self.fallen_since, self.high_since) = (None, None, None);
    }
}

/// For how long it has been so.
fn lasts(since: &mut Option<MonotonicMicros>, now: MonotonicMicros, is_so: bool) -> Duration {
    *since = if is_so { since.or(Some(now)) } else { None };
    since.map_or(Duration::ZERO, |since| now.since(since))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ladder() -> Ladder<usize> {
        Ladder::new((0, 600_000), vec![(1, 267_000), (2, 150_000)])
    }

    /// The size at the end of each phase; a rate is told every 50 ms.
    fn sizes(phases: &[(u32, u64)]) -> Vec<usize> {
        let (mut ladder, mut now) = (ladder(), MonotonicMicros(7));
        let mut sizes = Vec::new();
        for (rate, millis) in phases {
            let mut size = 0;
            for _ in 0..millis / 50 {
                now = now.plus(Duration::from_millis(50));
                size = ladder.handle_rate(now, *rate, 30);
            }
            sizes.push(size);
        }
        sizes
    }

    #[test]
    fn down_after_two_seconds_and_up_after_ten() {
        assert_eq!(sizes(&[(599_000, 1_950), (599_000, 150)]), [0, 1]);
        assert_eq!(sizes(&[(140_000, 2_100), (140_000, 2_100), (140_000, 60_000)]), [2, 2, 2]);
        assert_eq!(sizes(&[(100_000, 5_000), (500_000, 9_900), (500_000, 200)]), [2, 2, 1]);
        // Enough for the middle one, not for the largest.
        assert_eq!(sizes(&[(100_000, 5_000), (899_000, 60_000), (900_000, 10_100)]), [2, 1, 0]);
    }

    #[test]
    fn a_link_that_breaks_down_takes_the_size_that_fits_at_once() {
        assert_eq!(sizes(&[(299_000, 200), (299_000, 50)]), [0, 1]);
        assert_eq!(sizes(&[(160_000, 200), (160_000, 50)]), [0, 2]);
        assert_eq!(sizes(&[(1_000, 250), (1_000, 60_000)]), [2, 2]);
    }

    #[test]
    fn what_does_not_last_changes_nothing() {
        let blinking: Vec<_> = (0..100).flat_map(|_| [(310_000, 1_900), (700_000, 50)]).collect();
        assert!(sizes(&blinking).iter().all(|size| *size == 0));
        let mut one = Ladder::new((7, 1_000), vec![]);
        assert_eq!([1, 60].map(|s| one.handle_rate(MonotonicMicros(s * 1_000_000), 5, 30)), [7, 7]);
    }

    /// The size after each second, with frames of these bytes at 30 in a second.
    fn sizes_of(
        ladder: &mut Ladder<usize>,
        from: u64,
        rate: u32,
        seconds: u64,
        bytes: impl Fn(usize) -> u32,
    ) -> Vec<usize> {
        let second = |second: u64| {
            let mut size = ladder.present();
            for frame in 0..30 {
                let now = MonotonicMicros((from + second) * 1_000_000 + frame * 33_333);
                size = ladder.handle_rate(now, rate, 30);
                ladder.handle_frame(bytes(size), rate / 240);
            }
            size
        };
        (0..seconds).map(second).collect()
    }

    #[test]
    fn a_size_whose_frames_stay_too_large_is_left_and_tried_again_when_the_rate_is_enough() {
        let mut ladder = Ladder::new((0, 150_000), vec![]).with_last_resort((1, 37_500));
        // 2 kB take 480 kbit/s.
        let bytes = |size| if size == 0 { 2_000 } else { 800 };
        assert_eq!(sizes_of(&mut ladder, 0, 400_000, 3, bytes), [0; 3], "hardly too large");
        assert_eq!(sizes_of(&mut ladder, 3, 300_000, 3, bytes), [1; 3]);
        assert_eq!(sizes_of(&mut ladder, 6, 700_000, 15, bytes), [1; 15], "1.5 times 480 kbit/s");
        assert_eq!(sizes_of(&mut ladder, 21, 730_000, 4, bytes), [1, 1, 0, 0]);
        // Half a minute later nobody knows what its frames take now.
        assert_eq!(sizes_of(&mut ladder, 25, 300_000, 1, bytes), [1]);
        let later = sizes_of(&mut ladder, 26, 300_000, 35, |_| 800);
        assert!(later[..29].iter().all(|size| *size == 1) && later[34] == 0, "{later:?}");
    }

    #[test]
    fn an_encoder_that_is_still_coming_down_leaves_no_size() {
        let mut ladder = Ladder::new((0, 150_000), vec![]).with_last_resort((1, 37_500));
        let now = |frame: u64| MonotonicMicros(frame * 33_333);
        for (frame, bytes) in
            [8_400, 6_650, 5_500, 4_200, 3_200, 2_500, 2_000].into_iter().enumerate()
        {
            assert_eq!(ladder.handle_rate(now(frame as u64), 480_000, 30), 0);
            ladder.handle_frame(bytes, 2_000);
        }
        assert_eq!(ladder.handle_rate(now(7), 480_000, 30), 0);
    }

    #[test]
    fn a_rate_alone_never_leads_to_the_last_resort() {
        let mut ladder =
            Ladder::new((0, 600_000), vec![(1, 150_000)]).with_last_resort((2, 37_500));
        assert_eq!(sizes_of(&mut ladder, 0, 1_000, 30, |_| 1), [1; 30]);
    }

    proptest! {
        #[test]
        fn sizes_stay_on_the_ladder_and_grow_at_most_every_ten_seconds(
            floors in prop::collection::vec(any::<u32>(), 1..5),
            rates in prop::collection::vec((any::<u32>(), 0u64..4_000_000), 1..200),
        ) {
            let mut sizes: Vec<_> = (0..floors.len()).zip(floors).collect();
            let (count, first) = (sizes.len(), sizes.remove(0));
            let mut ladder = Ladder::new(first, sizes);
            let (mut now, mut last, mut changed) = (MonotonicMicros(0), 0, MonotonicMicros(0));
            for (rate, later) in rates {
                now = MonotonicMicros(now.0 + later);
                let size = ladder.handle_rate(now, rate, 30);
                prop_assert!(size < count);
                if size != last {
                    prop_assert!(size > last || size + 1 == last);
                    prop_assert!(now.since(changed) >= FALL_AFTER);
                    prop_assert!(size > last || now.since(changed) >= UP_AFTER);
                    (last, changed) = (size, now);
                }
            }
        }
    }
}
