//! Reads links, addresses and routes.

use crate::interface::{Interface, Medium};
use futures_util::TryStreamExt;
use rtnetlink::packet_route::address::{AddressAttribute, AddressHeaderFlags, AddressMessage};
use rtnetlink::packet_route::link::{
    InfoKind, LinkAttribute, LinkFlags, LinkInfo, LinkLayerType, LinkMessage,
};
use rtnetlink::packet_route::route::{RouteAttribute, RouteHeader, RouteMessage, RouteType};
use rtnetlink::{Handle, RouteMessageBuilder};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The best metric of the default routes, by the number of the interface.
type Defaults = BTreeMap<u32, u32>;

/// Something that is read from the kernel as a whole.
pub(crate) trait Reading: Clone + PartialEq + Send + Sync + 'static {
    fn read(handle: &Handle) -> impl Future<Output = Result<Self, rtnetlink::Error>> + Send;
}

impl Reading for Vec<Interface> {
    async fn read(handle: &Handle) -> Result<Self, rtnetlink::Error> {
        interfaces(handle).await
    }
}

async fn interfaces(handle: &Handle) -> Result<Vec<Interface>, rtnetlink::Error> {
    let links: Vec<LinkMessage> = handle.link().get().execute().try_collect().await?;
    let addresses: Vec<AddressMessage> = handle.address().get().execute().try_collect().await?;
    let v4 = defaults(handle, RouteMessageBuilder::<Ipv4Addr>::new().build()).await?;
    let v6 = defaults(handle, RouteMessageBuilder::<Ipv6Addr>::new().build()).await?;
    let mut interfaces: Vec<Interface> =
        links.iter().filter_map(|link| interface(link, &addresses, &v4, &v6)).collect();
    interfaces.sort_by_key(|interface| interface.index);
    Ok(interfaces)
}

async fn defaults(handle: &Handle, filter: RouteMessage) -> Result<Defaults, rtnetlink::Error> {
    let routes: Vec<RouteMessage> = handle.route().get(filter).execute().try_collect().await?;
    let mut best = Defaults::new();
    for (interface, metric) in routes.iter().filter(|route| is_default(route)).flat_map(ways) {
        best.entry(interface).and_modify(|known| *known = metric.min(*known)).or_insert(metric);
    }
    Ok(best)
}

fn is_default(route: &RouteMessage) -> bool {
    let header = &route.header;
    header.destination_prefix_length == 0
        && header.kind == RouteType::Unicast
        && header.table == RouteHeader::RT_TABLE_MAIN
}

/// The interfaces of a route, each with the route's metric.
fn ways(route: &RouteMessage) -> Vec<(u32, u32)> {
    let mut metric = 0;
    let mut interfaces = Vec::new();
    for attribute in &route.attributes {
        match attribute {
            RouteAttribute::Priority(priority) => metric = *priority,
            RouteAttribute::Oif(interface) => interfaces.push(*interface),
            RouteAttribute::MultiPath(hops) => {
                interfaces.extend(hops.iter().map(|hop| hop.interface_index))
            }
            _ => {}
        }
    }
    interfaces.into_iter().map(|interface| (interface, metric)).collect()
}

fn interface(
    link: &LinkMessage,
    addresses: &[AddressMessage],
    v4: &Defaults,
    v6: &Defaults,
) -> Option<Interface> {
    let index = link.header.index;
    let name = link.attributes.iter().find_map(|attribute| match attribute {
        LinkAttribute::IfName(name) => Some(name.clone()),
        _ => None,
    })?;
    Some(Interface {
        index,
        medium: medium(link, &name),
        up: link.header.flags.contains(LinkFlags::Up | LinkFlags::LowerUp),
        addresses: addresses
            .iter()
            .filter(|address| address.header.index == index)
            .filter_map(usable)
            .collect::<BTreeSet<_>>(),
        default_v4: v4.get(&index).copied(),
        default_v6: v6.get(&index).copied(),
        name,
    })
}

fn medium(link: &LinkMessage, name: &str) -> Medium {
    let kind = link.attributes.iter().find_map(|attribute| match attribute {
        LinkAttribute::LinkInfo(infos) => infos.iter().find_map(|info| match info {
            LinkInfo::Kind(kind) => Some(kind),
            _ => None,
        }),
        _ => None,
    });
    if link.header.flags.contains(LinkFlags::Loopback) {
        return Medium::Loopback;
    }
    // Without sysfs the name is the next best sign: the kernel and `systemd.net-naming-scheme`
    // begin names with these two letters.
    let kind_of_device = device_type(name).or_else(|| name.get(..2).map(str::to_owned));
    match (kind_of_device.as_deref(), link.header.link_layer_type, kind) {
        (Some("wlan" | "wl"), ..) => Medium::Wireless,
        (Some("wwan" | "ww"), ..) | (_, LinkLayerType::Ppp | LinkLayerType::Rawip, _) => {
            Medium::Mobile
        }
        // Containers have a `veth` in place of a network card.
        (_, LinkLayerType::Ether, None | Some(InfoKind::Veth)) => Medium::Ethernet,
        _ => Medium::Other,
    }
}

/// The kind of the device by its driver: `DEVTYPE` in `uevent`, which only sysfs has.
fn device_type(name: &str) -> Option<String> {
    let text = std::fs::read_to_string(format!("/sys/class/net/{name}/uevent")).ok()?;
    text.lines().find_map(|line| line.strip_prefix("DEVTYPE=")).map(str::to_owned)
}

fn usable(message: &AddressMessage) -> Option<IpAddr> {
    let bad = AddressHeaderFlags::Tentative
        | AddressHeaderFlags::Dadfailed
        | AddressHeaderFlags::Deprecated;
    if message.header.flags.intersects(bad) {
        return None;
    }
    let find = |wanted: fn(&AddressAttribute) -> Option<IpAddr>| {
        message.attributes.iter().find_map(wanted)
    };
    // On a point-to-point link `Address` is the other end's, and `Local` is ours.
    let address =
        find(
            |attribute| {
                if let AddressAttribute::Local(address) = attribute { Some(*address) } else { None }
            },
        )
        .or_else(|| {
            find(|attribute| {
                if let AddressAttribute::Address(address) = attribute {
                    Some(*address)
                } else {
                    None
                }
            })
        })?;
    let local_only = match address {
        IpAddr::V4(address) => address.is_link_local() || address.is_loopback(),
        IpAddr::V6(address) => address.is_unicast_link_local() || address.is_loopback(),
    };
    (!local_only).then_some(address)
}
