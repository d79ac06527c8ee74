//! What a speed controller (ESC) is sent, so that it does what the drive wants.
//!
//! **Nothing but a driver who asks for reverse makes the motor turn backward**, whatever the
//! controller has been through before.
//!
//! ESCs of model cars read a pulse behind neutral in two ways:
//!
//! * [`EscKind::Direct`]: it is reverse, always. Then *brake* is neutral: a pulse behind neutral
//!   would not brake but drive backward.
//! * [`EscKind::BrakeFirst`]: it brakes after driving forward. Only after that brake and a neutral
//!   it is reverse (the "double click" of the manuals, such as Hobbywing's EZRUN).
//!
//! ```text
//!              brake, or reverse: pulse behind      brake over, or 100 ms of it for reverse
//!   ┌────────┐ ─────────────────────────► ┌─────────┐ ──────────────────────► ┌──────────┐
//!   │ Locked │                            │ Braking │                         │ Released │ neutral
//!   │ behind │ ◄───────────────────────── └─────────┘ ◄────────────────────── └──────────┘
//!   │ brakes │   forward, from any state       reverse, if the brake was short      │ 100 ms
//!   └────────┘ ◄───────────────────────────────────────────────────────── ┌──────┐ ◄┘
//!                                                                         │ Open │ behind reverses
//!                                                                         └──────┘
//! ```
//!
//! In *Released* and *Open* the controller may take a pulse behind neutral for reverse, so that
//! *brake* is neutral there. After a start nobody knows what the controller is in; the drive counts
//! it as released until it has surely gone forward: with pulses beyond every dead band, for long
//! enough that none was missed.

use crate::machine::Motor;
use crate::pulse::{Pulse, PulseRange};
use rccar_protocol::units::MonotonicMicros;
use std::time::Duration;

/// Neutral for this long after the outputs go on: an ESC takes its middle for granted, or beeps
/// through its cells, for 2 to 3 s before it arms.
pub const SETTLE: Duration = Duration::from_secs(3);
/// How long a brake lasts before reverse, and the neutral after it: five periods of a 50 Hz signal
/// each, of which an ESC may miss some.
pub const CLICK: Duration = Duration::from_millis(100);

/// A pulse this far beyond neutral is forward to every ESC, in µs. Their dead bands are 15 to 50
/// µs, and the clock of a servo board may be off.
pub const SURELY_US: u16 = 100;

/// What a pulse behind neutral means to the ESC.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum EscKind {
    /// Reverse. Safe for an ESC of the other kind, too: it brakes less.
    #[default]
    Direct,
    /// Brake first, then reverse.
    BrakeFirst,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EscSettings {
    pub kind: EscKind,
    pub pulses: PulseRange,
}

/// One ESC, and what it has been sent.
#[derive(Debug, Clone)]
pub struct Esc {
    settings: EscSettings,
    settled_at: MonotonicMicros,
    /// It has armed, and the drive has wanted nothing of the motor since.
    settled: bool,
    /// Since when it has surely been told to go forward, without a break.
    forward_since: Option<MonotonicMicros>,
    lock: Lock,
    pulse: Pulse,
}

/// What the ESC takes a pulse behind neutral for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lock {
    /// A brake: it was driven forward last.
    Locked,
    /// It gets such pulses. `unsure`: it may take them for reverse.
    Braking { since: MonotonicMicros, unsure: bool },
    /// Perhaps for reverse. `clicked`: certainly, once the neutral has lasted.
    Released { since: MonotonicMicros, clicked: bool },
    /// Reverse.
    Open,
}

impl Esc {
    /// The outputs go on `now`.
    #[must_use]
    pub fn new(now: MonotonicMicros, settings: EscSettings) -> Self {
        Self {
            settings,
            settled_at: now.plus(SETTLE),
            settled: false,
            forward_since: None,
            lock: Lock::Released { since: now, clicked: false },
            pulse: settings.pulses.neutral(),
        }
    }

