//! `[encoder]`: the encoder that makes H.264 of the picture.

use rccar_media::encoder::openh264::OpenH264;
use rccar_media::encoder::{Encoder, EncoderError};
use rccar_media::frame::VideoFormat;
use serde::Deserialize;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct EncoderConfig {
    kind: Kind,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    /// Cisco's software encoder, part of the program.
    #[default]
    OpenH264,
}

/// Sets up the configured encoder for pictures of `format`, at `bitrate_kbps` (1000 bit/s each).
pub(crate) fn open(
    config: EncoderConfig,
    format: VideoFormat,
    bitrate_kbps: u32,
) -> Result<Box<dyn Encoder>, EncoderError> {
    match config.kind {
        Kind::OpenH264 => Ok(Box::new(OpenH264::new(format, bitrate_kbps)?)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rccar_media::frame::I420Frame;

    #[test]
    fn the_named_encoder_is_the_default_and_makes_a_keyframe() {
        let config = parse("kind = \"openh264\"\n").unwrap();
        assert_eq!(config, EncoderConfig::default());
        let format = VideoFormat::new(64, 48, 30).unwrap();
        let encoded =
            open(config, format, 100).unwrap().encode(&I420Frame::new(format), false).unwrap();
        assert!(encoded.unwrap().keyframe);
    }

    #[test]
    fn an_unknown_kind_is_reported_with_its_line_and_what_there_is() {
        let error = parse("kind = \"v4l2\"\n").unwrap_err().to_string();
        assert!(
            ["car.toml:1", "kind", "`v4l2`", "`openh264`"]
                .iter()
                .all(|words| error.contains(words)),
            "{error}"
        );
    }

    fn parse(text: &str) -> Result<EncoderConfig, rccar_daemon::config::ConfigError> {
        rccar_daemon::config::parse(text, "car.toml")
    }
}
