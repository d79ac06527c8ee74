//! Brings the picture from the camera's pipeline to the session that sends it.

use crate::sizes;
use crate::steering::SharedSight;
use rccar_causes::causes;
use rccar_congestion::Ladder;
use rccar_daemon::clock;
use rccar_media::encoder::choice::Order;
use rccar_media::frame::VideoFormat;
use rccar_media::pipeline::{AccessUnits, Gate, PipelineHandle, PipelineState};
use rccar_peer::settings::Limits;
use rccar_peer::{Flow, Recorder, Traffic, VideoSender};
use rccar_protocol::events::Video;
use rccar_protocol::video::Level;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, PoisonError};
use std::time::Duration;
use tokio::sync::{Mutex, Notify, watch};
use tokio::task::JoinHandle;

/// The first rate of a session, before anything is known of its link.
const START_BPS: u32 = 500_000;
/// How often the log shows what was sent, at level DEBUG.
const TRAFFIC_EVERY: Duration = Duration::from_secs(5);

/// The camera. All sessions share it, one after the other.
#[derive(Clone)]
pub(crate) struct VideoHub {
    format: Video,
    order: Order,
    handle: PipelineHandle,
    /// Locked by the session, or the test, that receives frames.
    units: Arc<Mutex<AccessUnits>>,
    died: Arc<Notify>,
    dead: Arc<AtomicBool>,
    /// Number of sessions and tests that want frames. The camera runs while it is not 0.
    users: Arc<std::sync::Mutex<u32>>,
    recorder: Option<Recorder>,
}

impl VideoHub {
    pub(crate) fn new(
        format: Video,
        order: Order,
        handle: PipelineHandle,
        units: AccessUnits,
        recorder: Option<Recorder>,
    ) -> Self {
        Self {
            format,
            order,
            handle,
            units: Arc::new(Mutex::new(units)),
            died: Arc::default(),
            dead: Arc::default(),
            users: Arc::default(),
            recorder,
        }
    }

    /// Size and rate of the picture.
    pub(crate) fn format(&self) -> Video {
        self.format
    }

    /// H.264 level that a decoder of the picture needs.
    pub(crate) fn level(&self) -> Level {
        self.order.level
    }

    /// Between which rates the picture is sent.
    pub(crate) fn limits(&self) -> Limits {
        let Order { format, bitrate_kbps, .. } = self.order;
        let most_bps = bitrate_kbps.saturating_mul(1_000);
        Limits {
            least_bps: sizes::least_rate(format).min(most_bps),
            start_bps: START_BPS.min(most_bps),
            most_bps,
            fps: format.fps(),
        }
    }

    /// The trace of congestion control, if one is wanted.
    pub(crate) fn recorder(&self) -> Option<Recorder> {
        self.recorder.clone()
    }

    /// State of the camera's thread, with the reason if it gives no frames.
    pub(crate) fn watch(&self) -> watch::Receiver<PipelineState> {
        self.handle.watch()
    }

    /// Notified when the camera's thread has died.
    pub(crate) fn died(&self) -> Arc<Notify> {
        Arc::clone(&self.died)
    }

    pub(crate) fn is_dead(&self) -> bool {
        self.dead.load(Ordering::Relaxed)
    }

    /// Prepares to send the picture: [`Sending::begin`] starts it, dropping the value ends it.
    pub(crate) fn prepare(&self, sender: Arc<VideoSender>, sight: SharedSight) -> Sending {
        let flow = sender.flow();
        let ladder =
            std::sync::Mutex::new(sizes::ladder(self.order.format, self.limits().most_bps));
        let room: Arc<dyn Gate> = Arc::new(Room { flow: Arc::clone(&flow), ladder });
        let task = tokio::spawn(send(self.clone(), sender, sight));
        Sending { hub: self.clone(), flow, room, running: OnceLock::new(), task }
    }

    /// Frames encoded since the start.
    pub(crate) fn encoded(&self) -> u64 {
        self.handle.stats().encoded
    }

