//! The set-point: from `rccar-car` to `rccar-drive`, one Unix datagram each, on the same machine.
//!
//! A set-point expires by the age of the *input sample* behind it, not by its own: `sampled_at` is the moment at which the driver's
//! device was read, translated to this machine's `CLOCK_MONOTONIC`.

use crate::FrameError;
use crate::cursor::{Reader, Writer, bit};
use crate::state::StopReason;
use crate::units::{MonotonicMicros, Steering, Throttle};

/// Version in the first byte.
pub const SETPOINT_VERSION: u8 = 1;
/// Size of a datagram in bytes.
pub const SETPOINT_SIZE: usize = 28;

const ARM: u8 = 1 << 0;
const BRAKE: u8 = 1 << 1;

/// What the car service asks of the drive.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SetPoint {
    /// Why this is not input; [`StopReason::None`] if it is. A set-point that is not input never extends a deadline.
    pub not_input: StopReason,
    /// The driver wants the car armed.
    pub arm: bool,
    /// The driver brakes.
    pub brake: bool,
    /// Counts datagrams, wraps.
    pub seq: u32,
    /// When the input was sampled.
    pub sampled_at: MonotonicMicros,
    /// The driver's session; zero while nobody drives. Another session must arm anew.
    pub session: u64,
    /// Steering.
    pub steering: Steering,
    /// Throttle.
    pub throttle: Throttle,
}

impl SetPoint {
    /// Writes the datagram.
    #[must_use]
    pub fn encode(&self) -> [u8; SETPOINT_SIZE] {
        Writer::<SETPOINT_SIZE>::new()
            .put(&[SETPOINT_VERSION, bit(self.arm, ARM) | bit(self.brake, BRAKE), self.not_input.to_byte(), 0])
            .put(&self.seq.to_be_bytes())
            .put(&self.sampled_at.0.to_be_bytes())
            .put(&self.session.to_be_bytes())
            .put(&self.steering.permyriad().to_be_bytes())
            .put(&self.throttle.permyriad().to_be_bytes())
            .finish()
    }

    /// Reads a datagram.
    pub fn decode(bytes: &[u8]) -> Result<Self, FrameError> {
        let mut reader = Reader::open(bytes, SETPOINT_SIZE, SETPOINT_VERSION)?;
        let flags = reader.flags(ARM | BRAKE, "flags")?;
        let not_input = reader.u8();
        let not_input =
            StopReason::from_byte(not_input).map_err(|_| FrameError::Range { field: "not_input", value: not_input.into() })?;
        reader.zero(1, "reserved")?;
        Ok(Self {
            not_input,
            arm: flags & ARM != 0,
            brake: flags & BRAKE != 0,
            seq: reader.u32(),
            sampled_at: MonotonicMicros(reader.u64()),
            session: reader.u64(),
            steering: Steering::from_permyriad(reader.i16())?,
            throttle: Throttle::from_permyriad(reader.i16())?,
        })
    }
}
