//! The rules hold for any order of what drivers, cars and sockets do.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use common::{car, name, sdp, software};
use proptest::prelude::*;
use rccar_protocol::signaling::{ByeReason, CarInfo, FromCar, FromDriver, ToCar, ToDriver};
use rccar_protocol::text::{CarId, SessionId};
use rccar_protocol::units::MonotonicMicros;
use rccar_rooms::{CarConn, DriverConn, Effect, EnrolledCar, Event, MOST, Options, Rooms};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

#[derive(Debug, Clone, Copy)]
enum Step {
    DriverJoins {
        user: u8,
    },
    DriverGoes {
        pick: usize,
    },
    DriverRevoked {
        pick: usize,
    },
    UserRevoked {
        pick: usize,
    },
    CarJoins {
        letter: u8,
    },
    CarGoes {
        pick: usize,
    },
    /// With `collide`, the random bits are those of an open session.
    Connect {
        pick: usize,
        letter: u8,
        collide: bool,
    },
    Prepare {
        pick: usize,
        letter: u8,
        collide: bool,
    },
    DriverSpeaks {
        pick: usize,
        session: usize,
        kind: u8,
    },
    CarSpeaks {
        pick: usize,
        session: usize,
        kind: u8,
    },
    Known {
        mask: u8,
    },
    Wait {
        millis: u64,
    },
    Shutdown,
}

fn step() -> impl Strategy<Value = Step> {
    let pick = 0..8usize;
    prop_oneof![
        3 => (0..3u8).prop_map(|user| Step::DriverJoins { user }),
        2 => pick.clone().prop_map(|pick| Step::DriverGoes { pick }),
        1 => pick.clone().prop_map(|pick| Step::DriverRevoked { pick }),
        1 => pick.clone().prop_map(|pick| Step::UserRevoked { pick }),
        3 => (0..4u8).prop_map(|letter| Step::CarJoins { letter }),
        2 => pick.clone().prop_map(|pick| Step::CarGoes { pick }),
        6 => (pick.clone(), 0..4u8, any::<bool>())
            .prop_map(|(pick, letter, collide)| Step::Connect { pick, letter, collide }),
        4 => (pick.clone(), 0..4u8, any::<bool>())
            .prop_map(|(pick, letter, collide)| Step::Prepare { pick, letter, collide }),
        6 => (pick.clone(), 0..6usize, 0..5u8)
            .prop_map(|(pick, session, kind)| Step::DriverSpeaks { pick, session, kind }),
        6 => (pick, 0..6usize, 0..4u8)
            .prop_map(|(pick, session, kind)| Step::CarSpeaks { pick, session, kind }),
        1 => (0..8u8).prop_map(|mask| Step::Known { mask }),
        4 => (0..20_000u64).prop_map(|millis| Step::Wait { millis }),
        1 => Just(Step::Shutdown),
    ]
}

/// The outside world: it knows which connections live and checks every output against that.
struct World {
    rooms: Rooms,
    now: MonotonicMicros,
    next: u64,
    drivers: BTreeSet<DriverConn>,
    cars: BTreeSet<CarConn>,
    /// Open sessions, according to the events.
    open: BTreeMap<CarId, SessionId>,
    seen: Vec<SessionId>,
    byes: BTreeSet<(bool, u64, SessionId)>,
    last_push: BTreeMap<DriverConn, MonotonicMicros>,
    /// The list as each driver has got it.
    lists: BTreeMap<DriverConn, BTreeMap<CarId, CarInfo>>,
}

impl World {
    fn new() -> Self {
        Self {
            rooms: Rooms::new(Options::new(software())),
            now: MonotonicMicros(0),
            next: 0,
            drivers: BTreeSet::new(),
            cars: BTreeSet::new(),
            open: BTreeMap::new(),
            seen: vec![],
            byes: BTreeSet::new(),
            last_push: BTreeMap::new(),
            lists: BTreeMap::new(),
        }
    }

    fn known(&mut self, mask: u8) {
        let listed = (0..3u8).filter(|bit| mask >> bit & 1 == 1);
        let known = listed
            .map(|bit| EnrolledCar {
                id: letter(bit),
                name: name("car"),
                owner: None,
                shared: Default::default(),
            })
            .collect();
        self.rooms.handle_enrolled_cars(self.now, known);
    }

