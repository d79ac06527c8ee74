//! The events of the machine: every decision that it takes, for the records of the drive.

use rccar_protocol::state::{DriveState, StopReason};
use serde::Serialize;

/// A decision of the machine. The caller adds the time at which it took the event out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// The drive obeys another session. If the old one had armed the car, the car stops. Zero is
    /// nobody.
    SessionChanged { from: u64, to: u64 },
    /// Set-points arrive that do not count as input. Reported once, until input returns or the
    /// cause changes.
    InputRejected { why: Rejection },
    /// Input counts again after [`Event::InputRejected`].
    InputAccepted,
    /// Fresh input has `arm` off: from now on the driver may arm.
    Released,
    /// The driver asks to arm.
    ArmingStarted,
    /// The throttle left neutral while arming: the wait starts again.
    ArmingRestarted,
    /// Arming was given up: the driver let go, or the input ended.
    ArmingEnded { reason: StopReason },
    /// The throttle rested at neutral for long enough: the wheels follow the driver.
    Armed,
    /// No fresh input: the last set-point is held, and the throttle does not rise.
    HoldStarted {
        /// Why there is no fresh input.
        reason: StopReason,
    },
    /// The hold is over, and the drive brakes.
    BrakeStarted {
        /// Why there is no fresh input.
        reason: StopReason,
    },
    /// Fresh input came in time: the wheels follow the driver again.
    Resumed {
        /// The state from which the drive came back.
        from: DriveState,
    },
    /// Input did not return in time: neutral until the driver releases and arms.
    Tripped {
        /// Why there was no fresh input.
        reason: StopReason,
    },
    /// The wheels no longer follow. If they did, the drive brakes for a moment.
    Disarmed { reason: StopReason },
    /// The brake that followed [`Event::Disarmed`] is over: neutral.
    BrakeReleased,
    /// Servo and motor follow somebody who calibrates the car, which stays disarmed.
    JogStarted,
    /// Neutral again.
    JogEnded { reason: StopReason },
    /// The actuators do not obey. The drive asks for neutral, and the driver must arm again.
    Faulted,
    /// The program stops: no input counts any more.
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
    /// The time of the sample is ahead of the clock by more than
    /// [`crate::timing::FUTURE_TOLERANCE`].
    Future,
    /// The picture that the driver saw is too old to drive by ([`crate::picture`]).
    OldPicture,
    /// The set-point is not newer than the last input: it is a repetition or was overtaken. It is
    /// dropped and changes nothing.
    Overtaken,
}

impl Rejection {
    /// The reason that the driver sees.
    #[must_use]
    pub fn reason(self) -> StopReason {
        match self {
            Self::NotInput(reason) => reason,
            Self::OldPicture => StopReason::OldPicture,
            Self::Stale | Self::Future | Self::Overtaken => StopReason::StaleInput,
        }
    }
}
