//! The ladder of a stick that looks like Ethernet: a router of its own, of whose network nothing is
//! known but whether packets come back.
//!
//! ```text
//!   ABSENT ── plugged in ─► WAITING ─ due ─► ACTING ─ a lease ─► LEASED, probed all the time
//!     ▲                      ▲    ▲            │                  │  ├─ answers: up; 60 s of them: the ladder begins anew
//!     │                      │    └── failed ──┘                  │  └─ silent for 3 probes: a new lease at once, then by the ladder
//!     └─ unplugged           └──────────── lease or carrier lost ─┘
//! ```
//!
//! Of the modem's rungs three make sense here:
//!
//! | rung | what | least distance |
//! |---|---|---|
//! | reconnect | a lease is asked for | pauses as for a modem |
//! | cycle-bearer | the interface off and on, then a lease | 1 min |
//! | cycle-usb | off the USB and on | 10 min, and not before 3 min without data |
//!
//! The stick gives leases whether it has a network or not, so that a lease is no sign of life: the
//! link is up from its first answered probe. A silent link keeps its address and is probed on:
//! nobody else would tell that the network is back.

use crate::limits::Limits;
use crate::probe::Probe;
use crate::rung::Rung;
use crate::timing::{self, CYCLE_LINK, LEASE_LIMIT, STEADY, STICK_SILENT, TRIES};
use crate::words::{Cause, Effect, Event, Outcome, Status};
use rccar_protocol::units::MonotonicMicros;
use std::collections::VecDeque;
use std::time::Duration;

/// See the module's documentation; one for each stick, which may be unplugged and come back.
#[derive(Debug)]
pub struct Stick {
    phase: Phase,
    /// Whether it has a carrier, if it is there.
    seen: Option<bool>,
    /// Data has flowed since it was plugged in.
    has_carried: bool,
    in_session: bool,
    outage: Outage,
    limits: Limits,
    dice: u32,
    next_action: u64,
    effects: VecDeque<Effect>,
    events: VecDeque<Event>,
}

#[derive(Debug, Clone, Copy)]
enum Phase {
    Absent,
    Waiting(Due),
    Acting { rung: Rung, action: u64, since: MonotonicMicros },
    Leased(Leased),
}

/// What comes next.
#[derive(Debug, Clone, Copy)]
struct Due {
    rung: Rung,
    at: MonotonicMicros,
    cause: Cause,
}

#[derive(Debug, Clone, Copy)]
struct Leased {
    probe: Probe,
    /// Since when data has flowed.
    carries: Option<MonotonicMicros>,
    steady: bool,
    /// What is done about it if it does not flow.
    next: Option<Due>,
}

/// What was tried since data flowed for good.
#[derive(Debug, Clone, Copy)]
struct Outage {
    since: MonotonicMicros,
    /// Tries without data in a row.
    tries: u32,
    tries_since_cure: u32,
    /// The last cure above [`Rung::Reconnect`], and the highest.
    cure: Option<Rung>,
    highest: Rung,
}

impl Outage {
    fn new(since: MonotonicMicros) -> Self {
        Self { since, tries: 0, tries_since_cure: 0, cure: None, highest: Rung::Reconnect }
    }
}

impl Stick {
    /// A stick that has not been seen yet.
    #[must_use]
    pub fn new(now: MonotonicMicros, dice: u32) -> Self {
        Self {
            phase: Phase::Absent,
            seen: None,
            has_carried: false,
            in_session: false,
            outage: Outage::new(now),
            limits: Limits::default(),
            dice,
            next_action: 1,
            effects: VecDeque::new(),
            events: VecDeque::new(),
        }
    }

    /// Takes a fresh random number, by which tries are spread.
    pub fn handle_dice(&mut self, dice: u32) {
        self.dice = dice;
    }

    /// Whether it is there, and whether it has a carrier then. A stick without one is asked for a
    /// lease all the same: not all tell.
    pub fn handle_seen(&mut self, now: MonotonicMicros, seen: Option<bool>) {
        let before = std::mem::replace(&mut self.seen, seen);
        match (before, seen, self.phase) {
            // It comes and goes while something is done to it; its end is looked at.
            (_, _, Phase::Acting { rung: Rung::CycleBearer | Rung::CycleUsb, .. }) => {}
            (_, None, Phase::Absent) => {}
            (_, None, phase) => {
                if let Phase::Acting { action, .. } = phase {
                    self.effects.push_back(Effect::Abandon { action });
                }
                self.leave(now, Cause::BearerLost);
                self.phase = Phase::Absent;
            }
            (_, Some(_), Phase::Absent) => self.come(now),
            (Some(true), Some(false), Phase::Leased(_)) => self.lose(now, Cause::BearerLost),
            (Some(false), Some(true), Phase::Waiting(_)) => {
                self.outage.tries = 0;
                self.act(now, Rung::Reconnect, Cause::Returned);
            }
            _ => {}
        }
    }

