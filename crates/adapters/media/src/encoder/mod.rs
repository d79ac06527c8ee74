//! From frames to H.264.
//!
//! [`choice::open`] chooses the encoder; the others are for those who know which one they want.

pub mod choice;
mod h264;
pub mod openh264;
mod v4l2;

use crate::frame::{I420Frame, VideoFormat};
use thiserror::Error;

/// An encoder. It belongs to one thread.
pub trait Encoder: Send {
    /// Encodes the next frame. The first is a keyframe, and so is each with `force_keyframe`; a
    /// device may give it one frame later.
    ///
    /// `None` if the encoder has left the frame out to keep its bit rate; the caller then asks for
    /// the keyframe again.
    ///
    /// # Errors
    /// If the encoder has failed. The next frame must be a keyframe.
    fn encode(
        &mut self,
        frame: &I420Frame,
        force_keyframe: bool,
    ) -> Result<Option<Encoded>, EncoderError>;

    /// Aims at another bit rate from the next frame on (1000 bits per second). Returns the rate at
    /// which it aims now: a device has steps and a least rate.
    ///
    /// # Errors
    /// If the encoder has failed. The next frame must be a keyframe.
    fn set_bitrate(&mut self, bitrate_kbps: u32) -> Result<u32, EncoderError>;

    /// Takes frames of another size from the next one on, which will be a keyframe. The rate of
    /// frames must be the same.
    ///
    /// # Errors
    /// If the encoder has failed.
    fn set_format(&mut self, format: VideoFormat) -> Result<(), EncoderError>;

    /// Which encoder it is now, in words for a person.
    fn name(&self) -> String;
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoded {
    /// Access unit with start codes (ITU-T H.264 annex B). A keyframe begins with its parameter
    /// sets.
    pub data: Vec<u8>,
    /// Whether decoding can begin here (IDR).
    pub keyframe: bool,
}

#[derive(Debug, Error)]
#[error("the encoder {encoder} has failed: {reason}")]
pub struct EncoderError {
    pub encoder: &'static str,
    /// In the encoder's own words.
    pub reason: String,
}
