//! Which size of the picture a rate is enough for.
//!
//! ```text
//!   1280×720 ──── rate below its floor for 2 s ────► 854×480 ──── the same ────► 640×360
//!      │     ◄─ 1.5 times its floor for 10 s ──────         ◄──── the same ─────    ▲
//!      └──────────────── rate below half of its floor for 0.2 s ────────────────────┘
//! ```
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
/// A larger size needs this many times its floor, in tenths.
const UP_AT: u64 = 15;

/// Sizes of the picture, the largest first, each with the least rate that it is worth (bit/s).
#[derive(Debug, Clone)]
pub struct Ladder<T> {
    largest: (T, u32),
    smaller: Vec<(T, u32)>,
    rung: usize,
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
        Self { largest, smaller, rung: 0, low_since: None, fallen_since: None, high_since: None }
    }

    /// The rate at this moment. Returns the size to use.
    pub fn handle_rate(&mut self, now: MonotonicMicros, rate: u32) -> T {
        let (_, floor) = self.at(self.rung);
        let low = self.rung < self.smaller.len() && rate < floor;
        let above = self.rung.checked_sub(1).map(|rung| self.at(rung).1);
        let high = above.is_some_and(|floor| u64::from(rate) * 10 >= u64::from(floor) * UP_AT);
        let fallen = low && u64::from(rate) * 2 < u64::from(floor);
        let fallen = lasts(&mut self.fallen_since, now, fallen) >= FALL_AFTER;
        let low = lasts(&mut self.low_since, now, low) >= DOWN_AFTER;
        let high = lasts(&mut self.high_since, now, high) >= UP_AFTER;
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

    /// The largest smaller size that this rate is worth, or else the smallest.
    fn fitting(&self, rate: u32) -> usize {
        let mut smaller = self.rung + 1..=self.smaller.len();
        smaller.find(|rung| self.at(*rung).1 <= rate).unwrap_or(self.smaller.len())
    }

    fn go(&mut self, rung: usize) {
        self.rung = rung;
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
                size = ladder.handle_rate(now, *rate);
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
        assert_eq!([1, 60].map(|s| one.handle_rate(MonotonicMicros(s * 1_000_000), 5)), [7, 7]);
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
                let size = ladder.handle_rate(now, rate);
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
