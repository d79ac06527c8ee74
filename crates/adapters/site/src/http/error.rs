//! Errors of the HTTP interface: always JSON with a code for programs and a text for people.

use crate::backend::AccountError;
use crate::releases::ReleaseError;
use axum::Json;
use axum::http::header::{CACHE_CONTROL, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use rccar_rooms::InstallRefusal;
use serde::Serialize;
use std::time::Duration;

#[derive(Debug, thiserror::Error)]
pub(crate) enum ApiError {
    #[error("no such address")]
    NotFound,
    #[error("this address does not take this method")]
    MethodNotAllowed,
    #[error("pages of other origins may not do this")]
    ForeignOrigin,
    #[error(
        "this host answers as {0} only (http.public_url in its configuration); a proxy before it \
         has to keep the Host header"
    )]
    Misdirected(String),
    #[error(
        "this host speaks plain HTTP, which everybody on the way can read and change, so it \
         answers its own networks only: put a proxy with TLS before it, name the proxy in \
         http.trusted_proxies and the address in http.public_url; or set \
         http.allow_public_http = true"
    )]
    PlainHttp,
    #[error("the body has to be of type application/json")]
    NotJson,
    #[error("the body is too large")]
    BodyTooLarge,
    #[error("{0}")]
    Malformed(String),
    #[error("{0}")]
    BadAddress(String),
    #[error("sign in first")]
    NotSignedIn,
    #[error("only an admin of this host may do that")]
    AdminsOnly,
    #[error("too many failed attempts; wait {} s", .0.as_secs() + 1)]
    TooManyAttempts(Duration),
    #[error("too many requests from your address at once")]
    TooManyRequests,
    #[error("the request took too long")]
    Timeout,
    #[error("the body has to be of type application/octet-stream")]
    NotBinary,
    #[error("too many cars fetch releases right now")]
    DownloadsFull,
    #[error(transparent)]
    Account(#[from] AccountError),
    #[error(transparent)]
    Release(#[from] ReleaseError),
    #[error(transparent)]
    Install(#[from] InstallRefusal),
}

#[derive(Serialize)]
struct Body {
    code: &'static str,
    text: String,
}

impl ApiError {
    /// A fault of the host. The text goes to its log, and the client gets a general one.
    pub(crate) fn fault(why: &str) -> Self {
        Self::Release(ReleaseError::Internal(why.to_owned()))
    }

    fn status_and_code(&self) -> (StatusCode, &'static str) {
        match self {
            Self::NotFound => (StatusCode::NOT_FOUND, "not-found"),
            Self::MethodNotAllowed => (StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed"),
            Self::ForeignOrigin => (StatusCode::FORBIDDEN, "foreign-origin"),
            Self::Misdirected(_) => (StatusCode::MISDIRECTED_REQUEST, "misdirected"),
            Self::PlainHttp => (StatusCode::FORBIDDEN, "plain-http"),
            Self::NotJson => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "not-json"),
            Self::BodyTooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "too-large"),
            Self::Malformed(_) => (StatusCode::BAD_REQUEST, "malformed"),
            Self::BadAddress(_) => (StatusCode::UNPROCESSABLE_ENTITY, "bad-address"),
            Self::NotSignedIn => (StatusCode::UNAUTHORIZED, "not-signed-in"),
            Self::AdminsOnly => (StatusCode::FORBIDDEN, "forbidden"),
            Self::TooManyAttempts(_) => (StatusCode::TOO_MANY_REQUESTS, "too-many-attempts"),
            Self::TooManyRequests => (StatusCode::TOO_MANY_REQUESTS, "too-many-requests"),
            Self::Timeout => (StatusCode::REQUEST_TIMEOUT, "timeout"),
            Self::NotBinary => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "not-binary"),
            Self::DownloadsFull => (StatusCode::SERVICE_UNAVAILABLE, "busy"),
            Self::Install(refusal) => match refusal {
                InstallRefusal::NoSuchCar => (StatusCode::NOT_FOUND, "no-such-car"),
                InstallRefusal::NotYours => (StatusCode::FORBIDDEN, "forbidden"),
                InstallRefusal::Offline => (StatusCode::CONFLICT, "car-offline"),
                InstallRefusal::NotOnRequest => (StatusCode::CONFLICT, "not-on-request"),
            },
            Self::Release(error) => match error {
                ReleaseError::NoSuchRelease(_) => (StatusCode::NOT_FOUND, "no-such-release"),
                ReleaseError::Exists(_) => (StatusCode::CONFLICT, "release-exists"),
                ReleaseError::BadBundle(_) => (StatusCode::UNPROCESSABLE_ENTITY, "bad-bundle"),
                ReleaseError::TooLarge(_) => (StatusCode::PAYLOAD_TOO_LARGE, "too-large"),
                ReleaseError::Busy => (StatusCode::SERVICE_UNAVAILABLE, "busy"),
                ReleaseError::NoKeyring => (StatusCode::CONFLICT, "no-keyring"),
                ReleaseError::NoSpace => (StatusCode::INSUFFICIENT_STORAGE, "no-space"),
                ReleaseError::Malformed(_) => (StatusCode::BAD_REQUEST, "malformed"),
                ReleaseError::Internal(_) => (StatusCode::INTERNAL_SERVER_ERROR, "internal"),
            },
            Self::Account(error) => match error {
                AccountError::WrongCredentials => (StatusCode::UNAUTHORIZED, "wrong-credentials"),
                AccountError::WrongToken => (StatusCode::UNAUTHORIZED, "wrong-token"),
                AccountError::SetUpAlready => (StatusCode::CONFLICT, "set-up-already"),
                AccountError::WeakPassword(_) => {
                    (StatusCode::UNPROCESSABLE_ENTITY, "weak-password")
                }
                AccountError::WrongPassword => (StatusCode::FORBIDDEN, "wrong-password"),
                AccountError::NoPassword => (StatusCode::CONFLICT, "no-password"),
                AccountError::NoSuchUser(_) => (StatusCode::NOT_FOUND, "no-such-user"),
                AccountError::UserExists(_) => (StatusCode::CONFLICT, "user-exists"),
                AccountError::LastAdmin(_) => (StatusCode::CONFLICT, "last-admin"),
                AccountError::OwnHeir(_) => (StatusCode::CONFLICT, "own-heir"),
                AccountError::NoSuchSignIn => (StatusCode::NOT_FOUND, "no-such-sign-in"),
                AccountError::NoSuchCode => (StatusCode::NOT_FOUND, "no-such-code"),
                AccountError::NoSuchCar => (StatusCode::NOT_FOUND, "no-such-car"),
                AccountError::NotYours => (StatusCode::FORBIDDEN, "forbidden"),
                AccountError::TooMany(_) => (StatusCode::CONFLICT, "too-many"),
                AccountError::NotOffered => (StatusCode::NOT_FOUND, "not-offered"),
                AccountError::Busy => (StatusCode::SERVICE_UNAVAILABLE, "busy"),
                AccountError::Internal(_) => (StatusCode::INTERNAL_SERVER_ERROR, "internal"),
            },
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (status, code) = self.status_and_code();
        let text = match &self {
            Self::Account(AccountError::Internal(why))
            | Self::Release(ReleaseError::Internal(why)) => {
                tracing::error!(error = why, "a request failed");
                "a fault of the host; its log has more".to_owned()
            }
            other => other.to_string(),
        };
        let mut response =
            (status, [(CACHE_CONTROL, "no-store")], Json(Body { code, text })).into_response();
        let retry_after = match self {
            Self::TooManyAttempts(wait) => Some(wait.as_secs() + 1),
            Self::TooManyRequests | Self::Account(AccountError::Busy) => Some(1),
            // An upload or a download takes a while.
            Self::DownloadsFull | Self::Release(ReleaseError::Busy) => Some(30),
            _ => None,
        };
        if let Some(seconds) = retry_after {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
