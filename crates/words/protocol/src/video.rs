//! The car's picture: its ranges, and the level of H.264 that it needs.

use std::ops::RangeInclusive;

/// Widths of the picture in pixels, even numbers. openh264 needs 16; level 4.2 of H.264 ends beyond
/// 1920×1088.
pub const WIDTHS: RangeInclusive<u32> = 64..=1920;
/// Heights of the picture in pixels, even numbers.
pub const HEIGHTS: RangeInclusive<u32> = 48..=1088;
/// Frame rates in hertz: browsers paint sixty times a second.
pub const RATES: RangeInclusive<u32> = 1..=60;
/// Bit rates in kbit/s (1000 bits in a second). Below, a frame of 640×360 at 30 Hz gets less than
/// 200 bytes. The upper end is the limit of level 3.1 of H.264.
pub const BITRATES_KBPS: RangeInclusive<u32> = 50..=14_000;

/// A level of H.264 says what a decoder must be able to do (ITU-T H.264 annex A.3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Level {
    idc: u8,
}

/// A row of table A-1.
struct Limits {
    /// `level_idc`: ten times the level's number.
    idc: u8,
    /// `MaxMBPS`: macroblocks in a second.
    macroblocks_per_s: u32,
    /// `MaxFS`: macroblocks in a frame; `8 × MaxFS` is the square of the longest side.
    macroblocks: u32,
    /// `MaxBR`, in units of `cpbBrNalFactor` bits in a second.
    rate: u32,
}

/// ITU-T H.264 table A-1 from its first level to the highest that the ranges above need, without
/// level 1b.
const TABLE: [Limits; 13] = [
    limits(10, 1_485, 99, 64),
    limits(11, 3_000, 396, 192),
    limits(12, 6_000, 396, 384),
    limits(13, 11_880, 396, 768),
    limits(20, 11_880, 396, 2_000),
    limits(21, 19_800, 792, 4_000),
    limits(22, 20_250, 1_620, 4_000),
    limits(30, 40_500, 1_620, 10_000),
    limits(31, 108_000, 3_600, 14_000),
    limits(32, 216_000, 5_120, 20_000),
    limits(40, 245_760, 8_192, 20_000),
    limits(41, 245_760, 8_192, 50_000),
    limits(42, 522_240, 8_704, 50_000),
];
/// `cpbBrNalFactor` of the baseline profile (ITU-T H.264 table A-2).
const NAL_FACTOR: u64 = 1_200;
/// `profile_idc` of the baseline profile, and the constraint flags 0 to 2: constrained baseline
/// (RFC 6184 section 8.1).
const CONSTRAINED_BASELINE: &str = "42e0";

impl Level {
    /// It has room for everything that the ranges of this module allow.
    pub const HIGHEST: Self = Self { idc: TABLE[TABLE.len() - 1].idc };

    /// The lowest level that has room for pictures of `width` × `height` pixels, `fps` in a second,
    /// in `bitrate_kbps` (1000 bits in a second). Beyond the ranges of this module it is
    /// [`Level::HIGHEST`].
    #[must_use]
    pub fn lowest_for(width: u32, height: u32, fps: u32, bitrate_kbps: u32) -> Self {
        let (columns, rows) = (u64::from(width.div_ceil(16)), u64::from(height.div_ceil(16)));
        let macroblocks = columns.saturating_mul(rows);
        let fits = |limits: &&Limits| {
            let longest = columns.max(rows);
            macroblocks.saturating_mul(fps.into()) <= limits.macroblocks_per_s.into()
                && macroblocks <= limits.macroblocks.into()
                && longest.saturating_mul(longest) <= 8 * u64::from(limits.macroblocks)
                && u64::from(bitrate_kbps) * 1_000 <= u64::from(limits.rate) * NAL_FACTOR
        };
        TABLE.iter().find(fits).map_or(Self::HIGHEST, |limits| Self { idc: limits.idc })
    }

    /// `level_idc` of a stream: ten times the level's number.
    #[must_use]
    pub fn idc(self) -> u8 {
        self.idc
    }

