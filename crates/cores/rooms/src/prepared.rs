//! Prepared sessions: a driver who may want a car soon exchanges offer, answer and candidates with
//! it, so that the way is there when the session begins.
//!
//! ```text
//!            prepare (car free)                connect (the same page)
//!   (none) ─────────────────────► PREPARED ───────────────────────────► a session of `session.rs`
//!                                    │ bye, 30 s, an end's socket is lost,
//!                                    │ another session of the car begins
//!                                    ▼
//!                                 forgotten, with a `bye` to each end that is still there
//! ```
//!
//! **It takes nobody's place**: the car stays free and the list does not change. What it costs the
//! car is limited: [`MOST`] at once, a new one every [`GAP`], one of each page.

use crate::rights::may_drive;
use crate::rooms::Rooms;
use crate::session::{Call, Farewell};
use crate::words::{CarConn, DriverConn, Effect, Event};
use rccar_protocol::signaling::{ByeReason, ToCar, ToDriver};
use rccar_protocol::text::{CarId, Name, SessionId};
use rccar_protocol::units::MonotonicMicros;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Prepared sessions of one car: a second person may look at it, too.
pub const MOST: usize = 2;
/// How long one is kept: a driver who looks at a list for longer asks again when a hand moves to
/// the car. A relay keeps a place for each so long.
pub const LIFE: Duration = Duration::from_secs(30);
/// Shortest time between two at one car: each costs it sockets and some milliseconds.
pub const GAP: Duration = Duration::from_secs(1);

/// All prepared sessions. **No question about one looks at the others.**
#[derive(Debug, Default)]
pub(crate) struct PreparedSessions {
    all: BTreeMap<SessionId, Prepared>,
    of_drivers: BTreeMap<DriverConn, SessionId>,
    /// Cars that are connected and speak them.
    of_cars: BTreeMap<CarConn, Preparing>,
    due: BTreeSet<(MonotonicMicros, SessionId)>,
}

#[derive(Debug)]
struct Prepared {
    driver: DriverConn,
    user: Name,
    car: CarId,
    conn: CarConn,
    until: MonotonicMicros,
    /// The car's offer has come.
    offered: bool,
}

#[derive(Debug, Default)]
struct Preparing {
    sessions: BTreeSet<SessionId>,
    next_from: MonotonicMicros,
}

impl PreparedSessions {
    pub(crate) fn contains(&self, id: SessionId) -> bool {
        self.all.contains_key(&id)
    }

    pub(crate) fn due(&self) -> Option<MonotonicMicros> {
        self.due.first().map(|&(due, _)| due)
    }

    fn insert(&mut self, id: SessionId, prepared: Prepared) {
        self.of_drivers.insert(prepared.driver, id);
        if let Some(preparing) = self.of_cars.get_mut(&prepared.conn) {
            preparing.sessions.insert(id);
        }
        self.due.insert((prepared.until, id));
        self.all.insert(id, prepared);
    }

    fn remove(&mut self, id: SessionId) -> Option<Prepared> {
        let prepared = self.all.remove(&id)?;
        self.due.remove(&(prepared.until, id));
        self.of_drivers.remove(&prepared.driver);
        if let Some(preparing) = self.of_cars.get_mut(&prepared.conn) {
            preparing.sessions.remove(&id);
        }
        Some(prepared)
    }
}

impl Rooms {
    /// A car that has [joined](Self::handle_car_joined) speaks prepared sessions.
    pub fn handle_car_prepares(&mut self, conn: CarConn) {
        if self.car_conns.contains_key(&conn) {
            self.prepared.of_cars.entry(conn).or_default();
        }
    }

    #[must_use]
    pub fn prepared_count(&self) -> usize {
        self.prepared.all.len()
    }

    /// Refuses in silence: nobody waits for this.
    pub(crate) fn prepare(
        &mut self,
        now: MonotonicMicros,
        from: DriverConn,
        user: Name,
        car: CarId,
        random: u64,
    ) {
        if self.session_of_driver(from).is_some() {
            return;
        }
        let Some(entry) = self.cars.get(&car) else { return };
        if !self.asker(&user).role(entry).is_some_and(may_drive) {
            return;
        }
        let (Some(conn), true) = (entry.conn, entry.session.is_none()) else { return };
        self.leave_prepared(from, ByeReason::DriverLeft);
        let new = self.unused_session_id(random);
        let Some(preparing) = self.prepared.of_cars.get_mut(&conn) else { return };
        if preparing.sessions.len() >= MOST || now < preparing.next_from {
            return;
        }
        preparing.next_from = now.plus(GAP);
        let until = now.plus(LIFE);
        let prepared =
            Prepared { driver: from, user: user.clone(), car, conn, until, offered: false };
        let car = prepared.car.clone();
        self.prepared.insert(new, prepared);
        self.tell_driver(from, ToDriver::Prepared { session: new, car, ice_servers: Vec::new() });
        let prepare = ToCar::Prepare { session: new, driver: user, ice_servers: Vec::new() };
        self.effects.push_back(Effect::ToCar { to: conn, message: prepare });
    }

