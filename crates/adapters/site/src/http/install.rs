//! An owner who starts the update of a car.

use super::App;
use super::caller::Caller;
use super::error::ApiError;
use super::request::OwnJson;
use crate::backend::{AccountError, Backend, Mode};
use axum::Extension;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use rccar_protocol::release::Version;
use rccar_protocol::text::CarId;
use rccar_rooms::InstallRefusal;
use serde::Deserialize;
use std::sync::Arc;

#[derive(Deserialize)]
pub(crate) struct Wish {
    version: Version,
}

/// `POST /api/v1/cars/{id}/install`
pub(crate) async fn install<B: Backend>(
    State(app): State<Arc<App<B>>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    OwnJson(Wish { version }): OwnJson<Wish>,
) -> Result<StatusCode, ApiError> {
    // A car reports its updates to its host, not to its own page.
    if app.backend.mode() == Mode::Car {
        return Err(AccountError::NotOffered.into());
    }
    let (user, _) = caller.user()?;
    let id = CarId::new(id).map_err(|_| InstallRefusal::NoSuchCar)?;
    let answer = app.exchange.install(user.clone(), id.clone(), version.clone()).await;
    answer.ok_or_else(|| ApiError::fault("the exchange has ended"))??;
    tracing::info!(%user, car = %id, %version, "an owner starts an update");
    Ok(StatusCode::ACCEPTED)
}
