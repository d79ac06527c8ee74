//! Decides which peers an allocation may talk to.
//!
//! **Refused unless allowed:** every address that is not globally reachable, and every IPv6 form
//! that carries an IPv4 address inside, because a router may translate it to that address. Rules
//! apply in this order:
//!
//! 1. metadata services of clouds: only if listed as a single address (`/32`, `/128`), never by a
//!    wider network;
//! 2. networks in the configuration: allowed;
//! 3. the relay's own addresses: allowed on ports of relayed addresses, so that two clients of one
//!    relay can meet;
//! 4. this machine's addresses: allowed with the development switch;
//! 5. special addresses (the tables in this file): refused; all others: allowed.

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use rccar_causes::causes;
use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::sync::{PoisonError, RwLock};

/// Metadata services: they give keys of the machine to anyone who can reach them.
const METADATA: [IpAddr; 5] = [
    // AWS, Azure, Google, Hetzner, OpenStack and others.
    IpAddr::V4(Ipv4Addr::new(169, 254, 169, 254)),
    // AWS.
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
    // Google.
    IpAddr::V6(Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254)),
    // Alibaba.
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
    // Azure's agent, on an otherwise public address.
    IpAddr::V4(Ipv4Addr::new(168, 63, 129, 16)),
];

/// From the IANA IPv4 Special-Purpose Address Registry. Networks for documentation are not here:
/// nothing routes them.
const SPECIAL_V4: [Ipv4Net; 12] = [
    v4([0, 0, 0, 0], 8),      // "this network" (RFC 791)
    v4([10, 0, 0, 0], 8),     // private (RFC 1918)
    v4([100, 64, 0, 0], 10),  // carrier-grade NAT (RFC 6598)
    v4([127, 0, 0, 0], 8),    // loopback (RFC 1122)
    v4([169, 254, 0, 0], 16), // link-local (RFC 3927)
    v4([172, 16, 0, 0], 12),  // private (RFC 1918)
    v4([192, 0, 0, 0], 24),   // protocol assignments (RFC 6890), Oracle's metadata among them
    v4([192, 88, 99, 0], 24), // 6to4 relays (RFC 3068)
    v4([192, 168, 0, 0], 16), // private (RFC 1918)
    v4([198, 18, 0, 0], 15),  // benchmarks (RFC 2544)
    v4([224, 0, 0, 0], 4),    // multicast (RFC 1112)
    v4([240, 0, 0, 0], 4),    // reserved (RFC 1112), limited broadcast among them
];

/// From the IANA IPv6 Special-Purpose Address Registry.
const SPECIAL_V6: [Ipv6Net; 11] = [
    v6([0, 0, 0, 0, 0, 0], 96), // unspecified, loopback, IPv4-compatible (RFC 4291)
    v6([0, 0, 0, 0, 0, 0xffff], 96), // IPv4-mapped (RFC 4291)
    v6([0x64, 0xff9b, 0, 0, 0, 0], 96), // NAT64 (RFC 6052)
    v6([0x64, 0xff9b, 1, 0, 0, 0], 48), // local NAT64 (RFC 8215)
    v6([0x100, 0, 0, 0, 0, 0], 64), // discard (RFC 6666)
    v6([0x2001, 0, 0, 0, 0, 0], 23), // protocol assignments (RFC 2928) with Teredo (RFC 4380)
    v6([0x2002, 0, 0, 0, 0, 0], 16), // 6to4 (RFC 3056)
    v6([0xfc00, 0, 0, 0, 0, 0], 7), // unique local (RFC 4193)
    v6([0xfe80, 0, 0, 0, 0, 0], 10), // link-local (RFC 4291)
    v6([0xfec0, 0, 0, 0, 0, 0], 10), // site-local (RFC 3879)
    v6([0xff00, 0, 0, 0, 0, 0], 8), // multicast (RFC 4291)
];

#[derive(Debug)]
pub struct PeerPolicy {
    allowed: Vec<IpNet>,
    allow_loopback: bool,
    relays: Vec<IpAddr>,
    ports: RangeInclusive<u16>,
    /// Addresses of this machine's interfaces; empty without the development switch.
    interfaces: RwLock<HashSet<IpAddr>>,
}

impl PeerPolicy {
    /// The operator decides on `allowed` and `allow_loopback`; `relays` are the relay's own
    /// addresses, `ports` those of relayed addresses.
    #[must_use]
    pub fn new(
        allowed: &[IpNet],
        allow_loopback: bool,
        relays: Vec<IpAddr>,
        ports: RangeInclusive<u16>,
    ) -> Self {
        let policy = Self {
            allowed: allowed.to_vec(),
            allow_loopback,
            relays,
            ports,
            interfaces: RwLock::default(),
        };
        policy.refresh();
        policy
    }

