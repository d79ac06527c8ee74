//! An allocation: the socket behind a relayed address, and the task that reads it.

use crate::client::Way;
use crate::listener::Shared;
use crate::policy;
use crate::quota::Permit;
use crate::reply::{self, Refusal};
use crate::sockets::RelayAddress;
use crate::stats::Counters;
use crate::table::Table;
use crate::users::Share;
use rccar_causes::causes;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use stun::agent::TransactionId;
use tokio::net::UdpSocket;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};

/// Larger than any datagram on an Ethernet; the end of longer ones is lost.
const BUFFER: usize = 2048;

/// Bytes before the payload in a ChannelData message (RFC 8656 section 12.4).
const CHANNEL_HEADER: usize = 4;

/// Pause after a failed read, so that a permanent failure does not take a whole core.
const PAUSE: Duration = Duration::from_millis(10);

/// A relayed address with its owner. It passes no packet that the policy refuses.
#[derive(Debug)]
pub(crate) struct Allocation {
    socket: UdpSocket,
    /// The address that the client is told and that peers see.
    pub(crate) address: SocketAddr,
    place: policy::Relayed,
    /// The Allocate request that made it: a retransmission gets the same answer.
    pub(crate) transaction: TransactionId,
    user: String,
    share: Share,
    client: SocketAddr,
    way: Way,
    /// `None` once its place was given to another allocation.
    permit: Mutex<Option<Permit>>,
    /// When the client last gave a sign of life; see [`Allocation::silent_for`].
    heard: Mutex<Instant>,
    table: Mutex<Table>,
    /// When it ends if nobody refreshes it; `None`: it has ended.
    until: watch::Sender<Option<Instant>>,
    shared: Arc<Shared>,
}

/// Who asks for an allocation.
pub(crate) struct Request {
    pub(crate) transaction: TransactionId,
    pub(crate) user: String,
    pub(crate) share: Share,
    pub(crate) client: SocketAddr,
    pub(crate) lifetime: Duration,
}

impl Allocation {
    /// Takes the socket into use until the lifetime is over or [`Allocation::end`] is called.
    pub(crate) fn start(
        socket: UdpSocket,
        place: RelayAddress,
        request: Request,
        way: Way,
        permit: Permit,
        shared: Arc<Shared>,
    ) -> io::Result<Arc<Self>> {
        let address = SocketAddr::new(place.public, socket.local_addr()?.port());
        let place = policy::Relayed { public: place.public, bind: place.bind };
        let Request { transaction, user, share, client, lifetime } = request;
        let allocation = Arc::new(Self {
            socket,
            address,
            place,
            transaction,
            user,
            share,
            client,
            way,
            permit: Mutex::new(Some(permit)),
            heard: Mutex::new(Instant::now()),
            table: Mutex::default(),
            until: watch::Sender::new(Some(Instant::now() + lifetime)),
            shared,
        });
        allocation.shared.policy.add_relayed(address.port(), place);
        allocation.shared.registry.add(&allocation);
        tokio::spawn(Arc::clone(&allocation).relay());
        Ok(allocation)
    }

    pub(crate) fn user(&self) -> &str {
        &self.user
    }

    pub(crate) fn share(&self) -> &Share {
        &self.share
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.until.borrow().is_none()
    }

    /// Resolves when it has ended.
    pub(crate) async fn ended(&self) {
        // The sender lives in `self`, so the wait cannot fail.
        let _ = self.until.subscribe().wait_for(Option::is_none).await;
    }

    pub(crate) fn refresh(&self, lifetime: Duration) {
        let until = Instant::now() + lifetime;
        self.until.send_if_modified(|present| {
            // What has ended stays so.
            let lives = present.is_some();
            if lives {
                *present = Some(until);
            }
            lives
        });
    }

    /// Ends it. Its socket is closed soon, and then its place in the quota is free.
    pub(crate) fn end(&self) {
        self.until.send_replace(None);
    }

    /// The same, but the place is free at once.
    pub(crate) fn give_up(&self) {
        self.permit.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.end();
    }

