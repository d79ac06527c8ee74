//! The ground, row by row.
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "fixed-point arithmetic on colours and on places in a row"
)]

use super::colour::{HAZE, mix};
use super::field::{FAR_M, Field, Near};
use super::noise::{Noise, floor, lerp};
use super::surface::{ENTRIES, ENTRY_M, Ground as Shade, Surface};
use super::view::{GroundRow, View, haze};
use crate::frame::{FrameViewMut, Row};
use crate::track::Track;

/// The road is looked up at every eighth pixel, and is straight enough between two of them. Close
/// to the car every sixteenth is enough.
const SPAN: usize = 8;
const LONG_SPAN: usize = 16;
/// Rows that are nearer to each other share their grain: half of the finest size of grain.
const SHARED_GRAIN_M: f32 = GRAIN[0].0 / 2.0;
/// Largest pixel in long spans. A span must be shorter than the width of the kerb, or it misses the
/// kerb.
const LONG_SPAN_PIXEL_M: f32 = 0.05 / LONG_SPAN as f32;
/// Length of a dash and the gap after it. At 6 m/s six of them pass in a second, which still look
/// like motion at 30 Hz.
const STRIPES_M: f32 = 1.0;
/// Side of a square of the start line.
const CHEQUER_M: f32 = 0.15;
/// Half of the chequered band's width.
const CHEQUERED_M: f32 = 2.0 * CHEQUER_M;
/// The start line lies this far ahead of the origin, where a car that waits there sees it.
pub(super) const START_LINE_M: f32 = 2.4;
const CHEQUER_LIGHT: Shade = Shade { y: 222, u: 128, v: 128, grain: 24 };
const CHEQUER_DARK: Shade = Shade { y: 34, u: 128, v: 128, grain: 24 };
/// Sizes of grain on the ground: distance of its points in metres, and strength in steps of luma.
const GRAIN: [(f32, f32); 3] = [(0.014, 14.0), (0.07, 20.0), (0.6, 22.0)];

/// Road and grass.
#[derive(Debug)]
pub(super) struct Ground {
    field: Field,
    surface: Surface,
    length_m: f32,
    stripes_m: f32,
}

/// A span that touches the road: values at its first pixel, and their growth from pixel to pixel.
struct Span {
    left_m: f32,
    left_step: f32,
    along_m: f32,
    along_step: f32,
    /// Length that a pixel covers across the road, and along it.
    pixel_left_m: f32,
    pixel_along_m: f32,
}

impl Ground {
    pub(super) fn new(track: &Track) -> Self {
        let length_m = track.length_m() as f32;
        // A whole number of dashes in a lap, so that none is cut at the start.
        let stripes_m = length_m / (length_m / STRIPES_M).round();
        Self {
            field: Field::new(track),
            surface: Surface::new(track.width_m() as f32),
            length_m,
            stripes_m,
        }
    }

    /// Draws every row below the horizon.
    pub(super) fn draw(&self, view: &View, noise: &Noise, frame: &mut FrameViewMut<'_>) {
        let mut grain = Vec::new();
        for row in view.horizon().max(0.0) as usize..view.height {
            let Some(ground_row) = view.ground_row(row) else { continue };
            let span = if ground_row.across_m < LONG_SPAN_PIXEL_M { LONG_SPAN } else { SPAN };
            // Close to the car, two rows show almost the same place and share their grain.
            if row.is_multiple_of(2)
                || ground_row.along_m > SHARED_GRAIN_M
                || grain.len() != view.width.div_ceil(span) + 1
            {
                grain = grain_of(&ground_row, view.width, span, noise);
            }
            let pixels = &mut frame.row(row);
            match span {
                LONG_SPAN => {
                    self.draw_row::<LONG_SPAN>(&ground_row, &grain, pixels, row.is_multiple_of(2))
                }
                _ => self.draw_row::<SPAN>(&ground_row, &grain, pixels, row.is_multiple_of(2)),
            }
        }
    }

