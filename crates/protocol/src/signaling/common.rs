//! Parts of signaling messages.

use crate::release::UpdateStatus;
use crate::strict;
use crate::text::{CarId, Name, Software, TextError};
use serde::{Deserialize, Serialize};
use std::fmt;

/// An ICE server as `RTCPeerConnection` takes it (W3C WebRTC, `RTCIceServer`).
///
/// Its `Debug` form hides the credential, so that a message can be logged.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IceServer {
    /// `stun:` and `turn:` addresses (RFC 7064, RFC 7065).
    pub urls: Vec<String>,
    /// TURN user name, time-limited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// TURN password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credential: Option<String>,
}

impl fmt::Debug for IceServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let credential = self.credential.as_ref().map(|_| "hidden");
        f.debug_struct("IceServer")
            .field("urls", &self.urls)
            .field("username", &self.username)
            .field("credential", &credential)
            .finish()
    }
}

/// An ICE candidate (W3C WebRTC, `RTCIceCandidateInit`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RawCandidate")]
pub struct Candidate {
    candidate: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    sdp_mid: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sdp_m_line_index: Option<u16>,
}

#[derive(Deserialize)]
struct RawCandidate {
    candidate: String,
    sdp_mid: Option<String>,
    sdp_m_line_index: Option<u16>,
}

impl TryFrom<RawCandidate> for Candidate {
    type Error = TextError;
    fn try_from(raw: RawCandidate) -> Result<Self, TextError> {
        Self::new(raw.candidate, raw.sdp_mid, raw.sdp_m_line_index)
    }
}

impl Candidate {
    /// Largest size of the candidate line. The longest that Chromium writes has about 250 bytes.
    pub const MAX_BYTES: usize = 512;

    /// Checks sizes and characters; an empty line means the end of candidates (RFC 8838 section 13).
    pub fn new(candidate: String, sdp_mid: Option<String>, sdp_m_line_index: Option<u16>) -> Result<Self, TextError> {
        let longest = candidate.len().max(sdp_mid.as_ref().map_or(0, String::len));
        if longest > Self::MAX_BYTES {
            return Err(TextError::TooLong { what: "candidate", got: longest, max: Self::MAX_BYTES });
        }
        if candidate.chars().chain(sdp_mid.iter().flat_map(|mid| mid.chars())).any(char::is_control) {
            return Err(TextError::Characters { what: "candidate", rule: "no control characters" });
        }
        Ok(Self { candidate, sdp_mid, sdp_m_line_index })
    }

    /// The candidate line, `candidate:…` (RFC 8839 section 5.1), or empty for the end of candidates.
    #[must_use]
    pub fn line(&self) -> &str {
        &self.candidate
    }

    /// The `a=mid` of its media section.
    #[must_use]
    pub fn sdp_mid(&self) -> Option<&str> {
        self.sdp_mid.as_deref()
    }

    /// Index of its media section.
    #[must_use]
    pub fn sdp_m_line_index(&self) -> Option<u16> {
        self.sdp_m_line_index
    }
}

/// A car in the list that drivers see.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CarInfo {
    /// The car.
    pub id: CarId,
    /// Its name.
    pub name: Name,
    /// Whether it can be driven.
    #[serde(deserialize_with = "strict::word")]
    pub presence: CarPresence,
    /// Who drives it, while it is busy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub driver: Option<Name>,
    /// Program of the car, once it has registered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub software: Option<Software>,
    /// Whose it is. Who has no account any more, and whoever enrolled it on the command line, is nobody.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<Name>,
    /// How far it is with its updates, once it has said so.
    #[serde(default, deserialize_with = "strict::maybe_object", skip_serializing_if = "Option::is_none")]
    pub update: Option<UpdateStatus>,
}

impl CarInfo {
    /// Bytes that it takes in a message.
    #[must_use]
    pub fn json_bytes(&self) -> usize {
        // It holds text and words only, which serde_json always writes.
        serde_json::to_string(self).map_or(0, |json| json.len())
    }
}

/// Whether a car can be driven.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CarPresence {
    /// Not connected to the host.
    Offline,
    /// Connected and free.
    Available,
    /// Somebody drives it.
    Busy,
}

/// Why a message was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ErrorCode {
    /// Not JSON, or a field is missing or illegal.
    Malformed,
    /// The `type` is not known.
    UnknownType,
    /// The message is larger than [`crate::MAX_MESSAGE_BYTES`].
    TooLarge,
    /// Too many messages in too little time.
    RateLimited,
    /// The other side speaks another version.
    UnsupportedVersion,
    /// The message does not fit the state of the conversation.
    OutOfOrder,
    /// Signing in comes first.
    NotSignedIn,
    /// Signed in, but without the right.
    Forbidden,
    /// No such car.
    NoSuchCar,
    /// The car is not connected.
    CarOffline,
    /// Somebody else drives the car.
    CarBusy,
    /// No such session, or it has ended.
    NoSuchSession,
    /// The car is not enrolled with this host and showed no valid enrolment token.
    NotEnrolled,
    /// The signature does not match the key, the host's name or the nonce.
    BadSignature,
    /// The other side did not answer in time.
    Timeout,
    /// The receiver reads too slowly.
    SlowReader,
    /// A fault of the program that answers; its log has more.
    Internal,
}

/// Why a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ByeReason {
    /// The driver left.
    DriverLeft,
    /// The driver's connection to the host broke and did not come back.
    DriverGone,
    /// The car ended the session.
    CarLeft,
    /// The car's connection to the host broke and did not come back.
    CarGone,
    /// The same driver opened the car in another page.
    Replaced,
    /// Somebody drives the car already.
    CarBusy,
    /// No path between the two was found, or it was lost for good.
    IceFailed,
    /// The browser cannot receive H.264.
    NoH264,
    /// A description could not be used.
    BadDescription,
    /// The driver lost the right to drive.
    Revoked,
    /// The program is stopping.
    Shutdown,
    /// A fault of the program; its log has more.
    Internal,
}
