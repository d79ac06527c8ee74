//! The clock of capture times.

use nix::time::{ClockId, clock_gettime};
use rccar_protocol::units::MonotonicMicros;
use std::time::Duration;

/// `CLOCK_MONOTONIC` now: the clock with which camera drivers stamp their frames
/// (`V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC`).
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
