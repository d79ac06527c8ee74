//! Who may drive: one session at a time, whichever host or page it comes from.

use crate::bus::BusHandle;
use crate::session::{Outcome, Session, SessionContext, SessionInput};
use crate::signaling::Pulse;
use rccar_daemon::notify;
use rccar_protocol::signaling::{ByeReason, FromCar, IceServer, ToCar};
use rccar_protocol::text::{Name, SessionId};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

/// Where signaling comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Source {
    /// The signaling host.
    Host,
    /// The car's own page.
    Lan,
}

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

/// Messages of one session that wait for it. A browser sends some twenty candidates at once.
const SESSION_QUEUE: usize = 128;

/// Longest time that farewells may take when the program stops.
const FAREWELL: Duration = Duration::from_millis(500);

struct Running {
    source: Source,
    id: SessionId,
    inputs: mpsc::Sender<SessionInput>,
    task: JoinHandle<Outcome>,
    reachable: watch::Receiver<bool>,
    /// It was told to end and is closing its connection.
    ending: bool,
}

impl Running {
    fn end(&mut self, reason: ByeReason) {
        self.ending = true;
        if self.inputs.try_send(SessionInput::Bye(reason)).is_err() {
            // It does not even read its messages.
            self.task.abort();
        }
    }
}

/// A driver's wish for a session.
struct Wish {
    source: Source,
    session: SessionId,
    driver: Name,
    trickle: bool,
    ice_servers: Vec<IceServer>,
}

/// The agent: routes messages to the one session.
pub(crate) struct Agent {
    context: SessionContext,
    sources: BTreeMap<Source, Outgoing>,
    bus: BusHandle,
    running: Option<Running>,
    /// Waits for a session that is ending: a reloaded page asks again before its old connection is closed.
    next: Option<Wish>,
}

impl Agent {
    pub(crate) fn new(context: SessionContext, sources: BTreeMap<Source, Outgoing>, bus: BusHandle) -> Self {
        Self { context, sources, bus, running: None, next: None }
    }

    /// Runs until `stop` resolves; then ends the session and says good-bye.
    pub(crate) async fn run(mut self, mut incoming: mpsc::Receiver<Incoming>, stop: impl Future<Output = ()>) {
        tokio::pin!(stop);
        let mut restarts = RestartSignal::listen();
        // Fed from this loop: an agent that hangs is one that nobody can drive with.
        let mut watchdog = tokio::time::interval(notify::watchdog_interval().unwrap_or(Duration::from_secs(60)));
        loop {
            tokio::select! {
                biased;
                () = &mut stop => break,
                () = restarts.next() => {
                    if let Some(running) = &self.running {
                        // A full queue means that the session is busy with restarts already.
                        let _ = running.inputs.try_send(SessionInput::RestartHere);
                    }
                }
                outcome = ended(&mut self.running) => self.finish(outcome),
                _ = watchdog.tick() => notify::watchdog(),
                message = incoming.recv() => match message {
                    Some(Incoming { source, message }) => self.route(source, message),
                    None => break,
                },
            }
        }
        self.shut_down().await;
    }

    fn route(&mut self, source: Source, message: ToCar) {
        match message {
            ToCar::Connect { session, driver, trickle, ice_servers } => {
                self.connect(Wish { source, session, driver, trickle, ice_servers });
            }
            ToCar::Answer { session, generation, sdp } => {
                self.input(source, session, SessionInput::Answer { generation, sdp });
            }
            ToCar::Candidate { session, generation, candidate } => {
                self.input(source, session, SessionInput::Candidate { generation, candidate });
            }
            ToCar::Restart { session, ice_servers } => self.input(source, session, SessionInput::Restart { ice_servers }),
            ToCar::Bye { session, reason } => {
                self.next.take_if(|next| next.source == source && next.session == session);
                if matches!(reason, ByeReason::DriverGone | ByeReason::CarGone) {
                    // The session itself knows better whether its driver is gone.
                    return self.input(source, session, SessionInput::Bye(reason));
                }
                if let Some(running) = &mut self.running
                    && running.source == source
                    && running.id == session
                {
                    running.end(reason);
                }
            }
            ToCar::Access { token, ttl_s } if source == Source::Host => {
                self.bus.set_access(token, Duration::from_secs(ttl_s.into()));
            }
            ToCar::Release { version } if source == Source::Host => self.bus.nudge(version),
            ToCar::Install { version } if source == Source::Host => self.bus.wish(version),
            ToCar::Challenge { .. }
            | ToCar::Unclaimed {}
            | ToCar::Registered { .. }
            | ToCar::Access { .. }
            | ToCar::Release { .. }
            | ToCar::Install { .. }
            | ToCar::Error { .. }
            | ToCar::Pong { .. } => {
                tracing::debug!(?source, "message without a session ignored");
            }
        }
    }

