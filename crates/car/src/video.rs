//! Between the camera's pipeline and the session that shows it.

use rccar_link::VideoSender;
use rccar_media::pipeline::{AccessUnits, PipelineHandle, PipelineState};
use rccar_protocol::events::Video;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::{Mutex, Notify, watch};
use tokio::task::JoinHandle;

/// The camera, shared by all sessions one after the other.
#[derive(Clone)]
pub(crate) struct VideoHub {
    format: Video,
    handle: PipelineHandle,
    units: Arc<Mutex<AccessUnits>>,
    died: Arc<Notify>,
    dead: Arc<AtomicBool>,
}

impl VideoHub {
    pub(crate) fn new(format: Video, handle: PipelineHandle, units: AccessUnits) -> Self {
        Self { format, handle, units: Arc::new(Mutex::new(units)), died: Arc::default(), dead: Arc::default() }
    }

    /// Size and rate of the picture.
    pub(crate) fn format(&self) -> Video {
        self.format
    }

    /// Follows whether the camera gives frames.
    pub(crate) fn watch(&self) -> watch::Receiver<PipelineState> {
        self.handle.watch()
    }

    /// Notified when the camera's thread has died.
    pub(crate) fn died(&self) -> Arc<Notify> {
        Arc::clone(&self.died)
    }

    /// Whether the camera's thread has died.
    pub(crate) fn is_dead(&self) -> bool {
        self.dead.load(Ordering::Relaxed)
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
                    hub.dead.store(true, Ordering::Relaxed);
                    hub.died.notify_one();
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
