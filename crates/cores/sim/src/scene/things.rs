//! Things beside the road. They make speed and turning visible.

use super::colour::{Colour, HAZE};
use super::ground::START_LINE_M;
use super::noise::Random;
use super::shapes::{Point, ellipse, polygon};
use super::view::{View, haze};
use crate::frame::FrameViewMut;
use crate::track::Track;

/// Things that are farther are not drawn.
const HORIZON_M: f32 = 120.0;
/// A thing of fewer pixels cannot be seen.
const LEAST_PIXELS: f32 = 1.5;

const TREES: usize = 90;
const CONE_EVERY_M: f64 = 2.4;

/// Something flat that always faces the camera.
#[derive(Debug)]
pub(super) struct Thing {
    x: f32,
    y: f32,
    height_m: f32,
    shapes: Vec<Shape>,
}

/// A part of a thing. Points are metres from the foot of the thing: to the right, then up.
#[derive(Debug)]
enum Shape {
    Polygon(Vec<Point>, Colour),
    Ellipse { centre: Point, radius: Point, colour: Colour },
}

/// Draws the visible things, the farthest first.
pub(super) fn draw(things: &[Thing], view: &View, frame: &mut FrameViewMut<'_>) {
    let mut visible: Vec<_> = things
        .iter()
        .filter_map(|thing| Some((thing, view.project(thing.x, thing.y, 0.0)?)))
        .filter(|(thing, foot)| {
            foot.depth_m < HORIZON_M && foot.scale * thing.height_m > LEAST_PIXELS
        })
        .collect();
    visible.sort_by(|(_, a), (_, b)| b.depth_m.total_cmp(&a.depth_m));
    for (thing, foot) in visible {
        let air = haze(foot.depth_m, 200.0);
        let place = |[right, up]: Point| [foot.x + right * foot.scale, foot.y - up * foot.scale];
        for shape in &thing.shapes {
            match shape {
                Shape::Polygon(corners, colour) => {
                    let mut pixels = [[0.0; 2]; 8];
                    let count = corners.len().min(pixels.len());
                    for (pixel, corner) in pixels.iter_mut().zip(corners) {
                        *pixel = place(*corner);
                    }
                    polygon(frame, &pixels[..count], colour.mix(HAZE, air));
                }
                Shape::Ellipse { centre, radius, colour } => {
                    ellipse(
                        frame,
                        place(*centre),
                        radius[0] * foot.scale,
                        radius[1] * foot.scale,
                        colour.mix(HAZE, air),
                    );
                }
            }
        }
    }
}

/// Trees, cones and landmarks around `track`.
pub(super) fn around(track: &Track) -> Vec<Thing> {
    let mut random = Random::new(11);
    let mut things = Vec::new();
    trees(track, &mut random, &mut things);
    cones(track, &mut things);
    start_posts(track, &mut things);
    things.push(radio_mast(46.0, 9.0));
    things.push(balloon(30.0, 40.0));
    things.push(barn(2.0, -14.0, Colour::rgb(170, 62, 50)));
    things.push(barn(-30.0, 6.0, Colour::rgb(196, 168, 120)));
    things
}

fn trees(track: &Track, random: &mut Random, things: &mut Vec<Thing>) {
    let clear_m = track.width_m() / 2.0 + 1.1;
    while things.len() < TREES {
        let (x, y) = (random.within(-24.0, 26.0), random.within(-12.0, 25.0));
        if !near_road(track, x, y, clear_m) {
            things.push(tree(x, y, random));
        }
    }
}

/// Whether any part of the road is nearer than `clear_m`.
fn near_road(track: &Track, x: f32, y: f32, clear_m: f64) -> bool {
    track
        .stations()
        .iter()
        .any(|station| (station.x_m - f64::from(x)).hypot(station.y_m - f64::from(y)) < clear_m)
}

