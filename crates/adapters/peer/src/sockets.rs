//! The connection's sockets: on which addresses, through which interfaces, and when something last
//! came in.
//!
//! The stack asks for its addresses again at each ICE restart, and so follows the [`Binding`] of
//! that moment.

use nix::sys::socket::setsockopt;
use nix::sys::socket::sockopt::{BindToDevice, ReuseAddr, SndBuf};
use rccar_causes::causes;
use rccar_protocol::units::MonotonicMicros;
use socket2::{Domain, Socket, Type};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::future::Future;
use std::io::{self, ErrorKind, IoSliceMut};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, ToSocketAddrs, UdpSocket};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::watch;
use tracing::{Instrument, Span};
use webrtc::runtime::{
    AsyncInterval, AsyncTcpListener, AsyncTcpStream, AsyncUdpSocket, JoinHandle, RecvMeta, Runtime,
    TokioRuntime, Transmit,
};

/// Which of the machine's addresses are used.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Binding {
    /// `None`: all that the machine has.
    pub addresses: Option<BTreeSet<IpAddr>>,
    /// The interface through which packets from an address must leave, whatever the routing table
    /// prefers. An address that is not here follows the routing table.
    pub devices: BTreeMap<IpAddr, String>,
}

/// When a packet of the driver's last came in, by the car's clock. Clones share the time.
#[derive(Debug, Clone, Default)]
pub struct Heard(Arc<AtomicU64>);

impl Heard {
    /// Zero before the first packet.
    #[must_use]
    pub fn at(&self) -> MonotonicMicros {
        MonotonicMicros(self.0.load(Ordering::Relaxed))
    }

    fn note(&self, at: MonotonicMicros) {
        self.0.fetch_max(at.0, Ordering::Relaxed);
    }
}

/// The addresses to bind, resolved by the stack whenever it binds.
#[derive(Debug, Clone)]
pub(crate) struct Addresses {
    pub(crate) binding: watch::Receiver<Binding>,
    /// Loopback addresses, too.
    pub(crate) loopback: bool,
}

impl ToSocketAddrs for Addresses {
    type Iter = std::vec::IntoIter<SocketAddr>;

    fn to_socket_addrs(&self) -> io::Result<Self::Iter> {
        let wanted = self.binding.borrow().addresses.clone().unwrap_or_default();
        // An address that cannot be bound is gone from the machine.
        let mut addresses: Vec<IpAddr> =
            wanted.into_iter().filter(|address| UdpSocket::bind((*address, 0)).is_ok()).collect();
        if addresses.is_empty() {
            // From these the stack makes one socket for each address of the machine. With no
            // address at all it would end.
            addresses.extend([IpAddr::from(Ipv4Addr::UNSPECIFIED), Ipv6Addr::UNSPECIFIED.into()]);
        }
        if self.loopback {
            addresses.extend([IpAddr::from(Ipv4Addr::LOCALHOST), Ipv6Addr::LOCALHOST.into()]);
        }
        let addresses: Vec<_> =
            addresses.into_iter().map(|address| SocketAddr::new(address, 0)).collect();
        Ok(addresses.into_iter())
    }
}

/// Tokio, but UDP sockets are tied to their interfaces and note when the driver was heard.
#[derive(Debug)]
pub(crate) struct BoundRuntime {
    pub(crate) binding: watch::Receiver<Binding>,
    pub(crate) heard: Heard,
    pub(crate) clock: fn() -> MonotonicMicros,
    /// Whose tasks these are: their log lines say so.
    pub(crate) span: Span,
}

impl BoundRuntime {
    /// Ties a socket to its interface. A tied socket does not reach this machine itself, where a
    /// tunnel may wait; for that this returns a second socket with the same address.
    fn tie(&self, socket: &UdpSocket) -> io::Result<Option<UdpSocket>> {
        let address = socket.local_addr()?;
        let Some(device) = self.binding.borrow().devices.get(&address.ip()).cloned() else {
            return Ok(None);
        };
        // A kernel older than 5.7 wants CAP_NET_RAW for this; without it the routing table decides.
        if let Err(error) = setsockopt(socket, BindToDevice, &OsString::from(&device)) {
            tracing::warn!(
                error = %causes(&error), %address, device,
                "cannot tie a socket to its interface"
            );
            return Ok(None);
        }
        setsockopt(socket, ReuseAddr, &true)?;
        let near = Socket::new(Domain::for_address(address), Type::DGRAM, None)?;
        near.set_reuse_address(true)?;
        near.bind(&address.into())?;
        Ok(Some(near.into()))
    }
}

