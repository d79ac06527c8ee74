//! The ladder of a stick that looks like Ethernet. It is a router of its own: all that is known of
//! its network is whether packets come back.
//!
//! ```text
//!   ABSENT ── plugged in ─► WAITING ─ due ─► ACTING ─ a lease ─► LEASED, probed all the time
//!     ▲                      ▲    ▲            │                  │  ├─ answers: up; 60 s of them: the ladder begins again
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
//! The stick gives leases whether it has a network or not, so a lease is no sign of life: the link
//! is up from its first answered probe. A silent link keeps its address, and probes go on: only
//! they show that the network is back.

use crate::limits::Limits;
use crate::probe::Probe;
use crate::rung::Rung;
use crate::timing::{self, CYCLE_LINK, LEASE_LIMIT, STEADY, STICK_SILENT, TRIES};
use crate::words::{Cause, Effect, Event, Outcome, Status};
use rccar_protocol::units::MonotonicMicros;
use std::collections::VecDeque;
use std::time::Duration;

/// One for each stick, which may be unplugged and come back. See the module's documentation.
#[derive(Debug)]
pub struct Stick {
    phase: Phase,
    /// Whether the stick has a carrier; `None` while it is not plugged in.
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

#[derive(Debug, Clone, Copy)]
struct Due {
    rung: Rung,
    at: MonotonicMicros,
    cause: Cause,
}

#[derive(Debug, Clone, Copy)]
struct Leased {
    probe: Probe,
    /// Since when data has flowed; `None` while it does not.
    carries: Option<MonotonicMicros>,
    steady: bool,
    /// The next attempt, planned when the probes find silence.
    next: Option<Due>,
}

/// The attempts since the link was last steady.
#[derive(Debug, Clone, Copy)]
struct Outage {
    since: MonotonicMicros,
    /// Tries without data in a row.
    tries: u32,
    tries_since_cure: u32,
    /// The last rung above [`Rung::Reconnect`].
    cure: Option<Rung>,
    highest: Rung,
}

impl Outage {
    fn new(since: MonotonicMicros) -> Self {
        Self { since, tries: 0, tries_since_cure: 0, cure: None, highest: Rung::Reconnect }
    }
}

impl Stick {
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

    /// Takes a fresh random number, which varies the waits.
    pub fn handle_dice(&mut self, dice: u32) {
        self.dice = dice;
    }

    /// `seen` is whether the stick has a carrier, or `None` if it is not there. A stick without a
    /// carrier is asked for a lease all the same, because not every stick reports its carrier.
    pub fn handle_seen(&mut self, now: MonotonicMicros, seen: Option<bool>) {
        let before = std::mem::replace(&mut self.seen, seen);
        match (before, seen, self.phase) {
            // The action itself makes the stick go and come. `finish` looks at the result.
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

    /// `in_session`: somebody drives or watches. Probes are frequent then.
    pub fn handle_car(&mut self, now: MonotonicMicros, in_session: bool) {
        let begins = in_session && !self.in_session;
        self.in_session = in_session;
        if let Phase::Leased(leased) = &mut self.phase
            && begins
        {
            leased.probe.hurry(now);
        }
    }

    pub fn handle_done(&mut self, now: MonotonicMicros, action: u64, outcome: Outcome) {
        if let Phase::Acting { rung, action: present, since } = self.phase
            && present == action
        {
            self.finish(now, rung, since, outcome);
        }
    }

    /// The lease has ended, and the stick has given no other one.
    pub fn handle_lease_lost(&mut self, now: MonotonicMicros) {
        if matches!(self.phase, Phase::Leased(_)) {
            self.lose(now, Cause::LeaseLost);
        }
    }

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
        // Once per silence: while the link stays silent, every further probe fails, too.
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

    /// When [`handle_timeout`](Self::handle_timeout) is due; `None` only while the stick is not
    /// there.
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

    /// Never [`Effect::ProbeControl`].
    pub fn poll_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Whether the stick is plugged in, as far as the last action has shown.
    #[must_use]
    pub fn is_present(&self) -> bool {
        !matches!(self.phase, Phase::Absent)
    }

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

    /// The stick was plugged in. Earlier attempts still count if this machine took it off the USB.
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
            // The stick comes back by itself, or is there already.
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
        // It went away during the action.
        if self.seen.is_none() {
            self.phase = Phase::Absent;
        }
    }

    /// The lease or the carrier is gone.
    fn lose(&mut self, now: MonotonicMicros, cause: Cause) {
        let Phase::Leased(leased) = self.phase else { return };
        self.count_loss(now, leased.steady);
        self.leave(now, cause);
    }

    /// Takes the addresses away and plans the next attempt.
    fn leave(&mut self, now: MonotonicMicros, cause: Cause) {
        if let Phase::Leased(Leased { carries: Some(_), .. }) = self.phase {
            self.events.push_back(Event::Down { cause });
        }
        self.effects.push_back(Effect::LinkDown);
        self.phase = Phase::Waiting(self.next(now, cause));
    }

    /// A steady link begins at the foot of the ladder. A link that never became steady was a failed
    /// try.
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

    /// The next attempt: a cure after enough failed tries, if one is allowed, or else a lease.
    fn next(&self, now: MonotonicMicros, cause: Cause) -> Due {
        let due = now.plus(timing::backoff(self.outage.tries, self.dice));
        // A stick that was just plugged in may still be looking for its network.
        let patience = if self.has_carried { Duration::ZERO } else { CYCLE_LINK };
        let allowed = |rung: &Rung| match rung {
            Rung::CycleUsb => self
                .limits
                .from(Rung::CycleUsb, Duration::ZERO)
                .max(self.outage.since.plus(STICK_SILENT)),
            rung => self.limits.from(*rung, CYCLE_LINK).max(self.outage.since.plus(patience)),
        };
        // The two cures take turns.
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
    /// When data will have flowed for [`STEADY`]; `None` if it does not flow or is steady already.
    fn steady_at(&self) -> Option<MonotonicMicros> {
        self.carries
            .filter(|_| !self.steady && self.probe.failed == 0)
            .map(|since| since.plus(STEADY))
    }
}

/// How long an action may take: the time for a lease, and half of it more for the interface.
fn limit(rung: Rung) -> Duration {
    if rung == Rung::CycleUsb { timing::limit(rung) } else { LEASE_LIMIT * 3 / 2 }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
