//! Typed copies of the properties of modems and their objects, all of one moment.

mod bearer;
mod location;
mod modem;
mod modem3gpp;
mod signal;
mod sim;

pub use bearer::{Bearer, BearerStats, IpConfig};
pub use location::{Cell, Fix, Location};
pub use modem::{ModemState, Port, SignalQuality};
pub use modem3gpp::{Modem3gpp, NetworkRejection};
pub use signal::{CellSignal, Signal};
pub use sim::Sim;
