//! `rccar-modem`: brings the mobile link up and keeps it up.
//!
//! **There is always a next attempt**, until data flows over the modem's interface again; the
//! ladder is `rccar_modem_core`.
//!
//! 1. `tokio_modem_manager` tells what ModemManager and the modem do; the machine hears it in its
//!    own words.
//! 2. What the machine wants is done beside the loop: connecting, addresses and routes ([`link`]),
//!    leases, name servers, cures.
//! 3. Once a second while somebody drives, packets bound to the interface prove that it carries
//!    data.
//! 4. Every decision is one structured record in the log; `org.rccar.Modem1` ([`bus`]) tells other
//!    programs.
//!
//! # Design decisions
//!
//! * The supervisor owns the modem alone. NetworkManager, where it is there, leaves it alone.
//! * One connection to the bus, one loop, one action at a time.
//! * A stopped supervisor leaves the link as it is: an update of it must not cost the connection.
//! * PPP is pppd's, in a unit of its own ([`ppp`]): it has to be root, and this program is not.
//! * Sticks that look like Ethernet (`sticks`) have a loop and machines of their own: nothing that
//!   a modem does keeps them waiting.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests"))]

pub mod bus;
mod cli;
pub mod config;
mod cures;
pub mod dhcp;
mod dns;
mod error;
mod ipv6;
pub mod link;
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

/// The program.
#[must_use]
pub fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    rccar_daemon::run(|| cli.execute())
}
