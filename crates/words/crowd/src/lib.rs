//! Places for clients that nobody knows yet. A client that turns out to be somebody needs its place
//! for a moment only, so **the oldest makes room for a newcomer, and a crowd for the others**.
//!
//! ```
//! use rccar_crowd::{Crowd, Shares};
//!
//! let mut crowd = Crowd::new(Shares { total: 100, per_address: 1, per_site: 2, per_network: 4 });
//! let (first, nobody) = crowd.enter("192.0.2.1".parse()?);
//! assert_eq!(nobody, []);
//! let (_second, sent_away) = crowd.enter("192.0.2.1".parse()?);
//! assert_eq!(sent_away, [first]);
//! # Ok::<(), std::net::AddrParseError>(())
//! ```

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests"))]

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

/// How many places there are, in all and for the networks that one attacker may have to himself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shares {
    /// For everybody together.
    pub total: usize,
    /// For one IPv4 address, and for one IPv6 /64 network: one machine or household.
    pub per_address: usize,
    /// For one IPv6 /56 network: the most that a household gets (RFC 6177).
    pub per_site: usize,
    /// For one IPv4 /24 and for one IPv6 /48 network: the least that can be routed.
    pub per_network: usize,
}

/// The share of a network is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Full;

/// The number of a guest: a later one has a larger number.
pub type Guest = u64;

#[derive(Debug)]
pub struct Crowd {
    shares: Shares,
    next: Guest,
    guests: BTreeMap<Guest, Present>,
    /// Guests of each network, without those that have none.
    counts: HashMap<Network, usize>,
}

#[derive(Debug)]
struct Present {
    /// The narrowest first.
    networks: Vec<Network>,
    settled: bool,
}

/// Length of the prefix, and its bits. IPv4 has lengths of its own, 32 and 24.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Network(u8, u128);

impl Crowd {
    #[must_use]
    pub fn new(shares: Shares) -> Self {
        Self { shares, next: 0, guests: BTreeMap::new(), counts: HashMap::new() }
    }

    /// Gives a place to a client at this address. The oldest of a network whose share is taken
    /// makes room, and where all places are taken, the oldest of the most crowded network. The
    /// guests that are returned have lost theirs.
    pub fn enter(&mut self, address: IpAddr) -> (Guest, Vec<Guest>) {
        let levels = self.levels(address);
        let mut sent_away = Vec::new();
        for (network, share) in &levels {
            if self.count(network) >= *share {
                sent_away.extend(self.send_away(|guest| guest.networks.contains(network)));
            }
        }
        sent_away.extend(self.make_room());
        (self.add(levels), sent_away)
    }

    /// As [`Self::enter`], but nobody makes room for others of the same network.
    pub fn try_enter(&mut self, address: IpAddr) -> Result<(Guest, Option<Guest>), Full> {
        let levels = self.levels(address);
        if levels.iter().any(|(network, share)| self.count(network) >= *share) {
            return Err(Full);
        }
        let sent_away = self.make_room();
        Ok((self.add(levels), sent_away))
    }

    /// The guest is known now. It makes room only where all are known.
    pub fn settle(&mut self, guest: Guest) {
        if let Some(present) = self.guests.get_mut(&guest) {
            present.settled = true;
        }
    }

    /// Frees the place, if the guest still has it.
    pub fn leave(&mut self, guest: Guest) {
        let Some(present) = self.guests.remove(&guest) else { return };
        for network in present.networks {
            if let Some(count) = self.counts.get_mut(&network) {
                *count -= 1;
                if *count == 0 {
                    self.counts.remove(&network);
                }
            }
        }
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.guests.is_empty()
    }

    fn count(&self, network: &Network) -> usize {
        self.counts.get(network).copied().unwrap_or(0)
    }

    fn add(&mut self, levels: Vec<(Network, usize)>) -> Guest {
        let guest = self.next;
        self.next += 1;
        let networks: Vec<_> = levels.into_iter().map(|(network, _)| network).collect();
        for network in &networks {
            *self.counts.entry(*network).or_default() += 1;
        }
        self.guests.insert(guest, Present { networks, settled: false });
        guest
    }

    fn make_room(&mut self) -> Option<Guest> {
        if self.guests.len() < self.shares.total {
            return None;
        }
        let crowd = self.most_crowded()?;
        self.send_away(|guest| guest.networks.last() == Some(&crowd))
    }

    fn send_away(&mut self, is_meant: impl Fn(&Present) -> bool) -> Option<Guest> {
        let oldest = |settled: bool| {
            let mut meant = self.guests.iter().filter(|(_, guest)| is_meant(guest));
            meant.find(|(_, guest)| guest.settled == settled).map(|(&number, _)| number)
        };
        let guest = oldest(false).or_else(|| oldest(true))?;
        self.leave(guest);
        Some(guest)
    }

