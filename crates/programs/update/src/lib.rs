//! `rccar-update`: keeps the car's image up to date.
//!
//! It asks the host for releases, streams them into the idle slot through RAUC, reboots when the
//! car is parked, and confirms a new version or lets it fall back. **Nothing that it does can keep
//! a car from driving: while somebody drives it neither fetches nor reboots, and the car by itself
//! leaves a version that does not work.**
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
//! * The decisions are in `rccar-update-core`. This crate carries them out: the loop (`shell`), the
//!   transfer ([`proxy`]), files.
//! * RAUC checks signatures and writes slots. This program checks that the signed manifest is the
//!   one that was offered: a host could offer an old bundle with a good signature as a new version.
//! * This program has no privileges: RAUC's service writes the slots, and a path unit reboots when
//!   this program makes a file.

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

#[must_use]
pub fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    rccar_daemon::run(|| cli.execute())
}
