//! The routes.

mod account;
mod claim;
pub(crate) mod cookie;
mod enrolment;
pub(crate) mod error;
pub(crate) mod origin;
mod request;
mod status;

use crate::backend::Backend;
use crate::exchange::Exchange;
use crate::limits::{Gate, Limits};
use crate::options::Options;
use crate::throttle::Throttle;
use crate::waiters::Waiters;
use crate::{page, socket};
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::map_response;
use axum::routing::{any, delete, get, post};
use error::ApiError;
use std::net::IpAddr;
use std::sync::Arc;

/// Largest body of a request: the largest real one has a name and a password.
const MAX_BODY_BYTES: usize = 16 * 1024;

/// What all handlers share.
pub(crate) struct App<B> {
    pub(crate) backend: Arc<B>,
    pub(crate) exchange: Exchange,
    pub(crate) options: Options,
    pub(crate) gate: Arc<Gate>,
    pub(crate) throttle: Throttle,
    pub(crate) waiters: Waiters,
    /// Backoff after wrong claim codes, apart from that of signing in.
    pub(crate) claims: Throttle,
}

/// All routes with the limits that [`crate::serve`] holds their clients to.
#[derive(Debug)]
pub struct Site {
    pub(crate) router: Router,
    pub(crate) limits: Limits,
    pub(crate) trusted_proxies: Vec<IpAddr>,
}

/// All routes: page, accounts, WebSockets.
pub fn router<B: Backend>(exchange: Exchange, backend: Arc<B>, options: Options) -> Site {
    let (limits, trusted_proxies) = (options.limits.clone(), options.trusted_proxies.clone());
    let gate = Gate::for_sockets(&limits);
    let (throttle, claims, waiters) = (Throttle::default(), Throttle::default(), Waiters::new());
    let app = Arc::new(App { backend, exchange, options, gate, throttle, waiters, claims });
    let router = Router::new()
        .route("/healthz", get(async || "ok"))
        .route("/api/v1/session", get(account::session::<B>).post(account::sign_in::<B>).delete(account::sign_out::<B>))
        .route("/api/v1/setup", post(account::set_up::<B>))
        .route("/api/v1/link", post(account::link::<B>))
        .route("/api/v1/enrolments", post(enrolment::enrol::<B>))
        .route("/api/v1/claims", post(claim::claim::<B>))
        .route("/api/v1/cars/{id}", delete(claim::revoke::<B>))
        .route("/api/v1/status", get(status::status::<B>))
        .route("/api/{*rest}", any(async || ApiError::NotFound))
        .route("/ws/driver", get(socket::driver_socket::<B>))
        .route("/ws/car", get(socket::car_socket::<B>))
        .method_not_allowed_fallback(async || ApiError::MethodNotAllowed)
        .fallback(page::serve)
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(map_response(page::secure))
        .with_state(app);
    Site { router, limits, trusted_proxies }
}
