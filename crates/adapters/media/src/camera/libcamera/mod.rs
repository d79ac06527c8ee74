//! USB and CSI cameras through libcamera.
//!
//! ```text
//!   libcamera's thread            thread `camera`                                 thread `video`
//!   request completed ─channel──► convert to I420 ─► Newest (the newest wins) ──► next_frame
//!                     ◄──queue─── request again
//! ```
//!
//! * The camera is opened when the program starts and streams only while somebody watches.
//! * A camera that is missing, lost or silent is looked for again, within two seconds at most;
//!   [`Camera::next_frame`] returns the reason why there is no picture. For each attempt libcamera
//!   itself starts again, so that a camera comes back even where no device events are delivered.
//! * Capture times are the sensor's time stamps (`CLOCK_MONOTONIC`).
//! * A camera without the wanted size gives the next larger one, of which the middle is used. If
//!   the camera cannot turn its picture by 180°, the copy does.
//!
//! # Design decisions
//!
//! * A thread of this program queues the requests: the callback cannot, because it runs while the
//!   bindings hold the lock that queueing takes.
//! * A thread between libcamera's and the encoder's costs two hand-overs of some 10 µs. But it
//!   copies one frame while the frame before is encoded, and libcamera's objects do not move
//!   between threads.
//! * Motion JPEG is left out: a decoder costs more time than all else here, and 640×360 at 30 Hz
//!   fits through USB 2 without it.

mod buffers;
mod capture;
mod device;
mod streaming;

use super::newest::Newest;
use super::select::{Candidate, Selection};
use super::{Camera, CameraError};
use crate::frame::{I420Frame, VideoFormat};
use crate::raw::Rotation;
use device::Manager;
use rccar_protocol::units::MonotonicMicros;
use std::sync::Arc;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Which of the connected cameras.
    pub selection: Selection,
    pub format: VideoFormat,
    pub rotation: Rotation,
}

/// A camera of libcamera's, which may be plugged in later.
#[derive(Debug)]
pub struct LibcameraCamera {
    settings: Settings,
    newest: Arc<Newest>,
}

impl LibcameraCamera {
    /// Starts to look for the camera.
    ///
    /// # Errors
    /// If the system has no thread left.
    pub fn open(settings: Settings) -> Result<Self, CameraError> {
        let newest = Arc::new(Newest::new(settings.format));
        capture::start(settings.clone(), Arc::clone(&newest)).map_err(|error| {
            CameraError::Broken {
                source_name: settings.selection.to_string(),
                reason: format!("cannot start a thread: {error}"),
            }
        })?;
        Ok(Self { settings, newest })
    }
}

impl Camera for LibcameraCamera {
    fn format(&self) -> VideoFormat {
        self.settings.format
    }

    fn next_frame(&mut self, frame: &mut I420Frame) -> Result<MonotonicMicros, CameraError> {
        self.newest.take(frame).map_err(|trouble| {
            trouble.into_error(format!("libcamera ({})", self.settings.selection))
        })
    }

    fn pause(&mut self) {
        self.newest.rest();
    }
}

impl Drop for LibcameraCamera {
    fn drop(&mut self) {
        self.newest.stop();
    }
}

/// A camera as [`list`] sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    pub camera: Candidate,
    /// Sizes for each pixel format, such as `NV12: 640x360, 1280x720`.
    pub formats: Vec<String>,
}

/// The cameras that are connected, in the order in which [`Selection::Position`] counts them, and
/// libcamera's version.
///
/// # Errors
/// If libcamera does not start, or is in use by this program already.
pub fn list() -> Result<(Vec<Listed>, String), CameraError> {
    let broken = |trouble: super::newest::Trouble| trouble.into_error("libcamera".to_owned());
    let manager = Manager::start().map_err(broken)?;
    let cameras = manager.cameras().into_iter();
    let listed = cameras
        .map(|(candidate, camera)| Listed { camera: candidate, formats: device::formats(&camera) })
        .collect();
    Ok((listed, manager.version()))
}
