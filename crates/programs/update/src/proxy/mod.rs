//! A web server for one bundle, on the loopback interface, between RAUC and the host.
//!
//! **RAUC only sees a server that is sometimes slow. This module handles a lost link, a driver, and
//! a token that changes.**
//!
//! ```text
//!   RAUC (nbd, curl) ── GET range ──► 127.0.0.1:random/secret/bundle.raucb ── GET range, token ──► host
//!                     ◄── 206 ───────   held, repeated, counted, limited    ◄── 206 ────────────
//! ```
//!
//! # Design decisions
//!
//! * A part is fetched whole before it is passed on: RAUC tries again five times at most, and only
//!   while it has read nothing of the answer. RAUC's parts have 128 KiB, as the kernel's block
//!   device asks for them.
//! * When a part cannot be fetched at all, the answer is 404: RAUC takes that as an error at once,
//!   and tries again after any other error.
//! * Nothing is kept here. If an installation ends early, the blocks that it has written stay in
//!   the idle slot; the next one finds them there (`adaptive=block-hash-index`) and fetches the
//!   rest.
//! * The path is secret, because every process on the car can connect to the port.

mod gate;
mod range;
mod upstream;

use crate::http::HostClient;
use axum::Router;
use axum::extract::State;
use axum::http::header::{ACCEPT_RANGES, CONTENT_RANGE, CONTENT_TYPE, RANGE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
pub use gate::Gate;
use range::Span;
use rccar_causes::causes;
use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::AbortHandle;
use upstream::Upstream;

/// The largest part, in bytes: the most that Linux asks of a block device at once.
const LARGEST: u64 = 32 * 1024 * 1024;

/// A running proxy. It ends when this is dropped.
#[derive(Debug)]
pub struct Proxy {
    url: String,
    task: AbortHandle,
}

impl Proxy {
    /// Serves the bundle that the host has under `path`. `size` is the size that was offered.
    ///
    /// # Errors
    /// If there is no port, or no randomness for the secret.
    pub async fn start(host: HostClient, path: &str, size: u64, gate: Gate) -> io::Result<Self> {
        Self::start_with(host, path, size, gate, upstream::PATIENCE).await
    }

    /// As [`Self::start`]. `patience` is how long one request of RAUC may take.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub async fn start_with(
        host: HostClient,
        path: &str,
        size: u64,
        gate: Gate,
        patience: Duration,
    ) -> io::Result<Self> {
        let mut secret = [0; 16];
        getrandom::fill(&mut secret).map_err(|error| io::Error::other(error.to_string()))?;
        let secret = hex::encode(secret);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let url = format!("http://{}/{secret}/bundle.raucb", listener.local_addr()?);
        let upstream = Arc::new(Upstream { host, path: path.to_owned(), size, gate, patience });
        let router = Router::new()
            .route(&format!("/{secret}/bundle.raucb"), get(serve))
            .with_state(upstream);
        let task = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                tracing::error!(error = %causes(&error), "the bundle is not served any more");
            }
        });
        Ok(Self { url, task: task.abort_handle() })
    }

    /// The bundle's URL, for RAUC.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(State(upstream): State<Arc<Upstream>>, headers: HeaderMap) -> Response {
    let header = headers.get(RANGE).map(|value| value.to_str().unwrap_or("unreadable"));
    let Some(span) = Span::requested(header, upstream.size).filter(|span| span.len() <= LARGEST)
    else {
        return (
            StatusCode::RANGE_NOT_SATISFIABLE,
            [(CONTENT_RANGE, format!("bytes */{}", upstream.size))],
        )
            .into_response();
    };
    let Some(body) = upstream.fetch(span).await else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let headers = [
        (CONTENT_RANGE, span.of(upstream.size)),
        (ACCEPT_RANGES, "bytes".to_owned()),
        (CONTENT_TYPE, "application/octet-stream".to_owned()),
    ];
    (StatusCode::PARTIAL_CONTENT, headers, body).into_response()
}
