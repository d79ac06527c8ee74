//! `[camera]`

use rccar_daemon::config::ConfigError;
use rccar_media::camera::select::Selection;
use rccar_media::frame::{FormatError, VideoFormat};
use rccar_media::raw::Rotation;
use rccar_protocol::video::BITRATES_KBPS;
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use std::path::PathBuf;

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct CameraConfig {
    pub(super) source: Source,
    pub(super) path: Option<PathBuf>,
    #[serde(deserialize_with = "device")]
    pub(super) device: Selection,
    #[serde(deserialize_with = "rotation")]
    pub(super) rotation: Rotation,
    #[serde(deserialize_with = "width")]
    width: u32,
    #[serde(deserialize_with = "height")]
    height: u32,
    #[serde(deserialize_with = "rate")]
    fps: u32,
    #[serde(deserialize_with = "bitrate")]
    pub(crate) bitrate_kbps: u32,
    pub(super) timecode: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Source {
    /// The road as the simulated car sees it.
    Simulator,
    /// USB and CSI cameras.
    Libcamera,
    /// Raw frames from another program.
    Pipe,
}

#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub(crate) struct CameraConfigError(#[from] ConfigError);

impl Default for CameraConfig {
    fn default() -> Self {
        // 640×360 at 1 Mbit/s goes through nearly every mobile uplink.
        Self {
            source: Source::Simulator,
            path: None,
            device: Selection::First,
            rotation: Rotation::None,
            width: 640,
            height: 360,
            fps: 30,
            bitrate_kbps: 1000,
            timecode: false,
        }
    }
}

impl CameraConfig {
    /// Checks rules about several values at once; `source_name` is the file that the error names.
    pub(crate) fn validate(&self, source_name: &str) -> Result<(), CameraConfigError> {
        let wrong =
            |key: &str, message: &str| Err(ConfigError::rule(source_name, key, message).into());
        match (self.source, &self.path) {
            (Source::Libcamera, _) if !cfg!(feature = "libcamera") => wrong(
                "camera.source",
                "this rccar-car was built without libcamera (cargo feature `libcamera`); it knows \
                 `simulator` and `pipe`",
            ),
            (Source::Pipe, None) => wrong(
                "camera.path",
                "`camera.source = \"pipe\"` needs the path of a named pipe, or \"-\" for standard \
                 input",
            ),
            (Source::Simulator | Source::Libcamera, Some(_)) => {
                wrong("camera.path", "a path has a meaning with `camera.source = \"pipe\"` only")
            }
            (Source::Pipe | Source::Libcamera, _) if self.timecode => wrong(
                "camera.timecode",
                "only the simulator paints a time code; frames of a camera are sent as they are",
            ),
            (Source::Pipe | Source::Simulator, _) if self.device != Selection::First => wrong(
                "camera.device",
                "a device has a meaning with `camera.source = \"libcamera\"` only",
            ),
            (Source::Pipe | Source::Simulator, _) if self.rotation != Rotation::None => wrong(
                "camera.rotation",
                "a rotation has a meaning with `camera.source = \"libcamera\"` only",
            ),
            _ => Ok(()),
        }
    }

    /// Size and rate. Values that were read from a file are legal already.
    pub(crate) fn format(&self) -> Result<VideoFormat, FormatError> {
        VideoFormat::new(self.width, self.height, self.fps)
    }
}

fn width<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    checked(deserializer, |width, usual| VideoFormat::new(width, usual.height, usual.fps))
}

fn height<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    checked(deserializer, |height, usual| VideoFormat::new(usual.width, height, usual.fps))
}

fn rate<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    checked(deserializer, |fps, usual| VideoFormat::new(usual.width, usual.height, fps))
}

/// Checks one part of a format, with defaults for the others, so that the error has the line of
/// this part.
fn checked<'de, D: Deserializer<'de>>(
    deserializer: D,
    check: fn(u32, &CameraConfig) -> Result<VideoFormat, FormatError>,
) -> Result<u32, D::Error> {
    let value = u32::deserialize(deserializer)?;
    check(value, &CameraConfig::default()).map_err(D::Error::custom)?;
    Ok(value)
}

