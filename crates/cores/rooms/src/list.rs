//! The list of cars that drivers see: in parts that fit into a message, and from then on what
//! changes.
//!
//! ```text
//!   joined ──► welcome with the first part ──► BEHIND ──── everything told ────► UP TO DATE
//!                                                │  ▲                                │
//!                       the shell has sent what ─┘  └──────── a car changes ─────────┘
//!                       was there: one part more
//! ```
//!
//! **What a change costs does not depend on how many cars there are**, and of the list one part at
//! most waits for a driver who does not read.

use crate::cars::Car;
use crate::rooms::Rooms;
use crate::words::{DriverConn, Effect};
use rccar_protocol::PROTOCOL_VERSION;
use rccar_protocol::signaling::{CarInfo, CarPresence, ToDriver};
use rccar_protocol::text::{CarId, Name};
use rccar_protocol::units::MonotonicMicros;
use std::collections::BTreeMap;
use std::time::Duration;

/// Bytes of cars in one message: 130 ms of a link of 1 Mbit/s, for which an offer may wait behind
/// it.
const PART: usize = 16 * 1024;
/// How often a driver who is behind is looked at: a list of 2,000 cars is there within a second.
const PART_INTERVAL: Duration = Duration::from_millis(50);

/// What changed, and when drivers have to be told.
#[derive(Debug, Default)]
pub(crate) struct List {
    /// The newest change of each car by its number, oldest first. Cars that are gone stay until
    /// every driver has been told.
    changes: BTreeMap<u64, CarId>,
    /// The same by car.
    numbers: BTreeMap<CarId, u64>,
    newest: u64,
    /// When drivers have to be told of changes.
    due: Option<MonotonicMicros>,
    /// When drivers who are behind have to be looked at.
    parts_due: Option<MonotonicMicros>,
    last: Option<MonotonicMicros>,
}

/// How much of the list a driver has been told.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// Cars of the first list that are still to come, the last one first.
    rest: Vec<CarId>,
    /// Number of the last change.
    upto: u64,
    behind: bool,
}

impl List {
    pub(crate) fn due(&self) -> Option<MonotonicMicros> {
        [self.due, self.parts_due].into_iter().flatten().min()
    }

    pub(crate) fn end(&mut self) {
        (self.due, self.parts_due) = (None, None);
    }

    fn note(&mut self, car: &CarId) {
        self.newest += 1;
        if let Some(before) = self.numbers.insert(car.clone(), self.newest) {
            self.changes.remove(&before);
        }
        self.changes.insert(self.newest, car.clone());
    }
}

impl Rooms {
    /// The list as it is now, by identifier.
    #[must_use]
    pub fn cars(&self) -> Vec<CarInfo> {
        self.cars.iter().map(|(id, car)| info(id, car)).collect()
    }

    /// Answer to [`Effect::ListWaits`]: all that was sent to this driver before is on its way.
    pub fn handle_list_wanted(&mut self, _now: MonotonicMicros, to: DriverConn) {
        let Some(driver) = self.drivers.get_mut(&to).filter(|driver| driver.told.behind) else {
            return;
        };
        let (mut part, mut gone) = (Part::default(), Vec::new());
        let mut complete = true;
        for (&number, id) in self.list.changes.range(driver.told.upto + 1..) {
            let fits = match self.cars.get(id) {
                Some(car) => part.put(info(id, car)),
                None => {
                    part.count(id.as_str().len()) && {
                        gone.push(id.clone());
                        true
                    }
                }
            };
            if !fits {
                complete = false;
                break;
            }
            driver.told.upto = number;
        }
        while complete && let Some(id) = driver.told.rest.pop() {
            // One that is gone meanwhile is among the changes.
            if let Some(car) = self.cars.get(&id)
                && !part.put(info(&id, car))
            {
                driver.told.rest.push(id);
                complete = false;
            }
        }
        driver.told.behind = !complete;
        if !part.cars.is_empty() || !gone.is_empty() {
            self.tell_driver(to, ToDriver::Cars { cars: part.cars, gone, more: !complete });
        }
    }

