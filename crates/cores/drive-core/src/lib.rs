//! The failsafe of the drive: a state machine that decides what servo and motor get, from
//! set-points that expire.
//!
//! **The motor is driven only while the last fresh input is at most 80 ms old. It is at neutral 250
//! ms after the last fresh input.**
//!
//! The machine has no clock and no I/O. The shell that owns it
//!
//! 1. passes set-points to [`Machine::handle_input`] as they arrive,
//! 2. calls [`Machine::handle_timeout`] at [`Machine::poll_timeout`] at the latest (earlier or more
//!    often does no harm),
//! 3. writes [`Machine::output`] to the actuators after each of these calls,
//! 4. takes every [`Event`] out with [`Machine::poll_event`].
//!
//! A set-point may name the capture time of the picture that the driver saw. The older it is, the
//! less throttle is left ([`picture`]).
//!
//! If the battery is measured, the shell also hands the voltage to a [`Battery`] and what that
//! allows to [`Machine::handle_battery`]. The speed of a wheel, if a sensor counts its turns, is
//! made by a [`Speedometer`](speed::Speedometer); no decision hangs on it.
//!
//! ```
//! use rccar_drive_core::{Machine, Motor, Settings};
//! use rccar_protocol::setpoint::SetPoint;
//! use rccar_protocol::state::DriveState;
//! use rccar_protocol::units::{MonotonicMicros, Throttle};
//!
//! let mut drive = Machine::new(Settings::default())?;
//! let mut now = MonotonicMicros(1_000_000);
//! // A driver lets go of everything, arms, and rests at neutral: 50 frames at 50 Hz.
//! for seq in 0..50 {
//!     let arm = seq > 0;
//!     let set_point = SetPoint { session: 7, seq, sampled_at: now, arm, ..SetPoint::default() };
//!     drive.handle_input(now, &set_point);
//!     now.0 += 20_000;
//! }
//! assert_eq!(drive.state(), DriveState::Armed);
//! // The driver gives full throttle …
//! let last = SetPoint { session: 7, seq: 50, sampled_at: now, arm: true, ..SetPoint::default() };
//! drive.handle_input(now, &SetPoint { throttle: Throttle::MAX, ..last });
//! // … and falls silent.
//! while let Some(at) = drive.poll_timeout() {
//!     now = at;
//!     drive.handle_timeout(now);
//! }
//! assert_eq!((drive.state(), drive.output().motor), (DriveState::Tripped, Motor::Neutral));
//! # Ok::<(), rccar_drive_core::SettingsError>(())
//! ```
//!
//! # Design decisions
//!
//! * The times ([`timing`]) are constants: a promise that a configuration file can break is no
//!   promise.
//! * Deadlines count from the moment at which the input was *sampled*. A sample that travelled for
//!   60 ms is held for 20 ms.
//! * Safety is never slewed: less throttle, brake and neutral take effect in the call that decides
//!   on them.
//! * Arming takes an edge. A session that begins with `arm` set has to let go first, and so has a
//!   driver who kept it set through a trip.
//! * Sequence numbers are checked only while they can matter. When the last input has expired and
//!   the drive is at rest, any number counts as the first. So the drive can obey a sender that was
//!   restarted; that sender still has to arm.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests"))]

pub mod battery;
pub mod esc;
mod event;
mod input;
pub mod machine;
pub mod picture;
pub mod pulse;
mod settings;
mod shaper;
pub mod speed;
pub mod timing;

pub use battery::{Allowance, Battery, BatteryAction, BatterySettings};
pub use event::{Event, Rejection};
pub use machine::{Machine, Motor, Output};
pub use picture::PictureSettings;
pub use settings::{Settings, SettingsError, SteeringSettings, ThrottleSettings};
