//! Async client of [ModemManager](https://modemmanager.org) for tokio.
//!
//! **Every stream yields the present state first**, so no change between asking and subscribing is
//! ever missed.
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
//! objects, and keeps typed copies of modems, bearers and SIMs: a [`Snapshot`]. Reading it costs no
//! round trip. Methods are calls, each with a time-out ([`Timeouts`]).
//!
//! * The task follows a daemon that restarts: [`Snapshot::daemon`] is its name on the bus.
//! * It follows interfaces that come and go (most do while a SIM is locked): `modem3gpp`, `signal`
//!   and the `has_…` flags of [`ModemState`].
//! * A modem is selected by place or IMEI ([`Selector`]), because its object path changes.
//!
//! # What to know about ModemManager
//!
//! Measured with 1.24:
//!
//! * [`State::Connected`] is not a sign of life. It can take a minute until it shows a lost
//!   registration, and it may never show a bearer that the network dropped silently. [`Modem3gpp`],
//!   [`SignalQuality::recent`], [`Modem::probe`] and packets of your own show more.
//! * If the network drops the connection, the reason is [`StateChangeReason::UserRequested`].
//! * [`IpConfig`] is right after each [`Modem::connect`]. It is not refreshed when the network
//!   changes it later.
//! * With PPP ([`IpMethod::Ppp`]) a bearer counts as connected until [`Modem::disconnect`], also
//!   after PPP has ended.
//! * A modem whose SIM is changed becomes another object. A modem that hangs may vanish and come
//!   back only after [`Modem::inhibit`], a reset of USB or [`ModemManager::report_kernel_event`].
//!
//! # Design decisions
//!
//! * No proxies with caches of their own: there is one copy of the state, so two properties of a
//!   modem are always of the same moment.
//! * Streams skip to the newest value. [`Modem::state_changes`] yields every step of the overall
//!   state.
//! * Unknown numbers and error names are kept (`Other`) and are never an error: daemons get newer.
//! * Texts that ModemManager leaves empty are `None`.
//! * SMS, voice, USSD, firmware and CDMA are left out.

// This crate is of use elsewhere, so all of it is documented.
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
