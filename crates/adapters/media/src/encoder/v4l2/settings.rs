//! What a device is told before its first frame.

use super::device::Device;
use super::{Trouble, failed};
use crate::frame::VideoFormat;
use rccar_protocol::video::Level;
use rccar_v4l2_unsafe::{FourCc, Range};

/// Controls and their values: `linux/v4l2-controls.h`.
const GOP_SIZE: u32 = 0x0099_09CB;
const B_FRAMES: u32 = 0x0099_09CA;
const BITRATE_MODE: u32 = 0x0099_09CE;
const BITRATE: u32 = 0x0099_09CF;
const HEADER_MODE: u32 = 0x0099_09D8;
const REPEAT_SEQ_HEADER: u32 = 0x0099_09E2;
const FORCE_KEY_FRAME: u32 = 0x0099_09E5;
const H264_I_PERIOD: u32 = 0x0099_0A66;
const H264_LEVEL: u32 = 0x0099_0A67;
const H264_PROFILE: u32 = 0x0099_0A6B;

/// `V4L2_MPEG_VIDEO_H264_PROFILE_CONSTRAINED_BASELINE`.
const CONSTRAINED_BASELINE: i32 = 1;
/// `V4L2_MPEG_VIDEO_BITRATE_MODE_VBR`: with a constant rate a frame takes a Pi 100 ms
/// (raspberrypi/rpicam-apps #509).
const VARIABLE: i32 = 0;
/// `V4L2_MPEG_VIDEO_HEADER_MODE_JOINED_WITH_1ST_FRAME`.
const JOINED: i32 = 1;
/// `level_idc` of the items of `V4L2_CID_MPEG_VIDEO_H264_LEVEL`, in their order; level 1b has no
/// figure of its own.
const LEVELS: [u8; 14] = [10, 9, 11, 12, 13, 20, 21, 22, 30, 31, 32, 40, 41, 42];

/// What a device makes of the pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::encoder) enum Coding {
    /// H.264 in constrained baseline profile, at the level that is offered to the driver's browser.
    H264(Level),
    /// Something else, to try the calls with a device that is there.
    Other(FourCc),
}

impl Coding {
    pub(in crate::encoder) fn four_cc(self) -> FourCc {
        match self {
            Self::H264(_) => *b"H264",
            Self::Other(name) => name,
        }
    }
}

/// What is wanted of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::encoder) struct Settings {
    pub(in crate::encoder) format: VideoFormat,
    pub(in crate::encoder) coding: Coding,
    /// 1000 bits per second.
    pub(in crate::encoder) bitrate_kbps: u32,
}

/// Sets all that is set before the device has buffers: a Pi's driver makes its encoder with the
/// first ones, and gives it these values then.
pub(super) fn prepare(device: &mut dyn Device, settings: &Settings) -> Result<(), Trouble> {
    let mut device = Controls { device };
    device.wish(BITRATE_MODE, VARIABLE)?;
    if let Coding::H264(level) = settings.coding {
        let item = LEVELS.iter().position(|&idc| idc == level.idc());
        let item = item.and_then(|item| i32::try_from(item).ok());
        let item = item.ok_or_else(|| Trouble::Unfit(format!("no level {level:?}")))?;
        device.need_exactly(H264_PROFILE, CONSTRAINED_BASELINE, "the profile of H.264")?;
        device.need_exactly(H264_LEVEL, item, "the level of H.264")?;
        bitrate(device.device, settings.bitrate_kbps)?;
    }
    // Keyframes come on demand. The default of a Pi is one in 60 frames.
    device.wish(H264_I_PERIOD, i32::MAX)?;
    device.wish(GOP_SIZE, i32::MAX)?;
    device.wish(B_FRAMES, 0)?;
    device.wish(HEADER_MODE, JOINED)?;
    device.wish(REPEAT_SEQ_HEADER, 1)
}