    /// `profile-level-id` in an offer (RFC 6184 section 8.1): constrained baseline at this level,
    /// six hexadecimal digits.
    #[must_use]
    pub fn profile_level_id(self) -> String {
        format!("{CONSTRAINED_BASELINE}{:02x}", self.idc)
    }

    /// Whether a decoder that was offered this level can decode a stream whose sequence parameter
    /// set begins with these bytes after its header: `profile_idc`, the constraint flags,
    /// `level_idc`. The profiles are those that RFC 6184 (table 5) calls constrained baseline.
    #[must_use]
    pub fn covers(self, [profile, constraints, level]: [u8; 3]) -> bool {
        let constrained_baseline = match profile {
            66 => constraints & 0x40 != 0,
            77 => constraints & 0x80 != 0,
            88 => constraints & 0xC0 == 0xC0,
            _ => false,
        };
        constrained_baseline && level <= self.idc
    }
}

const fn limits(idc: u8, macroblocks_per_s: u32, macroblocks: u32, rate: u32) -> Limits {
    Limits { idc, macroblocks_per_s, macroblocks, rate }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_level_follows_size_rate_and_bit_rate() {
        for (width, height, fps, bitrate_kbps, level) in [
            (128, 96, 30, 64, 10),
            (640, 360, 30, 1_000, 30),
            (640, 360, 60, 1_000, 31),
            (640, 360, 30, 12_000, 30),
            (640, 360, 30, 12_001, 31),
            (1280, 720, 30, 2_000, 31),
            (1280, 720, 31, 2_000, 32),
            (1280, 720, 60, 2_000, 32),
            (1920, 1080, 30, 4_000, 40),
            (1920, 1080, 31, 4_000, 42),
            // A long side counts even if the picture is small.
            (1920, 48, 1, 100, 31),
        ] {
            let found = Level::lowest_for(width, height, fps, bitrate_kbps);
            assert_eq!(found.idc(), level, "{width}×{height} at {fps} Hz, {bitrate_kbps} kbit/s");
        }
    }

    #[test]
    fn all_that_is_legal_fits_into_the_highest_level() {
        let Limits { idc, macroblocks_per_s, macroblocks, rate } = &TABLE[TABLE.len() - 1];
        assert_eq!(*idc, Level::HIGHEST.idc());
        let (columns, rows) = (WIDTHS.end().div_ceil(16), HEIGHTS.end().div_ceil(16));
        assert!(
            columns * rows * RATES.end() <= *macroblocks_per_s && columns * rows <= *macroblocks
        );
        assert!(
            columns * columns <= 8 * macroblocks
                && u64::from(BITRATES_KBPS.end() * 1_000) <= u64::from(*rate) * NAL_FACTOR
        );
    }

    #[test]
    fn nothing_overflows() {
        assert_eq!(Level::lowest_for(u32::MAX, u32::MAX, u32::MAX, u32::MAX), Level::HIGHEST);
    }

    #[test]
    fn a_stream_fits_the_offer_by_its_profile_and_up_to_its_level() {
        let offered = Level::lowest_for(1280, 720, 30, 2_000);
        // Constrained baseline in the three ways of RFC 6184, then a lower level.
        for fits in [[66, 0xC0, 31], [66, 0x40, 31], [77, 0x80, 31], [88, 0xC0, 31], [66, 0xE0, 30]]
        {
            assert!(offered.covers(fits), "{fits:?}");
        }
        // Baseline, main, extended, high; a higher level.
        for other in [[66, 0, 31], [66, 0x80, 31], [77, 0x40, 31], [88, 0x80, 31], [100, 0xE0, 31]]
        {
            assert!(!offered.covers(other), "{other:?}");
        }
        assert!(!offered.covers([66, 0xC0, 32]));
    }

    #[test]
    fn levels_are_written_as_browsers_read_them() {
        assert_eq!(Level::lowest_for(1280, 720, 30, 2_000).profile_level_id(), "42e01f");
        assert_eq!(Level::HIGHEST.profile_level_id(), "42e02a");
    }
}
