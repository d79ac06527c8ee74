//! Questions about the ends of sessions.

use crate::rooms::Rooms;
use crate::words::{CarConn, DriverConn};
use rccar_protocol::text::{CarId, Name, SessionId};

/// A session with the connections of its ends; `None` for one that is away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionEnds {
    pub session: SessionId,
    pub driver: Option<DriverConn>,
    pub car: Option<CarConn>,
}

impl Rooms {
    /// All sessions that have not ended.
    pub fn session_ends(&self) -> impl Iterator<Item = SessionEnds> {
        self.sessions.iter().filter_map(|(&session, car)| {
            let car = self.cars.get(car)?;
            let driver = car.session.as_ref()?.driver;
            Some(SessionEnds { session, driver, car: car.conn })
        })
    }

    /// `None` if it has ended.
    #[must_use]
    pub fn session_ends_of(&self, session: SessionId) -> Option<SessionEnds> {
        self.session_of_car(self.sessions.get(&session)?)
    }

    /// The session of a car.
    #[must_use]
    pub fn session_of_car(&self, car: &CarId) -> Option<SessionEnds> {
        let car = self.cars.get(car)?;
        let session = car.session.as_ref()?;
        Some(SessionEnds { session: session.id, driver: session.driver, car: car.conn })
    }

    #[must_use]
    pub fn is_enrolled(&self, car: &CarId) -> bool {
        self.cars.contains_key(car)
    }

    /// `None` if nobody owns the car.
    #[must_use]
    pub fn owner(&self, car: &CarId) -> Option<&Name> {
        self.cars.get(car)?.owner.as_ref()
    }
}
