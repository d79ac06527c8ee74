//! Brings one session back when its path is lost.
//!
//! ```text
//!                         connected         nothing heard for 500 ms
//!   CONNECTING ────────────────────► FINE ◄──────────────────────────► SILENT  keyframes;
//!       │ 20 s: give up              │  ▲         heard again          │  │     ask the host
//!       ▼                            │  │                              │  │
//!     (end)                          │  │                              │  └─ the host does not
//!            uplink lost or changed, │  │ connected                    │     answer: the uplink
//!            driver's wish, better   │  │            the host answers, │     is silent
//!                                    ▼  │   or another uplink is used  │
//!                                   RESTARTING ◄───────────────────────┘
//!                                    │ ▲ │ every 2 s while the host is there
//!                                    │ └─┘
//!                                    ├─ 6 s after an answer: rebuild (end; the page asks again)
//!                                    └─ 30 s: give up
//! ```

use crate::timing;
use crate::uplinks::Why;
use rccar_protocol::units::MonotonicMicros;
use std::collections::VecDeque;

/// State of the peer connection, as the WebRTC stack reports it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Connection {
    /// Looks for a path.
    Connecting,
    Connected,
    /// Has a path that gives no answer.
    Disconnected,
    /// Will find no path.
    Failed,
}

/// When a restart gives up the old path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Commit {
    /// At once, because the path is dead. Candidates are gathered while the offer is on its way.
    AtOnce,
    /// When the driver has answered. Until then a path that still works is kept.
    WithAnswer,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Send an offer with an ICE restart.
    Restart {
        commit: Commit,
        /// Over all uplinks, because the one in use did not help.
        wide: bool,
    },
    /// Send a keyframe now.
    Keyframe,
    /// Nothing is heard: should a frame leave, it is to be a keyframe.
    Probe,
    /// Send the host something that it answers.
    AskHost,
    /// Neither the driver nor the host answers: the uplink may be dead.
    UplinkSilent,
    /// End the session as failed. The driver's page then asks for a new one at once.
    Rebuild,
    /// End the session: there is no hope.
    GiveUp,
}

/// One for each session.
#[derive(Debug)]
pub struct Recovery {
    began: MonotonicMicros,
    connection: Connection,
    ever_connected: bool,
    heard: MonotonicMicros,
    host_up: bool,
    host_heard: Option<MonotonicMicros>,
    /// `None` while the driver can be reached.
    lost: Option<Lost>,
    attempt: Option<Attempt>,
    /// A better uplink is to be used as soon as all is calm.
    move_wanted: bool,
    ended: bool,
    effects: VecDeque<Effect>,
}

#[derive(Debug, Clone, Copy)]
struct Lost {
    since: MonotonicMicros,
    keyframe_due: MonotonicMicros,
    asked: Option<MonotonicMicros>,
    told_silent: bool,
    /// When the host answered for the first time after the loss; `None` while it does not.
    host_since: Option<MonotonicMicros>,
    /// When the driver first answered an offer after the loss: signaling works, and only the path
    /// is missing.
    answered: Option<MonotonicMicros>,
    tries: u32,
}

#[derive(Debug, Clone, Copy)]
struct Attempt {
    at: MonotonicMicros,
    commit: Commit,
    answered: bool,
}

impl Recovery {
    /// For a session whose first offer is sent now. `host_up`: the driver gets messages over
    /// signaling.
    #[must_use]
    pub fn new(now: MonotonicMicros, host_up: bool) -> Self {
        Self {
            began: now,
            connection: Connection::Connecting,
            ever_connected: false,
            heard: now,
            host_up,
            host_heard: None,
            lost: None,
            attempt: None,
            move_wanted: false,
            ended: false,
            effects: VecDeque::new(),
        }
    }

