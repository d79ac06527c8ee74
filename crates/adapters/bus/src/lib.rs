//! The D-Bus interfaces between the car's programs.
//!
//! **Nothing on this bus steers: set-points have a socket of their own, and a missing bus stops no
//! program.**
//!
//! | name, path | interface | served by | asked by |
//! |---|---|---|---|
//! | `org.rccar.Car`, `/org/rccar/Car` | `org.rccar.Car1` ([`car`]) | `rccar-car` | `rccar-update` |
//! | `org.rccar.Update`, `/org/rccar/Update` | `org.rccar.Update1` ([`update`]) | `rccar-update` | `rccar-car` |
//! | `org.rccar.Modem`, `/org/rccar/Modem` | `org.rccar.Modem1` ([`modem`]) | `rccar-modem` | `rccar-car` |
//! | `org.rccar.Update`, the same | `org.rccar.UpdateOwner1` ([`update`]) | `rccar-update` | its command line, as root |
//!
//! `busctl introspect org.rccar.Car /org/rccar/Car` shows everything.
//!
//! ```
//! use rccar_bus::Address;
//!
//! assert_eq!(Address::default(), Address::System);
//! let private: Address = "unix:path=/run/test/bus".to_owned().try_into()?;
//! assert!(Address::try_from("sytem".to_owned()).is_err());
//! # Ok::<(), String>(())
//! ```
//!
//! # Design decisions
//!
//! * A service is a trait that the program implements; this crate turns it into an interface. So
//!   programs do not know zbus, and tests serve whatever they like.
//! * Clients ask for all properties at once, uncached: a car that is armed must not look disarmed
//!   because a signal was missed. Signals are only a reason to ask again.
//! * Calls that only the owner may make have an interface of their own, because the bus's policy
//!   can only tell interfaces apart.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests"))]

mod address;
pub mod car;
mod error;
pub mod modem;
#[cfg(feature = "testing")]
pub mod testing;
pub mod update;
mod values;

pub use address::Address;
pub use error::BusError;
pub use zbus::Connection;