    fn draw_row<const LEN: usize>(
        &self,
        row: &GroundRow,
        grain: &[i32],
        pixels: &mut Row<'_>,
        with_chroma: bool,
    ) {
        let air = haze(row.ahead_m, 110.0);
        let width = pixels.y.len();
        let near_at = |column: usize| {
            let [x, y] = row.place(column);
            self.field.at(x, y)
        };
        let mut from = near_at(0);
        for (start, grain) in (0..width).step_by(LEN).zip(grain.windows(2)) {
            let to = near_at(start + LEN);
            let end = (start + LEN).min(width);
            let mut out = Brush {
                y: &mut pixels.y[start..end],
                u: &mut pixels.u[start / 2..end / 2],
                v: &mut pixels.v[start / 2..end / 2],
                with_chroma,
                air,
                grain: grain[0],
                grain_step: (grain[1] - grain[0]) / LEN as i32,
            };
            match self.span(row, from, to, LEN as f32) {
                Some(span) => self.draw_span::<LEN>(&span, &mut out),
                None => out.paint(&[Shade::GRASS; LEN]),
            }
            from = to;
        }
    }

    /// Joins the two ends of a span; `None` if it is all grass.
    fn span(
        &self,
        row: &GroundRow,
        from: Option<Near>,
        to: Option<Near>,
        len: f32,
    ) -> Option<Span> {
        let far_like = |near: Near| Near { left_m: FAR_M.copysign(near.left_m), ..near };
        let (from, to) = match (from, to) {
            (None, None) => return None,
            (Some(from), None) => (from, far_like(from)),
            (None, Some(to)) => (far_like(to), to),
            (Some(from), Some(to)) => (from, to),
        };
        // Counted from the start line, negative before it.
        let around_start = |along: f32| {
            let along = along - START_LINE_M;
            if along > self.length_m / 2.0 { along - self.length_m } else { along }
        };
        let (from_along, mut to_along) = (around_start(from.along_m), around_start(to.along_m));
        // Opposite the start line the count jumps by a lap; a span must not.
        if (to_along - from_along).abs() > self.length_m / 2.0 {
            to_along += self.length_m.copysign(from_along);
        }
        let left_step = (to.left_m - from.left_m) / len;
        // How much the row runs across the road, 0…1; `following` is how much it runs along.
        let crossing = (left_step / row.across_m).abs().min(1.0);
        let following = (1.0 - crossing * crossing).sqrt();
        Some(Span {
            left_m: from.left_m,
            left_step,
            along_m: from_along,
            along_step: (to_along - from_along) / len,
            pixel_left_m: row.across_m * crossing + row.along_m * following,
            pixel_along_m: row.across_m * following + row.along_m * crossing,
        })
    }

    fn draw_span<const LEN: usize>(&self, span: &Span, out: &mut Brush<'_>) {
        let [striped, plain] = self.surface.level(span.pixel_left_m);
        let left_end = span.left_m + span.left_step * LEN as f32;
        // A place in the tables, as 16.16 fixed point.
        let first = ((span.left_m + FAR_M) / ENTRY_M * 65_536.0) as i32;
        let step = (span.left_step / ENTRY_M * 65_536.0) as i32;
        // A span that ends at ±FAR_M wraps to the other end of the table, which is grass as well.
        let entry = |index: usize| (first + step * index as i32) as usize >> 16 & (ENTRIES - 1);
        let along = |index: usize| span.along_m + span.along_step * index as f32;
        let mut shades: [Shade; LEN] = std::array::from_fn(|index| plain[entry(index)]);
        if self.surface.is_striped(span.left_m, left_end, span.pixel_left_m) {
            let (stripes, pixels) = (1.0 / self.stripes_m, self.stripes_m / span.pixel_along_m);
            for (index, shade) in shades.iter_mut().enumerate() {
                let stripe = (wave(along(index) * stripes) * pixels + 0.5).clamp(0.0, 1.0);
                *shade = shade.mix(striped[entry(index)], (stripe * 256.0) as i32);
            }
        }
        let band = CHEQUERED_M + LEN as f32 * span.along_step.abs() + span.pixel_along_m;
        if span.along_m.abs() < band
            && span.left_m.abs().min(left_end.abs()) < self.surface.half_width_m()
        {
            for (index, shade) in shades.iter_mut().enumerate() {
                *shade = self.chequered(
                    *shade,
                    span.left_m + span.left_step * index as f32,
                    along(index),
                    span,
                );
            }
        }
        out.paint(&shades);
    }

