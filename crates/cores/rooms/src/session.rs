//! A session: how it begins, what happens while an end is absent, and how it ends.
//!
//! **No question about one session looks at the others**: `Rooms` knows the session of each
//! connection, and has all deadlines in the order of their time.

use crate::mailbox::Mailbox;
use crate::rooms::Rooms;
use crate::words::{DriverConn, Effect, Event};
use rccar_protocol::signaling::{ByeReason, ErrorCode, ToCar, ToDriver};
use rccar_protocol::text::{CarId, Name, SessionId};
use rccar_protocol::units::MonotonicMicros;

#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) id: SessionId,
    pub(crate) user: Name,
    /// `None` while the driver's socket is away.
    pub(crate) driver: Option<DriverConn>,
    pub(crate) deadlines: Deadlines,
    /// The page that was refused because of this session, and who looks at it.
    pub(crate) waits: Option<(DriverConn, Name)>,
    pub(crate) for_driver: Mailbox<ToDriver>,
    pub(crate) for_car: Mailbox<ToCar>,
}

#[derive(Debug, Default)]
pub(crate) struct Deadlines {
    /// By when the car must have sent its first offer.
    pub(crate) offer: Option<MonotonicMicros>,
    /// By when the driver must be back; `None` while it is there.
    pub(crate) driver_back: Option<MonotonicMicros>,
    /// By when the car must be back; `None` while it is there.
    pub(crate) car_back: Option<MonotonicMicros>,
}

impl Deadlines {
    pub(crate) fn next(&self) -> Option<MonotonicMicros> {
        [self.offer, self.driver_back, self.car_back].into_iter().flatten().min()
    }
}

/// Which ends get a `bye`, and with which reason. An end that asked for the end gets none, nor does
/// one that is not there.
pub(crate) struct Farewell {
    pub(crate) to_driver: Option<ByeReason>,
    pub(crate) to_car: Option<ByeReason>,
    /// Who took the car back.
    pub(crate) by: Option<Name>,
}

/// A driver's wish for a car.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) car: CarId,
    pub(crate) trickle: bool,
    /// From whoever drives it, here or unknown to this host.
    pub(crate) take: bool,
}

impl Farewell {
    pub(crate) fn both(reason: ByeReason) -> Self {
        Self { to_driver: Some(reason), to_car: Some(reason), by: None }
    }

    pub(crate) fn driver_only(reason: ByeReason) -> Self {
        Self { to_driver: Some(reason), to_car: None, by: None }
    }

    pub(crate) fn car_only(reason: ByeReason) -> Self {
        Self { to_driver: None, to_car: Some(reason), by: None }
    }
}

/// The reason of an end that says `bye`. That one of them is gone, so that the other may go on
/// without the host, only the host can say.
pub(crate) fn said_by_an_end(reason: ByeReason, instead: ByeReason) -> ByeReason {
    match reason {
        ByeReason::DriverGone | ByeReason::CarGone => instead,
        reason => reason,
    }
}

impl Rooms {
    pub(crate) fn begin_session(
        &mut self,
        now: MonotonicMicros,
        id: SessionId,
        from: DriverConn,
        user: Name,
        Call { car, trickle, take }: Call,
    ) {
        self.leave_prepared(from, ByeReason::DriverLeft);
        if let Some(conn) = self.cars.get(&car).and_then(|entry| entry.conn) {
            self.clear_prepared(conn);
        }
        let Some(entry) = self.cars.get_mut(&car) else { return };
        let offer_by = now.plus(self.options.offer_timeout);
        entry.session = Some(Box::new(Session {
            id,
            user: user.clone(),
            driver: Some(from),
            deadlines: Deadlines::default(),
            waits: None,
            for_driver: Mailbox::default(),
            for_car: Mailbox::default(),
        }));
        self.sessions.insert(id, car.clone());
        self.driving.insert(from, id);
        self.set_deadlines(id, |deadlines| deadlines.offer = Some(offer_by));
        self.tell_driver(
            from,
            ToDriver::Connecting { session: id, car: car.clone(), ice_servers: Vec::new() },
        );
        self.tell_car_of(
            id,
            ToCar::Connect {
                session: id,
                driver: user.clone(),
                trickle,
                take,
                ice_servers: Vec::new(),
            },
        );
        self.stop_waiting(from);
        self.tell_if_update_waits(id);
        self.list_changed(now, &car);
        self.events.push_back(Event::SessionStarted { session: id, car, user });
    }

