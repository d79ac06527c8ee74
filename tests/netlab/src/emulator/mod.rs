//! The link emulator: a pair of TUN devices, and between them a thread that delays, queues and
//! loses packets.
//!
//! The kernel's own emulator (netem) is a module that many machines do not have. This one needs
//! only TUN.

mod counters;
mod dice;
mod direction;
mod link;
mod profile;

pub use counters::Counters;
pub use dice::Dice;
pub use direction::Direction;
pub use link::Link;
pub use profile::{Loss, Path, Profile, Rate, Trace};
