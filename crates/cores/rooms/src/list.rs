//! The list of cars that drivers see. A driver gets it once, in parts that each fit into a message,
//! and after that only the changes.
//!
//! ```text
//!   joined ──► welcome with the first part ──► BEHIND ──── everything told ────► UP TO DATE
//!                                                │  ▲                                │
//!                       the shell has sent what ─┘  └──────── a car changes ─────────┘
//!                       was there: one part more
//! ```
//!
//! **The cost of a change does not depend on the number of cars**, and for a driver who does not
//! read, at most one part of the list waits in memory. A page that drives is told nothing: its
//! picture and its candidates share the link. It gets what has changed when its drive ends.

use crate::cars::Car;
use crate::rights::Asker;
use crate::rooms::Rooms;
use crate::view::AT_ONCE;
use crate::words::{DriverConn, Effect};
use rccar_protocol::PROTOCOL_VERSION;
use rccar_protocol::signaling::{CarInfo, CarPresence, CarRole, LISTS, ToDriver};
use rccar_protocol::text::{CarId, Name};
use rccar_protocol::units::MonotonicMicros;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Bytes of cars in one message. An offer may have to wait behind it: 130 ms on a link of 1 Mbit/s.
const PART: usize = 16 * 1024;
/// Time between two parts for a driver who is behind: a list of 2,000 cars arrives within a second.
const PART_INTERVAL: Duration = Duration::from_millis(50);

#[derive(Debug, Default)]
pub(crate) struct List {
    /// The newest change of each car by the number of the change, oldest first. A car that is gone
    /// stays until every driver has been told.
    changes: BTreeMap<u64, CarId>,
    /// Inverse of `changes`.
    pub(crate) numbers: BTreeMap<CarId, u64>,
    /// The numbers in `changes` of cars that are gone.
    gone: BTreeSet<u64>,
    pub(crate) newest: u64,
    /// When drivers get what changed.
    due: Option<MonotonicMicros>,
    /// When drivers who are behind get their next part.
    parts_due: Option<MonotonicMicros>,
    /// When changes were sent last.
    last: Option<MonotonicMicros>,
}

/// How much of the list a driver has been told.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// Cars of the first list that are still to be sent, the next one at the end.
    rest: Vec<CarId>,
    /// Number of the last change that was sent.
    pub(crate) upto: u64,
    pub(crate) behind: bool,
    /// Cars that the driver must not see any more. Only for pages that are told the whole list.
    pub(crate) lost: Vec<CarId>,
}

impl Told {
    /// Sends the list again, from its beginning.
    pub(crate) fn tell_all<'a>(&mut self, cars: impl Iterator<Item = &'a CarId>) {
        self.rest = cars.cloned().collect();
    }
}

impl List {
    pub(crate) fn due(&self) -> Option<MonotonicMicros> {
        [self.due, self.parts_due].into_iter().flatten().min()
    }

    pub(crate) fn end(&mut self) {
        (self.due, self.parts_due) = (None, None);
    }

    fn note(&mut self, car: &CarId, gone: bool) {
        self.newest += 1;
        if let Some(before) = self.numbers.insert(car.clone(), self.newest) {
            self.changes.remove(&before);
            self.gone.remove(&before);
        }
        self.changes.insert(self.newest, car.clone());
        if gone {
            self.gone.insert(self.newest);
        }
    }
}

impl Rooms {
    /// The whole list, sorted by identifier.
    #[must_use]
    pub fn cars(&self) -> Vec<CarInfo> {
        self.cars.iter().map(|(id, car)| info(id, car, None)).collect()
    }

    /// The same as a user sees it.
    #[must_use]
    pub fn cars_of(&self, user: &Name) -> Vec<CarInfo> {
        let asker = self.asker(user);
        self.cars
            .iter()
            .filter(|(_, car)| asker.sees(car))
            .map(|(id, car)| info(id, car, asker.shown_role(car)))
            .collect()
    }