    fn connect(&mut self, wish: Wish) {
        let Some(running) = &mut self.running else { return self.start(wish) };
        if !running.ending && !*running.reachable.borrow() {
            // Its driver cannot drive: whoever comes now can. Most often it is the same person after a crash.
            tracing::info!(session = %running.id, driver = %wish.driver, "replaced: its driver is not reachable");
            let bye = FromCar::Bye { session: running.id, reason: ByeReason::Replaced };
            let source = running.source;
            running.end(ByeReason::Replaced);
            self.say(source, bye);
            self.next = Some(wish);
        } else if running.ending && self.next.is_none() {
            self.next = Some(wish);
        } else {
            tracing::info!(driver = %wish.driver, driven_by = ?running.source, "refused a second driver");
            self.say(wish.source, FromCar::Bye { session: wish.session, reason: ByeReason::CarBusy });
        }
    }

    fn start(&mut self, wish: Wish) {
        let Wish { source, session, driver, trickle, ice_servers } = wish;
        let Some(back) = self.sources.get(&source).cloned() else { return };
        tracing::info!(%driver, ?source, %session, "a driver connects");
        let (inputs, queue) = mpsc::channel(SESSION_QUEUE);
        let run = Session::new(self.context.clone(), session, trickle, ice_servers, back, source);
        let reachable = run.reachable();
        let task = tokio::spawn(Box::pin(run.run(queue)));
        self.bus.set_in_session(true);
        self.running = Some(Running { source, id: session, inputs, task, reachable, ending: false });
    }

    fn input(&self, source: Source, session: SessionId, input: SessionInput) {
        match &self.running {
            Some(running) if running.source == source && running.id == session => {
                if running.inputs.try_send(input).is_err() {
                    tracing::warn!(%session, "message dropped: the session does not keep up");
                }
            }
            _ => self.say(source, FromCar::Bye { session, reason: ByeReason::CarLeft }),
        }
    }

    fn finish(&mut self, outcome: Outcome) {
        let Some(running) = self.running.take() else { return };
        self.context.drive.set_driven(false);
        self.bus.set_in_session(false);
        match outcome {
            Outcome::EndedByDriver(reason) => tracing::info!(session = %running.id, ?reason, "the session ended"),
            Outcome::EndedByCar(reason) => {
                tracing::info!(session = %running.id, ?reason, "the car ended the session");
                self.say(running.source, FromCar::Bye { session: running.id, reason });
            }
        }
        if let Some(next) = self.next.take() {
            self.start(next);
        }
    }

    fn say(&self, source: Source, message: FromCar) {
        if let Some(back) = self.sources.get(&source)
            && back.messages.try_send(message).is_err()
        {
            tracing::debug!(?source, "message dropped: no connection");
        }
    }

    async fn shut_down(mut self) {
        if let Some(next) = self.next.take() {
            self.say(next.source, FromCar::Bye { session: next.session, reason: ByeReason::Shutdown });
        }
        // The host first: a page whose connection closes before it has been told why would ask for the next session at once.
        if let Some(Running { source, id, .. }) = &self.running {
            tracing::info!(session = %id, "the session ends: the program stops");
            self.say(*source, FromCar::Bye { session: *id, reason: ByeReason::Shutdown });
        }
        self.farewells_sent().await;
        if let Some(running) = &self.running {
            // A session that does not listen is ended with the program.
            let _ = running.inputs.try_send(SessionInput::Shutdown);
            let _ = tokio::time::timeout(FAREWELL, ended(&mut self.running)).await;
            self.context.drive.set_driven(false);
            self.bus.set_in_session(false);
        }
    }

    /// The farewells have to get to the sockets before the runtime ends.
    async fn farewells_sent(&self) {
        for back in self.sources.values() {
            let sent = async {
                while *back.up.borrow() && back.messages.capacity() < back.messages.max_capacity() {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            };
            let _ = tokio::time::timeout(FAREWELL, sent).await;
        }
    }
}

/// `SIGUSR1` asks for an ICE restart by hand.
struct RestartSignal(Option<Signal>);

impl RestartSignal {
    fn listen() -> Self {
        Self(signal(SignalKind::user_defined1()).inspect_err(|error| tracing::warn!(%error, "cannot listen for SIGUSR1")).ok())
    }

    async fn next(&mut self) {
        match &mut self.0 {
            Some(signal) => {
                signal.recv().await;
            }
            None => std::future::pending().await,
        }
    }
}

/// Resolves when the running session has ended; never while there is none.
async fn ended(running: &mut Option<Running>) -> Outcome {
    match running {
        Some(running) => (&mut running.task).await.unwrap_or_else(|error| {
            tracing::error!(%error, "the session crashed");
            Outcome::EndedByCar(ByeReason::Internal)
        }),
        None => std::future::pending().await,
    }
}
