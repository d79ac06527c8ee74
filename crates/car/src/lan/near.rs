//! Who is near the car: on one of its own networks.
//!
//! Being there is taken as being near, as with a printer that shows its code on its display: whoever may join the network in which the
//! car is may see its claim code. Mobile networks do not count, although their addresses may look alike: strangers are on them.

use nix::ifaddrs::{InterfaceAddress, getifaddrs};
use nix::net::if_::InterfaceFlags;
use std::net::IpAddr;

/// Whether this client is in a network that one of the car's interfaces is part of.
pub(crate) fn is_near(client: IpAddr) -> bool {
    let client = client.to_canonical();
    if client.is_loopback() {
        return true;
    }
    match getifaddrs() {
        Ok(interfaces) => interfaces.filter_map(|interface| network(&interface)).any(|network| network.holds(client)),
        Err(error) => {
            tracing::warn!(%error, "cannot list the network interfaces: nobody counts as near");
            false
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

/// The interface's network, unless it leads to a mobile network or to nobody else.
fn network(interface: &InterfaceAddress) -> Option<Network> {
    // Modems are point-to-point, or have one of the kernel's and ModemManager's names for them.
    let mobile = interface.flags.contains(InterfaceFlags::IFF_POINTOPOINT)
        || ["ww", "ppp", "usb", "rmnet", "qmap"].iter().any(|name| interface.interface_name.starts_with(name));
    let ip = |storage: &nix::sys::socket::SockaddrStorage| {
        let v4 = storage.as_sockaddr_in().map(|address| IpAddr::V4(address.ip()));
        v4.or_else(|| storage.as_sockaddr_in6().map(|address| IpAddr::V6(address.ip())))
    };
    let network = Network { address: ip(interface.address.as_ref()?)?, mask: ip(interface.netmask.as_ref()?)? };
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
        assert!(!home.holds(ip("192.168.2.1")) && !home.holds(ip("10.0.0.1")) && !home.holds(ip("fe80::1")));
        let home = Network { address: ip("2001:db8:1::7"), mask: ip("ffff:ffff:ffff:ffff::") };
        assert!(home.holds(ip("2001:db8:1::8")) && !home.holds(ip("2001:db8:2::8")));
    }

    #[test]
    fn the_machine_itself_is_near_and_a_documentation_address_is_not() {
        assert!(is_near(ip("127.0.0.1")) && is_near(ip("::1")) && is_near(ip("::ffff:127.0.0.1")));
        assert!(!is_near(ip("203.0.113.9")) && !is_near(ip("2001:db8:ffff::9")));
    }
}
