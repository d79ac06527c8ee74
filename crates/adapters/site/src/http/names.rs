//! Whether a request came by the right name and the right way, before anything else is looked at.

use super::App;
use super::caller::Caller;
use super::error::ApiError;
use crate::address::Peer;
use crate::backend::Backend;
use crate::http::releases::shown_token;
use crate::names::{PublicUrl, normal};
use crate::strangers::Asking;
use axum::Extension;
use axum::extract::{Request, State};
use axum::http::header::{HOST, STRICT_TRANSPORT_SECURITY};
use axum::http::{HeaderMap, HeaderValue, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A year: what browsers' lists ask for at least. Not for other names below this one, which are not
/// this program's business (RFC 6797 section 6.1).
const HSTS: &str = "max-age=31536000";

/// Answers for the router where a request came by another name than the program's only one, or over
/// plain HTTP from where that can be read on the way.
pub(crate) async fn check<B: Backend>(
    State(app): State<Arc<App<B>>>,
    Extension(peer): Extension<Peer>,
    mut request: Request,
    next: Next,
) -> Response {
    let options = &app.options;
    let by_proxy = options.trusted_proxies.trusts(peer.remote.ip());
    // Whatever watches over the program asks by any name, and learns nothing else.
    let refusal = if request.uri().path() == "/healthz" {
        None
    } else if !by_proxy && !peer.tls && !(options.plain_http)(&peer) {
        warn_once(&peer);
        Some(ApiError::PlainHttp)
    } else {
        let strange = |only: &&PublicUrl| !is_asked_for(only, &request);
        options.only_name().filter(strange).map(|only| ApiError::Misdirected(only.to_string()))
    };
    let mut response = match refusal {
        Some(refusal) => refusal.into_response(),
        None => {
            let caller = Caller::of(&app, request.headers()).await;
            if let Some(asking) = request.extensions().get::<Asking>()
                && (caller.is_signed_in() || is_enrolled(&app, request.headers()))
            {
                asking.settle();
            }
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
    };
    if options.is_secure() {
        response.headers_mut().insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(HSTS));
    }
    response
}

/// Whether a car shows its token.
fn is_enrolled<B: Backend>(app: &App<B>, headers: &HeaderMap) -> bool {
    shown_token(headers).is_some_and(|token| app.exchange.access().check(token).is_some())
}

/// A target with a name wins over the `Host` header (RFC 9112 section 3.2.2).
fn is_asked_for(only: &PublicUrl, request: &Request) -> bool {
    let target = request.uri().authority().map(axum::http::uri::Authority::as_str);
    let mut hosts = request.headers().get_all(HOST).iter();
    let host = hosts.next().and_then(|host| host.to_str().ok());
    if hosts.next().is_some() {
        return false;
    }
    target.or(host).is_some_and(|name| {
        // What is no name, such as one with a user before it, is not brought to any form.
        name.parse::<Uri>().is_ok() && normal(name, only.is_https()) == only.authority()
    })
}

/// The operator has to hear of it, and not once for each stranger.
fn warn_once(peer: &Peer) {
    static WARNED: AtomicBool = AtomicBool::new(false);
    if !WARNED.swap(true, Ordering::Relaxed) {
        tracing::warn!(
            client = %peer.remote.ip(),
            "refused plain HTTP from outside of the host's networks, this time and from now on"
        );
    }
}
