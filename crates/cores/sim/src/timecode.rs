//! A time code in the picture, which a program can read from the screen.
//!
//! **A code that [`read`] returns was painted: sync patterns and a CRC guard against chance.**
//!
//! # Geometry
//!
//! The side of a cell is `c = floor(width / 40)` pixels. The code takes the rectangle from (0, 0)
//! to (18 c, 7 c): a margin one cell wide around a grid of 16 columns × 5 rows. The cell in column
//! `i` and row `j` covers the pixels `c + i·c ≤ x < 2c + i·c` and `c + j·c ≤ y < 2c + j·c`. The
//! margin has luma 126, a cell luma 16 (bit 0) or 235 (bit 1); chroma is neutral (128) everywhere.
//!
//! Bits run along the rows, from left to right and from top to bottom, the most significant bit of
//! a field first:
//!
//! | bits | field |
//! |---|---|
//! | 0…7 | sync, `0xA5` |
//! | 8…55 | time: `CLOCK_REALTIME` in units of 100 µs since 1970, modulo 2⁴⁸ |
//! | 56…63 | counter: number of the frame, modulo 2⁸ |
//! | 64…71 | CRC-8 of bits 8…63 (polynomial `0x07`, initial value 0, not reflected: CRC-8/SMBUS) |
//! | 72…79 | sync, `0x5A` |
//!
//! # Reading
//!
//! Take the mean luma of the middle half (each way) of every cell: that leaves out the borders,
//! which scaling and the encoder smear. The threshold is half way between two means: that of the
//! eight sync cells that are 1, and that of the eight that are 0. The two must be at least
//! [`MIN_CONTRAST`] apart. Then both sync patterns and the CRC must match. In a browser, use green
//! (or the mean of red, green and blue) of a canvas of the video's own size.

use crate::frame::{FrameViewMut, Row};
use thiserror::Error;

/// Cells in a row, without the margin.
pub const COLUMNS: usize = 16;
/// Rows of cells, without the margin.
pub const ROWS: usize = 5;
/// Cells that fit side by side into the width of the picture.
pub const CELLS_PER_WIDTH: usize = 40;
/// Least distance between the mean luma of the ones and of the zeroes among the sync cells: half of
/// the distance that is painted.
pub const MIN_CONTRAST: u8 = 110;

const SYNC_START: u8 = 0xA5;
const SYNC_END: u8 = 0x5A;
const LUMA_ZERO: u8 = 16;
const LUMA_ONE: u8 = 235;
const LUMA_MARGIN: u8 = 126;
const NEUTRAL_CHROMA: u8 = 128;
const BYTES: usize = COLUMNS * ROWS / 8;
const TIME_BITS: u32 = 48;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeCode {
    time_100us: u64,
    /// Number of the frame, modulo 256.
    pub counter: u8,
}

/// No time code could be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ReadError {
    /// The picture is smaller than the code, or the plane smaller than the picture.
    #[error("a picture of {width}×{height} with {len} bytes of luma cannot hold a time code")]
    TooSmall {
        /// Of the picture.
        width: usize,
        /// Of the picture.
        height: usize,
        /// Of the plane, in bytes.
        len: usize,
    },
    /// Ones and zeroes of the sync patterns look alike. Holds the difference of their mean luma.
    #[error("no time code here: the sync cells differ by {0} only")]
    Contrast(i32),
    /// The first and last eight bits are not the sync patterns.
    #[error("no time code here: sync {0:#04x} {1:#04x}")]
    Sync(u8, u8),
    /// A bit between the sync patterns was misread.
    #[error("the time code is damaged: CRC {found:#04x}, expected {expected:#04x}")]
    Crc {
        /// The CRC in the picture.
        found: u8,
        /// The CRC of the fields in the picture.
        expected: u8,
    },
}

impl TimeCode {
    /// `since_1970`: when the frame was captured, by `CLOCK_REALTIME`.
    #[must_use]
    pub fn new(since_1970: std::time::Duration, counter: u8) -> Self {
        let units = since_1970.as_micros() / 100 % (1 << TIME_BITS);
        Self { time_100us: u64::try_from(units).unwrap_or(0), counter }
    }

    /// Capture time in units of 100 µs since 1970, modulo 2⁴⁸.
    #[must_use]
    pub fn time_100us(self) -> u64 {
        self.time_100us
    }

