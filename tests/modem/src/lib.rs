//! A lab for everything that talks to ModemManager: **Debian's stock daemon runs, only the modem is
//! invented.**
//!
//! ```text
//!   ┌ namespaces of one test ───────────────────────────────────────────────────────────────────┐
//!   │  test ──── D-Bus ──── ModemManager ──┬── @mbim-proxy ──── MBIM emulator ┐                 │
//!   │    │                       │         └── /dev/ttyACM* ─── AT emulator ──┤ carries, or not │
//!   │    │                  invented /sys                                     ▼                 │
//!   │  wwan0 ═════════════════════════ veth ══════════════════════════════ "cell" (a network)   │
//!   └───────────────────────────────────────────────────────────────────────────────────────────┘
//! ```
//!
//! * [`story`] puts a test into namespaces of its own, so that tests run side by side and leave
//!   nothing behind.
//! * [`Lab`] has the daemon, which can be killed and restarted, and the bus.
//! * [`MbimModem`] and [`AtModem`] are the modems; their methods are what happens to a modem in a
//!   car.
//! * Data goes over a real interface to a network that answers only while the modem is connected.
//! * A DHCP server, and a router that advertises, are dnsmasq at the other end of that interface.
//! * A stick that looks like Ethernet is that interface, and a driver's name in `/sys`.
//!
//! `ci/modem` makes the root file system and runs the stories; the ordinary test run leaves them
//! out (`#[ignore]`).
//!
//! # Design decisions
//!
//! * The emulators are in the test's process: a story that pulls the SIM sees the effect of it in
//!   the next line.
//! * MBIM has basic connectivity alone. Everything above it is optional, and stock modems lack some
//!   of it.
//! * AT speaks the u-blox dialect, whose network port has a static address. PPP needs a kernel with
//!   PPP: with the same modem, and [`ppp`] at the other end of its calls, the image's own kernel
//!   has it (`tests/vm`).

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests"))]

mod at;
mod cell;
mod daemon;
mod lab;
mod mbim;
mod namespace;
pub mod ppp;
mod root;
mod sysfs;

pub use at::{AtModem, AtRegistration};
pub use cell::{BEHIND, BEHIND6};
pub use lab::{Lab, STICK_INTERFACE, Setup};
pub use mbim::{Addresses, Counters, MbimModem, Registration};
pub use namespace::story;

/// What a modem's data goes over.
pub trait DataPath: Send + Sync {
    /// The modem is connected with these addresses, or not any more.
    fn carry(&self, addresses: Option<Addresses>);
}
