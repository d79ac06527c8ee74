//! What drivers do.

use crate::list::Told;
use crate::rights::may_drive;
use crate::rooms::Rooms;
use crate::session::{Call, Farewell, said_by_an_end};
use crate::view::View;
use crate::words::{Close, DriverConn, Effect, Event};
use rccar_protocol::signaling::{ByeReason, CarRole, ErrorCode, FromDriver, ToCar, ToDriver};
use rccar_protocol::text::{CarId, Name, Note, SessionId};
use rccar_protocol::units::MonotonicMicros;
use std::collections::BTreeSet;

#[derive(Debug)]
pub(crate) struct Driver {
    pub(crate) user: Name,
    pub(crate) told: Told,
    /// Whether the page gets only those parts of the list that it asks for.
    pub(crate) parts: bool,
    /// The part that it has asked for.
    pub(crate) view: Option<View>,
}

impl Rooms {
    /// A driver who is signed in as `user` said `hello`. `parts`: the page speaks lists in parts,
    /// and asks for what it shows.
    pub fn handle_driver_joined(
        &mut self,
        now: MonotonicMicros,
        conn: DriverConn,
        user: Name,
        parts: bool,
    ) {
        let told = self.welcome(now, conn, &user, parts);
        self.drivers.insert(conn, Driver { user, told, parts, view: None });
    }

    /// `random` is fresh for each call: a new session's identifier is made of it.
    pub fn handle_driver(
        &mut self,
        now: MonotonicMicros,
        from: DriverConn,
        message: FromDriver,
        random: u64,
    ) {
        let Some(driver) = self.drivers.get(&from) else { return };
        match message {
            FromDriver::Hello { .. } => self.refuse_driver(
                from,
                ErrorCode::OutOfOrder,
                "hello was said already",
                None,
                None,
            ),
            FromDriver::Ping { id } => self.tell_driver(from, ToDriver::Pong { id }),
            FromDriver::List(wish) => self.look(now, from, wish),
            FromDriver::Connect { car, trickle, take } => {
                let user = driver.user.clone();
                self.connect(now, from, user, Call { car, trickle, take }, random);
            }
            FromDriver::Prepare { car } => {
                let user = driver.user.clone();
                self.prepare(now, from, user, car, random);
            }
            FromDriver::Answer { session, generation, sdp } => {
                self.relay_to_car(now, from, session, ToCar::Answer { session, generation, sdp });
            }
            FromDriver::Candidate { session, generation, candidate } => {
                self.relay_to_car(
                    now,
                    from,
                    session,
                    ToCar::Candidate { session, generation, candidate },
                );
            }
            FromDriver::Restart { session } => {
                self.relay_to_car(
                    now,
                    from,
                    session,
                    ToCar::Restart { session, ice_servers: Vec::new() },
                );
            }
            FromDriver::Bye { session, reason } => {
                let reason = said_by_an_end(reason, ByeReason::DriverLeft);
                if !self.end_prepared_by_driver(from, session, reason)
                    && self.may_drive(from, session)
                {
                    self.end_session(now, session, &Farewell::car_only(reason));
                }
            }
        }
    }

    /// A driver's connection is gone. Its session waits for the driver to come back.
    pub fn handle_driver_gone(&mut self, now: MonotonicMicros, conn: DriverConn) {
        if self.drivers.remove(&conn).is_none() {
            return;
        }
        self.stop_waiting(conn);
        self.leave_prepared(conn, ByeReason::DriverLeft);
        let back_by = now.plus(self.options.grace);
        let Some(id) = self.session_of_driver(conn) else { return };
        self.driving.remove(&conn);
        if let Some(session) = self.session_mut(id) {
            session.driver = None;
        }
        self.set_deadlines(id, |deadlines| deadlines.driver_back = Some(back_by));
        self.events.push_back(Event::DriverAway { session: id });
    }

    /// The driver signed out, or the account is gone: ends the session and the connection.
    pub fn handle_driver_revoked(&mut self, now: MonotonicMicros, conn: DriverConn) {
        if let Some(id) = self.session_of_driver(conn) {
            self.end_session(now, id, &Farewell::both(ByeReason::Revoked));
        }
        if self.drivers.remove(&conn).is_some() {
            self.stop_waiting(conn);
            self.leave_prepared(conn, ByeReason::Revoked);
            self.effects.push_back(Effect::CloseDriver { conn, why: Close::SignedOut });
        }
    }

    /// The sign-in of a session's driver ended. The driver may be away.
    pub fn handle_session_revoked(&mut self, now: MonotonicMicros, session: SessionId) {
        self.end_session(now, session, &Farewell::both(ByeReason::Revoked));
    }

    /// The account is gone: does [`Self::handle_driver_revoked`] for every connection of this
    /// user. Sessions whose driver is away end, too.
    pub fn handle_user_revoked(&mut self, now: MonotonicMicros, user: &Name) {
        let sessions: Vec<_> = self
            .live_sessions()
            .filter(|session| session.user == *user)
            .map(|session| session.id)
            .collect();
        sessions.into_iter().for_each(|session| {
            self.end_session(now, session, &Farewell::both(ByeReason::Revoked))
        });
        let conns: Vec<_> = self
            .drivers
            .iter()
            .filter(|(_, driver)| driver.user == *user)
            .map(|(&conn, _)| conn)
            .collect();
        conns.into_iter().for_each(|conn| self.handle_driver_revoked(now, conn));
    }

