//! From frames to H.264.

pub mod openh264;

use crate::frame::I420Frame;
use thiserror::Error;

/// An encoder for frames of one size and rate. It belongs to one thread.
pub trait Encoder: Send {
    /// Encodes the next frame. The first is a keyframe, and so is each with `force_keyframe`.
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
