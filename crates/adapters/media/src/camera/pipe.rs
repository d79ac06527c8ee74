//! Frames from another program, through a pipe.
//!
//! The writer sends raw I420 frames without padding, one after the other. There are no marks
//! between frames: both sides must agree on size and format beforehand.
//!
//! * Capture time is the arrival of a frame's last byte: what happened before is not known here.
//! * A thread reads as fast as the writer writes. A caller that asks late gets the newest frame,
//!   and never one that is older than 200 ms.
//! * When the writer closes the pipe in the middle of a frame, that frame is discarded. The pipe is
//!   opened again, and the next writer starts with a whole frame. (A writer that takes over before
//!   the last one has closed continues its frame.)

mod assembler;
mod reader;

use super::newest::Newest;
use super::{Camera, CameraError};
use crate::frame::{I420Frame, VideoFormat};
use rccar_protocol::units::MonotonicMicros;
use std::fs;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A camera that reads raw frames from a named pipe or from standard input.
#[derive(Debug)]
pub struct PipeCamera {
    path: PathBuf,
    format: VideoFormat,
    newest: Arc<Newest>,
}

impl PipeCamera {
    /// Reads frames of `format` from the pipe at `path`; `-` is standard input. The pipe may come
    /// later, and so may its writer.
    ///
    /// # Errors
    /// If `path` exists and is no pipe, or if the system has no thread left.
    pub fn open(path: &Path, format: VideoFormat) -> Result<Self, CameraError> {
        let path =
            if path == Path::new("-") { PathBuf::from("/dev/stdin") } else { path.to_owned() };
        let broken = |reason: String| CameraError::Broken {
            source_name: path.display().to_string(),
            reason,
        };
        if let Ok(metadata) = fs::metadata(&path)
            && !metadata.file_type().is_fifo()
        {
            return Err(broken("it is no pipe (create one with mkfifo)".to_owned()));
        }
        let newest = Arc::new(Newest::new(format));
        reader::start(path.clone(), format, Arc::clone(&newest))
            .map_err(|error| broken(format!("cannot start a thread: {error}")))?;
        Ok(Self { path, format, newest })
    }
}

impl Camera for PipeCamera {
    fn format(&self) -> VideoFormat {
        self.format
    }

    fn next_frame(&mut self, frame: &mut I420Frame) -> Result<MonotonicMicros, CameraError> {
        self.newest
            .take(frame)
            .map_err(|trouble| trouble.into_error(self.path.display().to_string()))
    }
}

impl Drop for PipeCamera {
    fn drop(&mut self) {
        self.newest.stop();
    }
}
