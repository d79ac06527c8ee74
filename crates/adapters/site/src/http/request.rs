//! Requests that change something: JSON, small.

use super::App;
use super::error::ApiError;
use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::header::CONTENT_TYPE;
use serde::de::DeserializeOwned;
use std::sync::Arc;

/// The body of a request. That it comes from a page of ours is [checked before](super::rights).
pub(crate) struct OwnJson<T>(pub(crate) T);

impl<T: DeserializeOwned, B: Send + Sync> FromRequest<Arc<App<B>>> for OwnJson<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &Arc<App<B>>) -> Result<Self, ApiError> {
        // A form cannot send this type. A foreign page therefore needs a preflight request, which
        // is not granted.
        let kind = request
            .headers()
            .get(CONTENT_TYPE)
            .and_then(|kind| kind.to_str().ok())
            .unwrap_or_default();
        if !kind
            .split(';')
            .next()
            .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
        {
            return Err(ApiError::NotJson);
        }
        let body = Bytes::from_request(request, app).await.map_err(|_| ApiError::BodyTooLarge)?;
        let value = serde_json::from_slice(&body)
            .map_err(|error| ApiError::Malformed(error.to_string()))?;
        Ok(Self(value))
    }
}
