//! A person's own account: the password, and the browsers that are signed in.

use super::App;
use super::caller::Caller;
use super::error::ApiError;
use super::request::OwnJson;
use crate::backend::{AccountError, Backend, Password};
use crate::people::EndedSignIns;
use crate::throttle::Who;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::CACHE_CONTROL;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use rccar_protocol::text::Name;
use serde::Deserialize;
use std::sync::Arc;
use tokio::time::Instant;

/// `GET /api/v1/account`
pub(crate) async fn show<B: Backend>(
    State(app): State<Arc<App<B>>>,
    Extension(caller): Extension<Caller>,
) -> Result<Response, ApiError> {
    let (user, this) = caller.user()?;
    let account = app.backend.account(user, this).await?;
    Ok(([(CACHE_CONTROL, "no-store")], Json(account)).into_response())
}

#[derive(Deserialize)]
pub(crate) struct NewPassword {
    present: String,
    new: String,
}

/// `POST /api/v1/account/password`
pub(crate) async fn change_password<B: Backend>(
    State(app): State<Arc<App<B>>>,
    Extension(caller): Extension<Caller>,
    OwnJson(body): OwnJson<NewPassword>,
) -> Result<Response, ApiError> {
    let (user, this) = caller.user()?;
    // By sign-in: somebody who finds an open browser guesses a few times, and keeps nobody else
    // out by it.
    let counted =
        app.throttle.begin(Who::Known(this), Instant::now()).map_err(ApiError::TooManyAttempts)?;
    let (present, new) = (Password(body.present), Password(body.new));
    match app.backend.change_password(user.clone(), this, present, new).await {
        Ok(ended) => {
            app.throttle.succeeded(counted);
            Ok(end(&app, &user, "password changed", ended).await)
        }
        Err(error) => {
            if error != AccountError::WrongPassword {
                app.throttle.undo(counted);
            }
            Err(error.into())
        }
    }
}

/// `DELETE /api/v1/sign-ins`: all but the one that asks.
pub(crate) async fn end_others<B: Backend>(
    State(app): State<Arc<App<B>>>,
    Extension(caller): Extension<Caller>,
) -> Result<Response, ApiError> {
    let (user, this) = caller.user()?;
    let ended = app.backend.end_other_sign_ins(user.clone(), this).await?;
    Ok(end(&app, &user, "signed out everywhere else", ended).await)
}

/// `DELETE /api/v1/sign-ins/{id}`
pub(crate) async fn end_one<B: Backend>(
    State(app): State<Arc<App<B>>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    let (user, _) = caller.user()?;
    let ended = app.backend.end_sign_in(user.clone(), id).await?;
    Ok(end(&app, &user, "a sign-in was ended", ended).await)
}

async fn end<B: Backend>(app: &App<B>, user: &Name, what: &str, ended: EndedSignIns) -> Response {
    tracing::info!(%user, sign_ins = ended.len(), "{what}");
    for sign_in in ended {
        app.exchange.revoke(sign_in).await;
    }
    StatusCode::NO_CONTENT.into_response()
}
