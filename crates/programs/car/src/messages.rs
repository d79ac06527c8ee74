//! Types by which the parts of this program reach each other without knowing each other.

use rccar_car_core::lease::{Outcome, SessionInput, Source, Wish};
use rccar_daemon::clock;
use rccar_protocol::signaling::{FromCar, ToCar};
use rccar_protocol::units::MonotonicMicros;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::task::JoinHandle;

#[derive(Debug)]
pub(crate) struct Incoming {
    pub(crate) source: Source,
    pub(crate) message: ToCar,
}

/// The way back to the source of a message.
#[derive(Debug, Clone)]
pub(crate) struct Outgoing {
    pub(crate) messages: mpsc::Sender<FromCar>,
    /// Whether messages get through at present.
    pub(crate) up: watch::Receiver<bool>,
    /// Reports whether the host answers; `None` for the car's own page, which always does.
    pub(crate) pulse: Option<Pulse>,
}

pub(crate) struct RunningSession {
    pub(crate) inputs: mpsc::Sender<SessionInput>,
    /// Whether the driver is reachable, or may be about to become so for the first time.
    pub(crate) reachable: watch::Receiver<bool>,
    pub(crate) task: JoinHandle<Outcome>,
    /// Begins the drive of a session that is only prepared so far.
    pub(crate) begin: Option<oneshot::Sender<()>>,
}

/// When the drive of a session begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Start {
    Now,
    /// With [`RunningSession::begin`]. Until then only its connection is made.
    Later,
}

/// Opens a session; its answers go out over the given way.
pub(crate) type Open = Box<dyn Fn(Wish, Outgoing, Start) -> RunningSession + Send>;

/// Shows a session whether the host answers, and lets it ask the host. All clones share one state.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pulse {
    heard: Arc<AtomicU64>,
    questions: Arc<Notify>,
}

impl Pulse {
    /// When the host last sent anything.
    pub(crate) fn heard(&self) -> MonotonicMicros {
        MonotonicMicros(self.heard.load(Ordering::Relaxed))
    }

    /// Asks for a message to the host that it answers.
    pub(crate) fn ask(&self) {
        self.questions.notify_one();
    }

    /// Resolves when a session has called [`ask`](Self::ask).
    pub(crate) async fn asked(&self) {
        self.questions.notified().await;
    }

    /// Notes that the host has sent something just now.
    pub(crate) fn beat(&self) {
        self.heard.fetch_max(clock::now().0, Ordering::Relaxed);
    }
}