    /// Whether the camera gives a frame `within` this time. A running session is not disturbed: the
    /// test only watches whether frames are encoded for it.
    pub(crate) async fn test(&self, within: Duration) -> bool {
        let before = self.encoded();
        let frame = async {
            let Ok(mut units) = self.units.try_lock() else {
                while self.encoded() == before {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                return true;
            };
            let _running = Running::start(self);
            units.recv().await.is_some()
        };
        tokio::time::timeout(within, frame).await.unwrap_or(false)
    }
}

/// Lets the camera run until it is dropped.
struct Running {
    hub: VideoHub,
}

impl Running {
    fn start(hub: &VideoHub) -> Self {
        let mut users = hub.users.lock().unwrap_or_else(PoisonError::into_inner);
        *users += 1;
        hub.handle.set_running(true);
        Self { hub: hub.clone() }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let mut users = self.hub.users.lock().unwrap_or_else(PoisonError::into_inner);
        *users -= 1;
        // Still under the lock: a session that begins at this moment switches the camera on after
        // this, not before.
        if *users == 0 {
            self.hub.handle.set_running(false);
        }
    }
}

/// The room that a session's link has for the picture.
#[derive(Debug)]
struct Room {
    flow: Arc<Flow>,
    ladder: std::sync::Mutex<Ladder<VideoFormat>>,
}

impl Gate for Room {
    fn format(&self) -> VideoFormat {
        let mut ladder = self.ladder.lock().unwrap_or_else(PoisonError::into_inner);
        // The rate of a new path says nothing yet.
        if !self.flow.is_settled() {
            return ladder.present();
        }
        let fps = ladder.present().fps();
        ladder.handle_rate(clock::now(), self.flow.encoder_rate(), fps)
    }

    fn admit(&self, keyframe: bool) -> bool {
        self.flow.admit(keyframe)
    }

    fn rate(&self) -> u32 {
        self.flow.encoder_rate()
    }

    fn handle_encoded(&self, bytes: usize, keyframe: bool) {
        if keyframe {
            return;
        }
        let mut ladder = self.ladder.lock().unwrap_or_else(PoisonError::into_inner);
        let budget = self.flow.encoder_rate() / 8 / ladder.present().fps().max(1);
        ladder.handle_frame(u32::try_from(bytes).unwrap_or(u32::MAX), budget);
    }
}

/// A session's video; dropping it stops the camera.
pub(crate) struct Sending {
    hub: VideoHub,
    flow: Arc<Flow>,
    room: Arc<dyn Gate>,
    running: OnceLock<Running>,
    task: JoinHandle<()>,
}

impl Sending {
    /// Call this when there is a path, the first one or another: what is known of the link is void.
    pub(crate) fn handle_path(&self) {
        self.flow.handle_new_path();
    }

    /// Starts the camera, if it rests; a keyframe leaves at once.
    pub(crate) fn begin(&self) {
        self.running.get_or_init(|| {
            self.hub.handle.set_gate(Arc::clone(&self.room));
            Running::start(&self.hub)
        });
        // First the wish: the frame that is let through is to be the keyframe.
        self.hub.handle.request_keyframe();
        self.flow.let_one_through();
    }

    /// The next frame that the link has room for is a keyframe.
    pub(crate) fn refresh(&self) {
        self.hub.handle.request_keyframe();
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        self.task.abort();
        self.hub.handle.remove_gate(&self.room);
    }
}

async fn send(hub: VideoHub, sender: Arc<VideoSender>, sight: SharedSight) {
    let mut units = hub.units.lock().await;
    let mut traffic = tokio::time::interval(TRAFFIC_EVERY);
    loop {
        tokio::select! {
            biased;
            unit = units.recv() => {
                let Some(unit) = unit else {
                    hub.dead.store(true, Ordering::Relaxed);
                    hub.died.notify_one();
                    return;
                };
                // Before it is sent: the page may show it before the sending returns.
                sight.lock().unwrap_or_else(PoisonError::into_inner).handle_sent(unit.captured_at);
                if let Err(error) = sender.send(unit.data, unit.captured_at, unit.keyframe).await {
                    // Between two paths nobody listens: that is no fault.
                    tracing::trace!(error = %causes(&error), "frame not sent");
                }
            }
            () = sender.keyframe_requested() => hub.handle.request_keyframe(),
            _ = traffic.tick() => {
                let Traffic {
                    encoded_bytes,
                    first_bytes,
                    resent_bytes,
                    resent,
                    unanswered,
                    withheld,
                } = sender.traffic();
                let flow = sender.flow().insight();
                tracing::debug!(
                    encoded_bytes,
                    first_bytes,
                    resent_bytes,
                    resent,
                    unanswered,
                    withheld,
                    ?flow,
                    "video sent so far"
                );
            }
        }
    }
}
