//! The drive's status: from `rccar-drive` to whoever sent the newest set-point, one Unix datagram each.

use crate::FrameError;
use crate::cursor::{Reader, Writer, bit};
use crate::state::{DriveState, StopReason};
use crate::units::{MonotonicMicros, ODOMETRY_SIZE, Odometry, Steering, Throttle, odometry_bytes, read_odometry};

/// Version in the first byte.
pub const STATUS_VERSION: u8 = 1;
/// Size of a datagram in bytes.
pub const STATUS_SIZE: usize = 44;

const ODOMETRY: u8 = 1 << 0;
const BATTERY: u8 = 1 << 1;
const BRAKING: u8 = 1 << 2;

/// What the drive does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DriveStatus {
    /// State of the machine.
    pub state: DriveState,
    /// Why the wheels do not follow.
    pub reason: StopReason,
    /// Counts datagrams, wraps.
    pub seq: u32,
    /// When the status was taken.
    pub at: MonotonicMicros,
    /// Session that the drive obeys; zero if none.
    pub session: u64,
    /// Steering on the wheels.
    pub steering: Steering,
    /// Throttle on the motor.
    pub throttle: Throttle,
    /// The drive brakes.
    pub braking: bool,
    /// Battery voltage in mV, if it is measured.
    pub battery_mv: Option<u16>,
    /// Speed and pose, if they are measured or simulated.
    pub odometry: Option<Odometry>,
}

impl DriveStatus {
    /// Writes the datagram.
    #[must_use]
    pub fn encode(&self) -> [u8; STATUS_SIZE] {
        let flags = bit(self.odometry.is_some(), ODOMETRY) | bit(self.battery_mv.is_some(), BATTERY) | bit(self.braking, BRAKING);
        let odometry = self.odometry.unwrap_or_default();
        Writer::<STATUS_SIZE>::new()
            .put(&[STATUS_VERSION, self.state.to_byte(), self.reason.to_byte(), flags])
            .put(&self.seq.to_be_bytes())
            .put(&self.at.0.to_be_bytes())
            .put(&self.session.to_be_bytes())
            .put(&self.steering.permyriad().to_be_bytes())
            .put(&self.throttle.permyriad().to_be_bytes())
            .put(&odometry_bytes(&odometry))
            .put(&self.battery_mv.unwrap_or_default().to_be_bytes())
            .put(&[0; 2])
            .finish()
    }

    /// Reads a datagram.
    pub fn decode(bytes: &[u8]) -> Result<Self, FrameError> {
        let mut reader = Reader::open(bytes, STATUS_SIZE, STATUS_VERSION)?;
        let state = DriveState::from_byte(reader.u8())?;
        let reason = StopReason::from_byte(reader.u8())?;
        let flags = reader.flags(ODOMETRY | BATTERY | BRAKING, "flags")?;
        let seq = reader.u32();
        let at = MonotonicMicros(reader.u64());
        let session = reader.u64();
        let steering = Steering::from_permyriad(reader.i16())?;
        let throttle = Throttle::from_permyriad(reader.i16())?;
        let odometry = reader.optional(flags & ODOMETRY != 0, ODOMETRY_SIZE, "odometry", read_odometry)?;
        let battery_mv = reader.optional(flags & BATTERY != 0, 2, "battery_mv", |r| Ok(r.u16()))?;
        reader.zero(2, "reserved")?;
        Ok(Self { state, reason, seq, at, session, steering, throttle, braking: flags & BRAKING != 0, battery_mv, odometry })
    }
}
