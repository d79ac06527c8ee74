//! The sizes that a picture may shrink to on a narrow link.

use rccar_congestion::Ladder;
use rccar_media::frame::VideoFormat;

/// Heights of the smaller sizes, in pixels.
const HEIGHTS: [u32; 3] = [720, 480, 360];
/// The last resort, when frames of the smallest one are too large for the link.
const LAST: u32 = 180;
/// With fewer bits in a second for so many pixels OpenH264 makes mud. A smaller picture is better
/// then, or fewer frames.
const WORTH: (u64, u64) = (150_000, 640 * 360);

/// The picture's own size, and the smaller ones. With a highest rate that is little for its size, a
/// picture keeps that size all the same while the link carries the highest rate.
pub(crate) fn ladder(full: VideoFormat, most_bps: u32) -> Ladder<VideoFormat> {
    let with_floor = |format| (format, floor(format).min(most_bps / 10 * 6));
    let ladder = Ladder::new(with_floor(full), smaller(full).map(with_floor).collect());
    match of_height(full, LAST) {
        Some(last) => ladder.with_last_resort(with_floor(last)),
        None => ladder,
    }
}

/// The rate in bit/s below which frames are left out: what the smallest size is worth.
pub(crate) fn least_rate(full: VideoFormat) -> u32 {
    floor(smaller(full).last().unwrap_or(full))
}

/// Of the same shape; widths are even.
fn smaller(full: VideoFormat) -> impl Iterator<Item = VideoFormat> {
    HEIGHTS.into_iter().filter_map(move |height| of_height(full, height))
}

fn of_height(full: VideoFormat, height: u32) -> Option<VideoFormat> {
    if height >= full.height() {
        return None;
    }
    let width = u64::from(full.width()) * u64::from(height) / u64::from(full.height());
    let even = u32::try_from(width).ok()?.next_multiple_of(2);
    // A shape so narrow that it cannot shrink stays as it is.
    VideoFormat::new(even, height, full.fps()).ok()
}

fn floor(format: VideoFormat) -> u32 {
    let pixels = u64::from(format.width()) * u64::from(format.height());
    u32::try_from(pixels * WORTH.0 / WORTH.1).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rccar_protocol::units::MonotonicMicros;

    fn format(width: u32, height: u32) -> VideoFormat {
        VideoFormat::new(width, height, 30).unwrap()
    }

    #[test]
    fn a_picture_shrinks_to_360_lines_and_keeps_its_shape() {
        let sizes = |width, height| smaller(format(width, height)).collect::<Vec<_>>();
        assert_eq!(sizes(1280, 720), [format(854, 480), format(640, 360)]);
        assert_eq!(sizes(1920, 1080), [format(1280, 720), format(854, 480), format(640, 360)]);
        assert_eq!(sizes(640, 480), [format(480, 360)]);
        assert!(sizes(640, 360).is_empty());
        assert!(sizes(64, 720).is_empty(), "no room to shrink");
    }

    #[test]
    fn every_size_can_be_reached_again_at_the_highest_rate() {
        let second = |s: u64| MonotonicMicros(s * 1_000_000);
        for (width, height) in [(1920, 1080), (1280, 720), (640, 480)] {
            for most in [300_000, 900_000, 1_400_000, 2_000_000, 6_000_000] {
                let full = format(width, height);
                let mut ladder = ladder(full, most);
                (0..20).for_each(|s| _ = ladder.handle_rate(second(s), most / 100, 30));
                assert_ne!(ladder.present(), full, "{width}×{height} at {most}");
                // Headers and copies take a part of it.
                (20..100).for_each(|s| _ = ladder.handle_rate(second(s), most / 100 * 91, 30));
                assert_eq!(ladder.present(), full, "{width}×{height} at {most}");
            }
        }
    }

    #[test]
    fn floors_are_in_proportion_to_the_pixels() {
        assert_eq!(floor(format(640, 360)), 150_000);
        assert_eq!(floor(format(1280, 720)), 600_000);
        assert_eq!(least_rate(format(1280, 720)), 150_000);
        assert_eq!(least_rate(format(320, 240)), 50_000);
    }
}