    fn apply(&mut self, step: Step) {
        let now = self.now;
        match step {
            Step::DriverJoins { user } => {
                self.next += 1;
                self.drivers.insert(DriverConn(self.next));
                self.rooms.handle_driver_joined(
                    now,
                    DriverConn(self.next),
                    name(["Ada", "Bob", "Eve"][usize::from(user)]),
                    false,
                );
            }
            Step::DriverGoes { pick } => {
                if let Some(conn) = pick_of(&self.drivers, pick) {
                    self.drivers.remove(&conn);
                    self.rooms.handle_driver_gone(now, conn);
                }
            }
            Step::DriverRevoked { pick } => {
                if let Some(conn) = pick_of(&self.drivers, pick) {
                    self.rooms.handle_driver_revoked(now, conn);
                }
            }
            Step::UserRevoked { pick } => {
                if let Some(user) = pick_of(&self.rooms.users().iter().collect(), pick) {
                    self.rooms.handle_user_revoked(now, user);
                    assert!(!self.rooms.users().contains(user));
                }
            }
            Step::CarJoins { letter: bit } => {
                self.next += 1;
                self.cars.insert(CarConn(self.next));
                self.rooms.handle_car_joined(now, CarConn(self.next), letter(bit), software());
                if !self.next.is_multiple_of(4) {
                    self.rooms.handle_car_prepares(CarConn(self.next));
                }
            }
            Step::CarGoes { pick } => {
                if let Some(conn) = pick_of(&self.cars, pick) {
                    self.cars.remove(&conn);
                    self.rooms.handle_car_gone(now, conn);
                }
            }
            Step::Connect { pick, letter: bit, collide } => {
                self.next += 1;
                let taken = self.open.values().next().filter(|_| collide);
                let random = taken.map_or(self.next << 32, |session| session.0.get());
                if let Some(conn) = pick_of(&self.drivers, pick) {
                    let connect =
                        FromDriver::Connect { car: letter(bit), trickle: true, take: false };
                    self.rooms.handle_driver(now, conn, connect, random);
                }
            }
            Step::Prepare { pick, letter: bit, collide } => {
                self.next += 1;
                let taken = self.open.values().next().filter(|_| collide);
                let random = taken.map_or(self.next << 32, |session| session.0.get());
                if let Some(conn) = pick_of(&self.drivers, pick) {
                    let prepare = FromDriver::Prepare { car: letter(bit) };
                    self.rooms.handle_driver(now, conn, prepare, random);
                }
            }
            Step::DriverSpeaks { pick, session, kind } => {
                if let (Some(conn), Some(&session)) =
                    (pick_of(&self.drivers, pick), self.seen.iter().rev().nth(session))
                {
                    let message = match kind {
                        0 => FromDriver::Bye { session, reason: ByeReason::DriverLeft },
                        1 => FromDriver::Answer { session, generation: 1, sdp: sdp() },
                        2 => FromDriver::Ping { id: 1 },
                        _ => FromDriver::Restart { session },
                    };
                    self.rooms.handle_driver(now, conn, message, 0);
                }
            }
            Step::CarSpeaks { pick, session, kind } => {
                if let (Some(conn), Some(&session)) =
                    (pick_of(&self.cars, pick), self.seen.iter().rev().nth(session))
                {
                    let message = match kind {
                        0 => FromCar::Bye { session, reason: ByeReason::CarLeft },
                        1 => FromCar::Ping { id: 1 },
                        _ => FromCar::Offer { session, generation: 1, sdp: sdp() },
                    };
                    self.rooms.handle_car(now, conn, message);
                }
            }
            Step::Known { mask } => self.known(mask),
            Step::Wait { millis } => self.wait(Duration::from_millis(millis)),
            Step::Shutdown => self.rooms.handle_shutdown(now),
        }
        self.check_outputs();
    }

    fn wait(&mut self, time: Duration) {
        let end = self.now.plus(time);
        while let Some(due) = self.rooms.poll_timeout().filter(|&due| due <= end) {
            self.now = self.now.max(due);
            self.rooms.handle_timeout(self.now);
            assert!(
                self.rooms.poll_timeout().is_none_or(|next| next > self.now),
                "a timeout that is handled is over"
            );
            self.check_outputs();
        }
        self.now = end;
    }

