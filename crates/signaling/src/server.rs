//! The HTTP server: hyper with limits.

use crate::address::Peer;
use axum::Router;
use axum::body::Body;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;

/// TCP connections at once. Each takes about 20 KiB before a request and a file descriptor; the usual limit of those is 4096 or more
/// under systemd's `LimitNOFILE`.
const MAX_CONNECTIONS: usize = 2_048;
/// Time for the head of a request, also between two requests: clients that send nothing do not hold places.
const HEAD_TIMEOUT: Duration = Duration::from_secs(15);
/// Time for requests in flight when the server stops.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(2);
/// Pause after an error of `accept`, which is about resources: trying at once would spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves until `shutdown` resolves, then lets requests in flight finish. WebSockets are not waited for: [`crate::Exchange::shutdown`]
/// closes them.
pub async fn serve(listeners: Vec<TcpListener>, router: Router, shutdown: impl Future<Output = ()>) {
    let (stop, stopped) = watch::channel(());
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let mut accepting = JoinSet::new();
    for listener in listeners {
        accepting.spawn(accept(listener, router.clone(), Arc::clone(&places), stopped.clone()));
    }
    drop(stopped);
    shutdown.await;
    accepting.abort_all();
    stop.send_replace(());
    // Elapsed: whoever is still busy is cut off with the process.
    let _ = tokio::time::timeout(DRAIN_TIMEOUT, stop.closed()).await;
}

async fn accept(listener: TcpListener, router: Router, places: Arc<Semaphore>, stopped: watch::Receiver<()>) {
    loop {
        // Without a place left new clients wait in the kernel's queue.
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, _)) => drop(tokio::spawn(connection(stream, router.clone(), place, stopped.clone()))),
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn connection(stream: TcpStream, router: Router, place: OwnedSemaphorePermit, mut stopped: watch::Receiver<()>) {
    let (Ok(remote), Ok(local)) = (stream.peer_addr(), stream.local_addr()) else { return };
    // Signaling messages are small and wait for nothing.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "cannot set TCP_NODELAY");
    }
    let peer = Peer { remote, local };
    let router = TowerToHyperService::new(router);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(peer);
        router.call(request.map(Body::new))
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(16 * 1024)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = pin!(connection);
    let outcome = tokio::select! {
        outcome = connection.as_mut() => outcome,
        _ = stopped.changed() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = outcome {
        tracing::trace!(%error, "an HTTP connection broke");
    }
    drop(place);
}
