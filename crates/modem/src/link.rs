//! Addresses and routes of the bearer's interface, by rtnetlink.

use futures_util::TryStreamExt;
use rtnetlink::packet_route::address::AddressHeaderFlags;
use rtnetlink::{Handle, LinkUnspec, RouteMessageBuilder};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use thiserror::Error;
use tokio_modem_manager::{Bearer, IpConfig, IpMethod};

/// MTU where the network gives none: what IPv6 promises, and what every tunnel of an operator carries.
const SAFE_MTU: u32 = 1280;

/// Why an interface could not be configured.
#[derive(Debug, Error)]
pub enum LinkError {
    /// The kernel refuses.
    #[error("{interface}: cannot {action}: {source}")]
    Kernel {
        /// The interface.
        interface: String,
        /// What was tried.
        action: &'static str,
        /// Why not.
        source: rtnetlink::Error,
    },
    /// ModemManager gave no interface.
    #[error("the bearer has no interface")]
    NoInterface,
    /// The bearer's way of configuration is not supported.
    #[error("{interface}: the modem wants {method}, which is not supported yet; only static addresses are")]
    Unsupported {
        /// The interface.
        interface: String,
        /// The method.
        method: IpMethod,
    },
    /// No connection to the kernel.
    #[error("cannot talk to the kernel's routing: {0}")]
    Netlink(std::io::Error),
}

/// A link that has its addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Name.
    pub interface: String,
    /// Number.
    pub index: u32,
    /// Addresses.
    pub addresses: Vec<IpAddr>,
    /// Name servers.
    pub dns: Vec<IpAddr>,
}

/// The kernel's routing.
#[derive(Debug, Clone)]
pub struct Links {
    handle: Handle,
    metric: u32,
}

impl Links {
    /// Connects to the kernel; default routes get this metric.
    ///
    /// # Errors
    /// Netlink is not to be had.
    pub fn connect(metric: u32) -> Result<Self, LinkError> {
        let (connection, handle, _) = rtnetlink::new_connection().map_err(LinkError::Netlink)?;
        tokio::spawn(connection);
        Ok(Self { handle, metric })
    }

    /// Gives the bearer's interface what the bearer says. What was there before goes.
    ///
    /// # Errors
    /// See [`LinkError`].
    pub async fn configure(&self, bearer: &Bearer) -> Result<Link, LinkError> {
        let interface = bearer.interface.clone().ok_or(LinkError::NoInterface)?;
        let configs: Vec<&IpConfig> = [&bearer.ip4, &bearer.ip6].into_iter().flatten().collect();
        // One family without a static address is no reason to go without the other.
        let (usable, others): (Vec<&IpConfig>, Vec<&IpConfig>) =
            configs.into_iter().partition(|config| config.method == IpMethod::Static && config.address.is_some());
        if usable.is_empty() {
            let method = others.first().map_or(IpMethod::Unknown, |config| config.method);
            return Err(LinkError::Unsupported { interface, method });
        }
        let index = self.index(&interface).await?;
        self.flush(&interface, index).await?;
        let mtu = usable.iter().filter_map(|config| config.mtu).min().unwrap_or(SAFE_MTU).max(SAFE_MTU);
        let up = LinkUnspec::new_with_index(index).mtu(mtu).up().build();
        self.handle.link().set(up).execute().await.map_err(kernel(&interface, "bring it up"))?;
        for config in &usable {
            self.add(&interface, index, config).await?;
        }
        let addresses = usable.iter().filter_map(|config| config.address).collect();
        let dns = usable.iter().flat_map(|config| config.dns.iter().copied()).collect();
        Ok(Link { interface, index, addresses, dns })
    }

    /// Takes addresses, and with them routes, off the interface. An interface that is gone has none.
    ///
    /// # Errors
    /// See [`LinkError`].
    pub async fn clear(&self, link: &Link) -> Result<(), LinkError> {
        match self.index(&link.interface).await {
            Ok(index) => self.flush(&link.interface, index).await,
            Err(_) => Ok(()),
        }
    }

    async fn index(&self, interface: &str) -> Result<u32, LinkError> {
        let failed = kernel(interface, "find it");
        let mut found = self.handle.link().get().match_name(interface.to_owned()).execute();
        match found.try_next().await.map_err(failed)? {
            Some(link) => Ok(link.header.index),
            None => Err(LinkError::NoInterface),
        }
    }

    async fn flush(&self, interface: &str, index: u32) -> Result<(), LinkError> {
        let addresses = self.handle.address();
        let mut present = addresses.get().set_link_index_filter(index).execute();
        while let Some(address) = present.try_next().await.map_err(kernel(interface, "list its addresses"))? {
            // Another one may have been faster.
            if let Err(error) = addresses.del(address).execute().await {
                tracing::debug!(%error, interface, "an address could not be removed");
            }
        }
        Ok(())
    }

    async fn add(&self, interface: &str, index: u32, config: &IpConfig) -> Result<(), LinkError> {
        let Some(address) = config.address else { return Ok(()) };
        let whole = if address.is_ipv4() { 32 } else { 128 };
        let mut request = self.handle.address().add(index, address, config.prefix.unwrap_or(whole));
        // The network has given the address to this modem alone: looking for duplicates would cost a second.
        request.message_mut().header.flags |= AddressHeaderFlags::Nodad;
        request.replace().execute().await.map_err(kernel(interface, "add its address"))?;
        let route = match (address, config.gateway) {
            (IpAddr::V4(_), gateway) => {
                let route = RouteMessageBuilder::<Ipv4Addr>::new().output_interface(index).priority(self.metric);
                match gateway {
                    Some(IpAddr::V4(gateway)) => route.gateway(gateway).onlink().build(),
                    _ => route.build(),
                }
            }
            (IpAddr::V6(_), gateway) => {
                let route = RouteMessageBuilder::<Ipv6Addr>::new().output_interface(index).priority(self.metric);
                match gateway {
                    Some(IpAddr::V6(gateway)) => route.gateway(gateway).onlink().build(),
                    _ => route.build(),
                }
            }
        };
        self.handle.route().add(route).replace().execute().await.map_err(kernel(interface, "add its default route"))
    }
}

fn kernel(interface: &str, action: &'static str) -> impl Fn(rtnetlink::Error) -> LinkError {
    let interface = interface.to_owned();
    move |source| LinkError::Kernel { interface: interface.clone(), action, source }
}
