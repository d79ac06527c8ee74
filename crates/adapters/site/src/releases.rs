//! What the routes ask of a program that holds releases.

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
    /// What uploads are held to.
    fn rules(&self) -> ReleaseRules;

    /// All releases, the newest first.
    async fn list(&self) -> Result<Vec<Release>, ReleaseError>;

    /// Begins to take a bundle.
    async fn begin(&self, wish: UploadWish) -> Result<Box<dyn Upload>, ReleaseError>;

    /// Changes what people decide about a release.
    async fn change(
        &self,
        version: Version,
        change: ReleaseChange,
    ) -> Result<Release, ReleaseError>;

    /// Forgets a release and its bundle.
    async fn remove(&self, version: Version) -> Result<(), ReleaseError>;

    /// The release for a car, if there is one.
    async fn release_for(
        &self,
        car: CarId,
        question: ReleaseQuestion,
    ) -> Result<Option<Release>, ReleaseError>;

    /// Where the bundle of a release is that may be fetched now.
    async fn bundle(&self, version: Version) -> Result<Option<BundleFile>, ReleaseError>;
}

/// A bundle on its way in. Dropping it forgets what has come.
#[async_trait]
pub trait Upload: Send {
    /// The next bytes.
    async fn write(&mut self, chunk: Bytes) -> Result<(), ReleaseError>;

    /// That was all: checks the bundle and keeps it.
    async fn finish(self: Box<Self>) -> Result<Release, ReleaseError>;
}

/// What uploads are held to, for the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ReleaseRules {
    /// Largest bundle.
    pub max_bytes: ByteCount,
    /// Whether the host can check signatures, and so takes bundles at all.
    pub accepts_uploads: bool,
}

/// A release as people see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Release {
    /// Its name.
    pub version: Version,
    /// What it runs on.
    pub compatible: Compatible,
    /// Bytes of the bundle.
    pub size: ByteCount,
    /// Of the bundle.
    pub sha256: Sha256,
    /// Subject of the certificate that signed it.
    pub signer: String,
    /// What is new.
    pub notes: Option<ReleaseNotes>,
    /// Where it is offered.
    pub channels: Vec<Channel>,
    /// To how many of a hundred cars.
    pub rollout: Percent,
    /// Whether it is held back.
    pub paused: bool,
    /// Seconds since 1970 (UTC).
    pub uploaded_at: u64,
    /// Who; `None`: the command line.
    pub uploaded_by: Option<Name>,
}

/// What comes with a bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadWish {
    /// Where to offer it.
    pub channel: Channel,
    /// To how many of a hundred cars at first.
    pub rollout: Percent,
    /// What is new.
    pub notes: Option<ReleaseNotes>,
    pub user: Option<Name>,
    /// Size that the client names beforehand.
    pub bytes: Option<u64>,
}

/// What people decide about a release; `None` leaves it as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReleaseChange {
    /// To how many of a hundred cars.
    pub rollout: Option<Percent>,
    /// Whether it is held back.
    pub paused: Option<bool>,
    /// Where it is offered; one channel at least.
    pub channels: Option<Vec<Channel>>,
    /// What is new.
    pub notes: Option<ReleaseNotes>,
}

/// What a car asks with.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ReleaseQuestion {
    /// The channel that it follows.
    pub channel: Channel,
    /// What it runs on.
    pub compatible: Compatible,
    /// Version of the image that runs.
    pub running: Version,
}

/// A bundle that may be fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BundleFile {
    pub path: PathBuf,
    /// Of its content.
    pub sha256: Sha256,
}

/// Why a request about releases was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReleaseError {
    #[error("there is no release {0}")]
    NoSuchRelease(Version),
    /// The version is taken.
    #[error("there is a release {0} already; remove it first, or give the new one another version")]
    Exists(Version),
    /// The bundle is not acceptable.
    #[error("{0}")]
    BadBundle(String),
    /// The bundle is too large.
    #[error(
        "the bundle has more than {0} bytes, the most that this host takes (releases.max_bytes)"
    )]
    TooLarge(u64),
    /// Too many uploads at once.
    #[error("another upload is under way; try again when it is done")]
    Busy,
    /// The host has no keyring.
    #[error(
        "this host cannot check signatures: its configuration names no keyring (releases.keyring)"
    )]
    NoKeyring,
    /// No space on the disk.
    #[error("the host's disk is full")]
    NoSpace,
    /// What was asked for makes no sense.
    #[error("{0}")]
    Malformed(String),
    /// A fault; the text is for the log.
    #[error("{0}")]
    Internal(String),
}
