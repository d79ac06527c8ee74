use super::*;
use crate::frame::tests::Picture;
use proptest::prelude::*;
use std::sync::LazyLock;

static SCENE: LazyLock<Scene> = LazyLock::new(|| Scene::new(&Track::built_in()));
const WIDTH: usize = 640;
const HEIGHT: usize = 360;

#[test]
fn the_same_pose_gives_the_same_picture_whatever_was_in_the_frame() {
    let mut first = picture(&Pose::default());
    let mut second = Picture::new(WIDTH, HEIGHT);
    second.y.fill(77);
    second.u.fill(3);
    second.v.fill(250);
    Scene::new(&Track::built_in()).render(&Pose::default(), &mut second.view());
    assert!(first == second);
    SCENE.render(&Pose { x_m: 0.05, ..Pose::default() }, &mut first.view());
    assert!(first != second, "5 cm ahead nothing has changed");
}

#[test]
fn a_landmark_moves_left_when_the_car_turns_right() {
    let heading = |degrees: f64| Pose { heading_rad: degrees.to_radians(), ..Pose::default() };
    let [left, ahead, right] =
        [5.0, 0.0, -5.0].map(|degrees| mast_column(&picture(&heading(degrees))));
    // 5° are 36 of 640 pixels near the middle of a field of 75°.
    assert!(
        (30.0..46.0).contains(&(left - ahead)) && (30.0..46.0).contains(&(ahead - right)),
        "{left} {ahead} {right}"
    );
}

#[test]
fn a_landmark_ahead_on_the_left_moves_outward_when_the_car_approaches() {
    let near = mast_column(&picture(&Pose { x_m: 10.0, ..Pose::default() }));
    assert!(near < mast_column(&picture(&Pose::default())) - 12.0);
}

#[test]
fn the_centre_line_is_ahead_on_the_road_and_gone_on_the_grass() {
    let white = |pose: &Pose| {
        let picture = picture(pose);
        let rows = HEIGHT / 2..HEIGHT * 3 / 4;
        let around =
            |row: usize| &picture.y[row * WIDTH + WIDTH / 2 - 40..row * WIDTH + WIDTH / 2 + 40];
        rows.flat_map(around).filter(|&&luma| luma > 190).count()
    };
    assert!(white(&Pose { x_m: 4.0, ..Pose::default() }) > 200);
    assert_eq!(white(&Pose { y_m: 4.0, heading_rad: 1.6, ..Pose::default() }), 0);
}

#[test]
fn steering_left_turns_the_front_wheels_and_nothing_above_them() {
    let (straight, left) =
        (picture(&Pose::default()), picture(&Pose { steer_rad: 0.4, ..Pose::default() }));
    let half = WIDTH * HEIGHT / 2;
    assert!(straight.y[..half] == left.y[..half]);
    let changed = straight.y[half..].iter().zip(&left.y[half..]).filter(|(a, b)| a != b).count();
    assert!(changed > 800, "{changed} pixels");
}

#[test]
fn every_side_of_the_course_shows_sky_above_and_ground_below() {
    let track = Track::built_in();
    for along in 0..70 {
        let station = track.station_at(f64::from(along));
        let pose = Pose {
            x_m: station.x_m,
            y_m: station.y_m,
            heading_rad: station.heading_rad,
            ..Pose::default()
        };
        let picture = picture(&pose);
        let asphalt = &picture.y[HEIGHT * 7 / 10 * WIDTH..][WIDTH / 3..WIDTH * 5 / 12];
        let dark = asphalt.iter().filter(|&&luma| luma < 120).count();
        assert!(dark > asphalt.len() / 2, "no road at {along} m: {asphalt:?}");
        let blue = picture.u[..WIDTH / 2].iter().filter(|&&u| u >= 125).count();
        assert!(blue > WIDTH / 4, "no sky at {along} m");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_pose_and_any_size_can_be_drawn_within_the_limits_of_video(
        x_m: f64, y_m: f64, heading_rad: f64, speed_m_s: f64, steer_rad: f64,
        width in 1usize..200, height in 1usize..120,
    ) {
        let mut picture = Picture::new(width * 2, height * 2);
        SCENE.render(&Pose { x_m, y_m, heading_rad, speed_m_s, steer_rad }, &mut picture.view());
        prop_assert!(picture.y.iter().all(|luma| (16..=235).contains(luma)));
        prop_assert!(picture.u.iter().chain(&picture.v).all(|chroma| (16..=240).contains(chroma)));
    }

    #[test]
    fn any_place_near_the_course_can_be_drawn(
        x_m in -40.0f64..40.0, y_m in -40.0f64..40.0,
        heading_rad in -4.0f64..4.0, steer_rad in -0.6f64..0.6,
    ) {
        let picture = picture(&Pose { x_m, y_m, heading_rad, steer_rad, speed_m_s: 0.0 });
        prop_assert!(picture.y.iter().all(|luma| (16..=235).contains(luma)));
    }
}

fn picture(pose: &Pose) -> Picture {
    let mut picture = Picture::new(WIDTH, HEIGHT);
    SCENE.render(pose, &mut picture.view());
    picture
}

/// Mean column of the red pixels above the horizon: the radio mast.
fn mast_column(picture: &Picture) -> f64 {
    let half = WIDTH / 2;
    let red = (0..HEIGHT / 2 * 3 / 8 * half)
        .filter(|&index| picture.v[index] > 145)
        .map(|index| index % half * 2);
    let (sum, count) = red.fold((0, 0), |(sum, count), column| (sum + column, count + 1));
    assert!(count > 5, "the mast is not in the picture");
    sum as f64 / f64::from(count)
}
