//! The machine.

mod plan;
mod up;

use crate::limits::Limits;
use crate::probe::Probe;
use crate::rung::Rung;
use crate::timing::{self, CONTROL, CONTROL_LIMIT, CONTROLS, DAEMON_GRACE, STEADY};
use crate::words::{
    Car, Cause, Effect, Event, Fault, Observation, Outcome, Pin, Registration, Stage, Status,
};
use rccar_protocol::units::MonotonicMicros;
use std::collections::VecDeque;
use std::time::Duration;

/// See the crate's documentation.
#[derive(Debug)]
pub struct Machine {
    phase: Phase,
    seen: Observation,
    /// ModemManager has had a modem since the start. From then on it is missed when it is gone.
    had_modem: bool,
    /// Since when the daemon is there or not there; so for the modem and the registration below.
    daemon_since: MonotonicMicros,
    modem_since: MonotonicMicros,
    registration_since: MonotonicMicros,
    /// The modem has reported packet service. A modem that never did is not believed when it
    /// reports that there is none.
    was_attached: bool,
    /// Since when a connected modem reports that it has no packet service.
    detached_since: Option<MonotonicMicros>,
    car: Car,
    has_pin: bool,
    pin_refused: bool,
    outage: Outage,
    fault: Option<Fault>,
    /// A fault that the last try found and that observations do not show.
    told: Option<Fault>,
    /// The daemon went away while the link was up. That alone does not take the link down.
    orphaned: bool,
    /// The link was lost together with the daemon. It is still configured, and data may flow on.
    /// The first try that fails takes it down.
    kept: bool,
    /// Data has flowed since the start. If it never did, a reboot will not help.
    carried: bool,
    control: Control,
    limits: Limits,
    dice: u32,
    next_action: u64,
    effects: VecDeque<Effect>,
    events: VecDeque<Event>,
}

#[derive(Debug, Clone, Copy)]
enum Phase {
    Waiting { rung: Rung, due: MonotonicMicros, cause: Cause },
    Acting { rung: Rung, action: u64, since: MonotonicMicros },
    Up { since: MonotonicMicros, probe: Probe, steady: bool },
}

/// Control probes: questions to the modem. They go on in every phase.
#[derive(Debug, Clone, Copy)]
struct Control {
    at: MonotonicMicros,
    pending: bool,
    failed: u32,
}

/// The attempts since the link was last steady.
#[derive(Debug, Clone, Copy)]
struct Outage {
    /// When the link was lost last.
    since: MonotonicMicros,
    /// Failed tries in a row.
    tries: u32,
    /// Tries that failed, or that came up without data, since the last cure above
    /// [`Rung::CycleBearer`].
    tries_since_cure: u32,
    /// The last rung above [`Rung::Reconnect`].
    cure: Option<Rung>,
    /// How often the link came up without becoming steady.
    ups: u32,
    /// Waits for a person so far; at most 2, where the wait is longest.
    waits_for_person: u32,
}

impl Outage {
    fn new(since: MonotonicMicros) -> Self {
        Self { since, tries: 0, tries_since_cure: 0, cure: None, ups: 0, waits_for_person: 0 }
    }
}

impl Machine {
    /// `reboots` are the times of the reboots within the last day, oldest first. They lie before
    /// `now` on the same clock.
    #[must_use]
    pub fn new(now: MonotonicMicros, dice: u32, pin: Pin, reboots: &[MonotonicMicros]) -> Self {
        Self {
            phase: Phase::Waiting {
                rung: Rung::RestartDaemon,
                due: now.plus(DAEMON_GRACE),
                cause: Cause::DaemonMissing,
            },
            seen: Observation::default(),
            had_modem: false,
            daemon_since: now,
            modem_since: now,
            registration_since: now,
            was_attached: false,
            detached_since: None,
            car: Car::default(),
            has_pin: pin != Pin::Missing,
            pin_refused: pin == Pin::Refused,
            outage: Outage::new(now),
            fault: None,
            told: None,
            orphaned: false,
            kept: false,
            carried: false,
            control: Control { at: now.plus(CONTROL), pending: false, failed: 0 },
            limits: Limits::with_reboots(reboots),
            dice,
            next_action: 1,
            effects: VecDeque::new(),
            events: VecDeque::new(),
        }
    }