    /// Whether somebody drives or watches: probes are frequent then.
    pub fn handle_car(&mut self, now: MonotonicMicros, in_session: bool) {
        let begins = in_session && !self.in_session;
        self.in_session = in_session;
        if let Phase::Leased(leased) = &mut self.phase
            && begins
        {
            leased.probe.hurry(now);
        }
    }

    /// An action ended.
    pub fn handle_done(&mut self, now: MonotonicMicros, action: u64, outcome: Outcome) {
        if let Phase::Acting { rung, action: present, since } = self.phase
            && present == action
        {
            self.finish(now, rung, since, outcome);
        }
    }

    /// The lease has ended, and the stick gives no other one.
    pub fn handle_lease_lost(&mut self, now: MonotonicMicros) {
        if matches!(self.phase, Phase::Leased(_)) {
            self.lose(now, Cause::LeaseLost);
        }
    }

    /// A data probe was answered, or not.
    pub fn handle_data_probe(&mut self, now: MonotonicMicros, answered: bool) {
        let Phase::Leased(mut leased) = self.phase else { return };
        if !leased.probe.pending {
            return;
        }
        let silent = leased.probe.end(now, answered, self.in_session);
        if answered && leased.carries.is_none() {
            (leased.carries, leased.next) = (Some(now), None);
            let after_ms = millis(now.since(self.outage.since));
            self.events.push_back(Event::Up { after_ms, rung: self.outage.highest });
            (self.outage.tries, self.has_carried) = (0, true);
        }
        if silent && leased.next.is_none() {
            if leased.carries.take().is_some() {
                self.events.push_back(Event::Down { cause: Cause::DataSilent });
            }
            self.count_loss(now, leased.steady);
            leased.steady = false;
            leased.next = Some(self.next(now, Cause::DataSilent));
        }
        self.phase = Phase::Leased(leased);
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: MonotonicMicros) {
        match self.phase {
            Phase::Waiting(due) if due.at <= now => self.act(now, due.rung, due.cause),
            Phase::Acting { rung, action, since } if since.plus(limit(rung)) <= now => {
                self.effects.push_back(Effect::Abandon { action });
                self.finish(now, rung, since, Outcome::Mute);
            }
            Phase::Leased(leased) => self.step_leased(now, leased),
            _ => {}
        }
    }

