//! The clock that all programs of one machine share.

use nix::time::{ClockId, clock_gettime};
use rccar_protocol::units::MonotonicMicros;
use std::time::Duration;

/// `CLOCK_MONOTONIC` now. It starts with the kernel, so times of different processes can be
/// compared. Camera drivers stamp their frames with the same clock.
#[must_use]
pub fn now() -> MonotonicMicros {
    #[expect(
        clippy::expect_used,
        reason = "POSIX lets CLOCK_MONOTONIC fail only where it does not exist; Linux always has it"
    )]
    let now =
        Duration::from(clock_gettime(ClockId::CLOCK_MONOTONIC).expect("Linux has CLOCK_MONOTONIC"));
    MonotonicMicros(0).plus(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_the_uptime_that_other_processes_see() {
        let before = now();
        let uptime = std::fs::read_to_string("/proc/uptime").unwrap();
        let after = now();
        let uptime: f64 = uptime.split(' ').next().unwrap().parse().unwrap();
        // /proc/uptime counts suspended time as well and has 10 ms resolution.
        assert!(
            Duration::from_micros(before.0).as_secs_f64() <= uptime + 0.02,
            "{before:?} against {uptime} s"
        );
        assert!(after >= before);
        assert!(before.0 > 0);
    }
}
