//! What the car decides.
//!
//! | module | decides |
//! |---|---|
//! | [`freshness`] | how old the driver's input is when its frame arrives |
//! | [`lease`] | who drives |
//! | [`registration`] | when the host is dialled, and what becomes of the connection |
//! | [`uplinks`] | which uplink is used |
//! | [`recovery`] | what brings a session back when its path is lost |
//!
//! **There are never two drivers, a driver who was refused never moves the car, no frame looks
//! fresher than it is, and no machine is ever without a next attempt:** as long as something is
//! wrong, `poll_timeout` names a time, and a session that cannot be saved is ended, so that the
//! driver's page can begin a new one.
//!
//! ```text
//!   kernel: addresses, routes ─► Uplinks ─ Move (lost, new, changed, back, silent, better) ─┬─► Registration: dials the host anew
//!                                  ▲   │                                                    │     │ connect, answer, bye, …
//!                probe of a better ┘   └─ Probe                                             │     ▼
//!                                                                                           │   Lease: one session, or a refusal
//!   connection's state, last packet, host's answers, driver's wishes ─────────────────────┐ │     │ start, pass, end
//!                                                                                         ▼ ▼     ▼
//!                                       restart, keyframe, ask host, rebuild, give up ◄─ Recovery, one for each session
//! ```
//!
//! None has a clock, randomness or I/O. Whoever owns one
//!
//! 1. tells what happens with the `handle_*` verbs, by a monotonic clock;
//! 2. drains `poll_effect`, and `poll_event` where there is one: effects are to be done, events are
//!    for the log;
//! 3. calls `handle_timeout` at `poll_timeout`, or earlier.
//!
//! ```
//! use rccar_car_core::uplinks::{Effect, Kind, Options, Uplink, Uplinks, Why};
//! use rccar_protocol::units::MonotonicMicros;
//!
//! let wifi = Uplink::new(2, "wlan0", Kind::Wifi, ["192.0.2.7".parse()?]);
//! let modem = Uplink::new(3, "wwan0", Kind::Mobile, ["198.51.100.9".parse()?]);
//! let mut uplinks = Uplinks::new(Options::default());
//! uplinks.handle_uplinks(MonotonicMicros(0), vec![modem.clone(), wifi.clone()]);
//! assert!(matches!(uplinks.poll_effect(), Some(Effect::Move(first)) if first.to.as_ref() == Some(&wifi)));
//! uplinks.handle_uplinks(MonotonicMicros(1), vec![modem.clone()]);
//! let Some(Effect::Move(second)) = uplinks.poll_effect() else { panic!() };
//! assert_eq!((second.to, second.why), (Some(modem), Why::Lost));
//! # Ok::<(), std::net::AddrParseError>(())
//! ```
//!
//! # Design decisions
//!
//! * A loss is acted on at once, what appears is given a moment to settle, and what is better has
//!   to prove itself for seconds.
//! * A restart of ICE ends the old path. Where that path may still live, it is kept until the
//!   driver has answered ([`recovery::Commit`]).
//! * A silent path is not a lost one. First the host is asked: if it answers, the uplink lives, and
//!   the path to the driver is looked for anew; if not, another uplink is tried, and the old path
//!   is left alone, because it may come back by itself.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests"))]

pub mod freshness;
pub mod lease;
pub mod recovery;
pub mod registration;
pub mod timing;
pub mod uplinks;
