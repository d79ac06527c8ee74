//! The telemetry frame: what the car does, from the car to the browser.
//!
//! Sent on the data channel `control`, in answer to control frames and at least ten times a second.

use crate::FrameError;
use crate::cursor::{Reader, Writer, bit};
use crate::state::{DriveState, StopReason};
use crate::units::{MonotonicMicros, ODOMETRY_SIZE, Odometry, Steering, Throttle, odometry_bytes, read_odometry};

/// Version in the first byte.
pub const TELEMETRY_VERSION: u8 = 1;
/// Size of a frame in bytes.
pub const TELEMETRY_SIZE: usize = 52;

const ODOMETRY: u8 = 1 << 0;
const BATTERY: u8 = 1 << 1;
const ECHO: u8 = 1 << 2;
const BRAKING: u8 = 1 << 3;

/// The newest control frame that the car has read, so that the browser can measure the round trip.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Echo {
    /// Its `seq`.
    pub seq: u32,
    /// Its `sent_us`.
    pub sent_us: u32,
    /// Time between its arrival and the sending of this telemetry, in µs.
    pub held_us: u32,
}

/// One telemetry frame.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TelemetryFrame {
    /// State of the drive.
    pub state: DriveState,
    /// Why the wheels do not follow.
    pub reason: StopReason,
    /// Counts frames, wraps.
    pub seq: u32,
    /// The car's monotonic clock at sending. RTP time stamps of the video come from the same clock.
    pub car_time: MonotonicMicros,
    /// The newest control frame, if one has arrived.
    pub echo: Option<Echo>,
    /// Steering on the wheels.
    pub steering: Steering,
    /// Throttle on the motor.
    pub throttle: Throttle,
    /// The drive brakes.
    pub braking: bool,
    /// Battery voltage in mV, if it is measured.
    pub battery_mv: Option<u16>,
    /// Speed and pose, if they are measured.
    pub odometry: Option<Odometry>,
    /// Control frames dropped because they were malformed, late or too many; stays at 65535.
    pub dropped: u16,
}

impl TelemetryFrame {
    /// Writes the frame.
    #[must_use]
    pub fn encode(&self) -> [u8; TELEMETRY_SIZE] {
        let flags = bit(self.odometry.is_some(), ODOMETRY)
            | bit(self.battery_mv.is_some(), BATTERY)
            | bit(self.echo.is_some(), ECHO)
            | bit(self.braking, BRAKING);
        let echo = self.echo.unwrap_or_default();
        let odometry = self.odometry.unwrap_or_default();
        Writer::<TELEMETRY_SIZE>::new()
            .put(&[TELEMETRY_VERSION, self.state.to_byte(), self.reason.to_byte(), flags])
            .put(&self.seq.to_be_bytes())
            .put(&self.car_time.0.to_be_bytes())
            .put(&echo.seq.to_be_bytes())
            .put(&echo.sent_us.to_be_bytes())
            .put(&echo.held_us.to_be_bytes())
            .put(&self.steering.permyriad().to_be_bytes())
            .put(&self.throttle.permyriad().to_be_bytes())
            .put(&odometry_bytes(&odometry))
            .put(&self.battery_mv.unwrap_or_default().to_be_bytes())
            .put(&self.dropped.to_be_bytes())
            .put(&[0; 4])
            .finish()
    }

    /// Reads a frame.
    pub fn decode(bytes: &[u8]) -> Result<Self, FrameError> {
        let mut reader = Reader::open(bytes, TELEMETRY_SIZE, TELEMETRY_VERSION)?;
        let state = DriveState::from_byte(reader.u8())?;
        let reason = StopReason::from_byte(reader.u8())?;
        let flags = reader.flags(ODOMETRY | BATTERY | ECHO | BRAKING, "flags")?;
        let seq = reader.u32();
        let car_time = MonotonicMicros(reader.u64());
        let echo =
            reader.optional(flags & ECHO != 0, 12, "echo", |r| Ok(Echo { seq: r.u32(), sent_us: r.u32(), held_us: r.u32() }))?;
        let steering = Steering::from_permyriad(reader.i16())?;
        let throttle = Throttle::from_permyriad(reader.i16())?;
        let odometry = reader.optional(flags & ODOMETRY != 0, ODOMETRY_SIZE, "odometry", read_odometry)?;
        let battery_mv = reader.optional(flags & BATTERY != 0, 2, "battery_mv", |r| Ok(r.u16()))?;
        let dropped = reader.u16();
        reader.zero(4, "reserved")?;
        Ok(Self {
            state,
            reason,
            seq,
            car_time,
            echo,
            steering,
            throttle,
            braking: flags & BRAKING != 0,
            battery_mv,
            odometry,
            dropped,
        })
    }
}
