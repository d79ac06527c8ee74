//! Keeps a rate without drift.

use crate::clock;
use nix::errno::Errno;
use nix::sys::time::TimeSpec;
use nix::time::{ClockId, ClockNanosleepFlags, clock_nanosleep};
use rccar_protocol::units::MonotonicMicros;
use std::time::Duration;

/// Wakes a thread at a fixed rate, as a sensor would deliver frames.
///
/// Wake-ups stay on a grid that begins with the first one. A thread that comes late does not wait
/// for the next wake-up; the wake-ups that it missed are left out.
#[derive(Debug)]
pub struct Pacer {
    per_second: u64,
    start: Option<MonotonicMicros>,
    ticks: u64,
}

impl Pacer {
    /// Zero counts as one.
    #[must_use]
    pub fn new(per_second: u32) -> Self {
        Self { per_second: per_second.max(1).into(), start: None, ticks: 0 }
    }

    /// Sleeps until the next wake-up is due; the first is due at once. Returns the time after that.
    pub fn wait(&mut self) -> MonotonicMicros {
        let now = clock::now();
        let due = self.next_due(now);
        if due <= now {
            return now;
        }
        sleep_until(due);
        clock::now()
    }

    fn next_due(&mut self, now: MonotonicMicros) -> MonotonicMicros {
        let Some(start) = self.start else {
            self.start = Some(now);
            return now;
        };
        // From the start each time: intervals cut to whole microseconds would add up to a drift.
        let passed = now.0.saturating_sub(start.0).saturating_mul(self.per_second) / 1_000_000;
        self.ticks = passed.max(self.ticks + 1);
        MonotonicMicros(start.0 + self.ticks * 1_000_000 / self.per_second)
    }
}

fn sleep_until(due: MonotonicMicros) {
    let due = TimeSpec::from_duration(Duration::from_micros(due.0));
    let asleep =
        || clock_nanosleep(ClockId::CLOCK_MONOTONIC, ClockNanosleepFlags::TIMER_ABSTIME, &due);
    while asleep() == Err(Errno::EINTR) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn thirty_hertz_do_not_drift_by_the_third_of_a_microsecond_that_is_cut_off() {
        let mut pacer = Pacer::new(30);
        let mut now = MonotonicMicros(7);
        for _ in 0..=30 * 3600 {
            now = pacer.next_due(now);
        }
        assert_eq!(now, MonotonicMicros(7 + 3_600_000_000));
    }

    #[test]
    fn a_late_thread_gets_its_frame_at_once_and_returns_to_the_grid() {
        let mut pacer = Pacer::new(50);
        assert_eq!(pacer.next_due(MonotonicMicros(1_000)), MonotonicMicros(1_000));
        // Due at 21 ms, 41 ms, 61 ms; the thread is back at 65 ms.
        assert_eq!(pacer.next_due(MonotonicMicros(65_000)), MonotonicMicros(61_000));
        assert_eq!(pacer.next_due(MonotonicMicros(66_000)), MonotonicMicros(81_000));
    }

    #[test]
    fn the_thread_wakes_when_the_time_has_come() {
        let mut pacer = Pacer::new(100);
        let first = pacer.wait();
        assert!(pacer.wait() >= first.plus(Duration::from_millis(10)));
    }

    proptest! {
        #[test]
        fn wake_ups_are_never_more_frequent_than_the_rate(
            rate in 1u32..200,
            pauses in prop::collection::vec(0u64..100_000, 1..60),
        ) {
            let mut pacer = Pacer::new(rate);
            let (mut now, mut last) = (MonotonicMicros(0), None);
            for pause in pauses {
                let due = pacer.next_due(now);
                let spaced = last.is_none_or(|last: MonotonicMicros| {
                    due.0 + 1 >= last.0 + 1_000_000 / u64::from(rate)
                });
                prop_assert!(spaced);
                last = Some(due);
                now = MonotonicMicros(now.0.max(due.0) + pause);
            }
        }
    }
}