    /// Its client has sent something that only the client can have sent.
    pub(crate) fn note_heard(&self) {
        *self.heard.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// For how long its client has given no sign of life. Signs are authenticated requests, and
    /// packets that went to a peer: those need a permission, which needs such a request every five
    /// minutes. So nobody who forges datagrams keeps an allocation for longer than that.
    pub(crate) fn silent_for(&self) -> Duration {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).elapsed()
    }

    pub(crate) fn permit(&self, ips: &[IpAddr]) -> Result<(), Refusal> {
        self.table().permit(ips, Instant::now())
    }

    pub(crate) fn bind(&self, number: u16, peer: SocketAddr) -> Result<(), Refusal> {
        self.table().bind(number, peer, Instant::now())
    }

    /// Sends the payload of a Send indication, unless there is no permission.
    pub(crate) async fn send(&self, payload: &[u8], peer: SocketAddr) -> bool {
        let permitted = self.table().is_permitted(peer.ip(), Instant::now());
        if permitted {
            self.pass_on(payload, peer).await;
        }
        permitted
    }

    /// Sends the payload of a ChannelData message, unless the channel is not bound.
    pub(crate) async fn send_on(&self, number: u16, payload: &[u8]) -> bool {
        let peer = self.table().peer(number, Instant::now());
        if let Some(peer) = peer {
            self.pass_on(payload, peer).await;
        }
        peer.is_some()
    }

    /// Nobody learns of an error: over UDP packets are lost.
    async fn pass_on(&self, payload: &[u8], peer: SocketAddr) {
        self.note_heard();
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

    /// Passes packets of peers to the client until the end.
    async fn relay(self: Arc<Self>) {
        let mut until = self.until.subscribe();
        let first = *until.borrow_and_update();
        let timer = sleep_until(first.unwrap_or_else(Instant::now));
        tokio::pin!(timer);
        let mut buffer = vec![0; CHANNEL_HEADER + BUFFER];
        loop {
            tokio::select! {
                _ = until.changed() => match *until.borrow_and_update() {
                    Some(until) => timer.as_mut().reset(until),
                    None => break,
                },
                () = &mut timer => break,
                received = self.socket.recv_from(&mut buffer[CHANNEL_HEADER..]) => match received {
                    Ok((length, peer)) => {
                        self.hand_over(&mut buffer[..CHANNEL_HEADER + length], peer).await
                    }
                    Err(error) => {
                        let address = self.address;
                        tracing::debug!(error = %causes(&error), %address, "cannot receive");
                        sleep(PAUSE).await;
                    }
                },
            }
        }
        self.end();
    }

    /// `message` has the payload, and before it room for the header of a ChannelData message.
    async fn hand_over(&self, message: &mut [u8], peer: SocketAddr) {
        let payload = message.len() - CHANNEL_HEADER;
        let now = Instant::now();
        let (permitted, number) = {
            let table = self.table();
            (table.is_permitted(peer.ip(), now), table.number(peer, now))
        };
        // The permission is for an address; the policy looks at the port, too.
        if !permitted || !self.shared.policy.allows(peer) {
            self.counters().dropped_peers.increment();
            return;
        }
        self.counters().packets_to_clients.increment();
        self.counters().bytes_to_clients.add(payload);
        if let Some(number) = number {
            let length = u16::try_from(payload).unwrap_or(u16::MAX);
            message[..2].copy_from_slice(&number.to_be_bytes());
            message[2..CHANNEL_HEADER].copy_from_slice(&length.to_be_bytes());
            self.way.send(message, self.client, self.counters()).await;
        } else if let Some(indication) = reply::data(&message[CHANNEL_HEADER..], peer) {
            self.way.send(&indication, self.client, self.counters()).await;
        }
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        // Nothing panics while it is locked.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn counters(&self) -> &Counters {
        &self.shared.counters
    }
}

impl Drop for Allocation {
    fn drop(&mut self) {
        self.shared.policy.remove_relayed(self.address.port(), self.place);
    }
}
