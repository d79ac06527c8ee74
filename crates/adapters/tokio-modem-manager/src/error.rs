//! Errors of calls to ModemManager.

use crate::error_names::{
    CarrierLockError, CdmaActivationError, ConnectionError, CoreError, MessageError,
    MobileEquipmentError, SerialError,
};
use crate::names;
use std::time::Duration;
use thiserror::Error;

/// Prefix of the names of ModemManager's own errors.
const PREFIX: &str = "org.freedesktop.ModemManager1.Error.";

/// Why a call failed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// ModemManager answered with one of its errors.
    #[error("{what}: {fault}")]
    ModemManager {
        /// The call.
        what: &'static str,
        /// ModemManager's error.
        fault: Fault,
    },
    /// ModemManager does not run and could not be started.
    #[error("{what}: ModemManager is not running")]
    NotRunning {
        /// The call.
        what: &'static str,
    },
    /// There is no modem that fits the selector.
    #[error("{what}: there is no such modem")]
    NoSuchModem {
        /// The call.
        what: &'static str,
    },
    /// The object or its interface is gone: modems come back under another path, and interfaces
    /// vanish while a SIM is locked.
    #[error("{what}: the object or its interface is gone")]
    Gone {
        /// The call.
        what: &'static str,
    },
    /// The policy of the system does not allow it (polkit or D-Bus).
    #[error("{what}: not allowed: {message}")]
    AccessDenied {
        /// The call.
        what: &'static str,
        /// The daemon's words for the refusal.
        message: String,
    },
    /// No answer in time; see [`Timeouts`](crate::Timeouts).
    #[error("{what}: no answer within {after:?}")]
    Timeout {
        /// The call.
        what: &'static str,
        /// The time-out that was used.
        after: Duration,
    },
    /// The bus failed, or an answer had another type than the API says.
    #[error("{what}: {source}")]
    Bus {
        /// The call.
        what: &'static str,
        /// The error of the bus.
        source: Box<zbus::Error>,
    },
}

impl Error {
    /// ModemManager's own error, if this is one.
    #[must_use]
    pub fn fault(&self) -> Option<&Fault> {
        match self {
            Self::ModemManager { fault, .. } => Some(fault),
            _ => None,
        }
    }

    pub(crate) fn from_zbus(what: &'static str, error: zbus::Error) -> Self {
        let zbus::Error::MethodError(name, message, reply) = &error else {
            return Self::Bus { what, source: Box::new(error) };
        };
        let message = message.clone().unwrap_or_default();
        // Only the bus itself reports that the daemon is gone. ModemManager may pass on the same
        // error about another service.
        let from_bus = reply.header().sender().is_some_and(|sender| sender.as_str() == names::DBUS);
        match name.as_str().strip_prefix("org.freedesktop.DBus.Error.") {
            Some("ServiceUnknown" | "NameHasNoOwner" | "NoReply") if from_bus => {
                Self::NotRunning { what }
            }
            Some("UnknownObject" | "UnknownInterface" | "UnknownMethod") => Self::Gone { what },
            Some("AccessDenied") => Self::AccessDenied { what, message },
            _ => Self::ModemManager { what, fault: Fault::new(name.as_str(), message) },
        }
    }
}

/// An error as it came over the bus: its family and name, and ModemManager's words.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Error)]
#[error("{kind}{}{message}", if message.is_empty() { "" } else { ": " })]
pub struct Fault {
    /// Which error it is.
    pub kind: FaultKind,
    /// ModemManager's words, for people; may be empty. Do not decide by them.
    pub message: String,
}

/// A D-Bus error name, taken apart.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FaultKind {
    /// Of ModemManager itself.
    Core(CoreError),
    /// Of the modem or the network.
    MobileEquipment(MobileEquipmentError),
    /// Of a connection.
    Connection(ConnectionError),
    /// Of a serial port.
    Serial(SerialError),
    /// Of short messages.
    Message(MessageError),
    /// Of CDMA activation.
    CdmaActivation(CdmaActivationError),
    /// Of a carrier lock.
    CarrierLock(CarrierLockError),
    /// A name outside of ModemManager's families.
    Other(String),
}

impl Fault {
    /// Makes one from a D-Bus error name and its message, as in
    /// [`Bearer::connection_error`](crate::Bearer::connection_error).
    #[must_use]
    pub fn new(name: &str, message: String) -> Self {
        Self { kind: FaultKind::from_name(name), message }
    }
}

impl FaultKind {
    /// Takes a D-Bus error name apart.
    #[must_use]
    pub fn from_name(name: &str) -> Self {
        let Some((family, last)) = name.strip_prefix(PREFIX).and_then(|rest| rest.split_once('.'))
        else {
            return Self::Other(name.to_owned());
        };
        match family {
            CoreError::FAMILY => Self::Core(last.into()),
            MobileEquipmentError::FAMILY => Self::MobileEquipment(last.into()),
            ConnectionError::FAMILY => Self::Connection(last.into()),
            SerialError::FAMILY => Self::Serial(last.into()),
            MessageError::FAMILY => Self::Message(last.into()),
            CdmaActivationError::FAMILY => Self::CdmaActivation(last.into()),
            CarrierLockError::FAMILY => Self::CarrierLock(last.into()),
            _ => Self::Other(name.to_owned()),
        }
    }
}

impl std::fmt::Display for FaultKind {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Core(name) => write!(formatter, "Core.{name}"),
            Self::MobileEquipment(name) => write!(formatter, "MobileEquipment.{name}"),
            Self::Connection(name) => write!(formatter, "Connection.{name}"),
            Self::Serial(name) => write!(formatter, "Serial.{name}"),
            Self::Message(name) => write!(formatter, "Message.{name}"),
            Self::CdmaActivation(name) => write!(formatter, "CdmaActivation.{name}"),
            Self::CarrierLock(name) => write!(formatter, "CarrierLock.{name}"),
            Self::Other(name) => formatter.write_str(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_name_is_taken_apart_into_family_and_name() {
        let kind = FaultKind::from_name(
            "org.freedesktop.ModemManager1.Error.MobileEquipment.ServiceOptionNotSubscribed",
        );
        assert_eq!(
            kind,
            FaultKind::MobileEquipment(MobileEquipmentError::ServiceOptionNotSubscribed)
        );
        let kind = FaultKind::from_name("org.freedesktop.ModemManager1.Error.Core.Timeout");
        assert_eq!(kind, FaultKind::Core(CoreError::Timeout));
        assert_eq!(kind.to_string(), "Core.Timeout");
    }

    #[test]
    fn names_of_newer_daemons_and_of_others_are_kept() {
        let kind = FaultKind::from_name("org.freedesktop.ModemManager1.Error.Core.Tired");
        assert_eq!(kind, FaultKind::Core(CoreError::Other("Tired".into())));
        for strange in
            ["", "org.freedesktop.ModemManager1.Error.Core", "org.freedesktop.DBus.Error.Failed"]
        {
            assert_eq!(FaultKind::from_name(strange), FaultKind::Other(strange.into()));
        }
    }

    #[test]
    fn a_fault_reads_as_a_sentence() {
        let name = "org.freedesktop.ModemManager1.Error.Core.Timeout";
        assert_eq!(
            Fault::new(name, "Transaction timed out".into()).to_string(),
            "Core.Timeout: Transaction timed out"
        );
        assert_eq!(Fault::new(name, String::new()).to_string(), "Core.Timeout");
    }
}
