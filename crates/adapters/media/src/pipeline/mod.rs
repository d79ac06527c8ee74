//! The thread between camera and network.
//!
//! ```text
//!            set_running(true): the next frame is a keyframe
//!        ┌────────┐ ────────────────────────────────► ┌─────────┐ ──┐ capture, encode unless the
//!        │  idle  │                                   │ running │   │ consumer is busy
//!        └────────┘ ◄──────────────────────────────── └─────────┘ ◄─┘
//!            set_running(false): the camera may switch off
//! ```
//!
//! A camera or encoder that fails is tried again, in growing intervals up to one second;
//! [`PipelineHandle::watch`] reports it. The thread ends when [`AccessUnits`] is dropped.

mod gate;
mod scaler;
mod stats;
mod worker;

use crate::camera::Camera;
use crate::clock;
use crate::encoder::Encoder;
use bytes::Bytes;
pub use gate::Gate;
use rccar_protocol::units::MonotonicMicros;
use stats::Counters;
pub use stats::PipelineStats;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;
use tokio::sync::{mpsc, watch};

/// An access unit that has waited longer than this for the consumer is dropped, and the next is a
/// keyframe. Three frames at 30 Hz.
pub const QUEUE_LIMIT: Duration = Duration::from_millis(100);

/// Starts the thread. It is idle until [`PipelineHandle::set_running`].
///
/// # Errors
/// If the system has no thread left.
pub fn start(
    camera: Box<dyn Camera>,
    encoder: Box<dyn Encoder>,
) -> io::Result<(PipelineHandle, AccessUnits)> {
    let (units_tx, units) = mpsc::channel(1);
    let shared = Arc::new(Shared {
        command: Mutex::new(Command { running: false, stopped: false, epoch: 0 }),
        changed: Condvar::new(),
        keyframe_wanted: AtomicBool::new(false),
        counters: Counters::default(),
        state: watch::Sender::new(PipelineState::Idle),
        gate: Mutex::default(),
    });
    let worker = worker::Worker::new(camera, encoder, units_tx, Arc::clone(&shared));
    thread::Builder::new().name("video".to_owned()).spawn(move || worker.run())?;
    Ok((
        PipelineHandle { shared: Arc::clone(&shared) },
        AccessUnits { units, shared, needs_keyframe: false },
    ))
}

/// One encoded frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessUnit {
    /// H.264 with start codes (ITU-T H.264 annex B).
    pub data: Bytes,
    /// When the camera captured the frame.
    pub captured_at: MonotonicMicros,
    pub encoded_at: MonotonicMicros,
    /// Whether decoding can begin here.
    pub keyframe: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PipelineState {
    /// Nobody watches.
    Idle,
    /// Frames come, or soon will.
    Running,
    /// No frames come, for this reason. The thread tries again.
    Failed(String),
}

/// Controls the thread. Clones control the same thread.
#[derive(Debug, Clone)]
pub struct PipelineHandle {
    shared: Arc<Shared>,
}

impl PipelineHandle {
    /// Captures and encodes, or rests. The first frame after a rest is a keyframe.
    pub fn set_running(&self, running: bool) {
        let mut command = self.shared.command();
        // A second `true` is no new start, and must not make old access units useless.
        if running && !command.running {
            command.epoch += 1;
        }
        command.running = running;
        self.shared.changed.notify_all();
    }

    /// Makes one of the next frames a keyframe. Requests are joined: they cause at most one
    /// keyframe in 200 ms.
    pub fn request_keyframe(&self) {
        self.shared.keyframe_wanted.store(true, Ordering::Relaxed);
    }

    /// Asks this gate before each frame, instead of the one before.
    pub fn set_gate(&self, gate: Arc<dyn Gate>) {
        *self.shared.gate.lock().unwrap_or_else(PoisonError::into_inner) = Some(gate);
    }

    /// Asks this gate no longer. Without one, every frame is encoded, at the rate as it is.
    pub fn remove_gate(&self, gate: &Arc<dyn Gate>) {
        let mut present = self.shared.gate.lock().unwrap_or_else(PoisonError::into_inner);
        // Another session may have set its own by now.
        present.take_if(|present| Arc::ptr_eq(present, gate));
    }

    #[must_use]
    pub fn watch(&self) -> watch::Receiver<PipelineState> {
        self.shared.state.subscribe()
    }

    #[must_use]
    pub fn stats(&self) -> PipelineStats {
        self.shared.counters.snapshot()
    }
}

/// The consumer's end. Dropping it ends the thread.
#[derive(Debug)]
pub struct AccessUnits {
    units: mpsc::Receiver<Queued>,
    shared: Arc<Shared>,
    /// An access unit was dropped: those that refer to it cannot be decoded.
    needs_keyframe: bool,
}

impl AccessUnits {
    /// The next access unit, `None` if the thread has died. Each can be decoded after those that
    /// were returned before it.
    ///
    /// While the last one has not been taken, frames are skipped, not queued. Cancel safe.
    pub async fn recv(&mut self) -> Option<AccessUnit> {
        loop {
            let Queued { unit, epoch } = self.units.recv().await?;
            let outdated = epoch != self.shared.command().epoch;
            let late = clock::now().since(unit.encoded_at) > QUEUE_LIMIT;
            if !outdated && !late && (unit.keyframe || !self.needs_keyframe) {
                self.needs_keyframe = false;
                return Some(unit);
            }
            self.needs_keyframe = true;
            self.shared.counters.dropped_late();
            if !outdated {
                // After a rest the thread makes a keyframe by itself.
                self.shared.keyframe_wanted.store(true, Ordering::Relaxed);
            }
        }
    }
}

impl Drop for AccessUnits {
    fn drop(&mut self) {
        self.shared.command().stopped = true;
        self.shared.changed.notify_all();
    }
}

#[derive(Debug)]
struct Queued {
    unit: AccessUnit,
    /// [`Command::epoch`] at its capture.
    epoch: u64,
}

#[derive(Debug)]
struct Shared {
    command: Mutex<Command>,
    changed: Condvar,
    keyframe_wanted: AtomicBool,
    counters: Counters,
    state: watch::Sender<PipelineState>,
    gate: Mutex<Option<Arc<dyn Gate>>>,
}

#[derive(Debug, Clone, Copy)]
struct Command {
    running: bool,
    stopped: bool,
    /// Counts the rests that have ended: access units from before the last rest must not reach the
    /// person who watches now.
    epoch: u64,
}

impl Shared {
    fn command(&self) -> MutexGuard<'_, Command> {
        // Flags cannot be left half-way by a panic.
        self.command.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn gate(&self) -> Option<Arc<dyn Gate>> {
        self.gate.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Publishes a state; whether it is a new one.
    fn set_state(&self, state: PipelineState) -> bool {
        self.state.send_if_modified(|current| {
            let changed = *current != state;
            *current = state;
            changed
        })
    }
}
