//! Streams whose clients have not shown credentials yet. They have a pool of their own, so that
//! nobody who has an allocation loses it to them, and the oldest of them makes room for a newcomer:
//! a client with credentials needs its place for a round trip or two only.

use crate::config::StrangerLimits;
use rccar_crowd::{Crowd, Guest, Shares};
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
    leave: HashMap<Guest, Arc<Notify>>,
}

/// A place in the pool, until it is dropped.
#[derive(Debug)]
pub(crate) struct Stranger {
    pool: Arc<Strangers>,
    guest: Guest,
    leave: Arc<Notify>,
}

impl Strangers {
    pub(crate) fn new(limits: StrangerLimits) -> Arc<Self> {
        let StrangerLimits { total, per_address, per_site, per_network } = limits;
        let crowd = Crowd::new(Shares { total, per_address, per_site, per_network });
        Arc::new(Self { present: Mutex::new(Present { crowd, leave: HashMap::new() }) })
    }

    /// A place for a client at this address. Another one may have to leave for it: its place is
    /// free at once, its stream ends soon.
    pub(crate) fn enter(self: &Arc<Self>, ip: IpAddr) -> Stranger {
        let mut present = self.present();
        let (guest, sent_away) = present.crowd.enter(ip);
        for other in sent_away {
            if let Some(leave) = present.leave.remove(&other) {
                leave.notify_one();
            }
        }
        let leave = Arc::new(Notify::new());
        present.leave.insert(guest, Arc::clone(&leave));
        Stranger { pool: Arc::clone(self), guest, leave }
    }

    fn present(&self) -> MutexGuard<'_, Present> {
        // Nothing panics while it is locked.
        self.present.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Stranger {
    /// Resolves when somebody else has got the place.
    pub(crate) async fn sent_away(&self) {
        self.leave.notified().await;
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        let mut present = self.pool.present();
        present.crowd.leave(self.guest);
        present.leave.remove(&self.guest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    #[test]
    fn row_7_a_stranger_who_has_to_make_room_hears_of_it_and_all_are_forgotten() {
        let pool = Strangers::new(StrangerLimits { per_address: 1, ..StrangerLimits::default() });
        let address = "192.0.2.1".parse().unwrap();
        let (first, second) = (pool.enter(address), pool.enter(address));
        assert!(first.sent_away().now_or_never().is_some());
        assert!(second.sent_away().now_or_never().is_none());
        drop((first, second));
        let present = pool.present();
        assert!(present.crowd.is_empty() && present.leave.is_empty());
    }
}
