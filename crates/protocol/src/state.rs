//! States and reasons of the drive, shared by telemetry, the drive's status and the `events` channel.

use crate::FrameError;

macro_rules! byte_enum {
    ($(#[$doc:meta])* $name:ident, $field:literal, { $($(#[$vdoc:meta])* $variant:ident = $value:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(rename_all = "kebab-case")]
        #[repr(u8)]
        pub enum $name { $($(#[$vdoc])* $variant = $value),+ }

        impl $name {
            /// Every value, in wire order.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The value on the wire.
            #[must_use]
            pub fn to_byte(self) -> u8 {
                self as u8
            }

            /// Reads the value from the wire.
            pub fn from_byte(value: u8) -> Result<Self, FrameError> {
                match value {
                    $($value => Ok(Self::$variant),)+
                    _ => Err(FrameError::Range { field: $field, value: value.into() }),
                }
            }
        }
    };
}
pub(crate) use byte_enum;

byte_enum!(
    /// What the drive does with the wheels.
    DriveState, "state", {
    /// Neutral. Waits for a driver to arm.
    #[default]
    Disarmed = 0,
    /// Neutral. The driver asks to arm and rests at neutral; armed once that has lasted long enough.
    Arming = 1,
    /// The wheels follow the driver.
    Armed = 2,
    /// No fresh input: the last set-point is held for a moment.
    Holding = 3,
    /// Still no fresh input: brakes.
    Braking = 4,
    /// Neutral after input was lost. Moves again only after neutral and a new arming.
    Tripped = 5,
});

byte_enum!(
    /// Why the wheels are not following the driver.
    StopReason, "reason", {
    /// They do, or nobody has asked yet.
    #[default]
    None = 0,
    /// No control frames arrive.
    Silent = 1,
    /// The driver's page is hidden.
    Hidden = 2,
    /// The driver's page has lost the focus.
    Unfocused = 3,
    /// The input samples are too old.
    StaleInput = 4,
    /// The driver has no input device, or it has vanished.
    NoDevice = 5,
    /// The driver disarmed.
    DriverDisarmed = 6,
    /// The driver's session has ended.
    DriverLeft = 7,
    /// The drive service does not answer.
    DriveServiceLost = 8,
    /// The actuator reported a fault.
    ActuatorFault = 9,
    /// The service is stopping.
    Shutdown = 10,
});

impl DriveState {
    /// Whether the wheels may be away from neutral.
    #[must_use]
    pub fn may_move(self) -> bool {
        matches!(self, Self::Armed | Self::Holding | Self::Braking)
    }
}
