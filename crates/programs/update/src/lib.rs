//! `rccar-update`: keeps the car's image up to date.
//!
//! Asks the host for releases, streams them into the idle slot through RAUC, reboots when the car is parked, and confirms a new version
//! or lets it fall back. **Nothing it does can keep a car from driving: while somebody drives it neither fetches nor reboots, and a
//! version that does not do what a car is for is left again by itself.**
//!
//! ```text
//!   rccar-car ── org.rccar.Car1: driven? registered? picture? token ──► agent ◄── org.rccar.Update1: check, install ── rccar-car, CLI
//!                                                                     │  ▲
//!                                        effects of rccar-update-core │  │ what happened
//!                                                                     ▼  │
//!   host ◄── HTTPS, ranges ── proxy on the loopback interface ◄── RAUC (D-Bus) ──► idle slot, bootloader
//! ```
//!
//! # Design decisions
//!
//! * The decisions are in `rccar-update-core`; here is what does them: the loop ([`agent`](crate)), the transfer ([`proxy`]), files.
//! * RAUC checks signatures and writes slots. The agent checks that the signed manifest is what was offered, because a host could offer
//!   an old, rightly signed bundle under a new name.
//! * The agent has no privileges: RAUC's service writes, and a path unit turns the file that asks for a reboot into one.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests"))]

pub mod access;
mod agent;
pub mod cli;
pub mod config;
pub mod http;
mod install;
mod link;
mod offer;
pub mod proxy;
pub mod run;
mod service;
mod state;
mod status;
mod system;
mod watch;
mod words;

use clap::Parser;
use std::process::ExitCode;

/// The program.
#[must_use]
pub fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    rccar_daemon::run(|| cli.execute())
}
