//! One listening socket: its loop, and how packets get from clients to peers.

use crate::attributes;
use crate::config::RelayConfig;
use crate::credentials::Secret;
use crate::handover::{ClientSocket, Handover, Way};
use crate::nonce::Nonces;
use crate::policy::PeerPolicy;
use crate::quota::Quota;
use crate::relayed::Relayed;
use crate::sockets::RelayPair;
use crate::stats::Counters;
use crate::{RelayError, request};
use futures_util::FutureExt;
use rccar_causes::causes;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Weak};
use std::time::Duration;
use stun::message::{CLASS_INDICATION, CLASS_REQUEST, METHOD_SEND, Message};
use tokio::net::UdpSocket;
use tokio::sync::watch;
use turn::allocation::Allocation;
use turn::allocation::allocation_manager::{Manager, ManagerConfig};
use turn::allocation::five_tuple::FiveTuple;
use turn::proto::PROTO_UDP;

/// Larger than any datagram on an Ethernet; longer ones are cut off and fail the length checks.
const BUFFER: usize = 2048;

/// Pause after a failed read, so that a permanent failure does not take a whole core.
const PAUSE: Duration = Duration::from_millis(10);

/// Shared by all listeners of a relay.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) realm: String,
    pub(crate) secret: Secret,
    pub(crate) ports: RangeInclusive<u16>,
    pub(crate) max_lifetime: Duration,
    pub(crate) silent_after: Duration,
    pub(crate) keep_family: bool,
    pub(crate) policy: PeerPolicy,
    pub(crate) quota: Arc<Quota>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) nonces: Nonces,
}

impl Shared {
    pub(crate) fn new(
        config: RelayConfig,
        policy: PeerPolicy,
        quota: Arc<Quota>,
        counters: Arc<Counters>,
    ) -> Result<Self, RelayError> {
        let RelayConfig { realm, secret, ports, max_lifetime, silent_after, keep_family, .. } =
            config;
        let nonces = Nonces::new().map_err(RelayError::Random)?;
        Ok(Self {
            realm,
            secret,
            ports,
            max_lifetime,
            silent_after,
            keep_family,
            policy,
            quota,
            counters,
            nonces,
        })
    }
}

/// Answers the clients of one socket, or the one client of a stream. Dropping it ends their
/// allocations.
pub(crate) struct Listener {
    pub(crate) socket: Arc<ClientSocket>,
    local: SocketAddr,
    pub(crate) addresses: RelayPair,
    pub(crate) manager: Manager,
    pub(crate) handover: Handover,
    /// Relayed sockets by client. `manager` owns them.
    clients: HashMap<SocketAddr, Weak<Relayed>>,
    pub(crate) shared: Arc<Shared>,
}

impl Listener {
    pub(crate) fn new(
        way: Way,
        local: SocketAddr,
        addresses: RelayPair,
        shared: Arc<Shared>,
    ) -> Self {
        let handover = Handover::default();
        let manager = Manager::new(ManagerConfig {
            relay_addr_generator: Box::new(handover.clone()),
            alloc_close_notify: None,
        });
        let socket = Arc::new(ClientSocket { way, local, counters: Arc::clone(&shared.counters) });
        Self { socket, local, addresses, manager, handover, clients: HashMap::new(), shared }
    }

