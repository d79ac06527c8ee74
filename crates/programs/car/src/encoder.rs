//! `[encoder]`: the encoder that makes H.264 of the picture.

use crate::camera::CameraConfig;
use rccar_media::encoder::choice::{self, Order, Wish};
use rccar_media::frame::VideoFormat;
use rccar_protocol::video::Level;
use serde::Deserialize;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct EncoderConfig {
    kind: Kind,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    /// In hardware where that is known to work, else in software.
    #[default]
    Auto,
    /// Cisco's software encoder, part of the program.
    OpenH264,
    /// Any in hardware, else in software.
    V4l2,
}

impl EncoderConfig {
    pub(crate) fn wish(self) -> Wish {
        match self.kind {
            Kind::Auto => Wish::Auto,
            Kind::OpenH264 => Wish::OpenH264,
            Kind::V4l2 => Wish::V4l2,
        }
    }
}

/// What is encoded: the one place where the level is decided, for the encoder and for the offer.
pub(crate) fn order(format: VideoFormat, bitrate_kbps: u32) -> Order {
    let level = Level::lowest_for(format.width(), format.height(), format.fps(), bitrate_kbps);
    Order { format, level, bitrate_kbps }
}

/// The encoder that a car with this configuration would use on this machine now, and why.
pub(crate) fn describe(config: EncoderConfig, camera: &CameraConfig) -> String {
    match camera.format() {
        Ok(format) => choice::describe(config.wish(), order(format, camera.bitrate_kbps)),
        // No file holds such a format: `Config::load` refuses it.
        Err(error) => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rccar_media::frame::I420Frame;

    #[test]
    fn every_kind_makes_a_keyframe_whatever_the_machine_has() {
        assert_eq!(parse("kind = \"auto\"\n").unwrap(), EncoderConfig::default());
        let format = VideoFormat::new(64, 48, 30).unwrap();
        for kind in ["auto", "openh264", "v4l2"] {
            let config = parse(&format!("kind = \"{kind}\"\n")).unwrap();
            let mut encoder = choice::open(config.wish(), order(format, 100)).unwrap();
            let encoded = encoder.encode(&I420Frame::new(format), false).unwrap();
            assert!(encoded.unwrap().keyframe, "{kind}");
        }
    }

    #[test]
    fn the_choice_is_said_with_its_reason() {
        let config = parse("kind = \"openh264\"\n").unwrap();
        let words = describe(config, &CameraConfig::default());
        assert_eq!(words, "OpenH264, in software: the configuration says so");
    }

    #[test]
    fn an_unknown_kind_is_reported_with_its_line_and_what_there_is() {
        let error = parse("kind = \"x264\"\n").unwrap_err().to_string();
        assert!(
            ["car.toml:1", "kind", "`x264`", "`auto`", "`openh264`", "`v4l2`"]
                .iter()
                .all(|words| error.contains(words)),
            "{error}"
        );
    }

    fn parse(text: &str) -> Result<EncoderConfig, rccar_daemon::config::ConfigError> {
        rccar_daemon::config::parse(text, "car.toml")
    }
}
