//! Which clients may speak plain HTTP: those on whose way to the host no stranger is.

use rccar_interfaces::{is_private, lans};
use rccar_site::Peer;
use std::net::IpAddr;

/// Whether both ends are on this machine or in private networks, or on one of its links. A client
/// of the Internet has a public address even where a router forwards a port to a private one of
/// this machine.
pub(crate) fn is_between_neighbours(peer: &Peer) -> bool {
    let local = peer.local.ip().to_canonical();
    let remote = peer.remote.ip().to_canonical();
    if is_inside(remote) && is_inside(local) {
        return true;
    }
    // Asked for public addresses only: at home, with IPv6, everybody has one.
    lans().unwrap_or_default().iter().any(|lan| lan.address == local && lan.holds(remote))
}

/// Whether listening at this address invites the Internet. A wildcard need not.
pub(crate) fn is_public(address: IpAddr) -> bool {
    let address = address.to_canonical();
    !address.is_unspecified() && !is_inside(address)
}

/// Addresses that providers share among their customers (RFC 6598) are inside: overlays use them.
fn is_inside(address: IpAddr) -> bool {
    let is_shared = matches!(address, IpAddr::V4(v4) if v4.to_bits() >> 22 == 0x6440_0000 >> 22);
    address.is_loopback() || is_private(address) || is_shared
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spoken(remote: &str, local: &str) -> bool {
        let at = |text: &str| (text.parse::<IpAddr>().unwrap(), 80).into();
        is_between_neighbours(&Peer { remote: at(remote), local: at(local), tls: false })
    }

    #[test]
    fn row_9_neighbours_speak_plain_http_and_the_internet_does_not() {
        assert!(spoken("127.0.0.1", "127.0.0.1") && spoken("::1", "::1"));
        assert!(spoken("192.168.1.20", "192.168.1.7") && spoken("fd00::2", "fd00::1"));
        assert!(spoken("::ffff:10.0.0.2", "::ffff:10.0.0.1"));
        assert!(spoken("100.64.0.2", "100.127.255.1") && !spoken("100.128.0.1", "100.127.255.1"));
        assert!(!spoken("203.0.113.9", "192.168.1.7"), "through a port that a router forwards");
        assert!(!spoken("203.0.113.9", "203.0.113.7"));
        assert!(!spoken("2001:db8:2::9", "2001:db8:1::7"));
        assert!(!spoken("10.0.0.2", "203.0.113.7"), "no address of this machine");
    }

    #[test]
    fn a_wildcard_and_a_private_address_are_not_public() {
        for (address, public) in [
            ("0.0.0.0", false),
            ("::", false),
            ("127.0.0.1", false),
            ("192.168.1.7", false),
            ("203.0.113.7", true),
            ("2001:db8::7", true),
        ] {
            assert_eq!(is_public(address.parse().unwrap()), public, "{address}");
        }
    }
}
