//! Watches the machine's network interfaces: which are up, their addresses and their default
//! routes, and the networks that the machine is part of (rtnetlink).
//!
//! **The first snapshot is the present state, and no change is ever missed for good:** an
//! announcement of the kernel is only a reason to read everything again. So it does no harm if
//! announcements are lost in an overrun, and a snapshot never mixes old with new.
//!
//! ```no_run
//! # async fn example() {
//! let mut watcher = rccar_interfaces::Watcher::new();
//! loop {
//!     for interface in watcher.next().await {
//!         println!("{}: {:?}", interface.name, interface.outside_addresses());
//!     }
//! }
//! # }
//! ```
//!
//! # Design decisions
//!
//! * It only reads: it changes neither addresses nor routes.
//! * Routing tables other than `main` do not count for an [`Interface`]: programs that fill them
//!   have their own rules. For [`Networks`], which say what is near, all of them do.
//! * A car has a handful of interfaces; to read all of them takes less than a millisecond.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests"))]

mod interface;
mod lan;
mod modem;
mod networks;
mod read;
mod watcher;

pub use interface::{Interface, Medium};
pub use lan::{Lan, is_private, lans};
pub use modem::{driver_of, is_driven_like_a_modem, is_named_like_a_modem};
pub use networks::{Network, Networks, NetworksWatcher};
pub use watcher::Watcher;
