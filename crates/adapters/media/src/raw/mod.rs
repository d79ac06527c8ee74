//! Frames as cameras give them, and their way into the one layout that is encoded.
//!
//! A camera's frame has rows with padding, may be larger than wanted, and may be upside down. One
//! pass copies its middle, row by row, into an [`I420Frame`].

mod rows;

use crate::frame::{I420Frame, PlanesMut};
use thiserror::Error;

/// How the pixels of a frame lie in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// Luma, U and V in planes of their own, U and V at half the width and height (`YU12`).
    I420,
    /// Luma, then U and V in turn at half the width and height (`NV12`).
    Nv12,
    /// Y U Y V for every two pixels of a row, full height (`YUYV`, as USB cameras give it).
    Yuyv,
}

impl Layout {
    /// The shape of each plane; `shape.stride` is that of the first one.
    fn planes(self, shape: Shape) -> Vec<PlaneShape> {
        let Shape { width, height, stride } = shape;
        let chroma = height.div_ceil(2);
        let plane = |stride, rows, row| PlaneShape { stride, rows, row };
        match self {
            Self::I420 => {
                vec![
                    plane(stride, height, width),
                    plane(stride / 2, chroma, width / 2),
                    plane(stride / 2, chroma, width / 2),
                ]
            }
            Self::Nv12 => vec![plane(stride, height, width), plane(stride, chroma, width)],
            Self::Yuyv => vec![plane(stride, height, width * 2)],
        }
    }

    /// Bytes of each plane, with the padding of each row.
    #[must_use]
    pub fn plane_sizes(self, shape: Shape) -> Vec<usize> {
        self.planes(shape).iter().map(|plane| plane.stride * plane.rows).collect()
    }
}

/// Size of a camera's frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Pixels in a row, even.
    pub width: usize,
    pub height: usize,
    /// Bytes from one row of the first plane to the next, padding included.
    pub stride: usize,
}

/// Which way up the camera is mounted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rotation {
    None,
    /// Upside down: the picture is turned by 180°.
    Half,
}

/// The frame is not as its camera described it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum RawError {
    /// Fewer planes or bytes than the layout needs.
    #[error("plane {plane} of the frame has {bytes} bytes; {needed} are needed")]
    Truncated {
        /// Counted from 0.
        plane: usize,
        bytes: usize,
        needed: usize,
    },
    /// The frame is smaller than the wanted one. Width and height of both.
    #[error(
        "the frame has {}×{} pixels; at least {}×{} are needed",
        .from.0, .from.1, .wanted.0, .wanted.1
    )]
    TooSmall { from: (usize, usize), wanted: (usize, usize) },
}

/// A camera's frame, in memory that belongs to the camera.
#[derive(Debug, Clone)]
pub struct RawFrame<'a> {
    layout: Layout,
    shape: Shape,
    planes: Vec<Plane<'a>>,
}

