//! Client of [RAUC](https://rauc.io)'s D-Bus interface `de.pengutronix.rauc.Installer`.
//!
//! **Every answer is typed, or an error with RAUC's own words. Nothing is guessed from what RAUC
//! does not say.**
//!
//! 1. [`Rauc::slots`], [`Rauc::primary`], [`Rauc::booted`], [`Rauc::compatible`] return the state
//!    of the system.
//! 2. [`Rauc::inspect`] checks the signature of a bundle and returns its manifest, from a file or a
//!    URL.
//! 3. [`Rauc::install`] installs the bundle and reports progress.
//! 4. [`Rauc::mark`] tells the bootloader about the booted slot.
//!
//! ```no_run
//! # async fn example(connection: zbus::Connection) -> Result<(), rccar_rauc::RaucError> {
//! use rccar_rauc::{Mark, Rauc};
//!
//! let rauc = Rauc::new(connection);
//! let bundle = rauc.inspect("/tmp/update.raucb").await?;
//! if bundle.compatible == rauc.compatible().await? {
//!     rauc.install("/tmp/update.raucb", bundle.manifest_hash.as_deref(), |percent| println!("{percent} %")).await?;
//! }
//! rauc.mark(Mark::Good).await
//! # }
//! ```
//!
//! # Design decisions
//!
//! * The interface is that of RAUC 1.9 and later; with an older one [`Rauc::inspect`] fails.
//!   `require-manifest-hash` makes sure that RAUC installs the bundle that was inspected.
//! * RAUC's service may end and be started again at any time. An installation that ends with it is
//!   an error at once, not a wait.
//! * Progress is a callback with the percent. RAUC's own descriptions of its steps are for its
//!   journal.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests"))]

mod bundle;
mod client;
mod error;
mod installer;
mod slot;

pub use bundle::Bundle;
pub use client::{Mark, Rauc};
pub use error::RaucError;
pub use slot::{BootStatus, Slot};