    /// Whether a client may have a permission for `ip` (RFC 8656 section 10). Lists the machine's
    /// interfaces again before it refuses, if they matter.
    #[must_use]
    pub fn permits(&self, ip: IpAddr) -> bool {
        // A permission names no port. This one lets the relay's own addresses pass; the port of
        // each packet is checked later.
        let port_of_a_relay = SocketAddr::new(ip, *self.ports.start());
        if self.allows(port_of_a_relay) {
            return true;
        }
        self.refresh();
        self.allow_loopback && self.allows(port_of_a_relay)
    }

    /// Whether a packet may pass from or to `peer`.
    #[must_use]
    pub fn allows(&self, peer: SocketAddr) -> bool {
        let ip = peer.ip();
        if METADATA.contains(&ip) {
            return self.allowed.contains(&IpNet::from(ip));
        }
        self.allowed.iter().any(|network| network.contains(&ip))
            || (self.allow_loopback && (ip.is_loopback() || self.is_interface(ip)))
            || if self.relays.contains(&ip) {
                self.ports.contains(&peer.port())
            } else {
                !is_special(ip)
            }
    }

    fn is_interface(&self, ip: IpAddr) -> bool {
        self.interfaces.read().unwrap_or_else(PoisonError::into_inner).contains(&ip)
    }

    fn refresh(&self) {
        if !self.allow_loopback {
            return;
        }
        match nix::ifaddrs::getifaddrs() {
            Ok(interfaces) => {
                let addresses =
                    interfaces.filter_map(|interface| ip_of(&interface.address?)).collect();
                *self.interfaces.write().unwrap_or_else(PoisonError::into_inner) = addresses;
            }
            Err(error) => {
                tracing::warn!(error = %causes(&error), "cannot list this machine's addresses")
            }
        }
    }
}

fn ip_of(address: &nix::sys::socket::SockaddrStorage) -> Option<IpAddr> {
    let v4 = address.as_sockaddr_in().map(|address| address.ip().into());
    v4.or_else(|| address.as_sockaddr_in6().map(|address| address.ip().into()))
}

fn is_special(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => SPECIAL_V4.iter().any(|network| network.contains(&ip)),
        IpAddr::V6(ip) => SPECIAL_V6.iter().any(|network| network.contains(&ip)),
    }
}

const fn v4([a, b, c, d]: [u8; 4], prefix: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix)
}

const fn v6([a, b, c, d, e, f]: [u16; 6], prefix: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, d, e, f, 0, 0), prefix)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(allowed: &[&str], allow_loopback: bool) -> PeerPolicy {
        let allowed: Vec<IpNet> = allowed.iter().map(|network| network.parse().unwrap()).collect();
        PeerPolicy::new(
            &allowed,
            allow_loopback,
            vec!["192.168.1.5".parse().unwrap()],
            49_152..=65_535,
        )
    }

    fn permits(policy: &PeerPolicy, ip: &str) -> bool {
        policy.permits(ip.parse().unwrap())
    }

    #[test]
    fn addresses_that_are_not_public_are_refused() {
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
            "192.88.99.1",
            "192.168.0.1",
            "198.19.0.1",
            "224.0.0.251",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:203.0.113.1",
            "64:ff9b::a00:1",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2002:a00:1::",
            "fc00::1",
            "fd00:ec2::254",
            "fd20:ce::254",
            "fe80::1",
            "fec0::1",
            "ff02::fb",
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
            "2606:4700::1111",
            "2a01:4f8::1",
        ] {
            assert!(permits(&policy, ip), "{ip}");
        }
    }

    #[test]
    fn listed_networks_are_allowed_and_their_neighbours_are_not() {
        let policy = policy(&["10.1.0.0/16", "fd12::/16"], false);
        assert!(permits(&policy, "10.1.2.3"));
        assert!(!permits(&policy, "10.2.0.1"));
        assert!(permits(&policy, "fd12::9"));
        assert!(!permits(&policy, "fd13::9"));
    }

    #[test]
    fn metadata_services_are_opened_by_their_very_address_only() {
        assert!(!permits(&policy(&["0.0.0.0/0", "::/0"], true), "169.254.169.254"));
        assert!(!permits(&policy(&["0.0.0.0/0", "::/0"], true), "fd00:ec2::254"));
        assert!(permits(&policy(&["169.254.169.254/32"], false), "169.254.169.254"));
    }

    #[test]
    fn the_relays_own_address_is_reachable_on_relayed_ports_only() {
        let policy = policy(&[], false);
        assert!(permits(&policy, "192.168.1.5"));
        assert!(policy.allows("192.168.1.5:50000".parse().unwrap()));
        assert!(!policy.allows("192.168.1.5:53".parse().unwrap()));
    }

    #[test]
    fn the_development_switch_opens_this_machine_and_nothing_else() {
        let policy = policy(&[], true);
        assert!(policy.allows("127.0.0.1:53".parse().unwrap()));
        assert!(policy.allows("[::1]:53".parse().unwrap()));
        assert!(!permits(&policy, "::ffff:127.0.0.1"));
        assert!(!permits(&policy, "172.31.254.1"));
    }
}
