//! Failsafe state machine of the drive: decides what servo and motor get, from set-points that
//! expire.
//!
//! **The motor is driven only while fresh input is at most 80 ms old, and is at neutral 250 ms
//! after the last.**
//!
//! The machine has no clock and no I/O. Whoever owns it
//!
//! 1. passes set-points to [`Machine::handle_input`] as they arrive,
//! 2. calls [`Machine::handle_timeout`] at [`Machine::poll_timeout`] at the latest (earlier or more
//!    often does no harm),
//! 3. writes [`Machine::output`] to the actuators, after each of these,
//! 4. takes every [`Event`] out with [`Machine::poll_event`].
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
//!     drive.handle_input(now, &SetPoint { session: 7, seq, sampled_at: now, arm: seq > 0, ..SetPoint::default() });
//!     now.0 += 20_000;
//! }
//! assert_eq!(drive.state(), DriveState::Armed);
//! drive.handle_input(now, &SetPoint { session: 7, seq: 50, sampled_at: now, arm: true, throttle: Throttle::MAX, ..SetPoint::default() });
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
//! * The times ([`timing`]) are constants: a promise that a configuration file can break is none.
//! * Deadlines count from the moment at which the input was *sampled*. A sample that travelled for
//!   60 ms is held for 20 ms.
//! * Safety is never slewed: less throttle, brake and neutral take effect in the call that decides
//!   them.
//! * Arming takes an edge. A session that begins with `arm` set, or a driver who kept it set
//!   through a trip, has to let go first.
//! * Numbering is checked only while it can matter: once the last input has expired and the drive
//!   is at rest, any number is the first. So a sender that was restarted can be obeyed, and what it
//!   can do is to arm.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests"))]

mod event;
mod input;
pub mod machine;
mod settings;
mod shaper;
pub mod timing;

pub use event::{Event, Rejection};
pub use machine::{Machine, Motor, Output};
pub use settings::{Settings, SettingsError, SteeringSettings, ThrottleSettings};
