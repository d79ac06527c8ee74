//! Chooses an encoder, and another one when that fails.
//!
//! ```text
//!   "openh264" ──────────────────────────────────────────────► OpenH264
//!   "auto", "v4l2" ── device found ─► device ── gone, busy, hangs, unfit, ──► OpenH264
//!                  └─ none ─────────► OpenH264    fails again and again         for good
//! ```
//!
//! A device that fails costs itself: the picture stands still, for three seconds at most, until
//! OpenH264 has taken over.

use super::openh264::OpenH264;
use super::v4l2::{Coding, Found, Keeper, Kernel, Linux, Settings, Trouble, find};
use super::{Encoded, Encoder, EncoderError};
use crate::frame::{I420Frame, VideoFormat};
use rccar_protocol::video::Level;
use std::sync::Arc;

const NAME: &str = "v4l2";
/// Failures of a device after which it is given up.
const MOST_FAILURES: u32 = 3;
/// Access units without a failure after which the failures before are forgotten: a minute at 30 Hz.
const FORGET_AFTER: u32 = 1_800;

/// Which encoder is wanted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Wish {
    /// A device that is known to work, if there is one; else OpenH264.
    #[default]
    Auto,
    /// In software, on every machine.
    OpenH264,
    /// Any device that gives H.264; OpenH264 if there is none.
    V4l2,
}

/// What is to be encoded, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Order {
    pub format: VideoFormat,
    /// The level that the driver's browser is offered. The stream keeps to it.
    pub level: Level,
    /// 1000 bits per second.
    pub bitrate_kbps: u32,
}

/// Opens an encoder, and logs which one and why. A device is opened with the first frame.
///
/// # Errors
/// If not even OpenH264 starts.
pub fn open(wish: Wish, order: Order) -> Result<Box<dyn Encoder>, EncoderError> {
    open_with(wish, order, Arc::new(Linux))
}

/// Which encoder [`open`] would choose now, and why, in a line for a person.
#[must_use]
pub fn describe(wish: Wish, order: Order) -> String {
    choose(wish, order, &Linux).to_string()
}

/// The rate in kbit/s (1000 bits per second) below which a device leaves most frames out: 400 at
/// 640×360, 800 at 1280×720, after reports on the Pi's (raspberrypi/picamera2 #1228, #1230,
/// bluenviron/mediamtx #2579). Never seen on hardware by this project.
fn floor_kbps(format: VideoFormat) -> u32 {
    let pixels = f64::from(format.width()) * f64::from(format.height());
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "400 to 1,200")]
    let floor = (400.0 * (pixels / (640.0 * 360.0)).sqrt()) as u32;
    floor
}

struct Choice {
    device: Option<Found>,
    /// Which, and why.
    words: String,
    /// Somebody asked for something else.
    against_wish: bool,
}

impl std::fmt::Display for Choice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.words)
    }
}

fn choose(wish: Wish, order: Order, kernel: &dyn Kernel) -> Choice {
    let software = |why: &str| (None, format!("OpenH264, in software: {why}"));
    let (rate, floor) = (order.bitrate_kbps, floor_kbps(order.format));
    let any = wish == Wish::V4l2;
    let (device, words) = match wish {
        Wish::OpenH264 => software("the configuration says so"),
        Wish::Auto if rate < floor => {
            software(&format!("a device needs {floor} kbit/s for this size, {rate} are configured"))
        }
        Wish::Auto | Wish::V4l2 => match find(kernel, Coding::H264(order.level).four_cc(), any) {
            Ok(found) => {
                let words = match rate < floor {
                    true => format!("{found}, with its least rate, {floor} kbit/s"),
                    false => found.to_string(),
                };
                (Some(found), words)
            }
            Err(why) => software(&why),
        },
    };
    let against_wish = any && device.is_none();
    Choice { device, words, against_wish }
}

fn open_with(
    wish: Wish,
    order: Order,
    kernel: Arc<dyn Kernel>,
) -> Result<Box<dyn Encoder>, EncoderError> {
    let choice = choose(wish, order, kernel.as_ref());
    if choice.against_wish {
        tracing::warn!("encoder: {choice}");
    } else {
        tracing::info!("encoder: {choice}");
    }
    let Some(device) = choice.device else {
        return Ok(Box::new(OpenH264::new(order.format, order.bitrate_kbps)?));
    };
    let settings = Settings {
        format: order.format,
        coding: Coding::H264(order.level),
        bitrate_kbps: order.bitrate_kbps.max(floor_kbps(order.format)),
    };
    let keeper = Keeper::start(kernel, settings, wish == Wish::V4l2).map_err(no_thread)?;
    Ok(Box::new(WithSpare::new(keeper, device, order)))
}

