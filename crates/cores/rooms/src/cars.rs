//! What cars do.

use crate::rooms::Rooms;
use crate::session::{Farewell, Session, said_by_an_end};
use crate::view::sort_key;
use crate::words::{CarConn, Close, Effect, EnrolledCar, Event, InstallRefusal, Shared};
use rccar_protocol::release::{UpdateState, UpdateStatus, Version};
use rccar_protocol::signaling::{ByeReason, CarRole, ErrorCode, FromCar, ToCar, ToDriver};
use rccar_protocol::text::{CarId, Name, Note, SessionId, Software};
use rccar_protocol::units::MonotonicMicros;
use std::collections::BTreeMap;

#[derive(Debug)]
pub(crate) struct Car {
    pub(crate) name: Name,
    /// What the list is sorted by.
    pub(crate) key: Box<str>,
    pub(crate) owner: Option<Name>,
    /// `None`: with nobody.
    pub(crate) shared: Option<Box<Shared>>,
    pub(crate) software: Option<Software>,
    /// The car's last report about its updates; kept while it is away.
    pub(crate) update: Option<Box<UpdateStatus>>,
    /// `None` while the car is offline.
    pub(crate) conn: Option<CarConn>,
    /// Boxed like `update`: most of ten thousand cars have none.
    pub(crate) session: Option<Box<Session>>,
}

impl Rooms {
    /// Replaces the list of enrolled cars. A connected car that is no longer listed is closed.
    pub fn handle_enrolled_cars(&mut self, now: MonotonicMicros, known: Vec<EnrolledCar>) {
        let known: BTreeMap<CarId, EnrolledCar> =
            known.into_iter().map(|car| (car.id.clone(), car)).collect();
        let revoked: Vec<_> =
            self.cars.keys().filter(|id| !known.contains_key(id)).cloned().collect();
        revoked.iter().for_each(|id| self.handle_car_revoked(now, id));
        known.into_values().for_each(|car| self.handle_enrolled_car(now, car));
    }

    /// Adds a car, or gives an enrolled one another name, owner or share.
    pub fn handle_enrolled_car(&mut self, now: MonotonicMicros, known: EnrolledCar) {
        let EnrolledCar { id, name, owner, shared } = known;
        let shared = shared.boxed();
        match self.cars.get_mut(&id) {
            Some(car) if car.name == name && car.owner == owner && car.shared == shared => return,
            Some(car) => {
                (car.key, car.name) = (sort_key(&name), name);
                self.change_rights(now, &id, owner, shared);
            }
            None => {
                let car = Car {
                    key: sort_key(&name),
                    name,
                    owner,
                    shared,
                    software: None,
                    update: None,
                    conn: None,
                    session: None,
                };
                self.cars.insert(id.clone(), car);
            }
        }
        self.list_changed(now, &id);
    }

    /// A car has proved that it holds its key.
    pub fn handle_car_joined(
        &mut self,
        now: MonotonicMicros,
        conn: CarConn,
        id: CarId,
        software: Software,
    ) {
        let Some(car) = self.cars.get_mut(&id) else {
            let text = "this host does not know the car";
            self.refuse_car(conn, ErrorCode::NotEnrolled, text, None);
            self.effects.push_back(Effect::CloseCar { conn, why: Close::NotEnrolled });
            return;
        };
        let replaced = car.conn.replace(conn);
        // A car that only changed its socket is no news for the drivers.
        let looks_the_same = replaced.is_some() && car.software.as_ref() == Some(&software);
        car.software = Some(software);
        let name = car.name.clone();
        let waiting = car.session.as_mut().map(|session| (session.id, session.for_car.take()));
        if let Some((session, _)) = waiting {
            self.set_deadlines(session, |deadlines| deadlines.car_back = None);
        }
        if let Some(old) = replaced {
            self.lose_preparing_car(old, ByeReason::CarGone);
            self.car_conns.remove(&old);
            self.effects.push_back(Effect::CloseCar { conn: old, why: Close::Replaced });
        }
        self.car_conns.insert(conn, id.clone());
        self.tell_car(conn, ToCar::Registered { car: id.clone(), name: name.clone() });
        let waiting = waiting.into_iter().flat_map(|(_, messages)| messages);
        waiting.for_each(|message| self.tell_car(conn, message));
        if !looks_the_same {
            self.list_changed(now, &id);
        }
        self.events.push_back(Event::CarOnline { car: id, name, replaced: replaced.is_some() });
    }

    pub fn handle_car(&mut self, now: MonotonicMicros, from: CarConn, message: FromCar) {
        let Some(car) = self.car_conns.get(&from).cloned() else { return };
        match message {
            FromCar::Register { .. } => {
                self.refuse_car(from, ErrorCode::OutOfOrder, "the car is registered already", None)
            }
            FromCar::Ping { id } => self.tell_car(from, ToCar::Pong { id }),
            FromCar::Offer { session, generation, sdp } => {
                if self.relay_to_driver(
                    from,
                    &car,
                    session,
                    ToDriver::Offer { session, generation, sdp },
                ) {
                    self.set_deadlines(session, |deadlines| deadlines.offer = None);
                }
            }
            FromCar::Candidate { session, generation, candidate } => {
                self.relay_to_driver(
                    from,
                    &car,
                    session,
                    ToDriver::Candidate { session, generation, candidate },
                );
            }
            FromCar::Bye { session, reason } => {
                let reason = said_by_an_end(reason, ByeReason::Shutdown);
                self.end_prepared_by_car(from, session, reason);
                // Any other session has ended already: this `bye` crossed the driver's.
                if self.sessions.get(&session) == Some(&car) {
                    self.end_session(now, session, &Farewell::driver_only(reason));
                }
            }
            FromCar::Update { status } => self.handle_update_status(now, &car, status),
        }
    }

