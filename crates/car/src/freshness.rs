//! How old the driver's input is when its frame arrives. Pure.
//!
//! A frame tells the age of its sample at sending, but not how long it was under way: a link that comes back after a gap delivers
//! what it had queued, and frames written two seconds ago look fresh. The browser's clock is not ours, so only *differences* of
//! transit time can be seen: the smallest `arrival − sent` of the last 10 to 20 seconds stands for a transit without queues, and
//! what a frame needed beyond it was spent waiting. The constant part, half a round trip on an empty link, is not counted.

use rccar_link::ReceivedControl;
use rccar_protocol::units::MonotonicMicros;
use std::time::Duration;

/// Length of one of the two windows that the smallest transit is taken from. In 20 s, two clocks that differ by 100 ppm (twice the
/// tolerance of a cheap quartz) part by 2 ms.
const WINDOW: Duration = Duration::from_secs(10);

/// Estimator for one session.
#[derive(Debug, Default)]
pub(crate) struct Freshness {
    /// Smallest offsets of the present and of the previous window, relative to `origin`.
    smallest: Option<(i32, i32)>,
    origin: u32,
    window_began: MonotonicMicros,
}

impl Freshness {
    /// Age of the sample on arrival: its age at sending plus the time that its frame spent in queues.
    pub(crate) fn age(&mut self, control: &ReceivedControl) -> Duration {
        let sampled_before = Duration::from_millis(control.frame.sample_age_ms.into());
        sampled_before + self.queued(control)
    }

    fn queued(&mut self, control: &ReceivedControl) -> Duration {
        // Both clocks wrap at 2³² µs (71 minutes); their difference is as good modulo 2³².
        #[expect(clippy::cast_possible_truncation, reason = "wraps on purpose")]
        let transit = (control.at.0 as u32).wrapping_sub(control.frame.sent_us);
        let Some((present, previous)) = self.smallest else {
            self.origin = transit;
            self.window_began = control.at;
            self.smallest = Some((0, 0));
            return Duration::ZERO;
        };
        let offset = transit.wrapping_sub(self.origin).cast_signed();
        let smallest = if control.at.since(self.window_began) >= WINDOW {
            self.window_began = control.at;
            (offset, present)
        } else {
            (present.min(offset), previous)
        };
        self.smallest = Some(smallest);
        let floor = smallest.0.min(smallest.1);
        Duration::from_micros(u64::try_from(i64::from(offset) - i64::from(floor)).unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rccar_protocol::control::ControlFrame;

    fn arrives(at_ms: u64, sent_ms: u64, sample_age_ms: u16) -> ReceivedControl {
        let sent_us = u32::try_from(sent_ms * 1000 % (1 << 32)).unwrap();
        ReceivedControl {
            frame: ControlFrame { sent_us, sample_age_ms, ..ControlFrame::default() },
            at: MonotonicMicros(at_ms * 1000),
        }
    }

    #[test]
    fn frames_that_waited_in_a_queue_are_as_old_as_their_wait() {
        let mut freshness = Freshness::default();
        for n in 0..50 {
            assert_eq!(freshness.age(&arrives(5_000 + n * 20, n * 20, 0)), Duration::ZERO);
        }
        // The link stalls for 2 s and then delivers at once what was sent meanwhile.
        assert_eq!(freshness.age(&arrives(8_000, 1_000, 0)), Duration::from_secs(2));
        assert_eq!(freshness.age(&arrives(8_000, 2_980, 0)), Duration::from_millis(20));
    }

    #[test]
    fn the_age_of_the_sample_at_sending_counts() {
        assert_eq!(Freshness::default().age(&arrives(100, 0, 35)), Duration::from_millis(35));
    }

    #[test]
    fn a_faster_path_lowers_the_floor_at_once() {
        let mut freshness = Freshness::default();
        freshness.age(&arrives(1_100, 1_000, 0));
        assert_eq!(freshness.age(&arrives(1_130, 1_100, 0)), Duration::ZERO);
        assert_eq!(freshness.age(&arrives(1_220, 1_120, 0)), Duration::from_millis(70));
    }

    #[test]
    fn a_slower_path_becomes_the_floor_after_two_windows() {
        let mut freshness = Freshness::default();
        freshness.age(&arrives(1_000, 1_000, 0));
        let waits: Vec<_> = (0..25u64).map(|s| freshness.age(&arrives(1_060 + s * 1_000, 1_000 + s * 1_000, 0))).collect();
        assert_eq!(waits[1], Duration::from_millis(60));
        assert_eq!(waits[24], Duration::ZERO);
    }

    #[test]
    fn clocks_may_wrap() {
        let mut freshness = Freshness::default();
        let wrap_ms = (1u64 << 32) / 1000;
        freshness.age(&arrives(wrap_ms - 10, 500, 0));
        assert_eq!(freshness.age(&arrives(wrap_ms + 10, 520, 0)), Duration::ZERO);
        assert!(freshness.age(&arrives(wrap_ms + 80, 540, 0)) >= Duration::from_millis(49));
    }
}