    fn to_bytes(self) -> [u8; BYTES] {
        let [_, _, t5, t4, t3, t2, t1, t0] = self.time_100us.to_be_bytes();
        let crc = crc8(&[t5, t4, t3, t2, t1, t0, self.counter]);
        [SYNC_START, t5, t4, t3, t2, t1, t0, self.counter, crc, SYNC_END]
    }

    fn from_bytes(bytes: [u8; BYTES]) -> Result<Self, ReadError> {
        let [start, t5, t4, t3, t2, t1, t0, counter, found, end] = bytes;
        if (start, end) != (SYNC_START, SYNC_END) {
            return Err(ReadError::Sync(start, end));
        }
        let expected = crc8(&[t5, t4, t3, t2, t1, t0, counter]);
        if found != expected {
            return Err(ReadError::Crc { found, expected });
        }
        Ok(Self { time_100us: u64::from_be_bytes([0, 0, t5, t4, t3, t2, t1, t0]), counter })
    }
}

/// Paints the code over the upper left corner of the picture. In a tiny picture, the part that does
/// not fit is left out.
pub fn paint(frame: &mut FrameViewMut<'_>, code: TimeCode) {
    let cell = frame.width() / CELLS_PER_WIDTH;
    let width = (cell * (COLUMNS + 2)).min(frame.width());
    let height = (cell * (ROWS + 2)).min(frame.height());
    let bytes = code.to_bytes();
    for row in 0..height {
        let Row { y, u, v } = frame.row(row);
        u[..width.div_ceil(2)].fill(NEUTRAL_CHROMA);
        v[..width.div_ceil(2)].fill(NEUTRAL_CHROMA);
        let line = &mut y[..width];
        line.fill(LUMA_MARGIN);
        let Some(bits) = (row / cell).checked_sub(1).filter(|&row| row < ROWS) else { continue };
        for (column, pixels) in line.chunks_mut(cell).skip(1).take(COLUMNS).enumerate() {
            pixels.fill(if bit(&bytes, bits * COLUMNS + column) { LUMA_ONE } else { LUMA_ZERO });
        }
    }
}

/// Reads the code from the luma of a picture. `stride`: bytes from the start of one row to the
/// next.
pub fn read(
    luma: &[u8],
    stride: usize,
    width: usize,
    height: usize,
) -> Result<TimeCode, ReadError> {
    let cell = width / CELLS_PER_WIDTH;
    let too_small = ReadError::TooSmall { width, height, len: luma.len() };
    let rows = cell * (ROWS + 1);
    if cell == 0 || height < rows || stride < width || luma.len() / stride < rows {
        return Err(too_small);
    }
    let mut means = [0i32; COLUMNS * ROWS];
    for (index, mean) in means.iter_mut().enumerate() {
        let (left, top) = (cell * (1 + index % COLUMNS), cell * (1 + index / COLUMNS));
        *mean = middle_mean(luma, stride, left, top, cell);
    }
    let sync = |bytes: [u8; 2], wanted: bool| {
        let cells = (0..8).zip(&means[..8]).chain((8..16).zip(&means[COLUMNS * ROWS - 8..]));
        cells.filter(|(index, _)| bit(&bytes, *index) == wanted).map(|(_, mean)| mean).sum::<i32>()
            / 8
    };
    let (ones, zeroes) = (sync([SYNC_START, SYNC_END], true), sync([SYNC_START, SYNC_END], false));
    if ones - zeroes < i32::from(MIN_CONTRAST) {
        return Err(ReadError::Contrast(ones - zeroes));
    }
    let mut bytes = [0u8; BYTES];
    for (index, &mean) in means.iter().enumerate() {
        bytes[index / 8] |= u8::from(2 * mean > ones + zeroes) << (7 - index % 8);
    }
    TimeCode::from_bytes(bytes)
}

/// Mean of the middle half of a cell, each way.
fn middle_mean(luma: &[u8], stride: usize, left: usize, top: usize, cell: usize) -> i32 {
    let inset = cell / 4;
    let side = cell - 2 * inset;
    let (mut sum, mut count) = (0i32, 0i32);
    for line in luma.chunks(stride).skip(top + inset).take(side) {
        for &pixel in &line[left + inset..left + inset + side] {
            sum += i32::from(pixel);
            count += 1;
        }
    }
    sum / count.max(1)
}

fn bit(bytes: &[u8], index: usize) -> bool {
    bytes[index / 8] >> (7 - index % 8) & 1 == 1
}

