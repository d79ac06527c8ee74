//! What the machine does when time passes or the car's state changes.

use super::{
    AGAIN, ANSWER_WITHIN, CHECK_SPREAD, MARK_TRIES, Machine, PASSING_FIRST, PASSING_LONGEST, Phase,
    REBOOT_WITHIN, TRIAL_AT_LEAST,
};
use crate::effect::{Effect, Mark, Traffic};
use crate::hold::Hold;
use crate::saved::{Pending, Stage};
use crate::words::{Fault, Release, Source};
use rccar_protocol::units::MonotonicMicros;
use semver::Version;
use std::time::Duration;

/// With fewer bytes left below the cap, an installation is not worth beginning.
const WORTH_BEGINNING: u64 = 500_000;

impl Machine {
    /// Checks for a release when it is time, and gives up on an answer that does not come.
    pub(super) fn ask(&mut self, now: MonotonicMicros) {
        if self.checking.is_some_and(|since| now >= since.plus(ANSWER_WITHIN)) {
            self.not_answered(now);
        }
        if now >= self.check_at && self.may_ask(now) {
            self.checking = Some(now);
            let older = self.settings.allow_downgrade
                || self.wish.as_ref().is_some_and(|(_, downgrade)| *downgrade);
            self.effects.push_back(Effect::Check { older });
        }
    }

    fn may_ask(&self, now: MonotonicMicros) -> bool {
        let wanted = match &self.phase {
            Phase::Idle => true,
            Phase::Offered { release, .. } => matches!(release.source, Source::Host(_)),
            _ => false,
        };
        let registered = self.car.status().is_some_and(|car| car.registered);
        wanted && registered && self.checking.is_none() && self.car.driving(now).is_none()
    }

    pub(super) fn not_answered(&mut self, now: MonotonicMicros) {
        self.checking = None;
        self.check_failures += 1;
        let wait = doubled(PASSING_FIRST, self.check_failures).min(self.settings.check_interval);
        self.check_at = now.plus(wait + spread(CHECK_SPREAD, self.dice));
    }

    /// Marks the booted slot good once drive and `rccar-car` run, outside of a trial. The network
    /// does not count: a car that is switched on and off in a tunnel must not use up the
    /// bootloader's attempts.
    pub(super) fn settle(&mut self, now: MonotonicMicros) {
        let proving = matches!(self.phase, Phase::Trial { .. } | Phase::Condemned { .. });
        let runs = self.car.status().is_some_and(|car| car.drive_alive);
        if !self.settled && !proving && runs {
            self.mark(now, Mark::Good);
        }
    }

    fn mark(&mut self, now: MonotonicMicros, mark: Mark) -> bool {
        let due = !self.marking && now >= self.mark_at;
        if due {
            self.marking = true;
            self.effects.push_back(Effect::Mark(mark));
        }
        due
    }

    /// Does one step that is due. Returns false if there is none.
    pub(super) fn step(&mut self, now: MonotonicMicros) -> bool {
        match self.phase.clone() {
            Phase::Idle => false,
            Phase::Offered { release, asked } => {
                let free = self.holds_install(now, &release, asked).is_none();
                if free {
                    self.install(release, asked);
                }
                free
            }
            Phase::Installing { .. } => {
                self.direct_traffic(now);
                false
            }
            Phase::Waiting { pending, again_at } => {
                let parked = self
                    .car
                    .parked_since()
                    .is_some_and(|since| now.since(since) >= self.settings.park);
                let free =
                    now >= again_at && (pending.asked || parked) && self.holds_work(now).is_none();
                if free {
                    self.reboot(now, pending);
                }
                free
            }
            Phase::Rebooting { until, .. } => {
                let late = now >= until;
                if late {
                    self.rebooted_not(now);
                }
                late
            }
            Phase::Trial { .. } => self.prove(now),
            Phase::Condemned { pending, marks, marked, .. } => {
                self.leave(now, pending, marks, marked)
            }
        }
    }