impl<'a> RawFrame<'a> {
    /// A frame of this layout in `data`: one slice for each plane, or a single slice with the
    /// planes one after the other.
    pub fn new(layout: Layout, shape: Shape, data: &[&'a [u8]]) -> Result<Self, RawError> {
        let shapes = layout.planes(shape);
        let mut rest = if data.len() < shapes.len() { data.first().copied() } else { None };
        let mut planes = Vec::with_capacity(shapes.len());
        for (index, PlaneShape { stride, rows, row }) in shapes.into_iter().enumerate() {
            let bytes = rest.or_else(|| data.get(index).copied()).unwrap_or_default();
            // The last row may come without its padding.
            let needed = stride * rows.saturating_sub(1) + row;
            if bytes.len() < needed || stride < row {
                return Err(RawError::Truncated { plane: index, bytes: bytes.len(), needed });
            }
            rest = rest.map(|rest| rest.get(stride * rows..).unwrap_or_default());
            planes.push(Plane { bytes, stride });
        }
        Ok(Self { layout, shape, planes })
    }

    /// Fills `frame` with the middle of this one, turned if need be.
    pub fn convert(&self, rotation: Rotation, frame: &mut I420Frame) -> Result<(), RawError> {
        let (width, height) = (frame.width(), frame.height());
        let from = (self.shape.width, self.shape.height);
        if from.0 < width || from.1 < height {
            return Err(RawError::TooSmall { from, wanted: (width, height) });
        }
        // Even, because one sample of chroma belongs to two by two of luma.
        let (left, top) = (((from.0 - width) / 2) & !1, ((from.1 - height) / 2) & !1);
        let PlanesMut { y, u, v } = frame.planes_mut();
        let chroma = u.chunks_exact_mut(width / 2).zip(v.chunks_exact_mut(width / 2));
        let luma = y.chunks_exact_mut(width);
        let source = |index: usize, rows: usize| match rotation {
            Rotation::None => index,
            Rotation::Half => rows - 1 - index,
        };
        let turn = |row: &mut [u8]| {
            if rotation == Rotation::Half {
                row.reverse();
            }
        };
        for (index, row) in luma.enumerate() {
            let at = top + source(index, height);
            match self.layout {
                Layout::I420 | Layout::Nv12 => {
                    row.copy_from_slice(self.planes[0].row(at, left, width))
                }
                Layout::Yuyv => rows::yuyv_luma(self.planes[0].row(at, left * 2, width * 2), row),
            }
            turn(row);
        }
        for (index, (u, v)) in chroma.enumerate() {
            let at = top / 2 + source(index, height / 2);
            match self.layout {
                Layout::I420 => {
                    u.copy_from_slice(self.planes[1].row(at, left / 2, width / 2));
                    v.copy_from_slice(self.planes[2].row(at, left / 2, width / 2));
                }
                Layout::Nv12 => rows::split(self.planes[1].row(at, left, width), u, v),
                Layout::Yuyv => {
                    let row = |at| self.planes[0].row(at, left * 2, width * 2);
                    rows::yuyv_chroma(row(at * 2), row(at * 2 + 1), u, v);
                }
            }
            turn(u);
            turn(v);
        }
        Ok(())
    }
}

#[derive(Debug, Clone, Copy)]
struct PlaneShape {
    /// Bytes from one row to the next.
    stride: usize,
    rows: usize,
    /// Bytes of a row without its padding.
    row: usize,
}

#[derive(Debug, Clone, Copy)]
struct Plane<'a> {
    bytes: &'a [u8],
    stride: usize,
}

impl<'a> Plane<'a> {
    fn row(self, index: usize, from: usize, len: usize) -> &'a [u8] {
        let start = index * self.stride + from;
        &self.bytes[start..start + len]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::VideoFormat;
    use proptest::prelude::*;

    #[test]
    fn a_frame_of_the_wanted_size_keeps_every_sample() {
        let shape = Shape { width: 64, height: 48, stride: 64 };
        let bytes: Vec<u8> =
            (0..64 * 48 * 3 / 2).map(|index: usize| low_byte(index % 251)).collect();
        let (y, chroma) = bytes.split_at(64 * 48);
        let (u, v) = chroma.split_at(32 * 24);
        let mut frame = I420Frame::new(format(64, 48));
        for data in [vec![bytes.as_slice()], vec![y, u, v]] {
            frame.bytes_mut().fill(0);
            RawFrame::new(Layout::I420, shape, &data)
                .unwrap()
                .convert(Rotation::None, &mut frame)
                .unwrap();
            assert_eq!(frame.bytes(), bytes);
        }
    }

    #[test]
    fn chroma_of_two_yuyv_rows_is_their_mean() {
        let shape = Shape { width: 64, height: 48, stride: 128 };
        let row = |u: u8, v: u8| [10, u, 20, v].repeat(32);
        let bytes = [row(100, 200), row(103, 100)].concat().repeat(24);
        let mut frame = I420Frame::new(format(64, 48));
        RawFrame::new(Layout::Yuyv, shape, &[&bytes])
            .unwrap()
            .convert(Rotation::None, &mut frame)
            .unwrap();
        assert_eq!(frame.y()[..4], [10, 20, 10, 20]);
        assert!(frame.u().iter().all(|&u| u == 102) && frame.v().iter().all(|&v| v == 150));
    }

