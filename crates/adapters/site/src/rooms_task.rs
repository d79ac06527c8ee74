//! The task that owns the rooms: gives them time and randomness, and carries out their effects.

use crate::access::{Access, LIFETIME, RENEWAL};
use crate::close;
use crate::ice::{IceEnd, IceServers, equip_car, equip_driver};
use crate::outbox::{Out, Outbox};
use crate::token::TokenHash;
use rccar_causes::causes;
use rccar_protocol::release::{UpdateStatus, Version};
use rccar_protocol::signaling::{ByeReason, FromCar, FromDriver, Json, ToCar, ToDriver};
use rccar_protocol::text::{CarId, Name, SessionId, Software};
use rccar_protocol::units::MonotonicMicros;
use rccar_rooms::{
    CarConn, Close, DriverConn, Effect, EnrolledCar, Event, InstallRefusal, Options, Rooms,
    SessionEnds,
};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, interval_at, sleep_until, timeout};

/// How long the host waits for farewells: a socket takes a second at most for its last words.
const SEE_OFF: Duration = Duration::from_secs(2);

#[derive(Debug)]
pub(crate) enum Command {
    DriverJoined {
        conn: DriverConn,
        link: DriverLink,
        parts: bool,
    },
    Driver {
        conn: DriverConn,
        message: FromDriver,
    },
    DriverGone {
        conn: DriverConn,
    },
    CarJoined {
        conn: CarConn,
        car: EnrolledCar,
        software: Software,
        /// It speaks prepared sessions.
        prepares: bool,
        link: CarLink,
    },
    Car {
        conn: CarConn,
        message: FromCar,
    },
    CarGone {
        conn: CarConn,
    },
    EnrolledCars(Vec<EnrolledCar>),
    UpdateCar(EnrolledCar),
    Admins(BTreeSet<Name>),
    RevokeCar(CarId),
    RememberUpdates(Vec<(CarId, UpdateStatus)>),
    WatchUpdates(mpsc::Sender<(CarId, UpdateStatus)>),
    ConnectedCars(oneshot::Sender<Vec<(CarId, Option<UpdateStatus>)>>),
    AnnounceRelease {
        car: CarId,
        version: Version,
    },
    Install {
        user: Name,
        car: CarId,
        version: Version,
        answer: oneshot::Sender<Result<(), InstallRefusal>>,
    },
    SignIns(oneshot::Sender<Vec<TokenHash>>),
    Revoke(TokenHash),
    Users(oneshot::Sender<BTreeSet<Name>>),
    RevokeUser(Name),
    Shutdown(oneshot::Sender<()>),
}

/// The way to a driver.
#[derive(Debug)]
pub(crate) struct DriverLink {
    pub(crate) user: Name,
    pub(crate) sign_in: TokenHash,
    pub(crate) reached: IpAddr,
    pub(crate) outbox: Outbox,
}

/// The way to a car.
#[derive(Debug)]
pub(crate) enum CarLink {
    Socket { outbox: Outbox, reached: IpAddr },
    Local(mpsc::Sender<ToCar>),
}

pub(crate) async fn run(
    options: Options,
    ice: Arc<dyn IceServers>,
    access: Arc<Access>,
    mut commands: mpsc::Receiver<Command>,
) {
    let mut task = Task {
        rooms: Rooms::new(options),
        started: Instant::now(),
        ice,
        drivers: HashMap::new(),
        cars: HashMap::new(),
        sign_ins: HashMap::new(),
        closing: Vec::new(),
        access,
        updates: None,
    };
    let mut renewal = interval_at(task.started + RENEWAL, RENEWAL);
    let renew_ice = task.ice.renew_every();
    // Without servers that expire the branch is off, and this interval is never looked at.
    let every = renew_ice.unwrap_or(RENEWAL);
    let mut ice_renewal = interval_at(task.started + every, every);
    loop {
        let due = task.rooms.poll_timeout();
        // Without a timeout the first branch is off, and this deadline is never looked at.
        let deadline = task.started + due.unwrap_or_default().since(MonotonicMicros(0));
        tokio::select! {
            // Time first: a queue that is never empty must not put off what is due.
            biased;
            () = sleep_until(deadline), if due.is_some() => task.rooms.handle_timeout(task.now()),
            _ = renewal.tick() => task.give_access_to_all(),
            _ = ice_renewal.tick(), if renew_ice.is_some() => task.renew_ice_of_all(),
            command = commands.recv() => match command {
                None => return,
                Some(Command::Shutdown(done)) => {
                    task.rooms.handle_shutdown(task.now());
                    task.carry_out();
                    task.see_off().await;
                    let _ = done.send(());
                    return;
                }
                Some(command) => task.handle(command),
            },
        }
        task.carry_out();
    }
}

