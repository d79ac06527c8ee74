//! While the link is up: what may end it.

use super::{Machine, Outage, Phase};
use crate::rung::Rung;
use crate::timing::{self, CONTROLS, DAEMON_GRACE, REGISTRATION_GRACE, STEADY, TRIES};
use crate::words::{Cause, Effect, Event, Moment, Observation, Registration};
use std::time::Duration;

impl Machine {
    /// Up: what ModemManager says may end it.
    pub(super) fn look_while_up(&mut self, at: Moment, before: &Observation) {
        self.orphaned |= !self.seen.daemon;
        let recent = |seen: &Observation| seen.modem.map(|modem| modem.signal_recent);
        // The modem may hang. Asked when that begins, and not again while it lasts.
        if (recent(before), recent(&self.seen)) == (Some(true), Some(false)) {
            self.hurry_probes(at);
        }
        match (self.seen.modem, &mut self.phase) {
            (Some(modem), _) if !modem.connected && self.orphaned => self.lose(at, Cause::DaemonMissing, Rung::Reconnect),
            (Some(modem), _) if !modem.connected => self.lose(at, Cause::BearerLost, Rung::Reconnect),
            // Unplugged, or only not known any more: packets tell.
            (None, Phase::Up { probe, .. }) => probe.hurry(at.now),
            _ => {}
        }
    }

    pub(super) fn step_up(&mut self, at: Moment) {
        let Phase::Up { since, mut probe, mut steady } = self.phase else { return };
        if !steady && since + STEADY <= at.now && probe.failed == 0 {
            steady = true;
            self.outage = Outage::new(at.now);
            self.events.push_back(Event::Steady);
        }
        if probe.is_overdue(at.now) {
            self.phase = Phase::Up { since, probe, steady };
            return self.handle_data_probe(at, false);
        }
        if probe.begin(at.now) {
            self.effects.push_back(Effect::ProbeData);
        }
        self.phase = Phase::Up { since, probe, steady };
        if self.registration_deadline().is_some_and(|deadline| deadline <= at.now) {
            self.lose(at, Cause::RegistrationLost, Rung::CycleBearer);
        } else if self.daemon_deadline() <= at.now {
            // The link stays; the daemon is started beside it.
            (self.kept, self.outage.since) = (true, at.now);
            self.act(at, Rung::RestartDaemon, Cause::DaemonMissing);
        }
    }

    /// While up: by when registration and packet service have to be back.
    pub(super) fn registration_deadline(&self) -> Option<Duration> {
        let modem = self.seen.modem?;
        let missing = (modem.registration != Registration::Registered).then_some(self.registration_since);
        missing.into_iter().chain(self.detached_since).min().map(|since| since + REGISTRATION_GRACE)
    }

    /// A modem between two connections need not be attached.
    pub(super) fn note_packet_service(&mut self, at: Moment) {
        let attached = self.seen.modem.filter(|modem| modem.connected).and_then(|modem| modem.attached);
        self.was_attached |= attached == Some(true);
        let detached = self.was_attached && attached == Some(false);
        self.detached_since = detached.then(|| self.detached_since.unwrap_or(at.now));
    }

    fn hurry_probes(&mut self, at: Moment) {
        if let Phase::Up { probe, .. } = &mut self.phase {
            probe.hurry(at.now);
        }
        if !self.control.pending {
            self.control.at = self.control.at.min(at.now);
        }
    }

    /// While up: when a missing daemon is started.
    pub(super) fn daemon_deadline(&self) -> Duration {
        let due = self.limits.from(Rung::RestartDaemon, Duration::ZERO);
        if self.seen.daemon { Duration::MAX } else { due.max(self.daemon_since + DAEMON_GRACE) }
    }

    /// The link is lost: the first rung at once, unless that has just been in vain.
    pub(super) fn lose(&mut self, at: Moment, cause: Cause, rung: Rung) {
        let Phase::Up { steady, .. } = self.phase else { return };
        self.kept = cause == Cause::DaemonMissing;
        if !self.kept {
            self.events.push_back(Event::Down { cause });
            self.effects.push_back(Effect::LinkDown);
        }
        if steady {
            self.outage = Outage::new(at.now);
        }
        self.outage.since = at.now;
        self.note_refusal();
        if !steady && rung == Rung::CycleBearer {
            self.outage.tries_since_cure += 1;
        }
        if self.control.failed >= CONTROLS {
            return self.plan(at, Cause::ModemMute);
        }
        if self.outage.tries_since_cure >= TRIES {
            return self.plan(at, cause);
        }
        // A link that is lost again and again right after it came up is not tried without a pause.
        let due = at.now + timing::backoff(self.outage.ups.saturating_sub(1), at.dice);
        self.wait(due, rung, cause);
        if due <= at.now {
            self.begin(at, rung, cause);
        }
    }

    /// The modem is there and does not connect, or a cure takes it away: what was kept for the daemon's sake is of no use any more.
    pub(super) fn drop_kept(&mut self) {
        if std::mem::take(&mut self.kept) {
            self.events.push_back(Event::Down { cause: Cause::DaemonMissing });
            self.effects.push_back(Effect::LinkDown);
        }
    }
}