    fn chequered(&self, ground: Shade, left_m: f32, along_m: f32, span: &Span) -> Shade {
        let covers = |distance_m: f32, pixel_m: f32| (distance_m / pixel_m + 0.5).clamp(0.0, 1.0);
        let area = covers(CHEQUERED_M - along_m.abs(), span.pixel_along_m)
            * covers(self.surface.half_width_m() - left_m.abs(), span.pixel_left_m);
        let sign = |place_m: f32, pixel_m: f32| {
            let period_m = 2.0 * CHEQUER_M;
            (2.0 * wave(place_m / period_m) * period_m / pixel_m).clamp(-1.0, 1.0)
        };
        let light =
            (1.0 + sign(left_m, span.pixel_left_m) * sign(along_m, span.pixel_along_m)) * 128.0;
        ground.mix(CHEQUER_DARK.mix(CHEQUER_LIGHT, light as i32), (area * 256.0) as i32)
    }
}

/// A triangle wave of period 1: the distance to the nearest edge of a square wave, positive where
/// the square wave is up.
fn wave(phase: f32) -> f32 {
    0.25 - (phase - floor(phase) as f32 - 0.5).abs()
}

/// Grain at the ends of the spans of a row, in 1/256 of a step of luma. Grain that is finer than a
/// pixel averages out.
fn grain_of(row: &GroundRow, width: usize, span: usize, noise: &Noise) -> Vec<i32> {
    let pixel_m = row.along_m.max(row.across_m * span as f32 / 2.0);
    let octaves = GRAIN.map(|(size_m, strength)| {
        (1.0 / size_m, strength * lerp(-0.5, 1.0, size_m / pixel_m / 2.0).clamp(0.0, 1.0))
    });
    let at = |column: usize| {
        let [x, y] = row.place(column);
        let octave =
            |&(per_metre, strength): &(f32, f32)| noise.at(x * per_metre, y * per_metre) * strength;
        let grain: f32 = octaves.iter().filter(|(_, strength)| *strength > 0.0).map(octave).sum();
        (grain * 256.0) as i32
    };
    (0..=width.div_ceil(span)).map(|index| at(index * span)).collect()
}

/// The pixels of a span.
struct Brush<'a> {
    y: &'a mut [u8],
    u: &'a mut [u8],
    v: &'a mut [u8],
    with_chroma: bool,
    /// Share of haze, 0…256.
    air: i32,
    /// Grain at the first pixel in 1/256 of a step of luma, and its growth from pixel to pixel.
    grain: i32,
    grain_step: i32,
}

impl Brush<'_> {
    fn paint<const LEN: usize>(&mut self, shades: &[Shade; LEN]) {
        let air = self.air;
        let mut luma = [0; LEN];
        for (index, (luma, shade)) in luma.iter_mut().zip(shades).enumerate() {
            let grain =
                ((self.grain + self.grain_step * index as i32) * i32::from(shade.grain)) >> 16;
            *luma =
                (((i32::from(shade.y) + grain) * (256 - air) + i32::from(HAZE.y) * air) >> 8) as u8;
        }
        match <&mut [u8; LEN]>::try_from(&mut *self.y) {
            Ok(pixels) => *pixels = luma,
            // The last span of a row may be shorter.
            Err(_) => self.y.iter_mut().zip(luma).for_each(|(pixel, luma)| *pixel = luma),
        }
        if self.with_chroma {
            for ((u, v), shade) in
                self.u.iter_mut().zip(self.v.iter_mut()).zip(shades.iter().step_by(2))
            {
                *u = mix(shade.u, HAZE.u, air);
                *v = mix(shade.v, HAZE.v, air);
            }
        }
    }
}
