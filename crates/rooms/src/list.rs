//! The list of cars that drivers see, pushed on change and not too often.

use crate::rooms::Rooms;
use crate::words::Effect;
use rccar_protocol::signaling::{CarInfo, CarPresence, ToDriver};
use std::time::Duration;

/// When the list was and will be pushed.
#[derive(Debug, Default)]
pub(crate) struct ListPush {
    /// When drivers have to get the list.
    pub(crate) due: Option<Duration>,
    last: Option<Duration>,
    pushed: Vec<CarInfo>,
}

impl Rooms {
    /// The list as it is now, by identifier.
    #[must_use]
    pub fn cars(&self) -> Vec<CarInfo> {
        let info = |(id, car): (&_, &crate::cars::Car)| CarInfo {
            id: Clone::clone(id),
            name: car.name.clone(),
            presence: match (car.conn, &car.session) {
                (None, _) => CarPresence::Offline,
                (Some(_), None) => CarPresence::Available,
                (Some(_), Some(_)) => CarPresence::Busy,
            },
            driver: car.session.as_ref().filter(|_| car.conn.is_some()).map(|session| session.user.clone()),
            software: car.software.clone(),
            owner: car.owner.clone(),
            update: car.update.clone(),
        };
        self.cars.iter().map(info).collect()
    }

    pub(crate) fn list_changed(&mut self, now: Duration) {
        let earliest = self.list.last.map_or(now, |last| now.max(last + self.options.list_interval));
        self.list.due.get_or_insert(earliest);
    }

    pub(crate) fn push_list(&mut self, now: Duration) {
        if self.list.due.is_none_or(|due| due > now) {
            return;
        }
        self.list.due = None;
        let cars = self.cars();
        if cars == self.list.pushed {
            return;
        }
        self.list.last = Some(now);
        self.list.pushed.clone_from(&cars);
        let message = |&to| Effect::ToDriver { to, message: ToDriver::Cars { cars: cars.clone() } };
        self.effects.extend(self.drivers.keys().map(message));
    }
}
