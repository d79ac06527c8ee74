//! `rccar-drive`: the process that owns the actuators of the car. It outlives the process that
//! talks to the network.
//!
//! **Servo and motor are at neutral 250 ms after the driver's last fresh input, whatever happens to
//! other processes.**
//!
//! One thread drives, without a runtime. In each turn of its loop ([`shell`])
//!
//! 1. the core ([`rccar_drive_core::Machine`]) lets its deadlines expire,
//! 2. its output goes to the [`actuator`],
//! 3. the sender of the newest set-point gets a status ([`reporter`]) with the values of the
//!    [`sensor`]s,
//! 4. the loop sleeps until a datagram, a signal or the next deadline comes; 5 ms at most while the
//!    car moves, 50 ms otherwise,
//! 5. the core gets the datagrams that came.
//!
//! ```
//! use rccar_drive::actuator::{Actuator, Simulator};
//! use rccar_drive::config::Config;
//! use rccar_drive::sensor::Sensor;
//! use rccar_drive_core::Machine;
//! use rccar_protocol::units::MonotonicMicros;
//!
//! let config = Config::default();
//! let machine = Machine::new(config.settings())?;
//! let (mut car, odometer) = Simulator::new(config.vehicle());
//! car.apply(MonotonicMicros(1_000), machine.output())?;
//! assert_eq!(odometer.odometry().map(|odometry| odometry.speed_mm_s), Some(0));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Design decisions
//!
//! * The loop waits for nobody: sends do not block, and another thread ([`recorder`]) serves
//!   journal, trace file and systemd.
//! * Any process that may open the socket may drive. The socket's mode (0660) protects it. What
//!   comes through it is checked, not trusted.
//! * A datagram that is empty or only a version asks for the status (`rccar-drive status`). Its
//!   sender does not become the one who drives.
//! * Calibration goes through the same socket and the same loop ([`calibration`]).
//! * A second process watches the loop ([`guard`]): a loop that hangs keeps no promise.
//! * A PWM goes on when the process behind it has died. The service manager then runs
//!   `rccar-drive neutral`.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests"))]

pub mod actuator;
pub mod calibrate;
pub mod calibration;
mod cli;
pub mod config;
mod error;
mod gpio;
pub mod guard;
pub mod heartbeat;
pub mod query;
mod realtime;
pub mod recorder;
pub mod reporter;
mod run;
pub mod sensor;
pub mod shell;
pub mod socket;
pub mod switches;

use clap::Parser;
use std::process::ExitCode;

#[must_use]
pub fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    rccar_daemon::run(|| cli.execute())
}