struct Task {
    rooms: Rooms,
    started: Instant,
    ice: Arc<dyn IceServers>,
    drivers: HashMap<DriverConn, DriverLink>,
    cars: HashMap<CarConn, (CarId, CarLink)>,
    /// The sign-in that drives each session, even while its page is away.
    sign_ins: HashMap<SessionId, TokenHash>,
    /// Outboxes of connections that are being closed, until their sockets are gone.
    closing: Vec<Outbox>,
    access: Arc<Access>,
    updates: Option<mpsc::Sender<(CarId, UpdateStatus)>>,
}

impl Task {
    fn now(&self) -> MonotonicMicros {
        MonotonicMicros(0).plus(self.started.elapsed())
    }

    fn handle(&mut self, command: Command) {
        let now = self.now();
        match command {
            Command::DriverJoined { conn, link, parts } => {
                let user = link.user.clone();
                self.drivers.insert(conn, link);
                self.rooms.handle_driver_joined(now, conn, user, parts);
            }
            Command::Driver { conn, message } => match getrandom::u64() {
                Ok(random) => self.rooms.handle_driver(now, conn, message, random),
                Err(error) => {
                    tracing::error!(
                        error = %causes(&error),
                        "no randomness: a driver's message is lost"
                    )
                }
            },
            Command::DriverGone { conn } => {
                self.drivers.remove(&conn);
                self.rooms.handle_driver_gone(now, conn);
            }
            Command::CarJoined { conn, car, software, prepares, link } => {
                let id = car.id.clone();
                self.cars.insert(conn, (id.clone(), link));
                // Of a known car the rooms may have newer rights than those read when it dialled.
                if !self.rooms.is_enrolled(&id) {
                    self.rooms.handle_enrolled_car(now, car);
                }
                self.access.know(&id);
                self.rooms.handle_car_joined(now, conn, id, software);
                if prepares {
                    self.rooms.handle_car_prepares(conn);
                }
                // Sends `registered`, which the car expects before its access token.
                self.carry_out();
                self.give_access(conn);
                if let Some(ends) = self
                    .cars
                    .get(&conn)
                    .map(|(id, _)| id)
                    .and_then(|id| self.rooms.session_of_car(id))
                {
                    self.renew_ice(SessionEnds { driver: None, ..ends });
                }
            }
            Command::Car { conn, message } => self.rooms.handle_car(now, conn, message),
            Command::CarGone { conn } => {
                self.cars.remove(&conn);
                self.rooms.handle_car_gone(now, conn);
            }
            Command::UpdateCar(car) => {
                // It may have been revoked meanwhile.
                if self.rooms.is_enrolled(&car.id) {
                    self.rooms.handle_enrolled_car(now, car);
                }
            }
            Command::Admins(admins) => self.rooms.handle_admins(now, admins),
            Command::RevokeCar(car) => {
                self.rooms.handle_car_revoked(now, &car);
                self.access.forget(&car);
                self.ice
                    .revoke(&|end| matches!(end, IceEnd::Car { car: other, .. } if **other == car));
            }
            Command::EnrolledCars(cars) => {
                self.rooms.handle_enrolled_cars(now, cars);
                self.access.set_enrolled(self.rooms.enrolled_cars().cloned().collect());
                let rooms = &self.rooms;
                self.ice.revoke(
                    &|end| matches!(end, IceEnd::Car { car, .. } if !rooms.is_enrolled(car)),
                );
            }
            Command::RememberUpdates(updates) => {
                updates
                    .into_iter()
                    .for_each(|(car, status)| self.rooms.handle_update_status(now, &car, status));
            }
            Command::WatchUpdates(watcher) => self.updates = Some(watcher),
            Command::ConnectedCars(answer) => {
                // An error means that the caller no longer waits; so it does below.
                let _ = answer.send(
                    self.rooms
                        .connected_cars()
                        .map(|(id, update)| (id.clone(), update.cloned()))
                        .collect(),
                );
            }
            Command::AnnounceRelease { car, version } => {
                if let Some(conn) = self.rooms.connection(&car) {
                    self.send_to_car(conn, ToCar::Release { version });
                }
            }
            Command::Install { user, car, version, answer } => {
                // The car is asked even if nobody waits for the answer.
                let _ = answer.send(self.rooms.handle_install(&user, &car, version));
            }
            Command::SignIns(answer) => {
                let forgotten = self.ice.forgotten().into_iter().map(|(_, sign_in)| sign_in);
                let present = self.drivers.values().map(|link| link.sign_in);
                let driving = self.sign_ins.values().copied();
                let all: HashSet<_> = present.chain(driving).chain(forgotten).collect();
                let _ = answer.send(all.into_iter().collect());
            }
            Command::Revoke(sign_in) => {
                let conns: Vec<_> = self
                    .drivers
                    .iter()
                    .filter(|(_, link)| link.sign_in == sign_in)
                    .map(|(&conn, _)| conn)
                    .collect();
                conns.into_iter().for_each(|conn| self.rooms.handle_driver_revoked(now, conn));
                let away = self.sign_ins.iter().filter(|(_, driving)| **driving == sign_in);
                let away: Vec<_> = away.map(|(&session, _)| session).collect();
                away.into_iter().for_each(|id| self.rooms.handle_session_revoked(now, id));
                self.ice.revoke(
                    &|end| matches!(end, IceEnd::Driver { sign_in: other, .. } if *other == sign_in),
                );
            }
            Command::Users(answer) => {
                let mut users = self.rooms.users();
                users.extend(self.ice.forgotten().into_iter().map(|(user, _)| user));
                let _ = answer.send(users);
            }
            Command::RevokeUser(user) => {
                self.rooms.handle_user_revoked(now, &user);
                self.ice.revoke(
                    &|end| matches!(end, IceEnd::Driver { user: other, .. } if **other == user),
                );
            }
            // The loop in `run` handles it, and ends.
            Command::Shutdown(_) => {}
        }
    }

