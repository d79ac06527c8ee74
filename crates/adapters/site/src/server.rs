//! The HTTP server: hyper with limits.
//!
//! Connections that are no WebSocket are few for each network and end within
//! [`Limits::requests_age`]; where all places are taken, the oldest of the most crowded network
//! makes room. So no client keeps others out by being slow. WebSockets have limits of their own, in
//! [`crate::limits`] and `socket`.

use crate::address::Peer;
use crate::http::Site;
use crate::http::error::ApiError;
use crate::http::releases::Watched;
use crate::limits::Limits;
use crate::listening::{Listening, Tls, is_stun};
use crate::proxies::Proxies;
use crate::strangers::{Asking, Strangers};
use axum::Router;
use axum::body::Body;
use axum::http::header::CONNECTION;
use axum::http::{HeaderValue, Request};
use axum::response::{IntoResponse, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use rccar_causes::causes;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::server::TlsStream;

/// Time for the head of a request, also between two requests: clients that send nothing do not hold
/// places.
const HEAD_TIMEOUT: Duration = Duration::from_secs(15);
/// Time for the handshake of TLS: two round trips, and TCP repeats what is lost after 1 s and 3 s.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// Time for requests in flight when the server stops.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(2);
/// How often the server checks whether a long transfer still moves.
const TRANSFER_LOOK: Duration = Duration::from_secs(1);
/// Connections beyond the limit, for those that are making room and have not ended yet.
const LEAVING: usize = 64;
/// Pause after an error of `accept`. Such errors are about resources: trying at once would spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves until `shutdown` resolves, then lets requests in flight finish. WebSockets are not waited
/// for: [`crate::Exchange::shutdown`] closes them.
///
/// Takes a file descriptor for each of [`Limits::requests`], [`Limits::connections`] and
/// [`Limits::strangers`]: by default more than twice the usual soft limit of a process, 1024.
pub async fn serve(
    listeners: impl IntoIterator<Item = impl Into<Listening>>,
    site: Site,
    shutdown: impl Future<Output = ()>,
) {
    let (stop, stopped) = watch::channel(());
    let Site { router, limits, trusted_proxies, admits } = site;
    let places = limits.requests.total.saturating_add(LEAVING);
    let places = Arc::new(Semaphore::new(places.min(Semaphore::MAX_PERMITS)));
    let door = Arc::new(Door {
        router,
        strangers: Strangers::new(limits.requests),
        limits,
        trusted_proxies,
        admits,
    });
    let mut accepting = JoinSet::new();
    for listener in listeners {
        let (door, places) = (Arc::clone(&door), Arc::clone(&places));
        accepting.spawn(accept(listener.into(), door, places, stopped.clone()));
    }
    // `stop.closed()` below waits for the receivers of connections; this one is of no connection.
    drop(stopped);
    shutdown.await;
    accepting.abort_all();
    stop.send_replace(());
    // Elapsed: the connections that are left end with the process.
    let _ = timeout(DRAIN_TIMEOUT, stop.closed()).await;
}

/// Shared by all connections.
struct Door {
    router: Router,
    limits: Limits,
    strangers: Arc<Strangers>,
    trusted_proxies: Proxies,
    admits: fn(&Peer) -> bool,
}

/// The places that a connection holds until it ends or becomes a WebSocket.
struct Ticket {
    _total: OwnedSemaphorePermit,
    /// `None` for a trusted proxy: each of its requests takes a place in the name of its client.
    own: Option<Asking>,
}

async fn accept(
    listener: Listening,
    door: Arc<Door>,
    places: Arc<Semaphore>,
    stopped: watch::Receiver<()>,
) {
    loop {
        // Without a place left new clients wait in the kernel's queue.
        let Ok(total) = Arc::clone(&places).acquire_owned().await else { return };
        match listener.socket.accept().await {
            Ok((stream, remote)) if !door.admits(&stream, remote) => {
                tracing::debug!(%remote, "TCP connection of a stranger refused")
            }
            Ok((stream, remote)) => match door.enter(remote) {
                Some(own) => {
                    let ticket = Ticket { _total: total, own };
                    let (door, stopped) = (Arc::clone(&door), stopped.clone());
                    let tls = listener.tls.clone();
                    drop(tokio::spawn(connection(stream, tls, door, ticket, stopped)));
                }
                // Dropping the stream hangs up: an answer would cost a task and its timeouts.
                None => tracing::debug!(%remote, "a TCP connection too many from there"),
            },
            Err(error) => {
                tracing::warn!(error = %causes(&error), "cannot accept a connection");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn connection(
    stream: TcpStream,
    tls: Option<Arc<dyn Tls>>,
    door: Arc<Door>,
    ticket: Ticket,
    stopped: watch::Receiver<()>,
) {
    let (Ok(remote), Ok(local)) = (stream.peer_addr(), stream.local_addr()) else { return };
    // Signaling messages are small and must not wait for each other (Nagle's algorithm).
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(error = %causes(&error), "cannot set TCP_NODELAY");
    }
    let peer = Peer { remote, local, tls: tls.is_some() };
    let Some(tls) = tls else { return speak(stream, peer, door, ticket, stopped).await };
    let mut stopping = stopped.clone();
    let greeted = tokio::select! {
        greeted = greet(&*tls, stream) => greeted,
        () = sent_away(ticket.own.as_ref()) => return,
        _ = stopping.changed() => return,
    };
    drop(stopping);
    match greeted {
        Ok(Some((stream, first))) if is_stun(first) => {
            // It has places of its own, and the end of the relay ends it.
            drop((ticket, stopped));
            tls.turn(stream).await;
        }
        Ok(Some((stream, _))) => speak(stream, peer, door, ticket, stopped).await,
        Ok(None) => {}
        Err(error) => tracing::debug!(%remote, error = %causes(&error), "no TLS came about"),
    }
}

/// The handshake, and the first byte that the client says then; it is read once more. `None`: it
/// says nothing.
async fn greet(
    tls: &dyn Tls,
    stream: TcpStream,
) -> std::io::Result<Option<(TlsStream<TcpStream>, u8)>> {
    let Some(mut stream) = timeout(HANDSHAKE_TIMEOUT, tls.accept(stream)).await?? else {
        return Ok(None);
    };
    let first = timeout(HEAD_TIMEOUT, stream.fill_buf()).await??.first().copied();
    Ok(first.map(|first| (stream, first)))
}

/// Speaks HTTP.
async fn speak(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: Peer,
    door: Arc<Door>,
    ticket: Ticket,
    mut stopped: watch::Receiver<()>,
) {
    let remote = peer.remote;
    let watched = Watched::new();
    let own = ticket.own.clone();
    let service = service_fn(|request| door.answer(request, peer, watched.clone(), own.clone()));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(16 * 1024)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = pin!(connection);
    let outcome = tokio::select! {
        outcome = connection.as_mut() => Ok(outcome),
        () = sent_away(ticket.own.as_ref()) => {
            tracing::debug!(%remote, "a client had to make room for others");
            return;
        }
        () = async {
            tokio::select! {
                _ = stopped.changed() => {}
                () = too_old(door.limits.requests_age, &watched) => {}
            }
        } => {
            connection.as_mut().graceful_shutdown();
            timeout(door.limits.request, connection).await
        }
    };
    match outcome {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::trace!(error = %causes(&error), "an HTTP connection broke"),
        Err(_) => tracing::debug!(%remote, "a client took an answer too slowly and was cut off"),
    }
    // Also when the connection has become a WebSocket, which has a place of its own.
    drop(ticket);
}

/// Resolves when a connection has lived long enough. One that transfers a release lives on while
/// that moves.
async fn too_old(age: Duration, watched: &Watched) {
    sleep(age).await;
    while watched.is_moving() {
        sleep(TRANSFER_LOOK).await;
    }
}

impl Door {
    fn admits(&self, stream: &TcpStream, remote: SocketAddr) -> bool {
        stream.local_addr().is_ok_and(|local| (self.admits)(&Peer { remote, local, tls: false }))
    }

    /// `None`: there are enough from there. `Some(None)`: a trusted proxy, whose requests take
    /// places for their clients.
    fn enter(&self, remote: SocketAddr) -> Option<Option<Asking>> {
        let address = remote.ip().to_canonical();
        if self.trusted_proxies.trusts(address) {
            Some(None)
        } else {
            self.strangers.ask(address).map(Some)
        }
    }

    async fn answer(
        &self,
        mut request: Request<Incoming>,
        peer: Peer,
        watched: Watched,
        own: Option<Asking>,
    ) -> Result<Response, Infallible> {
        // A client that connects directly has a place already, in the connection's ticket. What the
        // proxy asks for itself, such as whether the host is well, takes none.
        let client = peer.client(request.headers(), &self.trusted_proxies);
        let by_proxy = own.is_none() && self.trusted_proxies.speaks_for_another(request.headers());
        let asking = if by_proxy { self.strangers.ask(client) } else { own };
        if by_proxy && asking.is_none() {
            return Ok(last(ApiError::TooManyRequests));
        }
        if let Some(asking) = asking.clone() {
            request.extensions_mut().insert(asking);
        }
        // The connection itself ends where a direct client has to make room.
        let asking = asking.filter(|_| by_proxy);
        request.extensions_mut().insert(peer);
        request.extensions_mut().insert(watched.clone());
        let answer = TowerToHyperService::new(self.router.clone()).call(request.map(Body::new));
        tokio::select! {
            biased;
            answer = answer => answer,
            () = too_old(self.limits.request, &watched) => Ok(last(ApiError::Timeout)),
            () = sent_away(asking.as_ref()) => Ok(last(ApiError::TooManyRequests)),
        }
    }
}

/// Never resolves where nobody could be sent away.
async fn sent_away(asking: Option<&Asking>) {
    match asking {
        Some(asking) => asking.sent_away().await,
        None => std::future::pending().await,
    }
}

/// An answer after which the connection closes: the request's body may not have been read.
fn last(error: ApiError) -> Response {
    let mut response = error.into_response();
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}