/// CRC-8/SMBUS.
fn crc8(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |crc, byte| {
        (0..8)
            .fold(crc ^ byte, |crc: u8, _| if crc & 0x80 == 0 { crc << 1 } else { crc << 1 ^ 0x07 })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::tests::Picture;
    use proptest::prelude::*;
    use std::time::Duration;

    #[test]
    fn the_crc_is_the_one_that_catalogues_call_smbus() {
        assert_eq!(crc8(b"123456789"), 0xF4);
    }

    #[test]
    fn the_cells_lie_where_the_documentation_puts_them() {
        let mut picture = Picture::new(640, 360);
        paint(&mut picture.view(), TimeCode::new(Duration::ZERO, 0));
        let luma = |x: usize, y: usize| picture.y[y * 640 + x];
        // Margin, then 0xA5 = 1010 0101 from x = 16 in cells of 16 pixels.
        assert_eq!(
            [luma(15, 16), luma(16, 15), luma(16, 16), luma(31, 31), luma(32, 16), luma(48, 16)],
            [126, 126, 235, 235, 16, 235]
        );
        // The last two cells are the last two bits of 0x5A, 10; after them the margin, then the
        // picture.
        assert_eq!(
            [luma(255, 80), luma(256, 95), luma(271, 95), luma(272, 95), luma(271, 96)],
            [235, 16, 16, 126, 126]
        );
        assert_eq!([luma(287, 111), luma(288, 111), luma(287, 112)], [126, 16, 16]);
    }

    #[test]
    fn a_picture_without_a_code_is_told_from_a_damaged_code() {
        let mut picture = Picture::new(640, 360);
        assert_eq!(read(&picture.y, 640, 640, 360), Err(ReadError::Contrast(0)));
        paint(&mut picture.view(), TimeCode::new(Duration::from_secs(1), 1));
        for row in picture.y.chunks_mut(640).skip(32).take(16) {
            row[16..32].fill(LUMA_ONE);
        }
        assert!(matches!(read(&picture.y, 640, 640, 360), Err(ReadError::Crc { .. })));
    }

    proptest! {
        #[test]
        fn what_was_painted_is_read_after_blur_noise_and_a_loss_of_contrast(
            micros in any::<u64>(), counter: u8, width in 20usize..330,
            contrast in 60i32..100, noise in 0i32..20, seed: u32,
        ) {
            let width = width * 4;
            let height = width * 9 / 16 / 2 * 2;
            let code = TimeCode::new(Duration::from_micros(micros), counter);
            let mut picture = Picture::new(width, height);
            paint(&mut picture.view(), code);
            degrade(&mut picture, width / CELLS_PER_WIDTH / 4, contrast, noise, seed);
            prop_assert_eq!(read(&picture.y, width, width, height), Ok(code));
        }

        #[test]
        fn no_plane_makes_the_reader_panic(
            luma in prop::collection::vec(any::<u8>(), 0..20_000),
            stride in 0usize..300, width in 0usize..300, height in 0usize..300,
        ) {
            let _ = read(&luma, stride, width, height);
        }

        #[test]
        fn a_single_misread_bit_never_yields_a_code(
            micros in any::<u64>(), counter: u8, flipped in 0..COLUMNS * ROWS,
        ) {
            let mut bytes = TimeCode::new(Duration::from_micros(micros), counter).to_bytes();
            bytes[flipped / 8] ^= 0x80 >> (flipped % 8);
            prop_assert!(TimeCode::from_bytes(bytes).is_err());
        }
    }

    /// Box blur over `2 radius + 1` pixels of a row, less contrast (percent), uniform noise.
    fn degrade(picture: &mut Picture, radius: usize, contrast: i32, noise: i32, seed: u32) {
        let sharp = picture.y.clone();
        let mut random = seed;
        for (index, pixel) in picture.y.iter_mut().enumerate() {
            let window =
                &sharp[index.saturating_sub(radius)..(index + radius + 1).min(sharp.len())];
            let mean = window.iter().map(|&value| i32::from(value)).sum::<i32>()
                / i32::try_from(window.len()).unwrap();
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let random = i32::try_from(random >> 16).unwrap() % (2 * noise + 1) - noise;
            *pixel =
                u8::try_from(((mean - 126) * contrast / 100 + 126 + random).clamp(0, 255)).unwrap();
        }
    }
}
