//! A grid over the world, which says how far a place is from the road.

use crate::track::Track;

/// Distance of two points of the grid. Between them, distances to the road are interpolated; on a
/// bend of 2 m radius the error is 0.6 mm.
const CELL_M: f32 = 0.1;
/// Distances beyond this are not kept apart.
pub(super) const FAR_M: f32 = 2.0;
/// A lap in the units of [`Node::lap`].
const LAP: f32 = 65_536.0;

/// Distances to the centre line.
#[derive(Debug)]
pub(super) struct Field {
    nodes: Vec<Node>,
    columns: usize,
    rows: usize,
    origin: [f32; 2],
    length_m: f32,
}

#[derive(Debug, Clone, Copy)]
struct Node {
    /// To the left of the centre line; ±[`FAR_M`] where the road is far.
    left_m: f32,
    /// Way from the start as a share of the lap, in 1/65536.
    lap: u16,
}

/// A place near the road.
#[derive(Debug, Clone, Copy)]
pub(super) struct Near {
    /// To the left of the centre line, negative to the right.
    pub(super) left_m: f32,
    /// Along the centre line, from the start.
    pub(super) along_m: f32,
}

impl Field {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a course is some hundred metres wide and not negative in size"
    )]
    pub(super) fn new(track: &Track) -> Self {
        let stations = track.stations();
        let bound = |pick: fn(&crate::track::Station) -> f64, better: fn(f64, f64) -> f64| {
            stations.iter().map(pick).fold(pick(&stations[0]), better) as f32
        };
        let origin = [
            bound(|s| s.x_m, f64::min) - FAR_M - CELL_M,
            bound(|s| s.y_m, f64::min) - FAR_M - CELL_M,
        ];
        let end = [
            bound(|s| s.x_m, f64::max) + FAR_M + CELL_M,
            bound(|s| s.y_m, f64::max) + FAR_M + CELL_M,
        ];
        let columns = ((end[0] - origin[0]) / CELL_M) as usize + 2;
        let rows = ((end[1] - origin[1]) / CELL_M) as usize + 2;
        let nearest = nearest_stations(track, origin, columns, rows);
        let nodes = nearest.iter().enumerate().map(|(index, near)| {
            let Some((_, station)) = *near else { return Node { left_m: FAR_M, lap: 0 } };
            let (x, y) = node_place(origin, index % columns, index / columns);
            let place = track.place_near(station, f64::from(x), f64::from(y));
            let share = place.along_m / track.length_m();
            Node {
                left_m: (place.left_m as f32).clamp(-FAR_M, FAR_M),
                lap: (share * f64::from(LAP)) as u32 as u16,
            }
        });
        Self { nodes: nodes.collect(), columns, rows, origin, length_m: track.length_m() as f32 }
    }

    /// `None` if the place is far from the road.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked against the borders of the grid"
    )]
    pub(super) fn at(&self, x: f32, y: f32) -> Option<Near> {
        let (gx, gy) =
            ((x - self.origin[0]) * (1.0 / CELL_M), (y - self.origin[1]) * (1.0 / CELL_M));
        // Written so that NaN is outside.
        if !(gx >= 0.0
            && gy >= 0.0
            && gx < (self.columns - 1) as f32
            && gy < (self.rows - 1) as f32)
        {
            return None;
        }
        let (column, row) = (gx as usize, gy as usize);
        let (fx, fy) = (gx - column as f32, gy - row as f32);
        let index = row * self.columns + column;
        let [a, b] = [self.nodes[index], self.nodes[index + 1]];
        let [c, d] = [self.nodes[index + self.columns], self.nodes[index + self.columns + 1]];
        // Half way between two parts of the road the sign flips, so nothing may be interpolated.
        if [a, b, c, d].iter().any(|node| node.left_m.abs() >= FAR_M) {
            return None;
        }
        let bilinear = |a: f32, b: f32, c: f32, d: f32| {
            let upper = a + (b - a) * fx;
            upper + (c + (d - c) * fx - upper) * fy
        };
        // Differences modulo a lap, so that the value does not jump at the start line.
        let beyond_a = |node: Node| f32::from(node.lap.wrapping_sub(a.lap) as i16);
        let lap = f32::from(a.lap) + bilinear(0.0, beyond_a(b), beyond_a(c), beyond_a(d));
        Some(Near {
            left_m: bilinear(a.left_m, b.left_m, c.left_m, d.left_m),
            along_m: lap * (1.0 / LAP) * self.length_m,
        })
    }
}

/// For every point of the grid, the square of the distance to the nearest station and the index of
/// that station, if it is within [`FAR_M`].
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the grid holds every station with a margin"
)]
fn nearest_stations(
    track: &Track,
    origin: [f32; 2],
    columns: usize,
    rows: usize,
) -> Vec<Option<(f32, usize)>> {
    let mut nearest: Vec<Option<(f32, usize)>> = vec![None; columns * rows];
    let cells = |from: f32, origin: f32| ((from - origin) / CELL_M).max(0.0) as usize;
    for (index, station) in track.stations().iter().enumerate() {
        let (x, y) = (station.x_m as f32, station.y_m as f32);
        for row in cells(y - FAR_M, origin[1])..=cells(y + FAR_M, origin[1]).min(rows - 1) {
            for column in cells(x - FAR_M, origin[0])..=cells(x + FAR_M, origin[0]).min(columns - 1)
            {
                let (node_x, node_y) = node_place(origin, column, row);
                let square = (node_x - x).powi(2) + (node_y - y).powi(2);
                let known = &mut nearest[row * columns + column];
                if square < FAR_M * FAR_M && known.is_none_or(|(known, _)| square < known) {
                    *known = Some((square, index));
                }
            }
        }
    }
    nearest
}

fn node_place(origin: [f32; 2], column: usize, row: usize) -> (f32, f32) {
    (origin[0] + column as f32 * CELL_M, origin[1] + row as f32 * CELL_M)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(8))]
        #[test]
        fn the_grid_agrees_with_the_centre_line(
            places in prop::collection::vec((0.0f64..1.0, -1.2f64..1.2), 200),
        ) {
            let track = Track::built_in();
            let field = Field::new(&track);
            for (share, left) in places {
                let station = track.station_at(share * track.length_m());
                let (sin, cos) = station.heading_rad.sin_cos();
                let (x, y) = (station.x_m - sin * left, station.y_m + cos * left);
                #[expect(clippy::cast_possible_truncation, reason = "tens of metres")]
                let near = field.at(x as f32, y as f32).unwrap();
                prop_assert!((f64::from(near.left_m) - left).abs() < 0.015, "{near:?} {left}");
                let ahead = f64::from(near.along_m) - share * track.length_m();
                let lap = ahead.rem_euclid(track.length_m());
                prop_assert!(lap.min(track.length_m() - lap) < 0.08, "{near:?}");
            }
        }
    }

    #[test]
    fn places_outside_the_grid_are_far_from_the_road() {
        let field = Field::new(&Track::built_in());
        for place in [(1e9, 0.0), (-1e9, 3.0), (0.0, f32::NAN), (f32::INFINITY, 0.0), (0.0, 4.0)] {
            assert!(field.at(place.0, place.1).is_none());
        }
    }
}
