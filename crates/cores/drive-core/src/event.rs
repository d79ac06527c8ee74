//! The flight recorder: every decision of the machine.

use rccar_protocol::state::{DriveState, StopReason};
use serde::Serialize;

/// A decision of the machine. The caller adds the time at which it took the event out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// Another session: whatever the old one had armed is stopped. Zero is nobody.
    SessionChanged {
        /// The session obeyed until now.
        from: u64,
        /// The session obeyed from now on.
        to: u64,
    },
    /// Set-points that do not count as input arrive; said once until input returns or the cause
    /// changes.
    InputRejected {
        /// Why they do not count.
        why: Rejection,
    },
    /// Input counts again after [`Event::InputRejected`].
    InputAccepted,
    /// The driver was seen with `arm` off in fresh input: from now on he may arm.
    Released,
    /// The driver asks to arm.
    ArmingStarted,
    /// The throttle left neutral while arming: the wait starts anew.
    ArmingRestarted,
    /// Arming was given up: the driver let go, or the input broke off.
    ArmingEnded {
        /// What ended it.
        reason: StopReason,
    },
    /// The throttle rested at neutral for long enough: the wheels follow the driver.
    Armed,
    /// No fresh input: the last set-point is held, and the throttle does not rise.
    HoldStarted {
        /// What is missing.
        reason: StopReason,
    },
    /// The hold is over: brakes.
    BrakeStarted {
        /// What is missing.
        reason: StopReason,
    },
    /// Fresh input in time: the wheels follow the driver again.
    Resumed {
        /// What the drive did meanwhile.
        from: DriveState,
    },
    /// Input did not return in time: neutral until the driver releases and arms.
    Tripped {
        /// What was missing.
        reason: StopReason,
    },
    /// The wheels no longer follow; if they did, the drive brakes for a moment.
    Disarmed {
        /// Who or what ended it.
        reason: StopReason,
    },
    /// The brake that followed [`Event::Disarmed`] is over: neutral.
    BrakeReleased,
    /// The actuators do not obey: neutral is asked for, and the driver must arm anew.
    Faulted,
    /// The service stops: no input counts any more.
    ShutdownStarted,
}

/// Why a set-point does not count as input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rejection {
    /// The sender says so.
    NotInput(StopReason),
    /// The sample is older than [`rccar_protocol::control::MAX_SAMPLE_AGE`].
    Stale,
    /// The sample claims to be from the future, by more than [`crate::timing::FUTURE_TOLERANCE`].
    Future,
    /// Not newer than the last input: repeated or overtaken. It is dropped and changes nothing.
    Overtaken,
}

impl Rejection {
    /// The reason that the driver is shown.
    #[must_use]
    pub fn reason(self) -> StopReason {
        match self {
            Self::NotInput(reason) => reason,
            Self::Stale | Self::Future | Self::Overtaken => StopReason::StaleInput,
        }
    }
}