/// A device that gives something else than H.264, without another encoder behind it. It is for
/// trying devices: the kernel has one for tests (`vicodec`, which gives `FWHT`).
///
/// # Errors
/// If there is none.
pub fn open_coding(coding: [u8; 4], order: Order) -> Result<Box<dyn Encoder>, EncoderError> {
    let found =
        find(&Linux, coding, true).map_err(|reason| EncoderError { encoder: NAME, reason })?;
    let Order { format, bitrate_kbps, .. } = order;
    let settings = Settings { format, coding: Coding::Other(coding), bitrate_kbps };
    let keeper = Keeper::start(Arc::new(Linux), settings, true).map_err(no_thread)?;
    Ok(Box::new(Alone { keeper, found }))
}

#[expect(clippy::needless_pass_by_value, reason = "for `map_err`")]
fn no_thread(error: std::io::Error) -> EncoderError {
    EncoderError { encoder: NAME, reason: format!("no thread for it: {error}") }
}

struct Alone {
    keeper: Keeper,
    found: Found,
}

impl Encoder for Alone {
    fn encode(
        &mut self,
        frame: &I420Frame,
        force_keyframe: bool,
    ) -> Result<Option<Encoded>, EncoderError> {
        self.keeper.encode(frame, force_keyframe).map_err(|trouble| trouble.into_error())
    }

    fn set_bitrate(&mut self, bitrate_kbps: u32) -> Result<u32, EncoderError> {
        self.keeper.set_bitrate(bitrate_kbps).map_err(|trouble| trouble.into_error())
    }

    fn set_format(&mut self, format: VideoFormat) -> Result<(), EncoderError> {
        self.keeper.set_format(format).map_err(|trouble| trouble.into_error())
    }

    fn name(&self) -> String {
        self.found.to_string()
    }
}

impl Trouble {
    fn into_error(self) -> EncoderError {
        EncoderError { encoder: NAME, reason: self.to_string() }
    }
}

/// A device, and OpenH264 once it is given up.
struct WithSpare {
    order: Order,
    device: Found,
    used: Used,
    failures: u32,
    /// Access units since the last failure.
    good: u32,
}

enum Used {
    Device(Keeper),
    Software(Box<OpenH264>),
}

impl WithSpare {
    fn new(keeper: Keeper, device: Found, order: Order) -> Self {
        Self { order, device, used: Used::Device(keeper), failures: 0, good: 0 }
    }

    /// The device has failed: an error if it gets another chance.
    fn handle_trouble(&mut self, trouble: Trouble) -> Result<(), EncoderError> {
        self.good = 0;
        self.failures += 1;
        if !trouble.is_final() && self.failures < MOST_FAILURES {
            return Err(trouble.into_error());
        }
        let again = if trouble.is_final() { "" } else { " again and again" };
        tracing::warn!("encoder: the device is given up{again}: {trouble}; OpenH264 from here on");
        let software = OpenH264::new(self.order.format, self.order.bitrate_kbps)?;
        self.used = Used::Software(Box::new(software));
        Ok(())
    }
}

impl Encoder for WithSpare {
    fn encode(
        &mut self,
        frame: &I420Frame,
        force_keyframe: bool,
    ) -> Result<Option<Encoded>, EncoderError> {
        let trouble = match &mut self.used {
            Used::Software(software) => return software.encode(frame, force_keyframe),
            Used::Device(keeper) => match keeper.encode(frame, force_keyframe) {
                Ok(encoded) => {
                    self.good = self.good.saturating_add(u32::from(encoded.is_some()));
                    if self.good >= FORGET_AFTER {
                        self.failures = 0;
                    }
                    return Ok(encoded);
                }
                Err(trouble) => trouble,
            },
        };
        self.handle_trouble(trouble)?;
        // The same frame, so that the picture does not wait for the next one.
        self.encode(frame, force_keyframe)
    }

    fn set_bitrate(&mut self, bitrate_kbps: u32) -> Result<u32, EncoderError> {
        self.order.bitrate_kbps = bitrate_kbps;
        let trouble = match &mut self.used {
            Used::Software(software) => return software.set_bitrate(bitrate_kbps),
            Used::Device(keeper) => {
                match keeper.set_bitrate(bitrate_kbps.max(floor_kbps(self.order.format))) {
                    Ok(set) => return Ok(set),
                    Err(trouble) => trouble,
                }
            }
        };
        self.handle_trouble(trouble)?;
        Ok(bitrate_kbps)
    }

    fn set_format(&mut self, format: VideoFormat) -> Result<(), EncoderError> {
        self.order.format = format;
        match &mut self.used {
            Used::Software(software) => software.set_format(format),
            Used::Device(keeper) => match keeper.set_format(format) {
                Ok(()) => Ok(()),
                Err(trouble) => self.handle_trouble(trouble),
            },
        }
    }

    fn name(&self) -> String {
        match &self.used {
            Used::Software(software) => software.name(),
            Used::Device(_) => self.device.to_string(),
        }
    }
}

#[cfg(test)]
mod tests;
