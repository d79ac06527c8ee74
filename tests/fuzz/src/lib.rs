//! Fuzz targets: one module with a function `target` for each parser of data from the network.
//!
//! **A target panics only if the parser breaks its promise**: it refuses without a panic, or it
//! accepts exactly one meaning, so that writing the value gives a message that reads the same.
//!
//! The same functions run in three places: under libFuzzer (`tests/fuzz/libfuzzer`), over the
//! committed corpus and the golden vectors in every test run (`tests/replay.rs`), and by hand:
//!
//! ```
//! rccar_fuzz::control::target(b"\x01 anything");
//! ```
//!
//! # Design decisions
//!
//! * The targets are a library, and the fuzzer's programs have three lines each: libFuzzer needs a
//!   nightly compiler, and the test run must not.
//! * A new parser gets a module here, a line in [`TARGETS`], a file in `libfuzzer/fuzz_targets` and
//!   a directory in `corpus`; `tests/replay.rs` fails while one of them is missing.

pub mod bundle;
mod frame;
pub mod identity;
mod message;
mod relay;
mod session;

pub use frame::{control, drive_hello, setpoint, status, telemetry};
pub use message::{
    car_event, driver_event, from_car, from_drive, from_driver, release_offer, to_car, to_drive,
    to_driver,
};
pub use relay::{relay_channel_data, relay_stun};
pub use session::{candidate, ice_url, sdp};

pub type Target = fn(&[u8]);

/// Every target under the name of its corpus directory and of its libFuzzer program.
pub const TARGETS: &[(&str, Target)] = &[
    ("control", control::target),
    ("telemetry", telemetry::target),
    ("setpoint", setpoint::target),
    ("status", status::target),
    ("drive_hello", drive_hello::target),
    ("from_driver", from_driver::target),
    ("to_driver", to_driver::target),
    ("from_car", from_car::target),
    ("to_car", to_car::target),
    ("car_event", car_event::target),
    ("driver_event", driver_event::target),
    ("to_drive", to_drive::target),
    ("from_drive", from_drive::target),
    ("bundle", bundle::target),
    ("release_offer", release_offer::target),
    ("identity", identity::target),
    ("relay_channel_data", relay_channel_data::target),
    ("relay_stun", relay_stun::target),
    ("ice_url", ice_url::target),
    ("sdp", sdp::target),
    ("candidate", candidate::target),
];
