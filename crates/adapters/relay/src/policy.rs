//! Decides which peers an allocation may talk to.
//!
//! **Refused unless allowed:** this machine, its neighbours on every link, every address that is
//! not globally reachable, and every IPv6 form that carries an IPv4 address inside, because a
//! router may translate it to that address. Rules apply in this order:
//!
//! 1. metadata services of clouds: only if listed as a single address (`/32`, `/128`), never by a
//!    wider network;
//! 2. this machine's addresses, and the public ones that the relay names to peers: allowed at the
//!    port of an allocation that lives, so that two clients of one relay can meet; with the
//!    development switch; or if listed as a single address;
//! 3. networks in the configuration: allowed;
//! 4. networks on this machine's links, and special addresses: refused;
//! 5. all others: allowed.
//!
//! An IPv4 address inside of an IPv6 address has to pass the same rules.

use crate::special::{METADATA, embedded, is_special};
use ipnet::IpNet;
use nix::sys::socket::SockaddrStorage;
use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{PoisonError, RwLock};

/// A route that is wider leads to the Internet and not to a link: PPP and WireGuard have default
/// routes without a gateway, some of them in two halves.
const WIDEST_LINK_V4: u8 = 8;
const WIDEST_LINK_V6: u8 = 16;

/// Networks that this machine is part of. They change while the relay runs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OwnNetworks {
    /// The machine's own addresses.
    pub addresses: Vec<IpNet>,
    /// Networks whose addresses are neighbours on a link, reached without a gateway.
    pub links: Vec<IpNet>,
}

impl OwnNetworks {
    /// What the interfaces have at the moment.
    pub(crate) fn read() -> io::Result<Self> {
        let mut own = Self::default();
        for interface in nix::ifaddrs::getifaddrs()? {
            let Some(ip) = interface.address.as_ref().and_then(ip_of) else { continue };
            own.addresses.push(ip.into());
            let prefix = interface.netmask.as_ref().and_then(ip_of).map(|mask| match mask {
                IpAddr::V4(mask) => mask.to_bits().leading_ones(),
                IpAddr::V6(mask) => mask.to_bits().leading_ones(),
            });
            let network = prefix.and_then(|prefix| IpNet::new(ip, u8::try_from(prefix).ok()?).ok());
            own.links.extend(network);
            // The other end of a point-to-point link.
            own.links.extend(interface.destination.as_ref().and_then(ip_of).map(IpNet::from));
        }
        Ok(own)
    }

    fn has(&self, ip: IpAddr) -> bool {
        self.addresses.iter().any(|network| network.contains(&ip))
    }

    fn is_neighbour(&self, ip: IpAddr) -> bool {
        self.links.iter().any(|network| network.contains(&ip))
    }

    fn without_default_routes(mut self) -> Self {
        self.links.retain(|network| {
            network.prefix_len()
                >= if network.addr().is_ipv4() { WIDEST_LINK_V4 } else { WIDEST_LINK_V6 }
        });
        self
    }
}

#[derive(Debug)]
pub struct PeerPolicy {
    allowed: Vec<IpNet>,
    allow_loopback: bool,
    relays: Vec<IpAddr>,
    own: RwLock<OwnNetworks>,
    /// The addresses of each allocation that lives, by port.
    relayed: RwLock<HashMap<u16, Vec<Relayed>>>,
}

/// Where an allocation is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Relayed {
    pub(crate) public: IpAddr,
    pub(crate) bind: IpAddr,
}

impl PeerPolicy {
    /// The operator decides on `allowed` and `allow_loopback`; `relays` are the relay's own
    /// addresses.
    #[must_use]
    pub fn new(
        allowed: &[IpNet],
        allow_loopback: bool,
        relays: Vec<IpAddr>,
        own: OwnNetworks,
    ) -> Self {
        Self {
            allowed: allowed.to_vec(),
            allow_loopback,
            relays,
            own: RwLock::new(own.without_default_routes()),
            relayed: RwLock::default(),
        }
    }

    /// The machine's networks have changed.
    pub fn set_own(&self, own: OwnNetworks) {
        *self.own.write().unwrap_or_else(PoisonError::into_inner) = own.without_default_routes();
    }

    /// Whether a client may have a permission for `ip` (RFC 8656 section 10). A permission names no
    /// port: another allocation may be at the relay's own address, and the port of each packet is
    /// checked later.
    #[must_use]
    pub fn permits(&self, ip: IpAddr) -> bool {
        self.judge(ip, || self.relays.contains(&ip))
    }

    /// Whether a packet may pass from or to `peer`.
    #[must_use]
    pub fn allows(&self, peer: SocketAddr) -> bool {
        self.judge(peer.ip(), || self.is_relayed(peer))
    }

