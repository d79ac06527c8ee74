//! `rccar-host`: the signaling host.
//!
//! **It introduces drivers to cars and carries nothing of the drive itself: a host that is down or
//! slow ends no drive, and its relay sees encrypted packets only.** Both ends trust its
//! introduction: a hostile host could put itself between the two (`ARCHITECTURE.md`, "Trust").
//!
//! It brings together [`rccar_site`] (routes, sockets, page), [`rccar_rooms`] (who drives what),
//! `rccar_relay` (STUN and TURN) and a database of accounts and cars. `docs/host.md` says how to
//! run one.
//!
//! # Design decisions
//!
//! * One binary with SQLite inside: a host for friends is one file and one directory.
//! * TLS by itself, with a certificate that it gets and renews, or behind a reverse proxy. Page,
//!   signaling and TURN share one port then: the first byte tells them apart.
//! * The command line works on the database and not through the server: it also works when the
//!   server does not.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests"))]

mod accounts;
mod admin;
mod cli;
mod config;
mod db;
mod error;
mod files;
mod grants;
mod ice;
mod ice_urls;
mod lifetimes;
mod password;
mod password_rules;
mod plain_http;
mod releases;
mod run;
mod sockets;
mod tls;

use clap::Parser;
use std::process::ExitCode;

#[must_use]
pub fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    rccar_daemon::run(|| cli.execute())
}

#[cfg(test)]
fn test_name(text: &str) -> rccar_protocol::text::Name {
    rccar_protocol::text::Name::new(text).unwrap()
}

#[cfg(test)]
fn test_store() -> db::Store {
    db::Store::in_memory()
}
