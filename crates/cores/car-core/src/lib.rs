//! The decisions of the car.
//!
//! | module | decides |
//! |---|---|
//! | [`freshness`] | how old the driver's input is when its frame arrives |
//! | [`sight`] | how old the picture is that the driver sees |
//! | [`lease`] | who drives |
//! | [`prepared`] | for whom a connection is made before they decide to drive |
//! | [`registration`] | when the host is dialled, and when a connection is given up |
//! | [`uplinks`] | which uplink is used |
//! | [`computer`] | what the driver sees of the computer's temperature and supply |
//! | [`recovery`] | what brings a session back when its path is lost |
//! | [`nat64`] | how IPv4 servers are reached in a network that has only IPv6 |
//!
//! **There are never two drivers. A driver who was refused never moves the car. No frame looks
//! fresher than it is. No core is ever without a next attempt:** as long as something is wrong,
//! `poll_timeout` names a time. A session that cannot be saved is ended, so that the driver's page
//! can begin a new one.
//!
//! ```text
//!   kernel: addresses, routes
//!      │
//!      ▼
//!   Uplinks ◄─► Probe: does a better one work?
//!      │
//!      │ Move (lost, new, changed, back, silent, better)
//!      ├──────► Registration: dials the host again
//!      │           │ connect, answer, bye, …
//!      │           ▼
//!      │        Lease: one session, or a refusal
//!      │           │ start, pass, end
//!      ▼           ▼
//!   Recovery, one for each session ◄── connection's state, last packet, host's answers,
//!      │                               driver's wishes
//!      ▼
//!   restart, keyframe, ask host, rebuild, give up
//! ```
//!
//! No core has a clock, randomness or I/O. The shell that owns one
//!
//! 1. reports what happens with the `handle_*` verbs, with the time of a monotonic clock;
//! 2. drains `poll_effect`, and `poll_event` where there is one: the shell does the effects and
//!    logs the events;
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
//! let Some(Effect::Move(first)) = uplinks.poll_effect() else { panic!() };
//! assert_eq!((first.to, first.why), (Some(wifi), Why::First));
//! uplinks.handle_uplinks(MonotonicMicros(1), vec![modem.clone()]);
//! let Some(Effect::Move(second)) = uplinks.poll_effect() else { panic!() };
//! assert_eq!((second.to, second.why), (Some(modem), Why::Lost));
//! # Ok::<(), std::net::AddrParseError>(())
//! ```
//!
//! # Design decisions
//!
//! * A loss is acted on at once. An uplink that appears gets a moment to settle. A better uplink
//!   has to prove itself for seconds.
//! * An ICE restart ends the old path. If that path may still live, it is kept until the driver has
//!   answered ([`recovery::Commit`]).
//! * A silent path is not a lost one. First the host is asked. If it answers, the uplink lives, and
//!   the car looks for another path to the driver. If not, the car tries another uplink and leaves
//!   the old path alone, because it may come back by itself.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests"))]

pub mod computer;
pub mod freshness;
pub mod lease;
pub mod nat64;
pub mod prepared;
pub mod recovery;
pub mod registration;
pub mod sight;
pub mod timing;
pub mod uplinks;
