//! The machine: its state, its clock and its outputs. What it does with messages is in
//! `drivers.rs`, `cars.rs` and `session.rs`.

use crate::cars::Car;
use crate::drivers::Driver;
use crate::list::List;
use crate::prepared::PreparedSessions;
use crate::session::Farewell;
use crate::words::{CarConn, Close, DriverConn, Effect, Event};
use rccar_protocol::signaling::ByeReason;
use rccar_protocol::text::{CarId, Name, SessionId, Software};
use rccar_protocol::units::MonotonicMicros;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The host's own name and version, sent to drivers in `welcome`.
    pub software: Software,
    /// How long a session waits for an end whose socket broke.
    pub grace: Duration,
    /// How long a car may take from `connect` to its first offer.
    pub offer_timeout: Duration,
    /// Shortest time between two pushes of changes in the list.
    pub list_interval: Duration,
    /// Whether drives go on when this program stops: the car is another program, and page and car
    /// need nobody between them.
    pub drives_go_on: bool,
    /// Whether users see and drive only the cars to which they have a right. Otherwise all of them
    /// count as owners of every car.
    pub by_rights: bool,
    /// When the page of a driver who does nothing asks, if somebody waits. `None`: never.
    pub idle: Option<Duration>,
}

impl Options {
    /// The defaults: 15 s of grace, because a browser notices a changed network and reconnects
    /// within 10 s; 10 s for the offer, because a car that gathers all candidates first waits 5 s
    /// for its slowest STUN server; changes of the list at most every 200 ms, which people still
    /// take for "at once".
    #[must_use]
    pub fn new(software: Software) -> Self {
        Self {
            software,
            grace: Duration::from_secs(15),
            offer_timeout: Duration::from_secs(10),
            list_interval: Duration::from_millis(200),
            drives_go_on: false,
            by_rights: false,
            idle: None,
        }
    }
}

/// The machine. See the crate's documentation.
#[derive(Debug)]
pub struct Rooms {
    pub(crate) options: Options,
    pub(crate) cars: BTreeMap<CarId, Car>,
    pub(crate) car_conns: BTreeMap<CarConn, CarId>,
    pub(crate) drivers: BTreeMap<DriverConn, Driver>,
    /// The car of each session. Changes together with [`Car::session`], in `session.rs` only.
    pub(crate) sessions: BTreeMap<SessionId, CarId>,
    /// The session of each connection that drives. Changes together with `Session::driver`.
    pub(crate) driving: BTreeMap<DriverConn, SessionId>,
    /// The next deadline of each session that has one. Changes in `session.rs` only.
    pub(crate) due: BTreeSet<(MonotonicMicros, SessionId)>,
    pub(crate) prepared: PreparedSessions,
    pub(crate) list: List,
    pub(crate) admins: BTreeSet<Name>,
    /// The session that each page waits for. Changes together with `Session::waits`.
    pub(crate) waiting: BTreeMap<DriverConn, SessionId>,
    pub(crate) effects: VecDeque<Effect>,
    pub(crate) events: VecDeque<Event>,
}

impl Rooms {
    #[must_use]
    pub fn new(options: Options) -> Self {
        Self {
            options,
            cars: BTreeMap::new(),
            car_conns: BTreeMap::new(),
            drivers: BTreeMap::new(),
            sessions: BTreeMap::new(),
            driving: BTreeMap::new(),
            due: BTreeSet::new(),
            prepared: PreparedSessions::default(),
            list: List::default(),
            admins: BTreeSet::new(),
            waiting: BTreeMap::new(),
            effects: VecDeque::new(),
            events: VecDeque::new(),
        }
    }

    pub fn handle_timeout(&mut self, now: MonotonicMicros) {
        self.expire_sessions(now);
        self.expire_prepared(now);
        self.push_list(now);
    }

    /// When [`Self::handle_timeout`] has to be called; a time in the past means at once.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<MonotonicMicros> {
        let session = self.due.first().map(|&(due, _)| due);
        session.into_iter().chain(self.prepared.due()).chain(self.list.due()).min()
    }

    pub fn poll_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Includes sessions with an absent end.
    #[must_use]
    pub fn session_count(&self) -> usize {
        self.sessions.len()
    }

    /// The program stops: every connection is closed. Every session ends, unless
    /// [`Options::drives_go_on`]: then it is forgotten, without a word to its ends.
    pub fn handle_shutdown(&mut self, now: MonotonicMicros) {
        if self.options.drives_go_on {
            self.forget_sessions();
        }
        self.forget_prepared();
        for session in self.sessions.keys().copied().collect::<Vec<_>>() {
            self.end_session(now, session, &Farewell::both(ByeReason::Shutdown));
        }
        let drivers = std::mem::take(&mut self.drivers).into_keys();
        self.effects.extend(drivers.map(|conn| Effect::CloseDriver { conn, why: Close::Shutdown }));
        let cars = std::mem::take(&mut self.car_conns).into_keys();
        self.effects.extend(cars.map(|conn| Effect::CloseCar { conn, why: Close::Shutdown }));
        self.cars.values_mut().for_each(|car| car.conn = None);
        self.list.end();
    }
}
