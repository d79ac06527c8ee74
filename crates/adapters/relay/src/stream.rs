//! Clients that come over TCP or TLS (RFC 8656 section 3.1). Each stream has a task, and a
//! [`Listener`] of its own.

use crate::client::Way;
use crate::listener::{Listener, Shared};
use crate::outbox::Outbox;
use crate::sockets::RelayPair;
use crate::stats::Counters;
use crate::strangers::{Stranger, Strangers};
use rccar_causes::causes;
use rccar_turn_stream::{Messages, padding};
use socket2::{SockRef, TcpKeepalive};
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// The handshake of TLS takes two round trips; TCP repeats what is lost after 1 s and 3 s.
const HANDSHAKE_WITHIN: Duration = Duration::from_secs(10);
/// A stream that has no allocation by then is closed, whatever comes over it. A client makes one
/// within a few round trips.
const ALLOCATE_WITHIN: Duration = Duration::from_secs(30);
/// After this silence TCP asks whether the client is still there.
const KEEP_ALIVE: Duration = Duration::from_secs(30);
/// The kernel's queue for a stream; the kernel doubles it. Small, because what is in there cannot
/// be dropped any more.
const KERNEL_QUEUE: usize = 16 * 1024;
/// Bytes read at once.
const BUFFER: usize = 4096;
/// Pause after a failed accept: without free descriptors it fails at once, again and again.
const PAUSE: Duration = Duration::from_millis(100);

/// How clients are accepted over TLS: asked for each, because certificates are renewed. Without a
/// certificate, clients are hung up on.
#[derive(Clone)]
pub struct Tls(Arc<dyn Fn() -> Option<TlsAcceptor> + Send + Sync>);

impl Tls {
    pub fn new(acceptor: impl Fn() -> Option<TlsAcceptor> + Send + Sync + 'static) -> Self {
        Self(Arc::new(acceptor))
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tls")
    }
}

/// Serves streams that another server has accepted, on a port that it shares with TURN.
#[derive(Debug, Clone)]
pub struct Streams {
    pub(crate) addresses: RelayPair,
    pub(crate) strangers: Arc<Strangers>,
    pub(crate) shared: Arc<Shared>,
    pub(crate) stop: watch::Receiver<bool>,
}

impl Streams {
    /// Serves a client until it leaves, or the relay closes.
    pub async fn serve(&self, stream: TlsStream<TcpStream>) {
        let Ok(client) = stream.get_ref().0.peer_addr() else { return };
        let unknown = Unknown::new(&self.strangers, client);
        let counters = Arc::clone(&self.shared.counters);
        let served = async {
            let socket = stream.get_ref().0;
            prepare(socket)?;
            let (addresses, shared) = (self.addresses, Arc::clone(&self.shared));
            let end = End { client, local: socket.local_addr()?, addresses, shared };
            end.serve(stream, unknown).await
        };
        let mut stop = self.stop.clone();
        tokio::select! {
            () = counted(served, client, &counters) => {}
            _ = stop.wait_for(|stop| *stop) => {}
        }
    }
}

pub(crate) struct StreamListener {
    pub(crate) socket: TcpListener,
    /// `None` is plain TCP.
    pub(crate) tls: Option<Tls>,
    pub(crate) addresses: RelayPair,
    /// The streams without an allocation, of all listeners.
    pub(crate) strangers: Arc<Strangers>,
    pub(crate) shared: Arc<Shared>,
}

impl StreamListener {
    /// Takes streams until `stop` is true; then all of them end.
    pub(crate) async fn run(self, mut stop: watch::Receiver<bool>) {
        let mut streams = JoinSet::new();
        loop {
            let accepted = tokio::select! {
                accepted = self.socket.accept() => accepted,
                // Only so that ended tasks are freed.
                Some(_) = streams.join_next() => continue,
                _ = stop.wait_for(|stop| *stop) => return,
            };
            match accepted {
                Ok((stream, client)) => {
                    streams.spawn(self.stream(stream, client));
                }
                Err(error) => {
                    tracing::warn!(error = %causes(&error), "cannot take a stream for TURN");
                    sleep(PAUSE).await;
                }
            }
        }
    }

