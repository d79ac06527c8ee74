//! The control frame: what the driver wants, from the browser to the car.
//!
//! Sent at [`crate::CONTROL_HZ`] on the unordered data channel `control` without retransmission,
//! whether or not anything changed.

use crate::frame::{FrameBytes, FrameError, Layout, Reader, Sizes, Writer, bit};
use crate::state::StopReason;
use crate::units::{Steering, Throttle};
use crate::word::numbered_words;
use std::time::Duration;

/// Size of a frame of version 1, and of the head of version 2, in bytes.
pub const CONTROL_SIZE: usize = 18;
const SIZES: Sizes = Sizes { v1: CONTROL_SIZE, v2_head: CONTROL_SIZE };
/// Input that is older counts as no input: it is the time for which the drive may hold a set-point
/// (`PROTOCOL.md`, "Timing").
pub const MAX_SAMPLE_AGE: Duration = Duration::from_millis(80);

const VISIBLE: u8 = 1 << 0;
const FOCUSED: u8 = 1 << 1;
const ARM: u8 = 1 << 2;
const BRAKE: u8 = 1 << 3;
/// Version 2 only, like the switches.
const JOG: u8 = 1 << 4;
const LIGHTS: u8 = 1 << 0;
const HORN: u8 = 1 << 1;

const SHOWN: u8 = 4;
const SHOWN_SIZE: usize = 6;

numbered_words!(
    /// The kind of device that the driver steers with.
    InputSource, v1: 0..=3 else Gamepad, {
    /// No device is in use, or the one in use has vanished.
    None = 0 "none",
    Keyboard = 1 "keyboard",
    /// W3C Gamepad.
    Gamepad = 2 "gamepad",
    /// Touch sticks.
    Touch = 3 "touch",
});

/// The picture that the driver sees. From it the car can compute how old that picture is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Shown {
    /// RTP time stamp of the newest frame on the screen: its capture time by the car's clock.
    pub rtp: u32,
    /// How long that frame has been on the screen when this is sent, in ms; 65535 stands for
    /// anything longer.
    pub for_ms: u16,
}

impl Shown {
    fn to_bytes(self) -> [u8; SHOWN_SIZE] {
        let ([a, b, c, d], [e, f]) = (self.rtp.to_be_bytes(), self.for_ms.to_be_bytes());
        [a, b, c, d, e, f]
    }
}

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
    /// Servo and motor are to follow although the car is disarmed: somebody calibrates it and holds
    /// a button. Version 2 only.
    pub jog: bool,
    /// The driver wants the lights on. Version 2 only.
    pub lights: bool,
    /// The driver sounds the horn. Version 2 only.
    pub horn: bool,
    /// The device that was sampled.
    pub source: InputSource,
    /// Counts frames and wraps; the newest frame wins.
    pub seq: u32,
    /// The browser's clock at sending, in µs; wraps. The telemetry echoes it.
    pub sent_us: u32,
    /// Age of the input sample when the frame is sent, in ms; 65535 stands for anything older.
    pub sample_age_ms: u16,
    pub steering: Steering,
    pub throttle: Throttle,
    /// The picture that the driver sees. Version 2 only.
    pub shown: Option<Shown>,
}

impl ControlFrame {
    /// Version 1 leaves out `jog`, the switches and `shown`, for which it has no room.
    #[must_use]
    pub fn encode(&self, layout: Layout) -> FrameBytes {
        let flags = bit(self.visible, VISIBLE)
            | bit(self.focused, FOCUSED)
            | bit(self.arm, ARM)
            | bit(self.brake, BRAKE);
        let (later, switches) = match layout {
            Layout::V1 => (0, 0),
            Layout::V2 => (bit(self.jog, JOG), bit(self.lights, LIGHTS) | bit(self.horn, HORN)),
        };
        let mut writer = Writer::new(layout);
        writer
            .put(&[flags | later, self.source.to_byte_in(layout), switches])
            .put(&self.seq.to_be_bytes())
            .put(&self.sent_us.to_be_bytes())
            .put(&self.sample_age_ms.to_be_bytes())
            .put(&self.steering.permyriad().to_be_bytes())
            .put(&self.throttle.permyriad().to_be_bytes());
        if layout == Layout::V2 {
            writer.group(SHOWN, self.shown.map(|shown| shown.to_bytes()));
        }
        writer.finish()
    }

    /// Reads a frame of any [`Layout`].
    pub fn decode(bytes: &[u8]) -> Result<Self, FrameError> {
        let mut reader = Reader::open(bytes, SIZES)?;
        let (later, known) = match reader.layout {
            Layout::V1 => (0, 0),
            Layout::V2 => (JOG, LIGHTS | HORN),
        };
        let flags = reader.flags(VISIBLE | FOCUSED | ARM | BRAKE | later, "flags")?;
        let source = InputSource::from_byte_in(reader.layout, reader.u8(), "source")?;
        let switches = reader.flags(known, "reserved")?;
        Ok(Self {
            visible: flags & VISIBLE != 0,
            focused: flags & FOCUSED != 0,
            arm: flags & ARM != 0,
            brake: flags & BRAKE != 0,
            jog: flags & JOG != 0,
            lights: switches & LIGHTS != 0,
            horn: switches & HORN != 0,
            source,
            seq: reader.u32(),
            sent_us: reader.u32(),
            sample_age_ms: reader.u16(),
            steering: Steering::from_permyriad(reader.i16())?,
            throttle: Throttle::from_permyriad(reader.i16())?,
            shown: reader
                .group(SHOWN, SHOWN_SIZE, |r| Ok(Shown { rtp: r.u32(), for_ms: r.u16() }))?,
        })
    }

    /// Why the sample does not count as input; `None` if it counts. `age` is its full age: that at
    /// sending and the time that it spent on its way.
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

    /// Whether this frame was sent after the one with the number `seq` (serial number arithmetic,
    /// RFC 1982).
    #[must_use]
    pub fn is_newer_than(&self, seq: u32) -> bool {
        let ahead = self.seq.wrapping_sub(seq);
        ahead != 0 && ahead < 1 << 31
    }
}
