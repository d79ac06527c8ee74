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
mod people;
mod redirect;
pub(crate) mod releases;
mod request;
pub(crate) mod rights;
mod shares;
mod status;

use crate::address::Peer;
use crate::backend::Backend;
use crate::exchange::Exchange;
use crate::known::Known;
use crate::limits::{Gate, Limits};
use crate::options::Options;
use crate::page;
use crate::proxies::Proxies;
use crate::releases::Releases;
use crate::strangers::Strangers;
use crate::throttle::Throttle;
use crate::token::{Token, TokenHash};
use crate::waiters::Waiters;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::HeaderMap;
use axum::middleware::{from_fn_with_state, map_response};
use axum::routing::any;
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
    let router = rights::routes(&app)
        .route("/api/{*rest}", any(async || ApiError::NotFound))
        .method_not_allowed_fallback(async || ApiError::MethodNotAllowed)
        .fallback(page::serve)
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(from_fn_with_state(Arc::clone(&app), names::check::<B>))
        .layer(map_response(page::secure))
        .with_state(app);
    Site { router, limits, trusted_proxies, admits }
}
