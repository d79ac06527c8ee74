//! Who may ask for what: the one table of all routes.
//!
//! **There is no route without a row here, and no row without a right**: the router is made from
//! this table, and a request reaches its handler only after the row's check. A request that changes
//! something comes from a page of this program, or from a program that is no browser.

use super::App;
use super::caller::Caller;
use super::error::ApiError;
use super::origin::is_foreign;
use super::{account, claim, enrolment, install, own_account, people, releases, shares, status};
use crate::backend::{AccountError, Backend};
use crate::people::Role;
use crate::socket;
use axum::Router;
use axum::extract::{DefaultBodyLimit, RawPathParams, Request, State};
use axum::handler::Handler;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, MethodRouter, on};
use rccar_protocol::signaling::CarRole;
use rccar_protocol::text::CarId;
use std::sync::Arc;

/// Who may use a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum May {
    /// Everybody, signed in or not.
    Everybody,
    /// A car with its token, or one that proves its key; the handler asks for that.
    Car,
    /// The socket says itself that nobody is signed in, with a close code: browsers hide the status
    /// of a refused upgrade from the page.
    SignedInBySocket,
    SignedIn,
    /// The owner of the car `{id}`, and admins. For people without any right to it there is no such
    /// car.
    Owner,
    Admin,
}

/// A row of the table.
struct Row<B> {
    method: &'static str,
    path: &'static str,
    may: May,
    handler: MethodRouter<Arc<App<B>>>,
}

const GET: (&str, MethodFilter) = ("GET", MethodFilter::GET);
const POST: (&str, MethodFilter) = ("POST", MethodFilter::POST);
const PUT: (&str, MethodFilter) = ("PUT", MethodFilter::PUT);
const PATCH: (&str, MethodFilter) = ("PATCH", MethodFilter::PATCH);
const DELETE: (&str, MethodFilter) = ("DELETE", MethodFilter::DELETE);

fn row<B: Backend, T: 'static>(
    (method, filter): (&'static str, MethodFilter),
    path: &'static str,
    may: May,
    handler: impl Handler<T, Arc<App<B>>>,
) -> Row<B> {
    Row { method, path, may, handler: on(filter, handler) }
}

