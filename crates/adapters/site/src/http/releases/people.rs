//! `/api/v1/releases`: for people who are signed in.

use super::{Watched, store, version};
use crate::backend::Backend;
use crate::http::App;
use crate::http::caller::Caller;
use crate::http::error::ApiError;
use crate::http::request::OwnJson;
use crate::releases::{Release, ReleaseChange, ReleaseError, ReleaseRules, UploadWish};
use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use futures_util::StreamExt;
use rccar_protocol::release::{Channel, Percent, ReleaseNotes};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

#[derive(Serialize)]
struct List {
    #[serde(flatten)]
    rules: ReleaseRules,
    releases: Vec<Release>,
}

/// `GET /api/v1/releases`
pub(crate) async fn list<B: Backend>(
    State(app): State<Arc<App<B>>>,
    Extension(caller): Extension<Caller>,
) -> Result<Response, ApiError> {
    let store = store(&app)?;
    caller.user()?;
    let list = List { rules: store.rules(), releases: store.list().await? };
    Ok(([(CACHE_CONTROL, "no-store")], Json(list)).into_response())
}

#[derive(Deserialize)]
pub(crate) struct UploadQuery {
    channel: Channel,
    rollout: Percent,
    notes: Option<String>,
}

/// `POST /api/v1/releases?channel=…&rollout=…&notes=…`: the body is the bundle.
pub(crate) async fn upload<B: Backend>(
    State(app): State<Arc<App<B>>>,
    Extension(watched): Extension<Watched>,
    Extension(caller): Extension<Caller>,
    query: Result<Query<UploadQuery>, QueryRejection>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let store = store(&app)?;
    // A foreign page cannot send this type without a preflight request, which is not granted.
    if headers.get(CONTENT_TYPE).is_none_or(|kind| kind != "application/octet-stream") {
        return Err(ApiError::NotBinary);
    }
    let (user, _) = caller.user()?;
    let Query(query) = query.map_err(|refusal| ApiError::Malformed(refusal.body_text()))?;
    let notes =
        query.notes.filter(|notes| !notes.trim().is_empty()).map(ReleaseNotes::new).transpose();
    let notes = notes.map_err(|error| ApiError::Malformed(error.to_string()))?;
    let bytes = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    let wish = UploadWish {
        channel: query.channel,
        rollout: query.rollout,
        notes,
        user: Some(user.clone()),
        bytes,
    };
    let mut upload = store.begin(wish).await?;
    let mut chunks = watched.body(body, None, None).into_data_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk =
            chunk.map_err(|error| ApiError::Malformed(format!("the upload broke off: {error}")))?;
        upload.write(chunk).await?;
    }
    let release = upload.finish().await?;
    tracing::info!(%user, version = %release.version, signer = release.signer, "release uploaded");
    Ok((StatusCode::CREATED, [(CACHE_CONTROL, "no-store")], Json(release)).into_response())
}

/// `PATCH /api/v1/releases/{version}`
pub(crate) async fn change<B: Backend>(
    State(app): State<Arc<App<B>>>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
    OwnJson(change): OwnJson<ReleaseChange>,
) -> Result<Response, ApiError> {
    let store = store(&app)?;
    let (user, _) = caller.user()?;
    if change.channels.as_ref().is_some_and(Vec::is_empty) {
        return Err(ReleaseError::Malformed(
            "a release needs one channel at least; pause it to hold it back".into(),
        )
        .into());
    }
    let release = store.change(version(name)?, change).await?;
    tracing::info!(
        %user,
        version = %release.version,
        rollout = release.rollout.value(),
        paused = release.paused,
        "release changed"
    );
    Ok(([(CACHE_CONTROL, "no-store")], Json(release)).into_response())
}

/// `DELETE /api/v1/releases/{version}`
pub(crate) async fn remove<B: Backend>(
    State(app): State<Arc<App<B>>>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
) -> Result<Response, ApiError> {
    let store = store(&app)?;
    let ((user, _), version) = (caller.user()?, version(name)?);
    store.remove(version.clone()).await?;
    tracing::info!(%user, %version, "release removed");
    Ok(StatusCode::NO_CONTENT.into_response())
}
