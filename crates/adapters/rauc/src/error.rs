//! What can go wrong.

use thiserror::Error;

/// Why RAUC did not do what was asked.
#[derive(Debug, Error)]
pub enum RaucError {
    /// Its service does not run and cannot be started, or went away in the middle.
    #[error("RAUC's service is not running")]
    Absent,
    /// It is doing something else.
    #[error("RAUC is busy with something else")]
    Busy,
    /// It refused, in its words.
    #[error("{0}")]
    Refused(String),
    /// Its answer is not what it should be.
    #[error("RAUC answered with {0}")]
    Answer(&'static str),
    /// The call did not get through.
    #[error("cannot ask RAUC: {0}")]
    Bus(#[source] Box<zbus::Error>),
}

impl RaucError {
    /// Whether this RAUC is too old for what it was asked.
    #[must_use]
    pub fn is_unsupported(&self) -> bool {
        // GLib's word for a method that an interface does not have.
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
        // The same words for every method, in two spellings.
        if text.to_ascii_lowercase().contains("already processing a different method") {
            Self::Busy
        } else {
            Self::Refused(text)
        }
    }
}