    fn carry_out(&mut self) {
        while let Some(event) = self.rooms.poll_event() {
            report(&event);
            self.follow_sessions(&event);
            if let (Event::UpdateStatus { car, status }, Some(watcher)) = (event, &self.updates) {
                // Full: the watcher is behind. The car's next report says it all again.
                let _ = watcher.try_send((car, status));
            }
        }
        while let Some(effect) = self.rooms.poll_effect() {
            match effect {
                Effect::ToDriver { to, message } => self.send_to_driver(to, message),
                // The list may be long: it goes into an empty outbox only and cannot overflow it.
                Effect::ListWaits { to } => {
                    if self.drivers.get(&to).is_some_and(|link| link.outbox.is_idle()) {
                        self.rooms.handle_list_wanted(self.now(), to);
                    }
                }
                Effect::ToCar { to, message } => self.send_to_car(to, message),
                Effect::CloseDriver { conn, why } => {
                    if let Some(link) = self.drivers.remove(&conn) {
                        self.close(link.outbox, why);
                    }
                }
                // A local car needs no close frame: its receiver ends when the link is dropped.
                Effect::CloseCar { conn, why } => {
                    if let Some((_, CarLink::Socket { outbox, .. })) = self.cars.remove(&conn) {
                        self.close(outbox, why);
                    }
                }
            }
        }
    }

    /// What the end of a session, or the return of its driver, means for its ICE servers.
    fn follow_sessions(&mut self, event: &Event) {
        match event {
            Event::SessionStarted { session, .. } => self.note_sign_in(*session),
            Event::SessionEnded { session, reason, .. } => {
                self.sign_ins.remove(session);
                let forgotten = matches!(reason, ByeReason::DriverGone | ByeReason::CarGone);
                self.ice.ended(*session, forgotten);
            }
            // Nobody drives, and its two ends are told.
            Event::PreparedEnded { session } => self.ice.ended(*session, false),
            Event::DriverBack { session } => {
                self.note_sign_in(*session);
                if let Some(ends) = self.rooms.session_ends_of(*session) {
                    self.renew_ice(SessionEnds { car: None, ..ends });
                }
            }
            _ => {}
        }
    }

