//! Addresses of this machine.

use nix::net::if_::InterfaceFlags;
use rccar_causes::causes;
use socket2::SockRef;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::AsFd;

/// An address of this machine, and the interface that it is on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Local {
    pub ip: IpAddr,
    /// The interface by which connections leave, whatever the routing table prefers; with `None`
    /// the table decides.
    pub device: Option<String>,
}

impl Local {
    /// All addresses that lead out of the machine; the IPv4 loopback address where there are none.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let interfaces =
            nix::ifaddrs::getifaddrs().map(Iterator::collect::<Vec<_>>).unwrap_or_else(|error| {
                tracing::warn!(error = %causes(&error), "cannot list this machine's addresses");
                Vec::new()
            });
        let up = interfaces
            .into_iter()
            .filter(|interface| interface.flags.contains(InterfaceFlags::IFF_UP));
        let mut locals: Vec<_> = up
            .filter_map(|interface| {
                Some(Self {
                    ip: ip_of(&interface.address?)?,
                    device: Some(interface.interface_name),
                })
            })
            .filter(|local| leads_out(local.ip))
            .collect();
        locals.sort();
        locals.dedup_by_key(|local| local.ip);
        if locals.is_empty() {
            locals.push(Self::loopback());
        }
        locals
    }

    /// 127.0.0.1, for a stack on a machine without a network and for tests.
    #[must_use]
    pub fn loopback() -> Self {
        Self { ip: Ipv4Addr::LOCALHOST.into(), device: None }
    }

    /// The address to bind for a connection to `server`: this one if it is of the same family and
    /// no loopback address, else any.
    pub(crate) fn source_for(&self, server: SocketAddr) -> IpAddr {
        let any: IpAddr = if server.is_ipv4() {
            Ipv4Addr::UNSPECIFIED.into()
        } else {
            Ipv6Addr::UNSPECIFIED.into()
        };
        if self.ip.is_ipv4() == server.is_ipv4() && !self.ip.is_loopback() { self.ip } else { any }
    }

    /// Ties a socket to the interface. A kernel older than 5.7 wants CAP_NET_RAW for this; without
    /// it the routing table decides.
    pub(crate) fn tie(&self, socket: &impl AsFd) {
        let Some(device) = &self.device else { return };
        if let Err(error) = SockRef::from(socket).bind_device(Some(device.as_bytes())) {
            tracing::debug!(
                error = %causes(&error), device,
                "cannot tie a socket to its interface"
            );
        }
    }
}

fn ip_of(address: &nix::sys::socket::SockaddrStorage) -> Option<IpAddr> {
    let v4 = address.as_sockaddr_in().map(|address| address.ip().into());
    v4.or_else(|| address.as_sockaddr_in6().map(|address| address.ip().into()))
}

fn leads_out(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => !ip.is_loopback() && !ip.is_link_local(),
        IpAddr::V6(ip) => !ip.is_loopback() && !ip.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_from_the_address_where_the_family_allows() {
        let local = |ip: &str| Local { ip: ip.parse().unwrap(), device: None };
        let source = |ip, server: &str| local(ip).source_for(server.parse().unwrap()).to_string();
        assert_eq!(source("192.0.2.1", "198.51.100.1:443"), "192.0.2.1");
        assert_eq!(source("192.0.2.1", "[2001:db8::1]:443"), "::");
        assert_eq!(source("127.0.0.1", "198.51.100.1:443"), "0.0.0.0");
    }

    #[test]
    fn a_machine_has_an_address_in_any_case() {
        let all = Local::all();
        assert!(!all.is_empty());
        assert!(
            all == [Local::loopback()]
                || all.iter().all(|local| leads_out(local.ip) && local.device.is_some()),
            "{all:?}"
        );
    }
}
