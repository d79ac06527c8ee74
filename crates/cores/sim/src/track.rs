//! A closed road course.
//!
//! **Every course begins at x = 0, y = 0 and heads east there**, where a new
//! [`Vehicle`](crate::vehicle::Vehicle) stands.

/// Distance of two stored points of the centre line. A chord of this length strays less than 0.1 mm
/// from a bend of 1 m radius.
const STEP_M: f64 = 0.025;
/// Width of the built-in course without kerbs: a two-lane road of 7 m at 1:4. It leaves room for a
/// 1/10 car at 6 m/s.
const LOOP_WIDTH_M: f64 = 1.8;
/// The built-in course runs through these points, counter-clockwise, in metres. No bend has a
/// radius below 1.5 m.
const LOOP: [[f64; 2]; 15] = [
    [0.0, 0.0],
    [6.0, 0.0],
    [11.5, 0.6],
    [14.8, 4.0],
    [13.6, 8.3],
    [9.2, 9.6],
    [5.2, 7.6],
    [1.2, 6.6],
    [-1.8, 9.4],
    [-4.2, 12.8],
    [-8.8, 13.4],
    [-12.2, 10.2],
    [-12.6, 5.4],
    [-10.4, 1.2],
    [-6.0, 0.0],
];

/// A closed road: a smooth centre line and a width.
#[derive(Debug, Clone)]
pub struct Track {
    points: Vec<Station>,
    length_m: f64,
    width_m: f64,
}

/// A point of the centre line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Station {
    /// East of the start.
    pub x_m: f64,
    /// North of the start.
    pub y_m: f64,
    /// Direction of the road, counter-clockwise from east.
    pub heading_rad: f64,
}

/// A place, measured along the road.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Place {
    /// Along the centre line from the start, `0..length`.
    pub along_m: f64,
    /// To the left of the centre line, negative to the right.
    pub left_m: f64,
}

impl Track {
    /// The built-in course: 73 m with bends to both sides.
    #[must_use]
    pub fn built_in() -> Self {
        Self::through(&LOOP, LOOP_WIDTH_M)
    }

    /// A Catmull-Rom spline through `corners`, sampled at equal distances.
    fn through(corners: &[[f64; 2]], width_m: f64) -> Self {
        let curve = Curve::new(corners);
        let length_m = curve.length_m();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a course has a few thousand points"
        )]
        let count = (length_m / STEP_M).round() as usize;
        let points =
            (0..count).map(|index| curve.station(length_m * index as f64 / count as f64)).collect();
        Self { points, length_m, width_m }
    }

    /// Length of the centre line.
    #[must_use]
    pub fn length_m(&self) -> f64 {
        self.length_m
    }

    /// Width of the asphalt, without kerbs.
    #[must_use]
    pub fn width_m(&self) -> f64 {
        self.width_m
    }

    /// Points of the centre line at equal distances, the start first.
    #[must_use]
    pub fn stations(&self) -> &[Station] {
        &self.points
    }

    /// The point of the centre line `along_m` metres after the start. A way longer than a lap goes
    /// round again; NaN is the start.
    #[must_use]
    pub fn station_at(&self, along_m: f64) -> Station {
        let share = (along_m / self.length_m).rem_euclid(1.0);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a share of the number of points; NaN becomes 0"
        )]
        let index = (share * self.points.len() as f64) as usize;
        self.points[index.min(self.points.len() - 1)]
    }

    /// Measures a place from the nearest point of the centre line.
    #[must_use]
    pub fn place_of(&self, x_m: f64, y_m: f64) -> Place {
        let distance =
            |station: &Station| (station.x_m - x_m).powi(2) + (station.y_m - y_m).powi(2);
        let nearest = self
            .points
            .iter()
            .enumerate()
            .min_by(|(_, a), (_, b)| distance(a).total_cmp(&distance(b)));
        nearest.map_or(Place { along_m: 0.0, left_m: 0.0 }, |(index, _)| {
            self.place_near(index, x_m, y_m)
        })
    }

    /// The same for a place whose nearest station is known.
    pub(crate) fn place_near(&self, index: usize, x_m: f64, y_m: f64) -> Place {
        let station = self.points[index];
        let (sin, cos) = station.heading_rad.sin_cos();
        let (dx, dy) = (x_m - station.x_m, y_m - station.y_m);
        let along_m = index as f64 * self.length_m / self.points.len() as f64 + dx * cos + dy * sin;
        Place { along_m: along_m.rem_euclid(self.length_m), left_m: dy * cos - dx * sin }
    }
}

/// A spline with a table from length to parameter.
struct Curve<'a> {
    corners: &'a [[f64; 2]],
    /// Length from the start to each step; there are [`Self::PER_CORNER`] steps from corner to
    /// corner.
    lengths: Vec<f64>,
}