    /// The shell's answer to [`Effect::ListWaits`], once all earlier messages to this driver are on
    /// their way.
    pub fn handle_list_wanted(&mut self, now: MonotonicMicros, to: DriverConn) {
        if self.driving.contains_key(&to) {
            return;
        }
        if self.drivers.get(&to).is_some_and(|driver| driver.parts) {
            return self.show_view(now, to);
        }
        let Some(driver) = self.drivers.get_mut(&to).filter(|driver| driver.told.behind) else {
            return;
        };
        let user = driver.user.clone();
        let (admin, by_rights) = (self.admins.contains(&user), self.options.by_rights);
        let asker = Asker { user: &user, admin, by_rights };
        let (mut part, mut gone) = (Part::default(), Vec::new());
        // The change that took the car away comes with it: what is seen again is told below.
        for id in std::mem::take(&mut driver.told.lost) {
            if self.cars.get(&id).is_some_and(|car| !asker.sees(car)) && !gone.contains(&id) {
                part.count(id.as_str().len());
                gone.push(id);
            }
        }
        let mut complete = true;
        for (&number, id) in self.list.changes.range(driver.told.upto + 1..) {
            let fits = match self.cars.get(id) {
                Some(car) if !asker.sees(car) => true,
                Some(car) => part.put(info(id, car, asker.shown_role(car))),
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
            // A car that has gone meanwhile was sent as a change, above.
            if let Some(car) = self.cars.get(&id).filter(|car| asker.sees(car))
                && !part.put(info(&id, car, asker.shown_role(car)))
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

    /// Sends a new driver the first part of the list: the driver's own cars, then those that are
    /// online, then as many others as fit. A page that speaks parts asks for its first one itself.
    pub(crate) fn welcome(
        &mut self,
        now: MonotonicMicros,
        to: DriverConn,
        user: &Name,
        parts: bool,
    ) -> Told {
        if parts {
            self.greet(to, user, Vec::new(), false);
            return Told { upto: self.list.newest, ..Told::default() };
        }
        let rank = |car: &Car| (car.owner.as_ref() != Some(user), car.conn.is_none());
        let asker = self.asker(user);
        let seen = self.cars.iter().filter(|(_, car)| asker.sees(car));
        let mut order: Vec<_> = seen.map(|(id, car)| (rank(car), id)).collect();
        // Backwards: `pop` takes from the end.
        order.sort_by(|a, b| b.cmp(a));
        let mut part = Part::default();
        while let Some(&(_, id)) = order.last()
            && let Some(car) = self.cars.get(id)
            && part.put(info(id, car, asker.shown_role(car)))
        {
            order.pop();
        }
        let rest: Vec<_> = order.into_iter().map(|(_, id)| id.clone()).collect();
        let behind = !rest.is_empty();
        self.greet(to, user, part.cars, behind);
        if behind {
            self.list.parts_due.get_or_insert(now.plus(PART_INTERVAL));
        }
        Told { rest, upto: self.list.newest, behind, lost: Vec::new() }
    }

    fn greet(&mut self, to: DriverConn, user: &Name, cars: Vec<CarInfo>, more: bool) {
        let (user, software) = (user.clone(), self.options.software.clone());
        let (v, lists) = (PROTOCOL_VERSION, vec![LISTS]);
        self.tell_driver(to, ToDriver::Welcome { v, user, software, cars, more, lists });
    }

    /// Serves pages that wait for the list at this time at the latest.
    pub(crate) fn serve_list_by(&mut self, time: MonotonicMicros) {
        let due = &mut self.list.parts_due;
        *due = Some(due.map_or(time, |due| due.min(time)));
    }

    /// Call this when a car looks different to drivers, or is gone.
    pub(crate) fn list_changed(&mut self, now: MonotonicMicros, car: &CarId) {
        self.list.note(car, !self.cars.contains_key(car));
        self.push_soon(now);
    }

    /// A page no longer drives, and looks at the list again.
    pub(crate) fn resume_list(&mut self, now: MonotonicMicros, to: DriverConn) {
        if self.drivers.get(&to).is_some_and(|driver| driver.told.behind) {
            self.push_soon(now);
        }
    }

    fn push_soon(&mut self, now: MonotonicMicros) {
        let earliest =
            self.list.last.map_or(now, |last| now.max(last.plus(self.options.list_interval)));
        self.list.due.get_or_insert(earliest);
    }

    pub(crate) fn push_list(&mut self, now: MonotonicMicros) {
        let passed = |due: Option<MonotonicMicros>| due.is_some_and(|due| due <= now);
        if passed(self.list.due) {
            (self.list.due, self.list.last) = (None, Some(now));
            let newest = self.list.newest;
            for driver in self.drivers.values_mut() {
                let looks = !driver.parts || driver.view.is_some();
                driver.told.behind |= looks && driver.told.upto < newest;
            }
            // Now, so that those who are behind get a part in this call.
            self.list.parts_due = Some(now);
            self.forget_gone();
        }
        if passed(self.list.parts_due) {
            let mut behind = Vec::new();
            let mut views = Vec::new();
            for (&to, driver) in &self.drivers {
                if driver.told.behind && !self.driving.contains_key(&to) {
                    match &driver.view {
                        Some(view) => views.push((view.not_before, to)),
                        None => behind.push(to),
                    }
                }
            }
            // Those who have waited longest come first. A walk for each of them all at once would
            // keep cars waiting.
            views.sort_unstable();
            let next = now.plus(PART_INTERVAL);
            let wait = views.first().map(|&(not_before, _)| not_before.max(next));
            self.list.parts_due = if behind.is_empty() { wait } else { Some(next) };
            let due = views.into_iter().filter(|&(not_before, _)| not_before <= now);
            behind.extend(due.take(AT_ONCE).map(|(_, to)| to));
            self.effects.extend(behind.into_iter().map(|to| Effect::ListWaits { to }));
        }
    }

    /// Forgets cars that are gone, once every driver has been told so.
    fn forget_gone(&mut self) {
        // A part is told in its order which cars are gone.
        let told = self.drivers.values().filter(|driver| !driver.parts);
        let known = told.map(|driver| driver.told.upto).min().unwrap_or(self.list.newest);
        let list = &mut self.list;
        while let Some(&number) = list.gone.first()
            && number <= known
        {
            list.gone.pop_first();
            if let Some(car) = list.changes.remove(&number) {
                list.numbers.remove(&car);
            }
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

    /// Takes this many bytes if they fit, and returns whether they did. The first always fit.
    fn count(&mut self, bytes: usize) -> bool {
        // JSON adds a comma and, around an identifier, two quotes.
        let bytes = bytes + 3;
        let fits = self.bytes == 0 || self.bytes + bytes <= PART;
        self.bytes += if fits { bytes } else { 0 };
        fits
    }
}

pub(crate) fn presence(car: &Car) -> CarPresence {
    match (car.conn, &car.session) {
        (None, _) => CarPresence::Offline,
        (Some(_), None) => CarPresence::Available,
        (Some(_), Some(_)) => CarPresence::Busy,
    }
}

pub(crate) fn info(id: &CarId, car: &Car, role: Option<CarRole>) -> CarInfo {
    CarInfo {
        id: id.clone(),
        name: car.name.clone(),
        presence: presence(car),
        driver: car
            .session
            .as_ref()
            .filter(|_| car.conn.is_some())
            .map(|session| session.user.clone()),
        software: car.software.clone(),
        owner: car.owner.clone(),
        role,
        update: car.update.as_deref().cloned(),
    }
}