    fn judge(&self, ip: IpAddr, is_relayed: impl FnOnce() -> bool) -> bool {
        let listed_alone = self.allowed.contains(&IpNet::from(ip));
        let inside = embedded(ip);
        let own = self.own.read().unwrap_or_else(PoisonError::into_inner);
        let is_own = |ip: IpAddr| ip.is_loopback() || self.relays.contains(&ip) || own.has(ip);
        let is_inside_ours =
            inside.iter().any(|ip| METADATA.contains(ip) || is_own(*ip)) || METADATA.contains(&ip);
        if listed_alone {
            return true;
        }
        if is_inside_ours {
            return false;
        }
        if is_own(ip) {
            return self.allow_loopback || is_relayed();
        }
        let listed = |ip: IpAddr| self.allowed.iter().any(|network| network.contains(&ip));
        let is_public = |ip: IpAddr| !is_special(ip) && !own.is_neighbour(ip);
        inside.into_iter().chain([ip]).all(|ip| listed(ip) || is_public(ip))
    }

    /// An allocation lives at this port from now on.
    pub(crate) fn add_relayed(&self, port: u16, relayed: Relayed) {
        self.relayed().entry(port).or_default().push(relayed);
    }

    pub(crate) fn remove_relayed(&self, port: u16, relayed: Relayed) {
        let mut all = self.relayed();
        if let Some(at_port) = all.get_mut(&port) {
            if let Some(index) = at_port.iter().position(|other| *other == relayed) {
                at_port.swap_remove(index);
            }
            if at_port.is_empty() {
                all.remove(&port);
            }
        }
    }

    fn is_relayed(&self, peer: SocketAddr) -> bool {
        let relayed = self.relayed.read().unwrap_or_else(PoisonError::into_inner);
        relayed.get(&peer.port()).is_some_and(|at_port| {
            at_port.iter().any(|Relayed { public, bind }| {
                peer.ip() == *public
                    || peer.ip() == *bind
                    // It has the port at all addresses of its family.
                    || (bind.is_unspecified() && bind.is_ipv4() == peer.is_ipv4())
            })
        })
    }

    fn relayed(&self) -> std::sync::RwLockWriteGuard<'_, HashMap<u16, Vec<Relayed>>> {
        // Nothing panics while it is locked.
        self.relayed.write().unwrap_or_else(PoisonError::into_inner)
    }
}