fn table<B: Backend>() -> Vec<Row<B>> {
    use May::{Admin, Car, Everybody, Owner, SignedIn, SignedInBySocket};
    vec![
        row(GET, "/healthz", Everybody, async || "ok"),
        row(GET, "/ws/driver", SignedInBySocket, socket::driver_socket::<B>),
        row(GET, "/ws/car", Car, socket::car_socket::<B>),
        row(GET, "/api/v1/sign-in", Everybody, account::state::<B>),
        row(POST, "/api/v1/sign-in", Everybody, account::sign_in::<B>),
        row(DELETE, "/api/v1/sign-in", Everybody, account::sign_out::<B>),
        // Its address in release 0.1.0: pages that were open during the update still ask there.
        row(GET, "/api/v1/session", Everybody, account::state::<B>),
        row(POST, "/api/v1/session", Everybody, account::sign_in::<B>),
        row(DELETE, "/api/v1/session", Everybody, account::sign_out::<B>),
        row(POST, "/api/v1/setup", Everybody, account::set_up::<B>),
        row(POST, "/api/v1/link", Everybody, account::link::<B>),
        row(POST, "/api/v1/password-link", Everybody, account::password_link::<B>),
        // Neighbours of a car may see its claim code; the handler asks where a request came from.
        row(GET, "/api/v1/status", Everybody, status::status::<B>),
        row(GET, "/api/v1/account", SignedIn, own_account::show::<B>),
        row(POST, "/api/v1/account/password", SignedIn, own_account::change_password::<B>),
        row(DELETE, "/api/v1/sign-ins", SignedIn, own_account::end_others::<B>),
        row(DELETE, "/api/v1/sign-ins/{id}", SignedIn, own_account::end_one::<B>),
        row(POST, "/api/v1/enrolments", SignedIn, enrolment::enrol::<B>),
        row(GET, "/api/v1/addresses", SignedIn, enrolment::addresses::<B>),
        row(POST, "/api/v1/claims", SignedIn, claim::claim::<B>),
        row(DELETE, "/api/v1/cars/{id}", Owner, claim::revoke::<B>),
        row(POST, "/api/v1/cars/{id}/install", Owner, install::install::<B>),
        row(GET, "/api/v1/cars/{id}/shares", Owner, shares::list::<B>),
        row(PUT, "/api/v1/cars/{id}/shares/{name}", Owner, shares::share::<B>),
        row(DELETE, "/api/v1/cars/{id}/shares/{name}", Owner, shares::withdraw::<B>),
        row(PUT, "/api/v1/cars/{id}/everybody", Owner, shares::share_with_everybody::<B>),
        row(DELETE, "/api/v1/cars/{id}/everybody", Owner, shares::withdraw_from_everybody::<B>),
        row(GET, "/api/v1/people", Admin, people::list::<B>),
        row(POST, "/api/v1/people", Admin, people::add::<B>),
        row(PATCH, "/api/v1/people/{name}", Admin, people::change::<B>),
        row(DELETE, "/api/v1/people/{name}", Admin, people::remove::<B>),
        row(POST, "/api/v1/people/{name}/password-link", Admin, people::password_link::<B>),
        row(GET, "/api/v1/releases", Admin, releases::list::<B>),
        // A bundle may be larger than any other body; the store counts its bytes.
        row(
            POST,
            "/api/v1/releases",
            Admin,
            releases::upload::<B>.layer(DefaultBodyLimit::disable()),
        ),
        row(PATCH, "/api/v1/releases/{version}", Admin, releases::change::<B>),
        row(DELETE, "/api/v1/releases/{version}", Admin, releases::remove::<B>),
        row(GET, "/api/v1/car/releases/offer", Car, releases::offer::<B>),
        row(GET, "/api/v1/car/releases/{version}/bundle", Car, releases::bundle::<B>),
    ]
}

/// Method, path and right of each route, for tests and documents.
#[must_use]
pub fn rights<B: Backend>() -> Vec<(&'static str, &'static str, May)> {
    table::<B>().into_iter().map(|row| (row.method, row.path, row.may)).collect()
}

/// The router of the whole table.
pub(crate) fn routes<B: Backend>(app: &Arc<App<B>>) -> Router<Arc<App<B>>> {
    table::<B>().into_iter().fold(Router::new(), |router, row| {
        let gate = from_fn_with_state((Arc::clone(app), row.may), check::<B>);
        router.route(row.path, row.handler.route_layer(gate))
    })
}

async fn check<B: Backend>(
    State((app, may)): State<(Arc<App<B>>, May)>,
    parts: RawPathParams,
    request: Request,
    next: Next,
) -> Response {
    let changes = !request.method().is_safe();
    if changes && is_foreign(request.headers(), app.options.only_name()) {
        return ApiError::ForeignOrigin.into_response();
    }
    let caller = request.extensions().get().cloned().unwrap_or_else(Caller::stranger);
    let id = parts.iter().find(|(name, _)| *name == "id").map(|(_, id)| id.to_owned());
    match allow(&app, may, caller, id).await {
        Ok(()) => next.run(request).await,
        Err(refusal) => refusal.into_response(),
    }
}

async fn allow<B: Backend>(
    app: &App<B>,
    may: May,
    caller: Caller,
    id: Option<String>,
) -> Result<(), ApiError> {
    match may {
        May::Everybody | May::Car | May::SignedInBySocket => Ok(()),
        May::SignedIn => caller.person().map(drop),
        May::Owner => {
            let person = caller.person()?;
            let car = id.and_then(|id| CarId::new(id).ok()).ok_or(AccountError::NoSuchCar)?;
            match app.backend.car_role(person, car).await?.ok_or(AccountError::NoSuchCar)? {
                CarRole::Owner => Ok(()),
                _ => Err(AccountError::NotYours.into()),
            }
        }
        May::Admin => match caller.person()?.role {
            Role::Admin => Ok(()),
            Role::Member => Err(ApiError::AdminsOnly),
        },
    }
}
