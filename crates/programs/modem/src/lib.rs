//! `rccar-modem`: brings the mobile link up and keeps it up.
//!
//! **There is always a next attempt**, until data flows over the modem's interface again. The core
//! `rccar_modem_core` decides which rung of the ladder comes next.
//!
//! 1. `tokio_modem_manager` reports what ModemManager and the modem do. The core gets that in its
//!    own words.
//! 2. Tasks beside the loop carry out the core's effects: connecting, addresses and routes
//!    ([`link`]), leases, name servers, cures.
//! 3. Once a second while somebody drives, packets bound to the interface prove that it carries
//!    data.
//! 4. Every decision is one structured record in the log. `org.rccar.Modem1` ([`bus`]) shows the
//!    state to other programs.
//!
//! # Design decisions
//!
//! * The supervisor alone owns the modem. If there is a NetworkManager, it leaves the modem alone.
//! * One connection to the bus, one loop, one action at a time.
//! * A supervisor that stops leaves the link as it is: its own update must not cost the connection.
//! * pppd does PPP, in a unit of its own ([`ppp`]): it must be root, and this program is not.
//! * Sticks that look like Ethernet (`sticks`) have a loop and cores of their own, so that they
//!   never wait for a modem.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests"))]

pub mod bus;
mod cli;
pub mod config;
mod cures;
pub mod dhcp;
mod dns;
mod error;
mod gps;
mod ipv6;
pub mod link;
mod network_time;
pub mod ppp;
mod probe;
mod reboots;
mod refused_pin;
mod run;
mod settings;
mod stick;
mod sticks;
pub mod supervisor;
mod usb;
mod view;

use clap::Parser;
use std::process::ExitCode;

#[must_use]
pub fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    rccar_daemon::run(|| cli.execute())
}