impl Runtime for BoundRuntime {
    fn spawn(&self, future: Pin<Box<dyn Future<Output = ()> + Send>>) -> Box<dyn JoinHandle> {
        TokioRuntime.spawn(Box::pin(future.instrument(self.span.clone())))
    }

    fn spawn_reactor(
        &self,
        size: usize,
        future: Pin<Box<dyn Future<Output = ()> + Send>>,
    ) -> Box<dyn JoinHandle> {
        TokioRuntime.spawn_reactor(size, Box::pin(future.instrument(self.span.clone())))
    }

    fn wrap_udp_socket(&self, socket: UdpSocket) -> io::Result<Arc<dyn AsyncUdpSocket>> {
        let near = self.tie(&socket)?.map(wrap).transpose()?;
        let inner = wrap(socket)?;
        Ok(Arc::new(TappedSocket {
            loopback: inner.local_addr()?.ip().is_loopback(),
            inner,
            near,
            heard: self.heard.clone(),
            clock: self.clock,
            stuck_since: AtomicU64::new(0),
        }))
    }

    fn wrap_tcp_listener(&self, listener: TcpListener) -> io::Result<Arc<dyn AsyncTcpListener>> {
        TokioRuntime.wrap_tcp_listener(listener)
    }

    fn connect_tcp<'a>(
        &'a self,
        remote: SocketAddr,
    ) -> Pin<Box<dyn Future<Output = io::Result<Arc<dyn AsyncTcpStream>>> + Send + 'a>> {
        Box::pin(async move { TokioRuntime.connect_tcp(remote).await })
    }

    fn resolve_host<'a>(
        &'a self,
        host: &'a str,
    ) -> Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send + 'a>> {
        Box::pin(async move { TokioRuntime.resolve_host(host).await })
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + 'static>> {
        TokioRuntime.sleep(duration)
    }

    fn interval(&self, period: Duration) -> Box<dyn AsyncInterval> {
        TokioRuntime.interval(period)
    }

    fn block_on(&self, future: Pin<Box<dyn Future<Output = ()> + '_>>) {
        TokioRuntime.block_on(future);
    }

    fn yield_now(&self) -> Pin<Box<dyn Future<Output = ()> + Send + 'static>> {
        TokioRuntime.yield_now()
    }
}

/// Linux doubles it to 32 KiB: some 14 packets, 140 ms of 1 Mbit/s. Linux's default holds a second
/// of pictures, and a slow modem would send them too late to be worth seeing.
const SEND_BUFFER: usize = 16 * 1024;

fn wrap(socket: UdpSocket) -> io::Result<Arc<dyn AsyncUdpSocket>> {
    setsockopt(&socket, SndBuf, &SEND_BUFFER)?;
    TokioRuntime.wrap_udp_socket(socket)
}

/// A socket that notes when the driver was heard, and that never makes the media loop wait.
#[derive(Debug)]
struct TappedSocket {
    inner: Arc<dyn AsyncUdpSocket>,
    /// Sends to and hears from this machine itself, if `inner` is tied.
    near: Option<Arc<dyn AsyncUdpSocket>>,
    /// Whether it has a loopback address. It then reaches loopback addresses only. The kernel would
    /// deliver to the machine's other addresses, too, and a check would succeed there that no
    /// browser sends the other way: the car would nominate a pair that does not work.
    loopback: bool,
    heard: Heard,
    clock: fn() -> MonotonicMicros,
    /// Since when nothing can be sent, in microseconds of the car's clock; zero while it can.
    stuck_since: AtomicU64,
}

/// How long a socket may keep the media loop waiting: a new one is ready within microseconds, a
/// full one empties at the link's pace. A socket that cannot send at all, because its modem hangs,
/// must not stop the others: its packets are dropped, as if they were lost on their way.
const SEND_WITHIN: Duration = Duration::from_millis(20);

impl TappedSocket {
    fn is_stuck(&self) -> bool {
        let now = (self.clock)();
        match self.stuck_since.load(Ordering::Relaxed) {
            0 => {
                // Zero would mean that the socket can send.
                self.stuck_since.store(now.0.max(1), Ordering::Relaxed);
                false
            }
            since => now.since(MonotonicMicros(since)) >= SEND_WITHIN,
        }
    }
}

