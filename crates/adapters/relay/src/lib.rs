//! Embedded STUN (RFC 8489) and TURN (RFC 8656) server over UDP, TCP and TLS, for browsers and cars
//! that cannot reach each other directly.
//!
//! **The relay never sends to this machine, to a neighbour of it, or to an address inside any other
//! private network. Its users reach the public Internet, other allocations of the same relay, and
//! the networks that the operator listed; nothing else.**
//!
//! One task owns each listening UDP socket, or each client's stream, and answers one message after
//! the other:
//!
//! 1. ChannelData and Send indications go to the client's allocation, and from there to the peer,
//!    if [`policy::PeerPolicy`] allows it;
//! 2. Binding requests are answered with the sender's address;
//! 3. all other requests are authenticated: nonce, then integrity and expiry of the
//!    [`credentials`], then whether the relay serves the [`users`], then quota; a stranger gets so
//!    many refusals and no more;
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
//! * Of the crates `stun` and `turn` it uses the messages only. The allocations of `turn` take a
//!   task for each permission and channel, without a limit, and its request handling has no hook
//!   for peers or quotas, keeps every nonce that it ever gave to a stranger, and refreshes only the
//!   first address of a CreatePermission that names several.
//! * A client's sign of life is what only the client can have sent, or nearly: authenticated
//!   requests, and packets on what those have opened within five minutes. Whatever else has the
//!   client's address as its sender may be forged.
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

mod allocation;
mod attributes;
mod client;
mod config;
pub mod credentials;
#[doc(hidden)]
pub mod fuzz;
mod limiter;
mod listener;
mod nonce;
mod outbox;
pub mod policy;
mod quota;
mod registry;
mod reply;
mod request;
mod sockets;
mod special;
mod stats;
mod strangers;
mod stream;
mod table;
pub mod users;

pub use config::{Listen, RelayConfig, RelayError, StrangerLimits, StreamListen};
pub use ipnet::IpNet;
pub use policy::OwnNetworks;
pub use stats::RelayStats;
pub use stream::{Streams, Tls};

use crate::client::Way;
use crate::listener::{Listener, Shared};
use crate::policy::PeerPolicy;
use crate::quota::Quota;
use crate::sockets::RelayAddresses;
use crate::stats::Counters;
use crate::strangers::Strangers;
use crate::stream::StreamListener;
use std::net::{IpAddr, SocketAddr};
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
    addresses: RelayAddresses,
    listen: Vec<Listen>,
    strangers: Arc<Strangers>,
    shared: Arc<Shared>,
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
        let tls = config.tls.clone();
        let strangers = Strangers::new(config.strangers);
        let (listen, stream_listen) = (config.listen.clone(), config.streams.clone());
        let counters = Arc::new(Counters::default());
        let quota = Quota::new(
            config.allocations_total,
            config.allocations_per_account,
            config.allocations_per_owner,
        );
        let policy = PeerPolicy::new(
            &config.allow_peers,
            config.allow_loopback,
            relay_addresses.all(),
            OwnNetworks::read().map_err(RelayError::Interfaces)?,
        );
        let shared = Arc::new(Shared::new(config, policy, quota, counters)?);
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
                tls: tls.clone().filter(|_| wanted.tls),
                addresses: relay_addresses.for_address(&listen, wanted.address.ip()),
                strangers: Arc::clone(&strangers),
                shared: Arc::clone(&shared),
            };
            listeners.spawn(listener.run(stopped.clone()));
        }
        tracing::info!(udp = ?local_addrs, tcp = ?stream_addrs, "STUN and TURN are up");
        Ok(Self {
            local_addrs,
            stream_addrs,
            addresses: relay_addresses,
            listen,
            strangers,
            shared,
            stop,
            listeners,
        })
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

    /// The addresses at which peers reach relayed ports.
    #[must_use]
    pub fn addresses(&self) -> Vec<IpAddr> {
        self.addresses.public()
    }

    /// Takes the clients of a server that listens on this address for TURN, too.
    #[must_use]
    pub fn streams(&self, address: SocketAddr) -> Streams {
        Streams {
            addresses: self.addresses.for_address(&self.listen, address.ip()),
            strangers: Arc::clone(&self.strangers),
            shared: Arc::clone(&self.shared),
            stop: self.stop.subscribe(),
        }
    }

    #[must_use]
    pub fn stats(&self) -> RelayStats {
        self.shared.counters.snapshot(self.shared.quota.used())
    }

    /// A handle to steer the running relay with.
    #[must_use]
    pub fn control(&self) -> Control {
        Control(Arc::clone(&self.shared))
    }

    /// Ends all allocations and frees all ports.
    pub async fn close(mut self) {
        // An error only means that no listener is left.
        let _ = self.stop.send(true);
        while self.listeners.join_next().await.is_some() {}
        let quota = &self.shared.quota;
        if tokio::time::timeout(CLOSE_LIMIT, quota.empty()).await.is_err() {
            tracing::debug!(left = quota.used(), "relayed sockets close late");
        }
    }
}

/// Steers a running relay. A clone steers the same relay.
#[derive(Debug, Clone)]
pub struct Control(Arc<Shared>);

impl Control {
    /// Ends all allocations of the users for which this is true, at once. It does not keep them
    /// from new ones: [`users::Users`] does.
    pub fn end(&self, is_meant: impl Fn(&str) -> bool) {
        let ended = self.0.registry.end(is_meant);
        if ended > 0 {
            tracing::debug!(ended, "allocations ended: their users are served no longer");
        }
    }

    /// Users with an allocation, each as often as it has one.
    #[must_use]
    pub fn users(&self) -> Vec<String> {
        self.0.registry.users()
    }

    /// The machine's networks have changed: no peer may be in them.
    pub fn set_own_networks(&self, own: OwnNetworks) {
        tracing::debug!(?own, "this machine's networks");
        self.0.policy.set_own(own);
    }
}