    /// Whether there is a path, as far as the stack knows.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.connection == Connection::Connected
    }

    /// Whether the driver has been lost for [`timing::UNREACHABLE`] or longer.
    #[must_use]
    pub fn is_unreachable(&self, now: MonotonicMicros) -> bool {
        self.lost.is_some_and(|lost| now.since(lost.since) >= timing::UNREACHABLE)
    }

    /// Whether the session is over and nothing is to be done any more.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        self.ended
    }

    pub fn handle_connection(&mut self, now: MonotonicMicros, connection: Connection) {
        self.connection = connection;
        match connection {
            Connection::Connected => {
                self.ever_connected = true;
                // Before the answer to a `WithAnswer`, it is the old path that has connected
                // again: the restart goes on.
                self.attempt
                    .take_if(|attempt| attempt.commit == Commit::AtOnce || attempt.answered);
                self.heard = self.heard.max(now);
                self.effects.push_back(Effect::Keyframe);
            }
            // Without a path the driver is lost at once. `Disconnected` is only a silence, which
            // `handle_timeout` judges.
            Connection::Connecting | Connection::Failed if self.ever_connected => self.lose(now),
            _ => {}
        }
        self.handle_timeout(now);
    }

    /// Something came from the driver at `at`, over the peer connection.
    pub fn handle_heard(&mut self, at: MonotonicMicros) {
        self.heard = self.heard.max(at);
    }

    /// The host can be reached (`up`), or cannot be reached any more.
    pub fn handle_host(&mut self, now: MonotonicMicros, up: bool) {
        let back = up && !self.host_up;
        self.host_up = up;
        if !back {
            return;
        }
        self.host_heard = Some(now);
        // The offer is sent again on the new connection, and its time begins again.
        if let Some(attempt) = &mut self.attempt
            && !attempt.answered
        {
            attempt.at = now;
        }
        self.handle_timeout(now);
    }

    /// The host sent something.
    pub fn handle_host_heard(&mut self, at: MonotonicMicros) {
        self.host_heard = self.host_heard.max(Some(at));
    }

    /// The driver answered the newest offer.
    pub fn handle_answer(&mut self, now: MonotonicMicros) {
        if let Some(attempt) = &mut self.attempt
            && !attempt.answered
        {
            attempt.answered = true;
            attempt.at = now;
        }
        if let Some(lost) = &mut self.lost {
            lost.answered.get_or_insert(now);
        }
    }

    /// Another uplink is in use.
    pub fn handle_move(&mut self, now: MonotonicMicros, why: Why) {
        if !self.ever_connected {
            return;
        }
        match why {
            Why::Lost | Why::New | Why::Changed => {
                self.lose(now);
                self.restart(now, Commit::AtOnce);
            }
            // The old path may come back before the answer is here.
            Why::Silent => {
                self.lose(now);
                let commit = self.gentle();
                self.restart(now, commit);
            }
            Why::Better => self.move_wanted = true,
            Why::Back | Why::First => self.effects.push_back(Effect::Keyframe),
        }
        self.handle_timeout(now);
    }

    /// The driver wants another path. Ignored within [`timing::SAME_WISH`] of the last restart.
    pub fn handle_wish(&mut self, now: MonotonicMicros) {
        if self.attempt.is_none_or(|attempt| now.since(attempt.at) >= timing::SAME_WISH) {
            let commit = self.gentle();
            self.restart(now, commit);
        }
    }

    /// Call it several times a second, after [`Self::handle_heard`]: otherwise a driver who was
    /// heard counts as silent.
    pub fn handle_timeout(&mut self, now: MonotonicMicros) {
        if self.ended {
            return;
        }
        if !self.ever_connected {
            if now.since(self.began) >= timing::CONNECT_WITHIN {
                self.end(Effect::GiveUp);
            }
            return;
        }
        let flows = matches!(self.connection, Connection::Connected | Connection::Disconnected);
        if flows && now.since(self.heard) < timing::SILENT {
            if self.lost.take().is_some() {
                // The newest keyframe may have been lost just before the link came back.
                self.effects.push_back(Effect::Keyframe);
            }
            self.calm(now);
        } else {
            self.lose(now);
            self.search(now, flows);
        }
    }

    /// When to call [`Self::handle_timeout`] at the latest; `None` only after the end.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<MonotonicMicros> {
        if self.ended {
            return None;
        }
        if !self.ever_connected {
            return Some(self.began.plus(timing::CONNECT_WITHIN));
        }
        let attempt = self.attempt.map(|attempt| attempt.at.plus(patience(attempt)));
        let silence = self.lost.is_none().then(|| self.heard.plus(timing::SILENT));
        let lost = self.lost.map(|lost| {
            let ask = lost
                .asked
                .map_or(lost.since, |at| at.plus(timing::HOST_WITHIN.min(timing::ASK_EVERY)));
            lost.keyframe_due.min(ask).min(lost.since.plus(timing::GIVE_UP))
        });
        [attempt, silence, lost].into_iter().flatten().min()
    }

    pub fn poll_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// The driver is heard. A restart may be under way, or wanted for a better uplink.
    fn calm(&mut self, now: MonotonicMicros) {
        if self.attempt.take_if(|attempt| now.since(attempt.at) >= patience(*attempt)).is_some() {
            // The restart came to nothing, but the old path works: stay with it.
            self.move_wanted = false;
        }
        if self.move_wanted && self.host_up && self.attempt.is_none() {
            self.move_wanted = false;
            self.restart(now, Commit::WithAnswer);
        }
    }

    fn search(&mut self, now: MonotonicMicros, flows: bool) {
        let Some(lost) = &mut self.lost else { return };
        if now.since(lost.since) >= timing::GIVE_UP {
            return self.end(Effect::GiveUp);
        }
        if flows && now >= lost.keyframe_due {
            lost.keyframe_due = now.plus(timing::KEYFRAMES);
            self.effects.push_back(Effect::Probe);
        }
        if lost.answered.is_some_and(|at| self.host_up && now.since(at) >= timing::REBUILD) {
            return self.end(Effect::Rebuild);
        }
        if lost.asked.is_none_or(|at| now.since(at) >= timing::ASK_EVERY) {
            lost.asked = Some(now);
            self.effects.push_back(Effect::AskHost);
        }
        let host_answers = self.host_up && self.host_heard.is_some_and(|at| at > lost.since);
        lost.host_since = if host_answers { lost.host_since.or(Some(now)) } else { None };
        let alone = lost.host_since.is_some_and(|at| now.since(at) >= timing::HEAL);
        if host_answers {
            lost.told_silent = false;
        } else if flows && !lost.told_silent && now.since(lost.since) >= timing::HOST_WITHIN {
            lost.told_silent = true;
            self.effects.push_back(Effect::UplinkSilent);
        }
        let under_way =
            self.attempt.is_some_and(|attempt| now.since(attempt.at) < patience(attempt));
        // Without the host an offer reaches nobody. A path that is gone is replaced at once; one
        // that is only silent gets `HEAL` to come back after the host has answered.
        if !under_way && self.host_up && (alone || !flows) {
            let commit = self.gentle();
            self.restart(now, commit);
        }
    }

    fn lose(&mut self, now: MonotonicMicros) {
        self.lost.get_or_insert(Lost {
            since: now,
            keyframe_due: now,
            asked: None,
            told_silent: false,
            host_since: None,
            answered: None,
            tries: 0,
        });
    }

    /// The commit that keeps the old path if there is one.
    fn gentle(&self) -> Commit {
        match self.connection {
            Connection::Connected | Connection::Disconnected => Commit::WithAnswer,
            Connection::Connecting | Connection::Failed => Commit::AtOnce,
        }
    }

    fn restart(&mut self, now: MonotonicMicros, commit: Commit) {
        if self.ended {
            return;
        }
        let mut wide = false;
        // The first try goes over the uplink in use, all later ones over every uplink.
        if let Some(lost) = &mut self.lost {
            wide = lost.tries > 0;
            lost.tries = lost.tries.saturating_add(1);
        }
        self.attempt = Some(Attempt { at: now, commit, answered: false });
        if commit == Commit::AtOnce {
            self.connection = Connection::Connecting;
        }
        self.effects.push_back(Effect::Restart { commit, wide });
    }

    fn end(&mut self, effect: Effect) {
        self.ended = true;
        self.effects.push_back(effect);
    }
}

/// How long an attempt is left alone.
fn patience(attempt: Attempt) -> std::time::Duration {
    if attempt.commit == Commit::WithAnswer && !attempt.answered {
        timing::ANSWER_WITHIN
    } else {
        timing::RETRY
    }
}
