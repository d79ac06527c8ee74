//! Names of ModemManager on the bus.

/// Name of the service.
pub const SERVICE: &str = "org.freedesktop.ModemManager1";
/// The object that has the manager's methods and the object manager.
pub const MANAGER_PATH: &str = "/org/freedesktop/ModemManager1";
/// Means "no object" where a property or an argument is a path.
pub const NO_OBJECT: &str = "/";

/// Interface of the manager.
pub const MANAGER: &str = "org.freedesktop.ModemManager1";
/// Interface of a modem.
pub const MODEM: &str = "org.freedesktop.ModemManager1.Modem";
/// Interface for connect, disconnect and status, in one call each.
pub const SIMPLE: &str = "org.freedesktop.ModemManager1.Modem.Simple";
/// 3GPP registration and packet service.
pub const MODEM_3GPP: &str = "org.freedesktop.ModemManager1.Modem.Modem3gpp";
/// Interface of a modem that knows the network's time.
pub const TIME: &str = "org.freedesktop.ModemManager1.Modem.Time";
/// Connection profiles stored in the modem.
pub const PROFILE_MANAGER: &str = "org.freedesktop.ModemManager1.Modem.Modem3gpp.ProfileManager";
/// Extended signal quality.
pub const SIGNAL: &str = "org.freedesktop.ModemManager1.Modem.Signal";
/// Cell and GNSS location.
pub const LOCATION: &str = "org.freedesktop.ModemManager1.Modem.Location";
/// Interface of a packet data bearer.
pub const BEARER: &str = "org.freedesktop.ModemManager1.Bearer";
/// Interface of a SIM.
pub const SIM: &str = "org.freedesktop.ModemManager1.Sim";

pub(crate) const DBUS: &str = "org.freedesktop.DBus";
pub(crate) const DBUS_PATH: &str = "/org/freedesktop/DBus";
pub(crate) const PROPERTIES: &str = "org.freedesktop.DBus.Properties";
pub(crate) const OBJECT_MANAGER: &str = "org.freedesktop.DBus.ObjectManager";
