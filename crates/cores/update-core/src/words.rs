//! What the machine takes.

use semver::Version;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Where a bundle comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// A path on the host.
    Host(String),
    /// A file on the car.
    File(PathBuf),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    pub version: Version,
    /// Size of the bundle in bytes.
    pub size: u64,
    pub source: Source,
}

/// What `rccar-car` reports about the car.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CarStatus {
    /// The car is registered with its host.
    pub registered: bool,
    /// Frames encoded since `rccar-car` started.
    pub frames: u64,
    /// `rccar-drive` answers.
    pub drive_alive: bool,
    /// The wheels may move.
    pub armed: bool,
    /// Somebody is connected to drive.
    pub in_session: bool,
    /// Voltage of the battery in millivolts; `None` if it is not measured.
    pub battery_mv: Option<u32>,
}

/// Why an installation failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// Circumstances: the link was lost, the host is away, the car was driven. The version is tried
    /// again any number of times.
    Passing(String),
    /// The version or its bundle is to blame; it is tried a few times.
    Version(String),
    /// The version can never work here: wrong board, or not what was offered.
    Final(String),
}

impl Fault {
    #[must_use]
    pub fn reason(&self) -> &str {
        let (Self::Passing(reason) | Self::Version(reason) | Self::Final(reason)) = self;
        reason
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InstallNews {
    Percent(u8),
    /// The version is installed, and the bootloader will choose its slot.
    Done,
    Failed(Fault),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// `None` if `rccar-car` is not there.
    Car(Option<CarStatus>),
    /// The host's answer to [`crate::Effect::Check`]: a release, none, or why there is no answer.
    Answer(Result<Option<Release>, String>),
    /// News of the installation that [`crate::Effect::Install`] began.
    Install(InstallNews),
    /// Whether traffic of updates now goes over a link that is paid for by the byte.
    Link { metered: bool },
    /// Bytes fetched over a metered link since the last report.
    Fetched(u64),
    /// Whether [`crate::Effect::Mark`] worked, or why not.
    Marked(Result<(), String>),
    /// [`crate::Effect::Reboot`] could not be done.
    RebootRefused(String),
}

/// What the owner asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    /// Check now.
    Check,
    /// Install this version, and reboot as soon as the car stands still.
    Install {
        version: Version,
        /// Also if it is older than the running one, or the same.
        downgrade: bool,
    },
    /// As [`Wish::Install`], from a file on the car.
    InstallFile { release: Release, downgrade: bool },
}

/// Why a wish is not granted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("version {0} is being installed; ask again when that is done")]
    Installing(Version),
    #[error("version {0} is installed and starts with the next boot; ask again after that")]
    Waiting(Version),
    #[error("version {0} is being tested; ask again when that is done")]
    Testing(Version),
    #[error("version {0} is running already; add --allow-downgrade to install it again")]
    Same(Version),
    #[error(
        "version {asked} is older than {running}, which is running; \
         add --allow-downgrade to go back"
    )]
    Older { asked: Version, running: Version },
}
