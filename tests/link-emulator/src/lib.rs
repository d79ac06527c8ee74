//! Links that delay, queue and lose packets: state machines without clock, device or randomness of
//! their own.
//!
//! The network lab (`tests/netlab`) plays them in real time between two TUN devices, the tests of
//! congestion control (`crates/cores/congestion/tests/sim`) in virtual time. So what is seen in the
//! one can be looked for in the other, on the very same link.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests"))]

mod counters;
mod dice;
mod direction;
mod profile;
mod scene;

pub use counters::Counters;
pub use dice::Dice;
pub use direction::{Direction, Packet};
pub use profile::{Loss, Path, Profile, Rate, Trace};
pub use scene::Scene;
