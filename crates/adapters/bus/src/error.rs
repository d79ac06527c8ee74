//! What can go wrong on a message bus.

use thiserror::Error;

#[derive(Debug, Error)]
pub enum BusError {
    #[error("cannot connect to the message bus: {0}")]
    Connect(#[source] Box<zbus::Error>),
    /// The name is taken, or the bus does not let this program have it.
    #[error("cannot serve {name}: {source}")]
    Serve { name: &'static str, source: Box<zbus::Error> },
    /// No program serves the name at present.
    #[error("{0} is not running")]
    Absent(&'static str),
    /// The other program refused; the text is its own.
    #[error("{0}")]
    Refused(String),
    /// The call did not get through, or its answer is not what it should be.
    #[error("{name}: {source}")]
    Call {
        /// The name that was called.
        name: &'static str,
        source: Box<zbus::Error>,
    },
}

impl BusError {
    /// Whether the connection to the bus itself is gone. It does not come back.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        matches!(self, Self::Call { source, .. } if matches!(**source, zbus::Error::InputOutput(_)))
    }

    /// Tells apart a service that is not there and one that refuses.
    pub(crate) fn of_call(name: &'static str, error: zbus::Error) -> Self {
        const ABSENT: [&str; 3] = [
            "org.freedesktop.DBus.Error.ServiceUnknown",
            "org.freedesktop.DBus.Error.NameHasNoOwner",
            "org.freedesktop.DBus.Error.UnknownObject",
        ];
        match &error {
            zbus::Error::MethodError(kind, _, _) if ABSENT.contains(&kind.as_str()) => {
                Self::Absent(name)
            }
            zbus::Error::MethodError(_, Some(text), _) => Self::Refused(text.clone()),
            zbus::Error::FDO(fdo) => match &**fdo {
                zbus::fdo::Error::ServiceUnknown(_)
                | zbus::fdo::Error::NameHasNoOwner(_)
                | zbus::fdo::Error::UnknownObject(_) => Self::Absent(name),
                zbus::fdo::Error::Failed(text) | zbus::fdo::Error::AccessDenied(text) => {
                    Self::Refused(text.clone())
                }
                _ => Self::Call { name, source: Box::new(error) },
            },
            _ => Self::Call { name, source: Box::new(error) },
        }
    }
}
