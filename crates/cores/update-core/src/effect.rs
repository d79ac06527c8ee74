//! What the machine gives.

use crate::saved::Saved;
use crate::words::Release;
use semver::Version;
use std::fmt;

/// What the shell has to do, in this order: the next effect waits until the one before is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Write this to the disk; it must be there before the next effect.
    Save(Box<Saved>),
    /// Ask the host for a release; the answer is [`crate::Input::Answer`].
    Check {
        /// Also take one that is older than the running version.
        older: bool,
    },
    /// Begin to install; progress and end are [`crate::Input::Install`].
    Install(Release),
    /// Lets the transfer of the installation flow, or holds it.
    Traffic(Traffic),
    /// Start the camera, so that the count of frames in [`crate::CarStatus`] rises.
    TestCamera,
    /// Tell the bootloader about the booted slot; the outcome is [`crate::Input::Marked`].
    Mark(Mark),
    /// Reboot; [`crate::Input::RebootRefused`] if that cannot be done.
    Reboot,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Traffic {
    Flow {
        /// Bytes left until the cap; `None` if the link is not metered.
        budget: Option<u64>,
    },
    /// Wait: somebody drives, or the battery is low.
    Hold,
}

/// What to tell the bootloader about the booted slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// The slot works: start it again.
    Good,
    /// The slot does not work: start the other one.
    Bad,
}

/// The state of the update, for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Idle,
    /// A version is offered and waits.
    Offered,
    Installing,
    /// A version is installed and waits for the car to be parked.
    Waiting,
    /// The car is about to reboot.
    Rebooting,
    /// The running version has to prove itself.
    Testing,
    /// The last update failed.
    Failed,
}

impl State {
    /// The word of the D-Bus interface and of the command line.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Offered => "offered",
            Self::Installing => "installing",
            Self::Waiting => "waiting",
            Self::Rebooting => "rebooting",
            Self::Testing => "testing",
            Self::Failed => "failed",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// The state of the update with its details.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    pub state: State,
    pub running: Version,
    /// The version that `state` is about.
    pub version: Option<Version>,
    /// How much of `version` is installed, in percent.
    pub percent: Option<u8>,
    /// Size of the bundle in bytes.
    pub size: Option<u64>,
    /// Why `version` waits, or why it failed.
    pub reason: Option<String>,
    /// The owner can start this update now by asking for it.
    pub on_request: bool,
}
