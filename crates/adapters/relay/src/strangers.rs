//! Streams whose clients have not shown credentials yet. They have a pool of their own, so that
//! nobody who has an allocation loses it to them, and the oldest of them makes room for a newcomer:
//! a client with credentials needs its place for a round trip or two only.

use crate::config::StrangerLimits;
use ipnet::IpNet;
use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

#[derive(Debug)]
pub(crate) struct Strangers {
    limits: StrangerLimits,
    /// By the order in which they came.
    present: Mutex<Present>,
}

#[derive(Debug, Default)]
struct Present {
    next: u64,
    guests: BTreeMap<u64, Guest>,
}

#[derive(Debug)]
struct Guest {
    /// The narrowest first.
    networks: Vec<IpNet>,
    leave: Arc<Notify>,
}

/// A place in the pool, until it is dropped.
#[derive(Debug)]
pub(crate) struct Stranger {
    pool: Arc<Strangers>,
    number: u64,
    leave: Arc<Notify>,
}

impl Strangers {
    pub(crate) fn new(limits: StrangerLimits) -> Arc<Self> {
        Arc::new(Self { limits, present: Mutex::default() })
    }

    /// A place for a client at this address. Another one may have to leave for it.
    pub(crate) fn enter(self: &Arc<Self>, ip: IpAddr) -> Stranger {
        let levels = self.levels(ip);
        let mut present = self.present();
        for (network, limit) in &levels {
            let inside = |guest: &&Guest| guest.networks.contains(network);
            if present.guests.values().filter(inside).count() >= *limit {
                present.send_away(|guest| guest.networks.contains(network));
            }
        }
        if present.guests.len() >= self.limits.total
            && let Some(crowd) = present.most_crowded()
        {
            present.send_away(|guest| guest.networks.last() == Some(&crowd));
        }
        let (number, leave) = (present.next, Arc::new(Notify::new()));
        present.next += 1;
        let networks = levels.into_iter().map(|(network, _)| network).collect();
        present.guests.insert(number, Guest { networks, leave: Arc::clone(&leave) });
        Stranger { pool: Arc::clone(self), number, leave }
    }

    /// The networks of an address with their limits, the narrowest first.
    fn levels(&self, ip: IpAddr) -> Vec<(IpNet, usize)> {
        let StrangerLimits { per_address, per_site, per_network, .. } = self.limits;
        let ip = ip.to_canonical();
        let levels: &[(u8, usize)] = match ip {
            IpAddr::V4(_) => &[(32, per_address), (24, per_network)],
            IpAddr::V6(_) => &[(64, per_address), (56, per_site), (48, per_network)],
        };
        let network = |&(prefix, limit)| Some((IpNet::new(ip, prefix).ok()?.trunc(), limit));
        levels.iter().filter_map(network).collect()
    }

    fn present(&self) -> MutexGuard<'_, Present> {
        // Nothing panics while it is locked.
        self.present.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Present {
    /// Sends the oldest of these away. Its place is free at once, its stream ends soon.
    fn send_away(&mut self, is_meant: impl Fn(&Guest) -> bool) {
        let oldest = self.guests.iter().find(|(_, guest)| is_meant(guest));
        if let Some(guest) =
            oldest.map(|(number, _)| *number).and_then(|number| self.guests.remove(&number))
        {
            guest.leave.notify_one();
        }
    }

    /// The widest network with the most guests.
    fn most_crowded(&self) -> Option<IpNet> {
        let mut crowds: HashMap<IpNet, usize> = HashMap::new();
        for network in self.guests.values().filter_map(|guest| guest.networks.last()) {
            *crowds.entry(*network).or_default() += 1;
        }
        crowds.into_iter().max_by_key(|(_, guests)| *guests).map(|(network, _)| network)
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
        self.pool.present().guests.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn pool() -> Arc<Strangers> {
        Strangers::new(StrangerLimits { total: 12, per_address: 2, per_site: 4, per_network: 6 })
    }

    fn is_sent_away(stranger: &Stranger) -> bool {
        stranger.sent_away().now_or_never().is_some()
    }

    fn count_sent_away(strangers: &[Stranger]) -> usize {
        strangers.iter().filter(|stranger| is_sent_away(stranger)).count()
    }

    #[test]
    fn row_7_the_oldest_of_a_full_network_makes_room() {
        let pool = pool();
        let [first, second, _third] =
            ["2001:db8::1", "2001:db8::2", "2001:db8::3"].map(|text| pool.enter(ip(text)));
        assert!(is_sent_away(&first) && !is_sent_away(&second));
        let other = pool.enter(ip("192.0.2.1"));
        assert!(!is_sent_away(&other) && !is_sent_away(&second));
    }

    #[test]
    fn row_7_wider_networks_have_limits_of_their_own() {
        let sent_away = |addresses: Vec<String>| {
            let pool = pool();
            let strangers: Vec<_> = addresses.iter().map(|text| pool.enter(ip(text))).collect();
            count_sent_away(&strangers)
        };
        let site = (0..8).map(|net| format!("2001:db8:1:{net:x}::1"));
        assert_eq!(sent_away(site.collect()), 4, "of one /56");
        let network = (0..16).map(|net| format!("2001:db8:2:{net:x}00::1"));
        assert_eq!(sent_away(network.collect()), 10, "of one /48");
        let hosts = (0..9).map(|host| format!("192.0.2.{host}"));
        assert_eq!(sent_away(hosts.collect()), 3, "of one /24");
    }

    #[test]
    fn row_7_a_crowd_makes_room_for_the_others_and_not_the_other_way_round() {
        let pool = pool();
        let alone = pool.enter(ip("198.51.100.1"));
        let crowd: Vec<_> = (0..6).map(|host| pool.enter(ip(&format!("192.0.2.{host}")))).collect();
        let others: Vec<_> =
            (0..10).map(|net| pool.enter(ip(&format!("2001:db8:{net:x}::1")))).collect();
        assert!(!is_sent_away(&alone));
        assert_eq!(count_sent_away(&crowd), 5);
        assert_eq!(count_sent_away(&others), 0);
    }

    #[test]
    fn whoever_leaves_is_forgotten() {
        let pool = pool();
        drop(pool.enter(ip("192.0.2.1")));
        assert!(pool.present().guests.is_empty());
    }
}
