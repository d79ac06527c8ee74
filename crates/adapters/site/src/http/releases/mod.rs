//! Releases: for people, who upload and steer them, and for cars, which fetch them.

mod cars;
mod people;
mod transfer;

pub(crate) use cars::{bundle, offer, shown_token};
pub(crate) use people::{change, list, remove, upload};
pub(crate) use transfer::{Transfers, Watched};

use super::App;
use super::error::ApiError;
use crate::backend::AccountError;
use crate::releases::Releases;
use rccar_protocol::release::Version;

/// The store; programs without one offer nothing.
fn store<B>(app: &App<B>) -> Result<&dyn Releases, ApiError> {
    app.releases.as_deref().ok_or(ApiError::Account(AccountError::NotOffered))
}

fn version(text: String) -> Result<Version, ApiError> {
    Version::try_from(text).map_err(|error| ApiError::Malformed(error.to_string()))
}
