//! The encoder's output, decoded again.
#![allow(clippy::unwrap_used, reason = "tests")]

use openh264::decoder::Decoder;
use openh264::formats::YUVSource;
use rccar_media::encoder::{Encoded, Encoder, openh264::OpenH264};
use rccar_media::frame::{I420Frame, PlanesMut, VideoFormat};
use rccar_protocol::video::Level;
use rccar_sim::frame::{FrameViewMut, PlaneMut};
use rccar_sim::scene::Scene;
use rccar_sim::timecode::{TimeCode, paint, read};
use rccar_sim::track::Track;
use rccar_sim::vehicle::Pose;
use std::time::Duration;

const SPS: u8 = 7;
const PPS: u8 = 8;
const IDR: u8 = 5;
const NON_IDR: u8 = 1;

#[test]
fn the_first_frame_is_a_keyframe_and_later_ones_only_when_asked_for() {
    let mut drive = Drive::new(640, 360, 1000);
    let kinds: Vec<bool> = (0..90).map(|index| drive.next(index == 40).keyframe).collect();
    let expected: Vec<bool> = (0..90).map(|index| index == 0 || index == 40).collect();
    assert_eq!(kinds, expected);
}

#[test]
fn a_keyframe_carries_its_parameter_sets_in_constrained_baseline_profile() {
    let mut drive = Drive::new(1280, 720, 2500);
    for force_keyframe in [false, true] {
        let keyframe = drive.next(force_keyframe);
        let units = nal_units(&keyframe.data);
        assert_eq!(units.iter().map(|unit| unit[0] & 0x1F).collect::<Vec<_>>(), [SPS, PPS, IDR]);
        // profile_idc 66 with constraint_set1_flag, level 3.1 (ITU-T H.264 annex A.2.1).
        assert_eq!((units[0][1], units[0][2] & 0x40, units[0][3]), (66, 0x40, 31));
        let other = drive.next(false);
        assert_eq!(
            nal_units(&other.data).iter().map(|unit| unit[0] & 0x1F).collect::<Vec<_>>(),
            [NON_IDR]
        );
    }
}

#[test]
fn the_level_of_the_stream_is_the_one_that_is_offered() {
    for (width, height, fps, kbps) in [
        (320, 240, 30, 500),
        (640, 360, 30, 1_000),
        (640, 360, 60, 1_000),
        (640, 360, 30, 14_000),
        (1280, 720, 30, 2_000),
        (1280, 720, 60, 2_000),
        (1920, 1080, 30, 4_000),
        (1920, 1088, 60, 8_000),
    ] {
        let format = VideoFormat::new(width, height, fps).unwrap();
        let keyframe = OpenH264::new(format, kbps)
            .unwrap()
            .encode(&I420Frame::new(format), false)
            .unwrap()
            .unwrap();
        let offered = Level::lowest_for(width, height, fps, kbps).idc();
        assert_eq!(
            (nal_units(&keyframe.data)[0][0] & 0x1F, nal_units(&keyframe.data)[0][3]),
            (SPS, offered),
            "{format}, {kbps} kbit/s"
        );
    }
}

#[test]
fn the_bit_rate_is_kept_within_a_tenth() {
    let mut drive = Drive::new(640, 360, 1000);
    drive.next(false);
    let bytes: usize = (0..150).map(|_| drive.next(false).data.len()).sum();
    let kbps = bytes * 8 / 1000 / 5;
    assert!((850..1100).contains(&kbps), "{kbps} kbps");
}

#[test]
fn the_time_code_is_read_from_every_decoded_frame_at_a_starved_bit_rate() {
    for (width, height, kbps) in [(640, 360, 250), (1280, 720, 500)] {
        let mut drive = Drive::new(width, height, kbps);
        let mut decoder = Decoder::new().unwrap();
        for _ in 0..60 {
            let painted = drive.code();
            let encoded = drive.next(false);
            let picture = decoder.decode(&encoded.data).unwrap().unwrap();
            let (width, height) = picture.dimensions();
            assert_eq!(read(picture.y(), picture.strides().0, width, height), Ok(painted));
        }
    }
}

#[test]
fn a_frame_of_another_size_is_an_error_and_not_a_panic() {
    let mut encoder = OpenH264::new(VideoFormat::new(640, 360, 30).unwrap(), 1000).unwrap();
    let error = encoder
        .encode(&I420Frame::new(VideoFormat::new(320, 180, 30).unwrap()), false)
        .unwrap_err();
    assert!(error.to_string().contains("320×180 instead of 640×360"), "{error}");
}

/// A car that drives along the course.
struct Drive {
    track: Track,
    scene: Scene,
    encoder: OpenH264,
    frame: I420Frame,
    number: u8,
}

impl Drive {
    fn new(width: u32, height: u32, kbps: u32) -> Self {
        let format = VideoFormat::new(width, height, 30).unwrap();
        let track = Track::built_in();
        let encoder = OpenH264::new(format, kbps).unwrap();
        Self { scene: Scene::new(&track), track, encoder, frame: I420Frame::new(format), number: 0 }
    }

    fn code(&self) -> TimeCode {
        TimeCode::new(
            Duration::from_micros(1_700_000_000_000_000 + 33_333 * u64::from(self.number)),
            self.number,
        )
    }

    fn next(&mut self, force_keyframe: bool) -> Encoded {
        let station = self.track.station_at(f64::from(self.number) * 0.1);
        let pose = Pose {
            x_m: station.x_m,
            y_m: station.y_m,
            heading_rad: station.heading_rad,
            ..Pose::default()
        };
        let code = self.code();
        let (width, height) = (self.frame.width(), self.frame.height());
        let PlanesMut { y, u, v } = self.frame.planes_mut();
        let plane = |data, stride| PlaneMut { data, stride };
        let mut view = FrameViewMut::new(
            width,
            height,
            plane(y, width),
            plane(u, width / 2),
            plane(v, width / 2),
        )
        .unwrap();
        self.scene.render(&pose, &mut view);
        paint(&mut view, code);
        self.number = self.number.wrapping_add(1);
        self.encoder.encode(&self.frame, force_keyframe).unwrap().unwrap()
    }
}

/// Splits at start codes.
fn nal_units(data: &[u8]) -> Vec<&[u8]> {
    let starts: Vec<usize> = (0..data.len().saturating_sub(3))
        .filter(|&at| data[at..at + 3] == [0, 0, 1])
        .map(|at| at + 3)
        .collect();
    let ends = starts.iter().skip(1).map(|start| start - 3).chain([data.len()]);
    starts.iter().zip(ends).map(|(&start, end)| &data[start..end]).collect()
}
