//! What comes next, and when.

use super::{Machine, Phase};
use crate::rung::Rung;
use crate::timing::{
    self, CONTROLS, DAEMON_GRACE, FAULT_FIRST, FAULT_LONGEST, MODEM_GRACE, RADIO_WITHOUT_COVERAGE,
    SEARCHING, STRANGER, TRIES,
};
use crate::words::{Cause, Fault, ModemView, Registration, Stage};
use rccar_protocol::units::MonotonicMicros;
use std::time::Duration;

impl Machine {
    pub(super) fn plan(&mut self, now: MonotonicMicros, cause: Cause) {
        let (rung, mut due, cause) = self.next(now, cause);
        // Observations that flicker must not delay an attempt for ever: an earlier time for the
        // same rung stays. Only a daemon that has just come gets its full time to find a modem.
        if let Phase::Waiting { rung: planned, due: earlier, cause: before } = self.phase
            && planned == rung
            && (before == Cause::DaemonMissing) == (cause == Cause::DaemonMissing)
            && earlier > now
        {
            due = due.min(earlier);
        }
        self.wait(due.max(now), rung, cause);
    }

    fn next(&mut self, now: MonotonicMicros, cause: Cause) -> (Rung, MonotonicMicros, Cause) {
        if !self.is_expected() {
            // Nothing is missing. `begin` plans again without doing anything.
            return (Rung::Reconnect, now.plus(MODEM_GRACE), Cause::ModemMissing);
        }
        if !self.seen.daemon {
            return self.cure(
                now,
                Rung::RestartDaemon,
                self.daemon_since.plus(DAEMON_GRACE),
                Cause::DaemonMissing,
            );
        }
        let Some(ModemView { stage, registration, .. }) = self.seen.modem else {
            return self.cure(
                now,
                Rung::RestartDaemon,
                self.modem_since.plus(MODEM_GRACE),
                Cause::ModemMissing,
            );
        };
        let observed = match stage {
            Stage::Failed(fault) => Some(fault),
            Stage::LockedForGood => Some(Fault::PukNeeded),
            Stage::LockedByPin(_) if !self.has_pin => Some(Fault::PinNeeded),
            Stage::LockedByPin(_) if self.pin_refused => Some(Fault::PinWrong),
            Stage::LockedByPin(Some(0 | 1)) => Some(Fault::PinWrong),
            _ if registration == Registration::Denied => Some(Fault::Denied),
            // A fault that a try found holds until another try shows otherwise.
            _ => self.told,
        };
        self.set_fault(observed);
        // A modem that cannot be asked is cured first. Otherwise nothing would show that the person
        // has acted.
        if observed.is_some() && !matches!(stage, Stage::Starting | Stage::Broken) {
            self.drop_kept();
            let wait = (FAULT_FIRST * 2_u32.saturating_pow(self.outage.waits_for_person))
                .min(FAULT_LONGEST);
            self.outage.waits_for_person = (self.outage.waits_for_person + 1).min(2);
            return (
                Rung::Reconnect,
                now.plus(timing::spread(wait, self.dice)),
                Cause::PersonMayHaveActed,
            );
        }
        match stage {
            Stage::Starting => {
                self.cure(now, Rung::Reset, self.modem_since.plus(MODEM_GRACE), Cause::ModemMute)
            }
            Stage::Broken => self.cure(now, Rung::Reset, now, Cause::ModemMute),
            _ if self.control.failed >= CONTROLS => {
                self.cure(now, Rung::Reset, now, Cause::ModemMute)
            }
            _ => self.next_try(now, cause, registration),
        }
    }

    /// The modem can be asked to connect: a try comes next, or a cure before it.
    fn next_try(
        &self,
        now: MonotonicMicros,
        cause: Cause,
        registration: Registration,
    ) -> (Rung, MonotonicMicros, Cause) {
        let due = now.plus(timing::backoff(self.outage.tries, self.dice));
        let coverage = registration == Registration::Registered;
        if self.outage.tries_since_cure < TRIES {
            return (Rung::Reconnect, due, cause);
        }
        // Without coverage nothing heavier than the radio can help.
        let next = match self.outage.cure {
            Some(cure) if coverage => self.above(cure),
            _ => Rung::CycleRadio,
        };
        let allowed = |rung: Rung| match coverage {
            true => self.limits.from(rung, Duration::ZERO),
            // Without coverage: only after the modem has looked for a network long enough, and
            // rarely.
            false => self
                .limits
                .from(rung, RADIO_WITHOUT_COVERAGE)
                .max(self.registration_since.plus(SEARCHING)),
        };
        // While the heaviest cure has to wait, the other heavy ones are taken again.
        let again = [Rung::Reset, Rung::RestartDaemon, Rung::CycleUsb]
            .into_iter()
            .filter(|rung| next >= Rung::CycleUsb && *rung < next);
        // A cure takes the place of the next try if it is allowed by then.
        match std::iter::once(next).chain(again).find(|rung| allowed(*rung) <= due) {
            Some(rung) => (rung, allowed(rung).max(now), cause),
            None => (Rung::Reconnect, due, cause),
        }
    }

    /// For a modem that cannot be asked to connect: the next cure, or a heavy one that is allowed
    /// earlier.
    fn cure(
        &self,
        now: MonotonicMicros,
        first: Rung,
        from: MonotonicMicros,
        cause: Cause,
    ) -> (Rung, MonotonicMicros, Cause) {
        let next =
            self.outage.cure.filter(|cure| *cure >= first).map_or(first, |cure| self.above(cure));
        // USB power does not bring a missing daemon back.
        let of_use = |rung: &Rung| {
            *rung >= first && !(cause == Cause::DaemonMissing && *rung == Rung::CycleUsb)
        };
        let candidates = [next, first, Rung::CycleUsb].into_iter().filter(of_use);
        // A device that ModemManager never had may be no modem: an Arduino has a modem's driver,
        // too. After the first pass its cures are further apart.
        let stranger = cause == Cause::ModemMissing && !self.had_modem;
        let distance = if stranger { STRANGER } else { Duration::ZERO };
        let due = |rung: Rung| self.limits.from(rung, distance).max(from).max(now);
        // The one that is allowed first; of equal ones the first candidate.
        let best = candidates
            .map(|rung| (due(rung), rung))
            .reduce(|one, other| if other.0 < one.0 { other } else { one });
        let (due, rung) = best.unwrap_or((from.max(now), first));
        (rung, due, cause)
    }

    /// The next cure. After the highest one that is allowed, it begins again with [`Rung::Reset`].
    fn above(&self, cure: Rung) -> Rung {
        match cure {
            Rung::Reconnect | Rung::CycleBearer => Rung::CycleRadio,
            Rung::CycleRadio => Rung::Reset,
            Rung::Reset => Rung::RestartDaemon,
            Rung::RestartDaemon => Rung::CycleUsb,
            Rung::CycleUsb if self.car.parked && self.carried => Rung::Reboot,
            Rung::CycleUsb | Rung::Reboot => Rung::Reset,
        }
    }
}
