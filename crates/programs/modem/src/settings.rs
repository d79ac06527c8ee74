//! Addresses, name servers and MTU for an interface: from a bearer and from a lease.

use crate::dhcp::Lease;
use std::net::IpAddr;
use tokio_modem_manager::{IpConfig, IpMethod};

/// MTU if the network gives none. It is the least that IPv6 allows, and every tunnel of an operator
/// carries it.
const SAFE_MTU: u32 = 1280;

/// Addresses and what comes with them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Settings {
    pub(crate) given: Vec<Given>,
    pub(crate) dns: Vec<IpAddr>,
    /// MTU that the network gives.
    pub(crate) mtu: Option<u32>,
    /// MTU if the network gives none. If this is `None`, too, the interface keeps its own.
    pub(crate) default_mtu: Option<u32>,
    /// The kernel takes IPv6 addresses and routes from router advertisements.
    pub(crate) advertised: bool,
}

/// An address, and the gateway of the default route of its family. Without a gateway the route
/// leads to the other end of the link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Given {
    pub(crate) address: IpAddr,
    pub(crate) prefix: u8,
    pub(crate) gateway: Option<IpAddr>,
}

/// How a bearer's interface gets its addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(crate) settings: Settings,
    /// Whether to ask for an IPv4 lease.
    pub(crate) dhcp: bool,
}

impl Plan {
    /// Makes a plan from both families of a bearer. One that cannot be used does not cost the
    /// other. If neither can, the error is the method that is not supported.
    pub(crate) fn of_bearer(
        ip4: Option<&IpConfig>,
        ip6: Option<&IpConfig>,
    ) -> Result<Self, IpMethod> {
        let configs = || [ip4, ip6].into_iter().flatten();
        let given: Vec<Given> = configs().filter_map(Given::by_bearer).collect();
        let asks = |config: Option<&IpConfig>| {
            config.is_some_and(|config| config.method == IpMethod::Dhcp)
        };
        let (dhcp, advertised) = (asks(ip4), asks(ip6));
        if given.is_empty() && !dhcp && !advertised {
            return Err(configs().next().map_or(IpMethod::Unknown, |config| config.method));
        }
        let dns = configs().flat_map(|config| config.dns.iter().copied()).collect();
        let mtu = configs().filter_map(|config| config.mtu).min();
        Ok(Self {
            settings: Settings { given, dns, mtu, default_mtu: Some(SAFE_MTU), advertised },
            dhcp,
        })
    }
}

impl Settings {
    /// These settings and those of a lease, which come first. The smaller MTU counts.
    pub(crate) fn with_lease(&self, lease: &Lease) -> Self {
        let mut settings = self.clone();
        let address = Given {
            address: lease.address.into(),
            prefix: lease.prefix,
            gateway: lease.gateway.map(IpAddr::V4),
        };
        settings.given.insert(0, address);
        let new = lease.dns.iter().filter(|server| !self.dns.contains(server));
        settings.dns.splice(0..0, new.copied());
        settings.mtu = self.mtu.into_iter().chain(lease.mtu).min();
        settings
    }

    /// MTU to set, never below 1280; `None`: the interface keeps its own.
    pub(crate) fn mtu(&self) -> Option<u32> {
        self.mtu.or(self.default_mtu).map(|mtu| mtu.max(SAFE_MTU))
    }
}

impl Given {
    fn by_bearer(config: &IpConfig) -> Option<Self> {
        let address = config.address.filter(|_| config.method == IpMethod::Static)?;
        let whole = if address.is_ipv4() { 32 } else { 128 };
        Some(Self { address, prefix: config.prefix.unwrap_or(whole), gateway: config.gateway })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(method: IpMethod, address: Option<&str>) -> IpConfig {
        let gateway = address.map(|_| "10.64.0.1".parse().unwrap());
        let address = address.map(|address| address.parse().unwrap());
        IpConfig {
            method,
            address,
            prefix: address.map(|_| 24),
            gateway,
            dns: vec!["192.0.2.53".parse().unwrap()],
            mtu: None,
        }
    }

    fn lease() -> Lease {
        Lease {
            address: "192.168.8.100".parse().unwrap(),
            prefix: 24,
            gateway: "192.168.8.1".parse().ok(),
            dns: vec!["192.168.8.1".parse().unwrap(), "192.0.2.53".parse().unwrap()],
            mtu: Some(1400),
        }
    }

    #[test]
    fn static_addresses_are_given_and_nothing_is_asked_for() {
        let plan =
            Plan::of_bearer(Some(&config(IpMethod::Static, Some("10.64.0.2"))), None).unwrap();
        assert_eq!(
            (plan.dhcp, plan.settings.advertised, plan.settings.given.len()),
            (false, false, 1)
        );
        assert_eq!(plan.settings.given[0].gateway, "10.64.0.1".parse().ok());
    }

    #[test]
    fn dhcp_is_a_lease_for_ipv4_and_advertisements_for_ipv6() {
        let dhcp = config(IpMethod::Dhcp, None);
        let plan = Plan::of_bearer(Some(&dhcp), Some(&dhcp)).unwrap();
        assert_eq!((plan.dhcp, plan.settings.advertised), (true, true));
        assert!(plan.settings.given.is_empty());
    }

    #[test]
    fn a_family_that_cannot_be_used_does_not_cost_the_other() {
        let ppp = config(IpMethod::Ppp, None);
        let plan = Plan::of_bearer(Some(&ppp), Some(&config(IpMethod::Dhcp, None))).unwrap();
        assert_eq!((plan.dhcp, plan.settings.advertised), (false, true));
        assert_eq!(Plan::of_bearer(Some(&ppp), None), Err(IpMethod::Ppp));
        assert_eq!(
            Plan::of_bearer(Some(&config(IpMethod::Static, None)), None),
            Err(IpMethod::Static)
        );
        assert_eq!(Plan::of_bearer(None, None), Err(IpMethod::Unknown));
    }

    #[test]
    fn a_lease_comes_before_what_the_bearer_says_and_the_smaller_mtu_counts() {
        let plan = Plan::of_bearer(Some(&config(IpMethod::Dhcp, None)), None).unwrap();
        let settings = Settings { mtu: Some(1430), ..plan.settings }.with_lease(&lease());
        assert_eq!(settings.given[0].address, "192.168.8.100".parse::<IpAddr>().unwrap());
        assert_eq!(
            settings.dns,
            ["192.168.8.1", "192.0.2.53"].map(|server| server.parse::<IpAddr>().unwrap())
        );
        assert_eq!(settings.mtu(), Some(1400));
        // The assumed MTU does not count if the network gives one.
        assert_eq!(Settings { mtu: None, ..settings }.with_lease(&lease()).mtu(), Some(1400));
        assert_eq!(Settings::default().with_lease(&Lease { mtu: None, ..lease() }).mtu(), None);
        let tiny = Settings { mtu: Some(576), ..Settings::default() };
        assert_eq!(tiny.mtu(), Some(SAFE_MTU), "less than IPv6 promises");
    }
}
