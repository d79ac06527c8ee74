//! The shell of the [`Lease`] and of the [`Prepared`] sessions: passes messages to the one session
//! that drives, or to one that is prepared, and reports its end.

use crate::bus::BusHandle;
use crate::drive::DriveLink;
use crate::due::until;
use crate::messages::{Incoming, Open, Outgoing, RunningSession, Start};
use rccar_car_core::lease::{Effect, Event, Lease, Outcome, SessionInput, Source, Wish};
use rccar_car_core::prepared::{self, Key, Prepared};
use rccar_causes::causes;
use rccar_daemon::{clock, notify};
use rccar_protocol::signaling::{ByeReason, FromCar, ToCar};
use rccar_protocol::text::SessionId;
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{mpsc, watch};

/// Longest time that the farewells to one source may take when the program stops.
const FAREWELL: Duration = Duration::from_millis(500);

pub(crate) struct LeaseKeeper {
    lease: Lease,
    prepared: Prepared,
    open: Open,
    sources: BTreeMap<Source, Outgoing>,
    drive: DriveLink,
    bus: BusHandle,
    running: Option<RunningSession>,
    /// Those of [`Prepared`].
    waiting: BTreeMap<Key, RunningSession>,
}

impl LeaseKeeper {
    pub(crate) fn new(
        open: Open,
        sources: BTreeMap<Source, Outgoing>,
        drive: DriveLink,
        bus: BusHandle,
    ) -> Self {
        Self {
            lease: Lease::default(),
            prepared: Prepared::default(),
            open,
            sources,
            drive,
            bus,
            running: None,
            waiting: BTreeMap::new(),
        }
    }

    /// Runs until `stop` resolves; then ends the session and says good-bye.
    pub(crate) async fn run(
        mut self,
        mut incoming: mpsc::Receiver<Incoming>,
        stop: impl Future<Output = ()>,
    ) {
        tokio::pin!(stop);
        let mut stopping = false;
        let mut restarts = RestartSignal::listen();
        // This loop feeds the watchdog, because nobody can drive a car whose loop hangs here.
        let mut watchdog =
            tokio::time::interval(notify::watchdog_interval().unwrap_or(Duration::from_secs(60)));
        let mut ups: Vec<_> =
            self.sources.iter().map(|(&source, back)| (source, back.up.clone())).collect();
        loop {
            let due = [self.lease.poll_timeout(), self.prepared.poll_timeout()];
            let due = due.into_iter().flatten().min();
            tokio::select! {
                biased;
                () = &mut stop, if !stopping => stopping = true,
                () = restarts.next() => self.lease.handle_restart_here(),
                outcome = ended(&mut self.running) => {
                    self.running = None;
                    self.lease.handle_ended(outcome);
                }
                () = until(due) => {
                    self.lease.handle_timeout(clock::now());
                    self.prepared.handle_timeout(clock::now());
                }
                key = one_ended(&mut self.waiting) => {
                    self.waiting.remove(&key);
                    self.prepared.handle_ended(key);
                }
                lost = lost(&mut ups) => self.prepared.handle_lost(lost),
                _ = watchdog.tick() => notify::watchdog(),
                message = incoming.recv(), if !stopping => match message {
                    Some(Incoming { source, message }) => self.route(source, message),
                    None => stopping = true,
                },
            }
            if stopping {
                self.lease.handle_shutdown();
            }
            if self.carry_out().await {
                return;
            }
        }
    }

