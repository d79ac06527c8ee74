//! The telemetry frame: what the car does, from the car to the browser.
//!
//! Sent on the data channel `control`, in answer to control frames and at least ten times a second.

use crate::frame::{FrameBytes, FrameError, Layout, Reader, Sizes, Writer, bit};
use crate::sensors::{
    COMPUTER, COMPUTER_SIZE, Computer, POSITION, POSITION_SIZE, Position, SPEED, SPEED_SIZE,
    computer_bytes, position_bytes, read_computer, read_position,
};
use crate::state::{BatteryLevel, DriveState, SpeedLimit, StopReason};
use crate::units::{
    BATTERY, BATTERY_LEVEL, MonotonicMicros, ODOMETRY, ODOMETRY_SIZE, Odometry, SPEED_LIMIT,
    SPEED_LIMIT_SIZE, SWITCHES, Steering, Switches, Throttle, odometry_bytes, read_battery_level,
    read_odometry, read_speed_limit, speed_limit_bytes,
};

/// Size of a frame of version 1 in bytes.
pub const TELEMETRY_SIZE: usize = 52;
/// Size of the head of version 2 in bytes.
pub const TELEMETRY_HEAD: usize = 24;
const SIZES: Sizes = Sizes { v1: TELEMETRY_SIZE, v2_head: TELEMETRY_HEAD };

const V1_ODOMETRY: u8 = 1 << 0;
const V1_BATTERY: u8 = 1 << 1;
const V1_ECHO: u8 = 1 << 2;
const V1_BRAKING: u8 = 1 << 3;
const BRAKING: u8 = 1 << 0;

const ECHO: u8 = 1;
const ECHO_SIZE: usize = 12;

/// The numbers of the newest control frame that the car has read. By them the browser measures the
/// round trip.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Echo {
    pub seq: u32,
    pub sent_us: u32,
    /// Time from the arrival of that frame to the sending of this telemetry.
    pub held_us: u32,
}

