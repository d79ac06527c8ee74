//! Releases of the car's image: what a host has, and how far a car is with its update.
//!
//! The states of an update, as the car reports them in
//! [`FromCar::Update`](crate::signaling::FromCar::Update):
//!
//! ```text
//!          a release                     all of it is in the idle slot
//!   idle ───────────────────► downloading ─────────────────────────────► waiting
//!    ▲ ▲                       │      ▲                                    │ parked and disarmed
//!    │ └─ the release is gone ─┤      │ allowed again                      ▼
//!    │                         ▼      │                                 rebooting
//!    │                       waiting ─┘                                    │
//!    │                       (driven, metered link, battery)               ▼
//!    ├──────────────── healthy: running = version ────────────────────── testing
//!    │                                                                     │ unhealthy:
//!    │                                                                     ▼ the old slot
//!    └──────────────── the next attempt ──────────────────────────────── failed (with the reason)
//! ```

use crate::MAX_MESSAGE_BYTES;
use crate::signaling::MessageError;
use crate::strict;
use crate::text::{Note, TextError, bounded_text};
use crate::word::words;
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use std::fmt;

bounded_text!(
    /// A series of releases that a car follows, such as `stable`.
    Channel, "channel", 32, "lower-case letters, digits and hyphens",
    |c| matches!(c, 'a'..='z' | '0'..='9' | '-')
);
bounded_text!(
    /// The board that an image runs on: RAUC's `compatible`, such as `rccar-rpi-arm64`.
    Compatible, "compatible", 64, "printable ASCII", |c| c.is_ascii_graphic() || c == ' '
);
bounded_text!(
    /// The changes in a release, for people. May have several lines.
    ReleaseNotes, "notes", 4096, "no control characters but tab and line feed",
    |c| matches!(c, '\n' | '\t') || !c.is_control()
);

/// Version of an image (semver.org 2.0), such as `0.3.1` or `0.4.0-dev.217`. At most 64 bytes, each
/// number below 2⁶⁴.
///
/// ```
/// use rccar_protocol::release::Version;
/// let version = |text: &str| Version::try_from(text.to_owned());
/// assert!(version("0.4.0")?.is_newer_than(&version("0.4.0-dev.217")?));
/// assert!(!version("0.4.0+b")?.is_newer_than(&version("0.4.0+a")?));
/// # Ok::<(), rccar_protocol::text::TextError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Version(semver::Version);

impl Version {
    /// Largest size in bytes.
    pub const MAX_BYTES: usize = 64;

    /// By [`Self::precedence`].
    #[must_use]
    pub fn is_newer_than(&self, other: &Self) -> bool {
        self.precedence(other) == Ordering::Greater
    }

    /// Order of releases (semver.org, section 11). What follows a `+` does not count.
    #[must_use]
    pub fn precedence(&self, other: &Self) -> Ordering {
        self.0.cmp_precedence(&other.0)
    }
}

impl TryFrom<String> for Version {
    type Error = TextError;
    fn try_from(text: String) -> Result<Self, TextError> {
        if text.len() > Self::MAX_BYTES {
            return Err(TextError::TooLong {
                what: "version",
                got: text.len(),
                max: Self::MAX_BYTES,
            });
        }
        let form = TextError::Form {
            what: "version",
            rule: "a semantic version such as 1.2.3 or 1.2.3-dev.4",
        };
        semver::Version::parse(&text).map(Self).map_err(|_| form)
    }
}

impl std::str::FromStr for Version {
    type Err = TextError;
    fn from_str(text: &str) -> Result<Self, TextError> {
        Self::try_from(text.to_owned())
    }
}

