//! The set-point: from `rccar-car` to `rccar-drive`, one Unix datagram each, on the same machine.
//!
//! A set-point expires by the age of the *input sample* behind it, not by its own: `sampled_at` is
//! the moment at which the driver's device was read, translated to this machine's
//! `CLOCK_MONOTONIC`.

use crate::frame::{FrameBytes, FrameError, Layout, Reader, Sizes, Writer, bit};
use crate::state::StopReason;
use crate::units::{MonotonicMicros, Steering, Throttle};

/// Size of a datagram of version 1, and of the head of version 2, in bytes.
pub const SETPOINT_SIZE: usize = 28;
const SIZES: Sizes = Sizes { v1: SETPOINT_SIZE, v2_head: SETPOINT_SIZE };

const PICTURE: u8 = 12;

const ARM: u8 = 1 << 0;
const BRAKE: u8 = 1 << 1;
/// Version 2 only, like the switches.
const JOG: u8 = 1 << 2;
const LIGHTS: u8 = 1 << 0;
const HORN: u8 = 1 << 1;

/// What `rccar-car` asks `rccar-drive` to do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SetPoint {
    /// Why this is not input; [`StopReason::None`] if it is. A set-point that is not input never
    /// lets the car move for longer.
    pub not_input: StopReason,
    /// The driver wants the car armed.
    pub arm: bool,
    pub brake: bool,
    /// Servo and motor are to follow although the car is disarmed. Counts only in a session for
    /// which the [calibration](crate::calibration) is open. Version 2 only.
    pub jog: bool,
    /// The driver wants the lights on. Version 2 only.
    pub lights: bool,
    /// The driver sounds the horn. Version 2 only.
    pub horn: bool,
    /// Counts datagrams and wraps.
    pub seq: u32,
    pub sampled_at: MonotonicMicros,
    /// The driver's session; zero while nobody drives. When it changes, the driver has to arm
    /// again.
    pub session: u64,
    pub steering: Steering,
    pub throttle: Throttle,
    /// When the picture was taken that the driver saw; `None` if that is not known. Version 2 only.
    pub picture_at: Option<MonotonicMicros>,
}

impl SetPoint {
    /// Version 1 leaves out `jog` and the switches. There, a reason that only version 2 has becomes
    /// [`StopReason::Silent`].
    #[must_use]
    pub fn encode(&self, layout: Layout) -> FrameBytes {
        // `to_byte_in` would give `None` for it, and the set-point would count as input.
        let not_input = match layout {
            Layout::V1 if !self.not_input.is_in_v1() => StopReason::Silent,
            _ => self.not_input,
        };
        let (later, switches) = match layout {
            Layout::V1 => (0, 0),
            Layout::V2 => (bit(self.jog, JOG), bit(self.lights, LIGHTS) | bit(self.horn, HORN)),
        };
        let flags = bit(self.arm, ARM) | bit(self.brake, BRAKE) | later;
        let mut writer = Writer::new(layout);
        writer
            .put(&[flags, not_input.to_byte(), switches])
            .put(&self.seq.to_be_bytes())
            .put(&self.sampled_at.0.to_be_bytes())
            .put(&self.session.to_be_bytes())
            .put(&self.steering.permyriad().to_be_bytes())
            .put(&self.throttle.permyriad().to_be_bytes());
        if layout == Layout::V2 {
            writer.group(PICTURE, self.picture_at.map(|at| at.0.to_be_bytes()));
        }
        writer.finish()
    }

    /// Reads a datagram of any [`Layout`].
    pub fn decode(bytes: &[u8]) -> Result<Self, FrameError> {
        let mut reader = Reader::open(bytes, SIZES)?;
        let (later, known) = match reader.layout {
            Layout::V1 => (0, 0),
            Layout::V2 => (JOG, LIGHTS | HORN),
        };
        let flags = reader.flags(ARM | BRAKE | later, "flags")?;
        let not_input = StopReason::from_byte_in(reader.layout, reader.u8(), "not_input")?;
        let switches = reader.flags(known, "reserved")?;
        Ok(Self {
            not_input,
            arm: flags & ARM != 0,
            brake: flags & BRAKE != 0,
            jog: flags & JOG != 0,
            lights: switches & LIGHTS != 0,
            horn: switches & HORN != 0,
            seq: reader.u32(),
            sampled_at: MonotonicMicros(reader.u64()),
            session: reader.u64(),
            steering: Steering::from_permyriad(reader.i16())?,
            throttle: Throttle::from_permyriad(reader.i16())?,
            picture_at: reader.group(PICTURE, 8, |r| Ok(MonotonicMicros(r.u64())))?,
        })
    }
}
