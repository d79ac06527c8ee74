//! The drive's status: from `rccar-drive` to the sender of the newest set-point, one Unix datagram
//! each.

use crate::frame::{FrameBytes, FrameError, Layout, Reader, Sizes, Writer, bit};
use crate::sensors::{SPEED, SPEED_SIZE};
use crate::state::{BatteryLevel, DriveState, SpeedLimit, StopReason};
use crate::units::{
    BATTERY, BATTERY_LEVEL, MonotonicMicros, ODOMETRY, ODOMETRY_SIZE, Odometry, SPEED_LIMIT,
    SPEED_LIMIT_SIZE, SWITCHES, Steering, Switches, Throttle, odometry_bytes, read_battery_level,
    read_odometry, read_speed_limit, speed_limit_bytes,
};

/// Size of a datagram of version 1 in bytes.
pub const STATUS_SIZE: usize = 44;
/// Size of the head of version 2 in bytes.
pub const STATUS_HEAD: usize = 28;
const SIZES: Sizes = Sizes { v1: STATUS_SIZE, v2_head: STATUS_HEAD };

const V1_ODOMETRY: u8 = 1 << 0;
const V1_BATTERY: u8 = 1 << 1;
const V1_BRAKING: u8 = 1 << 2;
const BRAKING: u8 = 1 << 0;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DriveStatus {
    pub state: DriveState,
    /// Why the wheels do not follow the driver.
    pub reason: StopReason,
    /// Counts datagrams and wraps.
    pub seq: u32,
    /// When the status was taken.
    pub at: MonotonicMicros,
    /// Session that the drive obeys; zero if none.
    pub session: u64,
    /// Steering on the wheels, after limits and slew.
    pub steering: Steering,
    /// Throttle on the motor, after limits and slew.
    pub throttle: Throttle,
    pub braking: bool,
    /// Battery voltage, if it is measured.
    pub battery_mv: Option<u16>,
    /// What the drive makes of it; `None` if it does not watch its battery. Version 2 only.
    pub battery_level: Option<BatteryLevel>,
    /// `None` if the car has neither lights nor horn. Version 2 only.
    pub switches: Option<Switches>,
    /// `None` if the driver has the whole throttle. Version 2 only.
    pub speed_limit: Option<SpeedLimit>,
    /// Speed and pose, if they are measured or simulated.
    pub odometry: Option<Odometry>,
    /// Speed in mm/s measured at a wheel, negative backward. Version 2 only.
    pub speed_mm_s: Option<i16>,
}

impl DriveStatus {
    #[must_use]
    pub fn encode(&self, layout: Layout) -> FrameBytes {
        let flags = match layout {
            Layout::V1 => {
                bit(self.odometry.is_some(), V1_ODOMETRY)
                    | bit(self.battery_mv.is_some(), V1_BATTERY)
                    | bit(self.braking, V1_BRAKING)
            }
            Layout::V2 => bit(self.braking, BRAKING),
        };
        let mut writer = Writer::new(layout);
        writer
            .put(&[self.state.to_byte_in(layout), self.reason.to_byte_in(layout), flags])
            .put(&self.seq.to_be_bytes())
            .put(&self.at.0.to_be_bytes())
            .put(&self.session.to_be_bytes())
            .put(&self.steering.permyriad().to_be_bytes())
            .put(&self.throttle.permyriad().to_be_bytes());
        match layout {
            Layout::V1 => writer
                .put(&odometry_bytes(&self.odometry.unwrap_or_default()))
                .put(&self.battery_mv.unwrap_or_default().to_be_bytes())
                .put(&[0; 2]),
            Layout::V2 => writer
                .group(ODOMETRY, self.odometry.as_ref().map(odometry_bytes))
                .group(BATTERY, self.battery_mv.map(u16::to_be_bytes))
                .group(BATTERY_LEVEL, self.battery_level.map(|level| [level.to_byte_in(layout)]))
                .group(SWITCHES, self.switches.map(|switches| [switches.to_byte()]))
                .group(SPEED, self.speed_mm_s.map(i16::to_be_bytes))
                .group(SPEED_LIMIT, self.speed_limit.map(speed_limit_bytes)),
        };
        writer.finish()
    }

    /// Reads a datagram of any [`Layout`].
    pub fn decode(bytes: &[u8]) -> Result<Self, FrameError> {
        let mut reader = Reader::open(bytes, SIZES)?;
        let layout = reader.layout;
        let state = DriveState::from_byte_in(layout, reader.u8(), "state")?;
        let reason = StopReason::from_byte_in(layout, reader.u8(), "reason")?;
        let flags = match layout {
            Layout::V1 => reader.flags(V1_ODOMETRY | V1_BATTERY | V1_BRAKING, "flags")?,
            Layout::V2 => reader.flags(BRAKING, "flags")?,
        };
        let seq = reader.u32();
        let at = MonotonicMicros(reader.u64());
        let session = reader.u64();
        let steering = Steering::from_permyriad(reader.i16())?;
        let throttle = Throttle::from_permyriad(reader.i16())?;
        let (braking, odometry, battery_mv, battery_level, switches, speed_mm_s, speed_limit) =
            match layout {
                Layout::V1 => {
                    let odometry = reader.optional(
                        flags & V1_ODOMETRY != 0,
                        ODOMETRY_SIZE,
                        "odometry",
                        read_odometry,
                    )?;
                    let battery_mv =
                        reader
                            .optional(flags & V1_BATTERY != 0, 2, "battery_mv", |r| Ok(r.u16()))?;
                    reader.zero(2, "reserved")?;
                    (flags & V1_BRAKING != 0, odometry, battery_mv, None, None, None, None)
                }
                Layout::V2 => (
                    flags & BRAKING != 0,
                    reader.group(ODOMETRY, ODOMETRY_SIZE, read_odometry)?,
                    reader.group(BATTERY, 2, |r| Ok(r.u16()))?,
                    reader.group(BATTERY_LEVEL, 1, read_battery_level)?,
                    reader.group(SWITCHES, 1, Switches::read)?,
                    reader.group(SPEED, SPEED_SIZE, |r| Ok(r.i16()))?,
                    reader.group(SPEED_LIMIT, SPEED_LIMIT_SIZE, read_speed_limit)?,
                ),
            };
        Ok(Self {
            state,
            reason,
            seq,
            at,
            session,
            steering,
            throttle,
            braking,
            battery_mv,
            battery_level,
            switches,
            speed_limit,
            odometry,
            speed_mm_s,
        })
    }
}
