//! The state of a car, for its own page.

use super::App;
use super::caller::Caller;
use super::error::ApiError;
use crate::address::Peer;
use crate::backend::{AccountError, Backend};
use crate::status::Viewer;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::{CACHE_CONTROL, HOST};
use axum::http::uri::Authority;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use std::net::IpAddr;
use std::sync::Arc;

/// `GET /api/v1/status`
pub(crate) async fn status<B: Backend>(
    State(app): State<Arc<App<B>>>,
    Extension(peer): Extension<Peer>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let signed_in = caller.signed_in()?.is_some();
    let viewer = Viewer {
        address: peer.remote.ip().to_canonical(),
        signed_in,
        local_name: is_local_name(&headers),
    };
    let status = app.backend.status(viewer).await.ok_or(AccountError::NotOffered)?;
    Ok(([(CACHE_CONTROL, "no-store")], Json(status)).into_response())
}

/// Whether the request names the car as people on its network do: by address, by a name that ends
/// with `.local`, or by one without dots. A foreign page can make its own name point here (DNS
/// rebinding); it must not read what neighbours may.
fn is_local_name(headers: &HeaderMap) -> bool {
    let authority =
        headers.get(HOST).and_then(|host| host.to_str().ok()?.parse::<Authority>().ok());
    let Some(host) = authority.as_ref().map(|authority| authority.host().trim_end_matches('.'))
    else {
        return false;
    };
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare.parse::<IpAddr>().is_ok()
        || !host.contains('.')
        || host.to_ascii_lowercase().ends_with(".local")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn local(host: &str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, host.parse().unwrap());
        is_local_name(&headers)
    }

    #[test]
    fn names_of_the_local_network_are_told_from_others() {
        for host in [
            "192.168.1.7",
            "192.168.1.7:8081",
            "[fe80::1]:80",
            "blitz.local",
            "Blitz.LOCAL.:80",
            "blitz",
            "localhost:8081",
        ] {
            assert!(local(host), "{host}");
        }
        for host in ["evil.example", "blitz.local.evil.example", "192.168.1.7.evil.example", ""] {
            assert!(!local(host), "{host}");
        }
        assert!(!is_local_name(&HeaderMap::new()));
    }
}