    /// Answers datagrams until `stop` is true.
    pub(crate) async fn run(mut self, socket: Arc<UdpSocket>, mut stop: watch::Receiver<bool>) {
        let mut buffer = vec![0; BUFFER];
        loop {
            let received = tokio::select! {
                received = socket.recv_from(&mut buffer) => received,
                _ = stop.wait_for(|stop| *stop) => return,
            };
            match received {
                Ok((length, client)) => self.handle(&buffer[..length], client).await,
                Err(error) => {
                    tracing::debug!(
                        error = %causes(&error), listen = %self.local,
                        "cannot receive"
                    );
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }

    /// Answers a message; a panic on the way is caught.
    pub(crate) async fn handle(&mut self, message: &[u8], client: SocketAddr) {
        let shared = Arc::clone(&self.shared);
        survive(self.datagram(message, client), client, &shared.counters).await;
    }

    /// Whether any client has an allocation.
    pub(crate) fn is_used(&self) -> bool {
        self.clients.values().any(|relayed| relayed.strong_count() > 0)
    }

    async fn datagram(&mut self, datagram: &[u8], client: SocketAddr) {
        if let Some(relayed) = self.clients.get(&client).and_then(Weak::upgrade) {
            relayed.note_heard();
        }
        // The first two bits distinguish STUN from ChannelData (RFC 8656 section 12).
        let understood = match datagram.first().map(|byte| byte >> 6) {
            Some(0b00) => self.stun(datagram, client).await,
            Some(0b01) => self.channel_data(datagram, client).await,
            _ => None,
        };
        if understood.is_none() {
            tracing::trace!(%client, "malformed datagram");
            self.shared.counters.malformed.increment();
        }
    }

    async fn stun(&mut self, datagram: &[u8], client: SocketAddr) -> Option<()> {
        let message = decode(datagram)?;
        match message.typ.class {
            CLASS_REQUEST => {
                if let Some(answer) = request::answer(self, &message, client).await? {
                    self.socket.send(&answer, client).await;
                }
                Some(())
            }
            CLASS_INDICATION if message.typ.method == METHOD_SEND => {
                let (peer, payload) = attributes::send(&message)?;
                match self.allocation(client).await {
                    Some((allocation, relayed)) if allocation.has_permission(&peer).await => {
                        relayed.send(&payload, peer).await
                    }
                    _ => self.shared.counters.dropped_clients.increment(),
                }
                Some(())
            }
            _ => None,
        }
    }

    async fn channel_data(&self, datagram: &[u8], client: SocketAddr) -> Option<()> {
        let (number, payload) = attributes::channel_data(datagram)?;
        if let Some((allocation, relayed)) = self.allocation(client).await
            && let Some(peer) = allocation.get_channel_addr(&number).await
        {
            relayed.send(payload, peer).await;
        } else {
            self.shared.counters.dropped_clients.increment();
        }
        Some(())
    }

    pub(crate) async fn allocation(
        &self,
        client: SocketAddr,
    ) -> Option<(Arc<Allocation>, Arc<Relayed>)> {
        let relayed = self.clients.get(&client)?.upgrade()?;
        Some((self.manager.get_allocation(&self.five_tuple(client)).await?, relayed))
    }

    /// Of the user's allocations at this listener, ends the one whose client has been silent for
    /// longest, if that is at least [`Shared::silent_after`].
    pub(crate) async fn give_up_silent(&self, user: &str) {
        let own =
            self.clients.iter().filter_map(|(client, relayed)| Some((*client, relayed.upgrade()?)));
        let silent = own.filter(|(_, relayed)| {
            relayed.user() == user && relayed.silent_for() >= self.shared.silent_after
        });
        let Some((client, relayed)) = silent.max_by_key(|(_, relayed)| relayed.silent_for()) else {
            return;
        };
        tracing::debug!(
            user, %client, relayed = %relayed.address,
            "given up for a new one: its client is silent"
        );
        relayed.give_up_place();
        self.manager.delete_allocation(&self.five_tuple(client)).await;
    }

    pub(crate) fn remember(&mut self, client: SocketAddr, relayed: &Arc<Relayed>) {
        // Allocations that have ended leave dead entries behind.
        self.clients.retain(|_, relayed| relayed.strong_count() > 0);
        self.clients.insert(client, Arc::downgrade(relayed));
    }

    pub(crate) fn five_tuple(&self, client: SocketAddr) -> FiveTuple {
        FiveTuple { protocol: PROTO_UDP, src_addr: client, dst_addr: self.local }
    }
}

/// `None` if the datagram is no STUN message.
pub(crate) fn decode(datagram: &[u8]) -> Option<Message> {
    let mut message = Message { raw: datagram.to_vec(), ..Message::default() };
    message.decode().ok()?;
    Some(message)
}

/// A bug here or in `turn` must cost only the datagram that sets it off. Packets from peers pass
/// through tasks of `turn`: these parse nothing, and the end of one costs one allocation.
async fn survive(work: impl Future<Output = ()>, client: SocketAddr, counters: &Counters) {
    if AssertUnwindSafe(work).catch_unwind().await.is_err() {
        counters.panics.increment();
        tracing::error!(%client, "a datagram made the relay panic; it was dropped");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_costs_one_datagram_and_is_counted() {
        let counters = Counters::default();
        let client = SocketAddr::from(([203, 0, 113, 1], 9));
        survive(async { panic!("a bug") }, client, &counters).await;
        survive(async {}, client, &counters).await;
        assert_eq!(counters.snapshot(0).panics, 1);
    }
}
