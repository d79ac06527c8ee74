//! Between the camera's pipeline and the session that shows it.

use rccar_link::VideoSender;
use rccar_media::pipeline::{AccessUnits, PipelineHandle};
use rccar_protocol::events::Video;
use std::sync::Arc;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;

/// The camera, shared by all sessions one after the other.
#[derive(Clone)]
pub(crate) struct VideoHub {
    format: Video,
    handle: PipelineHandle,
    units: Arc<Mutex<AccessUnits>>,
}

impl VideoHub {
    pub(crate) fn new(format: Video, handle: PipelineHandle, units: AccessUnits) -> Self {
        Self { format, handle, units: Arc::new(Mutex::new(units)) }
    }

    /// Size and rate of the picture.
    pub(crate) fn format(&self) -> Video {
        self.format
    }

    /// Prepares to send the picture until the returned value is dropped.
    pub(crate) fn prepare(&self, sender: Arc<VideoSender>) -> Sending {
        let task = tokio::spawn(send(self.clone(), sender));
        Sending { handle: self.handle.clone(), task }
    }
}

/// A session's video; dropping it stops the camera.
pub(crate) struct Sending {
    handle: PipelineHandle,
    task: JoinHandle<()>,
}

impl Sending {
    /// There is a path: starts the camera, or goes on with a picture that needs no earlier one.
    pub(crate) fn begin(&self) {
        self.handle.set_running(true);
        self.handle.request_keyframe();
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        self.task.abort();
        self.handle.set_running(false);
    }
}

async fn send(hub: VideoHub, sender: Arc<VideoSender>) {
    let mut units = hub.units.lock().await;
    loop {
        tokio::select! {
            biased;
            unit = units.recv() => {
                let Some(unit) = unit else {
                    tracing::error!("the camera's pipeline has ended");
                    return;
                };
                if let Err(error) = sender.send(unit.data, unit.captured_at).await {
                    // The path has ended and nobody listens.
                    tracing::trace!(%error, "frame not sent");
                }
            }
            () = sender.keyframe_requested() => hub.handle.request_keyframe(),
        }
    }
}
