//! How long a camera's frame takes to become I420. `cargo bench -p rccar-media` prints medians and
//! 95th percentiles in milliseconds.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a program that prints a table")]

use rccar_media::frame::{I420Frame, VideoFormat};
use rccar_media::raw::{Layout, RawFrame, Rotation, Shape};
use std::hint::black_box;
use std::time::{Duration, Instant};

/// Ten seconds at 30 Hz.
const FRAMES: usize = 300;

fn main() {
    println!("{:<12} {:<6} {:>16} {:>16}", "", "", "upright ms", "turned ms");
    for (width, height) in [(640, 360), (1280, 720)] {
        let format = VideoFormat::new(width, height, 30).unwrap();
        let (width, height) = (width as usize, height as usize);
        for (layout, bytes) in [
            (Layout::I420, 1),
            (Layout::Nv12, 1),
            (Layout::Yuyv, 2),
            (Layout::Bgr, 3),
            (Layout::Rgb, 3),
            (Layout::Bgrx, 4),
            (Layout::Rgbx, 4),
            (Layout::Grey, 1),
        ] {
            // Rows with padding, as the Pi's receiver gives them.
            let row = width * bytes;
            let shape = Shape { width, height, stride: row + 64 };
            let planes: Vec<Vec<u8>> =
                layout.plane_sizes(shape).into_iter().map(|size| vec![100; size]).collect();
            let data: Vec<&[u8]> = planes.iter().map(Vec::as_slice).collect();
            let mut frame = I420Frame::new(format);
            let mut measure = |rotation| {
                let mut times = Vec::new();
                for _ in 0..FRAMES {
                    let start = Instant::now();
                    RawFrame::new(layout, shape, black_box(&data))
                        .unwrap()
                        .convert(rotation, &mut frame)
                        .unwrap();
                    black_box(&frame);
                    times.push(start.elapsed());
                }
                figures(times)
            };
            let (upright, turned) = (measure(Rotation::None), measure(Rotation::Half));
            println!(
                "{:<12} {:<6} {upright:>16} {turned:>16}",
                format!("{width}x{height}"),
                format!("{layout:?}")
            );
        }
    }
}

fn figures(mut times: Vec<Duration>) -> String {
    times.sort();
    let ms = |share: usize| times[times.len() * share / 100].as_secs_f64() * 1e3;
    format!("{:.3} / {:.3}", ms(50), ms(95))
}
