//! Clients that come over TCP or TLS (RFC 8656 section 3.1). Each stream has a task, and a
//! [`Listener`] of its own.

use crate::certificate::Certificate;
use crate::handover::Way;
use crate::listener::{Listener, Shared};
use crate::outbox::Outbox;
use crate::quota::{Permit, Quota};
use crate::sockets::RelayPair;
use rccar_causes::causes;
use rccar_turn_stream::{Messages, padding};
use socket2::{SockRef, TcpKeepalive};
use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

/// The handshake of TLS takes two round trips; TCP repeats what is lost after 1 s and 3 s.
const HANDSHAKE_WITHIN: Duration = Duration::from_secs(10);
/// A stream without an allocation is closed after this silence.
const IDLE: Duration = Duration::from_secs(30);
/// Added to the longest lifetime: a client refreshes its allocation before it ends, but the network
/// may be slow.
const REFRESH_MARGIN: Duration = Duration::from_secs(60);
/// After this silence TCP asks whether the client is still there.
const KEEP_ALIVE: Duration = Duration::from_secs(30);
/// The kernel's queue for a stream; the kernel doubles it. Small, because what is in there cannot
/// be dropped any more.
const KERNEL_QUEUE: usize = 16 * 1024;
/// Bytes read at once.
const BUFFER: usize = 4096;
/// Pause after a failed accept: without free descriptors it fails at once, again and again.
const PAUSE: Duration = Duration::from_millis(100);

pub(crate) struct StreamListener {
    pub(crate) socket: TcpListener,
    /// For TLS; `None` is plain TCP.
    pub(crate) certificate: Option<Arc<Certificate>>,
    pub(crate) addresses: RelayPair,
    /// Limits the streams of all listeners.
    pub(crate) places: Arc<Quota>,
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
                    let place = self.places.take(&neighbourhood(client.ip()));
                    let Some(place) = place else {
                        tracing::debug!(%client, "stream refused: there are enough");
                        self.shared.counters.refused_streams.increment();
                        continue;
                    };
                    streams.spawn(self.stream(stream, client, place));
                }
                Err(error) => {
                    tracing::warn!(error = %causes(&error), "cannot take a stream for TURN");
                    sleep(PAUSE).await;
                }
            }
        }
    }

    fn stream(
        &self,
        stream: TcpStream,
        client: SocketAddr,
        place: Permit,
    ) -> impl Future<Output = ()> + use<> {
        let (shared, addresses) = (Arc::clone(&self.shared), self.addresses);
        let acceptor = self.certificate.as_ref().map(|certificate| certificate.acceptor());
        async move {
            // Counts until the stream ends.
            let _place = place;
            let counters = Arc::clone(&shared.counters);
            counters.streams.increment();
            let served = async {
                prepare(&stream)?;
                let local = stream.local_addr()?;
                let end = End { client, local, addresses, shared };
                match acceptor {
                    None => end.serve(stream).await,
                    Some(acceptor) => {
                        let greeted = timeout(HANDSHAKE_WITHIN, acceptor.accept(stream)).await;
                        end.serve(greeted.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??)
                            .await
                    }
                }
            };
            if let Err(error) = served.await {
                tracing::debug!(%client, error = %causes(&error), "stream ended");
                // TLS failed, or it was no TURN.
                if error.kind() == io::ErrorKind::InvalidData {
                    counters.refused_streams.increment();
                }
            }
        }
    }
}

/// Streams of one network count together: an IPv6 client has a whole /64 of addresses.
fn neighbourhood(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => Ipv6Addr::from_bits(ip.to_bits() & !u128::from(u64::MAX)).to_string(),
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
    async fn serve(self, stream: impl AsyncRead + AsyncWrite) -> io::Result<()> {
        let (reader, writer) = tokio::io::split(stream);
        let outbox = Arc::new(Outbox::new(Arc::clone(&self.shared.counters)));
        tokio::select! {
            outcome = self.read(reader, Arc::clone(&outbox)) => outcome,
            outcome = write(writer, &outbox) => outcome,
        }
    }

    async fn read(self, reader: impl AsyncRead, outbox: Arc<Outbox>) -> io::Result<()> {
        tokio::pin!(reader);
        let used = self.shared.max_lifetime + REFRESH_MARGIN;
        let mut listener =
            Listener::new(Way::Stream(outbox), self.local, self.addresses, self.shared);
        let (mut messages, mut buffer) = (Messages::default(), vec![0; BUFFER]);
        loop {
            let patience = if listener.is_used() { used } else { IDLE };
            let Ok(length) = timeout(patience, reader.read(&mut buffer)).await else {
                return Ok(());
            };
            let length = length?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_one_network_count_together() {
        let of = |ip: &str| neighbourhood(ip.parse().unwrap());
        assert_eq!(of("2001:db8::1"), of("2001:db8::ffff:1"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
    }
}
