//! The routes.

mod account;
pub(crate) mod caller;
mod claim;
mod cookie;
mod enrolment;
pub(crate) mod error;
mod install;
mod names;
pub(crate) mod origin;
mod own_account;
mod redirect;
pub(crate) mod releases;
mod request;
mod status;

use crate::address::Peer;
use crate::backend::Backend;
use crate::exchange::Exchange;
use crate::known::Known;
use crate::limits::{Gate, Limits};
use crate::options::Options;
use crate::proxies::Proxies;
use crate::releases::Releases;
use crate::strangers::Strangers;
use crate::throttle::Throttle;
use crate::token::{Token, TokenHash};
use crate::waiters::Waiters;
use crate::{page, socket};
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::HeaderMap;
use axum::middleware::{from_fn_with_state, map_response};
use axum::routing::{any, delete, get, patch, post};
use error::ApiError;
pub use redirect::redirect;
use releases::Transfers;
use std::sync::Arc;

/// Largest body of a request: the largest real one has a name and a password.
const MAX_BODY_BYTES: usize = 16 * 1024;

/// Shared by all handlers.
pub(crate) struct App<B> {
    pub(crate) backend: Arc<B>,
    pub(crate) exchange: Exchange,
    pub(crate) options: Options,
    pub(crate) gate: Arc<Gate>,
    pub(crate) strangers: Arc<Strangers>,
    pub(crate) throttle: Throttle,
    /// `None`: the system gave no random key, and no browser is known.
    pub(crate) known: Option<Known>,
    pub(crate) waiters: Waiters,
    /// Backoff after wrong claim codes, apart from that of signing in.
    pub(crate) claims: Throttle,
    /// `None` for programs without releases.
    pub(crate) releases: Option<Arc<dyn Releases>>,
    pub(crate) downloads: Arc<Transfers>,
}

impl<B: Backend> App<B> {
    /// The sign-in that a request shows. The backend knows whether it holds.
    pub(crate) fn shown_sign_in(&self, headers: &HeaderMap) -> Option<TokenHash> {
        cookie::read(headers, self.backend.mode(), self.options.is_secure())
    }
}

/// All routes, and the limits that [`crate::serve`] puts on their clients.
#[derive(Debug)]
pub struct Site {
    pub(crate) router: Router,
    pub(crate) limits: Limits,
    pub(crate) trusted_proxies: Proxies,
    pub(crate) admits: fn(&Peer) -> bool,
}

/// All routes: page, accounts, WebSockets.
pub fn router<B: Backend>(exchange: Exchange, backend: Arc<B>, options: Options) -> Site {
    routes(exchange, backend, options, None)
}

/// The same with releases for cars. Their tokens come from this exchange.
pub fn router_with_releases<B: Backend>(
    exchange: Exchange,
    backend: Arc<B>,
    options: Options,
    releases: Arc<dyn Releases>,
) -> Site {
    routes(exchange, backend, options, Some(releases))
}

fn routes<B: Backend>(
    exchange: Exchange,
    backend: Arc<B>,
    options: Options,
    releases: Option<Arc<dyn Releases>>,
) -> Site {
    let (limits, trusted_proxies, admits) =
        (options.limits.clone(), options.trusted_proxies.clone(), options.admits);
    let gate = Gate::new(&limits);
    let strangers = Strangers::new(limits.strangers);
    let (throttle, claims, waiters) = (Throttle::default(), Throttle::default(), Waiters::new());
    let key = options.known_browsers.clone().or_else(|| Token::generate().ok());
    let known = key.map(Known::new);
    let downloads = Transfers::new(limits.downloads, limits.downloads_per_car);
    let app = Arc::new(App {
        backend,
        exchange,
        options,
        gate,
        strangers,
        throttle,
        known,
        waiters,
        claims,
        releases,
        downloads,
    });
    let sign_in =
        || get(account::state::<B>).post(account::sign_in::<B>).delete(account::sign_out::<B>);
    let router = Router::new()
        .route("/healthz", get(async || "ok"))
        .route("/api/v1/sign-in", sign_in())
        // Its address in release 0.1.0: pages that were open during the update still ask there.
        .route("/api/v1/session", sign_in())
        .route("/api/v1/setup", post(account::set_up::<B>))
        .route("/api/v1/link", post(account::link::<B>))
        .route("/api/v1/password-link", post(account::password_link::<B>))
        .route("/api/v1/account", get(own_account::show::<B>))
        .route("/api/v1/account/password", post(own_account::change_password::<B>))
        .route("/api/v1/sign-ins", delete(own_account::end_others::<B>))
        .route("/api/v1/sign-ins/{id}", delete(own_account::end_one::<B>))
        .route("/api/v1/enrolments", post(enrolment::enrol::<B>))
        .route("/api/v1/addresses", get(enrolment::addresses::<B>))
        .route("/api/v1/claims", post(claim::claim::<B>))
        .route("/api/v1/cars/{id}", delete(claim::revoke::<B>))
        .route("/api/v1/cars/{id}/install", post(install::install::<B>))
        .route("/api/v1/status", get(status::status::<B>))
        // A bundle may be larger than any other body; the store counts its bytes.
        .route(
            "/api/v1/releases",
            get(releases::list::<B>).post(releases::upload::<B>).layer(DefaultBodyLimit::disable()),
        )
        .route(
            "/api/v1/releases/{version}",
            patch(releases::change::<B>).delete(releases::remove::<B>),
        )
        .route("/api/v1/car/releases/offer", get(releases::offer::<B>))
        .route("/api/v1/car/releases/{version}/bundle", get(releases::bundle::<B>))
        .route("/api/{*rest}", any(async || ApiError::NotFound))
        .route("/ws/driver", get(socket::driver_socket::<B>))
        .route("/ws/car", get(socket::car_socket::<B>))
        .method_not_allowed_fallback(async || ApiError::MethodNotAllowed)
        .fallback(page::serve)
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(from_fn_with_state(Arc::clone(&app), names::check::<B>))
        .layer(map_response(page::secure))
        .with_state(app);
    Site { router, limits, trusted_proxies, admits }
}
