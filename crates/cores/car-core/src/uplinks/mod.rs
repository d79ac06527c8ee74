//! Which uplink is in use.
//!
//! ```text
//!            first snapshot             gone, another is there: Lost
//!   (start) ───────────────► IN USE ◄─┐ its address changed: Changed
//!                             │ ▲  └──┘ it does not answer: Silent
//!        gone, none is there  │ │
//!                             │ │ the one before: Back, at once
//!                             ▼ │ another one, settled for 100 ms: New
//!                             NONE
//!
//!   IN USE ── a preferred one is there for 5 s ─► probe it ── it answers: Better
//!                                                     └─ it does not: distrusted for
//!                                                        15 s, 30 s, … 4 min
//! ```

mod words;

pub use words::{Effect, Kind, Move, Options, Uplink, Why};

use crate::timing;
use rccar_protocol::units::MonotonicMicros;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

#[derive(Debug)]
pub struct Uplinks {
    options: Options,
    usable: Vec<Uplink>,
    in_use: Option<Uplink>,
    before: Option<Uplink>,
    settling: Option<Settling>,
    better: Option<Better>,
    distrusted: BTreeMap<String, Distrust>,
    returned: Option<MonotonicMicros>,
    failed_returns: u32,
    effects: VecDeque<Effect>,
}

#[derive(Debug, Clone, Copy)]
struct Settling {
    until: MonotonicMicros,
    latest: MonotonicMicros,
}

#[derive(Debug, Clone)]
struct Better {
    uplink: Uplink,
    due: MonotonicMicros,
    probing: bool,
}

#[derive(Debug, Clone, Copy)]
struct Distrust {
    /// `None`: trusted again, but not forgotten until it answers.
    until: Option<MonotonicMicros>,
    times: u32,
}

impl Uplinks {
    /// Begins without an uplink.
    #[must_use]
    pub fn new(options: Options) -> Self {
        Self {
            options,
            usable: Vec::new(),
            in_use: None,
            before: None,
            settling: None,
            better: None,
            distrusted: BTreeMap::new(),
            returned: None,
            failed_returns: 0,
            effects: VecDeque::new(),
        }
    }

    #[must_use]
    pub fn in_use(&self) -> Option<&Uplink> {
        self.in_use.as_ref()
    }

    /// All uplinks in the order in which they are worth trying: the one in use first, silent ones
    /// last.
    #[must_use]
    pub fn order(&self) -> Vec<Uplink> {
        let mut order = self.usable.clone();
        let in_use = self.in_use.as_ref().map(|uplink| uplink.index);
        order.sort_by_key(|uplink| (self.distrusts(&uplink.name), Some(uplink.index) != in_use));
        order
    }

    /// Takes all uplinks that are there now, in any order. One without an address is left out.
    pub fn handle_uplinks(&mut self, now: MonotonicMicros, mut uplinks: Vec<Uplink>) {
        uplinks.retain(|uplink| !uplink.addresses.is_empty());
        uplinks.sort_by(|a, b| {
            (self.rank(a.kind), a.metric, &a.name).cmp(&(self.rank(b.kind), b.metric, &b.name))
        });
        let changed = uplinks != self.usable;
        self.usable = uplinks;
        self.distrusted.retain(|name, _| self.usable.iter().any(|uplink| uplink.name == *name));
        match self.in_use.clone() {
            Some(used) => self.follow(now, &used),
            // Only a change starts the time to settle again.
            None if changed => self.appear(now),
            None => {}
        }
        self.look_for_better(now);
    }

    /// The host answered over this uplink.
    pub fn handle_alive(&mut self, now: MonotonicMicros, name: &str) {
        self.distrusted.remove(name);
        let in_use_is_silent = self.in_use.as_ref().is_some_and(|used| self.distrusts(&used.name));
        if in_use_is_silent
            && let Some(alive) = self.usable.iter().find(|uplink| uplink.name == name).cloned()
        {
            self.become_used(now, Some(alive), Why::Silent);
        }
        self.look_for_better(now);
    }

    /// Nothing comes over this uplink any more.
    pub fn handle_silent(&mut self, now: MonotonicMicros, name: &str) {
        self.distrust(now, name);
        if self.in_use.as_ref().is_some_and(|used| used.name == name) {
            let next = self.usable.iter().find(|uplink| !self.distrusts(&uplink.name)).cloned();
            if next.is_some() {
                self.become_used(now, next, Why::Silent);
            }
        }
        self.look_for_better(now);
    }

    /// The result of [`Effect::Probe`].
    pub fn handle_probe(&mut self, now: MonotonicMicros, name: &str, answered: bool) {
        let Some(better) =
            self.better.take_if(|better| better.probing && better.uplink.name == name)
        else {
            return;
        };
        if answered {
            self.distrusted.remove(name);
            self.returned = Some(now);
            self.become_used(now, Some(better.uplink), Why::Better);
        } else {
            self.distrust(now, name);
        }
        self.look_for_better(now);
    }

