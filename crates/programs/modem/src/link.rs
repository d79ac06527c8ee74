//! Addresses and routes of an interface, by rtnetlink.

mod adopt;

use crate::dhcp::{self, DhcpError, Held, Lease, News, Port};
use crate::ipv6;
use crate::ppp::{Dialled, PppError};
use crate::settings::{Given, Plan, Settings};
use futures_util::TryStreamExt;
use rccar_causes::causes;
use rccar_modem_core::timing::LEASE_LIMIT;
use rtnetlink::packet_route::address::{AddressAttribute, AddressHeaderFlags, AddressMessage};
use rtnetlink::packet_route::link::{LinkAttribute, LinkLayerType};
use rtnetlink::{Handle, LinkUnspec, RouteMessageBuilder};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;
use thiserror::Error;
use tokio::time::{Instant, sleep};
use tokio_modem_manager::{Bearer, IpMethod};

/// How long advertisements are waited for where nothing else gives an address: the kernel asks
/// after 0, some 4 and some 12 s (RFC 7559).
const ADVERTISEMENT: Duration = Duration::from_secs(13);
/// Between two looks for what they have brought.
const LOOK: Duration = Duration::from_millis(100);

/// Why an interface could not be configured.
#[derive(Debug, Error)]
pub enum LinkError {
    /// The kernel refuses.
    #[error("{interface}: cannot {action}: {source}")]
    Kernel {
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
    #[error(
        "{interface}: the modem wants {method}, which is not known; static addresses, DHCP and PPP are"
    )]
    Unsupported { interface: String, method: IpMethod },
    /// No lease.
    #[error(transparent)]
    Dhcp(#[from] DhcpError),
    /// No PPP.
    #[error(transparent)]
    Ppp(#[from] PppError),
    /// pppd runs, or ran, and its interface has no address.
    #[error("{interface}: PPP has given no address")]
    NoAddress { interface: String },
    /// No router.
    #[error("{interface}: no router gave an IPv6 address within {ADVERTISEMENT:?}")]
    NoAdvertisement { interface: String },
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
    pub addresses: Vec<IpAddr>,
    /// How many bits of the first address are its network's.
    pub prefix: u8,
    /// Name servers.
    pub dns: Vec<IpAddr>,
    /// Whether the kernel may take more addresses by itself.
    pub advertised: bool,
}

/// A link and what keeps it.
#[derive(Debug)]
pub struct Connected {
    pub link: Link,
    port: Port,
    /// Without what the lease gives.
    settings: Settings,
    keeper: Keeper,
}

/// What a link lives and dies with.
#[derive(Debug)]
enum Keeper {
    /// Nothing that could tell of its end.
    Nobody,
    Lease(Held),
    Ppp(Dialled),
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

    /// The same with another metric: two default routes with one metric would be one.
    pub(crate) fn with_metric(&self, metric: u32) -> Self {
        Self { metric, ..self.clone() }
    }

    /// Gives the bearer's interface what the bearer says, or has it asked for. What was there
    /// before and is something else goes.
    ///
    /// # Errors
    /// See [`LinkError`].
    pub async fn configure(&self, bearer: &Bearer) -> Result<Connected, LinkError> {
        let interface = bearer.interface.clone().ok_or(LinkError::NoInterface)?;
        let plan = Plan::of_bearer(bearer.ip4.as_ref(), bearer.ip6.as_ref());
        let plan =
            plan.map_err(|method| LinkError::Unsupported { interface: interface.clone(), method })?;
        let port = self.port(&interface).await?;
        let settings = plan.settings;
        if settings.advertised {
            ipv6::advertised(&port.name, self.metric, true);
        } else if settings.given.iter().any(|given| given.address.is_ipv6()) {
            ipv6::given(&port.name);
        }
        self.connect_port(port, settings, plan.dhcp).await
    }

    /// Gives an interface what a DHCP server and routers say. Addresses that are there stay until
    /// then, and afterwards if they are the same.
    pub(crate) async fn lease(&self, interface: &str) -> Result<Connected, LinkError> {
        let port = self.port(interface).await?;
        ipv6::advertised(&port.name, self.metric, false);
        self.connect_port(port, Settings { advertised: true, ..Settings::default() }, true).await
    }

    async fn connect_port(
        &self,
        port: Port,
        settings: Settings,
        dhcp: bool,
    ) -> Result<Connected, LinkError> {
        self.set(&port, LinkUnspec::new_with_index(port.index).up(), "bring it up").await?;
        let (complete, held, failed) = match dhcp {
            true => match dhcp::acquire(&port, LEASE_LIMIT).await {
                Ok((lease, held)) => (settings.with_lease(&lease), Some(held), None),
                Err(error) => (settings.clone(), None, Some(error)),
            },
            false => (settings.clone(), None, None),
        };
        let mut link = self.apply(&port, &complete).await?;
        // Routers have had their time while a lease was waited for.
        if complete.given.is_empty() && !dhcp {
            link.addresses = self.await_advertised(&port).await;
        }
        match (link.addresses.is_empty(), failed) {
            (true, Some(error)) => return Err(error.into()),
            (true, None) => return Err(LinkError::NoAdvertisement { interface: port.name }),
            (false, Some(error)) => {
                tracing::warn!(error = %causes(&error), "the link does without IPv4")
            }
            (false, None) => {}
        }
        Ok(Connected { link, port, settings, keeper: held.map_or(Keeper::Nobody, Keeper::Lease) })
    }

    /// Gives the interface what a renewed lease says; whether that is something else.
    pub(crate) async fn renew(
        &self,
        connected: &mut Connected,
        lease: &Lease,
    ) -> Result<bool, LinkError> {
        let link = self.apply(&connected.port, &connected.settings.with_lease(lease)).await?;
        let differs = link != connected.link;
        connected.link = link;
        Ok(differs)
    }

    /// Looks for what the kernel, or pppd, has taken or dropped by itself; whether there is
    /// anything.
    pub(crate) async fn refresh(&self, connected: &mut Connected) -> bool {
        let Connected { link, port, keeper, .. } = connected;
        if !link.advertised {
            return false;
        }
        let Ok(present) = self.usable_addresses(port).await else { return false };
        let before = link.clone();
        if let Keeper::Ppp(dialled) = keeper {
            link.addresses = present;
            link.dns = dialled.line.name_servers();
            if let Err(error) = self.keep_routes(port, &link.addresses).await {
                tracing::warn!(error = %causes(&error), "nothing goes over the link");
            }
        } else {
            link.addresses.retain(IpAddr::is_ipv4);
            link.addresses.extend(present.into_iter().filter(IpAddr::is_ipv6));
        }
        *link != before
    }

    /// Takes addresses, and with them routes, off the interface. An interface that is gone has
    /// none.
    ///
    /// # Errors
    /// See [`LinkError`].
    pub async fn clear(&self, link: &Link) -> Result<(), LinkError> {
        let Ok(port) = self.port(&link.interface).await else { return Ok(()) };
        // The kernel's default routes for IPv6 do not go with their addresses, as those for IPv4
        // do.
        ipv6::off(&link.interface);
        let present = self.present(&port).await?;
        self.remove(&port, present.into_iter()).await;
        Ok(())
    }

    /// Switches the interface off.
    pub(crate) async fn switch_off(&self, interface: &str) -> Result<(), LinkError> {
        let port = self.port(interface).await?;
        self.set(&port, LinkUnspec::new_with_index(port.index).down(), "switch it off").await
    }

    async fn set(
        &self,
        port: &Port,
        change: rtnetlink::LinkMessageBuilder<LinkUnspec>,
        action: &'static str,
    ) -> Result<(), LinkError> {
        self.handle.link().set(change.build()).execute().await.map_err(kernel(&port.name, action))
    }

    async fn port(&self, interface: &str) -> Result<Port, LinkError> {
        let failed = kernel(interface, "find it");
        let mut found = self.handle.link().get().match_name(interface.to_owned()).execute();
        let Some(link) = found.try_next().await.map_err(failed)? else {
            return Err(LinkError::NoInterface);
        };
        let mac = link.attributes.iter().find_map(|attribute| match attribute {
            LinkAttribute::Address(mac) => mac.as_slice().try_into().ok(),
            _ => None,
        });
        let mac = mac.filter(|_| link.header.link_layer_type == LinkLayerType::Ether);
        Ok(Port { name: interface.to_owned(), index: link.header.index, mac })
    }

    async fn present(&self, port: &Port) -> Result<Vec<AddressMessage>, LinkError> {
        let present = self.handle.address().get().set_link_index_filter(port.index).execute();
        present.try_collect().await.map_err(kernel(&port.name, "list its addresses"))
    }

    /// Waits until an advertisement has brought an address; none if none does.
    async fn await_advertised(&self, port: &Port) -> Vec<IpAddr> {
        let limit = Instant::now() + ADVERTISEMENT;
        loop {
            let present = self.present(port).await.unwrap_or_default();
            let addresses: Vec<IpAddr> =
                present.iter().filter_map(usable).filter(IpAddr::is_ipv6).collect();
            if !addresses.is_empty() || Instant::now() >= limit {
                return addresses;
            }
            sleep(LOOK).await;
        }
    }

    async fn apply(&self, port: &Port, settings: &Settings) -> Result<Link, LinkError> {
        let present = self.present(port).await?;
        let kept = |message: &AddressMessage| match own(message) {
            Some(IpAddr::V6(_)) if settings.advertised => true,
            Some(address) => settings
                .given
                .iter()
                .any(|given| (given.address, given.prefix) == (address, message.header.prefix_len)),
            None => false,
        };
        self.remove(port, present.iter().filter(|message| !kept(message)).cloned()).await;
        self.set(port, LinkUnspec::new_with_index(port.index).up(), "bring it up").await?;
        if let Some(mtu) = settings.mtu()
            && let Err(error) =
                self.set(port, LinkUnspec::new_with_index(port.index).mtu(mtu), "set its MTU").await
        {
            tracing::warn!(error = %causes(&error), mtu, "the interface keeps its own MTU");
        }
        let given = self.add_all(port, &settings.given).await?;
        let advertised = present
            .iter()
            .filter_map(usable)
            .filter(|address| settings.advertised && address.is_ipv6());
        Ok(Link {
            interface: port.name.clone(),
            index: port.index,
            addresses: given.iter().map(|given| given.address).chain(advertised).collect(),
            prefix: given.first().map_or(128, |given| given.prefix),
            dns: settings.dns.clone(),
            advertised: settings.advertised,
        })
    }

    async fn remove(&self, port: &Port, addresses: impl Iterator<Item = AddressMessage>) {
        for address in addresses {
            // Another one may have been faster.
            if let Err(error) = self.handle.address().del(address).execute().await {
                tracing::debug!(error = %causes(&error), interface = port.name, "an address could not be removed");
            }
        }
    }

    /// Adds what can be added, and says what that was. What cannot is an error only if nothing else
    /// can.
    async fn add_all(&self, port: &Port, wanted: &[Given]) -> Result<Vec<Given>, LinkError> {
        let (mut added, mut failed) = (Vec::new(), None);
        for given in wanted {
            match self.add(port, given).await {
                Ok(()) => added.push(*given),
                Err(error) => {
                    tracing::warn!(error = %causes(&error), address = %given.address, "the link does without an address");
                    let present = self.present(port).await.unwrap_or_default();
                    // An address without its route would draw connections that lead nowhere.
                    self.remove(
                        port,
                        present.into_iter().filter(|message| own(message) == Some(given.address)),
                    )
                    .await;
                    failed = Some(error);
                }
            }
        }
        failed.filter(|_| added.is_empty()).map_or(Ok(added), Err)
    }

    async fn add(&self, port: &Port, given: &Given) -> Result<(), LinkError> {
        let Given { address, prefix, .. } = *given;
        let mut request = self.handle.address().add(port.index, address, prefix);
        // The network has given the address to this modem alone: looking for duplicates would cost
        // a second.
        request.message_mut().header.flags |= AddressHeaderFlags::Nodad;
        request.replace().execute().await.map_err(kernel(&port.name, "add its address"))?;
        self.add_route(port, given).await
    }

    async fn add_route(&self, port: &Port, given: &Given) -> Result<(), LinkError> {
        let route = match (given.address, given.gateway) {
            (IpAddr::V4(_), gateway) => {
                let route = RouteMessageBuilder::<Ipv4Addr>::new()
                    .output_interface(port.index)
                    .priority(self.metric);
                match gateway {
                    Some(IpAddr::V4(gateway)) => route.gateway(gateway).onlink().build(),
                    _ => route.build(),
                }
            }
            (IpAddr::V6(_), gateway) => {
                let route = RouteMessageBuilder::<Ipv6Addr>::new()
                    .output_interface(port.index)
                    .priority(self.metric);
                match gateway {
                    Some(IpAddr::V6(gateway)) => route.gateway(gateway).onlink().build(),
                    _ => route.build(),
                }
            }
        };
        self.handle
            .route()
            .add(route)
            .replace()
            .execute()
            .await
            .map_err(kernel(&port.name, "add its default route"))
    }
}

impl Connected {
    /// What becomes of what it lives with; for ever nothing if that is nobody.
    pub(crate) async fn news(&mut self) -> News {
        match &mut self.keeper {
            Keeper::Lease(lease) => lease.news().await,
            Keeper::Ppp(dialled) => {
                dialled.ended().await;
                News::Lost("pppd has ended".to_owned())
            }
            Keeper::Nobody => std::future::pending().await,
        }
    }

    /// The lease is not renewed any more, pppd not listened to; the link stays as it is.
    pub(crate) fn forget_keeper(&mut self) {
        self.keeper = Keeper::Nobody;
    }

    /// Whether pppd has the port.
    pub(crate) fn is_dialled(&self) -> bool {
        matches!(self.keeper, Keeper::Ppp(_))
    }

    /// Gives back what it lives with, and keeps the link, as far as that is possible.
    pub(crate) async fn release(self) -> Link {
        match self.keeper {
            Keeper::Lease(lease) => lease.release().await,
            Keeper::Ppp(dialled) => dialled.hang_up().await,
            Keeper::Nobody => {}
        }
        self.link
    }
}

/// The interface's own address; between two points `Address` is the other end's.
fn own(message: &AddressMessage) -> Option<IpAddr> {
    let local = message.attributes.iter().find_map(|attribute| match attribute {
        AddressAttribute::Local(address) => Some(*address),
        _ => None,
    });
    local.or_else(|| {
        message.attributes.iter().find_map(|attribute| match attribute {
            AddressAttribute::Address(address) => Some(*address),
            _ => None,
        })
    })
}

/// One with which something beyond the link can be reached now.
fn usable(message: &AddressMessage) -> Option<IpAddr> {
    let bad = AddressHeaderFlags::Tentative
        | AddressHeaderFlags::Dadfailed
        | AddressHeaderFlags::Deprecated;
    let beyond = |address: &IpAddr| match address {
        IpAddr::V4(address) => !address.is_link_local(),
        IpAddr::V6(address) => !address.is_unicast_link_local(),
    };
    own(message).filter(|address| !message.header.flags.intersects(bad) && beyond(address))
}

fn kernel(interface: &str, action: &'static str) -> impl Fn(rtnetlink::Error) -> LinkError {
    let interface = interface.to_owned();
    move |source| LinkError::Kernel { interface: interface.clone(), action, source }
}
