//! Why a WebSocket is closed.

use axum::extract::ws::CloseFrame;

/// Close codes: 4000–4999 are for applications (RFC 6455 section 7.4.2); these follow the HTTP status of the same meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloseCode {
    /// The host stops or restarts (RFC 6455 section 7.4.1).
    GoingAway,
    /// A fault of the host (RFC 6455 section 7.4.1).
    Internal,
    /// The first message did not come in time, or it speaks another version.
    Handshake,
    /// Signing in comes first, or the sign-in has ended.
    NotSignedIn,
    /// The car may not register here.
    Forbidden,
    /// The client reads too slowly.
    SlowReader,
    /// The same car connected again.
    Replaced,
    /// A message was too large.
    TooLarge,
    /// Too many messages, for too long.
    RateLimited,
}

impl CloseCode {
    /// The number on the wire.
    #[must_use]
    pub fn code(self) -> u16 {
        match self {
            Self::GoingAway => 1001,
            Self::Internal => 1011,
            Self::Handshake => 4400,
            Self::NotSignedIn => 4401,
            Self::Forbidden => 4403,
            Self::SlowReader => 4408,
            Self::Replaced => 4409,
            Self::TooLarge => 4413,
            Self::RateLimited => 4429,
        }
    }

    /// In words.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::GoingAway => "the host is stopping",
            Self::Internal => "a fault of the host",
            Self::Handshake => "no usable first message",
            Self::NotSignedIn => "not signed in",
            Self::Forbidden => "not allowed here",
            Self::SlowReader => "reads too slowly",
            Self::Replaced => "the same car connected again",
            Self::TooLarge => "message too large",
            Self::RateLimited => "too many messages",
        }
    }

    pub(crate) fn frame(self) -> CloseFrame {
        CloseFrame { code: self.code(), reason: self.text().into() }
    }
}

impl From<rccar_rooms::Close> for CloseCode {
    fn from(why: rccar_rooms::Close) -> Self {
        match why {
            rccar_rooms::Close::Replaced => Self::Replaced,
            rccar_rooms::Close::SignedOut => Self::NotSignedIn,
            rccar_rooms::Close::Struck | rccar_rooms::Close::NotEnrolled => Self::Forbidden,
            rccar_rooms::Close::Shutdown => Self::GoingAway,
        }
    }
}
