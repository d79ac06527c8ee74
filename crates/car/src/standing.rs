//! How the car stands with its signaling host, for its own page.

use rccar_protocol::claim::ClaimCode;
use rccar_signaling::{HostState, HostStatus};

/// How the car stands with its host.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Standing {
    /// On the way, or on the way back; with the reason of the last failure.
    #[default]
    Connecting,
    /// The last attempt failed.
    Lost(String),
    /// The host would say the same again.
    Refused(String),
    /// It waits to be claimed with this code.
    Unclaimed(ClaimCode),
    Registered,
}

impl Standing {
    /// For the page.
    pub(crate) fn status(&self, url: String) -> HostStatus {
        let (state, text) = match self {
            Self::Connecting => (HostState::Connecting, None),
            Self::Lost(why) => (HostState::Connecting, Some(why.clone())),
            Self::Refused(why) => (HostState::Refused, Some(why.clone())),
            Self::Unclaimed(_) => (HostState::Unclaimed, None),
            Self::Registered => (HostState::Registered, None),
        };
        HostStatus { url, state, text }
    }

    pub(crate) fn claim(&self) -> Option<ClaimCode> {
        if let Self::Unclaimed(code) = self { Some(code.clone()) } else { None }
    }
}
