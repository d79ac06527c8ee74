//! Adding a car.

use super::App;
use super::account::signed_in;
use super::error::ApiError;
use super::request::OwnJson;
use crate::backend::{AccountError, Backend, Mode};
use crate::provision::provision_file;
use axum::Json;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, HOST};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use rccar_protocol::text::Name;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

#[derive(Deserialize)]
pub(crate) struct Wish {
    /// Name of the car; without it the car's own choice counts.
    name: Option<Name>,
}

#[derive(Serialize)]
struct Body {
    token: String,
    expires_at: u64,
    /// Lines for a car's own configuration.
    config: String,
    /// The whole file for its SD card.
    provision: String,
}

/// `POST /api/v1/enrolments`
pub(crate) async fn enrol<B: Backend>(
    State(app): State<Arc<App<B>>>,
    headers: HeaderMap,
    OwnJson(wish): OwnJson<Wish>,
) -> Result<Response, ApiError> {
    if app.backend.mode() == Mode::Car {
        return Err(AccountError::NotOffered.into());
    }
    let Some((user, _)) = signed_in(&app, &headers).await? else { return Err(ApiError::NotSignedIn) };
    let enrolment = app.backend.enrol(user, wish.name.clone()).await?;
    let (token, url) = (enrolment.token.as_str().to_owned(), host_url(&app, &headers));
    // Neither a URL nor a token holds what TOML would have to escape.
    let config = format!("[host]\nurl = \"{url}\"\nenrolment = \"{token}\"\n");
    let provision = provision_file(&url, &token, wish.name.as_ref().map(Name::as_str));
    let body = Json(Body { token, expires_at: enrolment.expires_at, config, provision });
    Ok((StatusCode::CREATED, [(CACHE_CONTROL, "no-store")], body).into_response())
}

/// Where the car will find the host: the configured address, else the one that works for the person who asks.
fn host_url<B>(app: &App<B>, headers: &HeaderMap) -> String {
    if let Some(url) = &app.options.public_url {
        return url.to_string();
    }
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()?.parse::<Authority>().ok());
    format!("http://{}", host.as_ref().map_or("localhost", Authority::as_str))
}
