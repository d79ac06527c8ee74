//! What every rccar program does alike: configuration, logging, readiness, shutdown.
//!
//! **A program that refuses to start says which file, line and key is to blame, in words, and exits
//! with code 2; whatever else goes wrong exits with code 1.**
//!
//! A program is put together in this order:
//!
//! 1. [`cli::CommonArgs`] is flattened into its arguments;
//! 2. [`logging::init`];
//! 3. [`config::load`];
//! 4. sockets and devices are opened, then [`notify::ready`];
//! 5. the main loop calls [`notify::watchdog`] every [`notify::watchdog_interval`] until
//!    `shutdown::signal`;
//! 6. [`notify::stopping`].
//!
//! ```
//! use rccar_daemon::{config, logging, notify, run};
//!
//! #[derive(serde::Deserialize)]
//! #[serde(deny_unknown_fields)]
//! struct Config {
//!     name: String,
//! }
//!
//! fn main() -> std::process::ExitCode {
//!     run(|| {
//!         logging::init("rccar-example");
//!         let config: Config = config::parse("name = 'blue car'", "example.toml")?;
//!         tracing::info!(name = config.name, "started");
//!         notify::ready();
//!         Ok::<(), config::ConfigError>(())
//!     })
//! }
//! ```
//!
//! # Design decisions
//!
//! * No environment variable and no second file overrides the configuration: what `check-config`
//!   accepts is what runs.
//! * Rules of a value live in its type (`#[serde(try_from = …)]`), so that a broken rule is
//!   reported with its line as well.
//! * Everything but `shutdown` works without a runtime, because `rccar-drive` has none
//!   (`default-features = false`).
//! * Telling systemd never fails a program: without systemd the calls do nothing.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests"))]

pub mod cli;
pub mod clock;
pub mod config;
mod exit;
pub mod files;
pub mod logging;
pub mod notify;
#[cfg(feature = "tokio")]
pub mod shutdown;

pub use exit::run;
