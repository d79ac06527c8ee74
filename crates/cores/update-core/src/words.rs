//! What goes into the machine.

use semver::Version;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Where a bundle comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// The host has it under this path.
    Host(String),
    /// A file on the car.
    File(PathBuf),
}

/// A version to be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    pub version: Version,
    /// Size of the bundle in bytes.
    pub size: u64,
    /// Where it is.
    pub source: Source,
}

/// What `rccar-car` says of the car.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CarStatus {
    /// The car is registered with its host.
    pub registered: bool,
    /// Frames encoded since the agent started.
    pub frames: u64,
    /// The drive service answers.
    pub drive_alive: bool,
    /// The wheels may move.
    pub armed: bool,
    /// Somebody is connected to drive.
    pub in_session: bool,
    /// Voltage of the battery in millivolts, if it is measured.
    pub battery_mv: Option<u32>,
}

/// Why an installation failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// Circumstances: the link was lost, the host is away, the car was driven. Tried again, however
    /// often.
    Passing(String),
    /// The version or its bundle: tried a few times.
    Version(String),
    /// The version will never do: wrong board, not what was offered.
    Final(String),
}

impl Fault {
    /// In words.
    #[must_use]
    pub fn reason(&self) -> &str {
        let (Self::Passing(reason) | Self::Version(reason) | Self::Final(reason)) = self;
        reason
    }
}

/// How far an installation is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InstallNews {
    /// So many percent are done.
    Percent(u8),
    /// It is installed, and the bootloader will choose it.
    Done,
    /// It is not.
    Failed(Fault),
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// What `rccar-car` says; `None` if it is not there.
    Car(Option<CarStatus>),
    /// The host's answer to [`crate::Effect::Check`]: a release, none, or why there is no answer.
    Answer(Result<Option<Release>, String>),
    /// The installation that [`crate::Effect::Install`] began.
    Install(InstallNews),
    /// Whether the traffic of updates is paid for by the byte at present.
    Link { metered: bool },
    /// Bytes fetched over a metered link since the last report.
    Fetched(u64),
    /// How [`crate::Effect::Mark`] went.
    Marked(Result<(), String>),
    /// [`crate::Effect::Reboot`] could not be done.
    RebootRefused(String),
}

/// What the owner asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    /// Ask the host now.
    Check,
    /// Install this version, and reboot as soon as the car stands still.
    Install {
        version: Version,
        /// Also if it is older than the running one, or the same.
        downgrade: bool,
    },
    InstallFile {
        /// The file.
        release: Release,
        /// Also if it is older than the running one, or the same.
        downgrade: bool,
    },
}

/// Why a wish is not granted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Something else is under way.
    #[error("version {0} is being installed; ask again when that is done")]
    Installing(Version),
    /// Another version is installed already.
    #[error("version {0} is installed and starts with the next boot; ask again after that")]
    Waiting(Version),
    /// The running version is not proven yet.
    #[error("version {0} is being tested; ask again when that is done")]
    Testing(Version),
    /// The version runs already.
    #[error("version {0} is running already; add --allow-downgrade to install it again")]
    Same(Version),
    /// It is older than the running one.
    #[error(
        "version {asked} is older than {running}, which is running; add --allow-downgrade to go back"
    )]
    Older {
        /// The version asked for.
        asked: Version,
        /// The version that runs.
        running: Version,
    },
}