    /// How far a car is with its updates. The shell also calls this at its start, with what an
    /// earlier run of the host stored.
    pub fn handle_update_status(
        &mut self,
        now: MonotonicMicros,
        car: &CarId,
        status: UpdateStatus,
    ) {
        let Some(entry) = self.cars.get_mut(car) else { return };
        let status = remember_failure(entry.update.as_deref(), status);
        if entry.update.as_deref() != Some(&status) {
            let before = entry.update.replace(Box::new(status.clone()));
            self.update_changed(car, before.as_deref());
            self.events.push_back(Event::UpdateStatus { car: car.clone(), status });
            self.list_changed(now, car);
        }
    }

    /// A user asks a car to install the version that its update status names.
    pub fn handle_install(
        &mut self,
        user: &Name,
        id: &CarId,
        version: Version,
    ) -> Result<(), InstallRefusal> {
        let car = self.cars.get(id).ok_or(InstallRefusal::NoSuchCar)?;
        let role = self.asker(user).role(car).ok_or(InstallRefusal::NoSuchCar)?;
        if role != CarRole::Owner || (!self.options.by_rights && car.owner.as_ref() != Some(user)) {
            return Err(InstallRefusal::NotYours);
        }
        let conn = car.conn.ok_or(InstallRefusal::Offline)?;
        let waits =
            |update: &UpdateStatus| update.on_request && update.version.as_ref() == Some(&version);
        if !car.update.as_deref().is_some_and(waits) {
            return Err(InstallRefusal::NotOnRequest);
        }
        self.tell_car(conn, ToCar::Install { version });
        Ok(())
    }

    /// A car's connection is gone. Drivers see it offline at once; its session waits.
    pub fn handle_car_gone(&mut self, now: MonotonicMicros, conn: CarConn) {
        let Some(id) = self.car_conns.remove(&conn) else { return };
        self.lose_preparing_car(conn, ByeReason::CarGone);
        let back_by = now.plus(self.options.grace);
        if let Some(car) = self.cars.get_mut(&id) {
            car.conn = None;
            if let Some(session) = car.session.as_ref().map(|session| session.id) {
                self.set_deadlines(session, |deadlines| deadlines.car_back = Some(back_by));
            }
        }
        self.list_changed(now, &id);
        self.events.push_back(Event::CarOffline { car: id });
    }

    /// The car is no longer enrolled: its session and its connection end.
    pub fn handle_car_revoked(&mut self, now: MonotonicMicros, id: &CarId) {
        if let Some(session) =
            self.cars.get(id).and_then(|car| car.session.as_ref()).map(|session| session.id)
        {
            self.end_session(now, session, &Farewell::both(ByeReason::Revoked));
        }
        let Some(car) = self.cars.remove(id) else { return };
        if let Some(conn) = car.conn {
            self.lose_preparing_car(conn, ByeReason::Revoked);
            self.car_conns.remove(&conn);
            self.effects.push_back(Effect::CloseCar { conn, why: Close::Revoked });
            self.events.push_back(Event::CarOffline { car: id.clone() });
        }
        self.list_changed(now, id);
    }

    /// `None` if the car is offline or not enrolled.
    #[must_use]
    pub fn connection(&self, car: &CarId) -> Option<CarConn> {
        self.cars.get(car)?.conn
    }

    /// Cars that are online, each with its last report about updates.
    pub fn connected_cars(&self) -> impl Iterator<Item = (&CarId, Option<&UpdateStatus>)> {
        self.car_conns.values().filter_map(|id| Some((id, self.cars.get(id)?.update.as_deref())))
    }

    pub fn enrolled_cars(&self) -> impl Iterator<Item = &CarId> {
        self.cars.keys()
    }

    /// Returns false, and sends the car an error, if the session is not this car's.
    fn relay_to_driver(
        &mut self,
        from: CarConn,
        car: &CarId,
        session: SessionId,
        message: ToDriver,
    ) -> bool {
        if self.tell_preparing_driver(from, session, &message) {
            return true;
        }
        let own = self.sessions.get(&session) == Some(car);
        if own {
            self.tell_driver_of(session, message);
        } else {
            self.refuse_car(
                from,
                ErrorCode::NoSuchSession,
                "no such session, or it has ended",
                Some(session),
            );
        }
        own
    }

    fn refuse_car(&mut self, to: CarConn, code: ErrorCode, text: &str, session: Option<SessionId>) {
        self.tell_car(to, ToCar::Error { code, text: Note::lossy(text), session });
    }

    fn tell_car(&mut self, to: CarConn, message: ToCar) {
        self.effects.push_back(Effect::ToCar { to, message });
    }
}

/// A car that has restarted may have forgotten why its last attempt failed. The reason still holds
/// as long as the car runs the same version.
fn remember_failure(before: Option<&UpdateStatus>, mut now: UpdateStatus) -> UpdateStatus {
    let failed =
        before.filter(|before| matches!(before.state, UpdateState::Failed | UpdateState::Idle));
    if let Some(before) = failed.filter(|before| before.running == now.running)
        && now.state == UpdateState::Idle
        && now.reason.is_none()
    {
        now.reason.clone_from(&before.reason);
        now.version = now.version.or_else(|| before.version.clone());
    }
    now
}