    /// Other settings, while the motor is at neutral.
    pub fn change(&mut self, now: MonotonicMicros, settings: EscSettings) {
        self.settings = settings;
        self.pulse = settings.pulses.neutral();
        self.handle_interruption(now);
    }

    /// What to send now.
    #[must_use]
    pub fn pulse(&self) -> Pulse {
        self.pulse
    }

    /// What the drive wants of the motor from `now` on. To be called every few ms while the car may
    /// move: a reverse takes its steps in these calls.
    pub fn handle_motor(&mut self, now: MonotonicMicros, motor: Motor) {
        let pulses = self.settings.pulses;
        let share = match motor {
            Motor::Drive(throttle) => throttle.permyriad(),
            Motor::Brake | Motor::Neutral => 0,
        };
        if !self.settled {
            // Whoever pushes the stick while nothing happens yet must not be launched.
            self.settled = now >= self.settled_at && share == 0;
            self.pulse = pulses.neutral();
            return;
        }
        if share <= 0 {
            self.forward_since = None;
        }
        self.pulse = match self.settings.kind {
            EscKind::Direct => pulses.at(share),
            EscKind::BrakeFirst if motor == Motor::Brake => self.brake(now),
            EscKind::BrakeFirst if share > 0 => self.forward(now, pulses.at(share)),
            EscKind::BrakeFirst if share < 0 => self.reverse(now, pulses.at(share)),
            EscKind::BrakeFirst => self.release(now),
        };
    }

    /// Something else has sent the ESC neutral for a while: what it takes the next pulse for is not
    /// known.
    pub fn handle_interruption(&mut self, now: MonotonicMicros) {
        self.forward_since = None;
        self.lock = Lock::Released { since: now, clicked: false };
    }

    fn forward(&mut self, now: MonotonicMicros, asked: Pulse) -> Pulse {
        let neutral = self.settings.pulses.neutral();
        if self.lock != Lock::Locked {
            self.release(now);
        }
        if asked.micros().abs_diff(neutral.micros()) < SURELY_US {
            self.forward_since = None;
        } else if now.since(*self.forward_since.get_or_insert(now)) >= CLICK {
            self.lock = Lock::Locked;
        }
        asked
    }

    fn brake(&mut self, now: MonotonicMicros) -> Pulse {
        match self.lock {
            Lock::Locked => self.lock = Lock::Braking { since: now, unsure: false },
            Lock::Braking { unsure: false, .. } => {}
            Lock::Braking { .. } | Lock::Released { .. } | Lock::Open => return self.release(now),
        }
        self.full_brake()
    }

    fn reverse(&mut self, now: MonotonicMicros, asked: Pulse) -> Pulse {
        match self.lock {
            Lock::Locked => {
                self.lock = Lock::Braking { since: now, unsure: false };
                self.full_brake()
            }
            Lock::Braking { since, unsure } if now.since(since) < CLICK => {
                if unsure {
                    asked
                } else {
                    self.full_brake()
                }
            }
            Lock::Braking { .. } => self.release(now),
            Lock::Released { since, .. } if now.since(since) < CLICK => self.release(now),
            Lock::Released { clicked: true, .. } | Lock::Open => {
                self.lock = Lock::Open;
                asked
            }
            // Too short a brake, or none that is known of. If the ESC takes this one for reverse
            // that is what the driver asks for.
            Lock::Released { clicked: false, .. } => {
                self.lock = Lock::Braking { since: now, unsure: true };
                asked
            }
        }
    }

    fn release(&mut self, now: MonotonicMicros) -> Pulse {
        self.lock = match self.lock {
            Lock::Braking { since, .. } => {
                Lock::Released { since: now, clicked: now.since(since) >= CLICK }
            }
            Lock::Released { since, clicked: true } if now.since(since) >= CLICK => Lock::Open,
            other => other,
        };
        self.settings.pulses.neutral()
    }

    fn full_brake(&self) -> Pulse {
        self.settings.pulses.at(i16::MIN)
    }
}
