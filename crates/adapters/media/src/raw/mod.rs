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
    /// B G R for every pixel, full range. What libcamera calls `RGB888`: it counts from the highest
    /// byte of a word.
    Bgr,
    /// R G B for every pixel, full range (libcamera's `BGR888`).
    Rgb,
    /// B G R and a byte without meaning, full range (libcamera's `XRGB8888`).
    Bgrx,
    /// R G B and a byte without meaning, full range (libcamera's `XBGR8888`).
    Rgbx,
    /// Luma alone, full range (libcamera's `R8`).
    Grey,
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
            Self::Yuyv | Self::Bgr | Self::Rgb | Self::Bgrx | Self::Rgbx | Self::Grey => {
                vec![plane(stride, height, width * self.pixel())]
            }
        }
    }

    /// Bytes of a pixel in the first plane.
    fn pixel(self) -> usize {
        match self {
            Self::I420 | Self::Nv12 | Self::Grey => 1,
            Self::Yuyv => 2,
            Self::Bgr | Self::Rgb => 3,
            Self::Bgrx | Self::Rgbx => 4,
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
            let from = self.pixels(top + source(index, height), left, width);
            match self.layout {
                Layout::I420 | Layout::Nv12 => row.copy_from_slice(from),
                Layout::Yuyv => rows::yuyv_luma(from, row),
                Layout::Bgr => rows::rgb_luma::<3, 2>(from, row),
                Layout::Rgb => rows::rgb_luma::<3, 0>(from, row),
                Layout::Bgrx => rows::rgb_luma::<4, 2>(from, row),
                Layout::Rgbx => rows::rgb_luma::<4, 0>(from, row),
                Layout::Grey => rows::grey_luma(from, row),
            }
            turn(row);
        }
        let two = |at: usize, convert: TwoRows, u: &mut [u8], v: &mut [u8]| {
            convert(self.pixels(at * 2, left, width), self.pixels(at * 2 + 1, left, width), u, v);
        };
        for (index, (u, v)) in chroma.enumerate() {
            let at = top / 2 + source(index, height / 2);
            match self.layout {
                Layout::I420 => {
                    u.copy_from_slice(self.planes[1].row(at, left / 2, width / 2));
                    v.copy_from_slice(self.planes[2].row(at, left / 2, width / 2));
                }
                Layout::Nv12 => rows::split(self.planes[1].row(at, left, width), u, v),
                Layout::Yuyv => two(at, rows::yuyv_chroma, u, v),
                Layout::Bgr => two(at, rows::rgb_chroma::<3, 2>, u, v),
                Layout::Rgb => two(at, rows::rgb_chroma::<3, 0>, u, v),
                Layout::Bgrx => two(at, rows::rgb_chroma::<4, 2>, u, v),
                Layout::Rgbx => two(at, rows::rgb_chroma::<4, 0>, u, v),
                Layout::Grey => {
                    u.fill(rows::NO_COLOUR);
                    v.fill(rows::NO_COLOUR);
                }
            }
            turn(u);
            turn(v);
        }
        Ok(())
    }

    /// Pixels of one row of the first plane.
    fn pixels(&self, index: usize, from: usize, count: usize) -> &'a [u8] {
        let pixel = self.layout.pixel();
        self.planes[0].row(index, from * pixel, count * pixel)
    }
}

/// Makes a row of U and one of V of two rows of pixels.
type TwoRows = fn(&[u8], &[u8], &mut [u8], &mut [u8]);

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
mod tests;