    fn route(&mut self, source: Source, message: ToCar) {
        // First, because the lease refuses a second driver only while the first one is reachable.
        if let Some(running) = &self.running {
            self.lease.handle_reachable(*running.reachable.borrow());
        }
        let now = clock::now();
        match message {
            ToCar::Prepare { session, driver, ice_servers } => {
                let driven = self.lease.is_taken();
                let wish =
                    Wish { source, session, driver, trickle: true, take: false, ice_servers };
                self.prepared.handle_prepare(now, wish, driven);
            }
            ToCar::Connect { session, .. } if self.prepared.handle_connect((source, session)) => {}
            ToCar::Connect { session, driver, trickle, take, ice_servers } => {
                self.lease.handle_connect(
                    now,
                    Wish { source, session, driver, trickle, take, ice_servers },
                );
            }
            ToCar::Answer { session, generation, sdp } => {
                self.pass_on(source, session, SessionInput::Answer { generation, sdp });
            }
            ToCar::Candidate { session, generation, candidate } => {
                self.pass_on(source, session, SessionInput::Candidate { generation, candidate });
            }
            ToCar::Restart { session, ice_servers } => {
                self.pass_on(source, session, SessionInput::Restart { ice_servers });
            }
            ToCar::IceServers { session, ice_servers } => {
                self.pass_on(source, session, SessionInput::IceServers(ice_servers));
            }
            ToCar::Bye { session, reason } => {
                self.prepared.handle_bye((source, session));
                self.lease.handle_bye(now, source, session, reason);
            }
            ToCar::Access { token, ttl_s } if source == Source::Host => {
                self.bus.set_access(token, Duration::from_secs(ttl_s.into()));
            }
            ToCar::Release { version } if source == Source::Host => {
                self.bus.announce_release(version)
            }
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

    fn pass_on(&mut self, source: Source, session: SessionId, input: SessionInput) {
        if !self.prepared.handle_message((source, session), &input) {
            self.lease.handle_message(source, session, input);
        }
    }

    /// Does what was decided. True: the program may stop.
    async fn carry_out(&mut self) -> bool {
        loop {
            self.carry_out_prepared();
            while let Some(event) = self.lease.poll_event() {
                log(&event);
            }
            let Some(effect) = self.lease.poll_effect() else { return false };
            match effect {
                Effect::Start(wish) => self.start(wish),
                Effect::Pass(input) => self.pass(input),
                Effect::End(reason) => {
                    if let Some(running) = &self.running
                        && running.inputs.try_send(SessionInput::Bye(reason)).is_err()
                    {
                        // The session does not even read its messages.
                        running.task.abort();
                    }
                }
                Effect::Abort => {
                    if let Some(running) = &self.running {
                        tracing::warn!("the session was told to end and has not");
                        running.task.abort();
                    }
                }
                Effect::Vacate => {
                    self.drive.set_driven(false);
                    self.bus.set_in_session(false);
                }
                Effect::Say { to, message } => self.say(to, message),
                Effect::SendFarewells => {
                    self.farewells_sent().await;
                    self.lease.handle_farewells_sent(clock::now());
                }
                Effect::Finished => return true,
            }
        }
    }

    fn start(&mut self, wish: Wish) {
        let Some(back) = self.sources.get(&wish.source).cloned() else {
            return self.lease.handle_ended(Outcome::EndedByCar(ByeReason::Internal));
        };
        let key = (wish.source, wish.session);
        let prepared = self.prepared.handle_start(key).then(|| self.waiting.remove(&key)).flatten();
        let mut session = prepared.unwrap_or_else(|| (self.open)(wish, back, Start::Now));
        if let Some(begin) = session.begin.take() {
            // An error means that it has just ended, which `ended` reports.
            let _ = begin.send(());
        }
        self.running = Some(session);
        self.bus.set_in_session(true);
    }

    fn carry_out_prepared(&mut self) {
        while let Some(effect) = self.prepared.poll_effect() {
            match effect {
                prepared::Effect::Open(wish) => {
                    let key = (wish.source, wish.session);
                    match self.sources.get(&wish.source).cloned() {
                        Some(back) => {
                            let session = (self.open)(wish, back, Start::Later);
                            self.waiting.insert(key, session);
                        }
                        None => self.prepared.handle_ended(key),
                    }
                }
                prepared::Effect::Pass { key, input } => {
                    let session = self.waiting.get(&key);
                    if session.is_some_and(|session| session.inputs.try_send(input).is_err()) {
                        tracing::debug!(session = %key.1, "message of a prepared session dropped");
                    }
                }
                prepared::Effect::Close(key) => {
                    if let Some(session) = self.waiting.remove(&key) {
                        // What it holds goes with its task.
                        session.task.abort();
                    }
                }
                prepared::Effect::Say { to, message } => self.say(to, message),
            }
        }
    }

    fn pass(&self, input: SessionInput) {
        let Some(running) = &self.running else { return };
        // Losing these two does no harm: behind a full queue the session is busy anyway, and a
        // session that does not listen ends with the program.
        let matters = !matches!(input, SessionInput::RestartHere | SessionInput::Shutdown);
        if running.inputs.try_send(input).is_err()
            && matters
            && let Some((_, session)) = self.lease.running()
        {
            tracing::warn!(%session, "message dropped: the session does not keep up");
        }
    }

    fn say(&self, source: Source, message: FromCar) {
        if let Some(back) = self.sources.get(&source)
            && back.messages.try_send(message).is_err()
        {
            tracing::debug!(?source, "message dropped: no connection");
        }
    }

    /// Waits until the farewells are in the sockets: they would be lost if the runtime ended first.
    async fn farewells_sent(&self) {
        for back in self.sources.values() {
            let sent = async {
                while *back.up.borrow() && back.messages.capacity() < back.messages.max_capacity() {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                // The last message has left the queue, but perhaps not the program.
                tokio::time::sleep(Duration::from_millis(20)).await;
            };
            let _ = tokio::time::timeout(FAREWELL, sent).await;
        }
    }
}

fn log(event: &Event) {
    match event {
        Event::Connects { driver, source, session } => {
            tracing::info!(%driver, ?source, %session, "a driver connects")
        }
        Event::Replaced { session, driver } => {
            tracing::info!(%session, %driver, "replaced: its driver is away, or the owner takes the car")
        }
        Event::Refused { driver, driven_by } => {
            tracing::info!(%driver, ?driven_by, "refused a second driver")
        }
        Event::Ended { session, outcome: Outcome::EndedByDriver(reason) } => {
            tracing::info!(%session, ?reason, "the session ended")
        }
        Event::Ended { session, outcome: Outcome::EndedByCar(reason) } => {
            tracing::info!(%session, ?reason, "the car ended the session");
        }
        Event::Stops { session } => tracing::info!(%session, "the session ends: the program stops"),
    }
}

/// A person asks for an ICE restart with `SIGUSR1`.
struct RestartSignal(Option<Signal>);

impl RestartSignal {
    fn listen() -> Self {
        Self(
            signal(SignalKind::user_defined1())
                .inspect_err(
                    |error| tracing::warn!(error = %causes(error), "cannot listen for SIGUSR1"),
                )
                .ok(),
        )
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

/// Resolves when a prepared session has ended by itself.
async fn one_ended(waiting: &mut BTreeMap<Key, RunningSession>) -> Key {
    poll_fn(|context| {
        let ended = waiting.iter_mut().find_map(|(key, session)| {
            Pin::new(&mut session.task).poll(context).is_ready().then_some(*key)
        });
        ended.map_or(Poll::Pending, Poll::Ready)
    })
    .await
}

/// Resolves when the way to a source is lost.
async fn lost(ups: &mut [(Source, watch::Receiver<bool>)]) -> Source {
    let waits = ups.iter_mut().map(|(source, up)| {
        Box::pin(async move {
            loop {
                if up.changed().await.is_err() {
                    // Its task has ended with the program.
                    std::future::pending::<()>().await;
                }
                if !*up.borrow_and_update() {
                    return *source;
                }
            }
        })
    });
    let waits: Vec<_> = waits.collect();
    if waits.is_empty() {
        return std::future::pending().await;
    }
    futures_util::future::select_all(waits).await.0
}

/// Resolves when the running session has ended; never while there is none.
async fn ended(running: &mut Option<RunningSession>) -> Outcome {
    match running {
        Some(running) => (&mut running.task).await.unwrap_or_else(|error| {
            tracing::error!(error = %causes(&error), "the session crashed");
            Outcome::EndedByCar(ByeReason::Internal)
        }),
        None => std::future::pending().await,
    }
}