    fn install(&mut self, release: Release, asked: bool) {
        self.saved.pending = Some(Pending {
            version: release.version.clone(),
            from: self.boot.slot.clone(),
            stage: Stage::Installing,
            asked,
            registered: self.car.status().is_some_and(|car| car.registered),
            reboots: 0,
        });
        self.save();
        let traffic = self.flow();
        self.effects.push_back(Effect::Traffic(traffic));
        self.effects.push_back(Effect::Install(release.clone()));
        self.phase = Phase::Installing { release, asked, percent: 0, traffic };
    }

    fn flow(&self) -> Traffic {
        Traffic::Flow {
            budget: self.metered.then(|| self.saved.meter.left(self.settings.metered_cap)),
        }
    }

    fn direct_traffic(&mut self, now: MonotonicMicros) {
        let wanted = if self.holds_work(now).is_some() { Traffic::Hold } else { self.flow() };
        let Phase::Installing { traffic, .. } = &mut self.phase else { return };
        // The transfer counts its budget down by itself: another number is no news.
        let same = match (*traffic, wanted) {
            (Traffic::Flow { budget: before }, Traffic::Flow { budget: after }) => {
                before.is_some() == after.is_some()
            }
            (before, after) => before == after,
        };
        if !same {
            *traffic = wanted;
            self.effects.push_back(Effect::Traffic(wanted));
        }
    }

    fn reboot(&mut self, now: MonotonicMicros, mut pending: Pending) {
        pending.reboots += 1;
        self.saved.pending = Some(pending.clone());
        self.save();
        self.effects.push_back(Effect::Reboot);
        self.phase = Phase::Rebooting { pending, until: now.plus(REBOOT_WITHIN) };
    }

    pub(super) fn rebooted_not(&mut self, now: MonotonicMicros) {
        let Phase::Rebooting { mut pending, .. } = self.phase.clone() else { return };
        // `reboot` counted it before it happened.
        pending.reboots = pending.reboots.saturating_sub(1);
        match pending.stage.clone() {
            Stage::Condemned(reason) => {
                self.saved.pending = Some(pending.clone());
                self.mark_at = now.plus(PASSING_FIRST);
                self.phase = Phase::Condemned { pending, reason, marks: 0, marked: true };
            }
            _ => self.wait(now, pending),
        }
        self.save();
    }

    /// The version is installed. Waits for the car to be parked; after a refused reboot, at least
    /// [`PASSING_FIRST`].
    pub(super) fn wait(&mut self, now: MonotonicMicros, pending: Pending) {
        let again_at = if matches!(self.phase, Phase::Rebooting { .. }) {
            now.plus(PASSING_FIRST)
        } else {
            now
        };
        self.saved.pending = Some(pending.clone());
        self.phase = Phase::Waiting { pending, again_at };
    }

    fn prove(&mut self, now: MonotonicMicros) -> bool {
        let ends = self.trial_ends();
        let seen = self.car.status().is_some();
        let Phase::Trial { pending, health, camera_at } = &mut self.phase else { return false };
        let missing = health.missing(pending.registered);
        // A mark on its way may still succeed.
        if now >= ends && !self.marking {
            let unmarked = || {
                format!(
                    "the bootloader cannot be told that it works ({})",
                    self.mark_error.as_deref().unwrap_or("no answer")
                )
            };
            let reason = missing.unwrap_or_else(unmarked);
            let mut pending = pending.clone();
            pending.stage = Stage::Condemned(reason.clone());
            self.saved.pending = Some(pending.clone());
            self.save();
            self.mark_at = now;
            self.phase = Phase::Condemned { pending, reason, marks: 0, marked: false };
            return true;
        }
        if missing.is_none() {
            return self.mark(now, Mark::Good);
        }
        if seen && !health.has_picture() && now >= *camera_at {
            *camera_at = now.plus(AGAIN);
            self.effects.push_back(Effect::TestCamera);
            return true;
        }
        false
    }

