//! How long a frame takes: drawing it and encoding it. `cargo bench -p rccar-media` prints medians
//! and 95th percentiles.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a program that prints a table")]

use rccar_media::encoder::{Encoder, openh264::OpenH264};
use rccar_media::frame::{I420Frame, PlanesMut, VideoFormat};
use rccar_sim::frame::{FrameViewMut, PlaneMut};
use rccar_sim::scene::Scene;
use rccar_sim::timecode::{TimeCode, paint};
use rccar_sim::track::Track;
use rccar_sim::vehicle::Pose;
use std::time::{Duration, Instant};

/// Ten seconds at 30 Hz.
const FRAMES: u32 = 300;
/// Speed along the course in m/s.
const SPEED: f64 = 3.0;

fn main() {
    let track = Track::built_in();
    let scene = Scene::new(&track);
    println!(
        "{:<12} {:>16} {:>16} {:>8} {:>12} {:>12}",
        "", "render ms", "encode ms", "kbps", "first bytes", "largest P"
    );
    for (width, height, kbps) in [(640, 360, 1000), (1280, 720, 2500)] {
        let format = VideoFormat::new(width, height, 30).unwrap();
        let mut encoder = OpenH264::new(format, kbps).unwrap();
        let mut frame = I420Frame::new(format);
        let (mut render, mut encode, mut sizes) = (Vec::new(), Vec::new(), Vec::new());
        for index in 0..FRAMES {
            let station = track.station_at(f64::from(index) * SPEED / 30.0);
            let pose = Pose {
                x_m: station.x_m,
                y_m: station.y_m,
                heading_rad: station.heading_rad,
                ..Pose::default()
            };
            let start = Instant::now();
            let mut view = view(&mut frame);
            scene.render(&pose, &mut view);
            paint(&mut view, TimeCode::new(Duration::from_millis(33 * u64::from(index)), 0));
            render.push(start.elapsed());
            let start = Instant::now();
            let encoded = encoder.encode(&frame, false).unwrap().unwrap();
            encode.push(start.elapsed());
            sizes.push(encoded.data.len());
        }
        let kbps = sizes.iter().sum::<usize>() as f64 * 8.0 / 1000.0 / (f64::from(FRAMES) / 30.0);
        let name = format!("{width}x{height}");
        let largest = sizes[1..].iter().max().unwrap();
        println!(
            "{name:<12} {:>16} {:>16} {kbps:>8.0} {:>12} {largest:>12}",
            figures(render),
            figures(encode),
            sizes[0]
        );
    }
}

fn figures(mut times: Vec<Duration>) -> String {
    times.sort();
    let ms = |share: usize| times[times.len() * share / 100].as_secs_f64() * 1e3;
    format!("{:.2} / {:.2}", ms(50), ms(95))
}

fn view(frame: &mut I420Frame) -> FrameViewMut<'_> {
    let (width, height) = (frame.width(), frame.height());
    let PlanesMut { y, u, v } = frame.planes_mut();
    let plane = |data, stride| PlaneMut { data, stride };
    FrameViewMut::new(width, height, plane(y, width), plane(u, width / 2), plane(v, width / 2))
        .unwrap()
}
