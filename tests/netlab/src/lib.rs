//! A lab for connections over networks: **the real programs run, only the networks are invented.**
//!
//! ```text
//! ┌ namespaces of one test ──────────────────────────────────────────────────────────────────────┐
//! │                 ┌ wwan0 ══ link ══ router(s), NAT ┐                                          │
//! │ car: rccar-car ─┤                                 ├─ internet ─ router(s) ══ link ══ net0    │
//! │     rccar-drive └ wlan0 ══ link ══ router(s), NAT ┘      │                          │        │
//! │                                                  host: rccar-host           driver: the test │
//! └──────────────────────────────────────────────────────────────────────────────────────────────┘
//! ```
//!
//! * [`story`] puts a test into namespaces of its own, so that tests run side by side and leave
//!   nothing behind.
//! * [`Lab`] builds uplinks, starts the programs and counts relayed packets.
//! * [`Access`] is the kind of NAT or firewall between an end and the Internet; also IPv6 alone, or
//!   no UDP.
//! * [`Link`] delays, queues and loses packets in real time; `rccar-link-emulator` decides when,
//!   and has the links with names.
//! * [`Driver`] is a driver in Rust. It records when each frame came and the drive's states.
//!
//! `ci/netlab` builds the programs and runs the stories; the ordinary test run leaves them out
//! (`#[ignore]`). README.md shows how a story is written.
//!
//! # Design decisions
//!
//! * The driver is the test itself, not a browser: 64 cells with browsers would take a quarter of
//!   an hour. Stories in `tests/chromium.rs` have one.
//! * The kernel does the NAT, set up for the behaviours of RFC 4787. The link emulator is in user
//!   space, because netem is a kernel module that many machines lack.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests"))]

mod access;
mod authority;
mod cell;
mod chromium;
mod driver;
mod lab;
mod link;
mod namespace;
mod program;
mod restless;
mod scene;
mod story;
mod uplink;
mod wait;
mod watched;

pub use access::{Access, Expected};
pub use cell::cell;
pub use chromium::{Browsed, Steps};
pub use driver::{Driver, Frames, Pair, Seen};
pub use lab::{HOST, Lab, Picture};
pub use link::Link;
pub use namespace::Namespace;
pub use program::Program;
pub use scene::Played;
pub use story::story;
pub use uplink::Uplink;
pub use wait::{by, until};
pub use watched::{Viewed, Watched};
