//! The car's picture: its ranges.

use std::ops::RangeInclusive;

/// Widths of the picture in pixels, even numbers. openh264 needs 16.
pub const WIDTHS: RangeInclusive<u32> = 64..=1920;
/// Heights of the picture in pixels, even numbers.
pub const HEIGHTS: RangeInclusive<u32> = 48..=1088;
/// Frame rates in hertz: browsers paint sixty times a second.
pub const RATES: RangeInclusive<u32> = 1..=60;
/// Bit rates in kbit/s (1000 bits in a second): below, a frame of 640×360 at 30 Hz gets less than 200 bytes; above lies the limit of level
/// 3.1 of H.264.
pub const BITRATES_KBPS: RangeInclusive<u32> = 50..=14_000;
