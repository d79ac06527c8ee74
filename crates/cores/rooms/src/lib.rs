//! The signaling host's rooms: which cars are enrolled and connected, which drivers are there, and
//! who drives which car.
//!
//! **A car has at most one session, and a session has at most one driver. When a session ends, each
//! end that is still there gets a `bye`, unless it asked for the end itself.** The first two hold
//! by construction: the session is a field of the car.
//!
//! The machine has no clock, no randomness and no sockets. Its shell
//! 1. reports what happened through the `handle_*` functions, with `now` as time since any fixed
//!    start;
//! 2. drains [`Rooms::poll_effect`] and [`Rooms::poll_event`] until both are empty;
//! 3. calls [`Rooms::handle_timeout`] when [`Rooms::poll_timeout`] is due.
//!
//! ```text
//!                 connect (car free, or same user)
//!      (none) ───────────────────────────────────────► OFFERING ──── no offer in time ────► ended: error timeout
//!                                                          │ the car's first offer
//!                                                          ▼
//!     ┌── driver's socket lost ── DRIVEN ── car's socket lost ──┐
//!     ▼                            ▲  ▲                         ▼
//!  DRIVER AWAY ─ names session ────┘  └──── registers again ─ CAR AWAY      (both can be away at once)
//!     │ grace over                 │ bye from an end,           │ grace over
//!     ▼                            │ replaced, revoked,         ▼
//!  ended: driver-gone              ▼ shutdown                ended: car-gone
//!                                ended
//! ```
//!
//! A peer connection outlives the sockets that set it up, so a lost socket does not end a session
//! at once. A driver's page takes its session back by naming it in any message (`restart` is the
//! natural one); a car takes it back by registering. Messages for the absent end are kept, up to a
//! small number, and delivered then.
//!
//! A session can be prepared before the driver decides (`prepared.rs`): then `connect` begins that
//! one, and the offer is there.
//!
//! When the grace is over, the machine forgets the session, but the drive may go on: a car whose
//! peer connection is up keeps its driver and answers the next `connect` with `bye` and `car-busy`.
//! The list shows it as free all the same.
//!
//! ```
//! use rccar_protocol::{signaling::{FromDriver, ToDriver}, text::{Name, Software}, units::MonotonicMicros};
//! use rccar_rooms::{DriverConn, Effect, Options, Rooms};
//!
//! let mut rooms = Rooms::new(Options::new(Software::new("rccar-host/0.1.0")?));
//! let page = DriverConn(1);
//! rooms.handle_driver_joined(MonotonicMicros(0), page, Name::new("Ada")?, false);
//! assert!(matches!(rooms.poll_effect(), Some(Effect::ToDriver { message: ToDriver::Welcome { .. }, .. })));
//! rooms.handle_driver(MonotonicMicros(0), page, FromDriver::Ping { id: 7 }, 0);
//! assert_eq!(rooms.poll_effect(), Some(Effect::ToDriver { to: page, message: ToDriver::Pong { id: 7 } }));
//! # Ok::<(), rccar_protocol::text::TextError>(())
//! ```
//!
//! # Design decisions
//!
//! * Users are told apart by name. With [`Options::by_rights`] they see and drive the cars to which
//!   they have a right: as owner, as admin, or because the car is shared with them or with
//!   everybody. Without it everybody who is let in may do everything with every car.
//! * The owner takes a car back with `connect` and `take`: the present driver gets `bye` with the
//!   owner's name, and the car is told, too, so that it also ends a drive that this host has
//!   forgotten or never knew.
//! * A page drives one car: a `connect` ends what the same connection drove before. The page gets
//!   no `bye` for that, because it caused it.
//! * A live session moves to another connection of the same user that names it: a page whose
//!   network changed is back long before its old socket is found dead, and nobody else knows the
//!   session's 64 random bits.
//! * A `bye` for a session that is gone is ignored, because the `bye` of both ends often cross. Any
//!   other message for it is answered with `no-such-session`.
//! * Cars that nobody owns yet are not in the rooms but before them, in a [`WaitingRoom`].
//! * `ice_servers` of outgoing messages are left empty: credentials need randomness and a clock, so
//!   the shell fills them in.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests"))]

mod cars;
mod drivers;
mod ends;
mod list;
mod mailbox;
mod prepared;
mod rights;
mod rooms;
mod session;
mod view;
mod waiting;
mod waits;
mod words;

pub use ends::SessionEnds;
pub use prepared::{GAP, LIFE, MOST};
pub use rooms::{Options, Rooms};
pub use waiting::{CODE_LIFETIME, CodeHash, WaitError, WaitingRoom};
pub use words::{CarConn, Close, DriverConn, Effect, EnrolledCar, Event, InstallRefusal, Shared};
