//! `/api/v1/car/releases`: for cars.

use super::{Watched, store, version};
use crate::backend::Backend;
use crate::http::App;
use crate::http::error::ApiError;
use crate::releases::{Release, ReleaseQuestion};
use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::header::{
    ACCEPT_RANGES, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_MATCH, IF_MODIFIED_SINCE,
    IF_NONE_MATCH, IF_RANGE, IF_UNMODIFIED_SINCE, RANGE,
};
use axum::http::{HeaderMap, HeaderValue, Request, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use rccar_protocol::release::{BundlePath, ReleaseOffer};
use rccar_protocol::text::CarId;
use std::sync::Arc;
use tower_http::services::ServeFile;

/// `GET /api/v1/car/releases/offer?channel=…&compatible=…&running=…`
pub(crate) async fn offer<B: Backend>(
    State(app): State<Arc<App<B>>>,
    headers: HeaderMap,
    query: Result<Query<ReleaseQuestion>, QueryRejection>,
) -> Result<Response, ApiError> {
    let car = car(&app, &headers)?;
    let Query(question) = query.map_err(|refusal| ApiError::Malformed(refusal.body_text()))?;
    let found = store(&app)?.release_for(car, question.clone()).await?;
    let Some(release) = found else {
        return Ok((StatusCode::NO_CONTENT, [(CACHE_CONTROL, "no-store")]).into_response());
    };
    Ok(([(CACHE_CONTROL, "no-store")], Json(offered(release, question)?)).into_response())
}

/// `GET /api/v1/car/releases/{version}/bundle`: whole or in parts (RFC 9110 section 14).
pub(crate) async fn bundle<B: Backend>(
    State(app): State<Arc<App<B>>>,
    Extension(watched): Extension<Watched>,
    Path(name): Path<String>,
    request: Request<Body>,
) -> Result<Response, ApiError> {
    let car = car(&app, request.headers())?;
    let Some(file) = store(&app)?.bundle(version(name)?).await? else {
        return Err(ApiError::NotFound);
    };
    let place = app.downloads.enter(&car)?;
    let tag =
        HeaderValue::try_from(format!("\"{}\"", file.sha256)).map_err(|_| ApiError::NotFound)?;
    let request = plain(request, &tag);
    let answer = ServeFile::new(&file.path).try_call(request).await;
    let mut response = answer
        .map_err(|error| ApiError::fault(&format!("{}: {error}", file.path.display())))?
        .map(|body| {
            let (exchange, body) = (app.exchange.clone(), Body::new(body));
            // A car that is revoked meanwhile loses the rest.
            watched.body(
                body,
                Some(Box::new(move || exchange.access().is_enrolled(&car))),
                Some(place),
            )
        });
    if response.status() == StatusCode::NOT_FOUND {
        return Err(ApiError::fault(&format!("{} is missing", file.path.display())));
    }
    let headers = response.headers_mut();
    headers.insert(ETAG, tag);
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-transform"));
    Ok(response.into_response())
}

fn offered(release: Release, question: ReleaseQuestion) -> Result<ReleaseOffer, ApiError> {
    let url = BundlePath::try_from(format!("/api/v1/car/releases/{}/bundle", release.version));
    Ok(ReleaseOffer {
        url: url.map_err(|error| ApiError::fault(&error.to_string()))?,
        version: release.version,
        channel: question.channel,
        compatible: release.compatible,
        size: release.size,
        sha256: release.sha256,
        notes: release.notes,
    })
}

/// The car whose token the request shows.
fn car<B>(app: &App<B>, headers: &HeaderMap) -> Result<CarId, ApiError> {
    shown_token(headers)
        .and_then(|token| app.exchange.access().check(token))
        .ok_or(ApiError::NotSignedIn)
}

/// The token that a request shows (RFC 6750 section 2.1).
pub(crate) fn shown_token(headers: &HeaderMap) -> Option<&str> {
    let shown = headers
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split_once(' '));
    shown.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")).map(|(_, token)| token.trim())
}

/// Removes the conditions: the file server would judge them by the file's time and not by its
/// content. `If-Range` is judged here, by `tag`. A client that began with another content has no
/// use for a part of this one, so it gets the whole (RFC 9110 section 13.1.5).
fn plain(mut request: Request<Body>, tag: &HeaderValue) -> Request<Body> {
    let headers = request.headers_mut();
    if headers.get(IF_RANGE).is_some_and(|asked| asked != tag) {
        headers.remove(RANGE);
    }
    for condition in [IF_RANGE, IF_MATCH, IF_NONE_MATCH, IF_MODIFIED_SINCE, IF_UNMODIFIED_SINCE] {
        headers.remove(condition);
    }
    request
}
