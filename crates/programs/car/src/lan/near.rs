//! Decides which clients are near the car: those on one of its own networks.
//!
//! As with a printer that shows a code on its display, a person who may join the car's network may
//! see its claim code. Mobile networks do not count, although their addresses may look alike:
//! strangers are on them.
//!
//! The car's page listens on all interfaces, because they come and go. It answers on the local ones
//! only: see [`may_connect`].

use rccar_causes::causes;
use rccar_interfaces::{Lan, is_private, lans};
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
fn networks() -> Vec<Lan> {
    lans().unwrap_or_else(|error| {
        tracing::warn!(
            error = %causes(&error),
            "cannot list the network interfaces: nobody counts as near"
        );
        Vec::new()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn the_machine_itself_is_near_and_a_documentation_address_is_not() {
        assert!(is_near(ip("127.0.0.1")) && is_near(ip("::1")) && is_near(ip("::ffff:127.0.0.1")));
        assert!(!is_near(ip("203.0.113.9")) && !is_near(ip("2001:db8:ffff::9")));
    }

    #[test]
    fn the_machine_itself_may_connect_and_strangers_may_not_whatever_they_reached() {
        let peer = |remote: &str, local: &str| Peer {
            remote: (ip(remote), 5000).into(),
            local: (ip(local), 80).into(),
            tls: false,
        };
        assert!(
            may_connect(&peer("127.0.0.1", "127.0.0.1"))
                && may_connect(&peer("::ffff:127.0.0.1", "::ffff:127.0.0.1"))
        );
        for Lan { address, .. } in networks().iter().filter(|network| network.address.is_ipv4()) {
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