    /// Takes a fresh random number. Only [`backoff`](crate::timing::backoff) and
    /// [`spread`](crate::timing::spread) use it, to vary waits.
    pub fn handle_dice(&mut self, dice: u32) {
        self.dice = dice;
    }

    /// The state of daemon or modem may have changed.
    pub fn handle_observation(&mut self, now: MonotonicMicros, seen: Observation) {
        let before = std::mem::replace(&mut self.seen, seen);
        self.had_modem |= seen.modem.is_some();
        // A modem that was just plugged in gets its full grace: udev starts the daemon, and the
        // daemon looks for a modem.
        let plugged_in = seen.expected && !before.expected;
        if before.daemon != seen.daemon || plugged_in {
            self.daemon_since = now;
        }
        if before.modem.is_some() != seen.modem.is_some() || plugged_in {
            self.modem_since = now;
        }
        if registration(&before) != registration(&seen) {
            self.registration_since = now;
        }
        self.note_packet_service(now);
        // The PIN may be sent again: another SIM may accept it, and a SIM that was unlocked has all
        // its tries again.
        let news = stage(&before) != stage(&seen);
        if news && matches!(stage(&seen), Some(Stage::Failed(Fault::SimMissing) | Stage::Ready)) {
            self.pin_refused = false;
        }
        match self.phase {
            Phase::Acting { .. } => self.note_refusal(),
            Phase::Up { .. } => self.look_while_up(now, &before),
            Phase::Waiting { .. } => self.look_while_waiting(now, &before),
        }
    }

    pub fn handle_car(&mut self, now: MonotonicMicros, car: Car) {
        let begins = car.in_session && !self.car.in_session;
        self.car = car;
        if let Phase::Up { probe, .. } = &mut self.phase
            && begins
        {
            probe.hurry(now);
        }
    }

    /// `action` is the number from [`Effect::Act`]; a report of an abandoned action is ignored.
    pub fn handle_done(&mut self, now: MonotonicMicros, action: u64, outcome: Outcome) {
        match self.phase {
            Phase::Acting { rung, action: present, since } if present == action => {
                self.finish(now, rung, since, outcome)
            }
            _ => {}
        }
    }

    /// The lease of the link's address has ended. The modem may not notice; connecting again asks
    /// for another lease.
    pub fn handle_lease_lost(&mut self, now: MonotonicMicros) {
        self.lose(now, Cause::LeaseLost, Rung::Reconnect);
    }

    pub fn handle_data_probe(&mut self, now: MonotonicMicros, answered: bool) {
        let Phase::Up { probe, .. } = &mut self.phase else { return };
        self.carried |= answered;
        if probe.pending && probe.end(now, answered, self.car.in_session) {
            self.lose(now, Cause::DataSilent, Rung::CycleBearer);
        }
    }

    pub fn handle_control_probe(&mut self, now: MonotonicMicros, answered: bool) {
        if !self.control.pending {
            return;
        }
        let failed = if answered { 0 } else { self.control.failed + 1 };
        // After a failure the next probe is sent at once.
        let next = if failed > 0 { now } else { now.plus(CONTROL) };
        self.control = Control { at: next, pending: false, failed };
        if failed >= CONTROLS && !matches!(self.phase, Phase::Acting { .. }) {
            // A link that carries data is not given up only because the modem does not answer.
            if !self.is_up() {
                self.plan(now, Cause::ModemMute);
            }
            self.control.at = now.plus(CONTROL);
        }
    }

    pub fn handle_timeout(&mut self, now: MonotonicMicros) {
        if self.control.at <= now {
            self.step_control(now);
        }
        match self.phase {
            Phase::Waiting { rung, due, cause } if due <= now => self.begin(now, rung, cause),
            Phase::Acting { rung, action, since } if since.plus(timing::limit(rung)) <= now => {
                self.effects.push_back(Effect::Abandon { action });
                self.finish(now, rung, since, Outcome::Mute);
            }
            Phase::Up { .. } => self.step_up(now),
            _ => {}
        }
    }

