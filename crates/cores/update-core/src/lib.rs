//! Decisions of `rccar-update`: when a version is installed, when the car reboots, and whether a
//! new version stays.
//!
//! **Nothing that can take the car down is begun while somebody drives. Every update ends in a
//! version that has proved itself: the new one or the old one.**
//!
//! The machine has no clock, no network and no disk. The shell
//!
//! 1. makes it from what was [`Saved`] and from the slot that is booted ([`Boot`]),
//! 2. passes what happens to [`Machine::handle_input`] and wishes of the owner to
//!    [`Machine::handle_wish`], and before each a fresh random number ([`Machine::handle_dice`])
//!    and the month ([`Machine::handle_month`]),
//! 3. calls [`Machine::handle_timeout`] at [`Machine::poll_timeout`] at the latest,
//! 4. after each of these does every [`Effect`] of [`Machine::poll_effect`], one after the other.
//!
//! ```
//! use rccar_update_core::{Boot, CarStatus, Effect, Input, Machine, Release, Saved, Settings, Source};
//! use rccar_protocol::units::MonotonicMicros;
//! use semver::Version;
//!
//! let boot = Boot { slot: "A".into(), running: Version::new(1, 0, 0), primary: Some("A".into()) };
//! let now = MonotonicMicros(0);
//! let mut updates = Machine::new(now, 0, None, Settings::default(), Saved::default(), boot);
//! let release = Release { version: Version::new(1, 1, 0), size: 1_000, source: Source::Host("/b/1".into()) };
//!
//! // Somebody drives: nothing happens.
//! let parked = CarStatus { registered: true, drive_alive: true, ..CarStatus::default() };
//! updates.handle_input(now, Input::Car(Some(CarStatus { in_session: true, ..parked })));
//! updates.handle_input(now, Input::Answer(Ok(Some(release.clone()))));
//! assert!(!std::iter::from_fn(|| updates.poll_effect()).any(|effect| matches!(effect, Effect::Install(_))));
//! // The driver leaves.
//! updates.handle_input(now, Input::Car(Some(parked)));
//! assert!(std::iter::from_fn(|| updates.poll_effect()).any(|effect| effect == Effect::Install(release.clone())));
//! ```
//!
//! # Design decisions
//!
//! * Time counts from the start of the kernel, because the computer has no clock of its own. So the
//!   waits between tries begin again with each boot. Numbers of tries and bytes are saved.
//! * Faults are of two kinds. Circumstances (a lost link, a driver who came) never count against a
//!   version. Faults of the version or its bundle do: after a few tries it is left alone until the
//!   owner asks for it or the host offers another version.
//! * The trial's limit counts from the start of the kernel, too: a restart of `rccar-update` gives
//!   no more time.
//! * A car whose `rccar-car` is gone counts as parked after [`hold::ABSENT`]: otherwise a version
//!   with a broken `rccar-car` could not be replaced.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests"))]

mod effect;
mod health;
pub mod hold;
pub mod machine;
mod meter;
mod saved;
mod settings;
mod start;
mod words;

pub use effect::{Effect, Mark, State, Status, Traffic};
pub use hold::Hold;
pub use machine::Machine;
pub use meter::{Meter, Month};
pub use saved::{Ended, Failure, Pending, Proven, Saved, Stage};
pub use semver::Version;
pub use settings::Settings;
pub use start::Boot;
pub use words::{CarStatus, Fault, Input, InstallNews, Refusal, Release, Source, Wish};
