//! The cross-section of the road: the colour of the ground at each distance from the centre line.

use super::colour::{Colour, mix};
use super::field::FAR_M;

/// Entries of a table; one covers [`ENTRY_M`].
pub(super) const ENTRIES: usize = 2048;
/// Width that one entry covers: less than a pixel covers at 640×360 one metre ahead.
pub(super) const ENTRY_M: f32 = 2.0 * FAR_M / ENTRIES as f32;
/// Number of tables. Each is for pixels twice as wide as the one before.
const LEVELS: usize = 10;

/// Half of the width of the dashed centre line. Its 4 cm are a third of a real line; the road is a
/// quarter of a real one, but the camera is coarse.
pub(super) const CENTRE_LINE_M: f32 = 0.02;
const EDGE_LINE_M: f32 = 0.035;
const EDGE_LINE_INSET_M: f32 = 0.05;
const KERB_M: f32 = 0.13;
const DIRT_M: f32 = 0.16;

const ASPHALT: Colour = Colour::rgb(74, 77, 84);
const WORN: Colour = Colour::rgb(66, 69, 75);
const PAINT: Colour = Colour::rgb(236, 236, 228);
const KERB_RED: Colour = Colour::rgb(206, 44, 40);
const DIRT: Colour = Colour::rgb(152, 130, 94);
pub(super) const GRASS: Colour = Colour::rgb(86, 140, 62);

/// Colours from [`FAR_M`] on the right of the centre line to [`FAR_M`] on its left.
pub(super) type Table = Box<[Ground; ENTRIES]>;

/// Tables from distance to colour.
#[derive(Debug)]
pub(super) struct Surface {
    /// For each level two tables: with dash and white kerb, and without dash and with red kerb.
    levels: Vec<[Table; 2]>,
    half_width_m: f32,
}

/// The look of the ground at one place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ground {
    pub(super) y: u8,
    pub(super) u: u8,
    pub(super) v: u8,
    /// How strong the grain is; 255 stands for 1.0.
    pub(super) grain: u8,
}

impl Surface {
    pub(super) fn new(width_m: f32) -> Self {
        let half_width_m = width_m / 2.0;
        let sharp = [true, false].map(|stripe| {
            std::array::from_fn(|index| {
                cross_section((index as f32 + 0.5) * ENTRY_M - FAR_M, half_width_m, stripe)
            })
        });
        let levels =
            (0..LEVELS).map(|level| [blur(&sharp[0], 1 << level), blur(&sharp[1], 1 << level)]);
        Self { levels: levels.collect(), half_width_m }
    }

    /// Half of the asphalt's width.
    pub(super) fn half_width_m(&self) -> f32 {
        self.half_width_m
    }

    /// The tables for pixels that cover `pixel_m` of the cross-section.
    pub(super) fn level(&self, pixel_m: f32) -> &[Table; 2] {
        let ratio = (pixel_m / ENTRY_M).max(1.0);
        // The exponent of a float is the binary logarithm.
        let level = (ratio.to_bits() >> 23) as usize - 127;
        &self.levels[level.min(LEVELS - 1)]
    }

    /// Whether the two tables of a level differ between `from_m` and `to_m` (distances from the
    /// centre line, in any order).
    pub(super) fn is_striped(&self, from_m: f32, to_m: f32, pixel_m: f32) -> bool {
        let (low, high) = if from_m < to_m { (from_m, to_m) } else { (to_m, from_m) };
        let touches = |begin: f32, end: f32| high > begin - pixel_m && low < end + pixel_m;
        let kerb = self.half_width_m + KERB_M;
        touches(-CENTRE_LINE_M, CENTRE_LINE_M)
            || touches(self.half_width_m, kerb)
            || touches(-kerb, -self.half_width_m)
    }
}

fn cross_section(left_m: f32, half_width_m: f32, stripe: bool) -> Ground {
    let from_centre = left_m.abs();
    let from_edge = from_centre - half_width_m;
    let (colour, grain) = if from_edge > KERB_M + DIRT_M {
        (GRASS, 150)
    } else if from_edge > KERB_M {
        (DIRT, 110)
    } else if from_edge > 0.0 {
        (if stripe { PAINT } else { KERB_RED }, 24)
    } else if (EDGE_LINE_INSET_M..EDGE_LINE_INSET_M + EDGE_LINE_M).contains(&-from_edge)
        || (stripe && from_centre < CENTRE_LINE_M)
    {
        (PAINT, 24)
    } else {
        // Wheels have darkened both lanes.
        let lane = (from_centre - half_width_m / 2.0).abs() / (half_width_m / 4.0);
        #[expect(clippy::cast_possible_truncation, reason = "0…256")]
        (WORN.mix(ASPHALT, (lane.min(1.0) * 256.0) as i32), 44)
    };
    Ground { y: colour.y, u: colour.u, v: colour.v, grain }
}

/// Replaces each entry by the mean of `width` entries around it.
fn blur(sharp: &[Ground; ENTRIES], width: usize) -> Table {
    let at = |index: usize| {
        let window =
            &sharp[index.saturating_sub(width / 2)..(index + width.div_ceil(2)).min(ENTRIES)];
        let mean = |pick: fn(&Ground) -> u8| {
            let sum: usize = window.iter().map(|ground| usize::from(pick(ground))).sum();
            u8::try_from(sum / window.len()).unwrap_or(u8::MAX)
        };
        Ground { y: mean(|g| g.y), u: mean(|g| g.u), v: mean(|g| g.v), grain: mean(|g| g.grain) }
    };
    Box::new(std::array::from_fn(at))
}

impl Ground {
    pub(super) const GRASS: Self = Self { y: GRASS.y, u: GRASS.u, v: GRASS.v, grain: 150 };

    /// From `self` (`share` 0) to `other` (256).
    pub(super) fn mix(self, other: Self, share: i32) -> Self {
        Self {
            y: mix(self.y, other.y, share),
            u: mix(self.u, other.u, share),
            v: mix(self.v, other.v, share),
            grain: mix(self.grain, other.grain, share),
        }
    }
}