impl AsyncUdpSocket for TappedSocket {
    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.inner.local_addr()
    }

    fn poll_send(&self, cx: &mut Context<'_>, transmit: &Transmit<'_>) -> Poll<io::Result<usize>> {
        // The stack believes that a dropped packet was sent.
        let lost = Poll::Ready(Ok(transmit.contents.len()));
        let beside = transmit.destination.ip().to_canonical().is_loopback();
        if self.loopback && !beside {
            return lost;
        }
        let socket = self.near.as_ref().filter(|_| beside).unwrap_or(&self.inner);
        match socket.poll_send(cx, transmit) {
            Poll::Ready(Ok(sent)) => {
                self.stuck_since.store(0, Ordering::Relaxed);
                Poll::Ready(Ok(sent))
            }
            Poll::Ready(Err(error)) => {
                tracing::trace!(
                    error = %causes(&error), to = %transmit.destination,
                    "datagram not sent"
                );
                lost
            }
            Poll::Pending if self.is_stuck() => lost,
            Poll::Pending => {
                // A socket that hangs wakes nobody.
                let waker = cx.waker().clone();
                tokio::spawn(async move {
                    tokio::time::sleep(SEND_WITHIN).await;
                    waker.wake();
                });
                Poll::Pending
            }
        }
    }

    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        let received = match self.inner.poll_recv(cx, buffers, meta) {
            Poll::Pending => {
                self.near.as_ref().map_or(Poll::Pending, |near| near.poll_recv(cx, buffers, meta))
            }
            received => received,
        };
        match received {
            Poll::Ready(Ok(count)) => {
                if buffers
                    .iter()
                    .zip(meta.iter())
                    .take(count)
                    .any(|(buffer, meta)| is_of_the_driver(&buffer[..meta.len]))
                {
                    self.heard.note((self.clock)());
                }
                Poll::Ready(Ok(count))
            }
            // The interface is down, perhaps not for long. After this error the stack keeps the
            // socket.
            Poll::Ready(Err(error)) if is_about_the_network(&error) => {
                Poll::Ready(Err(ErrorKind::ConnectionReset.into()))
            }
            other => other,
        }
    }

    fn max_gso_segments(&self) -> usize {
        self.inner.max_gso_segments()
    }

    fn max_gro_segments(&self) -> usize {
        self.inner.max_gro_segments()
    }
}

fn is_about_the_network(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::NetworkDown | ErrorKind::NetworkUnreachable | ErrorKind::HostUnreachable
    )
}

