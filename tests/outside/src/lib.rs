//! What is wired to a car's computer, outside of the emulator that is the computer: a PCA9685 with
//! servo and ESC, an INA226 at the battery, GPIO lines. QEMU hands the card's I²C controller and
//! GPIO chip over to this process (vhost-user), so that it sees every transfer and every pulse with
//! a time of its own, whatever becomes of the programs and the kernel in there.
//!
//! ```text
//!   card in QEMU ── I²C, GPIO (vhost-user) ──► rccar-outside ◄── control socket ── a story
//! ```
//!
//! The program is `rccar-outside`; [`control`] says what a story can do with it. All times are µs
//! of `CLOCK_MONOTONIC` on this machine, as `process.hrtime` has it in the stories.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests"))]

pub mod car;
pub mod control;
pub mod ina226;
pub mod pca9685;
pub mod virtio;

use nix::time::{ClockId, clock_gettime};

/// The time now.
#[must_use]
pub fn now() -> u64 {
    // This clock cannot fail on Linux.
    clock_gettime(ClockId::CLOCK_MONOTONIC).map_or(0, |time| {
        let (seconds, nanos) = (time.tv_sec(), time.tv_nsec());
        u64::try_from(seconds * 1_000_000 + nanos / 1_000).unwrap_or_default()
    })
}