impl Echo {
    fn to_bytes(self) -> [u8; ECHO_SIZE] {
        let mut bytes = [0; ECHO_SIZE];
        let fields = [self.seq, self.sent_us, self.held_us];
        for (slot, field) in bytes.chunks_exact_mut(4).zip(fields) {
            slot.copy_from_slice(&field.to_be_bytes());
        }
        bytes
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, FrameError> {
        Ok(Self { seq: reader.u32(), sent_us: reader.u32(), held_us: reader.u32() })
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TelemetryFrame {
    pub state: DriveState,
    /// Why the wheels do not follow the driver.
    pub reason: StopReason,
    /// Counts frames and wraps.
    pub seq: u32,
    /// The car's monotonic clock at sending. RTP time stamps of the video come from the same clock.
    pub car_time: MonotonicMicros,
    /// `None` while no control frame has arrived.
    pub echo: Option<Echo>,
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
    /// Speed in mm/s measured at a wheel, negative backward. Version 2 only, as what follows.
    pub speed_mm_s: Option<i16>,
    pub computer: Option<Computer>,
    /// `None` if the car does not know it, or its owner has not asked for it.
    pub position: Option<Position>,
    /// Control frames that the car dropped because they were malformed, late or too many. The count
    /// stays at 65535.
    pub dropped: u16,
}

impl TelemetryFrame {
    #[must_use]
    pub fn encode(&self, layout: Layout) -> FrameBytes {
        match layout {
            Layout::V1 => self.encode_v1(),
            Layout::V2 => self.encode_v2(),
        }
    }

    fn encode_v1(&self) -> FrameBytes {
        let layout = Layout::V1;
        let flags = bit(self.odometry.is_some(), V1_ODOMETRY)
            | bit(self.battery_mv.is_some(), V1_BATTERY)
            | bit(self.echo.is_some(), V1_ECHO)
            | bit(self.braking, V1_BRAKING);
        Writer::new(layout)
            .put(&[self.state.to_byte_in(layout), self.reason.to_byte_in(layout), flags])
            .put(&self.seq.to_be_bytes())
            .put(&self.car_time.0.to_be_bytes())
            .put(&self.echo.unwrap_or_default().to_bytes())
            .put(&self.steering.permyriad().to_be_bytes())
            .put(&self.throttle.permyriad().to_be_bytes())
            .put(&odometry_bytes(&self.odometry.unwrap_or_default()))
            .put(&self.battery_mv.unwrap_or_default().to_be_bytes())
            .put(&self.dropped.to_be_bytes())
            .put(&[0; 4])
            .finish()
    }

    fn encode_v2(&self) -> FrameBytes {
        Writer::new(Layout::V2)
            .put(&[self.state.to_byte(), self.reason.to_byte(), bit(self.braking, BRAKING)])
            .put(&self.seq.to_be_bytes())
            .put(&self.car_time.0.to_be_bytes())
            .put(&self.steering.permyriad().to_be_bytes())
            .put(&self.throttle.permyriad().to_be_bytes())
            .put(&self.dropped.to_be_bytes())
            .put(&[0; 2])
            .group(ECHO, self.echo.map(Echo::to_bytes))
            .group(ODOMETRY, self.odometry.as_ref().map(odometry_bytes))
            .group(BATTERY, self.battery_mv.map(u16::to_be_bytes))
            .group(BATTERY_LEVEL, self.battery_level.map(|level| [level.to_byte_in(Layout::V2)]))
            .group(SWITCHES, self.switches.map(|switches| [switches.to_byte()]))
            .group(SPEED, self.speed_mm_s.map(i16::to_be_bytes))
            .group(COMPUTER, self.computer.map(computer_bytes))
            .group(POSITION, self.position.map(position_bytes))
            .group(SPEED_LIMIT, self.speed_limit.map(speed_limit_bytes))
            .finish()
    }

    /// Reads a frame of any [`Layout`].
    pub fn decode(bytes: &[u8]) -> Result<Self, FrameError> {
        let mut reader = Reader::open(bytes, SIZES)?;
        let state = DriveState::from_byte_in(reader.layout, reader.u8(), "state")?;
        let reason = StopReason::from_byte_in(reader.layout, reader.u8(), "reason")?;
        match reader.layout {
            Layout::V1 => Self::decode_v1(state, reason, &mut reader),
            Layout::V2 => Self::decode_v2(state, reason, &mut reader),
        }
    }

    fn decode_v1(
        state: DriveState,
        reason: StopReason,
        reader: &mut Reader<'_>,
    ) -> Result<Self, FrameError> {
        let flags = reader.flags(V1_ODOMETRY | V1_BATTERY | V1_ECHO | V1_BRAKING, "flags")?;
        let seq = reader.u32();
        let car_time = MonotonicMicros(reader.u64());
        let echo = reader.optional(flags & V1_ECHO != 0, ECHO_SIZE, "echo", Echo::read)?;
        let steering = Steering::from_permyriad(reader.i16())?;
        let throttle = Throttle::from_permyriad(reader.i16())?;
        let odometry =
            reader.optional(flags & V1_ODOMETRY != 0, ODOMETRY_SIZE, "odometry", read_odometry)?;
        let battery_mv =
            reader.optional(flags & V1_BATTERY != 0, 2, "battery_mv", |r| Ok(r.u16()))?;
        let dropped = reader.u16();
        reader.zero(4, "reserved")?;
        let braking = flags & V1_BRAKING != 0;
        Ok(Self {
            state,
            reason,
            seq,
            car_time,
            echo,
            steering,
            throttle,
            braking,
            battery_mv,
            battery_level: None,
            switches: None,
            speed_limit: None,
            odometry,
            speed_mm_s: None,
            computer: None,
            position: None,
            dropped,
        })
    }

    fn decode_v2(
        state: DriveState,
        reason: StopReason,
        reader: &mut Reader<'_>,
    ) -> Result<Self, FrameError> {
        let flags = reader.flags(BRAKING, "flags")?;
        Ok(Self {
            state,
            reason,
            braking: flags & BRAKING != 0,
            seq: reader.u32(),
            car_time: MonotonicMicros(reader.u64()),
            steering: Steering::from_permyriad(reader.i16())?,
            throttle: Throttle::from_permyriad(reader.i16())?,
            dropped: reader.u16(),
            echo: reader.group(ECHO, ECHO_SIZE, Echo::read)?,
            odometry: reader.group(ODOMETRY, ODOMETRY_SIZE, read_odometry)?,
            battery_mv: reader.group(BATTERY, 2, |r| Ok(r.u16()))?,
            battery_level: reader.group(BATTERY_LEVEL, 1, read_battery_level)?,
            switches: reader.group(SWITCHES, 1, Switches::read)?,
            speed_limit: reader.group(SPEED_LIMIT, SPEED_LIMIT_SIZE, read_speed_limit)?,
            speed_mm_s: reader.group(SPEED, SPEED_SIZE, |r| Ok(r.i16()))?,
            computer: reader.group(COMPUTER, COMPUTER_SIZE, read_computer)?,
            position: reader.group(POSITION, POSITION_SIZE, read_position)?,
        })
    }
}