    pub fn handle_timeout(&mut self, now: MonotonicMicros) {
        if self.settling.is_some_and(|settling| now >= settling.until.min(settling.latest)) {
            self.become_used(now, self.order().into_iter().next(), Why::New);
        }
        if self.returned.take_if(|at| now.since(*at) >= timing::STEADY).is_some() {
            self.failed_returns = 0;
        }
        if let Some(better) = &mut self.better
            && now >= better.due
        {
            if better.probing {
                let name = better.uplink.name.clone();
                self.handle_probe(now, &name, false);
            } else {
                better.probing = true;
                better.due = now.plus(timing::PROBE_WITHIN);
                self.effects.push_back(Effect::Probe(better.uplink.clone()));
            }
        }
        let due = self
            .distrusted
            .values_mut()
            .filter_map(|distrust| distrust.until.take_if(|until| now >= *until));
        if due.count() > 0 {
            self.look_for_better(now);
        }
    }

    /// When to call [`Self::handle_timeout`] at the latest.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<MonotonicMicros> {
        let settling = self.settling.map(|settling| settling.until.min(settling.latest));
        let better = self.better.as_ref().map(|better| better.due);
        let trust = self.distrusted.values().filter_map(|distrust| distrust.until).min();
        let steady = self.returned.map(|at| at.plus(timing::STEADY));
        [settling, better, trust, steady].into_iter().flatten().min()
    }

    pub fn poll_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    fn distrusts(&self, name: &str) -> bool {
        self.distrusted.get(name).is_some_and(|distrust| distrust.until.is_some())
    }

    fn rank(&self, kind: Kind) -> usize {
        self.options.prefer.iter().position(|preferred| *preferred == kind).unwrap_or(usize::MAX)
    }

    fn follow(&mut self, now: MonotonicMicros, used: &Uplink) {
        match self.usable.iter().find(|uplink| uplink.index == used.index).cloned() {
            Some(present) if used.carries_on_as(&present) => self.in_use = Some(present),
            Some(present) => self.become_used(now, Some(present), Why::Changed),
            None => self.become_used(now, self.order().into_iter().next(), Why::Lost),
        }
    }

    fn appear(&mut self, now: MonotonicMicros) {
        let Some(best) = self.usable.first().cloned() else {
            self.settling = None;
            return;
        };
        let Some(before) = &self.before else {
            return self.become_used(now, Some(best), Why::First);
        };
        let same = self.usable.iter().find(|uplink| before.carries_on_as(uplink)).cloned();
        if same.is_some() {
            return self.become_used(now, same, Why::Back);
        }
        let latest =
            self.settling.map_or(now.plus(timing::SETTLE_MOST), |settling| settling.latest);
        self.settling = Some(Settling { until: now.plus(timing::SETTLE), latest });
    }

    fn look_for_better(&mut self, now: MonotonicMicros) {
        let found = self.in_use.as_ref().and_then(|used| {
            let trusted = self.usable.iter().find(|uplink| !self.distrusts(&uplink.name))?;
            (self.rank(trusted.kind) < self.rank(used.kind)).then(|| trusted.clone())
        });
        match (&self.better, found) {
            (Some(better), Some(found)) if better.uplink.carries_on_as(&found) => {}
            (_, Some(uplink)) => {
                let wait =
                    doubled(self.options.return_after, self.failed_returns, timing::RETURN_MOST);
                self.better = Some(Better { uplink, due: now.plus(wait), probing: false });
            }
            (_, None) => self.better = None,
        }
    }

    fn distrust(&mut self, now: MonotonicMicros, name: &str) {
        if !self.usable.iter().any(|uplink| uplink.name == name) {
            return;
        }
        let times = self.distrusted.get(name).map_or(0, |distrust| distrust.times + 1);
        let until = Some(now.plus(doubled(timing::DISTRUST, times, timing::DISTRUST_MOST)));
        self.distrusted.insert(name.to_owned(), Distrust { until, times });
    }

    fn become_used(&mut self, now: MonotonicMicros, to: Option<Uplink>, why: Why) {
        // An uplink that we returned to is left within `STEADY`: the return was a mistake, and the
        // next one waits twice as long.
        if why != Why::Better
            && self.returned.take().is_some_and(|at| now.since(at) < timing::STEADY)
        {
            self.failed_returns = self.failed_returns.saturating_add(1);
        }
        self.settling = None;
        self.better = None;
        self.before = to.clone().or_else(|| self.in_use.clone());
        self.in_use.clone_from(&to);
        self.effects.push_back(Effect::Move(Move { to, why }));
    }
}

fn doubled(first: Duration, times: u32, most: Duration) -> Duration {
    first.saturating_mul(1 << times.min(16)).min(most)
}
