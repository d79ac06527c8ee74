//! Permissions and channels of one allocation (RFC 8656 sections 9 and 12).
//!
//! Both are plain entries with a time: what has expired is taken out when there is no more room, so
//! an allocation takes the same memory whatever its client asks for.

use crate::reply::Refusal;
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use tokio::time::Instant;

/// Permissions last five minutes (RFC 8656 section 3.3).
const PERMISSION_LIFETIME: Duration = Duration::from_secs(300);

/// Channels last ten minutes (RFC 8656 section 12).
const CHANNEL_LIFETIME: Duration = Duration::from_secs(600);

/// Peers of one allocation at a time. ICE asks for one for each address of the other end: ten, or
/// some more with VPNs and containers.
const MAX_PEERS: usize = 128;

/// Channels of one allocation at a time. A client binds one for each candidate of the other end,
/// and those of ICE restarts before it cannot be given back.
const MAX_CHANNELS: usize = 64;

#[derive(Debug, Default)]
pub(crate) struct Table {
    /// When the permission for each address ends.
    permissions: HashMap<IpAddr, Instant>,
    /// The peer of each channel, and when the channel ends.
    channels: HashMap<u16, (SocketAddr, Instant)>,
    /// The channel of each peer that has one.
    numbers: HashMap<SocketAddr, u16>,
}

impl Table {
    /// Adds or renews a permission for each of `ips`; if there are too many, changes nothing.
    pub(crate) fn permit(&mut self, ips: &[IpAddr], now: Instant) -> Result<(), Refusal> {
        self.permissions.retain(|_, until| *until > now);
        let new = ips.iter().filter(|ip| !self.permissions.contains_key(ip)).count();
        if self.permissions.len() + new > MAX_PEERS {
            return Err(Refusal::InsufficientCapacity);
        }
        self.permissions.extend(ips.iter().map(|ip| (*ip, now + PERMISSION_LIFETIME)));
        Ok(())
    }

    /// Binds the channel or renews it, and with it the permission. Neither a channel with another
    /// peer nor a peer with another channel can be bound.
    pub(crate) fn bind(
        &mut self,
        number: u16,
        peer: SocketAddr,
        now: Instant,
    ) -> Result<(), Refusal> {
        self.channels.retain(|_, (_, until)| *until > now);
        self.numbers.retain(|_, number| self.channels.contains_key(number));
        let other_peer = self.channels.get(&number).is_some_and(|(bound, _)| *bound != peer);
        let other_number = self.numbers.get(&peer).is_some_and(|bound| *bound != number);
        if other_peer || other_number {
            return Err(Refusal::BadRequest);
        }
        if self.channels.len() >= MAX_CHANNELS && !self.channels.contains_key(&number) {
            return Err(Refusal::InsufficientCapacity);
        }
        self.permit(&[peer.ip()], now)?;
        self.channels.insert(number, (peer, now + CHANNEL_LIFETIME));
        self.numbers.insert(peer, number);
        Ok(())
    }

    pub(crate) fn is_permitted(&self, ip: IpAddr, now: Instant) -> bool {
        self.permissions.get(&ip).is_some_and(|until| *until > now)
    }

    /// The peer of a channel that may be used.
    pub(crate) fn peer(&self, number: u16, now: Instant) -> Option<SocketAddr> {
        let (peer, until) = *self.channels.get(&number)?;
        (until > now && self.is_permitted(peer.ip(), now)).then_some(peer)
    }

    /// The channel of a peer.
    pub(crate) fn number(&self, peer: SocketAddr, now: Instant) -> Option<u16> {
        let number = *self.numbers.get(&peer)?;
        let (_, until) = *self.channels.get(&number)?;
        (until > now).then_some(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(number: u16) -> SocketAddr {
        ([203, 0, 113, 1], number).into()
    }

    #[test]
    fn row_5_channels_are_capped_and_ended_ones_make_room() {
        let (mut table, now) = (Table::default(), Instant::now());
        for number in 0..64 {
            assert_eq!(table.bind(0x4000 + number, peer(number), now), Ok(()));
        }
        assert_eq!(table.bind(0x5000, peer(5000), now), Err(Refusal::InsufficientCapacity));
        assert_eq!(table.bind(0x4000, peer(0), now), Ok(()), "a renewal is no new channel");
        let later = now + CHANNEL_LIFETIME;
        assert_eq!(table.peer(0x4000, later), None);
        assert_eq!(table.number(peer(0), later), None);
        assert_eq!(table.bind(0x5000, peer(0), later), Ok(()), "the old ones have ended");
        assert_eq!((table.channels.len(), table.numbers.len(), table.permissions.len()), (1, 1, 1));
    }

    #[test]
    fn a_channel_and_its_peer_belong_to_each_other() {
        let (mut table, now) = (Table::default(), Instant::now());
        assert_eq!(table.bind(0x4000, peer(1), now), Ok(()));
        assert_eq!(table.bind(0x4000, peer(2), now), Err(Refusal::BadRequest));
        assert_eq!(table.bind(0x4001, peer(1), now), Err(Refusal::BadRequest));
        assert_eq!(
            (table.peer(0x4000, now), table.number(peer(1), now)),
            (Some(peer(1)), Some(0x4000))
        );
    }

    #[test]
    fn a_permission_ends_after_five_minutes_and_its_channel_rests_until_the_next() {
        let (mut table, now) = (Table::default(), Instant::now());
        table.bind(0x4000, peer(1), now).unwrap();
        assert!(
            table.is_permitted(peer(1).ip(), now + PERMISSION_LIFETIME - Duration::from_secs(1))
        );
        let later = now + PERMISSION_LIFETIME;
        assert!(!table.is_permitted(peer(1).ip(), later));
        assert_eq!(table.peer(0x4000, later), None);
        table.permit(&[peer(1).ip()], later).unwrap();
        assert_eq!(table.peer(0x4000, later), Some(peer(1)));
    }
}
