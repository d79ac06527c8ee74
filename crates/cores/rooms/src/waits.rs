//! People who wait for a car that somebody else drives.
//!
//! A session remembers one page that was refused because of it. The driver's page is told so, and
//! asks a driver who does nothing; the host does not see whether the driver does something. A page
//! that does not ask keeps the car: its owner can take it back.

use crate::rooms::Rooms;
use crate::words::DriverConn;
use rccar_protocol::release::{UpdateState, UpdateStatus};
use rccar_protocol::signaling::ToDriver;
use rccar_protocol::text::{CarId, Name, SessionId};

impl Rooms {
    /// A page was refused because of this session.
    pub(crate) fn wait_for(&mut self, from: DriverConn, user: Name, session: SessionId) {
        if self.session_mut(session).is_some_and(|session| session.waits.is_some()) {
            return;
        }
        self.stop_waiting(from);
        let Some(entry) = self.session_mut(session) else { return };
        entry.waits = Some((from, user));
        self.waiting.insert(from, session);
        self.tell_wanted(session);
    }

    /// A page is gone, or has another car.
    pub(crate) fn stop_waiting(&mut self, conn: DriverConn) {
        let Some(id) = self.waiting.remove(&conn) else { return };
        if let Some(session) = self.session_mut(id)
            && session.waits.take_if(|(waits, _)| *waits == conn).is_some()
        {
            self.tell_wanted(id);
        }
    }

    /// A car's report about its updates has changed.
    pub(crate) fn update_changed(&mut self, car: &CarId, before: Option<&UpdateStatus>) {
        let Some(entry) = self.cars.get(car) else { return };
        let Some(session) = entry.session.as_ref().map(|session| session.id) else { return };
        if waits(before) != waits(entry.update.as_deref()) {
            self.tell_wanted(session);
        }
    }

    /// A session begins.
    pub(crate) fn tell_if_update_waits(&mut self, id: SessionId) {
        let car = self.sessions.get(&id).and_then(|car| self.cars.get(car));
        if car.is_some_and(|car| waits(car.update.as_deref())) {
            self.tell_wanted(id);
        }
    }

    fn tell_wanted(&mut self, id: SessionId) {
        let Some(idle) = self.options.idle else { return };
        let Some(car) = self.sessions.get(&id).and_then(|car| self.cars.get(car)) else { return };
        let Some(session) = &car.session else { return };
        let by = session.waits.as_ref().map(|(_, user)| user.clone());
        let update = waits(car.update.as_deref());
        let idle_s = u32::try_from(idle.as_secs()).unwrap_or(u32::MAX).max(1);
        self.tell_driver_of(id, ToDriver::Wanted { session: id, by, update, idle_s });
    }
}

/// Whether a version waits that nobody has to ask for.
fn waits(update: Option<&UpdateStatus>) -> bool {
    update.is_some_and(|update| update.state == UpdateState::Waiting && !update.on_request)
}
