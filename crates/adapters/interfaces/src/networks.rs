//! The networks that this machine is part of.

use crate::read::Reading;
use crate::watcher::Watch;
use futures_util::TryStreamExt;
use rtnetlink::packet_route::address::{AddressAttribute, AddressMessage};
use rtnetlink::packet_route::route::{RouteAddress, RouteAttribute, RouteMessage, RouteType};
use rtnetlink::{Handle, RouteMessageBuilder};
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// An address and the length of its network's prefix.
pub type Network = (IpAddr, u8);

/// What packets reach without a router. Other than in [`crate::Interface`], everything counts:
/// loopback, addresses that cannot be used yet or no longer, and all routing tables.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Networks {
    /// Addresses of this machine, and networks that it has as a whole.
    pub own: BTreeSet<Network>,
    /// Networks on its links: those of its addresses, and those with a route that has no gateway.
    /// A default route without a gateway, as over PPP, is among them.
    pub links: BTreeSet<Network>,
}

/// Follows [`Networks`].
#[derive(Default)]
pub struct NetworksWatcher(Watch<Networks>);

impl NetworksWatcher {
    /// Its task starts at the first call of [`Self::next`].
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// As [`crate::Watcher::next`].
    pub async fn next(&mut self) -> Networks {
        self.0.next().await
    }
}

impl Reading for Networks {
    async fn read(handle: &Handle) -> Result<Self, rtnetlink::Error> {
        let mut networks = Self::default();
        let addresses: Vec<AddressMessage> = handle.address().get().execute().try_collect().await?;
        addresses.iter().for_each(|address| networks.add_address(address));
        for filter in [
            RouteMessageBuilder::<Ipv4Addr>::new().build(),
            RouteMessageBuilder::<Ipv6Addr>::new().build(),
        ] {
            let unspecified = if filter.header.address_family == V4 {
                IpAddr::from(Ipv4Addr::UNSPECIFIED)
            } else {
                Ipv6Addr::UNSPECIFIED.into()
            };
            let routes: Vec<RouteMessage> =
                handle.route().get(filter).execute().try_collect().await?;
            routes.iter().for_each(|route| networks.add_route(route, unspecified));
        }
        Ok(networks)
    }
}

const V4: rtnetlink::packet_route::AddressFamily = rtnetlink::packet_route::AddressFamily::Inet;

impl Networks {
    fn add_address(&mut self, message: &AddressMessage) {
        let prefix = message.header.prefix_len;
        // On a point-to-point link `Address` is the other end's, and `Local` is ours.
        let has_local = message
            .attributes
            .iter()
            .any(|attribute| matches!(attribute, AddressAttribute::Local(_)));
        for attribute in &message.attributes {
            match attribute {
                AddressAttribute::Local(address) => {
                    self.own.insert(alone(*address));
                }
                AddressAttribute::Address(address) => {
                    self.links.insert((*address, prefix));
                    if !has_local {
                        self.own.insert(alone(*address));
                    }
                }
                _ => {}
            }
        }
    }

    fn add_route(&mut self, route: &RouteMessage, unspecified: IpAddr) {
        let prefix = route.header.destination_prefix_length;
        let destination = route.attributes.iter().find_map(|attribute| match attribute {
            RouteAttribute::Destination(RouteAddress::Inet(address)) => Some((*address).into()),
            RouteAttribute::Destination(RouteAddress::Inet6(address)) => Some((*address).into()),
            _ => None,
        });
        let network: Network = (destination.unwrap_or(unspecified), prefix);
        match route.header.kind {
            RouteType::Local | RouteType::Broadcast | RouteType::Anycast => {
                self.own.insert(network);
            }
            RouteType::Unicast if has_no_gateway(&route.attributes) => {
                self.links.insert(network);
            }
            // Packets to the others go to a router, or nowhere.
            _ => {}
        }
    }
}

/// Whether packets reach their receiver on the link, over one of the route's ways at least.
fn has_no_gateway(attributes: &[RouteAttribute]) -> bool {
    let hops = attributes.iter().find_map(|attribute| match attribute {
        RouteAttribute::MultiPath(hops) => Some(hops),
        _ => None,
    });
    match hops {
        Some(hops) => hops.iter().any(|hop| has_no_gateway(&hop.attributes)),
        None => !attributes.iter().any(|attribute| {
            matches!(attribute, RouteAttribute::Gateway(_) | RouteAttribute::Via(_))
        }),
    }
}

fn alone(address: IpAddr) -> Network {
    (address, if address.is_ipv4() { 32 } else { 128 })
}
