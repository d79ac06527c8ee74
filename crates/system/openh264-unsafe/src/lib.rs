//! One call: a running OpenH264 encoder aims at another bit rate.
//!
//! **The stream goes on: no keyframe, no new parameter sets.** The safe way of the `openh264`
//! crate, a new encoder, costs a keyframe each time, just when a link has become narrow.
//!
//! # Design decisions
//!
//! * A crate of its own, because `unsafe` is forbidden elsewhere.
//! * Only for an encoder that has made a frame: the library has no parameters before that.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests"))]

use openh264::encoder::Encoder;
use openh264_sys2::{
    ENCODER_OPTION_BITRATE, ENCODER_OPTION_MAX_BITRATE, SBitrateInfo, SPATIAL_LAYER_0,
    SPATIAL_LAYER_ALL,
};
use std::os::raw::c_int;
use thiserror::Error;

/// The library's own number for what it did not like.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("OpenH264 refuses {bits_per_second} bit/s (result {result})")]
pub struct Refused {
    pub bits_per_second: u32,
    pub result: c_int,
}

/// Aims at another rate from the next frame on. `before` is the rate at which it aims now, in bit/s
/// like the new one.
///
/// # Errors
/// If the library refuses it: the encoder has made no frame yet, or the rate is zero.
pub fn set_bitrate(
    encoder: &mut Encoder,
    before: u32,
    bits_per_second: u32,
) -> Result<(), Refused> {
    let rate = c_int::try_from(bits_per_second).unwrap_or(c_int::MAX);
    // The wrapper makes the rate the highest rate, too, and the library refuses one above that.
    let highest = (ENCODER_OPTION_MAX_BITRATE, SPATIAL_LAYER_0);
    let target = (ENCODER_OPTION_BITRATE, SPATIAL_LAYER_ALL);
    let order = if bits_per_second > before { [highest, target] } else { [target, highest] };
    for (option, layer) in order {
        let mut info = SBitrateInfo { iLayer: layer, iBitrate: rate };
        // SAFETY: `SetOption` reads an `SBitrateInfo` for these options (codec_api.h,
        // welsEncoderExt.cpp) and keeps no pointer to it. The wrapper reads neither of them after
        // its start. Before the first frame the library says that it is not initialised.
        let result = unsafe { encoder.raw_api().set_option(option, (&raw mut info).cast()) };
        if result != 0 {
            return Err(Refused { bits_per_second, result });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use openh264::OpenH264API;
    use openh264::encoder::{
        BitRate, EncoderConfig, FrameRate, FrameType, IntraFramePeriod, RateControlMode,
    };
    use openh264::formats::YUVSlices;

    const SIZE: (usize, usize) = (320, 240);

    fn encoder() -> Encoder {
        let config = EncoderConfig::new()
            .rate_control_mode(RateControlMode::Bitrate)
            .bitrate(BitRate::from_bps(1_000_000))
            .max_frame_rate(FrameRate::from_hz(30.0))
            .intra_frame_period(IntraFramePeriod::from_num_frames(0))
            .scene_change_detect(false)
            .skip_frames(false);
        Encoder::with_api_config(OpenH264API::from_source(), config).unwrap()
    }

    /// Bytes of thirty frames of noise that never repeats, and how many of them are keyframes.
    fn second(encoder: &mut Encoder, from: usize) -> (usize, usize) {
        let (mut bytes, mut keyframes) = (0, 0);
        for n in from..from + 30 {
            let y: Vec<u8> = (0..SIZE.0 * SIZE.1)
                .map(|i| (i.wrapping_mul(2_654_435_761).wrapping_add(n * 7_919) >> 9) as u8 & 63)
                .collect();
            let grey = vec![128; SIZE.0 * SIZE.1 / 4];
            let picture =
                YUVSlices::new((&y, &grey, &grey), SIZE, (SIZE.0, SIZE.0 / 2, SIZE.0 / 2));
            let stream = encoder.encode(&picture).unwrap();
            keyframes += usize::from(stream.frame_type() == FrameType::IDR);
            bytes += stream.to_vec().len();
        }
        (bytes, keyframes)
    }

    #[test]
    fn a_running_encoder_follows_without_a_keyframe() {
        let mut encoder = encoder();
        second(&mut encoder, 0);
        let (before, _) = second(&mut encoder, 30);
        set_bitrate(&mut encoder, 1_000_000, 250_000).unwrap();
        second(&mut encoder, 60);
        let (after, keyframes) = second(&mut encoder, 90);
        assert_eq!(keyframes, 0);
        assert!(after * 2 < before, "{after} of {before} bytes");
        set_bitrate(&mut encoder, 250_000, 1_000_000).unwrap();
        second(&mut encoder, 120);
        let (again, keyframes) = second(&mut encoder, 150);
        assert_eq!(keyframes, 0);
        assert!(again > after * 2, "{again} of {after} bytes");
    }

    #[test]
    fn what_the_library_refuses_is_an_error() {
        let mut encoder = encoder();
        assert!(set_bitrate(&mut encoder, 1_000_000, 500_000).is_err(), "no frame yet");
        second(&mut encoder, 0);
        assert_eq!(set_bitrate(&mut encoder, 1_000_000, 0).unwrap_err().bits_per_second, 0);
    }
}
