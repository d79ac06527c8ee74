//! Embedded STUN (RFC 8489) and TURN (RFC 8656) server over UDP, TCP and TLS, for browsers and cars
//! that cannot reach each other directly.
//!
//! **The relay never sends to an address inside its own network. Its users reach the public
//! Internet, other allocations of the same relay, and the networks that the operator listed;
//! nothing else.**
//!
//! One task owns each listening UDP socket, or each client's stream, and answers one message after
//! the other:
//!
//! 1. ChannelData and Send indications go to the client's allocation, and from there to the peer,
//!    if [`policy::PeerPolicy`] allows it;
//! 2. Binding requests are answered with the sender's address;
//! 3. all other requests are authenticated: nonce, then expiry and integrity of the
//!    [`credentials`], then quota;
//! 4. a panic while answering is caught, counted and costs one datagram.
//!
//! ```
//! use rccar_relay::credentials::{Secret, mint};
//! use rccar_relay::{Relay, RelayConfig};
//! use std::time::Duration;
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let secret = Secret::generate()?;
//! let mut config = RelayConfig::new(secret.clone());
//! config.listen = vec!["127.0.0.1:0".parse()?];
//! config.allow_loopback = true; // development only
//! let relay = Relay::start(config)?;
//!
//! let credentials = mint(&secret, "driver-7", Duration::from_secs(3600), 1_750_000_000);
//! println!("turn:{} {} {}", relay.local_addrs()[0], credentials.username, credentials.password);
//! relay.close().await;
//! # Ok(())
//! # }
//! ```
//!
//! # Design decisions
//!
//! * Allocations, permissions and channels are the crate `turn`'s. Its request handling is not
//!   used: it has no hook for peers or quotas, keeps every nonce that it ever gave to a stranger,
//!   refreshes only the first address of a CreatePermission that names several, and answers wrong
//!   credentials with 400.
//! * Nonces are computed and not stored, so strangers cannot make the relay remember anything.
//! * An Allocate request without REQUESTED-ADDRESS-FAMILY gets an IPv4 address if the host has one
//!   (RFC 8656 section 7.2). Browsers never send the attribute; two relayed addresses of different
//!   families could not talk to each other. [`RelayConfig::keep_family`] gives the family of the
//!   client's address instead.
//! * A stream belongs to one client: when it ends, its allocation ends. Messages that wait for it
//!   are dropped when they are too late for a picture, and the newest wins.
//! * Left out: TCP towards peers (RFC 6062), DTLS, EVEN-PORT and RESERVATION-TOKEN (answered with
//!   508; browsers do not use them), ADDITIONAL-ADDRESS-FAMILY, mobility. coturn has them and
//!   accepts the same credentials.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests"))]

mod attributes;
mod certificate;
mod config;
pub mod credentials;
#[doc(hidden)]
pub mod fuzz;
mod handover;
mod listener;
mod nonce;
mod outbox;
pub mod policy;
mod quota;
mod relayed;
mod reply;
mod request;
mod sockets;
mod stats;
mod stream;

pub use certificate::CertificateError;
pub use config::{CertificateFiles, Listen, RelayConfig, RelayError, StreamListen};
pub use ipnet::IpNet;
pub use stats::RelayStats;

use crate::certificate::Certificate;
use crate::handover::Way;
use crate::listener::{Listener, Shared};
use crate::policy::PeerPolicy;
use crate::quota::Quota;
use crate::sockets::RelayAddresses;
use crate::stats::Counters;
use crate::stream::StreamListener;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// How long [`Relay::close`] waits for relayed sockets to be closed; each closes as soon as its
/// task is scheduled.
const CLOSE_LIMIT: Duration = Duration::from_secs(1);

/// A running relay. Dropping it stops it as well, without waiting for its sockets to be closed.
#[derive(Debug)]
pub struct Relay {
    local_addrs: Vec<SocketAddr>,
    stream_addrs: Vec<SocketAddr>,
    counters: Arc<Counters>,
    quota: Arc<Quota>,
    stop: watch::Sender<bool>,
    listeners: JoinSet<()>,
}

