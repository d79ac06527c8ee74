//! Where the picture comes from.

mod config;
mod simulator;

use config::Source;
pub(crate) use config::{CameraConfig, CameraConfigError};
use rccar_media::camera::pipe::PipeCamera;
use rccar_media::camera::{Camera, CameraError};
use rccar_protocol::units::MonotonicMicros;
use rccar_sim::vehicle::Pose;
use simulator::Simulator;
use std::path::PathBuf;
use std::sync::Arc;

/// Where the simulated car is at a time.
pub(crate) type PoseSource = Arc<dyn Fn(MonotonicMicros) -> Pose + Send + Sync>;

/// Opens the configured camera. Only the simulator asks for `poses`.
pub(crate) fn open(config: &CameraConfig, poses: PoseSource) -> Result<Box<dyn Camera>, CameraError> {
    let format = config
        .format()
        .map_err(|error| CameraError::Broken { source_name: "the configured size".to_owned(), reason: error.to_string() })?;
    match config.source {
        Source::Simulator => Ok(Box::new(Simulator::new(format, poses, config.timecode))),
        // `CameraConfig::validate` has refused a pipe without a path; standard input is as good a guess as any.
        Source::Pipe => Ok(Box::new(PipeCamera::open(&config.path.clone().unwrap_or_else(|| PathBuf::from("-")), format)?)),
    }
}
