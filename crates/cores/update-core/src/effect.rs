//! What comes out of the machine.

use crate::saved::Saved;
use crate::words::Release;
use semver::Version;
use std::fmt;

/// What is to be done, in this order: the next effect waits until the one before is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Write this to the disk; it must be there before the next effect.
    Save(Box<Saved>),
    /// Ask the host what it offers; the answer is [`crate::Input::Answer`].
    Check {
        /// Also for what is older than the running version.
        older: bool,
    },
    /// Begin to install; what becomes of it is [`crate::Input::Install`].
    Install(Release),
    /// What the transfer of the running installation may do.
    Traffic(Traffic),
    /// Let the camera give a frame.
    TestCamera,
    /// Tell the bootloader about the booted slot; the outcome is [`crate::Input::Marked`].
    Mark(Mark),
    /// Reboot; [`crate::Input::RebootRefused`] if that cannot be done.
    Reboot,
}

/// What the transfer may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Traffic {
    /// Flow; at most so many bytes if the link is metered.
    Flow {
        /// Bytes left until the cap.
        budget: Option<u64>,
    },
    /// Wait: somebody drives.
    Hold,
}

/// What the bootloader is told about the booted slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// It works: start it again.
    Good,
    /// It does not: start the other one.
    Bad,
}

/// What the agent is doing, for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Nothing.
    Idle,
    /// A version is offered and waits.
    Offered,
    /// It is being installed.
    Installing,
    /// It is installed and waits for the car to be parked.
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

/// What the agent is doing, with the details.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    pub state: State,
    /// The version that runs.
    pub running: Version,
    /// The version that it is about.
    pub version: Option<Version>,
    /// How much of it is installed, in percent.
    pub percent: Option<u8>,
    /// Size of its bundle in bytes.
    pub size: Option<u64>,
    /// Why it waits, or why it failed.
    pub reason: Option<String>,
    /// It is installed if the owner asks for it.
    pub on_request: bool,
}
