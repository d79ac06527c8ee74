//! The lease decides who drives: one session at a time, whichever host or page it comes from.
//!
//! ```text
//!          connect: start              bye, or connect while its driver is unreachable
//!   FREE ───────────────────► DRIVEN ──────────────────────────────────────────► ENDING ─┐
//!    ▲                         │  ▲                                               │ │ ▲  │ 10 s:
//!    │ it ended                │  │ it ended, somebody waits: start               │ │ └──┘ abort
//!    ├─────────────────────────┘  └───────────────────────────────────────────────┘ │
//!    │ it ended, nobody waits                                                       │
//!    └──────────────────────────────────────────────────────────────────────────────┘
//!
//!   any ── shutdown ─► FAREWELLS ── they have left ─► CLOSING ── it ended, or 500 ms ─► FINISHED
//!                      bye shutdown: to the one who waits, then to the driver
//! ```
//!
//! A driver who connects while a session is ending waits for its end; there is room for one. The
//! owner, who takes the car back, ends whatever runs and waits in the place of anybody else.
//!
//! **There are never two running sessions, and a driver who was refused never moves the car:**
//! [`Effect::Start`] comes only when no session runs, and only messages with the name and the
//! source of the running session are passed to it. Anybody else gets an answer: `bye car-busy` to a
//! `connect`, `bye car-left` to any other message. Only the driver who waits may still renew the
//! ICE servers of the wish.
//!
//! In each state but FREE something is due. A session reports its end by itself, because its
//! [`recovery`](crate::recovery) never waits without a next look. A session that was asked to end
//! has a limit.

mod words;

pub use words::{Effect, Event, Outcome, SessionInput, Source, Wish};

use rccar_protocol::signaling::{ByeReason, FromCar};
use rccar_protocol::text::SessionId;
use rccar_protocol::units::MonotonicMicros;
use std::collections::VecDeque;
use std::time::Duration;

/// A session that was asked to end and has not ended within this time is stuck. Everything that it
/// may be waiting for takes less: 2 s for the names of ICE servers, 3 s for candidates, the end of
/// its connection.
pub const END_WITHIN: Duration = Duration::from_secs(10);
/// Longest time that the end of a session may take when the program stops.
pub const CLOSE_WITHIN: Duration = Duration::from_millis(500);

#[derive(Debug, Default)]
pub struct Lease {
    running: Option<Running>,
    /// Waits for the end of a session. A reloaded page asks again before its old connection is
    /// closed.
    next: Option<Wish>,
    stop: Option<Stop>,
    effects: VecDeque<Effect>,
    events: VecDeque<Event>,
}

#[derive(Debug)]
struct Running {
    source: Source,
    session: SessionId,
    reachable: bool,
    /// `None` until the session was asked to end.
    ending: Option<Ending>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    /// The session closes its connection. At this moment it is ended by force.
    Until(MonotonicMicros),
    Aborted,
}

/// How far the program has come with stopping.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stop {
    Farewells,
    Closing { until: MonotonicMicros },
    Finished,
}

impl Running {
    fn is(&self, source: Source, session: SessionId) -> bool {
        self.source == source && self.session == session
    }
}

impl Lease {
    /// The session that runs, if there is one, and where its driver comes from.
    #[must_use]
    pub fn running(&self) -> Option<(Source, SessionId)> {
        self.running.as_ref().map(|running| (running.source, running.session))
    }

    /// Whether somebody drives, or is about to. A session that is ending keeps nobody away.
    #[must_use]
    pub fn is_taken(&self) -> bool {
        let driven = self.running.as_ref().is_some_and(|running| running.ending.is_none());
        driven || self.next.is_some()
    }

    /// A driver wants a session.
    pub fn handle_connect(&mut self, now: MonotonicMicros, wish: Wish) {
        if self.stop.is_some() {
            return self.bye(wish.source, wish.session, ByeReason::Shutdown);
        }
        match &self.running {
            None => self.start(wish),
            Some(running) if running.ending.is_none() && (!running.reachable || wish.take) => {
                // Its driver cannot drive, and the one who comes now can. Most often it is the same
                // person after a crash. Or the owner wants the car.
                let reason = if wish.take { ByeReason::TakenBack } else { ByeReason::Replaced };
                let (source, session) = (running.source, running.session);
                self.events.push_back(Event::Replaced { session, driver: wish.driver.clone() });
                self.end(now, reason);
                self.bye(source, session, reason);
                self.next = Some(wish);
            }
            Some(running) if running.ending.is_some() && wish.take => {
                // Whoever waits waits in vain.
                if let Some(next) = self.next.replace(wish) {
                    self.bye(next.source, next.session, ByeReason::TakenBack);
                }
            }
            Some(running) if running.ending.is_some() && self.next.is_none() => {
                self.next = Some(wish)
            }
            Some(running) => {
                self.events
                    .push_back(Event::Refused { driver: wish.driver, driven_by: running.source });
                self.bye(wish.source, wish.session, ByeReason::CarBusy);
            }
        }
    }

