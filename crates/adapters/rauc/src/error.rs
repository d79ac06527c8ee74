//! What can go wrong when RAUC is asked.

use thiserror::Error;

#[derive(Debug, Error)]
pub enum RaucError {
    /// RAUC's service does not run and cannot be started, or it ended during the call.
    #[error("RAUC's service is not running")]
    Absent,
    #[error("RAUC is busy with something else")]
    Busy,
    /// RAUC refused; the text is its own.
    #[error("{0}")]
    Refused(String),
    /// RAUC's answer lacks something.
    #[error("RAUC answered with {0}")]
    Answer(&'static str),
    /// The call did not get through.
    #[error("cannot ask RAUC: {0}")]
    Bus(#[source] Box<zbus::Error>),
}

impl RaucError {
    /// Whether this RAUC is too old for the call.
    #[must_use]
    pub fn is_unsupported(&self) -> bool {
        // GLib's text for a method that an interface does not have.
        matches!(self, Self::Refused(text) if text.contains("No such method"))
    }
}

impl From<zbus::Error> for RaucError {
    fn from(error: zbus::Error) -> Self {
        const ABSENT: [&str; 3] = [
            "org.freedesktop.DBus.Error.ServiceUnknown",
            "org.freedesktop.DBus.Error.NameHasNoOwner",
            "org.freedesktop.DBus.Error.NoReply",
        ];
        let text = match &error {
            zbus::Error::MethodError(kind, ..) if ABSENT.contains(&kind.as_str()) => {
                return Self::Absent;
            }
            zbus::Error::MethodError(_, Some(text), _) => text.clone(),
            zbus::Error::FDO(fdo) => match &**fdo {
                zbus::fdo::Error::ServiceUnknown(_)
                | zbus::fdo::Error::NameHasNoOwner(_)
                | zbus::fdo::Error::NoReply(_) => {
                    return Self::Absent;
                }
                other => other.to_string(),
            },
            _ => return Self::Bus(Box::new(error)),
        };
        // RAUC says so for every method, but spells it in two ways.
        if text.to_ascii_lowercase().contains("already processing a different method") {
            Self::Busy
        } else {
            Self::Refused(text)
        }
    }
}
