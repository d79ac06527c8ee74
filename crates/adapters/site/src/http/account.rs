//! Signing in and out, by password and by link.

use super::App;
use super::caller::Caller;
use super::cookie;
use super::error::ApiError;
use super::people;
use super::request::OwnJson;
use crate::address::Peer;
use crate::backend::{AccountError, Backend, Credentials, Mode, Password};
use crate::people::{NewSignIn, Role, SignedIn};
use crate::throttle::Who;
use crate::token::{Token, TokenHash};
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, SET_COOKIE, USER_AGENT};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{AppendHeaders, IntoResponse, Response};
use axum::{Extension, Json};
use rccar_causes::causes;
use rccar_protocol::text::Name;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use std::sync::Arc;
use tokio::time::Instant;

/// The name of those who use an access code: no account has this one.
const EVERYBODY: &str = "";

#[derive(Serialize)]
struct SignInState {
    mode: &'static str,
    software: String,
    signed_in: bool,
    user: Option<Name>,
    role: Option<Role>,
    setup_required: bool,
    sign_in: &'static str,
}

/// `GET /api/v1/sign-in`
pub(crate) async fn state<B: Backend>(
    State(app): State<Arc<App<B>>>,
    Extension(caller): Extension<Caller>,
) -> Result<Response, ApiError> {
    let person = caller.signed_in()?.map(|(person, _)| person);
    let (mode, sign_in) = match app.backend.mode() {
        Mode::Host => ("host", "password"),
        Mode::Car => ("car", "code"),
    };
    let setup_required = app.backend.setup_required().await?;
    let software = app.options.software.to_string();
    let (role, user) = (person.as_ref().map(|person| person.role), person.map(|one| one.name));
    let signed_in = user.is_some();
    let state = SignInState { mode, software, signed_in, user, role, setup_required, sign_in };
    Ok(([(CACHE_CONTROL, "no-store")], Json(state)).into_response())
}

#[derive(Deserialize)]
pub(crate) struct SignIn {
    name: Option<String>,
    password: Option<String>,
    code: Option<String>,
}

/// `POST /api/v1/sign-in`
pub(crate) async fn sign_in<B: Backend>(
    State(app): State<Arc<App<B>>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    OwnJson(body): OwnJson<SignIn>,
) -> Result<Response, ApiError> {
    let missing = |what: &str| ApiError::Malformed(format!("missing field `{what}`"));
    let (name, credentials) = match app.backend.mode() {
        Mode::Host => {
            let name = body.name.ok_or_else(|| missing("name"))?;
            let password = body.password.map(Password).ok_or_else(|| missing("password"))?;
            // A text that is no legal name is the name of no account: refused like a wrong one.
            let name = Name::new(name).map_err(|_| AccountError::WrongCredentials)?;
            (Some(name.clone()), Credentials::Password { name, password })
        }
        Mode::Car => (None, Credentials::Code(Password(body.code.ok_or_else(|| missing("code"))?))),
    };
    let address = peer.client(&headers, &app.options.trusted_proxies);
    let sign = cookie::known(&headers, app.backend.mode(), app.options.is_secure());
    let name = name.as_ref().map_or(EVERYBODY, Name::as_str);
    let who = match &app.known {
        Some(known) => known.who(name, sign, address),
        None => Who::Named { name, address },
    };
    let who = match who {
        Who::Named { name: EVERYBODY, .. } => Who::Coded { address },
        who => who,
    };
    throttled(&app, &headers, address, who, async |sign_in| {
        app.backend.sign_in(credentials, sign_in).await
    })
    .await
}

/// `DELETE /api/v1/sign-in`
pub(crate) async fn sign_out<B: Backend>(
    State(app): State<Arc<App<B>>>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    if let Some(sign_in) = app.shown_sign_in(&headers) {
        app.backend.sign_out(sign_in).await?;
        app.exchange.revoke(sign_in).await;
    }
    let cookie = cookie::clear(app.backend.mode(), app.options.is_secure());
    Ok((StatusCode::NO_CONTENT, [(SET_COOKIE, cookie)]).into_response())
}

