//! The local networks that the machine is in, asked once.

use crate::modem::is_named_like_a_modem;
use nix::ifaddrs::{InterfaceAddress, getifaddrs};
use nix::net::if_::InterfaceFlags;
use std::io;
use std::net::IpAddr;

/// A network of an interface, such as 192.168.1.0/24 around 192.168.1.7.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lan {
    /// The machine's own address.
    pub address: IpAddr,
    mask: IpAddr,
}

impl Lan {
    #[must_use]
    pub fn holds(&self, other: IpAddr) -> bool {
        match (self.address, self.mask, other) {
            (IpAddr::V4(address), IpAddr::V4(mask), IpAddr::V4(other)) => {
                address.to_bits() & mask.to_bits() == other.to_bits() & mask.to_bits()
            }
            (IpAddr::V6(address), IpAddr::V6(mask), IpAddr::V6(other)) => {
                address.to_bits() & mask.to_bits() == other.to_bits() & mask.to_bits()
            }
            _ => false,
        }
    }
}

/// The networks of all interfaces but mobile and point-to-point ones, on which strangers are.
pub fn lans() -> io::Result<Vec<Lan>> {
    Ok(getifaddrs()?.filter_map(|interface| lan(&interface)).collect())
}

/// `None` for a mobile or point-to-point interface, or one without an address.
fn lan(interface: &InterfaceAddress) -> Option<Lan> {
    // Modems are point-to-point, or have one of the kernel's and ModemManager's names for them.
    let mobile = interface.flags.contains(InterfaceFlags::IFF_POINTOPOINT)
        || is_named_like_a_modem(&interface.interface_name);
    let ip = |storage: &nix::sys::socket::SockaddrStorage| {
        let v4 = storage.as_sockaddr_in().map(|address| IpAddr::V4(address.ip()));
        v4.or_else(|| storage.as_sockaddr_in6().map(|address| IpAddr::V6(address.ip())))
    };
    let lan =
        Lan { address: ip(interface.address.as_ref()?)?, mask: ip(interface.netmask.as_ref()?)? };
    (!mobile).then_some(lan)
}

/// Whether this is an address that no stranger on the Internet has: private or link-local
/// (RFC 1918, 3927, 4193, 4291).
#[must_use]
pub fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_private() || address.is_link_local(),
        IpAddr::V6(address) => address.is_unique_local() || address.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn neighbours_are_told_from_strangers() {
        let home = Lan { address: ip("192.168.1.7"), mask: ip("255.255.255.0") };
        assert!(home.holds(ip("192.168.1.200")));
        assert!(
            !home.holds(ip("192.168.2.1"))
                && !home.holds(ip("10.0.0.1"))
                && !home.holds(ip("fe80::1"))
        );
        let home = Lan { address: ip("2001:db8:1::7"), mask: ip("ffff:ffff:ffff:ffff::") };
        assert!(home.holds(ip("2001:db8:1::8")) && !home.holds(ip("2001:db8:2::8")));
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
}
