//! The release store: bundles in a directory, what is decided about them in the database.

mod commands;
mod nudge;
mod offer;
mod shelf;
mod store;

pub(crate) use commands::run as command;
pub(crate) use nudge::{keep_updates, nudge};
pub(crate) use shelf::{Shelf, ShelfError};
pub(crate) use store::ReleaseStore;
