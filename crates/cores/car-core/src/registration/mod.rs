//! When the car dials its host, and when it gives a connection up.
//!
//! ```text
//!                another uplink is used, or neither host nor driver answers
//!                │ (from each state but a refused WAITING)
//!                ▼    challenged: register           registered, unclaimed     ping every 5 s
//!   (start) ─► DIALLING ────────────────► REGISTERING ────────────────────► OPEN ◄────┐
//!                ▲  │ │                       │ 10 s                        ▲ │ └─────┘
//!                │  │ └ the same, if known ───│─────────────────────────────┘ │
//!                │  │ failed, refused         │ refused        refused, lost, │ silent for 12 s
//!                │  └─────────────────────────┴───────────────────────────────┴────► WAITING
//!                │                                                                      │
//!                └── 0.1 s to 30.1 s later; at most 1 s later while somebody drives ────┤
//!                    refused: 30 s later with a new code, and nothing hurries it ───────┘
//! ```
//!
//! A car that was registered and is revoked waits as it does after a failure, because somebody else
//! can claim it.
//!
//! **In each state something is due:** the next attempt, the limit of the one that is under way, or
//! the next ping. [`Effect::Dial`] carries the limit of dialling, and the shell keeps it. A wait is
//! never longer than [`WAIT_MOST`].
//!
//! A second connection [stands by](standby) while somebody drives.

pub mod standby;
mod words;

pub use words::{Call, Effect, End, Event, Standing};

use crate::uplinks::{Move, Why};
use rccar_protocol::claim::ClaimCode;
use rccar_protocol::text::Name;
use rccar_protocol::units::MonotonicMicros;
use std::collections::VecDeque;
use std::time::Duration;

const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// Limit of TCP, TLS and the WebSocket handshake on a bad 4G link, and of each later step of the
/// registration.
pub const STEP_WITHIN: Duration = ms(10_000);
/// TCP repeats its first segment after 1 s and 3 s. A host that is silent for longer is not worth
/// the wait.
pub const DIAL_WITHIN: Duration = ms(4_000);
/// The same while somebody drives. A new first segment every second finds a link that has come back
/// sooner than TCP, which waits longer each time.
pub const DIAL_URGENTLY_WITHIN: Duration = ms(1_000);
/// The first wait while somebody drives; each failure adds as much.
pub const BACKOFF_URGENT: Duration = ms(100);
/// The longest of these waits.
pub const BACKOFF_URGENT_MOST: Duration = ms(1_000);
/// A mobile network forgets an idle NAT mapping after 30 s at worst.
pub const PING_EVERY: Duration = ms(5_000);
/// After two pings without an answer the path is dead, whatever TCP thinks.
pub const SILENCE: Duration = ms(12_000);
/// The first wait after a failure is spread over up to this time; it doubles with each failure.
pub const BACKOFF_FIRST: Duration = ms(500);
/// No wait is spread over more. If a connection has lasted for longer, the next failure counts as
/// the first one.
pub const BACKOFF_MOST: Duration = ms(30_000);
/// Each of these waits takes at least this long.
pub const BACKOFF_LEAST: Duration = ms(100);
/// A refusal (not enrolled, revoked) does not change by itself. Asking every few seconds would only
/// fill logs.
pub const BACKOFF_REFUSED: Duration = ms(30_000);
/// No wait is longer.
pub const WAIT_MOST: Duration = ms(30_100);
/// A host takes a claim code for this long.
pub const CODE_LIFETIME: Duration = ms(24 * 3_600_000);

/// One for each host.
#[derive(Debug)]
pub struct Registration {
    state: State,
    /// When the present attempt began.
    began: MonotonicMicros,
    failures: u32,
    /// Somebody drives, or is about to.
    urgent: bool,
    /// The host has registered this car since the program started.
    known: bool,
    up: bool,
    /// Interface of the connection, or of the last one; `None` if the routing table chose.
    over: Option<String>,
    /// The code for the next registration, and when it was made.
    code: Option<(ClaimCode, MonotonicMicros)>,
    /// The code that the host got on this connection.
    given: Option<ClaimCode>,
    pings: u32,
    effects: VecDeque<Effect>,
    events: VecDeque<Event>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Waiting {
        until: MonotonicMicros,
        refused: bool,
    },
    Dialling,
    Registering {
        until: MonotonicMicros,
    },
    Open {
        heard: MonotonicMicros,
        ping_at: MonotonicMicros,
        registered: bool,
    },
    /// Waits for the end of the connection, after [`Effect::HangUp`].
    HangingUp,
}

impl Registration {
    /// Dials at once.
    #[must_use]
    pub fn new(now: MonotonicMicros) -> Self {
        let mut registration = Self {
            state: State::Dialling,
            began: now,
            failures: 0,
            urgent: false,
            known: false,
            up: false,
            over: None,
            code: None,
            given: None,
            pings: 0,
            effects: VecDeque::new(),
            events: VecDeque::new(),
        };
        registration.dial(now);
        registration
    }

