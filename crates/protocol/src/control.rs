//! The control frame: what the driver wants, from the browser to the car.
//!
//! Sent at [`crate::CONTROL_HZ`] on the unordered data channel `control` without retransmission, whether or not anything changed.

use crate::FrameError;
use crate::cursor::{Reader, Writer, bit};
use crate::state::{StopReason, byte_enum};
use crate::units::{Steering, Throttle};
use std::time::Duration;

/// Version in the first byte.
pub const CONTROL_VERSION: u8 = 1;
/// Size of a frame in bytes.
pub const CONTROL_SIZE: usize = 18;
/// Input older than this counts as no input: the 80 ms for which the drive may hold a set-point (`PROTOCOL.md`, "Timing").
pub const MAX_SAMPLE_AGE: Duration = Duration::from_millis(80);

const VISIBLE: u8 = 1 << 0;
const FOCUSED: u8 = 1 << 1;
const ARM: u8 = 1 << 2;
const BRAKE: u8 = 1 << 3;

byte_enum!(
    /// The kind of device that the driver steers with.
    InputSource, "source", {
    /// No device is in use, or the one in use has vanished.
    #[default]
    None = 0,
    /// Keyboard.
    Keyboard = 1,
    /// W3C Gamepad.
    Gamepad = 2,
    /// Touch sticks.
    Touch = 3,
});

/// One sample of the driver's input.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ControlFrame {
    /// The page is visible (`document.visibilityState`).
    pub visible: bool,
    /// The page has the focus (`document.hasFocus()`).
    pub focused: bool,
    /// The driver wants the car armed.
    pub arm: bool,
    /// The driver brakes, whatever the throttle says.
    pub brake: bool,
    /// Device behind the sample.
    pub source: InputSource,
    /// Counts frames, wraps; the newest wins.
    pub seq: u32,
    /// Browser's clock at sending, in µs, wraps. Echoed in the telemetry.
    pub sent_us: u32,
    /// Age of the input sample at sending, in ms; 65535 stands for anything older.
    pub sample_age_ms: u16,
    /// Steering.
    pub steering: Steering,
    /// Throttle.
    pub throttle: Throttle,
}

impl ControlFrame {
    /// Writes the frame.
    #[must_use]
    pub fn encode(&self) -> [u8; CONTROL_SIZE] {
        let flags = bit(self.visible, VISIBLE) | bit(self.focused, FOCUSED) | bit(self.arm, ARM) | bit(self.brake, BRAKE);
        Writer::<CONTROL_SIZE>::new()
            .put(&[CONTROL_VERSION, flags, self.source.to_byte(), 0])
            .put(&self.seq.to_be_bytes())
            .put(&self.sent_us.to_be_bytes())
            .put(&self.sample_age_ms.to_be_bytes())
            .put(&self.steering.permyriad().to_be_bytes())
            .put(&self.throttle.permyriad().to_be_bytes())
            .finish()
    }

    /// Reads a frame.
    pub fn decode(bytes: &[u8]) -> Result<Self, FrameError> {
        let mut reader = Reader::open(bytes, CONTROL_SIZE, CONTROL_VERSION)?;
        let flags = reader.flags(VISIBLE | FOCUSED | ARM | BRAKE, "flags")?;
        let source = InputSource::from_byte(reader.u8())?;
        reader.zero(1, "reserved")?;
        Ok(Self {
            visible: flags & VISIBLE != 0,
            focused: flags & FOCUSED != 0,
            arm: flags & ARM != 0,
            brake: flags & BRAKE != 0,
            source,
            seq: reader.u32(),
            sent_us: reader.u32(),
            sample_age_ms: reader.u16(),
            steering: Steering::from_permyriad(reader.i16())?,
            throttle: Throttle::from_permyriad(reader.i16())?,
        })
    }

    /// Why the sample does not count as input, given its full age; `None` if it counts.
    #[must_use]
    pub fn not_input(&self, age: Duration) -> Option<StopReason> {
        if !self.visible {
            Some(StopReason::Hidden)
        } else if !self.focused {
            Some(StopReason::Unfocused)
        } else if self.source == InputSource::None {
            Some(StopReason::NoDevice)
        } else if age > MAX_SAMPLE_AGE {
            Some(StopReason::StaleInput)
        } else {
            None
        }
    }

    /// Whether this frame was sent after the one numbered `seq` (serial number arithmetic, RFC 1982).
    #[must_use]
    pub fn is_newer_than(&self, seq: u32) -> bool {
        let ahead = self.seq.wrapping_sub(seq);
        ahead != 0 && ahead < 1 << 31
    }
}
