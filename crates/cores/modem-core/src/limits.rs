//! How often each cure may be taken.

use crate::rung::Rung;
use crate::timing::{DAY, REBOOTS_A_DAY, apart};
use rccar_protocol::units::MonotonicMicros;
use std::collections::BTreeMap;
use std::time::Duration;

/// When each rung was climbed last.
#[derive(Debug, Default)]
pub(crate) struct Limits {
    last: BTreeMap<Rung, MonotonicMicros>,
    reboots: Vec<MonotonicMicros>,
}

impl Limits {
    /// A reboot ends the machine, too, so the shell stores the times of reboots.
    pub(crate) fn with_reboots(reboots: &[MonotonicMicros]) -> Self {
        let mut limits = Self::default();
        reboots.iter().for_each(|reboot| limits.note(*reboot, Rung::Reboot));
        limits
    }

    pub(crate) fn note(&mut self, now: MonotonicMicros, rung: Rung) {
        self.last.insert(rung, now);
        if rung == Rung::Reboot {
            self.reboots.retain(|reboot| now.since(*reboot) < DAY);
            self.reboots.push(now);
        }
    }

    /// From when on a rung may be climbed again: after `distance`, or after the rung's own distance
    /// if that is longer.
    pub(crate) fn from(&self, rung: Rung, distance: Duration) -> MonotonicMicros {
        let last = self
            .last
            .get(&rung)
            .map_or(MonotonicMicros(0), |last| last.plus(apart(rung).max(distance)));
        let crowded = self.reboots.len() >= REBOOTS_A_DAY && rung == Rung::Reboot;
        if crowded {
            last.max(self.reboots[self.reboots.len() - REBOOTS_A_DAY].plus(DAY))
        } else {
            last
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hour(count: u64) -> MonotonicMicros {
        MonotonicMicros(0).plus(Duration::from_secs(count * 3600))
    }

    #[test]
    fn reboots_before_the_start_count() {
        let limits = Limits::with_reboots(&[hour(20), hour(22), hour(23)]);
        assert_eq!(limits.from(Rung::Reboot, Duration::ZERO), hour(44));
    }

    #[test]
    fn reboots_are_an_hour_apart_and_three_a_day() {
        let mut limits = Limits::default();
        for reboot in 0..3 {
            assert!(limits.from(Rung::Reboot, Duration::ZERO) <= hour(reboot));
            limits.note(hour(reboot), Rung::Reboot);
        }
        assert_eq!(limits.from(Rung::Reboot, Duration::ZERO), hour(24));
    }
}
