//! Async client of [ModemManager](https://modemmanager.org) for tokio.
//!
//! **What a stream yields first is the present**, so nothing that happened between asking and
//! subscribing is ever missed.
//!
//! ```no_run
//! use futures_util::StreamExt;
//! use tokio_modem_manager::{ConnectProperties, ModemManager, Selector};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let manager = ModemManager::system().await?;
//! let modem = manager.modem(Selector::Any);
//! // Waits until there is one that can be connected.
//! let ready = modem.follow(|modem| modem.is_some_and(|modem| modem.has_simple));
//! ready.filter(|ready| std::future::ready(*ready)).next().await;
//!
//! let path = modem.connect(&ConnectProperties::apn("internet")).await?;
//! let bearer = modem.bearer(&path).await?;
//! println!("{:?}: {:?}", bearer.interface, bearer.ip4);
//! # Ok(())
//! # }
//! ```
//!
//! # How it works
//!
//! [`ModemManager::new`] starts one task. It subscribes to the daemon's signals, asks for all
//! objects, and keeps typed copies of modems, bearers and SIMs: a [`Snapshot`]. Reading costs no
//! round trip; methods are calls with time-outs of their own ([`Timeouts`]).
//!
//! * A daemon that restarts is followed: [`Snapshot::daemon`] tells which one it is.
//! * Interfaces that come and go by themselves (most do while a SIM is locked) are followed:
//!   `modem3gpp`, `signal` and the `has_…` flags of [`ModemState`].
//! * Modems are named by place or IMEI ([`Selector`]), because their object paths change.
//!
//! # What to know about ModemManager
//!
//! Measured with 1.24:
//!
//! * [`State::Connected`] is not a sign of life. A lost registration can take a minute to show in
//!   it, a bearer that the network dropped silently may never. [`Modem3gpp`],
//!   [`SignalQuality::recent`], [`Modem::probe`] and packets of your own tell more.
//! * A drop by the network comes with [`StateChangeReason::UserRequested`].
//! * [`IpConfig`] is not refreshed when the network changes it; it is right after each
//!   [`Modem::connect`].
//! * With PPP ([`IpMethod::Ppp`]) a bearer counts as connected until [`Modem::disconnect`],
//!   whatever becomes of PPP.
//! * A modem whose SIM is changed becomes another object; a modem that hangs may vanish and come
//!   back only after [`Modem::inhibit`], a reset of USB or [`ModemManager::report_kernel_event`].
//!
//! # Design decisions
//!
//! * No proxies with caches of their own: one place holds the truth, so that two properties of one
//!   modem are of one moment.
//! * Streams skip to the newest. Who needs every step of the overall state has
//!   [`Modem::state_changes`].
//! * Unknown numbers and error names are kept (`Other`), never an error: daemons get newer.
//! * Texts that ModemManager leaves empty are `None`.
//! * SMS, voice, USSD, firmware and CDMA are left out.

// Of use outside of this project, and so documented whole.
#![warn(missing_docs)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests"))]

mod connect;
mod dict;
mod enums;
mod error;
mod error_names;
mod flags;
mod manager;
mod mirror;
mod modem;
pub mod names;
mod properties;
mod timeouts;
mod tree;

pub use connect::ConnectProperties;
pub use enums::{
    BearerType, FailedReason, IpMethod, Lock, PacketServiceState, PortType, PowerState,
    RegistrationState, SimType, State, StateChangeReason,
};
pub use error::{Error, Fault, FaultKind};
pub use error_names::{
    CarrierLockError, CdmaActivationError, ConnectionError, CoreError, MessageError,
    MobileEquipmentError, SerialError,
};
pub use flags::{
    AccessTechnologies, AllowedAuth, Capabilities, IpFamilies, LocationSources, Modes,
};
pub use manager::{Inhibition, ModemManager};
pub use modem::{Modem, Selector, StateChange};
pub use properties::{
    Bearer, BearerStats, Cell, CellSignal, Fix, IpConfig, Location, Modem3gpp, ModemState,
    NetworkRejection, Port, Signal, SignalQuality, Sim,
};
pub use timeouts::Timeouts;
pub use tree::Snapshot;
pub use zbus;
