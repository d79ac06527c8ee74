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

/// How long to wait for an advertisement if nothing else gives an address. The kernel asks after 0,
/// some 4 and some 12 s (RFC 7559).
const ADVERTISEMENT: Duration = Duration::from_secs(13);
/// Time between two looks for new addresses.
const LOOK: Duration = Duration::from_millis(100);

#[derive(Debug, Error)]
pub enum LinkError {
    #[error("{interface}: cannot {action}: {source}")]
    Kernel {
        interface: String,
        /// What the kernel refused, as a verb: "bring it up".
        action: &'static str,
        source: rtnetlink::Error,
    },
    #[error("the bearer has no interface")]
    NoInterface,
    #[error(
        "{interface}: the modem wants {method}, which is not known; static addresses, DHCP and \
         PPP are"
    )]
    Unsupported { interface: String, method: IpMethod },
    #[error(transparent)]
    Dhcp(#[from] DhcpError),
    #[error(transparent)]
    Ppp(#[from] PppError),
    /// pppd runs, or ran, and its interface has no address.
    #[error("{interface}: PPP has given no address")]
    NoAddress { interface: String },
    #[error("{interface}: no router gave an IPv6 address within {ADVERTISEMENT:?}")]
    NoAdvertisement { interface: String },
    #[error("cannot talk to the kernel's routing: {0}")]
    Netlink(std::io::Error),
}

/// A link that has its addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    pub interface: String,
    pub index: u32,
    pub addresses: Vec<IpAddr>,
    /// Length in bits of the first address's network.
    pub prefix: u8,
    /// Name servers.
    pub dns: Vec<IpAddr>,
    /// Whether the kernel may take more addresses by itself.
    pub advertised: bool,
}

/// A link, and the lease or pppd that it depends on.
#[derive(Debug)]
pub struct Connected {
    pub link: Link,
    port: Port,
    /// Settings without those of the lease.
    settings: Settings,
    keeper: Keeper,
}

/// The lease or pppd with which a link ends.
#[derive(Debug)]
enum Keeper {
    /// Nothing that reports an end.
    Nobody,
    Lease(Held),
    Ppp(Dialled),
}

/// The kernel's addresses and routes, by netlink.
#[derive(Debug, Clone)]
pub struct Links {
    handle: Handle,
    metric: u32,
}

impl Links {
    /// Connects to the kernel. Default routes get this metric.
    pub fn connect(metric: u32) -> Result<Self, LinkError> {
        let (connection, handle, _) = rtnetlink::new_connection().map_err(LinkError::Netlink)?;
        tokio::spawn(connection);
        Ok(Self { handle, metric })
    }

    /// The same connection with another metric. Each interface needs its own: a second default
    /// route with the same metric would replace the first.
    pub(crate) fn with_metric(&self, metric: u32) -> Self {
        Self { metric, ..self.clone() }
    }

    /// Configures the bearer's interface: with the addresses that the bearer has, or by DHCP and
    /// advertisements if it says so. Other addresses are removed.
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

    /// Configures an interface by DHCP and advertisements. Its present addresses stay until the
    /// answers come, and after that if they are the same.
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
        // Not after DHCP: the wait for the lease was time enough for the routers.
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

    /// Configures the interface by a renewed lease. True: the link differs from before.
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

    /// Takes over addresses that the kernel or pppd has added or removed by itself. True: the link
    /// differs from before.
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

    /// Takes addresses, and with them routes, off the interface. One that is gone is no error.
    pub async fn clear(&self, link: &Link) -> Result<(), LinkError> {
        let Ok(port) = self.port(&link.interface).await else { return Ok(()) };
        // Unlike IPv4's, the kernel's default routes for IPv6 do not go with their addresses.
        ipv6::off(&link.interface);
        let present = self.present(&port).await?;
        self.remove(&port, present.into_iter()).await;
        Ok(())
    }

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

    /// Finds an interface by its name.
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

    /// The addresses that the interface has now, of every kind.
    async fn present(&self, port: &Port) -> Result<Vec<AddressMessage>, LinkError> {
        let present = self.handle.address().get().set_link_index_filter(port.index).execute();
        present.try_collect().await.map_err(kernel(&port.name, "list its addresses"))
    }

    /// Waits for an address from an advertisement; empty if none comes within [`ADVERTISEMENT`].
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

    /// Makes the addresses of the interface those of `settings`. Addresses that it has already are
    /// not removed, so that connections over them go on.
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
        // Up before the addresses: the kernel takes no route over an interface that is down.
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
            // The kernel or pppd may have removed it first.
            if let Err(error) = self.handle.address().del(address).execute().await {
                tracing::debug!(
                    error = %causes(&error),
                    interface = port.name,
                    "an address could not be removed"
                );
            }
        }
    }

    /// Adds addresses with their routes, and returns those that the kernel took. An error only if
    /// it took none.
    async fn add_all(&self, port: &Port, wanted: &[Given]) -> Result<Vec<Given>, LinkError> {
        let (mut added, mut failed) = (Vec::new(), None);
        for given in wanted {
            match self.add(port, given).await {
                Ok(()) => added.push(*given),
                Err(error) => {
                    tracing::warn!(
                        error = %causes(&error),
                        address = %given.address,
                        "the link does without an address"
                    );
                    let present = self.present(port).await.unwrap_or_default();
                    // Programs would connect from an address without a route, and reach nothing.
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
        // The network gives the address to this modem alone. To look for duplicates would cost a
        // second.
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
    /// The next change of the lease, or the end of pppd. Never resolves if there is neither.
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

    /// Stops renewing the lease, or watching pppd. The link stays as it is.
    pub(crate) fn forget_keeper(&mut self) {
        self.keeper = Keeper::Nobody;
    }

    /// Whether pppd has the modem's serial port.
    pub(crate) fn is_dialled(&self) -> bool {
        matches!(self.keeper, Keeper::Ppp(_))
    }

    /// Gives the lease back, or ends pppd. The addresses of a lease stay on the interface.
    pub(crate) async fn release(self) -> Link {
        match self.keeper {
            Keeper::Lease(lease) => lease.release().await,
            Keeper::Ppp(dialled) => dialled.hang_up().await,
            Keeper::Nobody => {}
        }
        self.link
    }
}

/// The interface's own address. Between two points `Address` is the other end's, so that `Local`
/// counts first.
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

/// The own address of a message; `None` if it cannot reach anything beyond the link now.
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
