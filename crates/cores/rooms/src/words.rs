//! What the rooms take and what they give.

use rccar_protocol::release::UpdateStatus;
use rccar_protocol::signaling::{ByeReason, CarRole, ToCar, ToDriver};
use rccar_protocol::text::{CarId, Name, SessionId};
use std::collections::BTreeMap;

/// A driver's connection. The shell never gives the same number to two connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DriverConn(pub u64);

/// A car's connection. The shell never gives the same number to two connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CarConn(pub u64);

/// A car on the host's list, connected or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnrolledCar {
    /// Fingerprint of the car's key.
    pub id: CarId,
    /// Name under which drivers see it.
    pub name: Name,
    /// Account that the car belongs to.
    pub owner: Option<Name>,
    /// Who else may see or drive it.
    pub shared: Shared,
}

/// With whom a car is shared.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shared {
    /// What everybody on the host may do with it.
    pub everybody: Option<CarRole>,
    /// What single accounts may do.
    pub people: BTreeMap<Name, CarRole>,
}

impl Shared {
    pub(crate) fn boxed(self) -> Option<Box<Self>> {
        (self != Self::default()).then(|| Box::new(self))
    }
}

/// What the shell has to do, in this order.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Send to a driver. `ice_servers` of `connecting` and `prepared` are for the shell to fill in.
    ToDriver { to: DriverConn, message: ToDriver },
    /// A driver has not got all of the list yet. If all earlier messages to it are on their way,
    /// call [`Rooms::handle_list_wanted`](crate::Rooms::handle_list_wanted). Otherwise do nothing:
    /// this effect comes again.
    ListWaits { to: DriverConn },
    /// Send to a car. `ice_servers` of `connect`, `prepare` and `restart` are for the shell to fill
    /// in.
    ToCar { to: CarConn, message: ToCar },
    /// Close a driver's connection, after the messages that were sent before. The machine has
    /// forgotten it already.
    CloseDriver { conn: DriverConn, why: Close },
    /// Close a car's connection, after the messages that were sent before. The machine has
    /// forgotten it already.
    CloseCar { conn: CarConn, why: Close },
}

/// Why a car was not asked to install a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InstallRefusal {
    #[error("there is no such car")]
    NoSuchCar,
    /// The user is neither the car's owner nor an admin.
    #[error("only the owner or an admin may start an update")]
    NotYours,
    #[error("the car is offline; try again when it is back")]
    Offline,
    /// The car's update status has changed since the person saw it.
    #[error("the car does not wait to be asked for this version")]
    NotOnRequest,
}

/// Why the machine closes a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Close {
    /// The same car connected again; a car has one connection.
    Replaced,
    /// The driver's sign-in ended.
    SignedOut,
    Revoked,
    /// The car is not on the list.
    NotEnrolled,
    /// The host is stopping.
    Shutdown,
}

/// For the log: the shell has nothing to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    CarOnline {
        car: CarId,
        name: Name,
        /// Whether another connection of the same car was there and was closed.
        replaced: bool,
    },
    /// A car's connection is gone; its session, if any, waits.
    CarOffline {
        car: CarId,
    },
    /// A car reported something new about its updates.
    UpdateStatus {
        car: CarId,
        /// The car's report, with the reason of an older failure if that still holds.
        status: UpdateStatus,
    },
    SessionStarted {
        session: SessionId,
        car: CarId,
        user: Name,
    },
    /// The driver's connection is gone; the session waits.
    DriverAway {
        session: SessionId,
    },
    /// The driver took the session to a new connection.
    DriverBack {
        session: SessionId,
    },
    /// A prepared session is forgotten: it has not begun.
    PreparedEnded {
        session: SessionId,
    },
    SessionEnded {
        session: SessionId,
        /// The car, free from now on.
        car: CarId,
        /// The driver.
        user: Name,
        reason: ByeReason,
    },
}
