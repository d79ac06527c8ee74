//! The camera: from the world to pixels.

use crate::vehicle::Pose;
use std::f64::consts::TAU;

/// Above ground: on a mast behind the battery, where FPV cars carry it.
const CAMERA_HEIGHT_M: f32 = 0.21;
/// Ahead of the rear axle.
const CAMERA_AHEAD_M: f32 = 0.06;
/// Downward, in radians.
const PITCH: f32 = 0.10;
/// tan of half the horizontal field of view, 75°.
const TAN_HALF_FOV: f32 = 0.767_327;
/// A car that is farther from the origin is drawn as if it were here, where single precision still
/// resolves centimetres.
const FARTHEST_M: f64 = 1e5;
/// Points that are nearer to the camera are not drawn.
pub(super) const NEAR_M: f32 = 0.04;

/// Pose and lens of the camera for one frame.
#[derive(Debug, Clone, Copy)]
pub(super) struct View {
    pub(super) width: usize,
    pub(super) height: usize,
    /// Focal length in pixels.
    pub(super) focal: f32,
    pub(super) centre_x: f32,
    centre_y: f32,
    pub(super) x: f32,
    pub(super) y: f32,
    pub(super) heading: f32,
    /// Ahead in the world: cos and sin of the heading.
    pub(super) ahead: [f32; 2],
    sin_pitch: f32,
    cos_pitch: f32,
}

/// The ground that one row shows. Places and steps are metres in the world.
#[derive(Debug, Clone, Copy)]
pub(super) struct GroundRow {
    /// Place of the row's left end.
    start: [f32; 2],
    /// Step from one pixel to the next.
    step: [f32; 2],
    /// Length of `step`.
    pub(super) across_m: f32,
    /// Distance to the next row.
    pub(super) along_m: f32,
    /// Distance from the camera over ground.
    pub(super) ahead_m: f32,
}

/// The pixel at which a point appears.
#[derive(Debug, Clone, Copy)]
pub(super) struct Projected {
    pub(super) x: f32,
    pub(super) y: f32,
    /// Pixels for one metre there.
    pub(super) scale: f32,
    /// Distance along the optical axis in metres.
    pub(super) depth_m: f32,
}

impl GroundRow {
    /// The place that the pixel in `column` shows.
    pub(super) fn place(&self, column: usize) -> [f32; 2] {
        [self.start[0] + self.step[0] * column as f32, self.start[1] + self.step[1] * column as f32]
    }
}

impl View {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a world of some kilometres needs no more than single precision"
    )]
    pub(super) fn new(pose: &Pose, width: usize, height: usize) -> Self {
        let heading = within(pose.heading_rad % TAU, TAU) as f32;
        let (sin, cos) = heading.sin_cos();
        let (sin_pitch, cos_pitch) = PITCH.sin_cos();
        let half_width = width as f32 / 2.0;
        Self {
            width,
            height,
            focal: half_width / TAN_HALF_FOV,
            centre_x: half_width,
            centre_y: height as f32 / 2.0,
            x: within(pose.x_m, FARTHEST_M) as f32 + cos * CAMERA_AHEAD_M,
            y: within(pose.y_m, FARTHEST_M) as f32 + sin * CAMERA_AHEAD_M,
            heading,
            ahead: [cos, sin],
            sin_pitch,
            cos_pitch,
        }
    }

    /// Row of the horizon.
    pub(super) fn horizon(&self) -> f32 {
        self.centre_y - self.focal * self.sin_pitch / self.cos_pitch
    }

    /// Pixels for the tangent of an elevation straight ahead at the horizon.
    pub(super) fn focal_at_horizon(&self) -> f32 {
        self.focal / self.cos_pitch
    }

    /// `None` at and above the horizon.
    pub(super) fn ground_row(&self, row: usize) -> Option<GroundRow> {
        let middle = row as f32 + 0.5;
        let (depth, ahead_m) = self.meets_ground(middle)?;
        let (_, nearer) = self.meets_ground(middle + 1.0)?;
        let across_m = depth / self.focal;
        let step = [self.ahead[1] * across_m, -self.ahead[0] * across_m];
        let half = self.centre_x - 0.5;
        let start = [
            self.x + self.ahead[0] * ahead_m - step[0] * half,
            self.y + self.ahead[1] * ahead_m - step[1] * half,
        ];
        Some(GroundRow { start, step, across_m, along_m: ahead_m - nearer, ahead_m })
    }

    /// Where the ray through row `y` meets the ground: depth along the optical axis, and distance
    /// over ground.
    fn meets_ground(&self, y: f32) -> Option<(f32, f32)> {
        let down = (y - self.centre_y) / self.focal;
        let sink = self.sin_pitch + down * self.cos_pitch;
        (sink > 1e-4).then(|| {
            let depth = CAMERA_HEIGHT_M / sink;
            (depth, depth * (self.cos_pitch - down * self.sin_pitch))
        })
    }

    /// Projects a point of the world; `None` if it is behind the camera or too near.
    pub(super) fn project(&self, x: f32, y: f32, up_m: f32) -> Option<Projected> {
        let (dx, dy) = (x - self.x, y - self.y);
        self.project_relative(
            dx * self.ahead[0] + dy * self.ahead[1],
            dy * self.ahead[0] - dx * self.ahead[1],
            up_m,
        )
    }

    /// Projects a point of the car, measured from the middle of the rear axle.
    pub(super) fn project_on_car(&self, ahead_m: f32, left_m: f32, up_m: f32) -> Option<Projected> {
        self.project_relative(ahead_m - CAMERA_AHEAD_M, left_m, up_m)
    }

    fn project_relative(&self, ahead_m: f32, left_m: f32, up_m: f32) -> Option<Projected> {
        let up_m = up_m - CAMERA_HEIGHT_M;
        let depth_m = ahead_m * self.cos_pitch - up_m * self.sin_pitch;
        let down_m = -ahead_m * self.sin_pitch - up_m * self.cos_pitch;
        (depth_m > NEAR_M).then(|| {
            let scale = self.focal / depth_m;
            Projected {
                x: self.centre_x - left_m * scale,
                y: self.centre_y + down_m * scale,
                scale,
                depth_m,
            }
        })
    }
}

/// Clamps to `±limit`; NaN becomes 0.
pub(super) fn within(value: f64, limit: f64) -> f64 {
    if value.is_nan() { 0.0 } else { value.clamp(-limit, limit) }
}

/// How much the air hides at a distance: from 0 nearby to `most` (up to 256) at infinity.
#[expect(clippy::cast_possible_truncation, reason = "0…256")]
pub(super) fn haze(distance_m: f32, most: f32) -> i32 {
    /// Shorter than in the real world, as everything else is, so that depth is visible on a course
    /// of 75 m.
    const SCALE_M: f32 = 60.0;
    (most * (1.0 - (-distance_m / SCALE_M).exp())) as i32
}
