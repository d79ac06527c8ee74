//! Counters, for the status page and for tests.

use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// Counted since the relay's start.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
        pub struct RelayStats {
            /// Allocations that exist now.
            pub allocations: usize,
            $($(#[$doc])* pub $name: u64,)*
        }

        #[derive(Debug, Default)]
        pub(crate) struct Counters {
            $(pub(crate) $name: Counter,)*
        }

        impl Counters {
            pub(crate) fn snapshot(&self, allocations: usize) -> RelayStats {
                RelayStats { allocations, $($name: self.$name.0.load(Ordering::Relaxed),)* }
            }
        }
    };
}

counters! {
    /// Binding requests answered.
    bindings,
    allocations_made,
    /// Requests with unknown, wrong or expired credentials.
    refused_credentials,
    /// Requests without good credentials that got no answer, because their source got too many.
    unanswered,
    /// Allocations refused because the account, its owner or the relay has enough.
    refused_quota,
    /// Permissions and channels refused because of the peer's address.
    refused_peers,
    /// Packets to or from a peer that the policy refuses, dropped at the relayed socket.
    dropped_peers,
    /// Datagrams dropped because the client has no allocation, permission or channel for them.
    dropped_clients,
    /// Streams taken, over TCP or TLS.
    streams,
    /// Streams without an allocation that ended: for newer ones, because they took too long, or
    /// because TLS failed or no TURN came.
    refused_streams,
    /// Messages to clients, dropped because they waited too long for their stream.
    dropped_late,
    /// Datagrams that are neither STUN nor ChannelData, or have a broken attribute.
    malformed,
    /// Packets to a client or a peer that the operating system did not take.
    send_errors,
    /// Datagrams whose handling panicked.
    panics,
    /// Packets relayed from clients to peers.
    packets_to_peers,
    /// Bytes of payload in these packets.
    bytes_to_peers,
    /// Packets relayed from peers to clients.
    packets_to_clients,
    /// Bytes of payload in these packets.
    bytes_to_clients,
}

#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn increment(&self) {
        self.add(1);
    }

    pub(crate) fn add(&self, amount: usize) {
        self.0.fetch_add(amount as u64, Ordering::Relaxed);
    }
}
