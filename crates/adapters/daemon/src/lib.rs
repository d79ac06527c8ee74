//! What all rccar programs share: configuration, logging, readiness, shutdown.
//!
//! **A program with a wrong configuration does not start: it names file, line and key and exits
//! with code 2. After any other error it exits with code 1.**
//!
//! A program starts and ends in this order:
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
//! * No environment variable and no second file overrides the configuration: `check-config` checks
//!   exactly what will run.
//! * Rules of a value live in its type (`#[serde(try_from = …)]`), so that a broken rule is
//!   reported with its line as well.
//! * Everything but `shutdown` works without a runtime, because `rccar-drive` has none
//!   (`default-features = false`).
//! * Messages to systemd never make a program fail: without systemd the calls do nothing.

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
