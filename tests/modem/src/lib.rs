//! A lab for programs that talk to ModemManager: **Debian's stock daemon runs, only the modem is
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
//! * [`Lab`] has the bus and the daemon, which can be killed and restarted.
//! * [`MbimModem`] and [`AtModem`] are the modems. Their methods make happen what happens to a
//!   modem in a car.
//! * Data goes over a real interface to a network that answers only while the modem is connected.
//! * dnsmasq at the other end of that interface is the DHCP server and the router that advertises.
//! * A stick that looks like Ethernet is that interface and a driver's name in `/sys`.
//!
//! `ci/modem` makes the root file system and runs the stories; the ordinary test run leaves them
//! out (`#[ignore]`).
//!
//! # Design decisions
//!
//! * The emulators run in the test's process: a story that pulls the SIM sees the effect in its
//!   next line.
//! * The MBIM modem has only basic connectivity. All other services are optional, and real modems
//!   lack some of them.
//! * The AT modem speaks the u-blox dialect, whose network port has a static address. PPP needs a
//!   kernel with PPP. The image's own kernel has it: `tests/vm` uses the same modem there, with
//!   [`ppp`] at the other end of its calls.

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

/// The network that carries a modem's data.
pub trait DataPath: Send + Sync {
    /// The modem is now connected with these addresses; `None`: it is not connected any more.
    fn carry(&self, addresses: Option<Addresses>);
}
