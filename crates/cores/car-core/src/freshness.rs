//! How old the driver's input is when its frame arrives.
//!
//! ```text
//!                  ┌── the car moves: the floor rises by 200 ppm of the time that passes,
//!                  │   and falls at once to any smaller transit
//!   frame ─► transit − floor = wait in queues
//!                  └── the car stands: in addition, the smallest transit of each 2 s
//!                      becomes the floor
//! ```
//!
//! A frame holds the age of its sample at sending, but not how long the frame was under way. A link
//! that comes back after a gap delivers what it has queued, and so frames that were written two
//! seconds ago look fresh. The browser has another clock than the car, so only *differences* of
//! transit times can be seen. The smallest `arrival − sent` stands for a transit without queues: it
//! is the floor. A frame that needed longer spent the rest waiting. The constant part, half a round
//! trip on an empty link, is not counted here; the page itself stops sending input when the round
//! trip is too long to drive.
//!
//! While the car may move, the floor rises no faster than two clocks can drift apart: a queue that
//! builds up slowly does not become normal. While the car stands, the floor is learned again, so
//! that a longer path can be driven as well.
//!
//! **No order, loss or repetition of frames makes input look fresher than it is.** Exactly: let
//! frames *i* and *j* ≤ *i* arrive, in this order, while the car moves without a rest between them,
//! with transits of less than 35 minutes (half of what `sent_us` counts to). Then the age of *i* is
//! at least that of its sample at sending, plus `transit(i) − transit(j)` by both clocks, less 200
//! ppm of the time between the two arrivals.

use rccar_protocol::control::ControlFrame;
use rccar_protocol::units::MonotonicMicros;
use std::time::Duration;

/// The most that two clocks drift apart: 200 ppm, twice what two cheap quartzes (±50 ppm each)
/// allow.
const DRIFT_PER_MILLION: u128 = 200;
/// While the car stands, the smallest transit of this time becomes the floor.
const LEARN_FOR: Duration = Duration::from_secs(2);

/// One for each session.
#[derive(Debug, Default)]
pub struct Freshness {
    /// Transit of the first frame; all offsets are relative to it.
    origin: Option<u32>,
    floor_us: i64,
    floor_at: MonotonicMicros,
    /// Smallest offset of the present 2 s of standing, and when they began; `None` while the car
    /// moves.
    learned: Option<(i64, MonotonicMicros)>,
}

impl Freshness {
    /// Age of the sample in a frame that arrives `now`: its age at sending plus the time that the
    /// frame spent in queues. `at_rest`: the drive is in a state in which the car may not move.
    #[must_use]
    pub fn handle_frame(
        &mut self,
        now: MonotonicMicros,
        frame: &ControlFrame,
        at_rest: bool,
    ) -> Duration {
        let sampled_before = Duration::from_millis(frame.sample_age_ms.into());
        sampled_before + self.queued(now, frame.sent_us, at_rest)
    }

    fn queued(&mut self, now: MonotonicMicros, sent_us: u32, at_rest: bool) -> Duration {
        // `sent_us` wraps at 2³² µs (71 minutes), so the difference is taken modulo 2³².
        #[expect(clippy::cast_possible_truncation, reason = "wraps on purpose")]
        let transit = (now.0 as u32).wrapping_sub(sent_us);
        let origin = *self.origin.get_or_insert_with(|| {
            self.floor_at = now;
            transit
        });
        // Half of the range is for shorter transits than the first one, half for longer ones.
        let offset = i64::from(transit.wrapping_sub(origin).cast_signed());
        let drift = now.since(self.floor_at).as_micros() * DRIFT_PER_MILLION / 1_000_000;
        let mut floor =
            self.floor_us.saturating_add(i64::try_from(drift).unwrap_or(i64::MAX)).min(offset);
        self.learned = if at_rest { Some(self.learn(offset, now, &mut floor)) } else { None };
        // While the drift is below one microsecond, `floor_at` stays. Else each frame would round
        // it to zero, and the floor would never rise.
        if drift > 0 || floor != self.floor_us {
            self.floor_us = floor;
            self.floor_at = now;
        }
        Duration::from_micros(u64::try_from(offset - floor).unwrap_or(0))
    }