    /// The page wants this car now: begins the session that is prepared for it. False: there is
    /// none.
    pub(crate) fn begin_prepared(
        &mut self,
        now: MonotonicMicros,
        from: DriverConn,
        car: &CarId,
    ) -> bool {
        let Some(&id) = self.prepared.of_drivers.get(&from) else { return false };
        if self.prepared.all.get(&id).is_none_or(|prepared| prepared.car != *car) {
            return false;
        }
        let Some(prepared) = self.prepared.remove(id) else { return false };
        self.leave_other_car(now, from, None);
        let call = Call { car: prepared.car, trickle: true, take: false };
        self.begin_session(now, id, from, prepared.user, call);
        if prepared.offered {
            self.set_deadlines(id, |deadlines| deadlines.offer = None);
        }
        true
    }

    /// Passes on what the driver of a prepared session says. False: it is no prepared session of
    /// this driver.
    pub(crate) fn tell_preparing_car(
        &mut self,
        from: DriverConn,
        id: SessionId,
        message: &ToCar,
    ) -> bool {
        let prepared = self.prepared.all.get(&id).filter(|prepared| prepared.driver == from);
        if let Some(&Prepared { conn: to, .. }) = prepared {
            self.effects.push_back(Effect::ToCar { to, message: message.clone() });
        }
        prepared.is_some()
    }

    /// The same for what the car says.
    pub(crate) fn tell_preparing_driver(
        &mut self,
        from: CarConn,
        id: SessionId,
        message: &ToDriver,
    ) -> bool {
        let Some(prepared) = self.prepared.all.get_mut(&id).filter(|it| it.conn == from) else {
            return false;
        };
        prepared.offered |= matches!(message, ToDriver::Offer { .. });
        let to = prepared.driver;
        self.tell_driver(to, message.clone());
        true
    }

    /// One of the ends ends it. False: it is no prepared session of this driver.
    pub(crate) fn end_prepared_by_driver(
        &mut self,
        from: DriverConn,
        id: SessionId,
        reason: ByeReason,
    ) -> bool {
        let own = self.prepared.all.get(&id).is_some_and(|prepared| prepared.driver == from);
        if own {
            self.end_prepared(id, &Farewell::car_only(reason));
        }
        own
    }

    /// The same for the car.
    pub(crate) fn end_prepared_by_car(&mut self, from: CarConn, id: SessionId, reason: ByeReason) {
        if self.prepared.all.get(&id).is_some_and(|prepared| prepared.conn == from) {
            self.end_prepared(id, &Farewell::driver_only(reason));
        }
    }

    /// The driver's connection is gone, or wants another car.
    pub(crate) fn leave_prepared(&mut self, driver: DriverConn, reason: ByeReason) {
        if let Some(&id) = self.prepared.of_drivers.get(&driver) {
            self.end_prepared(id, &Farewell::car_only(reason));
        }
    }

    /// The car's connection is gone.
    pub(crate) fn lose_preparing_car(&mut self, conn: CarConn, reason: ByeReason) {
        let Some(preparing) = self.prepared.of_cars.remove(&conn) else { return };
        for id in preparing.sessions {
            self.end_prepared(id, &Farewell::driver_only(reason));
        }
    }

    /// A session begins at this car: what was prepared there is of no use.
    pub(crate) fn clear_prepared(&mut self, conn: CarConn) {
        let Some(preparing) = self.prepared.of_cars.get(&conn) else { return };
        for id in preparing.sessions.clone() {
            self.end_prepared(id, &Farewell::both(ByeReason::CarBusy));
        }
    }

    /// Ends those whose driver may no longer drive the car.
    pub(crate) fn end_prepared_without_right(&mut self) {
        let may =
            |prepared: &Prepared| self.role(&prepared.user, &prepared.car).is_some_and(may_drive);
        let over: Vec<_> =
            self.prepared.all.iter().filter(|(_, it)| !may(it)).map(|(&id, _)| id).collect();
        over.into_iter().for_each(|id| self.end_prepared(id, &Farewell::both(ByeReason::Revoked)));
    }

    pub(crate) fn expire_prepared(&mut self, now: MonotonicMicros) {
        while let Some(&(due, id)) = self.prepared.due.first()
            && due <= now
        {
            self.end_prepared(id, &Farewell::both(ByeReason::DriverLeft));
        }
    }

    /// The program stops. Its ends see that their connections close.
    pub(crate) fn forget_prepared(&mut self) {
        self.prepared = PreparedSessions::default();
    }

    fn end_prepared(&mut self, id: SessionId, farewell: &Farewell) {
        let Some(prepared) = self.prepared.remove(id) else { return };
        if let Some(reason) = farewell.to_driver {
            self.tell_driver(prepared.driver, ToDriver::Bye { session: id, reason, by: None });
        }
        if let Some(reason) = farewell.to_car {
            let message = ToCar::Bye { session: id, reason };
            self.effects.push_back(Effect::ToCar { to: prepared.conn, message });
        }
        self.events.push_back(Event::PreparedEnded { session: id });
    }
}
