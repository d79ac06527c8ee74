//! The real libcamera with its virtual camera, whose bars move by one pixel with every frame.
//! `ci/camera` runs these tests.
#![cfg(feature = "libcamera")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "tests")]

use rccar_media::camera::libcamera::{LibcameraCamera, Listed, Settings, list};
use rccar_media::camera::{Camera, CameraError};
use rccar_media::clock;
use rccar_media::encoder::openh264::OpenH264;
use rccar_media::frame::{I420Frame, VideoFormat};
use rccar_media::pipeline;
use rccar_media::raw::Rotation;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

const FPS: u32 = 30;
/// How long anything may take on a machine that does other work as well.
const PATIENCE: Duration = Duration::from_secs(20);

#[test]
fn the_virtual_camera_is_listed_with_its_sizes() {
    let _alone = alone();
    let (cameras, version) = free_list();
    let [listed] = cameras.as_slice() else { panic!("{cameras:?}") };
    assert_eq!(listed.camera.to_string(), "rccar virtual camera (Virtual0)");
    assert_eq!(listed.formats, ["NV12: 320x180 to 1280x720"]);
    assert!(version.contains("0."), "{version}");
}

#[test]
fn frames_come_in_order_none_twice_and_at_the_wanted_rate() {
    let _alone = alone();
    let mut camera = open(640, 360, Rotation::None, "first");
    let mut frame = black(&camera);
    let (mut last, first_at) = (first(&mut camera, &mut frame), clock::now());
    let mut row = row(&frame);
    // The first few come as fast as the camera can.
    let count = 60;
    let mut steps = 0;
    for _ in 0..count {
        let captured_at = next(&mut camera, &mut frame);
        assert!(captured_at > last && captured_at <= clock::now(), "{last:?} {captured_at:?}");
        last = captured_at;
        let now = self::row(&frame);
        let step = (1..300).find(|&step| is_moved_by(step, &row, &now));
        steps += step.unwrap_or_else(|| panic!("the bars did not move on:\n{row:?}\n{now:?}"));
        row = now;
    }
    let fastest = Duration::from_secs(1) * (count - 8) / FPS;
    assert!(
        clock::now().since(first_at) >= fastest,
        "{count} frames within {:?}",
        clock::now().since(first_at)
    );
    assert!(steps >= count as usize);
}

#[test]
fn the_picture_goes_through_the_encoder_and_carries_the_sensors_time() {
    let _alone = alone();
    let camera = open(640, 360, Rotation::None, "Virtual0");
    let encoder = OpenH264::new(camera.format(), 1000).unwrap();
    let (handle, mut units) = pipeline::start(Box::new(camera), Box::new(encoder)).unwrap();
    handle.set_running(true);
    let mut seen = Vec::new();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    while seen.len() < 60 {
        let next = async { tokio::time::timeout(PATIENCE, units.recv()).await };
        let unit = runtime.block_on(next).unwrap().unwrap();
        assert!(unit.captured_at < unit.encoded_at);
        seen.push(unit);
    }
    assert!(
        seen[0].keyframe
            && seen
                .iter()
                .skip(1)
                .all(|unit| !unit.keyframe || unit.captured_at > seen[0].captured_at)
    );
    assert!(seen.windows(2).all(|pair| pair[0].captured_at < pair[1].captured_at));
    let mut ages: Vec<Duration> =
        seen.iter().map(|unit| unit.encoded_at.since(unit.captured_at)).collect();
    ages.sort();
    println!("sensor to access unit: median {:?}, 95 % {:?}", ages[30], ages[57]);
}

#[test]
fn a_picture_that_is_upside_down_is_turned() {
    let _alone = alone();
    let (upright, turned) = (bars(Rotation::None), bars(Rotation::Half));
    // Bars are wide: their order is compared, not their place.
    let reversed: Vec<u8> = turned.iter().rev().copied().collect();
    assert!(upright.len() > 4, "{upright:?}");
    assert!(
        is_rotation_of(&upright, &reversed) && !is_rotation_of(&upright, &turned),
        "{upright:?} {turned:?}"
    );
}

#[test]
fn of_a_larger_frame_the_middle_is_used() {
    let _alone = alone();
    let mut camera = open(600, 340, Rotation::None, "first");
    let mut frame = black(&camera);
    first(&mut camera, &mut frame);
    assert_eq!((frame.width(), frame.height()), (600, 340));
    // Eight bars across 640 pixels: 1280 would show half of them.
    assert!((8..=9).contains(&bars_of(&frame).len()), "{:?}", bars_of(&frame));
}

#[test]
fn a_camera_that_is_too_small_or_not_there_is_told_in_words() {
    let _alone = alone();
    let error = trouble(&mut open(1920, 1080, Rotation::None, "first"), "no size");
    assert!(matches!(error, CameraError::Broken { .. }), "{error}");
    assert!(
        error.to_string().contains("no size of at least 1920x1080; it offers 320x240, "),
        "{error}"
    );
    let error = trouble(&mut open(640, 360, Rotation::None, "imx708"), "none is called");
    assert_eq!(
        error.to_string(),
        "no camera: none is called `imx708`; connected: rccar virtual camera (Virtual0)"
    );
}

