//! What telemetry adds to the drive's status: the car's computer, and where the car is.

use crate::computer::ComputerWatch;
use rccar_daemon::clock;
use rccar_protocol::sensors::{Computer, Position};
use rccar_protocol::units::MonotonicMicros;
use std::time::Duration;
use tokio::sync::watch;

/// A position older than this is not shown at all: the car is elsewhere by now.
const LOST: Duration = Duration::from_secs(600);

/// A place, and the moment at which the receiver said it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Place {
    pub(crate) latitude: f64,
    pub(crate) longitude: f64,
    pub(crate) at: MonotonicMicros,
}

/// All clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Sensors {
    pub(crate) computer: ComputerWatch,
    pub(crate) place: watch::Receiver<Option<Place>>,
}

impl Sensors {
    pub(crate) fn computer(&self) -> Option<Computer> {
        self.computer.now(clock::now())
    }

    pub(crate) fn position(&self) -> Option<Position> {
        let place = (*self.place.borrow())?;
        position(&place, clock::now())
    }

    #[cfg(test)]
    pub(crate) fn none() -> Self {
        Self { computer: ComputerWatch::none(), place: watch::channel(None).1 }
    }
}

fn position(place: &Place, now: MonotonicMicros) -> Option<Position> {
    let age = now.since(place.at);
    let seconds = u16::try_from(age.as_secs()).unwrap_or(u16::MAX);
    (age <= LOST)
        .then(|| Position::from_degrees(place.latitude, place.longitude, seconds))
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_ages_until_it_is_none() {
        let at = MonotonicMicros(1_000_000);
        let place = Place { latitude: 52.5, longitude: -13.4, at };
        let shown = |after| position(&place, at.plus(after));
        let fresh = shown(Duration::ZERO).unwrap();
        assert_eq!(
            (fresh.latitude(), fresh.longitude(), fresh.age_s),
            (525_000_000, -134_000_000, 0)
        );
        assert_eq!(shown(LOST).unwrap().age_s, 600);
        assert_eq!(shown(LOST + Duration::from_secs(1)), None);
        let nowhere = Place { latitude: 91.0, ..place };
        assert_eq!(position(&nowhere, at), None);
    }
}
