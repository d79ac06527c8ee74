//! `/api/v1/people`: the accounts of a host, for admins.

use super::App;
use super::caller::Caller;
use super::error::ApiError;
use super::request::OwnJson;
use crate::backend::Backend;
use crate::people::{NewLink, Person, PersonInfo, Role};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::http::header::CACHE_CONTROL;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use rccar_protocol::text::Name;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

#[derive(Serialize)]
struct List {
    people: Vec<PersonInfo>,
}

/// `GET /api/v1/people`
pub(crate) async fn list<B: Backend>(State(app): State<Arc<App<B>>>) -> Result<Response, ApiError> {
    let people = app.backend.people().await?;
    Ok(([(CACHE_CONTROL, "no-store")], Json(List { people })).into_response())
}

#[derive(Deserialize)]
pub(crate) struct NewPerson {
    name: String,
    role: Role,
}

/// `POST /api/v1/people`
pub(crate) async fn add<B: Backend>(
    State(app): State<Arc<App<B>>>,
    Extension(caller): Extension<Caller>,
    OwnJson(NewPerson { name, role }): OwnJson<NewPerson>,
) -> Result<Response, ApiError> {
    let by = caller.person()?.name;
    let name = Name::new(name.trim()).map_err(|error| ApiError::Malformed(error.to_string()))?;
    let link = app.backend.add_person(by.clone(), Person { name: name.clone(), role }).await?;
    tracing::info!(%by, user = %name, %role, "added a user");
    refresh(&app).await?;
    Ok((StatusCode::CREATED, shown(&link)).into_response())
}

#[derive(Deserialize)]
pub(crate) struct Change {
    role: Role,
}

/// `PATCH /api/v1/people/{name}`
pub(crate) async fn change<B: Backend>(
    State(app): State<Arc<App<B>>>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
    OwnJson(Change { role }): OwnJson<Change>,
) -> Result<StatusCode, ApiError> {
    let (by, name) = (caller.person()?.name, named(name)?);
    app.backend.set_role(by.clone(), Person { name: name.clone(), role }).await?;
    tracing::info!(%by, user = %name, %role, "another role");
    refresh(&app).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
pub(crate) struct Removal {
    /// Who gets the cars.
    cars_to: Option<Name>,
}

/// `DELETE /api/v1/people/{name}?cars_to=…`
pub(crate) async fn remove<B: Backend>(
    State(app): State<Arc<App<B>>>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
    query: Result<Query<Removal>, QueryRejection>,
) -> Result<StatusCode, ApiError> {
    let (by, name) = (caller.person()?.name, named(name)?);
    let Query(Removal { cars_to }) =
        query.map_err(|refusal| ApiError::Malformed(refusal.body_text()))?;
    let name = app.backend.remove_person(by.clone(), name, cars_to).await?;
    tracing::info!(%by, user = %name, "removed a user");
    app.exchange.revoke_user(name).await;
    refresh(&app).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /api/v1/people/{name}/password-link`
pub(crate) async fn password_link<B: Backend>(
    State(app): State<Arc<App<B>>>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
) -> Result<Response, ApiError> {
    let (by, name) = (caller.person()?.name, named(name)?);
    let link = app.backend.make_password_link(by.clone(), name.clone()).await?;
    tracing::info!(%by, user = %name, "made a password link");
    Ok((StatusCode::CREATED, shown(&link)).into_response())
}

/// Rights have changed: the drives and lists that rest on them change with them.
pub(crate) async fn refresh<B: Backend>(app: &App<B>) -> Result<(), ApiError> {
    let (cars, admins) = app.backend.rights().await?;
    app.exchange.set_admins(admins).await;
    app.exchange.set_cars(cars).await;
    Ok(())
}

/// The page makes a link of it, under its own address.
fn shown(link: &NewLink) -> Response {
    let body = serde_json::json!({
        "token": link.token.as_str(), "expires_at": link.expires_at,
    });
    ([(CACHE_CONTROL, "no-store")], Json(body)).into_response()
}

/// A text that is no legal name is the name of nobody.
fn named(name: String) -> Result<Name, ApiError> {
    Name::new(name).map_err(|_| ApiError::NotFound)
}