    /// All users who are connected or have a session.
    #[must_use]
    pub fn users(&self) -> BTreeSet<Name> {
        let driving = self.live_sessions().map(|session| &session.user);
        self.drivers.values().map(|driver| &driver.user).chain(driving).cloned().collect()
    }

    fn connect(
        &mut self,
        now: MonotonicMicros,
        from: DriverConn,
        user: Name,
        call: Call,
        random: u64,
    ) {
        let car = call.car.clone();
        let seen = self.cars.get(&car).and_then(|entry| {
            let role = self.asker(&user).role(entry)?;
            Some((entry, role))
        });
        let Some((entry, role)) = seen else {
            return self.refuse_driver(
                from,
                ErrorCode::NoSuchCar,
                "this host knows no such car",
                Some(car),
                None,
            );
        };
        if !may_drive(role) || (call.take && role != CarRole::Owner) {
            let text = match call.take {
                true => format!("only the owner of {} and admins may take it back", entry.name),
                false => format!("you may see {} and not drive it", entry.name),
            };
            return self.refuse_driver(from, ErrorCode::Forbidden, &text, Some(car), None);
        }
        if entry.conn.is_none() {
            let text = format!("{} is not connected", entry.name);
            return self.refuse_driver(from, ErrorCode::CarOffline, &text, Some(car), None);
        }
        let others = entry.session.as_ref().filter(|session| session.user != user);
        if let Some(session) = others.filter(|_| !call.take) {
            let id = session.id;
            let text = format!("{} drives {} right now", session.user, entry.name);
            self.refuse_driver(from, ErrorCode::CarBusy, &text, Some(car), None);
            return self.wait_for(from, user, id);
        }
        let taken = others.is_some();
        let old = entry.session.as_ref().map(|session| (session.id, session.driver));
        // A car with a prepared session has no other one.
        if call.trickle && !taken && self.begin_prepared(now, from, &car) {
            return;
        }
        // The old session still holds its identifier here, so the new one cannot get the same.
        let new = self.unused_session_id(random);
        if let Some((id, driver)) = old {
            let reason = if taken { ByeReason::TakenBack } else { ByeReason::Replaced };
            // The connection that asks knows that its old session ends.
            let to_driver = (driver != Some(from)).then_some(reason);
            let by = taken.then(|| user.clone());
            self.end_session(now, id, &Farewell { to_driver, to_car: Some(reason), by });
        }
        self.leave_other_car(now, from, None);
        self.begin_session(now, new, from, user, call);
    }

    fn relay_to_car(
        &mut self,
        now: MonotonicMicros,
        from: DriverConn,
        session: SessionId,
        message: ToCar,
    ) {
        if self.tell_preparing_car(from, session, &message) {
            return;
        }
        if !self.may_drive(from, session) {
            return self.refuse_driver(
                from,
                ErrorCode::NoSuchSession,
                "no such session, or it has ended",
                None,
                Some(session),
            );
        }
        self.adopt(now, from, session);
        self.tell_car_of(session, message);
    }

    /// Moves the session to the connection that names it, and delivers what waits for the driver.
    fn adopt(&mut self, now: MonotonicMicros, from: DriverConn, id: SessionId) {
        if self.session_mut(id).is_none_or(|session| session.driver == Some(from)) {
            return;
        }
        self.leave_other_car(now, from, Some(id));
        let Some(session) = self.session_mut(id) else { return };
        let before = session.driver.replace(from);
        let waiting = session.for_driver.take();
        if let Some(before) = before {
            self.driving.remove(&before);
            self.resume_list(now, before);
        }
        self.driving.insert(from, id);
        self.set_deadlines(id, |deadlines| deadlines.driver_back = None);
        for message in waiting {
            self.tell_driver(from, message);
        }
        self.events.push_back(Event::DriverBack { session: id });
    }

    /// Ends the session that this connection drives, unless it is `keep`.
    pub(crate) fn leave_other_car(
        &mut self,
        now: MonotonicMicros,
        from: DriverConn,
        keep: Option<SessionId>,
    ) {
        if let Some(other) = self.session_of_driver(from).filter(|&other| Some(other) != keep) {
            self.end_session(now, other, &Farewell::car_only(ByeReason::DriverLeft));
        }
    }

    /// A session belongs to a user; which connection speaks for it may change.
    fn may_drive(&mut self, from: DriverConn, session: SessionId) -> bool {
        let Some(user) = self.drivers.get(&from).map(|driver| driver.user.clone()) else {
            return false;
        };
        self.session_mut(session).is_some_and(|session| session.user == user)
    }

    pub(crate) fn refuse_driver(
        &mut self,
        to: DriverConn,
        code: ErrorCode,
        text: &str,
        car: Option<CarId>,
        session: Option<SessionId>,
    ) {
        self.tell_driver(to, ToDriver::Error { code, text: Note::lossy(text), car, session });
    }

    pub(crate) fn tell_driver(&mut self, to: DriverConn, message: ToDriver) {
        self.effects.push_back(Effect::ToDriver { to, message });
    }
}
