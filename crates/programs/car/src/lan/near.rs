//! Decides which clients are near the car: those on one of its own networks.
//!
//! As with a printer that shows a code on its display, a person who may join the car's network may
//! see its claim code. Mobile networks do not count, although their addresses may look alike:
//! strangers are on them.
//!
//! The car's page listens on all interfaces, because they come and go. It answers on the local ones
//! only: see [`may_connect`].

use nix::ifaddrs::{InterfaceAddress, getifaddrs};
use nix::net::if_::InterfaceFlags;
use rccar_causes::causes;
use rccar_site::Peer;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

/// Whether a client of the car's page may connect. Its address must be private or in one of the
/// car's own networks, and it must come by an interface that is not a mobile one.
///
/// Both the address that the client reached and the way back to the client must belong to such an
/// interface. A false sender address does not help: the answer to it would not reach the client, so
/// that there would be no connection.
pub(crate) fn may_connect(peer: &Peer) -> bool {
    let (remote, local) = (peer.remote.ip().to_canonical(), peer.local.ip().to_canonical());
    if remote.is_loopback() {
        return true;
    }
    let by = |address: IpAddr| networks().iter().any(|network| network.address == address);
    (is_private(remote) || is_near(remote)) && by(local) && way_to(peer.remote).is_some_and(by)
}

/// Whether this is an address that no stranger on the Internet has.
fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_private() || address.is_link_local(),
        IpAddr::V6(address) => address.is_unique_local() || address.is_unicast_link_local(),
    }
}

/// The car's own address on the way to `remote`; `None` if there is no way. Connecting a datagram
/// socket sends nothing.
fn way_to(remote: SocketAddr) -> Option<IpAddr> {
    let remote = match remote.ip().to_canonical() {
        address @ IpAddr::V4(_) => (address, remote.port()).into(),
        // Whole, because it names the interface by which a link-local address is reached.
        IpAddr::V6(_) => remote,
    };
    let any: IpAddr =
        if remote.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0)).ok()?;
    socket.connect(remote).ok()?;
    Some(socket.local_addr().ok()?.ip().to_canonical())
}

/// Whether this client is on the car's computer or in one of its networks; mobile ones do not
/// count.
pub(crate) fn is_near(client: IpAddr) -> bool {
    let client = client.to_canonical();
    if client.is_loopback() {
        return true;
    }
    networks().iter().any(|network| network.holds(client))
}

/// The car's networks, without mobile ones.
fn networks() -> Vec<Network> {
    match getifaddrs() {
        Ok(interfaces) => interfaces.filter_map(|interface| network(&interface)).collect(),
        Err(error) => {
            tracing::warn!(
                error = %causes(&error),
                "cannot list the network interfaces: nobody counts as near"
            );
            Vec::new()
        }
    }
}

/// A network of the car, such as 192.168.1.0/24.
#[derive(Debug, Clone, Copy)]
struct Network {
    address: IpAddr,
    mask: IpAddr,
}

impl Network {
    fn holds(&self, client: IpAddr) -> bool {
        match (self.address, self.mask, client) {
            (IpAddr::V4(address), IpAddr::V4(mask), IpAddr::V4(client)) => {
                address.to_bits() & mask.to_bits() == client.to_bits() & mask.to_bits()
            }
            (IpAddr::V6(address), IpAddr::V6(mask), IpAddr::V6(client)) => {
                address.to_bits() & mask.to_bits() == client.to_bits() & mask.to_bits()
            }
            _ => false,
        }
    }
}

/// The interface's network; `None` for a mobile or point-to-point interface, or one without an
/// address.
fn network(interface: &InterfaceAddress) -> Option<Network> {
    // Modems are point-to-point, or have one of the kernel's and ModemManager's names for them.
    let mobile = interface.flags.contains(InterfaceFlags::IFF_POINTOPOINT)
        || rccar_interfaces::is_named_like_a_modem(&interface.interface_name);
    let ip = |storage: &nix::sys::socket::SockaddrStorage| {
        let v4 = storage.as_sockaddr_in().map(|address| IpAddr::V4(address.ip()));
        v4.or_else(|| storage.as_sockaddr_in6().map(|address| IpAddr::V6(address.ip())))
    };
    let network = Network {
        address: ip(interface.address.as_ref()?)?,
        mask: ip(interface.netmask.as_ref()?)?,
    };
    (!mobile).then_some(network)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn neighbours_are_told_from_strangers() {
        let home = Network { address: ip("192.168.1.7"), mask: ip("255.255.255.0") };
        assert!(home.holds(ip("192.168.1.200")));
        assert!(
            !home.holds(ip("192.168.2.1"))
                && !home.holds(ip("10.0.0.1"))
                && !home.holds(ip("fe80::1"))
        );
        let home = Network { address: ip("2001:db8:1::7"), mask: ip("ffff:ffff:ffff:ffff::") };
        assert!(home.holds(ip("2001:db8:1::8")) && !home.holds(ip("2001:db8:2::8")));
    }

    #[test]
    fn the_machine_itself_is_near_and_a_documentation_address_is_not() {
        assert!(is_near(ip("127.0.0.1")) && is_near(ip("::1")) && is_near(ip("::ffff:127.0.0.1")));
        assert!(!is_near(ip("203.0.113.9")) && !is_near(ip("2001:db8:ffff::9")));
    }

    #[test]
    fn private_addresses_are_told_from_public_and_shared_ones() {
        for address in
            ["10.1.2.3", "172.31.0.1", "192.168.1.1", "169.254.7.7", "fd00::1", "fe80::1"]
        {
            assert!(is_private(ip(address)), "{address}");
        }
        // 100.64.0.0/10 is what mobile networks give to their customers (RFC 6598).
        for address in ["100.64.0.1", "172.32.0.1", "8.8.8.8", "2001:db8::1", "2a00::1"] {
            assert!(!is_private(ip(address)), "{address}");
        }
    }

    #[test]
    fn the_machine_itself_may_connect_and_strangers_may_not_whatever_they_reached() {
        let peer = |remote: &str, local: &str| Peer {
            remote: (ip(remote), 5000).into(),
            local: (ip(local), 80).into(),
        };
        assert!(
            may_connect(&peer("127.0.0.1", "127.0.0.1"))
                && may_connect(&peer("::ffff:127.0.0.1", "::ffff:127.0.0.1"))
        );
        for Network { address, .. } in networks().iter().filter(|network| network.address.is_ipv4())
        {
            assert!(
                may_connect(&peer(&address.to_string(), &address.to_string())),
                "{address} is this machine's own"
            );
        }
        assert!(!may_connect(&peer("203.0.113.9", "127.0.0.1")), "a public address");
        assert!(
            !may_connect(&peer("10.1.2.3", "203.0.113.1")),
            "an address that no interface of this machine has"
        );
    }
}