    /// The widest network with the most guests that are not known, or with the most of all. Of
    /// several, that of the oldest guest.
    fn most_crowded(&self) -> Option<Network> {
        let mut crowds: HashMap<Network, (usize, usize, Reverse<Guest>)> = HashMap::new();
        for (number, guest) in &self.guests {
            if let Some(network) = guest.networks.last() {
                let crowd = crowds.entry(*network).or_insert((0, 0, Reverse(*number)));
                if !guest.settled && crowd.0 == 0 {
                    crowd.2 = Reverse(*number);
                }
                crowd.0 += usize::from(!guest.settled);
                crowd.1 += 1;
            }
        }
        crowds.into_iter().max_by_key(|(_, crowd)| *crowd).map(|(network, _)| network)
    }

    /// The networks of an address with their shares, the narrowest first.
    fn levels(&self, address: IpAddr) -> Vec<(Network, usize)> {
        let Shares { per_address, per_site, per_network, .. } = self.shares;
        match address.to_canonical() {
            IpAddr::V4(v4) => {
                let of = |bits: u8| Network(bits, (v4.to_bits() >> (32 - bits)).into());
                vec![(of(32), per_address), (of(24), per_network)]
            }
            IpAddr::V6(v6) => {
                let of = |bits: u8| Network(bits, v6.to_bits() >> (128 - bits));
                vec![(of(64), per_address), (of(56), per_site), (of(48), per_network)]
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn crowd() -> Crowd {
        Crowd::new(Shares { total: 12, per_address: 2, per_site: 4, per_network: 6 })
    }

    /// The guests of these addresses, and those who had to leave.
    fn enter(crowd: &mut Crowd, addresses: &[String]) -> (Vec<Guest>, Vec<Guest>) {
        let (mut guests, mut gone) = (vec![], vec![]);
        for address in addresses {
            let (guest, sent_away) = crowd.enter(ip(address));
            guests.push(guest);
            gone.extend(sent_away);
        }
        (guests, gone)
    }

    #[test]
    fn row_7_the_oldest_of_a_full_network_makes_room() {
        let mut crowd = crowd();
        let of_one = ["2001:db8::1", "2001:db8::2", "2001:db8::3"].map(str::to_owned);
        let (guests, gone) = enter(&mut crowd, &of_one);
        assert_eq!(gone, guests[..1]);
        assert_eq!(crowd.enter(ip("192.0.2.1")).1, []);
    }

    #[test]
    fn row_7_wider_networks_have_shares_of_their_own() {
        let gone = |addresses: Vec<String>| enter(&mut crowd(), &addresses).1.len();
        assert_eq!(gone((0..8).map(|net| format!("2001:db8:1:{net:x}::1")).collect()), 4);
        assert_eq!(gone((0..16).map(|net| format!("2001:db8:2:{net:x}00::1")).collect()), 10);
        assert_eq!(gone((0..9).map(|host| format!("192.0.2.{host}")).collect()), 3);
    }

    #[test]
    fn row_7_a_crowd_makes_room_for_the_others_and_not_the_other_way_round() {
        let mut crowd = crowd();
        let alone = crowd.enter(ip("198.51.100.1")).0;
        let addresses: Vec<_> = (0..6).map(|host| format!("192.0.2.{host}")).collect();
        let (mob, _) = enter(&mut crowd, &addresses);
        let addresses: Vec<_> = (0..10).map(|net| format!("2001:db8:{net:x}::1")).collect();
        let (_, gone) = enter(&mut crowd, &addresses);
        assert!(!gone.contains(&alone));
        assert_eq!(gone, mob[..5]);
    }

    #[test]
    fn row_7_of_networks_that_are_alike_the_oldest_guest_makes_room() {
        for _ in 0..20 {
            let mut crowd = crowd();
            let addresses: Vec<_> = (0..30).map(|net| format!("192.0.{net}.1")).collect();
            let (guests, gone) = enter(&mut crowd, &addresses);
            assert_eq!(gone, guests[..18]);
        }
    }

    #[test]
    fn row_7_a_guest_who_is_known_stays_while_there_are_strangers() {
        let mut crowd = crowd();
        let known = crowd.enter(ip("192.0.2.1")).0;
        crowd.settle(known);
        let second = crowd.enter(ip("192.0.2.1")).0;
        assert_eq!(crowd.enter(ip("192.0.2.1")).1, [second]);
        assert_eq!(crowd.try_enter(ip("192.0.2.1")), Err(Full));
        let all: Vec<_> = (0..11).map(|net| format!("2001:db8:{net:x}::1")).collect();
        let (_, gone) = enter(&mut crowd, &all);
        assert!(!gone.contains(&known) && !gone.is_empty());
    }

    #[test]
    fn whoever_leaves_is_forgotten() {
        let mut crowd = crowd();
        let (guest, _) = crowd.enter(ip("192.0.2.1"));
        crowd.leave(guest);
        crowd.leave(guest);
        assert!(crowd.is_empty() && crowd.counts.is_empty());
    }
}