fn ip_of(address: &SockaddrStorage) -> Option<IpAddr> {
    let v4 = address.as_sockaddr_in().map(|address| IpAddr::V4(address.ip()));
    v4.or_else(|| address.as_sockaddr_in6().map(|address| IpAddr::V6(address.ip())))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The machine of these tests has a public address with neighbours, and a WireGuard address.
    fn policy(allowed: &[&str], allow_loopback: bool) -> PeerPolicy {
        let networks = |texts: &[&str]| -> Vec<IpNet> {
            texts.iter().map(|network| network.parse().unwrap()).collect()
        };
        let own = OwnNetworks {
            addresses: networks(&["5.9.1.7/32", "10.9.0.1/32", "2a01:4f8:1::7/128"]),
            links: networks(&["5.9.1.0/26", "10.9.0.0/24", "2a01:4f8:1::/64", "0.0.0.0/1", "::/0"]),
        };
        PeerPolicy::new(&networks(allowed), allow_loopback, vec!["5.9.1.7".parse().unwrap()], own)
    }

    fn permits(policy: &PeerPolicy, ip: &str) -> bool {
        policy.permits(ip.parse().unwrap())
    }

    #[test]
    fn row_6_addresses_that_are_not_public_are_refused() {
        let policy = policy(&[], false);
        for ip in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "100.100.100.200",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.254",
            "168.63.129.16",
            "169.254.1.1",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.192",
            "192.0.2.1",
            "192.31.196.1",
            "192.52.193.1",
            "192.88.99.1",
            "192.168.0.1",
            "192.175.48.1",
            "198.19.0.1",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.251",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:1.1.1.1",
            "::ffff:0:1.1.1.1",
            "64:ff9b::a00:1",
            "64:ff9b::101:101",
            "64:ff9b:1::1",
            "100::1",
            "100:0:0:1::1",
            "2001::1",
            "2001:1::1",
            "2001:2::1",
            "2001:3::1",
            "2001:4:112::1",
            "2001:10::1",
            "2001:20::1",
            "2001:30::1",
            "2001:db8::1",
            "2002:a00:1::",
            "2002:101:101::",
            "2620:4f:8000::1",
            "3fff::1",
            "3fff:fff::1",
            "4000::1",
            "5f00::1",
            "fc00::1",
            "fd00:ec2::254",
            "fd20:ce::254",
            "fe80::1",
            "fec0::1",
            "ff02::fb",
            "2a01:4f8:2:0:0:5efe:10.0.0.1",
        ] {
            assert!(!permits(&policy, ip), "{ip}");
        }
    }

    #[test]
    fn public_addresses_are_allowed() {
        let policy = policy(&[], false);
        for ip in [
            "1.1.1.1",
            "100.63.255.255",
            "100.128.0.0",
            "172.15.0.1",
            "172.32.0.1",
            "192.167.0.1",
            "2001:200::1",
            "2001:470::1",
            "2606:4700::1111",
            "2a01:4f8::1",
            "2a01:4f8:2:0:0:5efe:1.1.1.1",
        ] {
            assert!(permits(&policy, ip), "{ip}");
        }
    }

    #[test]
    fn row_6_this_machine_and_its_neighbours_are_refused_as_they_change() {
        let policy = policy(&[], false);
        for ip in ["5.9.1.1", "5.9.1.62", "10.9.0.1", "10.9.0.2", "2a01:4f8:1::7", "2a01:4f8:1::8"]
        {
            assert!(!permits(&policy, ip), "{ip}");
        }
        assert!(permits(&policy, "5.9.1.64") && permits(&policy, "2a01:4f8:1:1::8"));
        assert!(!permits(&policy, "2a01:4f8:2::5efe:5.9.1.7"), "this machine by ISATAP");
        let network = |text: &str| text.parse().unwrap();
        policy.set_own(OwnNetworks {
            addresses: vec![network("5.9.2.1/32")],
            links: vec![network("5.9.2.0/24")],
        });
        assert!(!permits(&policy, "5.9.2.1") && !permits(&policy, "5.9.2.9"));
        assert!(permits(&policy, "5.9.1.1"), "no longer a neighbour");
    }

    #[test]
    fn listed_networks_are_allowed_and_their_neighbours_are_not() {
        let policy = policy(&["10.1.0.0/16", "fd12::/16", "5.9.1.0/26", "64:ff9b::/96"], false);
        assert!(permits(&policy, "10.1.2.3"));
        assert!(!permits(&policy, "10.2.0.1"));
        assert!(permits(&policy, "fd12::9"));
        assert!(!permits(&policy, "fd13::9"));
        assert!(permits(&policy, "5.9.1.8"), "a neighbour");
        assert!(!policy.allows("5.9.1.7:53".parse().unwrap()), "this machine itself");
        assert!(permits(&policy, "64:ff9b::1.1.1.1") && permits(&policy, "64:ff9b::10.1.2.3"));
        assert!(!permits(&policy, "64:ff9b::10.2.0.1"), "what is inside is not listed");
        assert!(!permits(&policy, "64:ff9b::169.254.169.254"));
    }

    #[test]
    fn metadata_services_and_this_machine_are_opened_by_their_very_address_only() {
        assert!(!permits(&policy(&["0.0.0.0/0", "::/0"], true), "169.254.169.254"));
        assert!(!permits(&policy(&["0.0.0.0/0", "::/0"], true), "fd00:ec2::254"));
        assert!(permits(&policy(&["169.254.169.254/32"], false), "169.254.169.254"));
        let everything = policy(&["0.0.0.0/0", "::/0"], false);
        assert!(!permits(&everything, "10.9.0.1") && !permits(&everything, "127.0.0.1"));
        assert!(permits(&policy(&["10.9.0.1/32"], false), "10.9.0.1"));
    }

    #[test]
    fn row_6_own_ports_are_reachable_only_while_an_allocation_has_them() {
        let policy = policy(&[], false);
        let (ip, port) = ("5.9.1.7".parse().unwrap(), 50_000);
        let peer = SocketAddr::new(ip, port);
        let at = |bind: &str| Relayed { public: ip, bind: bind.parse().unwrap() };
        assert!(policy.permits(ip), "another allocation may be there");
        assert!(!policy.allows(peer));
        policy.add_relayed(port, at("5.9.1.7"));
        assert!(policy.allows(peer));
        assert!(!policy.allows("5.9.1.7:50001".parse().unwrap()));
        assert!(!policy.allows("10.9.0.1:50000".parse().unwrap()), "bound to another address");
        policy.add_relayed(port, at("0.0.0.0"));
        assert!(policy.allows("10.9.0.1:50000".parse().unwrap()), "bound to all addresses");
        policy.remove_relayed(port, at("0.0.0.0"));
        policy.remove_relayed(port, at("5.9.1.7"));
        assert!(!policy.allows(peer) && policy.relayed().is_empty());
    }

    #[test]
    fn the_development_switch_opens_this_machine_and_nothing_else() {
        let policy = policy(&[], true);
        assert!(policy.allows("127.0.0.1:53".parse().unwrap()));
        assert!(policy.allows("[::1]:53".parse().unwrap()));
        assert!(policy.allows("10.9.0.1:53".parse().unwrap()));
        assert!(!permits(&policy, "::ffff:127.0.0.1"));
        assert!(!permits(&policy, "172.31.254.1"));
    }
}