impl Relay {
    /// Binds all addresses and starts answering. Must be called within a Tokio runtime.
    ///
    /// Nothing is left running after an error.
    pub fn start(config: RelayConfig) -> Result<Self, RelayError> {
        config.check()?;
        if config.allow_loopback {
            tracing::warn!(
                "the relay may send to this machine's own addresses (allow_loopback): \
                 for development only"
            );
        }
        // Everything that can fail comes before the first task, so that an error leaves none.
        let sockets = config
            .listen
            .iter()
            .map(|listen| sockets::listen(listen.address))
            .collect::<Result<Vec<_>, _>>()?;
        let relay_addresses = RelayAddresses::resolve(&config)?;
        let local_addrs = sockets
            .iter()
            .map(|socket| socket.local_addr())
            .collect::<Result<Vec<_>, _>>()
            .map_err(RelayError::Socket)?;
        let streams = config
            .streams
            .iter()
            .map(|listen| sockets::listen_for_streams(listen.address))
            .collect::<Result<Vec<_>, _>>()?;
        let stream_addrs = streams
            .iter()
            .map(|socket| socket.local_addr())
            .collect::<Result<Vec<_>, _>>()
            .map_err(RelayError::Socket)?;
        let certificate =
            config.certificate.clone().map(Certificate::load).transpose()?.map(Arc::new);
        let places = Quota::new(config.streams_total, config.streams_per_address);
        let (listen, stream_listen) = (config.listen.clone(), config.streams.clone());
        let counters = Arc::new(Counters::default());
        let quota = Quota::new(config.allocations_total, config.allocations_per_user);
        let policy = PeerPolicy::new(
            &config.allow_peers,
            config.allow_loopback,
            relay_addresses.all(),
            config.ports.clone(),
        );
        let shared =
            Arc::new(Shared::new(config, policy, Arc::clone(&quota), Arc::clone(&counters))?);
        let (stop, stopped) = watch::channel(false);
        let mut listeners = JoinSet::new();
        for ((index, socket), &local) in sockets.into_iter().enumerate().zip(&local_addrs) {
            let (socket, addresses) = (Arc::new(socket), relay_addresses.for_listener(index));
            let listener = Listener::new(
                Way::Datagrams(Arc::clone(&socket)),
                local,
                addresses,
                Arc::clone(&shared),
            );
            listeners.spawn(listener.run(socket, stopped.clone()));
        }
        for (socket, wanted) in streams.into_iter().zip(stream_listen) {
            let listener = StreamListener {
                socket,
                certificate: certificate.clone().filter(|_| wanted.tls),
                addresses: relay_addresses.for_address(&listen, wanted.address.ip()),
                places: Arc::clone(&places),
                shared: Arc::clone(&shared),
            };
            listeners.spawn(listener.run(stopped.clone()));
        }
        tracing::info!(udp = ?local_addrs, tcp = ?stream_addrs, "STUN and TURN are up");
        Ok(Self { local_addrs, stream_addrs, counters, quota, stop, listeners })
    }

    /// The addresses that clients use, in the order of [`RelayConfig::listen`], with the real port
    /// where that was 0.
    #[must_use]
    pub fn local_addrs(&self) -> &[SocketAddr] {
        &self.local_addrs
    }

    /// The same for [`RelayConfig::streams`].
    #[must_use]
    pub fn stream_addrs(&self) -> &[SocketAddr] {
        &self.stream_addrs
    }

    #[must_use]
    pub fn stats(&self) -> RelayStats {
        self.counters.snapshot(self.quota.used())
    }

    /// Ends all allocations and frees all ports.
    pub async fn close(mut self) {
        // An error only means that no listener is left.
        let _ = self.stop.send(true);
        while self.listeners.join_next().await.is_some() {}
        if tokio::time::timeout(CLOSE_LIMIT, self.quota.empty()).await.is_err() {
            tracing::debug!(left = self.quota.used(), "relayed sockets close late");
        }
    }
}
