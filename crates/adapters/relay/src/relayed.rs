//! The socket behind a relayed address. `turn` reads it; the listener writes it.

use crate::listener::Shared;
use crate::quota::Permit;
use crate::stats::Counters;
use async_trait::async_trait;
use rccar_causes::causes;
use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use stun::agent::TransactionId;
use tokio::net::UdpSocket;
use tokio::sync::watch;
use webrtc_util::Conn;

/// Permissions last five minutes (RFC 8656 section 3.3).
const PERMISSION_LIFETIME: Duration = Duration::from_secs(300);

/// Peers of one allocation at a time. ICE asks for one for each address of the other end: ten, or
/// some more with VPNs and containers.
const MAX_PEERS: usize = 128;

/// A relayed address with its owner. It passes no packet that the policy refuses, whatever `turn`
/// believes.
#[derive(Debug)]
pub(crate) struct Relayed {
    socket: UdpSocket,
    /// The address that the client is told and that peers see.
    pub(crate) address: SocketAddr,
    /// The Allocate request that made it: a retransmission gets the same answer.
    pub(crate) transaction: TransactionId,
    user: String,
    /// `None` once its place was given to another allocation.
    permit: Mutex<Option<Permit>>,
    /// When its client last sent anything.
    heard: Mutex<Instant>,
    /// When the permission for each peer was last asked for.
    peers: Mutex<HashMap<IpAddr, Instant>>,
    closed: watch::Sender<bool>,
    shared: Arc<Shared>,
}

impl Relayed {
    pub(crate) fn new(
        socket: UdpSocket,
        public: IpAddr,
        transaction: TransactionId,
        permit: Permit,
        shared: Arc<Shared>,
    ) -> io::Result<Self> {
        let address = SocketAddr::new(public, socket.local_addr()?.port());
        let (user, heard, closed) =
            (permit.user().to_owned(), Mutex::new(Instant::now()), watch::Sender::new(false));
        let permit = Mutex::new(Some(permit));
        Ok(Self {
            socket,
            address,
            transaction,
            user,
            permit,
            heard,
            peers: Mutex::default(),
            closed,
            shared,
        })
    }

    pub(crate) fn user(&self) -> &str {
        &self.user
    }

    /// Its client has sent something.
    pub(crate) fn note_heard(&self) {
        *self.heard.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// For how long its client has been silent.
    pub(crate) fn silent_for(&self) -> Duration {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).elapsed()
    }

    /// Gives its place in the quota back, before its socket is closed.
    pub(crate) fn give_up_place(&self) {
        self.permit.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    /// Notes a permission for each of `ips`; if there are too many, notes none and returns `false`.
    pub(crate) fn note_peers(&self, ips: &[IpAddr]) -> bool {
        let now = Instant::now();
        let mut peers = self.peers.lock().unwrap_or_else(PoisonError::into_inner);
        peers.retain(|_, since| now.duration_since(*since) < PERMISSION_LIFETIME);
        let new = ips.iter().filter(|ip| !peers.contains_key(ip)).count();
        if peers.len() + new > MAX_PEERS {
            return false;
        }
        peers.extend(ips.iter().map(|ip| (*ip, now)));
        true
    }

    /// Sends a client's payload to `peer`. Nobody learns of an error: over UDP packets are lost.
    pub(crate) async fn send(&self, payload: &[u8], peer: SocketAddr) {
        let counters = self.counters();
        if !self.shared.policy.allows(peer) {
            counters.dropped_peers.increment();
            return;
        }
        match self.socket.send_to(payload, peer).await {
            Ok(sent) => {
                counters.packets_to_peers.increment();
                counters.bytes_to_peers.add(sent);
            }
            Err(error) => {
                tracing::trace!(error = %causes(&error), %peer, "packet to peer not sent");
                counters.send_errors.increment();
            }
        }
    }

    fn counters(&self) -> &Counters {
        &self.shared.counters
    }
}

/// `turn` calls this to receive and to close.
#[async_trait]
impl Conn for Relayed {
    async fn recv_from(&self, buffer: &mut [u8]) -> webrtc_util::Result<(usize, SocketAddr)> {
        let mut closed = self.closed.subscribe();
        loop {
            let (length, peer) = tokio::select! {
                received = self.socket.recv_from(buffer) => received?,
                _ = closed.wait_for(|closed| *closed) => {
                    return Err(io::Error::from(io::ErrorKind::ConnectionAborted).into());
                }
            };
            // `turn` checks the permission, which is for an address; the policy looks at the port,
            // too.
            if self.shared.policy.allows(peer) {
                self.counters().packets_to_clients.increment();
                self.counters().bytes_to_clients.add(length);
                return Ok((length, peer));
            }
            self.counters().dropped_peers.increment();
        }
    }

    async fn send_to(&self, payload: &[u8], peer: SocketAddr) -> webrtc_util::Result<usize> {
        self.send(payload, peer).await;
        Ok(payload.len())
    }

    fn local_addr(&self) -> webrtc_util::Result<SocketAddr> {
        Ok(self.address)
    }

    async fn close(&self) -> webrtc_util::Result<()> {
        self.closed.send_replace(true);
        Ok(())
    }

    async fn connect(&self, _: SocketAddr) -> webrtc_util::Result<()> {
        Err(unconnected())
    }

    async fn recv(&self, _: &mut [u8]) -> webrtc_util::Result<usize> {
        Err(unconnected())
    }

    async fn send(&self, _: &[u8]) -> webrtc_util::Result<usize> {
        Err(unconnected())
    }

    fn remote_addr(&self) -> Option<SocketAddr> {
        None
    }

    fn as_any(&self) -> &(dyn std::any::Any + Send + Sync) {
        self
    }
}

pub(crate) fn unconnected() -> webrtc_util::Error {
    io::Error::from(io::ErrorKind::NotConnected).into()
}
