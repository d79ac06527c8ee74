//! Sources of frames.

#[cfg(feature = "libcamera")]
pub mod libcamera;
mod newest;
pub mod pipe;
pub mod select;
// Only libcamera needs these, but any machine can test them.
#[cfg(any(feature = "libcamera", test))]
mod modes;
#[cfg(any(feature = "libcamera", test))]
mod throttle;

use crate::frame::{I420Frame, VideoFormat};
use rccar_protocol::units::MonotonicMicros;
use std::time::Duration;
use thiserror::Error;

/// Longest time for which [`Camera::next_frame`] blocks. A stopped pipeline ends within it.
pub const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// A source of frames. It belongs to one thread.
pub trait Camera: Send {
    /// Size and rate of the frames; they never change.
    fn format(&self) -> VideoFormat;

    /// Waits for the next frame and fills `frame` (of [`Self::format`]'s size) with it. Returns the
    /// time of capture: the end of exposure, or the time closest to it that the source knows.
    ///
    /// The newest frame wins: a caller that comes late never sees the frames in between.
    ///
    /// # Errors
    /// After at most [`LONGEST_WAIT`] if no frame has come. A later call may succeed; `frame` may
    /// hold anything.
    fn next_frame(&mut self, frame: &mut I420Frame) -> Result<MonotonicMicros, CameraError>;

    /// Nobody watches: the sensor may be switched off until the next call of [`Self::next_frame`].
    fn pause(&mut self) {}
}

#[derive(Debug, Error)]
pub enum CameraError {
    /// The source cannot be opened or has failed.
    #[error("the camera at {source_name} does not work: {reason}")]
    Broken {
        /// Device or path.
        source_name: String,
        reason: String,
    },
    /// The source is there but gives no frames.
    #[error(
        "no frame from the camera at {source_name} for {} ms: {reason}",
        LONGEST_WAIT.as_millis()
    )]
    Silent {
        /// Device or path.
        source_name: String,
        reason: String,
    },
    /// There is no such camera now.
    #[error("no camera: {0}")]
    Missing(String),
}
