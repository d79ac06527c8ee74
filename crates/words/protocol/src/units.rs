//! Quantities that cannot hold an illegal value.

use crate::frame::{FrameError, Layout, Reader};
use crate::state::{BatteryLevel, LimitCause, SpeedLimit};
use serde::{Deserialize, Serialize};

/// Full scale of [`Steering`] and [`Throttle`]: one permyriad is 1/10000.
pub const FULL_SCALE: i16 = 10_000;

macro_rules! signed_ratio {
    ($(#[$doc:meta])* $name:ident, $field:literal) => {
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize,
        )]
        #[serde(try_from = "i16", into = "i16")]
        pub struct $name(i16);

        impl $name {
            pub const NEUTRAL: Self = Self(0);
            pub const MAX: Self = Self(FULL_SCALE);
            pub const MIN: Self = Self(-FULL_SCALE);

            /// −10000…10000, in 1/10000 of full scale.
            pub fn from_permyriad(value: i16) -> Result<Self, FrameError> {
                if (-FULL_SCALE..=FULL_SCALE).contains(&value) {
                    Ok(Self(value))
                } else {
                    Err(FrameError::Range { field: $field, value: value.into() })
                }
            }

            /// From a ratio of full scale, −1.0…1.0. Anything beyond becomes the nearest legal
            /// value; NaN becomes neutral.
            #[must_use]
            pub fn saturating_from_f32(ratio: f32) -> Self {
                // `as` saturates and maps NaN to 0; the clamp keeps the result within full scale.
                #[expect(
                    clippy::cast_possible_truncation,
                    reason = "clamped to full scale before the cast"
                )]
                Self((ratio.clamp(-1.0, 1.0) * f32::from(FULL_SCALE)).round() as i16)
            }

            /// −10000…10000.
            #[must_use]
            pub fn permyriad(self) -> i16 {
                self.0
            }

            /// −1.0…1.0.
            #[must_use]
            pub fn ratio(self) -> f32 {
                f32::from(self.0) / f32::from(FULL_SCALE)
            }

            /// Whether the value is at most `band` permyriad away from neutral.
            #[must_use]
            pub fn is_neutral(self, band: i16) -> bool {
                self.0.unsigned_abs() <= band.unsigned_abs()
            }
        }

        impl TryFrom<i16> for $name {
            type Error = FrameError;
            fn try_from(value: i16) -> Result<Self, FrameError> {
                Self::from_permyriad(value)
            }
        }

        impl From<$name> for i16 {
            fn from(value: $name) -> i16 {
                value.0
            }
        }
    };
}

signed_ratio!(
    /// Steering asked for: positive turns right, as the W3C Gamepad's axis 0.
    Steering,
    "steering"
);
signed_ratio!(
    /// Throttle asked for: positive drives forward, negative backward.
    Throttle,
    "throttle"
);

/// A moment on one machine's `CLOCK_MONOTONIC`, in microseconds. Only processes of that machine can
/// compare two of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct MonotonicMicros(pub u64);

impl MonotonicMicros {
    /// Time since `earlier`, zero if `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> std::time::Duration {
        std::time::Duration::from_micros(self.0.saturating_sub(earlier.0))
    }

    /// Saturates at the largest value.
    #[must_use]
    pub fn plus(self, duration: std::time::Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)))
    }

    /// Saturates at zero.
    #[must_use]
    pub fn minus(self, duration: std::time::Duration) -> Self {
        Self(self.0.saturating_sub(u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)))
    }

    /// The RTP time stamp at [`crate::VIDEO_CLOCK_HZ`], wrapped to 32 bits.
    #[must_use]
    pub fn rtp(self) -> u32 {
        let ticks = u128::from(self.0) * u128::from(crate::VIDEO_CLOCK_HZ) / 1_000_000;
        #[expect(
            clippy::cast_possible_truncation,
            reason = "RTP time stamps wrap at 32 bits (RFC 3550 section 5.1)"
        )]
        {
            ticks as u32
        }
    }
}

/// Pose and speed of the vehicle, from odometry or from the simulator.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Odometry {
    /// Negative when the vehicle rolls backward.
    pub speed_mm_s: i16,
    /// East of the starting point, in mm.
    pub x_mm: i32,
    /// North of the starting point, in mm.
    pub y_mm: i32,
    /// Counter-clockwise from east.
    pub heading: CentiDegrees,
}

