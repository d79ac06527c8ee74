//! A part of the list as a page asks for it: filtered, sorted, so many cars from this one on. The
//! page gets it once, and then only what changes in it.
//!
//! ```text
//!   list ──► DUE ── the shell has sent what was there ──► SHOWN
//!             ▲                                             │
//!             └── a car changes, 1 s after the last part ───┘
//! ```
//!
//! **What a page costs the host is bounded**: one walk over the cars a second, a few pages at a
//! time, and one part of some kilobytes in memory.

use crate::cars::Car;
use crate::list::info;
use crate::rooms::Rooms;
use crate::words::DriverConn;
use rccar_protocol::signaling::{CarPresence, ListShow, ListSort, ListWish, ToDriver};
use rccar_protocol::text::{CarId, Name};
use rccar_protocol::units::MonotonicMicros;
use std::collections::BTreeSet;
use std::time::Duration;

/// Most cars in a part: a page has more only for a person who scrolls.
pub(crate) const MOST: usize = 100;
/// Bytes of cars in a part, so that a message with them and their order is never too large. A car
/// takes 150 mostly, and 900 at most.
const MOST_BYTES: usize = 48 * 1024;
/// Shortest time between two walks for one page that looks at something else: a person types.
const LOOK_INTERVAL: Duration = Duration::from_millis(200);
/// The same for changes in what it looks at.
const CHANGE_INTERVAL: Duration = Duration::from_secs(1);
/// Pages that are served at a time. With twenty thousand cars that is some ten milliseconds.
pub(crate) const AT_ONCE: usize = 8;

#[derive(Debug)]
pub(crate) struct View {
    wish: ListWish,
    /// What the page shows.
    order: Vec<CarId>,
    counts: Option<Counts>,
    /// Not served before.
    pub(crate) not_before: MonotonicMicros,
}

