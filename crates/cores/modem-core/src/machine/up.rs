//! What may end a link that is up.

use super::{Machine, Outage, Phase};
use crate::rung::Rung;
use crate::timing::{self, CONTROLS, DAEMON_GRACE, REGISTRATION_GRACE, STEADY, TRIES};
use crate::words::{Cause, Effect, Event, Observation, Registration};
use rccar_protocol::units::MonotonicMicros;
use std::time::Duration;

impl Machine {
    pub(super) fn look_while_up(&mut self, now: MonotonicMicros, before: &Observation) {
        self.orphaned |= !self.seen.daemon;
        let recent = |seen: &Observation| seen.modem.map(|modem| modem.signal_recent);
        // An old signal value means that the modem may hang: it is probed once, at the change.
        if (recent(before), recent(&self.seen)) == (Some(true), Some(false)) {
            self.hurry_probes(now);
        }
        match (self.seen.modem, &mut self.phase) {
            (Some(modem), _) if !modem.connected && self.orphaned => {
                self.lose(now, Cause::DaemonMissing, Rung::Reconnect)
            }
            (Some(modem), _) if !modem.connected => {
                self.lose(now, Cause::BearerLost, Rung::Reconnect)
            }
            // It is unplugged, or only ModemManager has lost it. The data probe decides.
            (None, Phase::Up { probe, .. }) => probe.hurry(now),
            _ => {}
        }
    }

    pub(super) fn step_up(&mut self, now: MonotonicMicros) {
        let Phase::Up { since, mut probe, mut steady } = self.phase else { return };
        if !steady && since.plus(STEADY) <= now && probe.failed == 0 {
            steady = true;
            self.outage = Outage::new(now);
            self.events.push_back(Event::Steady);
        }
        if probe.is_overdue(now) {
            self.phase = Phase::Up { since, probe, steady };
            return self.handle_data_probe(now, false);
        }
        if probe.begin(now) {
            self.effects.push_back(Effect::ProbeData);
        }
        self.phase = Phase::Up { since, probe, steady };
        if self.registration_deadline().is_some_and(|deadline| deadline <= now) {
            self.lose(now, Cause::RegistrationLost, Rung::CycleBearer);
        } else if self.daemon_deadline().is_some_and(|deadline| deadline <= now) {
            // The link stays configured while the daemon is restarted.
            (self.kept, self.outage.since) = (true, now);
            self.act(now, Rung::RestartDaemon, Cause::DaemonMissing);
        }
    }

    /// By when registration and packet service have to be back; `None` if neither is missing.
    pub(super) fn registration_deadline(&self) -> Option<MonotonicMicros> {
        let modem = self.seen.modem?;
        let missing =
            (modem.registration != Registration::Registered).then_some(self.registration_since);
        missing
            .into_iter()
            .chain(self.detached_since)
            .min()
            .map(|since| since.plus(REGISTRATION_GRACE))
    }

    /// Looks only while connected: between two connections a modem need not be attached.
    pub(super) fn note_packet_service(&mut self, now: MonotonicMicros) {
        let attached =
            self.seen.modem.filter(|modem| modem.connected).and_then(|modem| modem.attached);
        self.was_attached |= attached == Some(true);
        let detached = self.was_attached && attached == Some(false);
        self.detached_since = detached.then(|| self.detached_since.unwrap_or(now));
    }

    fn hurry_probes(&mut self, now: MonotonicMicros) {
        if let Phase::Up { probe, .. } = &mut self.phase {
            probe.hurry(now);
        }
        if !self.control.pending {
            self.control.at = self.control.at.min(now);
        }
    }

    /// When a missing daemon is restarted; `None` if it is there.
    pub(super) fn daemon_deadline(&self) -> Option<MonotonicMicros> {
        let due = self.limits.from(Rung::RestartDaemon, Duration::ZERO);
        (!self.seen.daemon).then(|| due.max(self.daemon_since.plus(DAEMON_GRACE)))
    }

    /// The link is lost. Climbs `rung` at once, unless earlier attempts have just failed.
    pub(super) fn lose(&mut self, now: MonotonicMicros, cause: Cause, rung: Rung) {
        let Phase::Up { steady, .. } = self.phase else { return };
        self.kept = cause == Cause::DaemonMissing;
        if !self.kept {
            self.events.push_back(Event::Down { cause });
            self.effects.push_back(Effect::LinkDown);
        }
        if steady {
            self.outage = Outage::new(now);
        }
        self.outage.since = now;
        self.note_refusal();
        // A link that came up without data is a failed try.
        if !steady && rung == Rung::CycleBearer {
            self.outage.tries_since_cure += 1;
        }
        if self.control.failed >= CONTROLS {
            return self.plan(now, Cause::ModemMute);
        }
        if self.outage.tries_since_cure >= TRIES {
            return self.plan(now, cause);
        }
        // If the link is lost again and again soon after it came up, there is a pause.
        let due = now.plus(timing::backoff(self.outage.ups.saturating_sub(1), self.dice));
        self.wait(due, rung, cause);
        if due <= now {
            self.begin(now, rung, cause);
        }
    }

    /// Takes down a link that was kept while the daemon was away: the modem is there and does not
    /// connect, or a cure takes it away.
    pub(super) fn drop_kept(&mut self) {
        if std::mem::take(&mut self.kept) {
            self.events.push_back(Event::Down { cause: Cause::DaemonMissing });
            self.effects.push_back(Effect::LinkDown);
        }
    }
}
