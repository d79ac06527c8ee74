//! The machine's network interfaces as they change: which are up, their addresses, their default
//! routes (rtnetlink).
//!
//! **The first snapshot is the present state, and no change is ever missed for good:** what the
//! kernel announces is only a reason to read everything again. So announcements that were lost in
//! an overrun cost nothing, and a snapshot never mixes old with new.
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
//! * Reads only: neither addresses nor routes are changed here.
//! * Routing tables other than `main` do not count: who fills them has rules of their own.
//! * A car has a handful of interfaces; a dump of all takes less than a millisecond.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests"))]

mod interface;
mod modem;
mod read;
mod watcher;

pub use interface::{Interface, Medium};
pub use modem::{driver_of, is_driven_like_a_modem, is_named_like_a_modem};
pub use watcher::Watcher;
