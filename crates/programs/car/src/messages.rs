//! How the parts of this program reach each other without knowing each other.

use rccar_car_core::lease::{Outcome, SessionInput, Source, Wish};
use rccar_daemon::clock;
use rccar_protocol::signaling::{FromCar, ToCar};
use rccar_protocol::units::MonotonicMicros;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinHandle;

/// A message and where it came from.
#[derive(Debug)]
pub(crate) struct Incoming {
    pub(crate) source: Source,
    pub(crate) message: ToCar,
}

/// The way back to a source.
#[derive(Debug, Clone)]
pub(crate) struct Outgoing {
    pub(crate) messages: mpsc::Sender<FromCar>,
    /// Whether messages get through at present.
    pub(crate) up: watch::Receiver<bool>,
    /// Whether the other end answers; `None` if that is this car itself.
    pub(crate) pulse: Option<Pulse>,
}

/// A session that runs in a task of its own.
pub(crate) struct RunningSession {
    pub(crate) inputs: mpsc::Sender<SessionInput>,
    pub(crate) reachable: watch::Receiver<bool>,
    pub(crate) task: JoinHandle<Outcome>,
}

/// Begins a session that answers over the given way.
pub(crate) type Begin = Box<dyn Fn(Wish, Outgoing) -> RunningSession + Send>;

/// Whether a host answers, for whoever wants to know it soon. Clones are the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pulse {
    heard: Arc<AtomicU64>,
    questions: Arc<Notify>,
}

impl Pulse {
    /// When it last said anything.
    pub(crate) fn heard(&self) -> MonotonicMicros {
        MonotonicMicros(self.heard.load(Ordering::Relaxed))
    }

    /// Sends it something that it answers.
    pub(crate) fn ask(&self) {
        self.questions.notify_one();
    }

    /// Somebody asks.
    pub(crate) async fn asked(&self) {
        self.questions.notified().await;
    }

    /// It said something.
    pub(crate) fn beat(&self) {
        self.heard.fetch_max(clock::now().0, Ordering::Relaxed);
    }
}