/// Sets the bit rate, before the first frame or later. Returns what the device makes of it.
pub(super) fn bitrate(device: &mut dyn Device, bitrate_kbps: u32) -> Result<u32, Trouble> {
    let wanted = i32::try_from(bitrate_kbps.saturating_mul(1000)).unwrap_or(i32::MAX);
    let set = Controls { device }.need(BITRATE, wanted, "the bit rate")?;
    Ok(u32::try_from(set / 1000).unwrap_or_default())
}

/// Makes the next frame that is queued a keyframe. A device without the control does as it likes.
pub(super) fn force_keyframe(device: &mut dyn Device) -> Result<(), Trouble> {
    // A button, whose range is 0 to 0: any value presses it.
    if device.control(FORCE_KEY_FRAME).map_err(failed("the keyframe"))?.is_some() {
        device.set_control(FORCE_KEY_FRAME, 1).map_err(failed("the keyframe"))?;
    }
    Ok(())
}

struct Controls<'a> {
    device: &'a mut dyn Device,
}

impl Controls<'_> {
    /// Sets it, as close as the device can. Returns the value, `None` if it has no such control.
    fn set(&mut self, id: u32, value: i32) -> Result<Option<i32>, Trouble> {
        let doing = format!("control {id:#x}");
        let Some(range) = self.device.control(id).map_err(failed(&doing))? else {
            return Ok(None);
        };
        let value = nearest(value, range);
        self.device.set_control(id, value).map_err(failed(&doing))?;
        Ok(Some(value))
    }

    fn wish(&mut self, id: u32, value: i32) -> Result<(), Trouble> {
        let set = self.set(id, value)?;
        tracing::debug!(control = format!("{id:#x}"), value, ?set, "a wish to the encoder");
        Ok(())
    }

    fn need(&mut self, id: u32, value: i32, what: &str) -> Result<i32, Trouble> {
        match self.set(id, value) {
            Ok(Some(value)) => Ok(value),
            Ok(None) => Err(Trouble::Unfit(format!("{what} cannot be set"))),
            // A menu without this item.
            Err(Trouble::Failed(error)) => Err(Trouble::Unfit(format!("{what}: {error}"))),
            Err(trouble) => Err(trouble),
        }
    }

    fn need_exactly(&mut self, id: u32, value: i32, what: &str) -> Result<(), Trouble> {
        let set = self.need(id, value, what)?;
        let refused = || Trouble::Unfit(format!("{what} cannot be item {value}, only {set}"));
        (set == value).then_some(()).ok_or_else(refused)
    }
}

/// The value that is legal and closest, but not above: a bit rate is a limit.
fn nearest(value: i32, range: Range) -> i32 {
    let least = i64::from(range.least);
    let value = i64::from(value).clamp(least, i64::from(range.most).max(least));
    let value = value - (value - least) % i64::from(range.step.max(1));
    // Between two values of 32 bits.
    i32::try_from(value).unwrap_or(range.least)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_value_is_legal_whatever_the_device_says(
            value: i32,
            least: i32,
            most: i32,
            step: i32,
        ) {
            let near = nearest(value, Range { least, most, step });
            prop_assert!(near >= least && near <= most.max(least));
        }
    }

    #[test]
    fn a_rate_between_two_steps_is_the_lower_one() {
        let pi = Range { least: 25_000, most: 25_000_000, step: 25_000 };
        assert_eq!(nearest(1_010_000, pi), 1_000_000);
        assert_eq!(nearest(1, pi), 25_000);
    }

    #[test]
    fn every_level_that_is_offered_has_an_item() {
        use rccar_protocol::video::{BITRATES_KBPS, HEIGHTS, RATES, WIDTHS};
        for width in WIDTHS.step_by(64) {
            for height in HEIGHTS.step_by(64) {
                for fps in [*RATES.start(), 15, 30, *RATES.end()] {
                    for kbps in [*BITRATES_KBPS.start(), 1_000, *BITRATES_KBPS.end()] {
                        let level = Level::lowest_for(width, height, fps, kbps);
                        assert!(LEVELS.contains(&level.idc()), "{level:?}");
                    }
                }
            }
        }
    }
}
