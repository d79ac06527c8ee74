//! One listening socket: its loop, and how packets get from clients to peers.

use crate::allocation::Allocation;
use crate::attributes;
use crate::client::Way;
use crate::config::RelayConfig;
use crate::credentials::Secret;
use crate::limiter::Limiter;
use crate::nonce::Nonces;
use crate::policy::PeerPolicy;
use crate::quota::Quota;
use crate::registry::Registry;
use crate::sockets::RelayPair;
use crate::stats::Counters;
use crate::users::Users;
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
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

/// Larger than any datagram on an Ethernet; longer ones are cut off and fail the length checks.
const BUFFER: usize = 2048;

/// Pause after a failed read, so that a permanent failure does not take a whole core.
const PAUSE: Duration = Duration::from_millis(10);

/// Shared by all listeners of a relay.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) realm: String,
    pub(crate) secret: Secret,
    pub(crate) users: Arc<dyn Users>,
    pub(crate) ports: RangeInclusive<u16>,
    pub(crate) max_lifetime: Duration,
    pub(crate) silent_after: Duration,
    pub(crate) keep_family: bool,
    pub(crate) policy: PeerPolicy,
    pub(crate) quota: Arc<Quota>,
    pub(crate) registry: Registry,
    /// Places for streams with an allocation.
    pub(crate) streams: Arc<Semaphore>,
    pub(crate) limiter: Limiter,
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
        let nonces = Nonces::new().map_err(RelayError::Random)?;
        Ok(Self {
            realm: config.realm,
            secret: config.secret,
            users: config.users,
            ports: config.ports,
            max_lifetime: config.max_lifetime,
            silent_after: config.silent_after,
            keep_family: config.keep_family,
            policy,
            quota,
            registry: Registry::default(),
            streams: Arc::new(Semaphore::new(config.streams_total)),
            limiter: Limiter::new(),
            counters,
            nonces,
        })
    }
}

/// Answers the clients of one socket, or the one client of a stream. Dropping it ends their
/// allocations.
pub(crate) struct Listener {
    pub(crate) way: Way,
    local: SocketAddr,
    pub(crate) addresses: RelayPair,
    /// Allocations by client. Their tasks own them.
    clients: HashMap<SocketAddr, Weak<Allocation>>,
    /// The stream's place among those with an allocation.
    seat: Option<OwnedSemaphorePermit>,
    pub(crate) shared: Arc<Shared>,
}

impl Listener {
    pub(crate) fn new(
        way: Way,
        local: SocketAddr,
        addresses: RelayPair,
        shared: Arc<Shared>,
    ) -> Self {
        Self { way, local, addresses, clients: HashMap::new(), seat: None, shared }
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

    /// Whether the client may be answered who has not shown that it knows a password. A client over
    /// a stream is where it says.
    pub(crate) fn may_answer_stranger(&self, client: SocketAddr) -> bool {
        matches!(self.way, Way::Stream(_)) || self.shared.limiter.allow(client.ip())
    }

    async fn datagram(&mut self, datagram: &[u8], client: SocketAddr) {
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
                if let Some(answer) = request::answer(self, &message, client)? {
                    self.way.send(&answer, client, &self.shared.counters).await;
                }
                Some(())
            }
            CLASS_INDICATION if message.typ.method == METHOD_SEND => {
                let (peer, payload) = attributes::send(&attributes::signed_part(&message))?;
                let sent = match self.allocation(client) {
                    Some(allocation) => allocation.send(&payload, peer).await,
                    None => false,
                };
                self.count_dropped(sent);
                Some(())
            }
            _ => None,
        }
    }

    async fn channel_data(&self, datagram: &[u8], client: SocketAddr) -> Option<()> {
        let (number, payload) = attributes::channel_data(datagram)?;
        let sent = match self.allocation(client) {
            Some(allocation) => allocation.send_on(number.0, payload).await,
            None => false,
        };
        self.count_dropped(sent);
        Some(())
    }

    fn count_dropped(&self, sent: bool) {
        if !sent {
            self.shared.counters.dropped_clients.increment();
        }
    }

    pub(crate) fn allocation(&self, client: SocketAddr) -> Option<Arc<Allocation>> {
        self.clients.get(&client)?.upgrade().filter(|allocation| !allocation.has_ended())
    }

    pub(crate) fn remember(&mut self, client: SocketAddr, allocation: &Arc<Allocation>) {
        // Allocations that have ended leave dead entries behind.
        self.clients.retain(|_, allocation| allocation.strong_count() > 0);
        self.clients.insert(client, Arc::downgrade(allocation));
    }

    /// A stream needs a place among those with an allocation. `false`: they are all taken.
    pub(crate) fn take_seat(&mut self) -> bool {
        if matches!(self.way, Way::Stream(_)) && self.seat.is_none() {
            self.seat = Arc::clone(&self.shared.streams).try_acquire_owned().ok();
            return self.seat.is_some();
        }
        true
    }

    pub(crate) fn leave_seat(&mut self) {
        self.seat = None;
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let living = self.clients.values().filter_map(Weak::upgrade);
        living.for_each(|allocation| allocation.end());
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
