//! A rooms machine with a clock and readable shorthands.
#![allow(unreachable_pub, reason = "shared by the test files")]
#![allow(dead_code, reason = "every test file uses a part of it")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use rccar_protocol::signaling::{
    ByeReason, CarInfo, ErrorCode, FromCar, FromDriver, ToCar, ToDriver,
};
use rccar_protocol::text::{CarId, Name, Sdp, SessionId, Software};
use rccar_protocol::units::MonotonicMicros;
use rccar_rooms::{CarConn, DriverConn, Effect, EnrolledCar, Options, Rooms};
use std::time::Duration;

pub struct Lab {
    pub rooms: Rooms,
    pub now: MonotonicMicros,
    random: u64,
    effects: Vec<Effect>,
}

pub fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

pub fn car(letter: char) -> CarId {
    CarId::new(letter.to_string().repeat(26)).unwrap()
}

pub fn software() -> Software {
    Software::new("test/1").unwrap()
}

pub fn sdp() -> Sdp {
    Sdp::new("v=0\r\n").unwrap()
}

impl Lab {
    pub fn new() -> Self {
        Self::with(Options::new(software()))
    }

    /// Cars `a` and `b` are enrolled.
    pub fn with(options: Options) -> Self {
        let mut rooms = Rooms::new(options);
        let known = ['a', 'b'].map(|letter| EnrolledCar {
            id: car(letter),
            name: name(&format!("car {letter}")),
            owner: None,
            shared: Default::default(),
        });
        rooms.handle_enrolled_cars(MonotonicMicros(0), known.into());
        let mut lab = Self { rooms, now: MonotonicMicros(0), random: 100, effects: vec![] };
        lab.advance(Duration::from_secs(1));
        lab.drain();
        lab
    }

    pub fn drain(&mut self) -> Vec<Effect> {
        while self.rooms.poll_event().is_some() {}
        self.collect();
        std::mem::take(&mut self.effects)
    }

    /// Takes the effects. Drivers read at once, so the list never waits.
    fn collect(&mut self) {
        while let Some(effect) = self.rooms.poll_effect() {
            match effect {
                Effect::ListWaits { to } => self.rooms.handle_list_wanted(self.now, to),
                effect => self.effects.push(effect),
            }
        }
    }

    /// Lets time pass, stopping at each timeout.
    pub fn advance(&mut self, by: Duration) {
        let end = self.now.plus(by);
        while let Some(due) = self.rooms.poll_timeout().filter(|&due| due <= end) {
            self.now = self.now.max(due);
            self.rooms.handle_timeout(self.now);
            self.collect();
        }
        self.now = end;
    }

    pub fn driver(&mut self, conn: u64, user: &str) -> DriverConn {
        self.rooms.handle_driver_joined(self.now, DriverConn(conn), name(user), false);
        DriverConn(conn)
    }

    pub fn car(&mut self, conn: u64, letter: char) -> CarConn {
        self.rooms.handle_car_joined(self.now, CarConn(conn), car(letter), software());
        CarConn(conn)
    }

    pub fn says(&mut self, driver: DriverConn, message: FromDriver) {
        self.random += 1;
        self.rooms.handle_driver(self.now, driver, message, self.random);
    }

    pub fn car_says(&mut self, conn: CarConn, message: FromCar) {
        self.rooms.handle_car(self.now, conn, message);
    }

    /// A driver whose offer from car `a` has come. Outputs are drained.
    pub fn driven(&mut self) -> (DriverConn, CarConn, SessionId) {
        let (conn, driver) = (self.car(1, 'a'), self.driver(1, "Ada"));
        self.says(driver, FromDriver::Connect { car: car('a'), trickle: true, take: false });
        let session = connecting(&self.drain()).unwrap();
        self.car_says(conn, FromCar::Offer { session, generation: 1, sdp: sdp() });
        self.advance(Duration::from_secs(1));
        self.drain();
        (driver, conn, session)
    }
}

pub fn connecting(effects: &[Effect]) -> Option<SessionId> {
    effects.iter().find_map(|effect| match effect {
        Effect::ToDriver { message: ToDriver::Connecting { session, .. }, .. } => Some(*session),
        _ => None,
    })
}

pub fn error(effects: &[Effect]) -> Option<(ErrorCode, String)> {
    effects.iter().find_map(|effect| match effect {
        Effect::ToDriver { message: ToDriver::Error { code, text, .. }, .. }
        | Effect::ToCar { message: ToCar::Error { code, text, .. }, .. } => {
            Some((*code, text.to_string()))
        }
        _ => None,
    })
}

/// Every `bye` to a driver.
pub fn driver_byes(effects: &[Effect]) -> Vec<(DriverConn, SessionId, ByeReason)> {
    let bye = |effect: &Effect| match effect {
        Effect::ToDriver { to, message: ToDriver::Bye { session, reason, .. } } => {
            Some((*to, *session, *reason))
        }
        _ => None,
    };
    effects.iter().filter_map(bye).collect()
}

/// Every `bye` to a car.
pub fn car_byes(effects: &[Effect]) -> Vec<(CarConn, SessionId, ByeReason)> {
    let bye = |effect: &Effect| match effect {
        Effect::ToCar { to, message: ToCar::Bye { session, reason } } => {
            Some((*to, *session, *reason))
        }
        _ => None,
    };
    effects.iter().filter_map(bye).collect()
}

/// The cars of every push.
pub fn lists(effects: &[Effect]) -> Vec<Vec<CarInfo>> {
    let list = |effect: &Effect| match effect {
        Effect::ToDriver { message: ToDriver::Cars { cars, .. }, .. } => Some(cars.clone()),
        _ => None,
    };
    effects.iter().filter_map(list).collect()
}