impl<'a> Curve<'a> {
    const PER_CORNER: usize = 400;

    fn new(corners: &'a [[f64; 2]]) -> Self {
        let mut curve = Self { corners, lengths: vec![0.0] };
        let mut total = 0.0;
        let (mut last, _) = curve.at(0.0);
        for step in 1..=corners.len() * Self::PER_CORNER {
            let (point, _) = curve.at(step as f64 / Self::PER_CORNER as f64);
            total += (point[0] - last[0]).hypot(point[1] - last[1]);
            curve.lengths.push(total);
            last = point;
        }
        curve
    }

    fn length_m(&self) -> f64 {
        self.lengths.last().copied().unwrap_or(0.0)
    }

    fn station(&self, along_m: f64) -> Station {
        let after = self
            .lengths
            .partition_point(|&length| length <= along_m)
            .clamp(1, self.lengths.len() - 1);
        let (from, to) = (self.lengths[after - 1], self.lengths[after]);
        let steps = (after - 1) as f64 + (along_m - from) / (to - from);
        let (point, tangent) = self.at(steps / Self::PER_CORNER as f64);
        Station { x_m: point[0], y_m: point[1], heading_rad: tangent[1].atan2(tangent[0]) }
    }

    /// Point and tangent. The parameter grows by one from corner to corner.
    fn at(&self, parameter: f64) -> ([f64; 2], [f64; 2]) {
        let count = self.corners.len();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "not negative and at most the number of corners"
        )]
        let corner = parameter as usize;
        let t = parameter - corner as f64;
        let [a, b, c, d] =
            [count - 1, 0, 1, 2].map(|offset| self.corners[(corner + offset) % count]);
        let mut point = [0.0; 2];
        let mut tangent = [0.0; 2];
        for axis in 0..2 {
            let (a, b, c, d) = (a[axis], b[axis], c[axis], d[axis]);
            let (k1, k2, k3) = (c - a, 2.0 * a - 5.0 * b + 4.0 * c - d, 3.0 * (b - c) + d - a);
            point[axis] = b + 0.5 * t * (k1 + t * (k2 + t * k3));
            tangent[axis] = 0.5 * (k1 + t * (2.0 * k2 + t * 3.0 * k3));
        }
        (point, tangent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_course_starts_where_a_new_vehicle_stands() {
        let start = Track::built_in().stations()[0];
        assert!(
            start.x_m.abs() < 1e-9 && start.y_m.abs() < 1e-9 && start.heading_rad.abs() < 1e-9,
            "{start:?}"
        );
    }

    #[test]
    fn the_course_is_closed_smooth_and_can_be_driven() {
        let track = Track::built_in();
        assert!((60.0..90.0).contains(&track.length_m()), "{}", track.length_m());
        let stations = track.stations();
        for (index, from) in stations.iter().enumerate() {
            let to = stations[(index + 1) % stations.len()];
            let distance = (to.x_m - from.x_m).hypot(to.y_m - from.y_m);
            assert!((distance - STEP_M).abs() < 1e-3, "gap of {distance} m at {from:?}");
            let turn = (to.heading_rad - from.heading_rad).sin().asin();
            // The default vehicle turns on 0.74 m (wheelbase 0.33 m, 24°).
            assert!(turn.abs() < distance / 1.5, "bend of {} m at {from:?}", distance / turn);
        }
    }

    #[test]
    fn two_parts_of_the_road_never_come_close() {
        let track = Track::built_in();
        let stations = track.stations();
        for (i, a) in stations.iter().enumerate().step_by(10) {
            for (j, b) in stations.iter().enumerate().step_by(10) {
                let apart = i.abs_diff(j).min(stations.len() - i.abs_diff(j)) as f64 * STEP_M;
                let distance = (a.x_m - b.x_m).hypot(a.y_m - b.y_m);
                assert!(apart < 8.0 || distance > 4.2, "{a:?} and {b:?} are {distance} m apart");
            }
        }
    }

    proptest! {
        #[test]
        fn a_place_beside_the_road_is_found_again(along in 0.0f64..70.0, left in -1.0f64..1.0) {
            let track = Track::built_in();
            let station = track.station_at(along);
            let (sin, cos) = station.heading_rad.sin_cos();
            let place = track.place_of(station.x_m - sin * left, station.y_m + cos * left);
            prop_assert!((place.left_m - left).abs() < 0.01, "{place:?}");
            let lap = (place.along_m - along).rem_euclid(track.length_m());
            prop_assert!(lap.min(track.length_m() - lap) < 0.06, "{place:?}");
        }
    }
}
