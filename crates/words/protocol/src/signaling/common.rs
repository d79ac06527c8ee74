//! Parts that several signaling messages have.

use crate::release::UpdateStatus;
use crate::strict;
use crate::text::{CarId, Name, Note, Software, TextError};
use crate::word::words;
use serde::{Deserialize, Serialize};
use std::fmt;

/// An ICE server as `RTCPeerConnection` takes it (W3C WebRTC, `RTCIceServer`).
///
/// Its `Debug` form hides the credential, so that a message can be logged.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IceServer {
    /// `stun:` and `turn:` addresses (RFC 7064, RFC 7065).
    pub urls: Vec<String>,
    /// For TURN only; it works for a limited time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// The password for TURN.
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
    /// Largest size of the candidate line, and of its `sdp_mid`. The longest line that Chromium
    /// writes has about 250 bytes.
    pub const MAX_BYTES: usize = 512;

    /// Takes lines without control characters. An empty line means the end of candidates (RFC 8838
    /// section 13).
    pub fn new(
        candidate: String,
        sdp_mid: Option<String>,
        sdp_m_line_index: Option<u16>,
    ) -> Result<Self, TextError> {
        let longest = candidate.len().max(sdp_mid.as_ref().map_or(0, String::len));
        if longest > Self::MAX_BYTES {
            return Err(TextError::TooLong {
                what: "candidate",
                got: longest,
                max: Self::MAX_BYTES,
            });
        }
        if candidate.chars().chain(sdp_mid.iter().flat_map(|mid| mid.chars())).any(char::is_control)
        {
            return Err(TextError::Characters { what: "candidate", rule: "no control characters" });
        }
        Ok(Self { candidate, sdp_mid, sdp_m_line_index })
    }

    /// The candidate line, `candidate:…` (RFC 8839 section 5.1), or empty for the end of
    /// candidates.
    #[must_use]
    pub fn line(&self) -> &str {
        &self.candidate
    }

    /// The `a=mid` of the media section that the candidate is for.
    #[must_use]
    pub fn sdp_mid(&self) -> Option<&str> {
        self.sdp_mid.as_deref()
    }

    /// The index of that media section, from 0.
    #[must_use]
    pub fn sdp_m_line_index(&self) -> Option<u16> {
        self.sdp_m_line_index
    }
}

/// A car in the list that drivers see.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CarInfo {
    pub id: CarId,
    pub name: Name,
    pub presence: CarPresence,
    /// The driver, while the car is busy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub driver: Option<Name>,
    /// `None` until the car has registered for the first time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub software: Option<Software>,
    /// `None` if nobody owns the car: the account was removed, or the car was enrolled on the
    /// command line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<Name>,
    /// What the reader may do with the car. `None`: the host is older than these rights, or it is
    /// the car's own page; whoever sees the car may drive it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<CarRole>,
    /// `None` until the car has reported its updates.
    #[serde(
        default,
        deserialize_with = "strict::maybe_object",
        skip_serializing_if = "Option::is_none"
    )]
    pub update: Option<UpdateStatus>,
}

impl CarInfo {
    /// Bytes that this entry takes in a message.
    #[must_use]
    pub fn json_bytes(&self) -> usize {
        // The entry holds only text and words, and serde_json can always write those.
        serde_json::to_string(self).map_or(0, |json| json.len())
    }
}

words! {
    /// What somebody may do with a car.
    CarRole {
        /// Everything: drive it, share it, take it back, update it, give it away.
        Owner = "owner",
        /// See it and drive it.
        Driver = "driver",
        /// See it, and who drives it.
        Spectator = "spectator",
    }
}

words! {
    /// Whether a car can be driven.
    CarPresence {
        /// Not connected to the host.
        Offline = "offline",
        /// Connected and free.
        Available = "available",
        /// Somebody drives the car.
        Busy = "busy",
    }
}

/// What a page wants to see of the list of cars.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListWish {
    /// Comes back with every answer.
    pub id: u32,
    /// Cars with this in their name or their owner's, or with an identifier that begins with it,
    /// whatever the case of letters. `None`: all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub search: Option<Note>,
    pub show: ListShow,
    pub sort: ListSort,
    /// Only this car.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub car: Option<CarId>,
    /// Number of the first car that is wanted, from 0.
    pub from: u32,
    /// How many are wanted. A host sends fewer if these are too many.
    #[serde(deserialize_with = "strict::positive")]
    pub count: u8,
}

words! {
    /// Which cars a page wants to see.
    ListShow {
        All = "all",
        /// Those of the account that is signed in.
        Own = "own",
        /// Those that can be driven now.
        Ready = "ready",
    }
}

words! {
    /// In which order a page wants to see them.
    ListSort {
        /// One's own first, then those that are connected, then by name.
        Ready = "ready",
        /// By name.
        Name = "name",
    }
}

words! {
    /// Why a message was refused.
    ErrorCode {
        /// The text is not JSON, or a field is missing or illegal.
        Malformed = "malformed",
        /// The receiver does not know the `type`.
        UnknownType = "unknown-type",
        /// The message is larger than [`crate::MAX_MESSAGE_BYTES`].
        TooLarge = "too-large",
        /// Too many messages in too little time.
        RateLimited = "rate-limited",
        /// The other side speaks another version.
        UnsupportedVersion = "unsupported-version",
        /// The message is not allowed at this point, such as `connect` before `hello`.
        OutOfOrder = "out-of-order",
        /// Nobody is signed in.
        NotSignedIn = "not-signed-in",
        /// Somebody is signed in, but without the right.
        Forbidden = "forbidden",
        NoSuchCar = "no-such-car",
        /// The car is not connected.
        CarOffline = "car-offline",
        /// Somebody else drives the car.
        CarBusy = "car-busy",
        /// There never was such a session, or it has ended.
        NoSuchSession = "no-such-session",
        /// The car is not enrolled with this host and showed no valid enrolment token.
        NotEnrolled = "not-enrolled",
        /// The signature does not match the key, the host's name or the nonce.
        BadSignature = "bad-signature",
        /// The other side did not answer in time.
        Timeout = "timeout",
        /// The receiver reads too slowly.
        SlowReader = "slow-reader",
        /// A fault of the program that answers; its log has more.
        Internal = "internal",
    }
}

words! {
    /// Why a session ended.
    ByeReason {
        DriverLeft = "driver-left",
        /// The driver's connection to the host broke and did not come back.
        DriverGone = "driver-gone",
        /// The car ended the session.
        CarLeft = "car-left",
        /// The car's connection to the host broke and did not come back.
        CarGone = "car-gone",
        /// The same driver opened the car in another page.
        Replaced = "replaced",
        /// Somebody drives the car already.
        CarBusy = "car-busy",
        /// No path between the two was found, or it was lost for good.
        IceFailed = "ice-failed",
        /// The browser cannot receive H.264.
        NoH264 = "no-h264",
        /// A description could not be used.
        BadDescription = "bad-description",
        /// The driver lost the right to drive.
        Revoked = "revoked",
        /// The car's owner, or an admin of the host, took it back.
        TakenBack = "taken-back",
        /// The driver did nothing for long while somebody waited for the car.
        Idle = "idle",
        /// The program is stopping.
        Shutdown = "shutdown",
        /// A fault of the program; its log has more.
        Internal = "internal",
    }
}
