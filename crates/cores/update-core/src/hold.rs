//! Reasons not to install or reboot now.

use crate::words::CarStatus;
use rccar_protocol::units::MonotonicMicros;
use std::fmt;
use std::time::Duration;

/// A car whose `rccar-car` is gone for this long is not driven: the drive stops the car 250 ms
/// after the last set-point. The time covers a restart of `rccar-car` and of the bus.
pub const ABSENT: Duration = Duration::from_secs(10);

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hold {
    /// The wheels may move.
    Armed,
    /// Somebody is connected to drive.
    InSession,
    /// `rccar-car` is absent, so far for less than [`ABSENT`].
    Unknown,
    /// In millivolts.
    Battery { now: u32, needed: u32 },
    /// The month's cap for metered links is reached.
    Cap,
    /// Updates are not automatic, and the owner did not ask for this one.
    NotAsked,
    /// The version failed and is tried again at `at`.
    Later { reason: String, at: MonotonicMicros },
    /// The version failed and is not tried again by itself.
    GaveUp { reason: String },
}

impl Hold {
    /// Whether the owner can end it by asking for the version.
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

#[derive(Debug, Clone)]
pub(crate) struct Car {
    status: Option<CarStatus>,
    absent_since: MonotonicMicros,
    /// `None` while somebody drives, or may.
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

    /// Notes since when the car is parked. Call this whenever time has passed.
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

    /// Why a reboot or an installation could disturb a driver; `None` if it could not.
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

    pub(crate) fn parked_since(&self) -> Option<MonotonicMicros> {
        self.parked_since
    }

    /// When the car counts as parked because `rccar-car` is absent; `None` if it is there.
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