    fn stream(&self, stream: TcpStream, client: SocketAddr) -> impl Future<Output = ()> + use<> {
        let (shared, addresses) = (Arc::clone(&self.shared), self.addresses);
        let acceptor = self.tls.as_ref().map(|Tls(acceptor)| acceptor());
        let unknown = Unknown::new(&self.strangers, client);
        async move {
            let counters = Arc::clone(&shared.counters);
            let served = async {
                prepare(&stream)?;
                let local = stream.local_addr()?;
                let end = End { client, local, addresses, shared };
                match acceptor {
                    None => end.serve(stream, unknown).await,
                    Some(None) => Err(io::Error::other("there is no certificate yet")),
                    Some(Some(acceptor)) => {
                        let greeted = tokio::select! {
                            greeted = timeout(HANDSHAKE_WITHIN, acceptor.accept(stream)) => greeted,
                            error = unknown.over() => return Err(error),
                        };
                        let stream =
                            greeted.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
                        end.serve(stream, unknown).await
                    }
                }
            };
            counted(served, client, &counters).await;
        }
    }
}

async fn counted(
    served: impl Future<Output = io::Result<()>>,
    client: SocketAddr,
    counters: &Counters,
) {
    counters.streams.increment();
    if let Err(error) = served.await {
        tracing::debug!(%client, error = %causes(&error), "stream ended");
        // TLS failed, it was no TURN, or it brought no credentials.
        if [io::ErrorKind::InvalidData, io::ErrorKind::TimedOut].contains(&error.kind()) {
            counters.refused_streams.increment();
        }
    }
}

/// A client that has not shown any credentials yet, with its place and its time.
struct Unknown {
    place: Stranger,
    until: Instant,
    pool: Arc<Strangers>,
}

impl Unknown {
    fn new(pool: &Arc<Strangers>, client: SocketAddr) -> Self {
        let (place, until) = (pool.enter(client.ip()), Instant::now() + ALLOCATE_WITHIN);
        Self { place, until, pool: Arc::clone(pool) }
    }

    /// Resolves when its stream has to end, and says why.
    async fn over(&self) -> io::Error {
        let why = tokio::select! {
            () = self.place.sent_away() => "a newer stream has taken its place",
            () = sleep_until(self.until) => "it has made no allocation in time",
        };
        io::Error::new(io::ErrorKind::TimedOut, why)
    }
}

fn prepare(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let socket = SockRef::from(stream);
    socket.set_send_buffer_size(KERNEL_QUEUE)?;
    socket.set_tcp_keepalive(
        &TcpKeepalive::new().with_time(KEEP_ALIVE).with_interval(KEEP_ALIVE / 3).with_retries(3),
    )
}

/// The relay's end of a stream.
struct End {
    client: SocketAddr,
    local: SocketAddr,
    addresses: RelayPair,
    shared: Arc<Shared>,
}

impl End {
    async fn serve(self, stream: impl AsyncRead + AsyncWrite, unknown: Unknown) -> io::Result<()> {
        let (reader, writer) = tokio::io::split(stream);
        let outbox = Arc::new(Outbox::new(Arc::clone(&self.shared.counters)));
        tokio::select! {
            outcome = self.read(reader, Arc::clone(&outbox), unknown) => outcome,
            outcome = write(writer, &outbox) => outcome,
        }
    }

    /// Takes messages until the stream ends, or until the client has been without an allocation for
    /// too long. A client with an allocation has its lifetime.
    async fn read(
        self,
        reader: impl AsyncRead,
        outbox: Arc<Outbox>,
        unknown: Unknown,
    ) -> io::Result<()> {
        tokio::pin!(reader);
        let (pool, mut unknown) = (Arc::clone(&unknown.pool), Some(unknown));
        let mut listener =
            Listener::new(Way::Stream(outbox), self.local, self.addresses, self.shared);
        let (mut messages, mut buffer) = (Messages::default(), vec![0; BUFFER]);
        loop {
            let allocation = listener.allocation(self.client);
            let length = if let Some(allocation) = allocation {
                unknown = None;
                tokio::select! {
                    length = reader.read(&mut buffer) => length?,
                    () = allocation.ended() => continue,
                }
            } else {
                listener.leave_seat();
                let unknown = unknown.get_or_insert_with(|| Unknown::new(&pool, self.client));
                tokio::select! {
                    length = reader.read(&mut buffer) => length?,
                    error = unknown.over() => return Err(error),
                }
            };
            if length == 0 {
                return Ok(());
            }
            messages.extend(&buffer[..length]);
            while let Some(message) = messages
                .next_message()
                .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?
            {
                listener.handle(&message, self.client).await;
            }
        }
    }
}

async fn write(writer: impl AsyncWrite, outbox: &Outbox) -> io::Result<()> {
    tokio::pin!(writer);
    loop {
        let mut message = outbox.next().await;
        message.extend(padding(&message));
        writer.write_all(&message).await?;
        writer.flush().await?;
    }
}
