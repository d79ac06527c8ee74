//! JSON messages over WebSocket between drivers, the signaling host and cars.
//!
//! ```text
//!  driver                      host                        car
//!    │ hello ───────────────────►│◄─────────────── (connects) │
//!    │◄───────────────── welcome │ challenge ────────────────►│
//!    │                           │◄────────────────── register│
//!    │                           │ registered ───────────────►│
//!    │ connect ─────────────────►│ connect ──────────────────►│
//!    │◄────────────── connecting │◄───────────────────── offer│
//!    │◄─────────────────── offer │                            │
//!    │ answer ──────────────────►│ answer ───────────────────►│
//!    │◄═══════════════ candidate, both ways, any time ═══════►│
//!    │ restart ─────────────────►│ restart ──────────────────►│  (the car then sends a new offer)
//!    │ bye ─────────────────────►│ bye ──────────────────────►│  (or from the car)
//! ```
//!
//! **The car is always the offerer and ICE-controlling**; a page that wants another path sends
//! `restart`. An offer carries a `generation`. Answers and candidates name the generation that they
//! belong to; the receiver drops those of an older one.

mod common;
mod messages;
mod parse;

pub use common::{
    ByeReason, Candidate, CarInfo, CarPresence, CarRole, ErrorCode, IceServer, ListShow, ListSort,
    ListWish,
};
pub use messages::{FromCar, FromDriver, ToCar, ToDriver};
pub use parse::{Json, MessageError, parse};

/// Version of the [lists in parts](FromDriver::List) that host and page name in their greetings.
pub const LISTS: u8 = 1;
/// Version of [prepared sessions](FromDriver::Prepare) that the car names when it registers.
pub const PREPARES: u8 = 1;
