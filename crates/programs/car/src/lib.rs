//! `rccar-car`: the car's end of a drive.
//!
//! It registers the car with its signaling host, answers drivers with an offer, sends the camera's
//! picture and passes set-points on to `rccar-drive`. **Nothing here keeps the wheels turning:
//! every set-point expires in the drive, even if this process hangs or dies.**
//!
//! ```text
//!   signaling ──┐                         ┌── camera ─ encoder (a thread of its own)
//!               ├─► lease ─► session ◄────┤
//!   lan page  ──┘              │ steering └── drive (Unix datagrams)
//! ```
//!
//! `rccar-car-core` makes the decisions; here are the sockets, tasks and signals around it. Lease,
//! session and signaling do not know each other: `run` introduces them, and `messages` has the
//! types that they exchange.
//!
//! # Design decisions
//!
//! * The car runs one session at a time and refuses a second one, even if its host says otherwise.
//! * Steering runs in a task of its own: names that resolve slowly or long descriptions never delay
//!   a set-point.
//! * `SIGUSR1` restarts ICE in the running session, so that a person can look for a better path.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests"))]

mod bus;
mod calibration;
mod camera;
mod claim_code;
mod cli;
mod computer;
mod config;
mod connections;
mod dial;
mod drive;
mod due;
mod encoder;
mod error;
mod host_status;
mod host_url;
mod ice;
mod identity;
mod lan;
mod lease;
mod messages;
mod modem;
mod pose;
mod run;
mod sensors;
mod session;
mod signaling;
mod sizes;
mod steering;
mod try_encoder;
mod uplinks;
mod video;

use clap::Parser;
use std::process::ExitCode;

#[must_use]
pub fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    rccar_daemon::run(|| cli.execute())
}