impl From<Version> for String {
    fn from(version: Version) -> String {
        version.to_string()
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// 0 to 100.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(try_from = "u8", into = "u8")]
pub struct Percent(u8);

impl Percent {
    pub const NONE: Self = Self(0);
    pub const ALL: Self = Self(100);

    #[must_use]
    pub fn value(self) -> u8 {
        self.0
    }
}

impl TryFrom<u8> for Percent {
    type Error = TextError;
    fn try_from(value: u8) -> Result<Self, TextError> {
        if value > 100 {
            Err(TextError::Form { what: "percent", rule: "a number from 0 to 100" })
        } else {
            Ok(Self(value))
        }
    }
}

impl From<Percent> for u8 {
    fn from(percent: Percent) -> u8 {
        percent.0
    }
}

/// A number of bytes that JavaScript can count exactly: at most 2⁵³ − 1.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(try_from = "u64", into = "u64")]
pub struct ByteCount(u64);

impl ByteCount {
    /// 2⁵³ − 1, `Number.MAX_SAFE_INTEGER`.
    pub const MAX: Self = Self((1 << 53) - 1);

    /// Larger numbers become [`Self::MAX`].
    #[must_use]
    pub fn saturating(bytes: u64) -> Self {
        Self(bytes).min(Self::MAX)
    }

    #[must_use]
    pub fn value(self) -> u64 {
        self.0
    }
}

impl TryFrom<u64> for ByteCount {
    type Error = TextError;
    fn try_from(value: u64) -> Result<Self, TextError> {
        let fits = Self(value) <= Self::MAX;
        fits.then_some(Self(value))
            .ok_or(TextError::Form { what: "byte count", rule: "below 2^53" })
    }
}

impl From<ByteCount> for u64 {
    fn from(count: ByteCount) -> u64 {
        count.0
    }
}

/// SHA-256 of a bundle, as 64 hexadecimal digits in lower case.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Sha256(String);

impl Sha256 {
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Sha256 {
    type Error = TextError;
    fn try_from(text: String) -> Result<Self, TextError> {
        let digits =
            text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if digits {
            Ok(Self(text))
        } else {
            Err(TextError::Form { what: "sha256", rule: "64 hexadecimal digits in lower case" })
        }
    }
}

impl From<Sha256> for String {
    fn from(digest: Sha256) -> String {
        digest.0
    }
}

impl fmt::Display for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where a bundle is on the host. It is an absolute path without a host name, so that no offer can
/// make a car send its token to another host.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BundlePath(String);

impl BundlePath {
    /// Largest size in bytes.
    pub const MAX_BYTES: usize = 256;

    /// Begins with `/`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for BundlePath {
    type Error = TextError;
    fn try_from(text: String) -> Result<Self, TextError> {
        if text.len() > Self::MAX_BYTES {
            return Err(TextError::TooLong { what: "url", got: text.len(), max: Self::MAX_BYTES });
        }
        let segment = |b: u8| b.is_ascii_alphanumeric() || b"-._~%+/".contains(&b);
        // `//name/…` would be a URL of another host (RFC 3986 section 4.2), and `/..` leads
        // somewhere else than it says.
        let legal = text.starts_with('/')
            && !text.contains("//")
            && !text.contains("/.")
            && text.bytes().all(segment);
        if legal {
            Ok(Self(text))
        } else {
            Err(TextError::Form { what: "url", rule: "an absolute path of this host" })
        }
    }
}

impl From<BundlePath> for String {
    fn from(path: BundlePath) -> String {
        path.0
    }
}

impl fmt::Display for BundlePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The car sends it in `Authorization: Bearer …` (RFC 6750). Hidden in `Debug`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AccessToken(String);

impl AccessToken {
    /// Largest size in bytes.
    pub const MAX_BYTES: usize = 256;

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for AccessToken {
    type Error = TextError;
    fn try_from(text: String) -> Result<Self, TextError> {
        if text.len() > Self::MAX_BYTES {
            return Err(TextError::TooLong {
                what: "token",
                got: text.len(),
                max: Self::MAX_BYTES,
            });
        }
        let body = text.trim_end_matches('=');
        let legal = !body.is_empty()
            && body.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~+/".contains(&b));
        let form = TextError::Form {
            what: "token",
            rule: "letters, digits, -._~+/ and = at its end (RFC 6750 section 2.1)",
        };
        if legal { Ok(Self(text)) } else { Err(form) }
    }
}

impl From<AccessToken> for String {
    fn from(token: AccessToken) -> String {
        token.0
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessToken(hidden)")
    }
}

/// Answer to a car that asks for a release: `GET /api/v1/car/releases/offer`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleaseOffer {
    /// Newer than the version that the car named.
    pub version: Version,
    /// The channel that the car asked for.
    pub channel: Channel,
    pub compatible: Compatible,
    /// Size of the bundle.
    pub size: ByteCount,
    /// Of the bundle.
    pub sha256: Sha256,
    /// The car fetches the bundle there, with the same token.
    pub url: BundlePath,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notes: Option<ReleaseNotes>,
}

impl ReleaseOffer {
    /// Reads the body of the answer, of at most [`MAX_MESSAGE_BYTES`].
    pub fn parse(text: &str) -> Result<Self, MessageError> {
        if text.len() > MAX_MESSAGE_BYTES {
            return Err(MessageError::too_large(text.len()));
        }
        let mut reader = serde_json::Deserializer::from_str(text);
        let offer = strict::object(&mut reader).and_then(|offer| reader.end().map(|()| offer));
        offer.map_err(|error| MessageError::malformed(&error.to_string()))
    }
}

/// How far a car is with its updates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpdateStatus {
    pub state: UpdateState,
    /// Version of the image that runs.
    pub running: Version,
    /// The version that the car installs, or wanted to install when it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<Version>,
    /// How much of that version is in the idle slot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub percent: Option<Percent>,
    /// Bytes that were transferred for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<ByteCount>,
    /// Why the update waits or failed, in plain words. While idle: why the last attempt failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Note>,
    /// The car installs the version only when the owner asks for it with
    /// [`ToCar::Install`](crate::signaling::ToCar::Install).
    #[serde(default, skip_serializing_if = "strict::is_off", deserialize_with = "strict::flag")]
    pub on_request: bool,
}

words! {
    /// State of an update.
    UpdateState {
        /// Nothing to do.
        Idle = "idle",
        /// A release streams into the idle slot.
        Downloading = "downloading",
        /// Something has to happen first, for example the car has to be parked; the reason says
        /// what.
        Waiting = "waiting",
        /// The car restarts into the new version.
        Rebooting = "rebooting",
        /// The new version runs on trial.
        Testing = "testing",
        /// The attempt failed and the old version runs; the reason says why.
        Failed = "failed",
    }
}
