//! Addresses of this machine under which others may find this program.

use nix::net::if_::InterfaceFlags;
use nix::sys::socket::SockaddrStorage;
use rccar_causes::causes;
use std::net::{IpAddr, SocketAddr};

/// Most addresses that are offered: a machine with many bridges has more, and nobody reads them.
const MOST: usize = 8;

/// Interfaces of containers, virtual machines and tunnels: they come last.
const VIRTUAL: [&str; 9] =
    ["docker", "br-", "veth", "virbr", "vmnet", "vboxnet", "tun", "tailscale", "wg"];

/// The addresses at which `listens` is reached from other machines, the likeliest first.
pub(crate) fn own_addresses(listens: &[SocketAddr]) -> Vec<SocketAddr> {
    offered(listens, &interfaces())
}

/// An address, and whether its interface is a virtual one.
fn interfaces() -> Vec<(IpAddr, bool)> {
    let all = nix::ifaddrs::getifaddrs().map(Iterator::collect::<Vec<_>>);
    let all = all.unwrap_or_else(|error| {
        tracing::warn!(error = %causes(&error), "cannot list this machine's addresses");
        Vec::new()
    });
    let up = all.into_iter().filter(|interface| interface.flags.contains(InterfaceFlags::IFF_UP));
    up.filter_map(|interface| {
        let name = interface.interface_name;
        let ip = ip_of(interface.address.as_ref()?)?;
        Some((ip, VIRTUAL.iter().any(|prefix| name.starts_with(prefix))))
    })
    .collect()
}

fn ip_of(address: &SockaddrStorage) -> Option<IpAddr> {
    let v4 = address.as_sockaddr_in().map(|address| IpAddr::V4(address.ip()));
    v4.or_else(|| address.as_sockaddr_in6().map(|address| IpAddr::V6(address.ip())))
}

fn offered(listens: &[SocketAddr], interfaces: &[(IpAddr, bool)]) -> Vec<SocketAddr> {
    let mut found: Vec<(SocketAddr, bool)> = Vec::new();
    for listen in listens {
        if !listen.ip().is_unspecified() {
            found.push((*listen, false));
            continue;
        }
        // A wildcard of IPv6 takes IPv4, too, unless somebody else has that port; then both are
        // listened to.
        let of = interfaces.iter().filter(|(ip, _)| listen.is_ipv6() || ip.is_ipv4());
        found.extend(of.map(|(ip, is_virtual)| (SocketAddr::new(*ip, listen.port()), *is_virtual)));
    }
    found.retain(|(address, _)| leads_here(address.ip()));
    // Cars keep an address for years. Of IPv6 a machine has several, some for hours only.
    found.sort_by_key(|(address, is_virtual)| (*is_virtual, address.is_ipv6()));
    let mut unique: Vec<SocketAddr> = Vec::new();
    for (address, _) in found {
        if !unique.contains(&address) {
            unique.push(address);
        }
    }
    unique.truncate(MOST);
    unique
}

/// Whether another machine reaches this address without the name of an interface.
fn leads_here(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => !ip.is_loopback() && !ip.is_unspecified() && !ip.is_link_local(),
        IpAddr::V6(ip) => !ip.is_loopback() && !ip.is_unspecified() && !ip.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(listens: &[&str]) -> Vec<String> {
        let interfaces = [
            ("127.0.0.1", false),
            ("::1", false),
            ("172.17.0.1", true),
            ("fe80::1", false),
            ("2001:db8::7", false),
            ("192.168.1.20", false),
            ("169.254.3.4", false),
        ]
        .map(|(ip, is_virtual)| (ip.parse().unwrap(), is_virtual));
        let listens: Vec<_> = listens.iter().map(|text| text.parse().unwrap()).collect();
        offered(&listens, &interfaces).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_listens_everywhere_is_found_at_each_address_and_bridges_come_last() {
        assert_eq!(addresses(&["0.0.0.0:8080"]), ["192.168.1.20:8080", "172.17.0.1:8080"]);
        assert_eq!(
            addresses(&["0.0.0.0:80", "[::]:80"]),
            ["192.168.1.20:80", "[2001:db8::7]:80", "172.17.0.1:80"]
        );
    }

    #[test]
    fn what_listens_to_its_own_machine_is_found_nowhere() {
        assert_eq!(addresses(&["127.0.0.1:8080", "[::1]:8080"]), Vec::<String>::new());
        assert_eq!(addresses(&["127.0.0.1:8080", "10.0.0.7:81"]), ["10.0.0.7:81"]);
    }

    #[test]
    fn a_machine_with_many_bridges_offers_a_few() {
        let many: Vec<_> = (0..=255).map(|n| (IpAddr::from([10, 0, 0, n]), true)).collect();
        assert_eq!(offered(&["0.0.0.0:80".parse().unwrap()], &many).len(), MOST);
    }
}
