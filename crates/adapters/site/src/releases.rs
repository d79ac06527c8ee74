//! The questions of the routes to a program that holds releases.

use async_trait::async_trait;
use axum::body::Bytes;
use rccar_protocol::release::{
    ByteCount, Channel, Compatible, Percent, ReleaseNotes, Sha256, Version,
};
use rccar_protocol::text::{CarId, Name};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// A store of releases. Implemented by `rccar-host`.
#[async_trait]
pub trait Releases: Send + Sync + 'static {
    /// The limits of uploads.
    fn rules(&self) -> ReleaseRules;

    /// All releases, the newest first.
    async fn list(&self) -> Result<Vec<Release>, ReleaseError>;

    /// Begins an upload. One at a time: others get [`ReleaseError::Busy`].
    async fn begin(&self, wish: UploadWish) -> Result<Box<dyn Upload>, ReleaseError>;

    async fn change(
        &self,
        version: Version,
        change: ReleaseChange,
    ) -> Result<Release, ReleaseError>;

    /// Removes a release and its bundle.
    async fn remove(&self, version: Version) -> Result<(), ReleaseError>;

    /// The release that the car is offered. `None`: nothing is newer for it.
    async fn release_for(
        &self,
        car: CarId,
        question: ReleaseQuestion,
    ) -> Result<Option<Release>, ReleaseError>;

    /// The bundle of a release. `None`: there is no such release, or it is paused.
    async fn bundle(&self, version: Version) -> Result<Option<BundleFile>, ReleaseError>;
}

/// A bundle that is being uploaded. Dropping it deletes what has arrived.
#[async_trait]
pub trait Upload: Send {
    async fn write(&mut self, chunk: Bytes) -> Result<(), ReleaseError>;

    /// Called after the last byte: checks the bundle and keeps it.
    async fn finish(self: Box<Self>) -> Result<Release, ReleaseError>;
}

/// The limits of uploads, for the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ReleaseRules {
    /// Largest bundle that is taken.
    pub max_bytes: ByteCount,
    /// Whether the host can check signatures, and so takes bundles at all.
    pub accepts_uploads: bool,
}

/// A release as people see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Release {
    pub version: Version,
    /// The board that it runs on.
    pub compatible: Compatible,
    /// Of the bundle.
    pub size: ByteCount,
    /// Of the bundle.
    pub sha256: Sha256,
    /// Subject of the certificate that signed it.
    pub signer: String,
    /// What is new, for people.
    pub notes: Option<ReleaseNotes>,
    pub channels: Vec<Channel>,
    /// Percent of the cars that are offered it.
    pub rollout: Percent,
    /// No further car is offered it.
    pub paused: bool,
    /// Seconds since 1970 (UTC).
    pub uploaded_at: u64,
    /// `None`: by the command line.
    pub uploaded_by: Option<Name>,
}

/// A client's wishes for a bundle that it is going to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadWish {
    pub channel: Channel,
    /// Percent of the cars that are offered it at first.
    pub rollout: Percent,
    /// What is new, for people.
    pub notes: Option<ReleaseNotes>,
    /// `None`: the command line.
    pub user: Option<Name>,
    /// Size of the body, if the client names it (`Content-Length`).
    pub bytes: Option<u64>,
}

/// A person's changes to a release. `None` leaves a value as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReleaseChange {
    pub rollout: Option<Percent>,
    pub paused: Option<bool>,
    /// All channels from now on, one at least.
    pub channels: Option<Vec<Channel>>,
    pub notes: Option<ReleaseNotes>,
}

/// A car's question when it checks for a release.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ReleaseQuestion {
    /// The channel that it follows.
    pub channel: Channel,
    /// Its board.
    pub compatible: Compatible,
    /// Version of the image that runs.
    pub running: Version,
}

/// A bundle that may be fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BundleFile {
    pub path: PathBuf,
    /// Of the file's content.
    pub sha256: Sha256,
}

/// Why a request about releases was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReleaseError {
    #[error("there is no release {0}")]
    NoSuchRelease(Version),
    #[error("there is a release {0} already; remove it first, or give the new one another version")]
    Exists(Version),
    #[error("{0}")]
    BadBundle(String),
    /// With the limit in bytes.
    #[error(
        "the bundle has more than {0} bytes, the most that this host takes (releases.max_bytes)"
    )]
    TooLarge(u64),
    #[error("another upload is under way; try again when it is done")]
    Busy,
    #[error(
        "this host cannot check signatures: its configuration names no keyring (releases.keyring)"
    )]
    NoKeyring,
    #[error("the host's disk is full")]
    NoSpace,
    /// A value of the request makes no sense.
    #[error("{0}")]
    Malformed(String),
    /// A fault; the text is for the log.
    #[error("{0}")]
    Internal(String),
}