    /// A message for a session, other than `connect` and `bye`.
    pub fn handle_message(&mut self, source: Source, session: SessionId, message: SessionInput) {
        if self.running.as_ref().is_some_and(|running| running.is(source, session)) {
            self.effects.push_back(Effect::Pass(message));
        } else if let Some(next) =
            self.next.as_mut().filter(|next| next.source == source && next.session == session)
        {
            // This session has sent no offer yet, so answers and candidates cannot belong to it.
            if let SessionInput::Restart { ice_servers } = message {
                next.ice_servers = ice_servers;
            }
        } else {
            self.bye(source, session, ByeReason::CarLeft);
        }
    }

    /// The other end of a session says good-bye, or its host does.
    pub fn handle_bye(
        &mut self,
        now: MonotonicMicros,
        source: Source,
        session: SessionId,
        reason: ByeReason,
    ) {
        self.next.take_if(|next| next.source == source && next.session == session);
        if matches!(reason, ByeReason::DriverGone | ByeReason::CarGone) {
            // The host lost the signaling connection. The peer connection may still work: the
            // session itself knows better whether its driver is gone.
            return self.handle_message(source, session, SessionInput::Bye(reason));
        }
        if self.running.as_ref().is_some_and(|running| running.is(source, session)) {
            self.end(now, reason);
        }
    }

    /// Somebody at the car wants another path to the driver.
    pub fn handle_restart_here(&mut self) {
        if self.running.is_some() {
            self.effects.push_back(Effect::Pass(SessionInput::RestartHere));
        }
    }

    /// Whether the driver of the running session is reachable. A session that is still connecting
    /// for the first time counts as reachable.
    pub fn handle_reachable(&mut self, reachable: bool) {
        if let Some(running) = &mut self.running {
            running.reachable = reachable;
        }
    }

    /// The running session has ended.
    pub fn handle_ended(&mut self, outcome: Outcome) {
        let Some(running) = self.running.take() else { return };
        self.effects.push_back(Effect::Vacate);
        if self.stop.is_some() {
            // Its `bye` was sent when the program began to stop.
            if matches!(self.stop, Some(Stop::Closing { .. })) {
                self.finish();
            }
            return;
        }
        self.events.push_back(Event::Ended { session: running.session, outcome });
        if let Outcome::EndedByCar(reason) = outcome {
            self.bye(running.source, running.session, reason);
        }
        if let Some(next) = self.next.take() {
            self.start(next);
        }
    }

    /// The program stops.
    pub fn handle_shutdown(&mut self) {
        if self.stop.is_some() {
            return;
        }
        self.stop = Some(Stop::Farewells);
        if let Some(next) = self.next.take() {
            self.bye(next.source, next.session, ByeReason::Shutdown);
        }
        // `bye` first, the connection later: a page whose connection closes before it knows why
        // would ask for the next session at once.
        if let Some((source, session)) = self.running() {
            self.events.push_back(Event::Stops { session });
            self.bye(source, session, ByeReason::Shutdown);
        }
        self.effects.push_back(Effect::SendFarewells);
    }

    /// The farewells were sent, or had their time.
    pub fn handle_farewells_sent(&mut self, now: MonotonicMicros) {
        if self.stop != Some(Stop::Farewells) {
            return;
        }
        if self.running.is_none() {
            return self.finish();
        }
        // A session that does not react is ended with the program.
        self.effects.push_back(Effect::Pass(SessionInput::Shutdown));
        self.stop = Some(Stop::Closing { until: now.plus(CLOSE_WITHIN) });
    }

    pub fn handle_timeout(&mut self, now: MonotonicMicros) {
        if let Some(Stop::Closing { until }) = self.stop
            && now >= until
        {
            self.running = None;
            self.effects.push_back(Effect::Vacate);
            return self.finish();
        }
        if let Some(running) = &mut self.running
            && let Some(Ending::Until(until)) = running.ending
            && now >= until
        {
            running.ending = Some(Ending::Aborted);
            self.effects.push_back(Effect::Abort);
        }
    }

    /// When to call [`Self::handle_timeout`] at the latest; `None` while time changes nothing.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<MonotonicMicros> {
        let stop = if let Some(Stop::Closing { until }) = self.stop { Some(until) } else { None };
        let ending = self.running.as_ref().and_then(|running| match running.ending {
            Some(Ending::Until(until)) => Some(until),
            Some(Ending::Aborted) | None => None,
        });
        [stop, ending].into_iter().flatten().min()
    }

    pub fn poll_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    fn start(&mut self, wish: Wish) {
        let Wish { source, session, .. } = wish;
        self.events.push_back(Event::Connects { driver: wish.driver.clone(), source, session });
        // Nobody may take the car from a driver whose session is only about to begin.
        self.running = Some(Running { source, session, reachable: true, ending: None });
        self.effects.push_back(Effect::Start(wish));
    }

    fn end(&mut self, now: MonotonicMicros, reason: ByeReason) {
        if let Some(running) = &mut self.running {
            // A second reason to end does not prolong the limit.
            running.ending.get_or_insert(Ending::Until(now.plus(END_WITHIN)));
            self.effects.push_back(Effect::End(reason));
        }
    }

    fn bye(&mut self, to: Source, session: SessionId, reason: ByeReason) {
        self.effects.push_back(Effect::Say { to, message: FromCar::Bye { session, reason } });
    }

    fn finish(&mut self) {
        self.stop = Some(Stop::Finished);
        self.effects.push_back(Effect::Finished);
    }
}