#[test]
fn after_a_rest_the_picture_comes_back_and_is_fresh() {
    let _alone = alone();
    let mut camera = open(640, 360, Rotation::None, "first");
    let mut frame = black(&camera);
    let mut last = first(&mut camera, &mut frame);
    for _ in 0..3 {
        camera.pause();
        // Longer than the capturing thread takes to notice.
        std::thread::sleep(Duration::from_millis(300));
        let rested = clock::now();
        let captured_at = next(&mut camera, &mut frame);
        assert!(captured_at > last && captured_at >= rested, "a frame from before the rest");
        last = captured_at;
    }
}

#[test]
fn one_that_waits_for_libcamera_gets_it_when_the_other_is_done() {
    let _alone = alone();
    let mut one = open(640, 360, Rotation::None, "first");
    let mut frame = black(&one);
    first(&mut one, &mut frame);
    let mut other = open(640, 360, Rotation::None, "first");
    trouble(&mut other, "in use by this program already");
    drop(one);
    first(&mut other, &mut frame);
}

#[test]
fn opening_again_and_again_leaves_no_descriptor_open() {
    let _alone = alone();
    let open_and_close = || {
        let mut camera = open(640, 360, Rotation::None, "first");
        let mut frame = black(&camera);
        first(&mut camera, &mut frame);
    };
    open_and_close();
    let before = settled();
    (0..5).for_each(|_| open_and_close());
    assert_eq!(settled(), before);
}

/// A process can have only one libcamera, and tests are threads of one process.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Lists the cameras, once another test's camera is closed.
fn free_list() -> (Vec<Listed>, String) {
    let start = Instant::now();
    loop {
        match list() {
            Ok(listed) => return listed,
            Err(error) => assert!(start.elapsed() < PATIENCE, "{error}"),
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn open(width: u32, height: u32, rotation: Rotation, device: &str) -> LibcameraCamera {
    let format = VideoFormat::new(width, height, FPS).unwrap();
    let Ok(selection) = device.parse();
    LibcameraCamera::open(Settings { selection, format, rotation }).unwrap()
}

fn black(camera: &LibcameraCamera) -> I420Frame {
    I420Frame::new(camera.format())
}

/// The first frame: opening takes some time, and another test's camera may still be closing.
fn first(
    camera: &mut LibcameraCamera,
    frame: &mut I420Frame,
) -> rccar_protocol::units::MonotonicMicros {
    let start = Instant::now();
    loop {
        match camera.next_frame(frame) {
            Ok(captured_at) => return captured_at,
            Err(error) => assert!(start.elapsed() < PATIENCE, "{error}"),
        }
    }
}

fn next(
    camera: &mut LibcameraCamera,
    frame: &mut I420Frame,
) -> rccar_protocol::units::MonotonicMicros {
    camera.next_frame(frame).unwrap()
}

/// The error, once it contains these words.
fn trouble(camera: &mut LibcameraCamera, words: &str) -> CameraError {
    let start = Instant::now();
    let mut frame = black(camera);
    loop {
        let error = camera.next_frame(&mut frame).unwrap_err();
        if error.to_string().contains(words) {
            return error;
        }
        assert!(start.elapsed() < PATIENCE, "{error}");
    }
}

fn row(frame: &I420Frame) -> Vec<u8> {
    frame.y()[..frame.width()].to_vec()
}

/// Whether `after` is `before`, moved to either side by `step` pixels. The pixels that come in at
/// the edge are not compared.
fn is_moved_by(step: usize, before: &[u8], after: &[u8]) -> bool {
    before[step..] == after[..after.len() - step] || after[step..] == before[..before.len() - step]
}

/// The luma of the bars, from left to right.
fn bars(rotation: Rotation) -> Vec<u8> {
    let mut camera = open(640, 360, rotation, "first");
    let mut frame = black(&camera);
    first(&mut camera, &mut frame);
    let mut bars = bars_of(&frame);
    if bars.len() > 1 && bars.first() == bars.last() {
        bars.pop();
    }
    bars
}

fn bars_of(frame: &I420Frame) -> Vec<u8> {
    let mut bars = row(frame);
    bars.dedup();
    bars
}

fn is_rotation_of(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len()
        && (0..one.len()).any(|shift| [&one[shift..], &one[..shift]].concat() == other)
}

/// Open descriptors, once threads that end have closed theirs.
fn settled() -> usize {
    let count = || std::fs::read_dir("/proc/self/fd").unwrap().count();
    let mut last = (count(), Instant::now());
    while last.1.elapsed() < Duration::from_millis(500) {
        std::thread::sleep(Duration::from_millis(20));
        if count() != last.0 {
            last = (count(), Instant::now());
        }
    }
    last.0
}