    fn learn(&self, offset: i64, at: MonotonicMicros, floor: &mut i64) -> (i64, MonotonicMicros) {
        match self.learned {
            Some((smallest, since)) if at.since(since) >= LEARN_FOR => {
                *floor = smallest.min(offset);
                (offset, at)
            }
            Some((smallest, since)) => (smallest.min(offset), since),
            None => (offset, at),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOVING: bool = false;
    const AT_REST: bool = true;

    fn age(
        freshness: &mut Freshness,
        at_ms: u64,
        sent_ms: u64,
        sample_age_ms: u16,
        at_rest: bool,
    ) -> Duration {
        let sent_us = u32::try_from(sent_ms * 1000 % (1 << 32)).unwrap();
        let frame = ControlFrame { sent_us, sample_age_ms, ..ControlFrame::default() };
        freshness.handle_frame(MonotonicMicros(at_ms * 1000), &frame, at_rest)
    }

    #[test]
    fn frames_that_waited_in_a_queue_are_as_old_as_their_wait() {
        let mut freshness = Freshness::default();
        for n in 0..50 {
            assert_eq!(age(&mut freshness, 5_000 + n * 20, n * 20, 0, MOVING), Duration::ZERO);
        }
        // The link stalls for 2 s and then delivers at once what was sent meanwhile.
        assert!(age(&mut freshness, 8_000, 1_000, 0, MOVING) >= Duration::from_millis(1_999));
        assert!(age(&mut freshness, 8_000, 2_980, 0, MOVING) >= Duration::from_millis(19));
    }

    #[test]
    fn the_age_of_the_sample_at_sending_counts() {
        assert_eq!(age(&mut Freshness::default(), 100, 0, 35, MOVING), Duration::from_millis(35));
    }

    #[test]
    fn a_faster_path_lowers_the_floor_at_once() {
        let mut freshness = Freshness::default();
        age(&mut freshness, 1_100, 1_000, 0, MOVING);
        assert_eq!(age(&mut freshness, 1_130, 1_100, 0, MOVING), Duration::ZERO);
        assert!(age(&mut freshness, 1_220, 1_120, 0, MOVING) >= Duration::from_millis(69));
    }

    #[test]
    fn a_queue_never_becomes_normal_while_the_car_moves() {
        let mut freshness = Freshness::default();
        age(&mut freshness, 1_000, 1_000, 0, MOVING);
        for n in 0..3_000 {
            let age = age(&mut freshness, 1_500 + n * 20, 1_000 + n * 20, 0, MOVING);
            assert!(age >= Duration::from_millis(485), "{age:?} after {} s", n / 50);
        }
    }

    #[test]
    fn a_longer_path_is_learned_while_the_car_stands() {
        let mut freshness = Freshness::default();
        age(&mut freshness, 1_000, 1_000, 0, AT_REST);
        // The first window still holds the short path; the second does not.
        let ages: Vec<_> = (0..220)
            .map(|n| age(&mut freshness, 1_090 + n * 20, 1_000 + n * 20, 0, AT_REST))
            .collect();
        assert!(ages[1] >= Duration::from_millis(89));
        assert_eq!(ages[219], Duration::ZERO);
        assert_eq!(age(&mut freshness, 5_590, 5_500, 0, MOVING), Duration::ZERO);
    }

    #[test]
    fn clocks_that_part_slowly_stay_fresh() {
        let mut freshness = Freshness::default();
        // The car's clock is 100 ppm fast: 180 ms in half an hour.
        for n in 0..90_000u64 {
            let at = MonotonicMicros(n * 20_002);
            let frame = ControlFrame {
                sent_us: u32::try_from(n * 20_000 % (1 << 32)).unwrap(),
                ..ControlFrame::default()
            };
            let age = freshness.handle_frame(at, &frame, MOVING);
            assert!(age < Duration::from_millis(1), "{age:?} after {n} frames");
        }
    }

    #[test]
    fn clocks_may_wrap() {
        let mut freshness = Freshness::default();
        let wrap_ms = (1u64 << 32) / 1000;
        age(&mut freshness, wrap_ms - 10, 500, 0, MOVING);
        assert_eq!(age(&mut freshness, wrap_ms + 10, 520, 0, MOVING), Duration::ZERO);
        assert!(age(&mut freshness, wrap_ms + 80, 540, 0, MOVING) >= Duration::from_millis(49));
    }
}