    /// When [`handle_timeout`](Self::handle_timeout) is due. Never `None`.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<MonotonicMicros> {
        let phase = match self.phase {
            Phase::Waiting { due, .. } => Some(due),
            Phase::Acting { rung, since, .. } => Some(since.plus(timing::limit(rung))),
            Phase::Up { since, probe, steady } => {
                let steady = (!steady && probe.failed == 0).then(|| since.plus(STEADY));
                [Some(probe.at), steady, self.registration_deadline(), self.daemon_deadline()]
                    .into_iter()
                    .flatten()
                    .min()
            }
        };
        phase.into_iter().chain([self.control.at]).min()
    }

    pub fn poll_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Whether the link is thought to carry data.
    #[must_use]
    pub fn is_up(&self) -> bool {
        matches!(self.phase, Phase::Up { .. })
    }

    /// Whether something on the USB looks like a modem, or ModemManager has had one.
    #[must_use]
    pub fn is_expected(&self) -> bool {
        self.had_modem || self.seen.expected
    }

    /// Whether the SIM has refused the PIN and may still be the same SIM. The shell stores this for
    /// the next start.
    #[must_use]
    pub fn is_pin_refused(&self) -> bool {
        self.pin_refused
    }

    #[must_use]
    pub fn fault(&self) -> Option<Fault> {
        self.fault
    }

    #[must_use]
    pub fn status(&self) -> Status {
        match self.phase {
            Phase::Up { .. } => Status::Up,
            Phase::Acting { rung, .. } => Status::Acting { rung },
            Phase::Waiting { rung, due, .. } => Status::Waiting { rung, due_ms: due.0 / 1000 },
        }
    }

    /// While waiting: tries at once if the modem can be used now or its network has come.
    fn look_while_waiting(&mut self, now: MonotonicMicros, before: &Observation) {
        let (was, is) = (usable(before), usable(&self.seen));
        let registered = registration(&self.seen) == Some(Registration::Registered);
        let network_came = registered && registration(before) != Some(Registration::Registered);
        if is && (!was || network_came) {
            (self.outage.tries, self.told) = (0, None);
            self.begin(now, Rung::Reconnect, Cause::Returned);
        } else if was != is
            || before.daemon != self.seen.daemon
            || before.expected != self.seen.expected
            || stage(before) != stage(&self.seen)
        {
            self.plan(now, Cause::TryFailed);
        }
    }

    fn step_control(&mut self, now: MonotonicMicros) {
        if self.control.pending {
            return self.handle_control_probe(now, false);
        }
        let acting = matches!(self.phase, Phase::Acting { .. });
        if acting || !usable(&self.seen) {
            self.control = Control { at: now.plus(CONTROL), pending: false, failed: 0 };
            return;
        }
        self.control = Control { at: now.plus(CONTROL_LIMIT), pending: true, ..self.control };
        self.effects.push_back(Effect::ProbeControl);
    }

    /// Keeps a refusal by the network: the modem shows it only until it is asked something else.
    fn note_refusal(&mut self) {
        if registration(&self.seen) == Some(Registration::Denied) {
            self.told = Some(Fault::Denied);
            self.set_fault(self.told);
        }
    }

    /// Climbs a rung that is due, or plans again if what the rung needs has gone meanwhile.
    fn begin(&mut self, now: MonotonicMicros, rung: Rung, cause: Cause) {
        let parked_enough = rung != Rung::Reboot || self.car.parked;
        if !self.is_expected() || (rung.needs_modem() && !can_try(&self.seen)) || !parked_enough {
            return self.plan(now, cause);
        }
        self.act(now, rung, cause);
    }

    fn act(&mut self, now: MonotonicMicros, rung: Rung, cause: Cause) {
        if rung.restarts_modem() {
            self.drop_kept();
        }
        self.limits.note(now, rung);
        let action = self.next_action;
        self.next_action += 1;
        self.phase = Phase::Acting { rung, action, since: now };
        let with_pin = self.has_pin && !self.pin_refused && may_send_pin(&self.seen);
        self.events.push_back(Event::Started { rung, cause, tries: self.outage.tries });
        self.effects.push_back(Effect::Act { action, rung, with_pin });
    }

    fn finish(
        &mut self,
        now: MonotonicMicros,
        rung: Rung,
        since: MonotonicMicros,
        outcome: Outcome,
    ) {
        let took_ms = millis(now.since(since));
        self.events.push_back(Event::Ended { rung, worked: outcome == Outcome::Done, took_ms });
        let tries = rung.is_try();
        if rung != Rung::Reconnect {
            self.outage.cure = Some(rung);
        }
        if tries && outcome == Outcome::Done {
            return self.come_up(now);
        }
        if tries && self.seen.daemon && self.seen.modem.is_some() {
            self.drop_kept();
        }
        if tries {
            self.outage.tries = self.outage.tries.saturating_add(1);
            self.outage.tries_since_cure += 1;
        }
        if !tries {
            (self.outage.tries, self.outage.tries_since_cure) = (0, 0);
        }
        // After a refusal, "no network" may be the same refusal: the fault stays.
        if tries && outcome != Outcome::NoNetwork {
            self.told = None;
        }
        // The rung may have changed the modem: an answer to an earlier control probe is void.
        self.control =
            Control { at: now.plus(CONTROL), pending: false, failed: self.control.failed };
        match outcome {
            Outcome::Refused(fault) => {
                self.pin_refused |= fault == Fault::PinWrong;
                self.told = Some(fault);
            }
            Outcome::Mute if tries => self.control.failed = self.control.failed.max(CONTROLS),
            Outcome::Done if !rung.needs_modem() => self.control.failed = 0,
            Outcome::Done | Outcome::Failed | Outcome::NoNetwork | Outcome::Mute => {}
        }
        if !rung.needs_modem() {
            // The modem has to come back, and gets its full grace for that.
            (self.modem_since, self.daemon_since) = (now, now);
        }
        let cause = if tries { Cause::TryFailed } else { Cause::Returned };
        self.plan(now, cause);
    }

    fn come_up(&mut self, now: MonotonicMicros) {
        self.set_fault(None);
        let rung = self.outage.cure.unwrap_or(Rung::Reconnect);
        self.events.push_back(Event::Up { after_ms: millis(now.since(self.outage.since)), rung });
        self.phase = Phase::Up { since: now, probe: Probe::new(now), steady: false };
        self.control.failed = 0;
        // What the modem reported before does not count against the new connection at once.
        self.registration_since = now;
        self.detached_since = self.detached_since.map(|_| now);
        (self.told, self.orphaned, self.kept, self.outage.tries) = (None, false, false, 0);
        self.outage.ups = self.outage.ups.saturating_add(1);
    }

    fn wait(&mut self, due: MonotonicMicros, rung: Rung, cause: Cause) {
        self.phase = Phase::Waiting { rung, due, cause };
    }

    fn set_fault(&mut self, fault: Option<Fault>) {
        let before = std::mem::replace(&mut self.fault, fault);
        if before == fault {
            return;
        }
        if let Some(fault) = before {
            self.events.push_back(Event::FaultGone { fault });
        }
        if let Some(fault) = fault {
            self.events.push_back(Event::FaultFound { fault });
        }
        if fault.is_none() {
            self.outage.waits_for_person = 0;
        }
    }
}

fn stage(seen: &Observation) -> Option<Stage> {
    seen.modem.map(|modem| modem.stage)
}

fn registration(seen: &Observation) -> Option<Registration> {
    seen.modem.map(|modem| modem.registration)
}

/// Whether a try can work.
fn usable(seen: &Observation) -> bool {
    seen.daemon && matches!(stage(seen), Some(Stage::Ready | Stage::LockedByPin(_)))
}

/// Whether the modem can be asked to connect at all. Also a modem with a fault is asked: only a try
/// shows that the fault is mended.
fn can_try(seen: &Observation) -> bool {
    seen.daemon && seen.modem.is_some_and(|modem| modem.stage != Stage::Starting)
}

/// Never uses the last try for the PIN: after that one the SIM would want its PUK.
fn may_send_pin(seen: &Observation) -> bool {
    match stage(seen) {
        Some(Stage::LockedByPin(left)) => left.is_none_or(|left| left > 1),
        _ => true,
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
