//! Opens the camera that the configuration names.

mod config;
mod simulator;

use config::Source;
pub(crate) use config::{CameraConfig, CameraConfigError};
#[cfg(feature = "libcamera")]
use rccar_media::camera::libcamera::{LibcameraCamera, Settings};
use rccar_media::camera::pipe::PipeCamera;
use rccar_media::camera::{Camera, CameraError};
use rccar_protocol::units::MonotonicMicros;
use rccar_sim::vehicle::Pose;
use simulator::Simulator;
pub(crate) use simulator::draw as simulated_frame;
use std::path::PathBuf;
use std::sync::Arc;

/// Returns the pose of the simulated car at a time.
pub(crate) type PoseSource = Arc<dyn Fn(MonotonicMicros) -> Pose + Send + Sync>;

/// Opens the configured camera. Only the simulator asks for `poses`.
pub(crate) fn open(
    config: &CameraConfig,
    poses: PoseSource,
) -> Result<Box<dyn Camera>, CameraError> {
    let format = config.format().map_err(|error| CameraError::Broken {
        source_name: "the configured size".to_owned(),
        reason: error.to_string(),
    })?;
    match config.source {
        #[cfg(feature = "libcamera")]
        Source::Libcamera => Ok(Box::new(LibcameraCamera::open(Settings {
            selection: config.device.clone(),
            format,
            rotation: config.rotation,
        })?)),
        #[cfg(not(feature = "libcamera"))]
        Source::Libcamera => {
            Err(CameraError::Missing("this rccar-car was built without libcamera".to_owned()))
        }
        Source::Simulator => Ok(Box::new(Simulator::new(format, poses, config.timecode))),
        // `CameraConfig::validate` refuses a pipe without a path, so that the default never counts.
        Source::Pipe => Ok(Box::new(PipeCamera::open(
            &config.path.clone().unwrap_or_else(|| PathBuf::from("-")),
            format,
        )?)),
    }
}

/// The cameras that libcamera sees: a line for each camera, then a line for each of its formats.
#[cfg(feature = "libcamera")]
pub(crate) fn list() -> Result<String, CameraError> {
    use std::fmt::Write;
    let (cameras, version) = rccar_media::camera::libcamera::list()?;
    let mut text = format!("libcamera {version}\n");
    if cameras.is_empty() {
        text.push_str("no camera is connected\n");
    }
    for (index, listed) in cameras.iter().enumerate() {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{}: {}", index + 1, listed.camera);
        for format in &listed.formats {
            let _ = writeln!(text, "   {format}");
        }
    }
    Ok(text)
}

#[cfg(not(feature = "libcamera"))]
pub(crate) fn list() -> Result<String, CameraError> {
    Err(CameraError::Missing(
        "this rccar-car was built without libcamera (cargo feature `libcamera`)".to_owned(),
    ))
}
