//! Everything that is too far to come nearer: sky, clouds, mountains and hills. It turns with the
//! heading.
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "colours, and columns of a panorama"
)]

use super::colour::{Colour, HAZE, mix};
use super::noise::{Noise, Random};
use super::view::View;
use crate::frame::FrameViewMut;
use std::f32::consts::TAU;

/// Columns of the panorama around the horizon. One for each pixel of 1280 in a field of 75° would
/// be 6144.
const COLUMNS: usize = 4096;
/// Clouds are looked up at every sixteenth pixel.
const SPAN: usize = 16;
/// Points of cloud noise for one unit of the tangent of elevation, and around the circle (a divisor
/// of the tile's side).
const CLOUD_HEIGHT: f32 = 14.0;
const CLOUD_TURN: f32 = 64.0;

const ZENITH: Colour = Colour::rgb(92, 150, 214);
const CLOUD: Colour = Colour::rgb(246, 248, 250);
const MOUNTAIN: Colour = Colour::rgb(132, 152, 178);
const SNOW: Colour = Colour::rgb(238, 243, 248);
const HILL: Colour = Colour::rgb(112, 146, 112);
const WOOD: Colour = Colour::rgb(84, 120, 78);

/// Outlines for each column of a full turn, as tangents of elevation.
#[derive(Debug)]
pub(super) struct Panorama {
    outlines: Vec<[f32; LAYERS]>,
}

/// Mountains, the snow line on them, hills, woods.
const LAYERS: usize = 4;

impl Panorama {
    pub(super) fn new() -> Self {
        let mut random = Random::new(3);
        let mut waves = |count: usize, lowest: f32, highest: f32| -> Vec<[f32; 3]> {
            // Whole numbers of waves in a turn, so that the outline closes. Finer waves are lower.
            (0..count)
                .map(|_| {
                    let waves = random.within(lowest, highest).round();
                    [waves, random.within(0.0, TAU), (lowest / waves).sqrt()]
                })
                .collect()
        };
        let (peaks, jags, hills, trees) = (
            waves(7, 3.0, 22.0),
            waves(6, 30.0, 110.0),
            waves(6, 4.0, 24.0),
            waves(9, 60.0, 400.0),
        );
        let sum = |waves: &[[f32; 3]], turn: f32, fold: bool| -> f32 {
            let wave = |&[count, phase, strength]: &[f32; 3]| {
                let value = (turn * count + phase).sin();
                strength * if fold { 1.0 - 2.0 * value.abs() } else { value }
            };
            waves.iter().map(wave).sum::<f32>() / waves.len() as f32
        };
        let outline = |column: usize| {
            let turn = column as f32 / COLUMNS as f32 * TAU;
            let jagged = sum(&jags, turn, true);
            let mountain = 0.10 + 0.13 * sum(&peaks, turn, true) + 0.02 * jagged;
            let snow = 0.125 + 0.035 * jagged;
            let hill = 0.045 + 0.05 * sum(&hills, turn, false);
            let wood =
                0.018 + 0.02 * sum(&hills, turn + 2.0, false) + 0.010 * sum(&trees, turn, true);
            [mountain, snow, hill, wood.max(0.006)]
        };
        Self { outlines: (0..COLUMNS).map(outline).collect() }
    }

    /// Draws every row above the horizon.
    pub(super) fn draw(&self, view: &View, noise: &Noise, frame: &mut FrameViewMut<'_>) {
        let horizon = view.horizon();
        let columns: Vec<Column> = (0..view.width).map(|x| self.column(view, x)).collect();
        let highest =
            columns.iter().map(|column| column.rows[0].min(column.rows[2])).fold(horizon, f32::min);
        let bottom = (horizon.ceil().max(0.0) as usize + 1).min(view.height);
        let mut clouds = vec![0.0; view.width.div_ceil(SPAN) + 1];
        for row in 0..bottom {
            if row.is_multiple_of(2) {
                for (index, cloud) in clouds.iter_mut().enumerate() {
                    let column = columns[(index * SPAN).min(columns.len() - 1)];
                    *cloud = cloudiness(
                        noise,
                        column.turn,
                        (horizon - row as f32).max(0.0) / column.scale,
                    );
                }
            }
            sky_row(view, &clouds, row, frame);
            if row as f32 + 1.0 > highest {
                land_row(&columns, row, frame);
            }
        }
    }