    /// Tells a new driver the first part of the list: the driver's own cars, those that are there,
    /// and what else fits.
    pub(crate) fn welcome(&mut self, now: MonotonicMicros, to: DriverConn, user: &Name) -> Told {
        let rank = |car: &Car| (car.owner.as_ref() != Some(user), car.conn.is_none());
        let mut order: Vec<_> = self.cars.iter().map(|(id, car)| (rank(car), id)).collect();
        order.sort_by(|a, b| b.cmp(a));
        let mut part = Part::default();
        while let Some(&(_, id)) = order.last()
            && let Some(car) = self.cars.get(id)
            && part.put(info(id, car))
        {
            order.pop();
        }
        let rest: Vec<_> = order.into_iter().map(|(_, id)| id.clone()).collect();
        let (behind, software) = (!rest.is_empty(), self.options.software.clone());
        self.tell_driver(
            to,
            ToDriver::Welcome {
                v: PROTOCOL_VERSION,
                user: user.clone(),
                software,
                cars: part.cars,
                more: behind,
            },
        );
        if behind {
            self.list.parts_due.get_or_insert(now.plus(PART_INTERVAL));
        }
        Told { rest, upto: self.list.newest, behind }
    }

    /// Drivers see this car in another way than before, or no longer.
    pub(crate) fn list_changed(&mut self, now: MonotonicMicros, car: &CarId) {
        self.list.note(car);
        let earliest =
            self.list.last.map_or(now, |last| now.max(last.plus(self.options.list_interval)));
        self.list.due.get_or_insert(earliest);
    }

    pub(crate) fn push_list(&mut self, now: MonotonicMicros) {
        let passed = |due: Option<MonotonicMicros>| due.is_some_and(|due| due <= now);
        if passed(self.list.due) {
            (self.list.due, self.list.last) = (None, Some(now));
            let newest = self.list.newest;
            self.drivers
                .values_mut()
                .for_each(|driver| driver.told.behind |= driver.told.upto < newest);
            self.list.parts_due = Some(now);
            self.forget_gone();
        }
        if passed(self.list.parts_due) {
            let behind: Vec<_> = self
                .drivers
                .iter()
                .filter(|(_, driver)| driver.told.behind)
                .map(|(&to, _)| to)
                .collect();
            self.list.parts_due = (!behind.is_empty()).then_some(now.plus(PART_INTERVAL));
            self.effects.extend(behind.into_iter().map(|to| Effect::ListWaits { to }));
        }
    }

    /// Cars that are gone, and that every driver knows to be gone.
    fn forget_gone(&mut self) {
        let known =
            self.drivers.values().map(|driver| driver.told.upto).min().unwrap_or(self.list.newest);
        let (cars, numbers) = (&self.cars, &mut self.list.numbers);
        if numbers.len() > cars.len() {
            self.list.changes.retain(|number, id| {
                let keep = *number > known || cars.contains_key(id);
                if !keep {
                    numbers.remove(id);
                }
                keep
            });
        }
    }
}

/// Cars for one message.
#[derive(Default)]
struct Part {
    cars: Vec<CarInfo>,
    bytes: usize,
}

impl Part {
    fn put(&mut self, info: CarInfo) -> bool {
        let fits = self.count(info.json_bytes());
        if fits {
            self.cars.push(info);
        }
        fits
    }

    /// Whether so many bytes fit, which are then taken. The first always does.
    fn count(&mut self, bytes: usize) -> bool {
        // With a comma and, for an identifier, quotes.
        let bytes = bytes + 3;
        let fits = self.bytes == 0 || self.bytes + bytes <= PART;
        self.bytes += if fits { bytes } else { 0 };
        fits
    }
}

fn info(id: &CarId, car: &Car) -> CarInfo {
    CarInfo {
        id: id.clone(),
        name: car.name.clone(),
        presence: match (car.conn, &car.session) {
            (None, _) => CarPresence::Offline,
            (Some(_), None) => CarPresence::Available,
            (Some(_), Some(_)) => CarPresence::Busy,
        },
        driver: car
            .session
            .as_ref()
            .filter(|_| car.conn.is_some())
            .map(|session| session.user.clone()),
        software: car.software.clone(),
        owner: car.owner.clone(),
        update: car.update.clone(),
    }
}