/// Kinds of groups that more than one frame has (`PROTOCOL.md`, "Groups").
pub(crate) const ODOMETRY: u8 = 2;
pub(crate) const BATTERY: u8 = 3;
pub(crate) const BATTERY_LEVEL: u8 = 5;
pub(crate) const SWITCHES: u8 = 6;
pub(crate) const SPEED_LIMIT: u8 = 13;
pub(crate) const SPEED_LIMIT_SIZE: usize = 3;

/// Bytes that [`Odometry`] takes in a frame.
pub(crate) const ODOMETRY_SIZE: usize = 12;

pub(crate) fn odometry_bytes(odometry: &Odometry) -> [u8; ODOMETRY_SIZE] {
    let ([a, b], [c, d]) =
        (odometry.speed_mm_s.to_be_bytes(), odometry.heading.value().to_be_bytes());
    let ([e, f, g, h], [i, j, k, l]) = (odometry.x_mm.to_be_bytes(), odometry.y_mm.to_be_bytes());
    [a, b, c, d, e, f, g, h, i, j, k, l]
}

pub(crate) fn read_odometry(reader: &mut Reader<'_>) -> Result<Odometry, FrameError> {
    let speed_mm_s = reader.i16();
    let heading = CentiDegrees::new(reader.i16())?;
    Ok(Odometry { speed_mm_s, heading, x_mm: reader.i32(), y_mm: reader.i32() })
}

pub(crate) fn read_battery_level(reader: &mut Reader<'_>) -> Result<BatteryLevel, FrameError> {
    BatteryLevel::from_byte_in(reader.layout, reader.u8(), "battery_level")
}

pub(crate) fn speed_limit_bytes(limit: SpeedLimit) -> [u8; SPEED_LIMIT_SIZE] {
    let [high, low] = limit.share.to_be_bytes();
    [high, low, limit.cause.to_byte_in(Layout::V2)]
}

pub(crate) fn read_speed_limit(reader: &mut Reader<'_>) -> Result<SpeedLimit, FrameError> {
    let share = reader.u16();
    if share >= 10_000 {
        return Err(FrameError::Range { field: "speed_limit.share", value: share.into() });
    }
    let cause = LimitCause::from_byte_in(reader.layout, reader.u8(), "speed_limit.cause")?;
    Ok(SpeedLimit { share, cause })
}

/// Lights and horn of a car that has one of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Switches {
    pub lights: Switch,
    pub horn: Switch,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Switch {
    /// The car has none.
    #[default]
    Absent,
    Off,
    On,
}

impl Switches {
    pub(crate) fn to_byte(self) -> u8 {
        self.lights.to_bits() | (self.horn.to_bits() << 2)
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, FrameError> {
        let bits = reader.u8();
        Ok(Self { lights: Switch::from_bits(bits), horn: Switch::from_bits(bits >> 2) })
    }
}

impl Switch {
    fn to_bits(self) -> u8 {
        match self {
            Self::Absent => 0b00,
            Self::Off => 0b01,
            Self::On => 0b11,
        }
    }

    /// What is on, but not there, is not there.
    fn from_bits(bits: u8) -> Self {
        match bits & 0b11 {
            0b01 => Self::Off,
            0b11 => Self::On,
            _ => Self::Absent,
        }
    }
}

/// An angle in 1/100 degree, −18000…18000.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct CentiDegrees(i16);

impl CentiDegrees {
    /// −18000…18000.
    pub fn new(value: i16) -> Result<Self, FrameError> {
        if (-18_000..=18_000).contains(&value) {
            Ok(Self(value))
        } else {
            Err(FrameError::Range { field: "heading", value: value.into() })
        }
    }

    /// Wraps any angle in radians into the range; NaN is zero.
    #[must_use]
    pub fn from_radians(angle: f64) -> Self {
        let turns = angle / std::f64::consts::TAU;
        let wrapped = (turns - turns.round()) * 36_000.0;
        #[expect(clippy::cast_possible_truncation, reason = "wrapped to half a turn, which fits")]
        Self(wrapped.round().clamp(-18_000.0, 18_000.0) as i16)
    }

    #[must_use]
    pub fn value(self) -> i16 {
        self.0
    }

    #[must_use]
    pub fn radians(self) -> f64 {
        f64::from(self.0) / 18_000.0 * std::f64::consts::PI
    }
}