    /// Whether the car has to wait for the host's answer before it sends anything else.
    #[must_use]
    pub fn is_entering(&self) -> bool {
        matches!(self.state, State::Registering { .. })
    }

    /// Whether the host has said on this connection that it knows the car.
    #[must_use]
    pub fn is_registered(&self) -> bool {
        matches!(self.state, State::Open { registered: true, .. })
    }

    /// Whether messages may be sent. The car is registered, expects to be registered, or waits to
    /// be claimed.
    #[must_use]
    pub fn is_open(&self) -> bool {
        matches!(self.state, State::Open { .. })
    }

    /// `urgent`: somebody drives, or is about to. That shortens a wait after a failure, but not
    /// after a refusal.
    pub fn handle_urgent(&mut self, now: MonotonicMicros, urgent: bool) {
        self.urgent = urgent;
        if urgent && let State::Waiting { until, refused: false } = &mut self.state {
            *until = (*until).min(now.plus(BACKOFF_URGENT));
        }
    }

    /// The car uses another uplink, or has none. Without an uplink dialling is of no use, and
    /// nothing changes.
    pub fn handle_move(&mut self, now: MonotonicMicros, to: &Move) {
        let Some(used) = &to.to else { return };
        let ends = match to.why {
            // The attempt that began at the start goes on.
            Why::First => false,
            Why::Lost | Why::New | Why::Changed | Why::Back => true,
            // The connection may go over that uplink already.
            Why::Silent | Why::Better => self.over.as_deref() != Some(&used.name),
        };
        if ends {
            self.call(now, Call::Moved);
        }
    }

    /// A path to a driver is silent, and so is the host.
    pub fn handle_suspicion(&mut self, now: MonotonicMicros) {
        self.call(now, Call::Suspected);
    }

    /// There is a connection, and the host has not challenged yet. `over` is its interface; `None`
    /// if the routing table chose.
    pub fn handle_dialled(&mut self, over: Option<String>) {
        if self.state == State::Dialling {
            self.over = over;
        }
    }

    /// The host has sent its challenge. `random` makes a code if one is needed.
    pub fn handle_challenged(&mut self, now: MonotonicMicros, random: u64) {
        if self.state != State::Dialling {
            return;
        }
        self.code.take_if(|(_, made)| now.since(*made) >= CODE_LIFETIME);
        let (claim, _) = self.code.get_or_insert_with(|| (ClaimCode::from_random(random), now));
        let claim = claim.clone();
        self.given = Some(claim.clone());
        self.effects.push_back(Effect::Register { claim });
        if self.known {
            // A car that was registered before does not wait for the answer: its messages follow
            // at once, which saves a round trip.
            self.state = State::Open { heard: now, ping_at: now, registered: false };
            self.set_up(true);
        } else {
            self.state = State::Registering { until: now.plus(STEP_WITHIN) };
        }
    }

    /// The host sent a message of any kind.
    pub fn handle_heard(&mut self, now: MonotonicMicros) {
        if let State::Open { heard, .. } = &mut self.state {
            *heard = now;
        }
    }

    /// The host knows the car.
    pub fn handle_registered(&mut self, now: MonotonicMicros, name: Name) {
        if !self.answered(now, true) {
            return;
        }
        self.events.push_back(Event::Registered { name });
        self.known = true;
        self.spend();
        self.effects.push_back(Effect::Stand(Standing::Registered));
        self.set_up(true);
    }

    /// The host does not know the car, or not any more, and lets it wait to be claimed.
    pub fn handle_unclaimed(&mut self, now: MonotonicMicros) {
        if !self.answered(now, false) {
            return;
        }
        self.events.push_back(Event::Unclaimed);
        self.known = false;
        if let Some(code) = self.given.clone() {
            self.effects.push_back(Effect::Show(code.clone()));
            self.effects.push_back(Effect::Stand(Standing::Unclaimed(code)));
        }
        self.set_up(false);
    }

    /// Somebody wants to know soon whether the host answers.
    pub fn handle_question(&mut self, now: MonotonicMicros) {
        if let State::Open { ping_at, .. } = &mut self.state {
            *ping_at = now;
        }
        self.handle_timeout(now);
    }

