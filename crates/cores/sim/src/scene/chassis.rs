//! The car's own front as its camera sees it: the bonnet and the front wheels, which turn.

use super::colour::Colour;
use super::shapes::{Point, hull, polygon};
use super::view::{View, within};
use crate::frame::FrameViewMut;
use crate::vehicle::Pose;
use std::f32::consts::TAU;

/// Distance of the front axle from the rear axle: the default vehicle's wheelbase.
const FRONT_AXLE_M: f32 = 0.33;
const HALF_TRACK_M: f32 = 0.135;
const WHEEL_RADIUS_M: f32 = 0.052;
const HALF_WHEEL_WIDTH_M: f32 = 0.025;
/// The largest angle at which wheels are drawn: farther, they would reach into the bonnet.
const MAX_STEER_RAD: f64 = 0.7;
/// Corners of a wheel: enough to make it look round.
const CORNERS: usize = 28;

const BODY: Colour = Colour::rgb(24, 92, 168);
const BODY_LIGHT: Colour = Colour::rgb(48, 122, 200);
const BODY_DARK: Colour = Colour::rgb(16, 66, 126);
const STRIPE: Colour = Colour::rgb(240, 240, 236);
const TYRE: Colour = Colour::rgb(40, 40, 44);
const TYRE_SIDE: Colour = Colour::rgb(28, 28, 31);
const RIM: Colour = Colour::rgb(186, 190, 198);
const HUB: Colour = Colour::rgb(96, 100, 108);
const ARM: Colour = Colour::rgb(58, 60, 66);

/// Draws the car's front over the picture.
pub(super) fn draw(pose: &Pose, view: &View, frame: &mut FrameViewMut<'_>) {
    #[expect(clippy::cast_possible_truncation, reason = "an angle")]
    let steer = within(pose.steer_rad, MAX_STEER_RAD) as f32;
    for side in [1.0, -1.0] {
        let (inner, outer) = (0.03 * side, (HALF_TRACK_M - HALF_WHEEL_WIDTH_M) * side);
        outline(
            view,
            frame,
            ARM,
            &[
                [0.315, inner, 0.056],
                [0.345, inner, 0.056],
                [0.338, outer, 0.052],
                [0.322, outer, 0.052],
            ],
        );
        wheel(view, frame, steer, side);
    }
    body(view, frame);
}

fn body(view: &View, frame: &mut FrameViewMut<'_>) {
    // The rear end lies so far back that it is below the picture.
    outline(
        view,
        frame,
        BODY_DARK,
        &[
            [0.22, 0.098, 0.075],
            [0.36, 0.062, 0.068],
            [0.405, 0.03, 0.05],
            [0.405, -0.03, 0.05],
            [0.36, -0.062, 0.068],
            [0.22, -0.098, 0.075],
        ],
    );
    outline(
        view,
        frame,
        BODY,
        &[
            [0.2, 0.085, 0.092],
            [0.34, 0.056, 0.084],
            [0.393, 0.024, 0.064],
            [0.393, -0.024, 0.064],
            [0.34, -0.056, 0.084],
            [0.2, -0.085, 0.092],
        ],
    );
    outline(
        view,
        frame,
        BODY_LIGHT,
        &[
            [0.2, 0.05, 0.1],
            [0.33, 0.034, 0.092],
            [0.376, 0.016, 0.076],
            [0.376, -0.016, 0.076],
            [0.33, -0.034, 0.092],
            [0.2, -0.05, 0.1],
        ],
    );
    outline(
        view,
        frame,
        STRIPE,
        &[[0.2, 0.014, 0.102], [0.378, 0.008, 0.077], [0.378, -0.008, 0.077], [0.2, -0.014, 0.102]],
    );
}

fn wheel(view: &View, frame: &mut FrameViewMut<'_>, steer: f32, side: f32) {
    let (sin, cos) = steer.sin_cos();
    // A point of the wheel: at an angle around the axle, `radius` from it, and `aside` from the
    // middle of the wheel towards the outside.
    let point = |corner: usize, radius: f32, aside: f32| {
        let angle = corner as f32 / CORNERS as f32 * TAU;
        let (ahead, left) = (radius * angle.cos(), side * aside);
        [
            FRONT_AXLE_M + ahead * cos - left * sin,
            side * HALF_TRACK_M + ahead * sin + left * cos,
            WHEEL_RADIUS_M + radius * angle.sin(),
        ]
    };
    let disc = |radius: f32, aside: f32| -> Vec<[f32; 3]> {
        (0..CORNERS).map(|corner| point(corner, radius, aside)).collect()
    };
    let inside = -HALF_WHEEL_WIDTH_M;
    let tread: Vec<_> = [disc(WHEEL_RADIUS_M, inside), disc(WHEEL_RADIUS_M, -inside)].concat();
    let Some(mut tread) = project(view, &tread) else { return };
    polygon(frame, &hull(&mut tread), TYRE);
    for (radius, colour) in [(0.97, TYRE_SIDE), (0.62, RIM), (0.45, HUB), (0.14, RIM)] {
        outline(view, frame, colour, &disc(WHEEL_RADIUS_M * radius, inside));
    }
}

/// Fills a convex outline. Its corners are metres ahead of the rear axle, to the left, and up.
fn outline(view: &View, frame: &mut FrameViewMut<'_>, colour: Colour, corners: &[[f32; 3]]) {
    if let Some(pixels) = project(view, corners) {
        polygon(frame, &pixels, colour);
    }
}

fn project(view: &View, corners: &[[f32; 3]]) -> Option<Vec<Point>> {
    corners
        .iter()
        .map(|&[ahead, left, up]| {
            view.project_on_car(ahead, left, up).map(|pixel| [pixel.x, pixel.y])
        })
        .collect()
}
