//! Claiming a car, and giving one away.

use super::App;
use super::caller::Caller;
use super::error::ApiError;
use super::request::OwnJson;
use crate::address::Peer;
use crate::backend::{AccountError, Backend, Mode};
use crate::exchange::Exchange;
use crate::throttle::Who;
use crate::waiters::Waiter;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use rccar_protocol::claim::ClaimCode;
use rccar_protocol::text::CarId;
use rccar_rooms::{CarConn, EnrolledCar};
use serde::Deserialize;
use std::sync::Arc;
use tokio::time::Instant;

#[derive(Deserialize)]
pub(crate) struct Claim {
    code: String,
}

/// `POST /api/v1/claims`
pub(crate) async fn claim<B: Backend>(
    State(app): State<Arc<App<B>>>,
    Extension(peer): Extension<Peer>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    OwnJson(body): OwnJson<Claim>,
) -> Result<Response, ApiError> {
    if app.backend.mode() == Mode::Car {
        return Err(AccountError::NotOffered.into());
    }
    let (user, _) = caller.user()?;
    // A text that cannot be a code is a slip of the finger, not a guess: it is not counted.
    let code = ClaimCode::from_typed(&body.code)
        .map_err(|error| ApiError::Malformed(error.to_string()))?;
    let address = peer.client(&headers, &app.options.trusted_proxies);
    let attempt = app
        .claims
        .begin(Who::Named { name: user.as_str(), address }, Instant::now())
        .map_err(ApiError::TooManyAttempts)?;
    let Some((conn, registration)) = app.waiters.find(&code) else {
        // `attempt` is dropped and so counts as a failure.
        tracing::info!(%user, client = %address, "a claim code that no car shows");
        return Err(AccountError::NoSuchCode.into());
    };
    let known = match app.backend.claim_car(user.clone(), registration).await {
        Ok(known) => known,
        Err(error) => {
            app.claims.undo(attempt);
            return Err(error.into());
        }
    };
    app.claims.succeeded(attempt);
    tracing::info!(%user, car = %known.id, name = %known.name, "car claimed");
    // If nobody waits any more, the car's connection broke meanwhile. It comes back enrolled.
    if let Some(waiter) = app.waiters.take(conn) {
        let_in(&app.exchange, conn, known.clone(), waiter).await;
    }
    let body = Json(serde_json::json!({ "car": known.id, "name": known.name }));
    Ok((StatusCode::CREATED, body).into_response())
}

/// `DELETE /api/v1/cars/{id}`
pub(crate) async fn revoke<B: Backend>(
    State(app): State<Arc<App<B>>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    let (user, _) = caller.user()?;
    let id = CarId::new(id).map_err(|_| AccountError::NoSuchCar)?;
    app.backend.revoke_car(user.clone(), id.clone()).await?;
    tracing::info!(%user, car = %id, "car revoked");
    app.exchange.revoke_car(id).await;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn let_in(exchange: &Exchange, conn: CarConn, car: EnrolledCar, waiter: Waiter) {
    let Waiter { registration, reached, outbox } = waiter;
    let program = (registration.software, registration.prepares);
    exchange.join_car_as(conn, car, program, reached, outbox.clone()).await;
    // The socket may have ended just before: the rooms got its `car_gone` when they did not know
    // the connection yet.
    if outbox.is_gone() {
        exchange.car_gone(conn).await;
    }
}
