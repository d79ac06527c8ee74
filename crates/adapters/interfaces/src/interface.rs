//! A network interface and its state.

use std::collections::BTreeSet;
use std::net::IpAddr;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interface {
    /// The kernel's number; unique while the interface exists.
    pub index: u32,
    pub name: String,
    pub medium: Medium,
    /// Switched on, and with a carrier.
    pub up: bool,
    /// Addresses that can be used now: without link-local, tentative and deprecated ones.
    pub addresses: BTreeSet<IpAddr>,
    /// Metric of the best IPv4 default route; the lowest is the best.
    pub default_v4: Option<u32>,
    /// Metric of the best IPv6 default route.
    pub default_v6: Option<u32>,
}

/// The kind of an interface, as far as the kernel shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Medium {
    Loopback,
    /// A cable, or a USB stick that looks like one.
    Ethernet,
    Wireless,
    /// A modem's data port, or PPP.
    Mobile,
    /// Tunnels, bridges and the like.
    Other,
}

impl Interface {
    /// The best metric of the default routes. Only those count for whose family there is an
    /// address; `None` if there is none, or if the interface is down.
    #[must_use]
    pub fn default_metric(&self) -> Option<u32> {
        let has = |v4: bool| self.addresses.iter().any(|address| address.is_ipv4() == v4);
        let v4 = self.default_v4.filter(|_| has(true));
        let v6 = self.default_v6.filter(|_| has(false));
        if self.up { v4.into_iter().chain(v6).min() } else { None }
    }

    /// Addresses of the families that have a default route here.
    #[must_use]
    pub fn outside_addresses(&self) -> BTreeSet<IpAddr> {
        let routed = |address: &&IpAddr| {
            if address.is_ipv4() { self.default_v4.is_some() } else { self.default_v6.is_some() }
        };
        self.addresses.iter().filter(routed).copied().collect()
    }
}
