//! Raw frames and their shape.

use rccar_protocol::video::{HEIGHTS, RATES, WIDTHS};
use thiserror::Error;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VideoFormat {
    width: u32,
    height: u32,
    fps: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum FormatError {
    /// Odd or out of [`WIDTHS`].
    #[error(
        "the width must be an even number of pixels from {} to {}, not {}",
        WIDTHS.start(), WIDTHS.end(), .0
    )]
    Width(u32),
    /// Odd or out of [`HEIGHTS`].
    #[error(
        "the height must be an even number of pixels from {} to {}, not {}",
        HEIGHTS.start(), HEIGHTS.end(), .0
    )]
    Height(u32),
    /// Out of [`RATES`].
    #[error("the frame rate must lie between {} and {} Hz, not {}", RATES.start(), RATES.end(), .0)]
    Rate(u32),
}

impl VideoFormat {
    /// Checks size (pixels) and rate (hertz).
    pub fn new(width: u32, height: u32, fps: u32) -> Result<Self, FormatError> {
        if !WIDTHS.contains(&width) || !width.is_multiple_of(2) {
            Err(FormatError::Width(width))
        } else if !HEIGHTS.contains(&height) || !height.is_multiple_of(2) {
            Err(FormatError::Height(height))
        } else if !RATES.contains(&fps) {
            Err(FormatError::Rate(fps))
        } else {
            Ok(Self { width, height, fps })
        }
    }

    /// In pixels, even.
    #[must_use]
    pub fn width(self) -> u32 {
        self.width
    }

    /// In pixels, even.
    #[must_use]
    pub fn height(self) -> u32 {
        self.height
    }

    #[must_use]
    pub fn fps(self) -> u32 {
        self.fps
    }
}

impl std::fmt::Display for VideoFormat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}×{} at {} Hz", self.width, self.height, self.fps)
    }
}

/// A frame in I420 without padding: luma, then U and V at half the width and height (BT.709,
/// limited range).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct I420Frame {
    bytes: Vec<u8>,
    width: usize,
    height: usize,
}

/// The planes of a frame, to write to; rows without padding.
#[derive(Debug)]
pub struct PlanesMut<'a> {
    /// Luma, `width × height`.
    pub y: &'a mut [u8],
    /// Blue difference, `width/2 × height/2`.
    pub u: &'a mut [u8],
    /// Red difference, `width/2 × height/2`.
    pub v: &'a mut [u8],
}

impl I420Frame {
    /// A black frame.
    #[must_use]
    pub fn new(format: VideoFormat) -> Self {
        let (width, height) = (format.width as usize, format.height as usize);
        // Black in limited range: luma 16, chroma in the middle.
        let mut bytes = vec![16; width * height];
        bytes.resize(width * height * 3 / 2, 128);
        Self { bytes, width, height }
    }

    /// In pixels.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// In pixels.
    #[must_use]
    pub fn height(&self) -> usize {
        self.height
    }

    /// Luma, row by row.
    #[must_use]
    pub fn y(&self) -> &[u8] {
        &self.bytes[..self.luma_len()]
    }

    /// Blue difference, row by row.
    #[must_use]
    pub fn u(&self) -> &[u8] {
        &self.bytes[self.luma_len()..self.luma_len() * 5 / 4]
    }

    /// Red difference, row by row.
    #[must_use]
    pub fn v(&self) -> &[u8] {
        &self.bytes[self.luma_len() * 5 / 4..]
    }

    pub fn planes_mut(&mut self) -> PlanesMut<'_> {
        let luma = self.luma_len();
        let (y, chroma) = self.bytes.split_at_mut(luma);
        let (u, v) = chroma.split_at_mut(luma / 4);
        PlanesMut { y, u, v }
    }

    /// All planes, one after the other: a frame as it travels through a pipe.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// All planes, one after the other.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.bytes
    }

    fn luma_len(&self) -> usize {
        self.width * self.height
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn errors_say_what_is_allowed() {
        let error = VideoFormat::new(641, 360, 30).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the width must be an even number of pixels from 64 to 1920, not 641"
        );
        assert_eq!(VideoFormat::new(640, 2000, 30), Err(FormatError::Height(2000)));
        assert_eq!(VideoFormat::new(640, 360, 0), Err(FormatError::Rate(0)));
    }

    proptest! {
        #[test]
        fn the_planes_of_any_format_cover_the_frame_without_overlap(
            width in 0u32..2200,
            height in 0u32..1200,
        ) {
            if let Ok(format) = VideoFormat::new(width, height, 30) {
                let mut frame = I420Frame::new(format);
                let PlanesMut { y, u, v } = frame.planes_mut();
                y.fill(1);
                u.fill(2);
                v.fill(3);
                let (y, u, v) = (frame.y(), frame.u(), frame.v());
                prop_assert_eq!(y.len() + u.len() + v.len(), frame.bytes().len());
                prop_assert!(y.iter().all(|&y| y == 1));
                prop_assert!(u.iter().all(|&u| u == 2) && v.iter().all(|&v| v == 3));
            }
        }
    }
}