fn tree(x: f32, y: f32, random: &mut Random) -> Thing {
    let height = random.within(0.9, 2.1);
    let shade = random.within(-0.5, 0.5);
    #[expect(clippy::cast_possible_truncation, reason = "a few steps of colour")]
    let green = |r: i32, g: i32, b: i32| {
        Colour::rgb(r + (shade * 36.0) as i32, g + (shade * 30.0) as i32, b)
    };
    let trunk = Shape::Polygon(
        vec![
            [-0.035 * height, 0.0],
            [0.035 * height, 0.0],
            [0.02 * height, 0.5 * height],
            [-0.02 * height, 0.5 * height],
        ],
        Colour::rgb(96, 74, 52),
    );
    let mut shapes = vec![trunk];
    if random.within(0.0, 1.0) < 0.4 {
        // A conifer: three skirts, each lit from the left.
        for (bottom, top, half) in [(0.14, 0.58, 0.24), (0.34, 0.8, 0.19), (0.56, 1.0, 0.13)] {
            let (bottom, top, half) = (bottom * height, top * height, half * height);
            shapes.push(Shape::Polygon(
                vec![[-half, bottom], [half, bottom], [0.0, top]],
                green(36, 84, 52),
            ));
            shapes.push(Shape::Polygon(
                vec![[-half, bottom], [-0.1 * half, bottom], [0.0, top]],
                green(54, 108, 62),
            ));
        }
    } else {
        let leaves = [
            ([0.12, 0.52], 0.22, green(44, 92, 42)),
            ([-0.13, 0.56], 0.22, green(56, 108, 46)),
            ([0.02, 0.72], 0.26, green(66, 122, 52)),
            ([-0.07, 0.80], 0.14, green(98, 152, 68)),
        ];
        for (centre, radius, colour) in leaves {
            let centre = [centre[0] * height, centre[1] * height];
            shapes.push(Shape::Ellipse {
                centre,
                radius: [radius * height, radius * height * 0.92],
                colour,
            });
        }
    }
    Thing { x, y, height_m: height, shapes }
}

/// Cones along the outside of both kerbs, where the road bends.
fn cones(track: &Track, things: &mut Vec<Thing>) {
    let aside = track.width_m() / 2.0 + 0.36;
    let mut along = CONE_EVERY_M;
    while along < track.length_m() - 1.0 {
        let station = track.station_at(along);
        let bend = (track.station_at(along + 0.8).heading_rad
            - track.station_at(along - 0.8).heading_rad)
            .sin();
        if bend.abs() > 0.25 {
            let left = -aside * bend.signum();
            let (sin, cos) = station.heading_rad.sin_cos();
            things.push(cone(station.x_m - sin * left, station.y_m + cos * left));
        }
        along += CONE_EVERY_M / 2.0;
    }
}

#[expect(clippy::cast_possible_truncation, reason = "tens of metres")]
fn cone(x: f64, y: f64) -> Thing {
    let orange = Colour::rgb(240, 108, 28);
    let band = |low: f32, high: f32, colour: Colour| {
        let half = |up: f32| 0.075 - 0.06 * up / 0.24;
        Shape::Polygon(
            vec![[-half(low), low], [half(low), low], [half(high), high], [-half(high), high]],
            colour,
        )
    };
    let shapes = vec![
        Shape::Ellipse {
            centre: [0.0, 0.012],
            radius: [0.11, 0.018],
            colour: Colour::rgb(60, 50, 46),
        },
        band(0.01, 0.10, orange),
        band(0.10, 0.15, Colour::rgb(244, 244, 240)),
        band(0.15, 0.24, orange),
    ];
    Thing { x: x as f32, y: y as f32, height_m: 0.24, shapes }
}

/// A flag on a post at each end of the start line.
fn start_posts(track: &Track, things: &mut Vec<Thing>) {
    let start = track.station_at(f64::from(START_LINE_M));
    let (sin, cos) = start.heading_rad.sin_cos();
    for left in [track.width_m() / 2.0 + 0.45, -track.width_m() / 2.0 - 0.45] {
        #[expect(clippy::cast_possible_truncation, reason = "tens of metres")]
        things.push(flag((start.x_m - sin * left) as f32, (start.y_m + cos * left) as f32));
    }
}