/// Whether a datagram comes from the driver and not from a server, by its first bytes (RFC 7983).
/// The driver sends checks and answers to checks, DTLS, RTP and RTCP, all of it also wrapped by a
/// relay. The rest are a relay's own answers.
fn is_of_the_driver(datagram: &[u8]) -> bool {
    const BINDING_REQUEST: [u8; 2] = [0x00, 0x01];
    const BINDING_SUCCESS: [u8; 2] = [0x01, 0x01];
    const DATA_INDICATION: [u8; 2] = [0x00, 0x17];
    match datagram {
        // DTLS, channels of a relay, RTP and RTCP.
        [20..=63 | 64..=79 | 128..=191, ..] => true,
        [a, b, ..] => [BINDING_REQUEST, BINDING_SUCCESS, DATA_INDICATION].contains(&[*a, *b]),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relays_own_answers_are_not_the_driver() {
        for theirs in [&[22, 254][..], &[128, 200], &[64, 0], &[0, 1], &[1, 1], &[0, 0x17]] {
            assert!(is_of_the_driver(theirs), "{theirs:?}");
        }
        // Success of Allocate, Refresh, CreatePermission, ChannelBind (RFC 8656 section 18).
        for servers in [&[1, 3][..], &[1, 4], &[1, 8], &[1, 9], &[], &[0]] {
            assert!(!is_of_the_driver(servers), "{servers:?}");
        }
    }

    /// A socket that is never ready to send.
    #[derive(Debug)]
    struct Hung;

    impl AsyncUdpSocket for Hung {
        fn local_addr(&self) -> io::Result<SocketAddr> {
            Ok(SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 9))
        }

        fn poll_send(&self, _: &mut Context<'_>, _: &Transmit<'_>) -> Poll<io::Result<usize>> {
            Poll::Pending
        }

        fn poll_recv(
            &self,
            _: &mut Context<'_>,
            _: &mut [IoSliceMut<'_>],
            _: &mut [RecvMeta],
        ) -> Poll<io::Result<usize>> {
            Poll::Pending
        }
    }

    fn micros() -> MonotonicMicros {
        static START: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
        let elapsed = START.get_or_init(std::time::Instant::now).elapsed();
        MonotonicMicros(1 + u64::try_from(elapsed.as_micros()).unwrap())
    }

    #[tokio::test]
    async fn a_socket_that_hangs_loses_its_packets_and_keeps_nobody_waiting() {
        let socket = TappedSocket {
            inner: Arc::new(Hung),
            near: None,
            loopback: true,
            heard: Heard::default(),
            clock: micros,
            stuck_since: AtomicU64::new(0),
        };
        for _ in 0..100 {
            let sending = socket.send_to(b"frame", SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 9));
            assert_eq!(
                tokio::time::timeout(Duration::from_secs(20), sending).await.unwrap().unwrap(),
                5
            );
        }
    }

    /// A socket that only remembers where it was asked to send.
    #[derive(Debug, Default)]
    struct Sink(std::sync::Mutex<Vec<IpAddr>>);

    impl AsyncUdpSocket for Sink {
        fn local_addr(&self) -> io::Result<SocketAddr> {
            Ok(SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 9))
        }

        fn poll_send(&self, _: &mut Context<'_>, to: &Transmit<'_>) -> Poll<io::Result<usize>> {
            self.0.lock().unwrap().push(to.destination.ip());
            Poll::Ready(Ok(to.contents.len()))
        }

        fn poll_recv(
            &self,
            _: &mut Context<'_>,
            _: &mut [IoSliceMut<'_>],
            _: &mut [RecvMeta],
        ) -> Poll<io::Result<usize>> {
            Poll::Pending
        }
    }

    #[tokio::test]
    async fn a_loopback_address_reaches_loopback_addresses_only() {
        let addresses = ["127.0.0.1", "::1", "::ffff:127.0.0.1", "192.0.2.2", "fd00::2", "fe80::1"];
        let addresses = addresses.map(|address| address.parse::<IpAddr>().unwrap());
        for (loopback, reached) in [(true, 3), (false, addresses.len())] {
            let sink = Arc::new(Sink::default());
            let socket = TappedSocket {
                inner: Arc::clone(&sink) as Arc<dyn AsyncUdpSocket>,
                near: None,
                loopback,
                heard: Heard::default(),
                clock: micros,
                stuck_since: AtomicU64::new(0),
            };
            for address in addresses {
                let sent = socket.send_to(b"check", SocketAddr::new(address, 9)).await;
                assert_eq!(sent.unwrap(), 5, "{address}");
            }
            assert_eq!(*sink.0.lock().unwrap(), addresses[..reached]);
        }
    }

    #[tokio::test]
    async fn a_socket_holds_little_that_waits_to_be_sent() {
        let (_keep, binding) = watch::channel(Binding::default());
        let runtime =
            BoundRuntime { binding, heard: Heard::default(), clock: micros, span: Span::none() };
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        socket.set_nonblocking(true).unwrap();
        let same = socket.try_clone().unwrap();
        let _wrapped = runtime.wrap_udp_socket(socket).unwrap();
        let bytes = nix::sys::socket::getsockopt(&same, SndBuf).unwrap();
        assert!(bytes <= 32 * 1024, "{bytes}");
    }

    #[test]
    fn addresses_that_are_gone_are_left_out_and_never_all_of_them() {
        let (sender, binding) = watch::channel(Binding::default());
        let addresses = Addresses { binding, loopback: false };
        let resolved = || {
            addresses
                .to_socket_addrs()
                .unwrap()
                .map(|address| address.ip().to_string())
                .collect::<Vec<_>>()
        };
        assert_eq!(resolved(), ["0.0.0.0", "::"]);
        let some = ["127.0.0.1".parse().unwrap(), "192.0.2.77".parse().unwrap()];
        sender.send_replace(Binding { addresses: Some(some.into()), ..Binding::default() });
        assert_eq!(resolved(), ["127.0.0.1"]);
        sender.send_replace(Binding { addresses: Some([some[1]].into()), ..Binding::default() });
        assert_eq!(resolved(), ["0.0.0.0", "::"]);
    }
}
