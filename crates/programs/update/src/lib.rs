//! `rccar-update`: keeps the car's image up to date.
//!
//! Asks the host for releases, streams them into the idle slot through RAUC, reboots when the car
//! is parked, and confirms a new version or lets it fall back. **Nothing it does can keep a car
//! from driving: while somebody drives it neither fetches nor reboots, and a version that does not
//! do what a car is for is left again by itself.**
//!
//! ```text
//!   rccar-car ── org.rccar.Car1: driven? registered? picture? token ──► shell ◄── org.rccar.Update1: check, install ── rccar-car, CLI
//!                                                                     │  ▲
//!                                        effects of rccar-update-core │  │ what happened
//!                                                                     ▼  │
//!   host ◄── HTTPS, ranges ── proxy on the loopback interface ◄── RAUC (D-Bus) ──► idle slot, bootloader
//! ```
//!
//! # Design decisions
//!
//! * The decisions are in `rccar-update-core`; here is what does them: the loop (`shell`), the
//!   transfer ([`proxy`]), files.
//! * RAUC checks signatures and writes slots. This program checks that the signed manifest is what
//!   was offered, because a host could offer an old, rightly signed bundle under a new name.
//! * This program has no privileges: RAUC's service writes, and a path unit turns the file that
//!   asks for a reboot into one.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests"))]

pub mod access;
mod bus;
mod cli;
pub mod config;
mod error;
pub mod http;
mod install;
mod metered;
pub mod proxy;
mod rauc_faults;
mod release_offer;
mod run;
mod shell;
mod state;
mod status;
mod system;
mod watch;

use clap::Parser;
use std::process::ExitCode;

/// The program.
#[must_use]
pub fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    rccar_daemon::run(|| cli.execute())
}