    pub(crate) fn end_session(&mut self, now: MonotonicMicros, id: SessionId, farewell: &Farewell) {
        let Some(car) = self.sessions.remove(&id) else { return };
        let Some(entry) = self.cars.get_mut(&car) else { return };
        let Some(session) = entry.session.take() else { return };
        let conn = entry.conn;
        if let Some(due) = session.deadlines.next() {
            self.due.remove(&(due, id));
        }
        if let Some(driver) = session.driver {
            self.driving.remove(&driver);
        }
        if let Some((waits, _)) = &session.waits {
            self.waiting.remove(waits);
        }
        if let (Some(to), Some(reason)) = (session.driver, farewell.to_driver) {
            self.tell_driver(to, ToDriver::Bye { session: id, reason, by: farewell.by.clone() });
        }
        if let (Some(to), Some(reason)) = (conn, farewell.to_car) {
            self.effects
                .push_back(Effect::ToCar { to, message: ToCar::Bye { session: id, reason } });
        }
        let reason = farewell.to_car.or(farewell.to_driver).unwrap_or(ByeReason::Internal);
        // Its driver gets this, and all that has changed during the drive.
        self.list_changed(now, &car);
        self.events.push_back(Event::SessionEnded { session: id, car, user: session.user, reason });
    }

    /// As a kill of this program forgets them.
    pub(crate) fn forget_sessions(&mut self) {
        for car in std::mem::take(&mut self.sessions).into_values() {
            if let Some(entry) = self.cars.get_mut(&car) {
                entry.session = None;
            }
        }
        self.driving.clear();
        self.waiting.clear();
        self.due.clear();
    }

    pub(crate) fn session_mut(&mut self, id: SessionId) -> Option<&mut Session> {
        let car = self.sessions.get(&id)?;
        self.cars.get_mut(car)?.session.as_deref_mut()
    }

    /// Changes the deadlines of a session, and what is due next with them.
    pub(crate) fn set_deadlines(&mut self, id: SessionId, set: impl FnOnce(&mut Deadlines)) {
        let Some(session) = self.session_mut(id) else { return };
        let before = session.deadlines.next();
        set(&mut session.deadlines);
        let after = session.deadlines.next();
        if let Some(before) = before {
            self.due.remove(&(before, id));
        }
        if let Some(after) = after {
            self.due.insert((after, id));
        }
    }

    /// All sessions, those with an absent end included.
    pub(crate) fn live_sessions(&self) -> impl Iterator<Item = &Session> {
        self.sessions.values().filter_map(|car| self.cars.get(car)?.session.as_deref())
    }

    pub(crate) fn session_of_driver(&self, conn: DriverConn) -> Option<SessionId> {
        self.driving.get(&conn).copied()
    }

    /// Sends to the driver of a session, now or when it is back.
    pub(crate) fn tell_driver_of(&mut self, id: SessionId, message: ToDriver) {
        let Some(session) = self.session_mut(id) else { return };
        match session.driver {
            Some(to) => self.tell_driver(to, message),
            None => session.for_driver.put(message),
        }
    }

    /// Sends to the car of a session, now or when it is back.
    pub(crate) fn tell_car_of(&mut self, id: SessionId, message: ToCar) {
        let Some(car) = self.sessions.get(&id).and_then(|car| self.cars.get_mut(car)) else {
            return;
        };
        match (car.conn, &mut car.session) {
            (Some(to), _) => self.effects.push_back(Effect::ToCar { to, message }),
            (None, Some(session)) => session.for_car.put(message),
            (None, None) => {}
        }
    }

    /// Ends the sessions with a deadline that has passed.
    pub(crate) fn expire_sessions(&mut self, now: MonotonicMicros) {
        let passed =
            |deadline: Option<MonotonicMicros>| deadline.is_some_and(|deadline| deadline <= now);
        while let Some(&(due, id)) = self.due.first()
            && due <= now
        {
            // Taken off first: a deadline is looked at once, whatever becomes of its session.
            self.due.pop_first();
            let Some(car) = self.sessions.get(&id).cloned() else { continue };
            let Some(session) = self.session_mut(id) else { continue };
            let (driver, no_offer) = (session.driver, passed(session.deadlines.offer));
            if passed(session.deadlines.driver_back) {
                self.end_session(now, id, &Farewell::car_only(ByeReason::DriverGone));
                continue;
            }
            if let (true, Some(to)) = (no_offer, driver) {
                let text = "the car did not answer in time";
                self.refuse_driver(to, ErrorCode::Timeout, text, Some(car), Some(id));
            }
            self.end_session(now, id, &Farewell::both(ByeReason::CarGone));
        }
    }

    pub(crate) fn unused_session_id(&self, random: u64) -> SessionId {
        let mut id = SessionId::from_random(random);
        while self.sessions.contains_key(&id) || self.prepared.contains(id) {
            id = SessionId::from_random(id.0.get().wrapping_add(1));
        }
        id
    }
}
