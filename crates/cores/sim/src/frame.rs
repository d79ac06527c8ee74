//! Where pictures are drawn: a borrowed I420 frame.

use thiserror::Error;

/// Largest side of a frame in pixels: that of level 5.1 of H.264 (ITU-T H.264 table A-1).
pub const MAX_SIDE: usize = 4096;

/// A borrowed frame in I420: one plane of luma, two of chroma at half the width and height (BT.709,
/// limited range).
#[derive(Debug)]
pub struct FrameViewMut<'a> {
    width: usize,
    height: usize,
    y: PlaneMut<'a>,
    u: PlaneMut<'a>,
    v: PlaneMut<'a>,
}

#[derive(Debug)]
pub struct PlaneMut<'a> {
    /// Samples, row by row.
    pub data: &'a mut [u8],
    /// Bytes from the start of one row to the start of the next.
    pub stride: usize,
}

/// The planes do not make a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum FrameShapeError {
    /// I420 has one chroma sample for two by two pixels.
    #[error(
        "a frame of {width}×{height} is not possible: \
         both sides must be even and within 2…{MAX_SIDE}"
    )]
    Size { width: usize, height: usize },
    /// A plane ends before its last row does.
    #[error("plane {plane} is too small: {len} bytes with {stride} in a row")]
    Plane {
        /// `Y`, `U` or `V`.
        plane: char,
        /// Bytes in the plane.
        len: usize,
        stride: usize,
    },
}

impl<'a> FrameViewMut<'a> {
    /// Both sides must be even and at most [`MAX_SIDE`] pixels. Each plane must hold all of its
    /// rows; bytes beyond them are left alone.
    pub fn new(
        width: usize,
        height: usize,
        y: PlaneMut<'a>,
        u: PlaneMut<'a>,
        v: PlaneMut<'a>,
    ) -> Result<Self, FrameShapeError> {
        let fits = |side: usize| (2..=MAX_SIDE).contains(&side) && side.is_multiple_of(2);
        if !fits(width) || !fits(height) {
            return Err(FrameShapeError::Size { width, height });
        }
        y.check('Y', width, height)?;
        u.check('U', width / 2, height / 2)?;
        v.check('V', width / 2, height / 2)?;
        Ok(Self { width, height, y, u, v })
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

    /// One row of luma, with the U and V of its pair of rows. The row must exist.
    pub(crate) fn row(&mut self, row: usize) -> Row<'_> {
        let width = self.width;
        Row {
            y: self.y.row(row, width),
            u: self.u.row(row / 2, width / 2),
            v: self.v.row(row / 2, width / 2),
        }
    }
}

/// One row of a frame; two rows share their chroma.
pub(crate) struct Row<'a> {
    pub(crate) y: &'a mut [u8],
    pub(crate) u: &'a mut [u8],
    pub(crate) v: &'a mut [u8],
}

impl PlaneMut<'_> {
    fn check(&self, plane: char, width: usize, height: usize) -> Result<(), FrameShapeError> {
        // The last row needs no padding up to the stride.
        let needed = self.stride.checked_mul(height - 1).and_then(|rows| rows.checked_add(width));
        match needed {
            Some(needed) if self.stride >= width && self.data.len() >= needed => Ok(()),
            _ => Err(FrameShapeError::Plane { plane, len: self.data.len(), stride: self.stride }),
        }
    }

    fn row(&mut self, row: usize, width: usize) -> &mut [u8] {
        let start = row * self.stride;
        &mut self.data[start..start + width]
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;

    /// An owned frame for tests.
    #[derive(Clone, PartialEq, Eq)]
    pub(crate) struct Picture {
        pub(crate) width: usize,
        pub(crate) height: usize,
        pub(crate) y: Vec<u8>,
        pub(crate) u: Vec<u8>,
        pub(crate) v: Vec<u8>,
    }

    impl Picture {
        pub(crate) fn new(width: usize, height: usize) -> Self {
            let chroma = vec![128; width * height / 4];
            Self { width, height, y: vec![16; width * height], u: chroma.clone(), v: chroma }
        }

        pub(crate) fn view(&mut self) -> FrameViewMut<'_> {
            FrameViewMut::new(
                self.width,
                self.height,
                PlaneMut { data: &mut self.y, stride: self.width },
                PlaneMut { data: &mut self.u, stride: self.width / 2 },
                PlaneMut { data: &mut self.v, stride: self.width / 2 },
            )
            .unwrap()
        }
    }

    proptest! {
        #[test]
        fn planes_that_are_too_small_are_refused_and_others_can_be_written_to_the_last_byte(
            width in 0usize..40, height in 0usize..40, stride in 0usize..48, len in 0usize..2_000,
        ) {
            let (mut y, mut u, mut v) = (vec![0; len], vec![0; len], vec![0; len]);
            let plane = |data| PlaneMut { data, stride };
            let frame =
                FrameViewMut::new(width, height, plane(&mut y), plane(&mut u), plane(&mut v));
            if let Ok(mut frame) = frame {
                let row = frame.row(height - 1);
                prop_assert_eq!(
                    (row.y.len(), row.u.len(), row.v.len()),
                    (width, width / 2, width / 2)
                );
            } else {
                let even = |side: usize| side > 0 && side.is_multiple_of(2);
                let holds = stride >= width && len >= stride * height;
                prop_assert!(!(even(width) && even(height) && holds));
            }
        }
    }
}
