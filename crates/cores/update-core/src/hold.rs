//! What keeps the car from being updated or rebooted.

use crate::words::CarStatus;
use rccar_protocol::units::MonotonicMicros;
use std::fmt;
use std::time::Duration;

/// A car whose agent is gone for this long is not driven: the drive stops the car 250 ms after the
/// last set-point. The time covers a restart of the agent, and of the bus.
pub const ABSENT: Duration = Duration::from_secs(10);

/// Why nothing is installed or rebooted now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hold {
    /// The wheels may move.
    Armed,
    /// Somebody is connected to drive.
    InSession,
    /// `rccar-car` does not say whether somebody drives.
    Unknown,
    /// The battery is low.
    Battery {
        /// Millivolts.
        now: u32,
        /// Millivolts that are needed.
        needed: u32,
    },
    /// The cap of the month is reached.
    Cap,
    /// Updates are not automatic, and nobody asked for this one.
    NotAsked,
    /// It failed and is tried again.
    Later {
        /// Why it failed.
        reason: String,
        /// When it is tried again.
        at: MonotonicMicros,
    },
    /// It failed for good.
    GaveUp {
        /// Why it failed.
        reason: String,
    },
}

impl Hold {
    /// Whether the owner's wish ends it.
    pub(crate) fn ends_on_request(&self) -> bool {
        match self {
            Self::NotAsked | Self::Later { .. } | Self::GaveUp { .. } => true,
            Self::Armed | Self::InSession | Self::Unknown | Self::Battery { .. } | Self::Cap => {
                false
            }
        }
    }
}

impl fmt::Display for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Armed => f.write_str("the car is armed"),
            Self::InSession => f.write_str("somebody is connected to drive"),
            Self::Unknown => f.write_str("it is not known yet whether somebody drives"),
            Self::Battery { now, needed } => {
                write!(
                    f,
                    "the battery is low ({}.{:02} V of {}.{:02} V)",
                    now / 1000,
                    now % 1000 / 10,
                    needed / 1000,
                    needed % 1000 / 10
                )
            }
            Self::Cap => f.write_str("this month's cap for metered links is reached"),
            Self::NotAsked => f.write_str("updates are not automatic: the owner has to ask for it"),
            Self::Later { reason, .. } => write!(f, "tried again later: {reason}"),
            Self::GaveUp { reason } => write!(f, "not tried again: {reason}"),
        }
    }
}

/// What is known of the car, and since when.
#[derive(Debug, Clone)]
pub(crate) struct Car {
    status: Option<CarStatus>,
    absent_since: MonotonicMicros,
    /// Since when nobody drives.
    parked_since: Option<MonotonicMicros>,
}

impl Car {
    pub(crate) fn unknown(now: MonotonicMicros) -> Self {
        Self { status: None, absent_since: now, parked_since: None }
    }

    pub(crate) fn set(&mut self, now: MonotonicMicros, status: Option<CarStatus>) {
        if status.is_none() && self.status.is_some() {
            self.absent_since = now;
        }
        self.status = status;
        self.pass(now);
    }

    /// Lets time pass.
    pub(crate) fn pass(&mut self, now: MonotonicMicros) {
        match self.driving(now) {
            None => {
                self.parked_since.get_or_insert(now);
            }
            Some(_) => self.parked_since = None,
        }
    }

    pub(crate) fn status(&self) -> Option<&CarStatus> {
        self.status.as_ref()
    }

    /// Why a reboot or an installation could disturb a driver.
    pub(crate) fn driving(&self, now: MonotonicMicros) -> Option<Hold> {
        match &self.status {
            Some(car) if car.armed => Some(Hold::Armed),
            Some(car) if car.in_session => Some(Hold::InSession),
            Some(_) => None,
            None if now.since(self.absent_since) < ABSENT => Some(Hold::Unknown),
            None => None,
        }
    }

    pub(crate) fn battery(&self, needed: u32) -> Option<Hold> {
        let now = self.status.as_ref().and_then(|car| car.battery_mv)?;
        (now < needed).then_some(Hold::Battery { now, needed })
    }

    /// Since when nobody drives, if nobody does.
    pub(crate) fn parked_since(&self) -> Option<MonotonicMicros> {
        self.parked_since
    }

    /// When an absent agent counts as a parked car.
    pub(crate) fn settles_at(&self) -> Option<MonotonicMicros> {
        self.status.is_none().then(|| self.absent_since.plus(ABSENT))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_car_without_agent_is_parked_after_a_while() {
        let mut car = Car::unknown(MonotonicMicros(0));
        car.set(MonotonicMicros(5_000_000), None);
        assert_eq!(car.driving(MonotonicMicros(5_000_000)), Some(Hold::Unknown));
        car.set(
            MonotonicMicros(6_000_000),
            Some(CarStatus { armed: true, in_session: true, ..CarStatus::default() }),
        );
        assert_eq!(car.driving(MonotonicMicros(6_000_000)), Some(Hold::Armed));
        car.set(MonotonicMicros(7_000_000), None);
        assert_eq!(car.driving(MonotonicMicros(16_999_999)), Some(Hold::Unknown));
        car.pass(MonotonicMicros(17_000_000));
        assert_eq!(
            (car.driving(MonotonicMicros(17_000_000)), car.parked_since()),
            (None, Some(MonotonicMicros(17_000_000)))
        );
    }

    #[test]
    fn an_unmeasured_battery_holds_nothing() {
        let mut car = Car::unknown(MonotonicMicros(0));
        car.set(MonotonicMicros(0), Some(CarStatus::default()));
        assert_eq!(car.battery(7000), None);
        car.set(
            MonotonicMicros(0),
            Some(CarStatus { battery_mv: Some(6949), ..CarStatus::default() }),
        );
        assert_eq!(
            car.battery(7000).map(|hold| hold.to_string()).unwrap(),
            "the battery is low (6.94 V of 7.00 V)"
        );
        assert_eq!(car.battery(6949), None);
    }
}
