//! Why the host closes a WebSocket, and what its client does then.

use std::time::Duration;

/// Shortest wait before coming back after [`CloseCode::RateLimited`].
pub const RATE_LIMITED_WAIT: Duration = Duration::from_secs(5);

/// Why the host closes a WebSocket. The numbers 4000–4999 are for applications (RFC 6455 section
/// 7.4.2); those from 4400 on are 4000 plus the HTTP status of the same meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CloseCode {
    /// The host is stopping (RFC 6455 section 7.4.1).
    GoingAway,
    /// A fault of the host (RFC 6455 section 7.4.1).
    Internal,
    /// No usable first message came in time, or it names another version.
    Handshake,
    /// Nobody is signed in, or the right was revoked.
    NotSignedIn,
    /// The host does not let this car register.
    Forbidden,
    /// The client read too slowly.
    SlowReader,
    /// The same car connected again.
    Replaced,
    /// A message was larger than [`MAX_MESSAGE_BYTES`](crate::MAX_MESSAGE_BYTES).
    TooLarge,
    /// The client sent too many messages, for too long.
    RateLimited,
}

/// What a client does after its connection was closed. Every wait is jittered and grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Advice {
    /// The next attempt may go better.
    ComeBack,
    /// Come back after this time at least.
    ComeBackAfter(Duration),
    /// The host will say the same again until a person has changed something.
    ComeBackSlowly,
    /// Do not come back before a person asks for it.
    StayAway,
}

impl CloseCode {
    /// In ascending order of their numbers.
    pub const ALL: [Self; 9] = [
        Self::GoingAway,
        Self::Internal,
        Self::Handshake,
        Self::NotSignedIn,
        Self::Forbidden,
        Self::SlowReader,
        Self::Replaced,
        Self::TooLarge,
        Self::RateLimited,
    ];

    /// The number on the wire.
    #[must_use]
    pub const fn code(self) -> u16 {
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

    /// `None` for a number that has no meaning here: the client then acts as if the connection had
    /// broken.
    #[must_use]
    pub fn from_code(code: u16) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.code() == code)
    }

    #[must_use]
    pub const fn advice(self) -> Advice {
        match self {
            Self::GoingAway | Self::Internal | Self::SlowReader | Self::TooLarge => {
                Advice::ComeBack
            }
            Self::RateLimited => Advice::ComeBackAfter(RATE_LIMITED_WAIT),
            Self::Handshake | Self::Forbidden => Advice::ComeBackSlowly,
            Self::NotSignedIn | Self::Replaced => Advice::StayAway,
        }
    }

    /// The reason in the close frame (RFC 6455 section 5.5.1): at most 123 bytes.
    #[must_use]
    pub const fn text(self) -> &'static str {
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_means_one_thing_and_most_mean_nothing() {
        let known: Vec<_> = (0..=u16::MAX).filter_map(CloseCode::from_code).collect();
        assert_eq!(known, CloseCode::ALL);
        assert!(
            CloseCode::ALL.into_iter().all(|code| CloseCode::from_code(code.code()) == Some(code))
        );
    }

    #[test]
    fn the_words_fit_into_a_close_frame() {
        // A control frame has 125 bytes at most, two of them for the code.
        assert!(CloseCode::ALL.into_iter().all(|code| code.text().len() <= 123));
    }
}