    #[test]
    fn frames_that_are_too_small_or_cut_off_are_refused_with_figures() {
        let shape = Shape { width: 64, height: 48, stride: 64 };
        let bytes = vec![0; 64 * 48 * 3 / 2];
        let raw = RawFrame::new(Layout::Nv12, shape, &[&bytes]).unwrap();
        let error = raw.convert(Rotation::None, &mut I420Frame::new(format(64, 64))).unwrap_err();
        assert_eq!(error.to_string(), "the frame has 64×48 pixels; at least 64×64 are needed");
        let error =
            RawFrame::new(Layout::Nv12, shape, &[&bytes[..3072], &bytes[..1000]]).unwrap_err();
        assert_eq!(error.to_string(), "plane 1 of the frame has 1000 bytes; 1536 are needed");
        let narrow = Shape { stride: 63, ..shape };
        assert!(RawFrame::new(Layout::Nv12, narrow, &[&bytes]).is_err());
        assert!(RawFrame::new(Layout::Yuyv, shape, &[]).is_err());
    }

    proptest! {
        #[test]
        fn whatever_layout_padding_middle_and_rotation_each_pixel_has_its_own_colour(
            layout in prop_oneof![Just(Layout::I420), Just(Layout::Nv12), Just(Layout::Yuyv)],
            half_size in (32usize..50, 24usize..40),
            larger in (0usize..10, 0usize..10),
            padding in 0usize..9,
            contiguous: bool,
            upside_down: bool,
        ) {
            let (width, height) = (half_size.0 * 2, half_size.1 * 2);
            let (from_width, from_height) = (width + larger.0 * 2, height + larger.1 * 2);
            let row = if layout == Layout::Yuyv { from_width * 2 } else { from_width };
            let shape = Shape { width: from_width, height: from_height, stride: row + padding * 2 };
            let planes = paint(layout, shape);
            let joined = planes.concat();
            let data: Vec<&[u8]> =
                if contiguous { vec![&joined] } else { planes.iter().map(Vec::as_slice).collect() };
            let mut frame = I420Frame::new(format(width, height));
            let rotation = if upside_down { Rotation::Half } else { Rotation::None };
            RawFrame::new(layout, shape, &data).unwrap().convert(rotation, &mut frame).unwrap();

            let (left, top) = (larger.0 & !1, larger.1 & !1);
            for y in 0..height {
                for x in 0..width {
                    let turned = (width - 1 - x, height - 1 - y);
                    let (sx, sy) = if upside_down { turned } else { (x, y) };
                    let (sx, sy) = (left + sx, top + sy);
                    prop_assert_eq!(frame.y()[y * width + x], luma(sx, sy));
                    let chroma = (y / 2) * (width / 2) + x / 2;
                    prop_assert_eq!(frame.u()[chroma], blue(sx / 2, sy / 2));
                    prop_assert_eq!(frame.v()[chroma], red(sx / 2, sy / 2));
                }
            }
        }
    }

    fn luma(x: usize, y: usize) -> u8 {
        low_byte(x * 7 + y * 13)
    }

    fn blue(x: usize, y: usize) -> u8 {
        low_byte(x * 5 + y * 3 + 1)
    }

    fn red(x: usize, y: usize) -> u8 {
        low_byte(x * 11 + y * 17 + 2)
    }

    fn low_byte(value: usize) -> u8 {
        value.to_le_bytes()[0]
    }

    /// The planes of a frame with these colours, pixel by pixel.
    fn paint(layout: Layout, shape: Shape) -> Vec<Vec<u8>> {
        let sizes = layout.plane_sizes(shape);
        let mut planes: Vec<Vec<u8>> = sizes.into_iter().map(|size| vec![0xEE; size]).collect();
        let Shape { width, height, stride } = shape;
        for y in 0..height {
            for x in 0..width {
                let (u, v) = (blue(x / 2, y / 2), red(x / 2, y / 2));
                match layout {
                    Layout::I420 => {
                        planes[0][y * stride + x] = luma(x, y);
                        planes[1][y / 2 * (stride / 2) + x / 2] = u;
                        planes[2][y / 2 * (stride / 2) + x / 2] = v;
                    }
                    Layout::Nv12 => {
                        planes[0][y * stride + x] = luma(x, y);
                        planes[1][y / 2 * stride + (x & !1)] = u;
                        planes[1][y / 2 * stride + (x | 1)] = v;
                    }
                    Layout::Yuyv => {
                        planes[0][y * stride + x * 2] = luma(x, y);
                        planes[0][y * stride + x * 2 + 1] = if x % 2 == 0 { u } else { v };
                    }
                }
            }
        }
        planes
    }

    fn format(width: usize, height: usize) -> VideoFormat {
        VideoFormat::new(width.try_into().unwrap(), height.try_into().unwrap(), 30).unwrap()
    }
}