    fn leave(&mut self, now: MonotonicMicros, pending: Pending, marks: u32, marked: bool) -> bool {
        if self.car.driving(now).is_some() || now < self.mark_at {
            return false;
        }
        if marked || marks >= MARK_TRIES {
            self.reboot(now, pending);
            return true;
        }
        let asked = self.mark(now, Mark::Bad);
        if let Phase::Condemned { marks, .. } = &mut self.phase
            && asked
        {
            *marks += 1;
        }
        asked
    }

    /// Why a release cannot be installed now.
    pub(super) fn holds_install(
        &self,
        now: MonotonicMicros,
        release: &Release,
        asked: bool,
    ) -> Option<Hold> {
        let failure = self.saved.failure(&release.version);
        let reason = || failure.map(|failure| failure.reason.clone()).unwrap_or_default();
        if failure.is_some_and(|failure| failure.is_final || failure.tries >= self.settings.tries) {
            return Some(Hold::GaveUp { reason: reason() });
        }
        if !asked && !self.settings.automatic {
            return Some(Hold::NotAsked);
        }
        let later = self.retry_at.get(&release.version).filter(|at| **at > now);
        let later = later.map(|at| Hold::Later { reason: reason(), at: *at });
        let used_up =
            || self.metered && self.saved.meter.left(self.settings.metered_cap) < WORTH_BEGINNING;
        let cap = || (matches!(release.source, Source::Host(_)) && used_up()).then_some(Hold::Cap);
        later.or_else(|| self.holds_work(now)).or_else(cap)
    }

    /// Why an installation or a reboot cannot go on.
    pub(super) fn holds_work(&self, now: MonotonicMicros) -> Option<Hold> {
        self.car.driving(now).or_else(|| self.car.battery(self.settings.min_battery_mv))
    }

    /// By when the new version has to prove itself.
    pub(super) fn trial_ends(&self) -> MonotonicMicros {
        MonotonicMicros(0).plus(self.settings.health_limit).max(self.started.plus(TRIAL_AT_LEAST))
    }

    pub(super) fn remember(&mut self, now: MonotonicMicros, version: &Version, fault: &Fault) {
        let failure = self.saved.failure_mut(version);
        fault.reason().clone_into(&mut failure.reason);
        match fault {
            Fault::Passing(_) => failure.passing += 1,
            Fault::Version(_) | Fault::Final(_) => {
                failure.tries += 1;
                failure.passing = 0;
                failure.is_final = matches!(fault, Fault::Final(_));
            }
        }
        let (tries, passing) = (failure.tries, failure.passing);
        self.retry_at.insert(version.clone(), now.plus(self.wait_after(tries, passing)));
    }

    /// The wait before a version is tried again. Passing failures double it; failures that count
    /// make it four times as long.
    pub(super) fn wait_after(&self, tries: u32, passing: u32) -> Duration {
        if passing > 0 {
            return doubled(PASSING_FIRST, passing).min(PASSING_LONGEST);
        }
        let fourfold =
            doubled(self.settings.retry_first, tries.saturating_mul(2).saturating_sub(1));
        if tries == 0 { Duration::ZERO } else { fourfold.min(self.settings.retry_longest) }
    }

    pub(super) fn save(&mut self) {
        self.unsaved = 0;
        self.effects.push_back(Effect::Save(Box::new(self.saved.clone())));
    }
}

/// `first` for 1, twice `first` for 2, four times for 3, and so on.
fn doubled(first: Duration, times: u32) -> Duration {
    first.saturating_mul(1 << times.saturating_sub(1).min(16))
}

/// A random part of `most`.
pub(super) fn spread(most: Duration, dice: u32) -> Duration {
    most.mul_f64(f64::from(dice) / f64::from(u32::MAX))
}