#[derive(Deserialize)]
pub(crate) struct SetUp {
    token: String,
    name: String,
    password: String,
}

/// `POST /api/v1/setup`
pub(crate) async fn set_up<B: Backend>(
    State(app): State<Arc<App<B>>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    OwnJson(body): OwnJson<SetUp>,
) -> Result<Response, ApiError> {
    let name =
        Name::new(body.name.trim()).map_err(|error| ApiError::Malformed(error.to_string()))?;
    let (token, password) = (TokenHash::of(&body.token), Password(body.password));
    let address = peer.client(&headers, &app.options.trusted_proxies);
    let done = throttled(&app, &headers, address, Who::Unnamed { address }, async |sign_in| {
        app.backend.set_up(token, name, password, sign_in).await
    })
    .await?;
    // There is an admin now.
    people::refresh(&app).await?;
    Ok(done)
}

#[derive(Deserialize)]
pub(crate) struct Link {
    token: String,
}

/// `POST /api/v1/link`
pub(crate) async fn link<B: Backend>(
    State(app): State<Arc<App<B>>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    OwnJson(body): OwnJson<Link>,
) -> Result<Response, ApiError> {
    let token = TokenHash::of(&body.token);
    let address = peer.client(&headers, &app.options.trusted_proxies);
    throttled(&app, &headers, address, Who::Unnamed { address }, async |sign_in| {
        app.backend.link(token, sign_in).await
    })
    .await
}

#[derive(Deserialize)]
pub(crate) struct PasswordLink {
    token: String,
    password: String,
}

/// `POST /api/v1/password-link`
pub(crate) async fn password_link<B: Backend>(
    State(app): State<Arc<App<B>>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    OwnJson(body): OwnJson<PasswordLink>,
) -> Result<Response, ApiError> {
    let (token, password) = (TokenHash::of(&body.token), Password(body.password));
    let address = peer.client(&headers, &app.options.trusted_proxies);
    throttled(&app, &headers, address, Who::Unnamed { address }, async |sign_in| {
        app.backend.password_link(token, password, sign_in).await
    })
    .await
}

/// Runs one attempt to sign in, unless too many have failed, and hands out the cookie.
async fn throttled<B: Backend>(
    app: &App<B>,
    headers: &HeaderMap,
    address: IpAddr,
    who: Who<'_>,
    attempt: impl AsyncFnOnce(NewSignIn) -> Result<SignedIn, AccountError>,
) -> Result<Response, ApiError> {
    let token = Token::generate().map_err(|error| AccountError::Internal(error.to_string()))?;
    // Counts as a failure from the start. Otherwise any number of guesses could be under way before
    // the first has failed. It stays a failure if the client hangs up.
    let counted = app.throttle.begin(who, Instant::now()).map_err(ApiError::TooManyAttempts)?;
    let agent = headers.get(USER_AGENT).and_then(|agent| agent.to_str().ok());
    match attempt(NewSignIn::new(token.hash(), agent, address)).await {
        Ok(SignedIn { user, ended }) => {
            app.throttle.succeeded(counted);
            for sign_in in ended {
                app.exchange.revoke(sign_in).await;
            }
            tracing::info!(%user, client = %address, "signed in");
            let (mode, secure) = (app.backend.mode(), app.options.is_secure());
            let cookie = cookie::set(&token, mode, secure);
            // Without one the browser counts as a stranger's the next time.
            let name = if mode == Mode::Car { EVERYBODY } else { user.as_str() };
            let sign = app.known.as_ref().and_then(|known| known.sign(name).ok());
            let sign = sign.map(|sign| (SET_COOKIE, cookie::set_known(&sign, mode, secure)));
            let cookies = AppendHeaders([(SET_COOKIE, cookie)].into_iter().chain(sign));
            Ok((StatusCode::NO_CONTENT, cookies).into_response())
        }
        Err(error) => {
            if matches!(error, AccountError::WrongCredentials | AccountError::WrongToken) {
                tracing::info!(client = %address, error = %causes(&error), "sign-in refused");
            } else {
                // A fault of the host, or a weak password, is no guess.
                app.throttle.undo(counted);
            }
            Err(error.into())
        }
    }
}
