//! Inputs, effects and events of the registration.

use rccar_protocol::claim::ClaimCode;
use rccar_protocol::text::Name;
use std::fmt;
use std::time::Duration;

/// Why an attempt or a connection ended, with a text for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// The connection could not be made, or it broke: the next attempt may go better.
    Failed(String),
    /// The host will say the same again: the car is not enrolled, another car has the same key, or
    /// the host speaks another version.
    Refused(String),
    /// The car was revoked, or was never allowed to register.
    Forbidden(String),
}

impl End {
    /// Whether the host will say the same again.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::Refused(_) | Self::Forbidden(_))
    }

    /// For people.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Failed(text) | Self::Refused(text) | Self::Forbidden(text) => text,
        }
    }
}

/// A reason to dial the host at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    /// The car uses another uplink.
    Moved,
    /// A path to a driver is silent, and so is the host.
    Suspected,
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Moved => "another uplink is used",
            Self::Suspected => "neither host nor driver answer",
        })
    }
}

/// How the car stands with its host.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Standing {
    /// The car dials for the first time.
    #[default]
    Connecting,
    /// The last attempt or connection ended; the car dials again. Holds the reason.
    Lost(String),
    /// The host refused the car and will do so again. Holds the reason.
    Refused(String),
    /// The car waits to be claimed with this code.
    Unclaimed(ClaimCode),
    Registered,
}

/// To be done in the order in which they come.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Give up any attempt or connection that there is, and dial. Then call
    /// [`super::Registration::handle_challenged`] or [`super::Registration::handle_ended`].
    Dial {
        /// Give up a host that is silent for longer.
        within: Duration,
    },
    /// Answer the host's challenge. The code claims the car if the host does not know it.
    Register {
        claim: ClaimCode,
    },
    Ping {
        id: u32,
    },
    /// Give up the connection, and call [`super::Registration::handle_ended`] with this end.
    HangUp(End),
    /// Drivers can reach the car over the host from now on (true), or no longer (false).
    Up(bool),
    /// The standing has changed.
    Stand(Standing),
    /// Show the code to the people near the car.
    Show(ClaimCode),
    /// Show no code.
    Hide,
}

/// For the log: nothing has to be done about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The host knows the car.
    Registered {
        /// Name under which drivers see it.
        name: Name,
    },
    /// The host does not know the car, and lets it wait to be claimed.
    Unclaimed,
    /// A connection was given up for a better one.
    DialledAnew(Call),
    /// A connection or an attempt ended.
    Lost {
        /// The wait until the next attempt.
        retry_in: Duration,
        why: End,
    },
}
