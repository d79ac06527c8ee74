//! The recovery ladder of `rccar-modem`: what to do when a link is lost, and when to do more.
//!
//! **In every state there is a next attempt:** [`Machine::poll_timeout`] always names a time.
//!
//! ```text
//!                    ┌──────────── the try worked ─────────────┐
//!                    │                                         ▼
//!   ┌─► WAITING ─ due ─► ACTING                                UP ── 60 s of data: the ladder begins again
//!   │   ▲   ▲            │ │   ▲                               │
//!   │   │   └─ failed ───┘ │   ├─ bearer or lease lost: ───────┤
//!   │   │                  │   │  Reconnect                    │
//!   │   └─ took too long ──┘   └─ 3 probes failed, or no       │
//!   │                             network for 15 s: CycleBearer┘
//!   └─ fault: 5 to 15 min, or until something that helps is seen
//! ```
//!
//! Rungs, gentlest first: connect · disconnect and connect · radio off and on · reset · restart
//! ModemManager · USB · reboot. After every cure comes a try. Two failed tries lead to the next
//! cure, as far as the evidence allows:
//!
//! | evidence | highest cure |
//! |---|---|
//! | a person is needed ([`Fault`]) | none: tries every 5 to 15 min |
//! | no coverage, the modem answers | radio, at most every 5 min |
//! | coverage, and no connection | all |
//! | the modem does not answer | begins with reset |
//! | ModemManager lacks the modem, or is gone | begins with restarting it |
//!
//! Each cure has its own least distance in time ([`timing::apart`]). While the next one has to
//! wait, tries go on. A reboot comes only while the car is parked, and three times a day at most.
//!
//! A computer without any modem has nothing to mend: the machine only looks.
//!
//! ModemManager does not know sticks that look like Ethernet. They climb a ladder of their own:
//! [`Stick`].
//!
//! [`receiver`] is no part of the ladders: it decides when the modem's satellite receiver is asked.
//!
//! The machines have no clock, no randomness and no I/O. The shell
//!
//! 1. reports what happens through the `handle_*` functions, with a fresh random number
//!    ([`Machine::handle_dice`]) before each,
//! 2. drains [`Machine::poll_effect`] and [`Machine::poll_event`],
//! 3. calls [`Machine::handle_timeout`] at [`Machine::poll_timeout`].
//!
//! ```
//! use rccar_modem_core::{Effect, Machine, ModemView, Observation, Outcome, Pin, Registration, Rung, Stage};
//! use rccar_protocol::units::MonotonicMicros;
//!
//! let at = |seconds: u64| MonotonicMicros(seconds * 1_000_000);
//! let mut machine = Machine::new(at(0), 0, Pin::Configured, &[]);
//! let modem = ModemView::new(Stage::Ready, Registration::Registered, false);
//! machine.handle_observation(at(1), Observation { expected: true, daemon: true, modem: Some(modem) });
//! let Some(Effect::Act { action, rung: Rung::Reconnect, .. }) = machine.poll_effect() else { panic!() };
//! machine.handle_done(at(2), action, Outcome::Done);
//! assert!(machine.is_up());
//! ```
//!
//! # Design decisions
//!
//! * ModemManager's "connected" is only one sign among others. Registration, packet service, the
//!   signal's age, data probes and control probes count as well.
//! * One action at a time. Observations during an action take effect when it ends, by its report or
//!   by its deadline.
//! * The link stays configured while ModemManager is gone: data flows on. The first try that fails
//!   takes it down.
//! * A refused PIN is never sent again, unless the SIM was out or unlocked in between: each start
//!   would cost another try. The shell stores that it was refused.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests"))]

pub mod asking;
mod limits;
mod machine;
pub mod network_time;
mod probe;
pub mod receiver;
mod rung;
mod stick;
pub mod timing;
mod words;

pub use machine::Machine;
pub use rung::Rung;
pub use stick::Stick;
pub use words::{
    Car, Cause, Effect, Event, Fault, ModemView, Observation, Outcome, Pin, Registration, Stage,
    Status,
};
