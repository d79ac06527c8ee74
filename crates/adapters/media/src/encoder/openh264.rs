//! Cisco's software encoder, compiled in.
//!
//! On x86-64 it is twice as fast if `nasm` was there at build time. With its first frame it writes
//! one line to standard error, a warning that the bit rate cannot be kept without skipping frames.
//! The crate silences the encoder too late for this line; the rate is kept all the same.

use super::{Encoded, Encoder, EncoderError};
use crate::frame::{I420Frame, VideoFormat};
use openh264::OpenH264API;
use openh264::encoder::{
    BitRate, Complexity, Encoder as Native, EncoderConfig, FrameRate, FrameType, IntraFramePeriod,
    Profile, RateControlMode, UsageType, VuiConfig,
};
use openh264::formats::YUVSlices;

const NAME: &str = "openh264";

/// H.264 in constrained baseline profile, which every browser decodes.
///
/// * No periodic keyframes: one is as large as 2.5 to 4 average frames; they come on demand.
/// * No skipped frames: a coarse picture helps a driver more than none.
/// * One slice in a frame and one thread. At 1280×720 a second thread saves 0.7 of 3.7 ms, but the
///   slices that it needs make the largest frame a quarter larger, which takes longer on the air.
///   Slices of the size of a packet cost a third more time and bits.
/// * BT.709, limited range, declared in the stream.
pub struct OpenH264 {
    native: Native,
    config: EncoderConfig,
    format: VideoFormat,
    /// In bit/s, as in `config`, which does not tell it.
    rate: u32,
    /// Whether the native encoder has seen a frame: before that it cannot be asked for a keyframe,
    /// and makes one by itself.
    started: bool,
}

impl OpenH264 {
    /// Keeps `bitrate_kbps` (1000 bits per second) on average.
    pub fn new(format: VideoFormat, bitrate_kbps: u32) -> Result<Self, EncoderError> {
        let rate = bitrate_kbps.saturating_mul(1000);
        let config = EncoderConfig::new()
            .usage_type(UsageType::CameraVideoRealTime)
            .profile(Profile::Baseline)
            .complexity(Complexity::Low)
            .rate_control_mode(RateControlMode::Bitrate)
            .bitrate(BitRate::from_bps(rate))
            .max_frame_rate(FrameRate::from_hz(frame_rate(format)))
            .skip_frames(false)
            .intra_frame_period(IntraFramePeriod::from_num_frames(0))
            .scene_change_detect(false)
            .adaptive_quantization(false)
            .background_detection(false)
            .num_threads(1)
            .vui(VuiConfig::bt709());
        Ok(Self { native: native(config)?, config, format, rate, started: false })
    }
}

impl Encoder for OpenH264 {
    fn encode(
        &mut self,
        frame: &I420Frame,
        force_keyframe: bool,
    ) -> Result<Option<Encoded>, EncoderError> {
        let size = (frame.width(), frame.height());
        if size != (self.format.width() as usize, self.format.height() as usize) {
            let reason = format!("a frame of {}×{} instead of {}", size.0, size.1, self.format);
            return Err(EncoderError { encoder: NAME, reason });
        }
        if force_keyframe && self.started {
            self.native.force_intra_frame();
        }
        let picture = YUVSlices::new(
            (frame.y(), frame.u(), frame.v()),
            size,
            (size.0, size.0 / 2, size.0 / 2),
        );
        let stream = match self.native.encode(&picture) {
            Ok(stream) => stream,
            Err(error) => {
                // The state of this one is unknown now; a new one begins with a keyframe.
                self.started = false;
                self.native = native(self.config)?;
                return Err(failed(&error));
            }
        };
        self.started = true;
        let keyframe = stream.frame_type() == FrameType::IDR;
        let data = stream.to_vec();
        Ok((!data.is_empty()).then_some(Encoded { data, keyframe }))
    }

    fn set_bitrate(&mut self, bitrate_kbps: u32) -> Result<u32, EncoderError> {
        let rate = bitrate_kbps.saturating_mul(1000);
        let config = self.config.bitrate(BitRate::from_bps(rate));
        if self.started {
            rccar_openh264_unsafe::set_bitrate(&mut self.native, self.rate, rate)
                .map_err(|refused| EncoderError { encoder: NAME, reason: refused.to_string() })?;
        } else {
            self.native = native(config)?;
        }
        (self.config, self.rate) = (config, rate);
        Ok(bitrate_kbps)
    }

    fn set_format(&mut self, format: VideoFormat) -> Result<(), EncoderError> {
        self.native = native(self.config)?;
        (self.format, self.started) = (format, false);
        Ok(())
    }

    fn name(&self) -> String {
        "OpenH264".to_owned()
    }
}

fn native(config: EncoderConfig) -> Result<Native, EncoderError> {
    Native::with_api_config(OpenH264API::from_source(), config).map_err(|error| failed(&error))
}

fn failed(error: &openh264::Error) -> EncoderError {
    EncoderError { encoder: NAME, reason: error.to_string() }
}

fn frame_rate(format: VideoFormat) -> f32 {
    // Exact: at most 60.
    format.fps() as f32
}
