//! What one message costs the core with many cars: time for a round of them, in memory.

use rccar_protocol::release::UpdateStatus;
use rccar_protocol::signaling::{FromCar, FromDriver};
use rccar_protocol::text::{CarId, Name, Sdp, SessionId, Software};
use rccar_protocol::units::MonotonicMicros;
use rccar_rooms::{CarConn, DriverConn, Effect, EnrolledCar, Options, Rooms};
use std::time::{Duration, Instant};

/// Pages that are open and show the list.
const PAGES: u64 = 3;
/// The core's time for sending the whole list, 16 KiB every 50 ms. Sessions end only later.
const LIST_WITHIN: Duration = Duration::from_secs(9);
/// Messages in a round: many enough to be measured.
const ROUND: u32 = 100;
/// The least of as many rounds counts: other work of this machine only adds time.
const ROUNDS: usize = 20;

/// A core with this many cars, all registered, of which every tenth is driven.
pub struct Core {
    rooms: Rooms,
    cars: usize,
    now: MonotonicMicros,
    next: u64,
    turn: usize,
}

pub const KINDS: [&str; 4] = ["registration", "ping", "update", "offer"];

impl Core {
    pub fn new(cars: usize) -> Self {
        let rooms = Rooms::new(Options::new(Software::new("test/1").unwrap()));
        let now = MonotonicMicros(0);
        let mut core = Self { rooms, cars, now, next: 1, turn: 0 };
        // The drivers come while the list is empty: what it costs to greet them is another matter.
        let drivers: Vec<_> = (0..cars / 10).map(|_| DriverConn(core.number())).collect();
        for (number, page) in drivers.iter().enumerate() {
            let user = Name::new(format!("D{number}")).unwrap();
            core.rooms.handle_driver_joined(now, *page, user, false);
        }
        core.rooms.handle_enrolled_cars(now, (0..cars).map(known).collect());
        (0..cars).for_each(|number| core.register(number));
        for (number, page) in drivers.into_iter().enumerate() {
            let connect =
                FromDriver::Connect { car: known(number * 10).id, trickle: true, take: false };
            core.rooms.handle_driver(now, page, connect, number as u64 + 1);
            core.offer(number * 10);
            core.drain();
        }
        for page in 0..PAGES {
            let user = Name::new(format!("P{page}")).unwrap();
            let conn = DriverConn(core.number());
            core.rooms.handle_driver_joined(now, conn, user, false);
        }
        // They get the whole list first.
        while core.rooms.poll_timeout().is_some_and(|due| due < now.plus(LIST_WITHIN)) {
            core.pass(Duration::from_millis(50));
            core.drain();
        }
        core
    }

    /// The least time for one message of this kind, of many.
    pub fn cost(&mut self, kind: &str) -> Duration {
        (0..ROUNDS).map(|_| self.round(kind)).min().unwrap() / ROUND
    }

    fn round(&mut self, kind: &str) -> Duration {
        let conns: Vec<_> = (0..ROUND).map(|_| self.some()).collect();
        let begun = Instant::now();
        for (number, conn) in conns {
            match kind {
                "registration" => {
                    self.rooms.handle_car_gone(self.now, conn);
                    self.register(number);
                }
                "ping" => self.rooms.handle_car(self.now, conn, FromCar::Ping { id: 7 }),
                "update" => {
                    let status = status(self.next);
                    self.next += 1;
                    self.rooms.handle_car(self.now, conn, FromCar::Update { status });
                }
                "offer" => self.offer(number),
                _ => panic!("{kind}"),
            }
            // As the shell does after each message.
            self.drain();
            std::hint::black_box(self.rooms.poll_timeout());
        }
        // What the pages are told about it belongs to the cost.
        self.pass(Duration::from_millis(200));
        self.drain();
        begun.elapsed()
    }

    fn offer(&mut self, number: usize) {
        let session = SessionId::from_random(number as u64 / 10 + 1);
        let sdp = Sdp::new("v=0\r\n").unwrap();
        let offer = FromCar::Offer { session, generation: 1, sdp };
        let conn = self.rooms.connection(&known(number).id).unwrap();
        self.rooms.handle_car(self.now, conn, offer);
    }

    /// Some car that is driven, and its connection.
    fn some(&mut self) -> (usize, CarConn) {
        self.turn = (self.turn + 7_910) % self.cars;
        let number = self.turn / 10 * 10;
        (number, self.rooms.connection(&known(number).id).unwrap())
    }

    fn register(&mut self, number: usize) {
        let conn = CarConn(self.number());
        let car = known(number);
        let id = car.id.clone();
        self.rooms.handle_enrolled_car(self.now, car);
        self.rooms.handle_car_joined(self.now, conn, id, Software::new("car/1").unwrap());
        self.drain();
    }

    fn pass(&mut self, time: Duration) {
        self.now = self.now.plus(time);
        self.rooms.handle_timeout(self.now);
    }

    fn drain(&mut self) {
        while self.rooms.poll_event().is_some() {}
        while let Some(effect) = self.rooms.poll_effect() {
            if let Effect::ListWaits { to } = effect {
                self.rooms.handle_list_wanted(self.now, to);
            }
        }
    }

    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }
}

fn known(number: usize) -> EnrolledCar {
    let digits: String =
        number.to_string().bytes().map(|digit| char::from(digit - b'0' + b'a')).collect();
    // Spread over the whole list, as fingerprints are.
    let digits: String = digits.chars().rev().collect();
    let name = Name::new(format!("Car {number}")).unwrap();
    EnrolledCar {
        id: CarId::new(format!("{digits:z<26}")).unwrap(),
        name,
        owner: None,
        shared: Default::default(),
    }
}

fn status(number: u64) -> UpdateStatus {
    let json = format!(r#"{{"state":"downloading","running":"1.0.0","bytes":{number}}}"#);
    serde_json::from_str(&json).unwrap()
}
