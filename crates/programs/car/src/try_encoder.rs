//! `rccar-car try-encoder`: the encoder without camera, network and driver.

use crate::camera::simulated_frame;
use crate::config::Config;
use crate::encoder;
use crate::error::CarError;
use rccar_media::clock;
use rccar_media::encoder::{Encoder, EncoderError, choice};
use rccar_media::frame::I420Frame;
use rccar_media::pacer::Pacer;
use rccar_sim::scene::Scene;
use rccar_sim::track::Track;
use std::fmt::Write;
use std::str::FromStr;
use std::time::Duration;

/// How long it takes. The second half begins with a keyframe, the last third has half the bit rate.
const SECONDS: u32 = 3;
/// Speed along the course in m/s.
const SPEED: f64 = 3.0;

/// Four characters that the kernel has for a coding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Coding([u8; 4]);

impl FromStr for Coding {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let name = text.as_bytes().try_into().ok().filter(|name: &[u8; 4]| name.is_ascii());
        name.map(Self).ok_or("a coding has four letters, such as H264")
    }
}

#[derive(Debug, Default)]
struct Report {
    /// Size of each access unit, in bytes.
    sizes: Vec<usize>,
    keyframes: u32,
    left_out: u32,
    failures: Vec<String>,
    times: Vec<Duration>,
}

/// Tries the encoder and tells how it went.
///
/// # Errors
/// If there is no encoder, or nothing came out of it.
pub(crate) fn run(config: &Config, coding: Option<Coding>) -> Result<String, CarError> {
    let format = config.camera.format().map_err(|error| failed(error.to_string()))?;
    let order = encoder::order(format, config.camera.bitrate_kbps);
    let mut encoder = match coding {
        None => choice::open(config.encoder.wish(), order)?,
        Some(Coding(name)) => choice::open_coding(name, order)?,
    };
    let mut text = format!("encoder: {}\n", encoder.name());
    let (report, halved) = try_it(encoder.as_mut(), order);
    let Some(&last) = report.sizes.last() else {
        return Err(failed(report.failures.last().cloned().unwrap_or_else(|| {
            format!("{} left all {} frames out", encoder.name(), report.left_out)
        })));
    };
    let frames = SECONDS * format.fps();
    // Writing to a string cannot fail.
    let _ = writeln!(
        text,
        "{frames} frames of {format}: {} encoded, {} of them keyframes; {} left out, {} failures",
        report.sizes.len(),
        report.keyframes,
        report.left_out,
        report.failures.len()
    );
    let mut times = report.times.clone();
    times.sort();
    let ms = |share: usize| times[(times.len() - 1) * share / 100].as_secs_f64() * 1e3;
    let _ = writeln!(text, "time of a frame: median {:.1} ms, 95 % {:.1} ms", ms(50), ms(95));
    let kbits = report.sizes.iter().sum::<usize>() * 8 / 1000;
    let _ = writeln!(
        text,
        "{kbits} kbit in {SECONDS} s at {} kbit/s, in the last second at {halved}; the last frame has \
         {last} bytes",
        config.camera.bitrate_kbps
    );
    for failure in report.failures {
        let _ = writeln!(text, "failure: {failure}");
    }
    let _ = writeln!(text, "in the end: {}", encoder.name());
    Ok(text)
}

fn try_it(encoder: &mut dyn Encoder, order: choice::Order) -> (Report, String) {
    let (track, fps) = (Track::built_in(), order.format.fps());
    let (scene, mut pacer) = (Scene::new(&track), Pacer::new(fps));
    let (mut frame, frames) = (I420Frame::new(order.format), SECONDS * fps);
    let (mut report, mut halved) = (Report::default(), String::new());
    for index in 0..frames {
        if index == frames * 2 / 3 {
            halved = match encoder.set_bitrate(order.bitrate_kbps / 2) {
                Ok(kbps) => format!("{kbps} kbit/s"),
                Err(error) => error.to_string(),
            };
        }
        pacer.wait();
        let along = track.station_at(f64::from(index) * SPEED / f64::from(fps));
        simulated_frame(&scene, &along, &mut frame);
        let begun = clock::now();
        let result = encoder.encode(&frame, index == frames / 2);
        report.times.push(clock::now().since(begun));
        match result {
            Ok(Some(encoded)) => {
                report.keyframes += u32::from(encoded.keyframe);
                report.sizes.push(encoded.data.len());
            }
            Ok(None) => report.left_out += 1,
            Err(error) => report.failures.push(error.to_string()),
        }
    }
    (report, halved)
}

fn failed(reason: String) -> CarError {
    CarError::Encoder(EncoderError { encoder: "try-encoder", reason })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_software_encoder_makes_every_frame_and_follows() {
        let text = "[encoder]\nkind = \"openh264\"\n[camera]\nwidth = 128\nheight = 96\nfps = 20\n";
        let config: Config = rccar_daemon::config::parse(text, "car.toml").unwrap();
        let said = run(&config, None).unwrap();
        for words in [
            "encoder: OpenH264\n",
            // The first, and the one in the middle; another rate costs none.
            "60 frames of 128×96 at 20 Hz: 60 encoded, 2 of them keyframes; 0 left out, 0 failures",
            "in the last second at 500 kbit/s",
            "in the end: OpenH264\n",
        ] {
            assert!(said.contains(words), "{said}");
        }
    }

    #[test]
    fn without_a_device_for_the_coding_it_says_so() {
        let config = Config::default();
        let coding = "none".parse().unwrap();
        let error = run(&config, Some(coding)).unwrap_err();
        let words = rccar_causes::Causes::of(&error).to_string();
        assert!(words.contains("no device gives none"), "{words}");
        assert!("H2645".parse::<Coding>().is_err() && "H26é".parse::<Coding>().is_err());
    }
}