    fn check_outputs(&mut self) {
        while let Some(event) = self.rooms.poll_event() {
            match event {
                Event::SessionStarted { session, car, .. } => {
                    // An identifier that is taken is counted up, and so may reach one that was in
                    // use before.
                    assert!(
                        self.open.values().all(|open| *open != session),
                        "one identifier for two sessions"
                    );
                    assert_eq!(self.open.insert(car, session), None, "two sessions at one car");
                    self.byes.retain(|(_, _, ended)| *ended != session);
                    self.seen.push(session);
                }
                Event::SessionEnded { session, car, .. } => {
                    assert_eq!(self.open.remove(&car), Some(session))
                }
                _ => {}
            }
        }
        assert_eq!(self.open.len(), self.rooms.session_count());
        assert!(self.rooms.prepared_count() <= (3 * MOST).min(self.drivers.len()));
        while let Some(effect) = self.rooms.poll_effect() {
            match effect {
                Effect::ToDriver { to, message } => {
                    assert!(self.drivers.contains(&to), "{message:?} to a driver who is not there");
                    self.check_driver_message(to, &message);
                }
                Effect::ListWaits { to } => self.rooms.handle_list_wanted(self.now, to),
                Effect::ToCar { to, message } => {
                    assert!(self.cars.contains(&to), "{message:?} to a car that is not there");
                    if let ToCar::Bye { session, .. } = message {
                        assert!(self.byes.insert((true, to.0, session)), "two byes");
                    }
                }
                Effect::CloseDriver { conn, .. } => {
                    assert!(self.drivers.remove(&conn), "closed twice")
                }
                Effect::CloseCar { conn, .. } => assert!(self.cars.remove(&conn), "closed twice"),
            }
        }
    }

    fn check_driver_message(&mut self, to: DriverConn, message: &ToDriver) {
        match message {
            ToDriver::Prepared { session, .. } => {
                assert!(self.open.values().all(|open| open != session), "it is in use");
                self.byes.retain(|(_, _, ended)| ended != session);
                self.seen.push(*session);
            }
            ToDriver::Bye { session, .. } => {
                assert!(self.byes.insert((false, to.0, *session)), "two byes")
            }
            ToDriver::Welcome { cars, .. } => {
                self.lists
                    .insert(to, cars.iter().map(|car| (car.id.clone(), car.clone())).collect());
            }
            ToDriver::Cars { cars, gone, .. } => {
                let list = self.lists.get_mut(&to).unwrap();
                gone.iter().for_each(|car| drop(list.remove(car)));
                list.extend(cars.iter().map(|car| (car.id.clone(), car.clone())));
                let last = self.last_push.insert(to, self.now);
                assert!(
                    last.is_none_or(|last| self.now.since(last) >= Duration::from_millis(200)),
                    "pushed too often"
                );
            }
            _ => {}
        }
    }
}

fn letter(bit: u8) -> CarId {
    car(char::from(b'a' + bit))
}

fn pick_of<T: Copy>(set: &BTreeSet<T>, pick: usize) -> Option<T> {
    set.iter().copied().nth(pick % set.len().max(1))
}

proptest! {
    #[test]
    fn cars_have_one_session_and_messages_reach_only_the_living(
        steps in prop::collection::vec(step(), 1..120),
    ) {
        let mut world = World::new();
        world.known(0b111);
        for step in steps {
            world.apply(step);
        }
    }

    #[test]
    fn every_session_ends_when_everybody_is_gone(steps in prop::collection::vec(step(), 1..120)) {
        let mut world = World::new();
        world.known(0b111);
        for step in steps {
            world.apply(step);
        }
        for _ in 0..world.drivers.len() {
            world.apply(Step::DriverGoes { pick: 0 });
        }
        world.wait(Duration::from_secs(15));
        world.check_outputs();
        prop_assert_eq!(world.rooms.session_count(), 0);
        prop_assert!(world.open.is_empty());
        world.wait(Duration::from_secs(1));
        prop_assert_eq!(world.rooms.poll_timeout(), None);
    }

    #[test]
    fn every_driver_comes_to_know_the_whole_list(steps in prop::collection::vec(step(), 1..120)) {
        let mut world = World::new();
        world.known(0b111);
        for step in steps.into_iter().filter(|step| !matches!(step, Step::Shutdown)) {
            world.apply(step);
        }
        // A page that drives is told nothing of the list.
        for (car, session) in world.open.clone() {
            if let Some(conn) = world.rooms.connection(&car) {
                let bye = FromCar::Bye { session, reason: ByeReason::CarLeft };
                world.rooms.handle_car(world.now, conn, bye);
            }
        }
        world.check_outputs();
        world.wait(Duration::from_secs(15));
        world.wait(Duration::from_millis(200));
        for driver in &world.drivers {
            let known: Vec<_> = world.lists[driver].values().cloned().collect();
            prop_assert_eq!(known, world.rooms.cars());
        }
    }

    #[test]
    fn the_same_steps_have_the_same_effects(steps in prop::collection::vec(step(), 1..60)) {
        let run = || {
            let mut world = World::new();
            world.known(0b111);
            let mut cars = vec![];
            for step in steps.clone() {
                world.apply(step);
                cars.push(world.rooms.cars());
            }
            cars
        };
        prop_assert_eq!(run(), run());
    }
}
