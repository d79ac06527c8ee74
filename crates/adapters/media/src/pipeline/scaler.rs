//! Makes a frame smaller.

use crate::frame::{I420Frame, PlanesMut, VideoFormat};
use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::U8;
use fast_image_resize::{FilterType, ResizeAlg, ResizeOptions, Resizer};

/// Keeps its memory from frame to frame.
#[derive(Debug, Default)]
pub(super) struct Scaler {
    resizer: Resizer,
    small: Option<I420Frame>,
}

impl Scaler {
    /// The frame in this size: itself, if it has it.
    pub(super) fn scale<'a>(
        &'a mut self,
        frame: &'a I420Frame,
        format: VideoFormat,
    ) -> Result<&'a I420Frame, String> {
        let size = |frame: &I420Frame| (frame.width(), frame.height());
        let wanted = (format.width() as usize, format.height() as usize);
        if size(frame) == wanted {
            return Ok(frame);
        }
        if self.small.as_ref().is_none_or(|small| size(small) != wanted) {
            self.small = None;
        }
        let small = self.small.get_or_insert_with(|| I420Frame::new(format));
        let from = (frame.width(), frame.height());
        let PlanesMut { y, u, v } = small.planes_mut();
        let half = |(width, height): (usize, usize)| (width / 2, height / 2);
        for (plane, from, to, into) in [
            (frame.y(), from, wanted, y),
            (frame.u(), half(from), half(wanted), u),
            (frame.v(), half(from), half(wanted), v),
        ] {
            resize(&mut self.resizer, plane, from, into, to)?;
        }
        Ok(small)
    }
}

fn resize(
    resizer: &mut Resizer,
    plane: &[u8],
    from: (usize, usize),
    into: &mut [u8],
    to: (usize, usize),
) -> Result<(), String> {
    let pixels = |count: usize| u32::try_from(count).map_err(|error| error.to_string());
    // With the type of a pixel: `resize` would be compiled for all of them, which takes minutes.
    let plane = TypedImageRef::<U8>::from_buffer(pixels(from.0)?, pixels(from.1)?, plane)
        .map_err(|error| error.to_string())?;
    let mut into = TypedImage::<U8>::from_buffer(pixels(to.0)?, pixels(to.1)?, into)
        .map_err(|error| error.to_string())?;
    // Each new pixel is the mean of what it covers: sharp enough, and nothing flickers.
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Box));
    resizer.resize_typed(&plane, &mut into, &options).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_smaller_frame_shows_the_same_picture() {
        let format = |width, height| VideoFormat::new(width, height, 30).unwrap();
        let mut frame = I420Frame::new(format(128, 96));
        let PlanesMut { y, u, v } = frame.planes_mut();
        // Left half dark, right half bright; upper half blue.
        y.iter_mut().enumerate().for_each(|(n, y)| *y = if n % 128 < 64 { 30 } else { 220 });
        u.iter_mut().enumerate().for_each(|(n, u)| *u = if n / 64 < 24 { 200 } else { 100 });
        v.fill(77);
        let mut scaler = Scaler::default();
        for (width, height) in [(64, 48 + 16), (84, 64), (128, 96)] {
            let small = scaler.scale(&frame, format(width, height)).unwrap();
            let (w, h) = (small.width(), small.height());
            assert_eq!((w, h), (width as usize, height as usize));
            let (y, u) = (small.y(), small.u());
            assert_eq!([y[1], y[w - 2], y[w * h - 2]], [30, 220, 220], "{width}×{height}");
            assert_eq!([u[1], u[w / 2 * (h / 2) - 1]], [200, 100], "{width}×{height}");
            assert!(small.v().iter().all(|&v| v == 77));
        }
    }
}
