//! `rccar-drive`: the process that owns the actuators of the car, and outlives the one that talks
//! to the network.
//!
//! **Whatever happens to its peers, 250 ms after the last fresh input of the driver servo and motor
//! are at neutral.**
//!
//! One thread, no runtime. In each turn of its loop ([`shell`])
//!
//! 1. the machine ([`rccar_drive_core::Machine`]) lets its deadlines expire,
//! 2. its output goes to the [`actuator`],
//! 3. the sender of the newest set-point gets a status ([`reporter`]) with what the [`sensor`]s
//!    know,
//! 4. the loop sleeps until a datagram, a signal or the next deadline; 5 ms at most while the car
//!    moves, 50 ms otherwise,
//! 5. the datagrams that came go to the machine.
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
//! * The loop waits for nobody: sends do not block, and journal, trace file and systemd are served
//!   by another thread ([`recorder`]).
//! * Who may open the socket may drive: it is protected by its mode (0660), and what comes through
//!   it is checked, not trusted.
//! * An empty datagram asks for the status without becoming the one who drives
//!   (`rccar-drive status`).
//! * A PWM goes on when the process behind it has died. `rccar-drive neutral` is for the service
//!   manager to run then.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests"))]

pub mod actuator;
mod cli;
pub mod config;
mod error;
pub mod query;
mod realtime;
pub mod recorder;
pub mod reporter;
mod run;
pub mod sensor;
pub mod shell;
pub mod socket;

use clap::Parser;
use std::process::ExitCode;

/// The program.
#[must_use]
pub fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    rccar_daemon::run(|| cli.execute())
}