impl View {
    /// The page is told everything again, as soon as it may be.
    pub(crate) fn forget(&mut self) {
        (self.order, self.counts) = (Vec::new(), None);
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Counts {
    known: u32,
    total: u32,
    ready: u32,
}

impl Rooms {
    /// A page asks for another part of the list.
    pub(crate) fn look(&mut self, now: MonotonicMicros, from: DriverConn, wish: ListWish) {
        let Some(driver) = self.drivers.get_mut(&from) else { return };
        let last = driver.view.as_ref().map(|view| view.not_before);
        // The wait after a change does not put off what a person wants to see now.
        let soonest = last.map_or(now, |last| {
            let since_last = now.plus(CHANGE_INTERVAL).since(last);
            if since_last >= LOOK_INTERVAL { now } else { now.plus(LOOK_INTERVAL - since_last) }
        });
        driver.view = Some(View { wish, order: Vec::new(), counts: None, not_before: soonest });
        driver.told.behind = true;
        self.serve_list_by(soonest);
    }

    /// Sends a page what has changed in what it looks at.
    pub(crate) fn show_view(&mut self, now: MonotonicMicros, to: DriverConn) {
        let Some(driver) = self.drivers.get(&to) else { return };
        let Some(view) = driver.view.as_ref().filter(|view| view.not_before <= now) else { return };
        let search = view.wish.search.as_ref().map(|search| search.as_str().trim().to_lowercase());
        let asker = self.asker(&driver.user);
        let seen = || self.cars.iter().filter(|(_, car)| asker.sees(car));
        let mut found: Vec<(&CarId, &Car)> = seen()
            .filter(|(id, car)| fits(&view.wish, &driver.user, id, car))
            .filter(|(id, car)| search.as_ref().is_none_or(|search| is_found(search, id, car)))
            .collect();
        let ready = found.iter().filter(|(_, car)| is_ready(car)).count();
        let counts =
            Counts { known: count(seen().count()), total: count(found.len()), ready: count(ready) };
        let from = usize::try_from(view.wish.from).unwrap_or(usize::MAX).min(found.len());
        let upto = found.len().min(from + usize::from(view.wish.count).min(MOST));
        let before = |(a, one): &(&CarId, &Car), (b, other): &(&CarId, &Car)| {
            let rank = |car: &Car| match view.wish.sort {
                ListSort::Name => (false, false),
                // An unknown order is the usual one.
                ListSort::Ready | ListSort::Other(_) => {
                    (car.owner.as_ref() != Some(&driver.user), car.conn.is_none())
                }
            };
            (rank(one), &one.key, a).cmp(&(rank(other), &other.key, b))
        };
        // Only the part is sorted: what lies before it is only split off.
        if from > 0 && from < found.len() {
            found.select_nth_unstable_by(from, before);
        }
        let rest = found.get_mut(from..).unwrap_or_default();
        if upto - from > 0 && upto - from < rest.len() {
            rest.select_nth_unstable_by(upto - from - 1, before);
        }
        let part = rest.get_mut(..upto - from).unwrap_or_default();
        part.sort_unstable_by(before);
        let mut bytes = 0;
        let mut fits = |(id, car): &(&CarId, &Car)| {
            bytes += info(id, car, asker.shown_role(car)).json_bytes();
            bytes <= MOST_BYTES
        };
        let count_of_fitting = part.iter().map_while(|entry| fits(entry).then_some(())).count();
        let part = part.get(..count_of_fitting).unwrap_or_default();

        let shown: BTreeSet<&CarId> = view.order.iter().collect();
        let changed =
            |id: &CarId| self.list.numbers.get(id).is_some_and(|number| *number > driver.told.upto);
        let cars: Vec<_> = part
            .iter()
            .filter(|(id, _)| !shown.contains(id) || changed(id))
            .map(|(id, car)| info(id, car, asker.shown_role(car)))
            .collect();
        let order: Vec<CarId> = part.iter().map(|(id, _)| (*id).clone()).collect();
        let first = view.counts.is_none();
        let moved = first || order != view.order;
        let news = moved || !cars.is_empty() || view.counts != Some(counts);
        let (id, at) = (view.wish.id, count(from));
        let newest = self.list.newest;
        if let Some(driver) = self.drivers.get_mut(&to) {
            (driver.told.behind, driver.told.upto) = (false, newest);
            if let Some(view) = &mut driver.view {
                view.order.clone_from(&order);
                view.counts = Some(counts);
                view.not_before = now.plus(CHANGE_INTERVAL);
            }
        }
        if news {
            let Counts { known, total, ready } = counts;
            let order = moved.then_some(order);
            self.tell_driver(to, ToDriver::List { id, known, total, ready, from: at, order, cars });
        }
    }
}

fn fits(wish: &ListWish, user: &Name, id: &CarId, car: &Car) -> bool {
    if wish.car.as_ref().is_some_and(|wanted| wanted != id) {
        return false;
    }
    match wish.show {
        ListShow::Own => car.owner.as_ref() == Some(user),
        ListShow::Ready => is_ready(car),
        // An unknown choice leaves nothing out.
        ListShow::All | ListShow::Other(_) => true,
    }
}

/// By a part of its name or its owner's, or by the beginning of its identifier; `search` is in
/// lower case.
fn is_found(search: &str, id: &CarId, car: &Car) -> bool {
    let holds = |name: &Name| name.as_str().to_lowercase().contains(search);
    holds(&car.name) || car.owner.as_ref().is_some_and(holds) || id.as_str().starts_with(search)
}

fn is_ready(car: &Car) -> bool {
    matches!(crate::list::presence(car), CarPresence::Available)
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// What names are sorted by: without the case of letters, and numbers by their size. Car 9 comes
/// before car 10.
pub(crate) fn sort_key(name: &Name) -> Box<str> {
    let lower = name.as_str().to_lowercase();
    let mut key = String::with_capacity(lower.len() + 4);
    let mut rest = lower.as_str();
    while let Some(first) = rest.chars().next() {
        if first.is_ascii_digit() {
            let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
            let (number, after) = rest.split_at(end);
            let number = number.trim_start_matches('0');
            // The longer of two numbers is the larger one. A name has 64 bytes at most.
            key.push('0');
            key.push(
                char::from_u32(u32::try_from(number.len()).unwrap_or(0) + 0x30).unwrap_or('0'),
            );
            key.push_str(number);
            rest = after;
        } else {
            key.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    key.into_boxed_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sorted_as_people_count() {
        let sorted = ["alpha", "Car 2", "car 09", "CAR 10", "car 100", "car b", "Zebra"];
        let keys = sorted.map(|text| sort_key(&Name::new(text).unwrap()));
        assert!(keys.is_sorted(), "{keys:?}");
    }
}
