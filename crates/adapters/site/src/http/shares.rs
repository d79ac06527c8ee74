//! `/api/v1/cars/{id}/shares`: with whom a car is shared, for its owner and admins.

use super::App;
use super::caller::Caller;
use super::error::ApiError;
use super::request::OwnJson;
use crate::backend::{AccountError, Backend};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::CACHE_CONTROL;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use rccar_protocol::signaling::CarRole;
use rccar_protocol::text::{CarId, Name};
use serde::Deserialize;
use std::sync::Arc;

/// `GET /api/v1/cars/{id}/shares`
pub(crate) async fn list<B: Backend>(
    State(app): State<Arc<App<B>>>,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    let shares = app.backend.shares(car(id)?).await?;
    Ok(([(CACHE_CONTROL, "no-store")], Json(shares)).into_response())
}

#[derive(Deserialize)]
pub(crate) struct Grant {
    role: CarRole,
}

/// `PUT /api/v1/cars/{id}/shares/{name}`
pub(crate) async fn share<B: Backend>(
    State(app): State<Arc<App<B>>>,
    Extension(caller): Extension<Caller>,
    Path((id, name)): Path<(String, String)>,
    OwnJson(Grant { role }): OwnJson<Grant>,
) -> Result<StatusCode, ApiError> {
    set(&app, caller, id, Some(named(name)?), Some(role)).await
}

/// `DELETE /api/v1/cars/{id}/shares/{name}`
pub(crate) async fn withdraw<B: Backend>(
    State(app): State<Arc<App<B>>>,
    Extension(caller): Extension<Caller>,
    Path((id, name)): Path<(String, String)>,
) -> Result<StatusCode, ApiError> {
    set(&app, caller, id, Some(named(name)?), None).await
}

/// `PUT /api/v1/cars/{id}/everybody`
pub(crate) async fn share_with_everybody<B: Backend>(
    State(app): State<Arc<App<B>>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    OwnJson(Grant { role }): OwnJson<Grant>,
) -> Result<StatusCode, ApiError> {
    set(&app, caller, id, None, Some(role)).await
}

/// `DELETE /api/v1/cars/{id}/everybody`
pub(crate) async fn withdraw_from_everybody<B: Backend>(
    State(app): State<Arc<App<B>>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    set(&app, caller, id, None, None).await
}

async fn set<B: Backend>(
    app: &App<B>,
    caller: Caller,
    id: String,
    with: Option<Name>,
    role: Option<CarRole>,
) -> Result<StatusCode, ApiError> {
    if !matches!(role, None | Some(CarRole::Driver | CarRole::Spectator)) {
        let text = "`role` is `driver` or `spectator`: a car has one owner";
        return Err(ApiError::Malformed(text.to_owned()));
    }
    let (by, car) = (caller.person()?.name, car(id)?);
    let known = app.backend.share(by.clone(), car.clone(), with.clone(), role).await?;
    let with = with.as_ref().map_or("everybody", Name::as_str);
    match role {
        Some(role) => tracing::info!(%by, %car, with, ?role, "shared a car"),
        None => tracing::info!(%by, %car, with, "shares a car no longer"),
    }
    // Ends the drive of whoever has lost the right.
    app.exchange.update_car(known).await;
    Ok(StatusCode::NO_CONTENT)
}

fn car(id: String) -> Result<CarId, ApiError> {
    CarId::new(id).map_err(|_| AccountError::NoSuchCar.into())
}

/// A text that is no legal name is the name of nobody.
fn named(name: String) -> Result<Name, ApiError> {
    Name::new(name).map_err(|_| ApiError::NotFound)
}
