//! Who may see and drive which car.
//!
//! **Nobody sees, reaches or keeps a car without a right to it**: the list, `connect` and every
//! session ask [`Rooms::role`], and a session whose driver has lost the right ends at once.

use crate::cars::Car;
use crate::rooms::Rooms;
use crate::session::Farewell;
use crate::words::Shared;
use rccar_protocol::signaling::{ByeReason, CarRole};
use rccar_protocol::text::{CarId, Name, SessionId};
use rccar_protocol::units::MonotonicMicros;
use std::collections::BTreeSet;

/// Who asks, as far as rights go.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asker<'a> {
    pub(crate) user: &'a Name,
    pub(crate) admin: bool,
    pub(crate) by_rights: bool,
}

impl Asker<'_> {
    /// `None`: for this user there is no such car.
    pub(crate) fn role(&self, car: &Car) -> Option<CarRole> {
        self.role_by(car.owner.as_ref(), car.shared.as_deref())
    }

    fn role_by(&self, owner: Option<&Name>, shared: Option<&Shared>) -> Option<CarRole> {
        if !self.by_rights || self.admin || owner == Some(self.user) {
            return Some(CarRole::Owner);
        }
        let shared = shared?;
        let own = shared.people.get(self.user).copied();
        [own, shared.everybody].into_iter().flatten().min_by_key(|role| rank(*role))
    }

    pub(crate) fn sees(&self, car: &Car) -> bool {
        self.role(car).is_some()
    }

    /// What the list says: without rights, nothing.
    pub(crate) fn shown_role(&self, car: &Car) -> Option<CarRole> {
        self.role(car).filter(|_| self.by_rights)
    }
}

/// The more one may, the less.
fn rank(role: CarRole) -> u8 {
    match role {
        CarRole::Owner => 0,
        CarRole::Driver => 1,
        CarRole::Spectator => 2,
        // A word that this program does not know gives no more than to see the car.
        CarRole::Other(_) => 3,
    }
}

pub(crate) fn may_drive(role: CarRole) -> bool {
    matches!(role, CarRole::Owner | CarRole::Driver)
}

impl Rooms {
    /// The users who count as owners of every car. A session of one who no longer does ends, unless
    /// another right carries it.
    pub fn handle_admins(&mut self, now: MonotonicMicros, admins: BTreeSet<Name>) {
        let changed: BTreeSet<Name> = admins.symmetric_difference(&self.admins).cloned().collect();
        if changed.is_empty() {
            return;
        }
        self.admins = admins;
        let by_rights = self.options.by_rights;
        for driver in self.drivers.values_mut().filter(|driver| changed.contains(&driver.user)) {
            if driver.parts && driver.view.is_none() {
                // It will ask for what it wants to see.
                continue;
            }
            driver.told.behind = true;
            if let Some(view) = &mut driver.view {
                view.forget();
            } else if self.admins.contains(&driver.user) {
                driver.told.tell_all(self.cars.keys());
            } else {
                let asker = Asker { user: &driver.user, admin: false, by_rights };
                let lost = self.cars.iter().filter(|(_, car)| !asker.sees(car));
                driver.told.lost.extend(lost.map(|(id, _)| id.clone()));
            }
        }
        self.serve_list_by(now);
        self.end_without_right(now, |_, user| changed.contains(user));
    }

    /// What a user may do with a car. `None`: for this user there is no such car.
    #[must_use]
    pub fn role(&self, user: &Name, car: &CarId) -> Option<CarRole> {
        self.asker(user).role(self.cars.get(car)?)
    }

    pub(crate) fn asker<'a>(&self, user: &'a Name) -> Asker<'a> {
        let (admin, by_rights) = (self.admins.contains(user), self.options.by_rights);
        Asker { user, admin, by_rights }
    }

    /// A car has another owner, or is shared with others. Call [`Rooms::list_changed`] then.
    pub(crate) fn change_rights(
        &mut self,
        now: MonotonicMicros,
        id: &CarId,
        owner: Option<Name>,
        shared: Option<Box<Shared>>,
    ) {
        let Some(car) = self.cars.get_mut(id) else { return };
        // Pages that ask for parts find out by themselves; the others have to be told what is gone.
        for driver in self.drivers.values_mut().filter(|driver| !driver.parts) {
            let (admin, by_rights) = (self.admins.contains(&driver.user), self.options.by_rights);
            let asker = Asker { user: &driver.user, admin, by_rights };
            let sees = asker.role_by(owner.as_ref(), shared.as_deref()).is_some();
            if asker.sees(car) && !sees {
                driver.told.lost.push(id.clone());
            }
        }
        (car.owner, car.shared) = (owner, shared);
        self.end_without_right(now, |car, _| car == id);
    }

    fn end_without_right(
        &mut self,
        now: MonotonicMicros,
        is_meant: impl Fn(&CarId, &Name) -> bool,
    ) {
        let over = |(session, car): (&SessionId, &CarId)| {
            let user = &self.cars.get(car)?.session.as_ref()?.user;
            let over = is_meant(car, user) && !self.role(user, car).is_some_and(may_drive);
            over.then_some(*session)
        };
        let over: Vec<_> = self.sessions.iter().filter_map(over).collect();
        over.into_iter()
            .for_each(|id| self.end_session(now, id, &Farewell::both(ByeReason::Revoked)));
        self.end_prepared_without_right();
    }
}