    /// When [`handle_timeout`](Self::handle_timeout) is due. Only a stick that is not there has no
    /// such time.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<MonotonicMicros> {
        match self.phase {
            Phase::Absent => None,
            Phase::Waiting(due) => Some(due.at),
            Phase::Acting { rung, since, .. } => Some(since.plus(limit(rung))),
            Phase::Leased(leased) => {
                let next = leased.next.map(|next| next.at);
                [Some(leased.probe.at), next, leased.steady_at()].into_iter().flatten().min()
            }
        }
    }

    /// What to do next: of [`Effect`] all but [`Effect::ProbeControl`].
    pub fn poll_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// What was decided.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Whether it is plugged in, as far as is known.
    #[must_use]
    pub fn is_present(&self) -> bool {
        !matches!(self.phase, Phase::Absent)
    }

    /// The state.
    #[must_use]
    pub fn status(&self) -> Status {
        let waiting = |rung, due: MonotonicMicros| Status::Waiting { rung, due_ms: due.0 / 1000 };
        match self.phase {
            Phase::Absent => Status::Waiting { rung: Rung::Reconnect, due_ms: u64::MAX },
            Phase::Waiting(due) => waiting(due.rung, due.at),
            Phase::Acting { rung, .. } => Status::Acting { rung },
            Phase::Leased(Leased { carries: Some(_), .. }) => Status::Up,
            Phase::Leased(Leased { next: Some(next), .. }) => waiting(next.rung, next.at),
            Phase::Leased(Leased { probe, .. }) => waiting(Rung::Reconnect, probe.at),
        }
    }

    /// It was plugged in. What was tried before counts only if it was taken off the USB for it.
    fn come(&mut self, now: MonotonicMicros) {
        if self.outage.cure != Some(Rung::CycleUsb) {
            self.outage = Outage::new(now);
        }
        self.has_carried = false;
        self.act(now, Rung::Reconnect, Cause::Returned);
    }

    fn step_leased(&mut self, now: MonotonicMicros, mut leased: Leased) {
        if leased.probe.is_overdue(now) {
            return self.handle_data_probe(now, false);
        }
        if leased.probe.begin(now) {
            self.effects.push_back(Effect::ProbeData);
        }
        if leased.steady_at().is_some_and(|steady| steady <= now) {
            leased.steady = true;
            self.outage = Outage::new(now);
            self.events.push_back(Event::Steady);
        }
        self.phase = Phase::Leased(leased);
        if let Some(next) = leased.next.filter(|next| next.at <= now) {
            self.act(now, next.rung, next.cause);
        }
    }

    fn act(&mut self, now: MonotonicMicros, rung: Rung, cause: Cause) {
        self.limits.note(now, rung);
        let action = self.next_action;
        self.next_action += 1;
        self.phase = Phase::Acting { rung, action, since: now };
        self.events.push_back(Event::Started { rung, cause, tries: self.outage.tries });
        self.effects.push_back(Effect::Act { action, rung, with_pin: false });
    }

    fn finish(
        &mut self,
        now: MonotonicMicros,
        rung: Rung,
        since: MonotonicMicros,
        outcome: Outcome,
    ) {
        let worked = outcome == Outcome::Done;
        self.events.push_back(Event::Ended { rung, worked, took_ms: millis(now.since(since)) });
        if rung > Rung::Reconnect {
            self.outage.cure = Some(rung);
            self.outage.highest = self.outage.highest.max(rung);
            self.outage.tries_since_cure = 0;
        }
        match (rung, worked) {
            (Rung::Reconnect | Rung::CycleBearer, true) if self.seen.is_some() => {
                self.phase = Phase::Leased(Leased {
                    probe: Probe::new(now),
                    carries: None,
                    steady: false,
                    next: None,
                });
            }
            // It comes back by itself, or is there already.
            (Rung::CycleUsb, _) => {
                self.outage.tries = 0;
                self.leave(now, Cause::BearerLost);
                self.phase = Phase::Absent;
                if self.seen.is_some() {
                    self.come(now);
                }
            }
            _ => {
                self.count_try();
                self.leave(now, Cause::TryFailed);
            }
        }
        if self.seen.is_none() {
            self.phase = Phase::Absent;
        }
    }

    /// Lease or carrier are gone.
    fn lose(&mut self, now: MonotonicMicros, cause: Cause) {
        let Phase::Leased(leased) = self.phase else { return };
        self.count_loss(now, leased.steady);
        self.leave(now, cause);
    }

    /// Addresses go, and a try is planned.
    fn leave(&mut self, now: MonotonicMicros, cause: Cause) {
        if let Phase::Leased(Leased { carries: Some(_), .. }) = self.phase {
            self.events.push_back(Event::Down { cause });
        }
        self.effects.push_back(Effect::LinkDown);
        self.phase = Phase::Waiting(self.next(now, cause));
    }

    /// A link that was good begins at the foot of the ladder; one that never was, or not for long,
    /// was a try in vain.
    fn count_loss(&mut self, now: MonotonicMicros, steady: bool) {
        if steady {
            self.outage = Outage::new(now);
        } else {
            self.count_try();
        }
    }

    fn count_try(&mut self) {
        self.outage.tries = self.outage.tries.saturating_add(1);
        self.outage.tries_since_cure = self.outage.tries_since_cure.saturating_add(1);
    }

    /// A lease, or a cure first; while every cure has to wait, leases.
    fn next(&self, now: MonotonicMicros, cause: Cause) -> Due {
        let due = now.plus(timing::backoff(self.outage.tries, self.dice));
        // What was plugged in just now may be looking for its network yet.
        let patience = if self.has_carried { Duration::ZERO } else { CYCLE_LINK };
        let allowed = |rung: &Rung| match rung {
            Rung::CycleUsb => self
                .limits
                .from(Rung::CycleUsb, Duration::ZERO)
                .max(self.outage.since.plus(STICK_SILENT)),
            rung => self.limits.from(*rung, CYCLE_LINK).max(self.outage.since.plus(patience)),
        };
        let cures = match self.outage.cure {
            Some(Rung::CycleBearer) => [Rung::CycleUsb, Rung::CycleBearer],
            _ => [Rung::CycleBearer, Rung::CycleUsb],
        };
        let cure = cures
            .into_iter()
            .filter(|_| self.outage.tries_since_cure >= TRIES)
            .find(|rung| allowed(rung) <= due);
        match cure {
            Some(rung) => Due { rung, at: allowed(&rung).max(now), cause },
            None => Due { rung: Rung::Reconnect, at: due, cause },
        }
    }
}

impl Leased {
    /// When data will have flowed for long enough.
    fn steady_at(&self) -> Option<MonotonicMicros> {
        self.carries
            .filter(|_| !self.steady && self.probe.failed == 0)
            .map(|since| since.plus(STEADY))
    }
}

/// How long an action may take: a lease, and a little for the interface.
fn limit(rung: Rung) -> Duration {
    if rung == Rung::CycleUsb { timing::limit(rung) } else { LEASE_LIMIT * 3 / 2 }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
