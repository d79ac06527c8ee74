//! What goes in and comes out of the registration.

use rccar_protocol::claim::ClaimCode;
use rccar_protocol::text::Name;
use std::fmt;
use std::time::Duration;

/// Why an attempt or a connection ended, with a text for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// It could not be made, or it broke: the next attempt may go better.
    Failed(String),
    /// The host would say the same again: not enrolled, another car with the same key, another
    /// version.
    Refused(String),
    /// The car lost the right, or never had it.
    Forbidden(String),
}

impl End {
    /// Whether the host would say the same again.
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
    /// On the way for the first time.
    #[default]
    Connecting,
    /// The last attempt or connection ended; on the way again.
    Lost(String),
    /// The host would say the same again.
    Refused(String),
    /// It waits to be claimed with this code.
    Unclaimed(ClaimCode),
    Registered,
}

/// What is to be done, in this order.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Give up whatever attempt or connection there is, and dial. Then comes
    /// [`super::Registration::handle_challenged`] or [`super::Registration::handle_ended`].
    Dial {
        /// Who is silent for longer is not worth the wait.
        within: Duration,
    },
    /// Answer the host's challenge, with the code that claims the car if the host does not know it.
    Register { claim: ClaimCode },
    /// Send a ping.
    Ping {
        /// Its number.
        id: u32,
    },
    /// Give the connection up and report its end as this.
    HangUp(End),
    /// A driver can reach the car over the host, or not any more.
    Up(bool),
    /// The standing has changed.
    Stand(Standing),
    /// Show the code to whoever is near the car.
    Show(ClaimCode),
    /// Show no code.
    Hide,
}

/// What a person who watches the car wants to know. Nothing has to be done about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The host knows the car.
    Registered {
        /// Name under which drivers see it.
        name: Name,
    },
    /// The car waits to be claimed.
    Unclaimed,
    /// A connection was given up for a better one.
    DialledAnew(Call),
    /// A connection or an attempt ended.
    Lost {
        /// Until the next attempt.
        retry_in: Duration,
        why: End,
    },
}
