//! Connections of clients that nobody knows yet: sockets before their first message, cars that wait
//! to be claimed, HTTP connections without a sign-in. They have pools of their own, so that they
//! cost nobody who is known a place, and the oldest of a crowd makes room for newcomers.

use crate::outbox::{Out, Outbox};
use rccar_crowd::{Crowd, Guest, Shares};
use rccar_protocol::close::CloseCode;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

#[derive(Debug)]
pub(crate) struct Strangers {
    present: Mutex<Present>,
}

#[derive(Debug)]
struct Present {
    crowd: Crowd,
    leave: HashMap<Guest, Leave>,
}

/// How a guest hears that it has lost its place.
#[derive(Debug)]
enum Leave {
    Socket(Outbox),
    Request(Arc<Notify>),
}

/// A place in the pool, until it is dropped.
#[derive(Debug)]
pub(crate) struct Stranger {
    pool: Arc<Strangers>,
    guest: Guest,
}

/// A connection for requests, or a request that came through a proxy.
#[derive(Debug, Clone)]
pub(crate) struct Asking {
    place: Arc<Stranger>,
    leave: Arc<Notify>,
}

impl Strangers {
    pub(crate) fn new(shares: Shares) -> Arc<Self> {
        let present = Present { crowd: Crowd::new(shares), leave: HashMap::new() };
        Arc::new(Self { present: Mutex::new(present) })
    }

    /// A place for a WebSocket. Another one may be closed for it.
    pub(crate) fn enter(self: &Arc<Self>, address: IpAddr, outbox: Outbox) -> Stranger {
        let mut present = self.lock();
        let (guest, sent_away) = present.crowd.enter(address);
        present.leave.insert(guest, Leave::Socket(outbox));
        let told = present.take(sent_away);
        drop(present);
        told.into_iter().for_each(Leave::tell);
        Stranger { pool: Arc::clone(self), guest }
    }

    /// A place for requests. `None`: the networks of this address have enough of them.
    pub(crate) fn ask(self: &Arc<Self>, address: IpAddr) -> Option<Asking> {
        let mut present = self.lock();
        let (guest, sent_away) = present.crowd.try_enter(address).ok()?;
        let leave = Arc::new(Notify::new());
        present.leave.insert(guest, Leave::Request(Arc::clone(&leave)));
        let told = present.take(sent_away);
        drop(present);
        told.into_iter().for_each(Leave::tell);
        Some(Asking { place: Arc::new(Stranger { pool: Arc::clone(self), guest }), leave })
    }

    fn lock(&self) -> MutexGuard<'_, Present> {
        // Nothing panics while it is locked.
        self.present.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Present {
    fn take(&mut self, guests: impl IntoIterator<Item = Guest>) -> Vec<Leave> {
        guests.into_iter().filter_map(|guest| self.leave.remove(&guest)).collect()
    }
}

impl Leave {
    fn tell(self) {
        match self {
            // It may come back after some seconds.
            Self::Socket(outbox) => outbox.send(Out::Close(CloseCode::RateLimited)),
            Self::Request(leave) => leave.notify_one(),
        }
    }
}

impl Asking {
    /// Somebody is signed in here: strangers make room first.
    pub(crate) fn settle(&self) {
        self.place.pool.lock().crowd.settle(self.place.guest);
    }

    /// Resolves when somebody else has got the place.
    pub(crate) async fn sent_away(&self) {
        self.leave.notified().await;
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        let mut present = self.pool.lock();
        present.crowd.leave(self.guest);
        let leave = present.leave.remove(&self.guest);
        drop(present);
        drop(leave);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outbox::outbox;
    use futures_util::FutureExt;

    const SHARES: Shares = Shares { total: 3, per_address: 2, per_site: 2, per_network: 3 };

    #[test]
    fn row_7_a_socket_that_has_to_make_room_is_closed_and_forgotten() {
        let pool = Strangers::new(SHARES);
        let address = "192.0.2.1".parse().unwrap();
        let mut sockets: Vec<_> = (0..3).map(|_| outbox()).collect();
        let places: Vec<_> =
            sockets.iter().map(|(outbox, _)| pool.enter(address, outbox.clone())).collect();
        let mut closed = |number: usize| {
            matches!(sockets[number].1.next().now_or_never(), Some(Some(Out::Close(_))))
        };
        assert_eq!([closed(0), closed(1), closed(2)], [true, false, false]);
        drop(places);
        assert!(pool.lock().crowd.is_empty() && pool.lock().leave.is_empty());
    }

    #[test]
    fn row_7_requests_of_a_full_network_are_refused_and_a_crowd_makes_room_for_others() {
        let pool = Strangers::new(SHARES);
        let ask = |address: &str| pool.ask(address.parse().unwrap());
        let gone = |asking: &Asking| asking.sent_away().now_or_never().is_some();
        let (known, first) = (ask("192.0.2.1").unwrap(), ask("192.0.2.1").unwrap());
        known.settle();
        assert!(ask("192.0.2.1").is_none() && !gone(&first));
        let third = ask("192.0.2.2").unwrap();
        let other = ask("198.51.100.1").unwrap();
        assert!(gone(&first) && !gone(&known) && !gone(&third) && !gone(&other));
    }
}
