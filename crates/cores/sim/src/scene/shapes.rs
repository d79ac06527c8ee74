//! Filled outlines with soft edges.
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to the frame before each cast"
)]

use super::colour::{Colour, mix};
use super::noise::floor;
use crate::frame::{FrameViewMut, Row};

/// A point in pixels.
pub(super) type Point = [f32; 2];

/// Fills a convex outline. Its corners come in order, clockwise or counter-clockwise.
pub(super) fn polygon(frame: &mut FrameViewMut<'_>, corners: &[Point], colour: Colour) {
    let top = corners.iter().map(|corner| corner[1]).fold(f32::INFINITY, f32::min);
    let bottom = corners.iter().map(|corner| corner[1]).fold(f32::NEG_INFINITY, f32::max);
    rows(frame, top, bottom, colour, |y| {
        let mut left = Edge { x: f32::INFINITY, slope: 0.0 };
        let mut right = Edge { x: f32::NEG_INFINITY, slope: 0.0 };
        for (index, &[x0, y0]) in corners.iter().enumerate() {
            let [x1, y1] = corners[(index + 1) % corners.len()];
            if (y0 <= y) != (y1 <= y) {
                let slope = (x1 - x0) / (y1 - y0);
                let x = x0 + (y - y0) * slope;
                if x < left.x {
                    left = Edge { x, slope };
                }
                if x > right.x {
                    right = Edge { x, slope };
                }
            }
        }
        (left, right)
    });
}

pub(super) fn ellipse(
    frame: &mut FrameViewMut<'_>,
    [x, y]: Point,
    radius_x: f32,
    radius_y: f32,
    colour: Colour,
) {
    rows(frame, y - radius_y, y + radius_y, colour, |row| {
        // At ±1 the slope would be infinite.
        let t = ((row - y) / radius_y).clamp(-0.999, 0.999);
        let half = radius_x * (1.0 - t * t).sqrt();
        let slope = radius_x * radius_x * t / (radius_y * half);
        (Edge { x: x - half, slope }, Edge { x: x + half, slope })
    });
}

/// Corners of the smallest convex outline around `points` (Andrew's monotone chain).
pub(super) fn hull(points: &mut [Point]) -> Vec<Point> {
    points.sort_by(|a, b| a[0].total_cmp(&b[0]).then(a[1].total_cmp(&b[1])));
    let mut outline: Vec<Point> = Vec::with_capacity(points.len() + 1);
    let turns_right = |outline: &[Point], next: Point| {
        let [.., a, b] = outline else { return false };
        (b[0] - a[0]) * (next[1] - a[1]) - (b[1] - a[1]) * (next[0] - a[0]) <= 0.0
    };
    let add = |outline: &mut Vec<Point>, keep: usize, next: Point| {
        while outline.len() > keep && turns_right(outline, next) {
            outline.pop();
        }
        outline.push(next);
    };
    for &point in points.iter() {
        add(&mut outline, 1, point);
    }
    let lower = outline.len();
    for &point in points.iter().rev().skip(1) {
        add(&mut outline, lower, point);
    }
    outline.pop();
    outline
}

/// Where an outline crosses a row, and how far it moves until the next row.
#[derive(Clone, Copy)]
struct Edge {
    x: f32,
    slope: f32,
}

fn rows(
    frame: &mut FrameViewMut<'_>,
    top: f32,
    bottom: f32,
    colour: Colour,
    crossing: impl Fn(f32) -> (Edge, Edge),
) {
    let height = frame.height() as f32;
    // Written so that NaN and infinity are left out.
    if !(top < height && bottom > 0.0 && bottom - top < 1e6) {
        return;
    }
    let (first, last) = (top.max(0.0) as usize, ceil(bottom.min(height)));
    for row in first..last {
        let (upper, lower) = (top.max(row as f32), bottom.min(row as f32 + 1.0));
        let (left, right) = crossing((upper + lower) / 2.0);
        span(&mut frame.row(row), row.is_multiple_of(2), left, right, lower - upper, colour);
    }
}

/// Draws from `left` to `right` with a ramp of coverage at each end.
fn span(row: &mut Row<'_>, with_chroma: bool, left: Edge, right: Edge, cover: f32, colour: Colour) {
    let width = row.y.len() as f32;
    let (soft_left, soft_right) = (left.slope.abs().max(1.0), right.slope.abs().max(1.0));
    let outer = (left.x - soft_left / 2.0, right.x + soft_right / 2.0);
    let outer = (outer.0.clamp(0.0, width) as usize, ceil(outer.1.clamp(0.0, width)));
    let inner = (left.x + soft_left / 2.0, right.x - soft_right / 2.0);
    let inner = (ceil(inner.0.clamp(0.0, width)), inner.1.clamp(0.0, width) as usize);
    let coverage = |x: usize| {
        let middle = x as f32 + 0.5;
        let from_left = ((middle - left.x) / soft_left + 0.5).clamp(0.0, 1.0);
        let from_right = ((right.x - middle) / soft_right + 0.5).clamp(0.0, 1.0);
        ((from_left + from_right - 1.0).max(0.0) * cover * 256.0) as i32
    };
    let mut blend = |x: usize| {
        let share = coverage(x);
        row.y[x] = mix(row.y[x], colour.y, share);
        if with_chroma && x.is_multiple_of(2) {
            row.u[x / 2] = mix(row.u[x / 2], colour.u, share);
            row.v[x / 2] = mix(row.v[x / 2], colour.v, share);
        }
    };
    if cover < 0.99 || inner.0 >= inner.1 {
        (outer.0..outer.1).for_each(blend);
        return;
    }
    (outer.0..inner.0).for_each(&mut blend);
    (inner.1..outer.1).for_each(&mut blend);
    row.y[inner.0..inner.1].fill(colour.y);
    if with_chroma {
        let chroma = inner.0.div_ceil(2)..inner.1.div_ceil(2);
        row.u[chroma.clone()].fill(colour.u);
        row.v[chroma].fill(colour.v);
    }
}

/// The next higher whole number of a number that is not negative; see [`floor`].
fn ceil(x: f32) -> usize {
    -floor(-x) as usize
}
