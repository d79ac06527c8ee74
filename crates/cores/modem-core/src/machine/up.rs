//! While the link is up: what may end it.

use super::{Machine, Outage, Phase};
use crate::rung::Rung;
use crate::timing::{self, CONTROLS, DAEMON_GRACE, REGISTRATION_GRACE, STEADY, TRIES};
use crate::words::{Cause, Effect, Event, Observation, Registration};
use rccar_protocol::units::MonotonicMicros;
use std::time::Duration;

impl Machine {
    /// Up: what ModemManager says may end it.
    pub(super) fn look_while_up(&mut self, now: MonotonicMicros, before: &Observation) {
        self.orphaned |= !self.seen.daemon;
        let recent = |seen: &Observation| seen.modem.map(|modem| modem.signal_recent);
        // The modem may hang. Asked when that begins, and not again while it lasts.
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
            // Unplugged, or only not known any more: packets tell.
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
            // The link stays; the daemon is started beside it.
            (self.kept, self.outage.since) = (true, now);
            self.act(now, Rung::RestartDaemon, Cause::DaemonMissing);
        }
    }

    /// While up: by when registration and packet service have to be back.
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

    /// A modem between two connections need not be attached.
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

    /// While up: when a missing daemon is started.
    pub(super) fn daemon_deadline(&self) -> Option<MonotonicMicros> {
        let due = self.limits.from(Rung::RestartDaemon, Duration::ZERO);
        (!self.seen.daemon).then(|| due.max(self.daemon_since.plus(DAEMON_GRACE)))
    }

    /// The link is lost: the first rung at once, unless that has just been in vain.
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
        if !steady && rung == Rung::CycleBearer {
            self.outage.tries_since_cure += 1;
        }
        if self.control.failed >= CONTROLS {
            return self.plan(now, Cause::ModemMute);
        }
        if self.outage.tries_since_cure >= TRIES {
            return self.plan(now, cause);
        }
        // A link that is lost again and again right after it came up is not tried without a pause.
        let due = now.plus(timing::backoff(self.outage.ups.saturating_sub(1), self.dice));
        self.wait(due, rung, cause);
        if due <= now {
            self.begin(now, rung, cause);
        }
    }

    /// The modem is there and does not connect, or a cure takes it away: what was kept for the
    /// daemon's sake is of no use any more.
    pub(super) fn drop_kept(&mut self) {
        if std::mem::take(&mut self.kept) {
            self.events.push_back(Event::Down { cause: Cause::DaemonMissing });
            self.effects.push_back(Effect::LinkDown);
        }
    }
}
