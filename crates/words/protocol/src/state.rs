//! States and reasons of the drive, and levels of its battery, shared by telemetry, the drive's
//! status and the `events` channel.

use crate::word::numbered_words;

numbered_words!(
    /// What the drive does with the wheels.
    DriveState, v1: 0..=5 else Braking, {
    /// Neutral. Waits for a driver to arm.
    Disarmed = 0 "disarmed",
    /// Neutral. The driver asks to arm and keeps the controls at neutral. When that has lasted long
    /// enough, the car is armed.
    Arming = 1 "arming",
    /// The wheels follow the driver.
    Armed = 2 "armed",
    /// No fresh input: the last set-point is held for a moment.
    Holding = 3 "holding",
    /// Still no fresh input: the car brakes.
    Braking = 4 "braking",
    /// Neutral after input was lost. The car moves again only when the driver has let go and armed
    /// it again.
    Tripped = 5 "tripped",
    /// Disarmed, but servo and motor follow somebody who calibrates the car and holds a key or a
    /// button for it.
    Jogging = 6 "jogging",
});

numbered_words!(
    /// Why the wheels do not follow the driver.
    StopReason, v1: 0..=10 else None, {
    /// They follow, or nobody has asked yet.
    None = 0 "none",
    /// No control frames arrive.
    Silent = 1 "silent",
    /// The driver's page is hidden.
    Hidden = 2 "hidden",
    /// The driver's page has lost the focus.
    Unfocused = 3 "unfocused",
    /// The input samples are too old.
    StaleInput = 4 "stale-input",
    /// The driver has no input device, or it has vanished.
    NoDevice = 5 "no-device",
    DriverDisarmed = 6 "driver-disarmed",
    /// The driver's session has ended.
    DriverLeft = 7 "driver-left",
    /// `rccar-drive` does not answer `rccar-car`.
    DriveServiceLost = 8 "drive-service-lost",
    /// The actuator reported a fault.
    ActuatorFault = 9 "actuator-fault",
    /// The program is stopping.
    Shutdown = 10 "shutdown",
    /// The battery is empty.
    BatteryEmpty = 11 "battery-empty",
    /// The picture that the driver sees is too old to drive by.
    OldPicture = 12 "old-picture",
    /// Somebody else calibrates the car.
    Calibrating = 13 "calibrating",
});

numbered_words!(
    /// What the drive makes of the battery's voltage. Frames of version 1 have no level.
    BatteryLevel, v1: 0..=4 else Unknown, {
    /// There is no sensor, or it says nothing that can be true.
    Unknown = 0 "unknown",
    Good = 1 "good",
    /// Time to drive home; nothing is limited yet.
    Low = 2 "low",
    /// The car drives at a share of its speed.
    Limited = 3 "limited",
    /// The car has stopped and cannot be armed.
    Empty = 4 "empty",
});

numbered_words!(
    /// What keeps the car slow. Frames of version 1 have no limit.
    LimitCause, v1: 0..=1 else Picture, {
    /// The age of the picture that the driver sees.
    Picture = 0 "picture",
    /// A battery that is nearly empty.
    Battery = 1 "battery",
});

/// How much of the throttle the driver has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpeedLimit {
    /// Share of the throttle in 1/10000, below 10000.
    pub share: u16,
    pub cause: LimitCause,
}

impl DriveState {
    /// Whether the wheels may be away from neutral. In a state that is not known here they may.
    #[must_use]
    pub fn may_move(self) -> bool {
        matches!(self, Self::Armed | Self::Holding | Self::Braking | Self::Jogging | Self::Other(_))
    }
}