    fn column(&self, view: &View, x: usize) -> Column {
        let aside = (x as f32 + 0.5 - view.centre_x) / view.focal_at_horizon();
        let turn = (view.heading - aside.atan()) / TAU;
        let place = (turn - turn.floor()) * COLUMNS as f32;
        let (left, share) = (place as usize % COLUMNS, place.fract());
        let (a, b) = (self.outlines[left], self.outlines[(left + 1) % COLUMNS]);
        let scale = view.focal_at_horizon() * (1.0 + aside * aside).sqrt();
        let rows = std::array::from_fn(|layer| {
            view.horizon() - (a[layer] + (b[layer] - a[layer]) * share) * scale
        });
        Column { rows, turn, scale }
    }
}

/// One column of the frame.
#[derive(Clone, Copy)]
struct Column {
    /// Row of each outline.
    rows: [f32; LAYERS],
    /// Direction in turns.
    turn: f32,
    /// Pixels for one unit of the tangent of elevation.
    scale: f32,
}

/// How much of the sky a cloud hides: 0…200 of 256.
fn cloudiness(noise: &Noise, turn: f32, elevation: f32) -> f32 {
    let (x, y) = (turn * CLOUD_TURN, elevation * CLOUD_HEIGHT);
    let density = noise.at(x, y)
        + 0.5 * noise.at(x * 2.0, y * 2.0 + 31.0)
        + 0.25 * noise.at(x * 4.0, y * 4.0 + 57.0);
    ((density - 0.25) * 260.0).clamp(0.0, 200.0)
}

fn sky_row(view: &View, clouds: &[f32], row: usize, frame: &mut FrameViewMut<'_>) {
    let up = ((view.horizon() - row as f32) / view.focal_at_horizon()).max(0.0);
    // Full blue is reached 25° above the horizon.
    let blue = HAZE.mix(ZENITH, ((up / 0.47).min(1.0).sqrt() * 256.0) as i32);
    let pixels = frame.row(row);
    pixels.y.fill(blue.y);
    let with_chroma = row.is_multiple_of(2);
    if with_chroma {
        pixels.u.fill(blue.u);
        pixels.v.fill(blue.v);
    }
    for (start, ends) in (0..view.width).step_by(SPAN).zip(clouds.windows(2)) {
        let &[from, to] = ends else { continue };
        if from + to == 0.0 {
            continue;
        }
        let end = (start + SPAN).min(view.width);
        let (first, step) = ((from * 256.0) as i32, ((to - from) * 256.0) as i32 / SPAN as i32);
        let share = |index: usize| (first + step * index as i32) >> 8;
        for (index, y) in pixels.y[start..end].iter_mut().enumerate() {
            *y = mix(blue.y, CLOUD.y, share(index));
        }
        if with_chroma {
            for (index, (u, v)) in pixels.u[start / 2..end / 2]
                .iter_mut()
                .zip(&mut pixels.v[start / 2..end / 2])
                .enumerate()
            {
                *u = mix(blue.u, CLOUD.u, share(2 * index));
                *v = mix(blue.v, CLOUD.v, share(2 * index));
            }
        }
    }
}

fn land_row(columns: &[Column], row: usize, frame: &mut FrameViewMut<'_>) {
    let pixels = frame.row(row);
    let bottom = row as f32 + 1.0;
    let with_chroma = row.is_multiple_of(2);
    for (x, column) in columns.iter().enumerate() {
        let [mountain, snow, hill, wood] = column.rows;
        if bottom <= mountain.min(hill) {
            continue;
        }
        let covers = |outline: f32| ((bottom - outline).clamp(0.0, 1.0) * 256.0) as i32;
        let wood = covers(wood);
        let land = if wood == 256 {
            WOOD
        } else if bottom >= hill + 1.0 {
            HILL.mix(WOOD, wood)
        } else {
            let sky = Colour { y: pixels.y[x], u: pixels.u[x / 2], v: pixels.v[x / 2] };
            sky.mix(SNOW.mix(MOUNTAIN, covers(snow)), covers(mountain))
                .mix(HILL, covers(hill))
                .mix(WOOD, wood)
        };
        pixels.y[x] = land.y;
        if with_chroma && x.is_multiple_of(2) {
            pixels.u[x / 2] = land.u;
            pixels.v[x / 2] = land.v;
        }
    }
}
