//! What is known of an interface.

use std::collections::BTreeSet;
use std::net::IpAddr;

/// A network interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interface {
    /// Its number; no other one gets it while this one is there.
    pub index: u32,
    pub name: String,
    pub medium: Medium,
    /// Switched on, and with a carrier.
    pub up: bool,
    /// Its addresses that can be used now: no link-local ones, none that is still being tried or
    /// about to expire.
    pub addresses: BTreeSet<IpAddr>,
    /// Metric of the best IPv4 default route.
    pub default_v4: Option<u32>,
    /// Metric of the best IPv6 default route.
    pub default_v6: Option<u32>,
}

/// What an interface is, as far as the kernel tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Medium {
    /// The machine itself.
    Loopback,
    /// A cable, or a USB stick that looks like one.
    Ethernet,
    /// Wireless LAN.
    Wireless,
    /// A modem's data port, or PPP.
    Mobile,
    /// Tunnels, bridges and the like.
    Other,
}

impl Interface {
    /// The best metric of its default routes, if it is up and has one for which it has an address.
    #[must_use]
    pub fn default_metric(&self) -> Option<u32> {
        let has = |v4: bool| self.addresses.iter().any(|address| address.is_ipv4() == v4);
        let v4 = self.default_v4.filter(|_| has(true));
        let v6 = self.default_v6.filter(|_| has(false));
        if self.up { v4.into_iter().chain(v6).min() } else { None }
    }

    /// Addresses of the families for which it has a default route.
    #[must_use]
    pub fn outside_addresses(&self) -> BTreeSet<IpAddr> {
        let routed = |address: &&IpAddr| {
            if address.is_ipv4() { self.default_v4.is_some() } else { self.default_v6.is_some() }
        };
        self.addresses.iter().filter(routed).copied().collect()
    }
}
