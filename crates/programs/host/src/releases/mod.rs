//! The release store: bundles in a directory, what is decided about them in the database.

mod announcements;
mod choice;
mod commands;
mod shelf;
mod store;

pub(crate) use announcements::{announce_releases, keep_updates};
pub(crate) use commands::run as command;
pub(crate) use shelf::{Shelf, ShelfError};
pub(crate) use store::ReleaseStore;
