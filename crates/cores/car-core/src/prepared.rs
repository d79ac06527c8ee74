//! Which sessions are prepared: their peer connections are made before a driver decides
//! (`PROTOCOL.md`, "prepare").
//!
//! ```text
//!            prepare: open                     the lease starts this session: begin
//!   (none) ───────────────► PREPARED ─────────────────────────────────────────────► (the lease's)
//!            or bye car-busy    │ bye, 40 s, its connection ended, its source was lost,
//!                               │ the lease starts another session
//!                               ▼
//!                             closed
//! ```
//!
//! **A prepared session is nobody's drive**: the [`lease`](crate::lease) does not know it, and only
//! the lease starts one. Its number and its rate are limited here, too: a car need not trust a host
//! to limit them.

use crate::lease::{SessionInput, Source, Wish};
use rccar_protocol::signaling::{ByeReason, FromCar};
use rccar_protocol::text::SessionId;
use rccar_protocol::units::MonotonicMicros;
use std::collections::VecDeque;
use std::time::Duration;

/// Most at once. Each has sockets, and checks the way to its driver five times a second.
pub const MOST: usize = 2;
/// Longest life. The host's is 30 s and its `bye` comes before this, unless it was lost.
pub const LIFE: Duration = Duration::from_secs(40);
/// Shortest time between two, less than the host's second: its messages may come in a bunch.
pub const GAP: Duration = Duration::from_millis(500);

/// How many that have ended are remembered. A `connect` for one of them was sent within a round
/// trip of its end.
const REMEMBERED: usize = 8;

/// To be done in the order in which they come.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Make a connection for this wish, and offer it.
    Open(Wish),
    /// Pass this to a prepared session. It may be dropped if the session does not keep up.
    Pass { key: Key, input: SessionInput },
    /// Close its connection.
    Close(Key),
    /// Send this over signaling.
    Say { to: Source, message: FromCar },
}

/// A source numbers its sessions by itself.
pub type Key = (Source, SessionId);

#[derive(Debug, Default)]
pub struct Prepared {
    /// The oldest first.
    sessions: VecDeque<(Key, MonotonicMicros)>,
    /// Those that ended last, the newest at last.
    ended: VecDeque<Key>,
    next_from: MonotonicMicros,
    effects: VecDeque<Effect>,
}

impl Prepared {
    /// A driver may want this session. `driven`: the car has another one.
    pub fn handle_prepare(&mut self, now: MonotonicMicros, wish: Wish, driven: bool) {
        let key = (wish.source, wish.session);
        let full = self.sessions.len() >= MOST || now < self.next_from;
        if driven || full || self.contains(key) {
            return self.bye(key, ByeReason::CarBusy);
        }
        self.next_from = now.plus(GAP);
        self.sessions.push_back((key, now.plus(LIFE)));
        self.effects.push_back(Effect::Open(wish));
    }

    /// A driver wants a session. True: it was prepared, and this car has ended it. The driver's end
    /// awaits no other offer, so it gets `bye`, and asks again.
    pub fn handle_connect(&mut self, key: Key) -> bool {
        let is_over = self.ended.contains(&key);
        if is_over {
            self.bye(key, ByeReason::CarLeft);
        }
        is_over
    }

    /// A message for a session. True: it was for a prepared one.
    pub fn handle_message(&mut self, key: Key, input: &SessionInput) -> bool {
        let is_ours = self.contains(key);
        // Nothing else has a meaning yet.
        if is_ours && matches!(input, SessionInput::Answer { .. } | SessionInput::Candidate { .. })
        {
            self.effects.push_back(Effect::Pass { key, input: input.clone() });
        }
        is_ours
    }

    /// The driver or the host says good-bye to a session.
    pub fn handle_bye(&mut self, key: Key) {
        if self.remove(key) {
            self.effects.push_back(Effect::Close(key));
        }
    }

    /// Its connection has ended.
    pub fn handle_ended(&mut self, key: Key) {
        if self.remove(key) {
            self.bye(key, ByeReason::IceFailed);
        }
    }

    /// The lease starts a session, and all others are over. True: this one is prepared, and begins.
    pub fn handle_start(&mut self, key: Key) -> bool {
        let is_ours = self.remove(key);
        // A host that is restarted may use a number again.
        self.ended.retain(|&ended| ended != key);
        self.close_all(|_| true, ByeReason::CarBusy);
        is_ours
    }

    /// No message comes from there any more, not even `bye`.
    pub fn handle_lost(&mut self, source: Source) {
        self.close_all(|(from, _)| from == source, ByeReason::CarGone);
    }

    pub fn handle_timeout(&mut self, now: MonotonicMicros) {
        while let Some(&(key, until)) = self.sessions.front()
            && until <= now
        {
            self.remove(key);
            self.effects.push_back(Effect::Close(key));
            self.bye(key, ByeReason::CarLeft);
        }
    }

    /// When to call [`Self::handle_timeout`] at the latest; `None` while time changes nothing.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<MonotonicMicros> {
        self.sessions.front().map(|&(_, until)| until)
    }

    pub fn poll_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    #[must_use]
    pub fn contains(&self, key: Key) -> bool {
        self.sessions.iter().any(|&(one, _)| one == key)
    }

    fn remove(&mut self, key: Key) -> bool {
        let before = self.sessions.len();
        self.sessions.retain(|&(one, _)| one != key);
        let removed = self.sessions.len() < before;
        if removed {
            self.remember(key);
        }
        removed
    }

    fn close_all(&mut self, is_meant: impl Fn(Key) -> bool, reason: ByeReason) {
        let (over, kept): (VecDeque<_>, _) =
            std::mem::take(&mut self.sessions).into_iter().partition(|&(key, _)| is_meant(key));
        self.sessions = kept;
        for (key, _) in over {
            self.remember(key);
            self.effects.push_back(Effect::Close(key));
            self.bye(key, reason);
        }
    }

    fn remember(&mut self, key: Key) {
        if self.ended.len() >= REMEMBERED {
            self.ended.pop_front();
        }
        self.ended.push_back(key);
    }

    fn bye(&mut self, (to, session): Key, reason: ByeReason) {
        self.effects.push_back(Effect::Say { to, message: FromCar::Bye { session, reason } });
    }
}