fn flag(x: f32, y: f32) -> Thing {
    let square = |column: f32, row: f32, dark: bool| {
        let (left, up) = (0.012 + column * 0.11, 0.68 + row * 0.11);
        let colour = if dark { Colour::rgb(28, 28, 32) } else { Colour::rgb(244, 244, 244) };
        Shape::Polygon(
            vec![[left, up], [left + 0.112, up], [left + 0.112, up + 0.112], [left, up + 0.112]],
            colour,
        )
    };
    let post = Shape::Polygon(
        vec![[-0.015, 0.0], [0.015, 0.0], [0.015, 1.04], [-0.015, 1.04]],
        Colour::rgb(208, 208, 212),
    );
    let mut shapes = vec![post];
    for (column, row) in (0..4u8).flat_map(|column| (0..3u8).map(move |row| (column, row))) {
        shapes.push(square(f32::from(column), f32::from(row), (column + row).is_multiple_of(2)));
    }
    Thing { x, y, height_m: 1.04, shapes }
}

/// A red and white mast east of the course.
fn radio_mast(x: f32, y: f32) -> Thing {
    let height = 9.0;
    let half = |up: f32| 0.28 - 0.22 * up / height;
    let band = |index: u8| {
        let (low, high) = (f32::from(index) * height / 7.0, f32::from(index + 1) * height / 7.0);
        let colour = if index.is_multiple_of(2) {
            Colour::rgb(206, 48, 44)
        } else {
            Colour::rgb(240, 240, 240)
        };
        Shape::Polygon(
            vec![[-half(low), low], [half(low), low], [half(high), high], [-half(high), high]],
            colour,
        )
    };
    let mut shapes: Vec<_> = (0..7).map(band).collect();
    shapes.push(Shape::Polygon(
        vec![[-0.02, height], [0.02, height], [0.02, height + 1.2], [-0.02, height + 1.2]],
        Colour::rgb(90, 90, 96),
    ));
    Thing { x, y, height_m: height, shapes }
}

fn balloon(x: f32, y: f32) -> Thing {
    let (up, radius) = (11.0, 2.2);
    let stripe = |half: f32, colour: Colour| Shape::Ellipse {
        centre: [0.0, up],
        radius: [half, radius * 1.08],
        colour,
    };
    let shapes = vec![
        Shape::Polygon(
            vec![[-1.5, up - 1.4], [1.5, up - 1.4], [0.34, up - 3.4], [-0.34, up - 3.4]],
            Colour::rgb(214, 150, 40),
        ),
        stripe(radius, Colour::rgb(226, 170, 48)),
        stripe(radius * 0.72, Colour::rgb(206, 60, 52)),
        stripe(radius * 0.34, Colour::rgb(236, 190, 70)),
        Shape::Polygon(
            vec![[-0.32, up - 3.7], [0.32, up - 3.7], [0.26, up - 4.2], [-0.26, up - 4.2]],
            Colour::rgb(116, 82, 50),
        ),
    ];
    Thing { x, y, height_m: up + radius, shapes }
}

fn barn(x: f32, y: f32, walls: Colour) -> Thing {
    let roof = Colour::rgb(94, 74, 68);
    let shapes = vec![
        Shape::Polygon(vec![[-2.0, 0.0], [2.0, 0.0], [2.0, 1.3], [-2.0, 1.3]], walls),
        Shape::Polygon(vec![[-2.2, 1.25], [2.2, 1.25], [1.6, 2.3], [-1.6, 2.3]], roof),
        Shape::Polygon(
            vec![[-0.45, 0.0], [0.45, 0.0], [0.45, 0.95], [-0.45, 0.95]],
            Colour::rgb(240, 232, 214),
        ),
        Shape::Polygon(
            vec![[-1.5, 0.5], [-1.0, 0.5], [-1.0, 0.9], [-1.5, 0.9]],
            Colour::rgb(62, 70, 84),
        ),
        Shape::Polygon(
            vec![[1.0, 0.5], [1.5, 0.5], [1.5, 0.9], [1.0, 0.9]],
            Colour::rgb(62, 70, 84),
        ),
    ];
    Thing { x, y, height_m: 2.3, shapes }
}
