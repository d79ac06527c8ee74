//! The shell of the [`Lease`]: passes messages to the one session, and reports its end.

use crate::bus::BusHandle;
use crate::drive::DriveLink;
use crate::due::until;
use crate::messages::{Begin, Incoming, Outgoing, RunningSession};
use rccar_car_core::lease::{Effect, Event, Lease, Outcome, SessionInput, Source, Wish};
use rccar_causes::causes;
use rccar_daemon::{clock, notify};
use rccar_protocol::signaling::{ByeReason, FromCar, ToCar};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;

/// Longest time that the farewells to one source may take when the program stops.
const FAREWELL: Duration = Duration::from_millis(500);

pub(crate) struct LeaseKeeper {
    lease: Lease,
    begin: Begin,
    sources: BTreeMap<Source, Outgoing>,
    drive: DriveLink,
    bus: BusHandle,
    running: Option<RunningSession>,
}

impl LeaseKeeper {
    pub(crate) fn new(
        begin: Begin,
        sources: BTreeMap<Source, Outgoing>,
        drive: DriveLink,
        bus: BusHandle,
    ) -> Self {
        Self { lease: Lease::default(), begin, sources, drive, bus, running: None }
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
        loop {
            tokio::select! {
                biased;
                () = &mut stop, if !stopping => stopping = true,
                () = restarts.next() => self.lease.handle_restart_here(),
                outcome = ended(&mut self.running) => {
                    self.running = None;
                    self.lease.handle_ended(outcome);
                }
                () = until(self.lease.poll_timeout()) => self.lease.handle_timeout(clock::now()),
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
        match message {
            ToCar::Connect { session, driver, trickle, take, ice_servers } => {
                self.lease.handle_connect(
                    clock::now(),
                    Wish { source, session, driver, trickle, take, ice_servers },
                );
            }
            ToCar::Answer { session, generation, sdp } => {
                self.lease.handle_message(
                    source,
                    session,
                    SessionInput::Answer { generation, sdp },
                );
            }
            ToCar::Candidate { session, generation, candidate } => {
                self.lease.handle_message(
                    source,
                    session,
                    SessionInput::Candidate { generation, candidate },
                );
            }
            ToCar::Restart { session, ice_servers } => {
                self.lease.handle_message(source, session, SessionInput::Restart { ice_servers });
            }
            ToCar::IceServers { session, ice_servers } => {
                self.lease.handle_message(source, session, SessionInput::IceServers(ice_servers));
            }
            ToCar::Bye { session, reason } => {
                self.lease.handle_bye(clock::now(), source, session, reason)
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

    /// Does what the lease decided. True: the program may stop.
    async fn carry_out(&mut self) -> bool {
        loop {
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
        self.running = Some((self.begin)(wish, back));
        self.bus.set_in_session(true);
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