    fn note_sign_in(&mut self, session: SessionId) {
        let ends = self.rooms.session_ends_of(session);
        let link = ends.and_then(|ends| self.drivers.get(&ends.driver?));
        if let Some(link) = link {
            self.sign_ins.insert(session, link.sign_in);
        }
    }

    fn renew_ice_of_all(&mut self) {
        let all: Vec<_> = self.rooms.session_ends().collect();
        all.into_iter().for_each(|ends| self.renew_ice(ends));
    }

    /// Sends new servers to these ends, if there are any that expire.
    fn renew_ice(&mut self, SessionEnds { session, driver, car }: SessionEnds) {
        if self.ice.renew_every().is_none() {
            return;
        }
        if let Some(to) = driver {
            self.send_to_driver(to, ToDriver::IceServers { session, ice_servers: Vec::new() });
        }
        if let Some(to) = car {
            self.send_to_car(to, ToCar::IceServers { session, ice_servers: Vec::new() });
        }
    }

    fn give_access_to_all(&mut self) {
        let conns: Vec<_> = self.cars.keys().copied().collect();
        conns.into_iter().for_each(|conn| self.give_access(conn));
    }

    /// Sends a new token to the car; one in this process needs none.
    fn give_access(&mut self, conn: CarConn) {
        let Some((id, CarLink::Socket { .. })) = self.cars.get(&conn) else { return };
        if let (Some(token), Ok(ttl_s)) = (self.access.issue(id), u32::try_from(LIFETIME.as_secs()))
        {
            self.send_to_car(conn, ToCar::Access { token, ttl_s });
        }
    }

    fn close(&mut self, outbox: Outbox, why: Close) {
        outbox.send(Out::Close(close::code(why)));
        self.closing.retain(|outbox| !outbox.is_gone());
        self.closing.push(outbox);
    }

    /// Waits until the last words have reached the clients: the process ends after this.
    async fn see_off(&mut self) {
        let all = async {
            for outbox in self.closing.drain(..) {
                outbox.gone().await;
            }
        };
        // Elapsed: some clients do not read.
        let _ = timeout(SEE_OFF, all).await;
    }

    fn send_to_driver(&mut self, to: DriverConn, mut message: ToDriver) {
        let Some(link) = self.drivers.get(&to) else { return };
        let end = IceEnd::Driver { user: &link.user, sign_in: link.sign_in };
        equip_driver(&mut message, &*self.ice, end, link.reached);
        link.outbox.send(Out::Text(message.to_json()));
    }

    fn send_to_car(&mut self, to: CarConn, mut message: ToCar) {
        let Some((id, link)) = self.cars.get(&to) else { return };
        let reached = match link {
            CarLink::Socket { reached, .. } => Some(*reached),
            CarLink::Local(_) => None,
        };
        let end = IceEnd::Car { car: id, owner: self.rooms.owner(id) };
        equip_car(&mut message, &*self.ice, end, reached);
        let lost = match link {
            CarLink::Socket { outbox, .. } => {
                outbox.send(Out::Text(message.to_json()));
                false
            }
            CarLink::Local(channel) => channel.try_send(message).is_err(),
        };
        if lost {
            tracing::warn!(car = %id, "the local car does not read its messages; it is detached");
            self.cars.remove(&to);
            self.rooms.handle_car_gone(self.now(), to);
        }
    }
}

fn report(event: &Event) {
    match event {
        Event::CarOnline { car, name, replaced: false } => {
            tracing::info!(%car, %name, "car online")
        }
        Event::CarOnline { car, name, replaced: true } => {
            tracing::info!(%car, %name, "car online again; its older connection is closed");
        }
        Event::CarOffline { car } => tracing::info!(%car, "car offline"),
        Event::UpdateStatus { car, status } => {
            tracing::debug!(
                %car,
                state = ?status.state,
                running = %status.running,
                "a car reports on its update"
            );
        }
        Event::SessionStarted { session, car, user } => {
            tracing::info!(%session, %car, %user, "session started")
        }
        Event::DriverAway { session } => {
            tracing::debug!(%session, "the driver's connection is gone; waiting")
        }
        Event::PreparedEnded { session } => {
            tracing::debug!(%session, "a prepared session is over")
        }
        Event::DriverBack { session } => tracing::debug!(%session, "the driver is back"),
        Event::SessionEnded { session, car, user, reason } => {
            tracing::info!(%session, %car, %user, ?reason, "session ended");
        }
    }
}

#[cfg(test)]
mod tests;
