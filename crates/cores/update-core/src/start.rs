//! What the booted slot shows about the update before the boot.

use crate::saved::{Ended, Pending, Proven, Saved, Stage};
use semver::Version;

/// What is known when the program starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Boot {
    /// The slot that is booted, by the bootloader's name.
    pub slot: String,
    pub running: Version,
    /// The slot that the bootloader would choose next; `None` if it does not say.
    pub primary: Option<String>,
}

/// The state in which the machine begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Begin {
    Idle,
    /// An installation was cut off.
    Interrupted(Pending),
    /// Installed, not booted yet.
    Waiting(Pending),
    /// The update runs and has to prove itself.
    Trial(Pending),
    /// The update runs although it failed: the reboot did not happen, or came back here.
    Condemned(Pending, String),
}

/// How often the car reboots to get into the other slot.
const REBOOTS: u32 = 3;

/// Brings `saved` up to date with the slot that is booted.
pub(crate) fn begin(saved: &mut Saved, boot: &Boot) -> Begin {
    let Some(pending) = saved.pending.clone() else {
        left_by_itself(saved, boot);
        return Begin::Idle;
    };
    let begin = if pending.from == boot.slot {
        in_old_slot(saved, boot, pending)
    } else {
        in_new_slot(saved, pending)
    };
    if begin == Begin::Idle || matches!(begin, Begin::Interrupted(_)) {
        saved.pending = None;
    }
    begin
}

fn in_old_slot(saved: &mut Saved, boot: &Boot, pending: Pending) -> Begin {
    // Whether the bootloader would start the other slot next.
    let chosen = boot.primary.as_ref().is_some_and(|primary| *primary != boot.slot);
    let version = pending.version.clone();
    match &pending.stage {
        Stage::Condemned(reason) => {
            fell_back(saved, version, &format!("did not become healthy: {reason}"))
        }
        // The installer was done, but power was cut before `Installed` could be saved.
        Stage::Installing if chosen => {
            return Begin::Waiting(Pending { stage: Stage::Installed, reboots: 0, ..pending });
        }
        Stage::Installing => return Begin::Interrupted(pending),
        Stage::Installed if chosen && pending.reboots < REBOOTS => return Begin::Waiting(pending),
        Stage::Installed => fell_back(saved, version, "did not start"),
    }
    Begin::Idle
}

fn in_new_slot(saved: &mut Saved, pending: Pending) -> Begin {
    match pending.stage.clone() {
        Stage::Installing | Stage::Installed => Begin::Trial(pending),
        Stage::Condemned(reason) if pending.reboots < REBOOTS => Begin::Condemned(pending, reason),
        Stage::Condemned(reason) => {
            let reason =
                format!("did not become healthy: {reason}; the other slot does not start either");
            fell_back(saved, pending.version, &reason);
            Begin::Idle
        }
    }
}

/// No update was under way, so another slot is booted only if the bootloader could not start the
/// one that had proved itself.
fn left_by_itself(saved: &mut Saved, boot: &Boot) {
    if let Some(Proven { slot, version }) = saved.proven.clone()
        && slot != boot.slot
        && version != boot.running
    {
        fell_back(saved, version, "does not start any more");
    }
    // Report it once: from now on the booted slot is compared with.
    saved.proven = Some(Proven { slot: boot.slot.clone(), version: boot.running.clone() });
}

fn fell_back(saved: &mut Saved, version: Version, reason: &str) {
    let failure = saved.failure_mut(&version);
    failure.tries += 1;
    failure.passing = 0;
    reason.clone_into(&mut failure.reason);
    saved.last = Some(Ended { version, failed: Some(reason.to_owned()) });
}