fn device<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Selection, D::Error> {
    let Ok(selection) = String::deserialize(deserializer)?.parse();
    Ok(selection)
}

fn rotation<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Rotation, D::Error> {
    match u32::deserialize(deserializer)? {
        0 => Ok(Rotation::None),
        180 => Ok(Rotation::Half),
        other => {
            Err(D::Error::custom(format!("the rotation must be 0 or 180 degrees, not {other}")))
        }
    }
}

fn bitrate<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let value = u32::deserialize(deserializer)?;
    if !BITRATES_KBPS.contains(&value) {
        let (least, most) = (BITRATES_KBPS.start(), BITRATES_KBPS.end());
        return Err(D::Error::custom(format!(
            "the bit rate must lie between {least} and {most} kbit/s, not {value}"
        )));
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_value_is_reported_with_its_line_its_key_and_what_is_allowed() {
        for (line, words) in [
            ("width = 641", "an even number of pixels from 64 to 1920, not 641"),
            ("height = 4000", "an even number of pixels from 48 to 1088, not 4000"),
            ("fps = 0", "between 1 and 60 Hz, not 0"),
            ("bitrate_kbps = 9", "between 50 and 14000 kbit/s, not 9"),
            ("source = \"webcam\"", "simulator"),
            ("rotation = 90", "0 or 180 degrees, not 90"),
        ] {
            let error = parse(&format!("timecode = false\n{line}\n")).unwrap_err().to_string();
            let key = line.split(' ').next().unwrap();
            assert!(
                error.contains("camera.toml:2") && error.contains(key) && error.contains(words),
                "{error}"
            );
        }
    }

    #[test]
    fn all_of_each_range_is_legal_and_nothing_beyond() {
        use rccar_protocol::video::{HEIGHTS, RATES, WIDTHS};
        for (key, range, step) in [
            ("width", WIDTHS, 2),
            ("height", HEIGHTS, 2),
            ("fps", RATES, 1),
            ("bitrate_kbps", BITRATES_KBPS, 1),
        ] {
            let takes = |value: u32| parse(&format!("{key} = {value}\n")).is_ok();
            let (first, last) = (*range.start(), *range.end());
            assert_eq!(
                [first - step, first, last, last + step].map(takes),
                [false, true, true, false],
                "{key}"
            );
        }
    }

    #[test]
    fn a_pipe_needs_a_path_and_the_simulator_takes_none() {
        let check = |text: &str| {
            parse(text).unwrap().validate("camera.toml").map_err(|error| error.to_string())
        };
        assert!(check("source = \"pipe\"").unwrap_err().contains("needs the path of a named pipe"));
        assert!(
            check("path = \"/run/camera\"")
                .unwrap_err()
                .contains("with `camera.source = \"pipe\"` only")
        );
        assert!(
            check("source = \"pipe\"\npath = \"-\"\ntimecode = true")
                .unwrap_err()
                .contains("only the simulator")
        );
        assert_eq!(check("source = \"pipe\"\npath = \"-\""), Ok(()));
        assert_eq!(check("width = 1280\nheight = 720\ntimecode = true"), Ok(()));
    }

    #[test]
    fn what_only_libcamera_understands_is_refused_with_other_sources() {
        let check = |text: &str| {
            parse(text).unwrap().validate("camera.toml").map_err(|error| error.to_string())
        };
        for line in ["device = \"imx708\"", "rotation = 180"] {
            assert!(
                check(line).unwrap_err().contains("with `camera.source = \"libcamera\"` only"),
                "{line}"
            );
        }
        assert_eq!(check("device = \"first\"\nrotation = 0"), Ok(()));
        let real = check("source = \"libcamera\"\ndevice = \"imx708\"\nrotation = 180");
        match cfg!(feature = "libcamera") {
            true => assert_eq!(real, Ok(())),
            false => assert!(real.unwrap_err().contains("built without libcamera")),
        }
    }

    #[test]
    fn the_default_is_a_format_that_can_be_made() {
        let format = CameraConfig::default().format().unwrap();
        assert_eq!((format.width(), format.height(), format.fps()), (640, 360, 30));
    }

    fn parse(text: &str) -> Result<CameraConfig, ConfigError> {
        rccar_daemon::config::parse(text, "camera.toml")
    }
}