    /// The attempt or the connection has ended. `fraction`, from 0 to 1, spreads the wait, so that
    /// a thousand cars do not return in the same moment.
    pub fn handle_ended(&mut self, now: MonotonicMicros, end: End, fraction: f64) {
        if matches!(self.state, State::Waiting { .. }) {
            return;
        }
        let refused = end.is_refusal();
        let was_up = self.up;
        self.leave(if refused {
            Standing::Refused(end.text().to_owned())
        } else {
            Standing::Lost(end.text().to_owned())
        });
        if refused {
            self.known = false;
            self.spend();
        }
        // A car that was just revoked comes back soon: somebody else can claim it.
        let refused = refused && !(was_up && matches!(end, End::Forbidden(_)));
        let wait = if refused {
            BACKOFF_REFUSED
        } else if self.urgent {
            self.failures = self.failures.saturating_add(1);
            BACKOFF_URGENT.saturating_mul(self.failures).min(BACKOFF_URGENT_MOST)
        } else {
            let lasted = was_up && now.since(self.began) > BACKOFF_MOST;
            self.failures = if lasted { 0 } else { self.failures.saturating_add(1) };
            backoff(self.failures, fraction)
        };
        self.state = State::Waiting { until: now.plus(wait), refused };
        self.events.push_back(Event::Lost { retry_in: wait, why: end });
    }

    pub fn handle_timeout(&mut self, now: MonotonicMicros) {
        match &mut self.state {
            State::Waiting { until, .. } if now >= *until => self.dial(now),
            State::Registering { until } if now >= *until => {
                self.hang_up(format!("no answer within {STEP_WITHIN:?} while registering"));
            }
            State::Open { heard, .. } if now.since(*heard) > SILENCE => {
                self.hang_up(format!("silent for {SILENCE:?}"))
            }
            State::Open { ping_at, .. } if now >= *ping_at => {
                *ping_at = now.plus(PING_EVERY);
                self.pings = self.pings.wrapping_add(1);
                self.effects.push_back(Effect::Ping { id: self.pings });
            }
            _ => {}
        }
    }

    /// When to call [`Self::handle_timeout`] at the latest; `None` while the shell dials or hangs
    /// up, which ends by itself.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<MonotonicMicros> {
        match self.state {
            State::Waiting { until, .. } | State::Registering { until } => Some(until),
            State::Open { heard, ping_at, .. } => {
                // One more, because `handle_timeout` asks for more than `SILENCE`.
                Some(ping_at.min(heard.plus(SILENCE + Duration::from_micros(1))))
            }
            State::Dialling | State::HangingUp => None,
        }
    }

    pub fn poll_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    fn call(&mut self, now: MonotonicMicros, call: Call) {
        match self.state {
            State::Waiting { refused: true, .. } => return,
            State::Waiting { refused: false, .. } => {}
            State::Dialling | State::Registering { .. } | State::Open { .. } | State::HangingUp => {
                self.leave(Standing::Lost(call.to_string()));
                self.events.push_back(Event::DialledAnew(call));
            }
        }
        self.failures = 0;
        self.dial(now);
    }

    fn dial(&mut self, now: MonotonicMicros) {
        self.state = State::Dialling;
        self.began = now;
        let within = if self.urgent { DIAL_URGENTLY_WITHIN } else { DIAL_WITHIN };
        self.effects.push_back(Effect::Dial { within });
    }

    /// Notes the host's answer; false if the car has not asked on this connection.
    fn answered(&mut self, now: MonotonicMicros, knows_the_car: bool) -> bool {
        match &mut self.state {
            State::Registering { .. } => {
                self.state = State::Open { heard: now, ping_at: now, registered: knows_the_car };
                true
            }
            State::Open { registered, .. } => {
                *registered = knows_the_car;
                true
            }
            State::Waiting { .. } | State::Dialling | State::HangingUp => false,
        }
    }

    fn hang_up(&mut self, why: String) {
        self.state = State::HangingUp;
        self.effects.push_back(Effect::HangUp(End::Failed(why)));
    }

    fn leave(&mut self, standing: Standing) {
        self.set_up(false);
        // The code does not work without a connection. `self.code` keeps it for the next one.
        self.effects.push_back(Effect::Hide);
        self.effects.push_back(Effect::Stand(standing));
    }

    /// The code was used or refused: the next one is new.
    fn spend(&mut self) {
        self.code = None;
        self.effects.push_back(Effect::Hide);
    }

    /// Gives an effect only for a change: sessions send again when the host is up.
    fn set_up(&mut self, up: bool) {
        if std::mem::replace(&mut self.up, up) != up {
            self.effects.push_back(Effect::Up(up));
        }
    }
}

/// Exponential backoff with full jitter.
fn backoff(failures: u32, fraction: f64) -> Duration {
    let ceiling =
        BACKOFF_FIRST.saturating_mul(1 << failures.saturating_sub(1).min(16)).min(BACKOFF_MOST);
    // NaN becomes 0.
    let fraction = if fraction > 0.0 { fraction.min(1.0) } else { 0.0 };
    BACKOFF_LEAST + ceiling.mul_f64(fraction)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backoff_grows_to_its_limit_and_is_spread() {
        assert_eq!(backoff(1, 1.0), ms(600));
        assert_eq!(backoff(3, 1.0), ms(2_100));
        assert_eq!(backoff(3, 0.0), ms(100));
        assert_eq!(backoff(3, f64::NAN), ms(100));
        assert_eq!(backoff(u32::MAX, 1.0), WAIT_MOST);
    }
}
