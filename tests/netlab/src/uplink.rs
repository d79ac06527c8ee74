//! An uplink: an interface of the car or the driver, the link behind it, and the routers between
//! the link and the Internet.

use crate::Link;
use crate::access::Access;
use crate::namespace::Namespace;
use rccar_link_emulator::Profile;
use std::io;

/// The Internet: a router that knows all public networks and forwards nothing else.
pub(crate) struct Internet {
    namespace: Namespace,
    networks: u8,
}

/// The outer end of a connection to the Internet.
pub(crate) struct Port {
    pub(crate) ip4: String,
    pub(crate) ip6: String,
    number: u8,
}

impl Internet {
    pub(crate) fn start() -> io::Result<Self> {
        let namespace = Namespace::make("internet")?;
        namespace.forward()?;
        // A packet with a private address that a NAT has not translated ends here.
        namespace.ip("route add unreachable 192.168.0.0/16")?;
        Ok(Self { namespace, networks: 0 })
    }

    /// Connects a namespace by its interface `wan0`, with addresses and default routes.
    pub(crate) fn connect(&mut self, namespace: &Namespace) -> io::Result<Port> {
        self.networks += 1;
        let number = self.networks;
        // 63 networks of four addresses.
        let (inner, outer) = (number * 4 + 1, number * 4 + 2);
        let port = Port {
            ip4: format!("203.0.113.{outer}"),
            ip6: format!("2001:db8:0:{number:x}::2"),
            number,
        };
        cable(&self.namespace, &format!("p{number}"), namespace, "wan0")?;
        self.namespace.ip(&format!("addr add 203.0.113.{inner}/30 dev p{number}"))?;
        self.namespace.ip(&format!("addr add 2001:db8:0:{number:x}::1/64 dev p{number} nodad"))?;
        namespace.ip(&format!("addr add {}/30 dev wan0", port.ip4))?;
        namespace.ip(&format!("addr add {}/64 dev wan0 nodad", port.ip6))?;
        namespace.ip(&format!("route add default via 203.0.113.{inner}"))?;
        namespace.ip(&format!("route add default via 2001:db8:0:{number:x}::1"))?;
        Ok(port)
    }

    fn route(&self, network: &str, port: &Port) -> io::Result<()> {
        let via = if network.contains(':') { &port.ip6 } else { &port.ip4 };
        self.namespace.ip(&format!("route add {network} via {via}"))
    }
}

/// An interface with everything behind it.
pub struct Uplink {
    interface: String,
    owner: Namespace,
    /// With the length of its network: `192.168.1.2/24`.
    address: String,
    metric: u32,
    link: Link,
}

impl Uplink {
    /// Builds an uplink and brings it up. The kernel uses the one of an owner's with the least
    /// metric.
    pub(crate) fn build(
        internet: &mut Internet,
        owner: &Namespace,
        interface: &str,
        access: Access,
        profile: Profile,
        metric: u32,
    ) -> io::Result<Self> {
        let seed = seed();
        let link = Link::start(interface, ["near", "far"], profile, seed)?;
        let levels = access.levels();
        let routers = (1..=levels.len())
            .map(|level| {
                Namespace::make(&format!("{interface}-{level}"))
                    .and_then(|router| router.forward().map(|()| router))
            })
            .collect::<io::Result<Vec<_>>>()?;
        let (Some(first), Some(last)) = (routers.first(), routers.last()) else {
            return Err(io::Error::other("no router"));
        };
        owner.take("near", interface)?;
        first.take("far", "lan0")?;
        let port = internet.connect(last)?;
        let n = port.number;
        let (address, gateway) = match access {
            Access::Open => {
                (format!("198.51.100.{}/30", n * 4 + 2), format!("198.51.100.{}/30", n * 4 + 1))
            }
            Access::Ipv6Only => {
                (format!("2001:db8:1:{n:x}::2/64"), format!("2001:db8:1:{n:x}::1/64"))
            }
            _ => (format!("192.168.{n}.2/24"), format!("192.168.{n}.1/24")),
        };
        first.ip("link set lan0 up")?;
        first.ip(&format!("addr add {gateway} dev lan0{}", nodad(&gateway)))?;
        match access {
            Access::Open => internet.route(&format!("198.51.100.{}/30", n * 4), &port)?,
            Access::Ipv6Only => internet.route(&format!("2001:db8:1:{n:x}::/64"), &port)?,
            _ => {}
        }
        if let [home, carrier] = &routers[..] {
            cable(carrier, "lan0", home, "wan0")?;
            carrier.ip(&format!("addr add 100.64.{n}.1/24 dev lan0"))?;
            home.ip(&format!("addr add 100.64.{n}.2/24 dev wan0"))?;
            home.ip(&format!("route add default via 100.64.{n}.1"))?;
            home.nft(&levels[0].rules(&format!("100.64.{n}.2")))?;
            carrier.nft(&levels[1].rules(&port.ip4))?;
        } else {
            last.nft(&levels[0].rules(&port.ip4))?;
        }
        let uplink =
            Self { interface: interface.to_owned(), owner: owner.clone(), address, metric, link };
        uplink.plug()?;
        Ok(uplink)
    }

    /// The address that the owner has here, without the length of its network.
    #[must_use]
    pub fn address(&self) -> &str {
        self.address.split_once('/').map_or(&self.address, |(address, _)| address)
    }

    /// The link behind the interface.
    #[must_use]
    pub fn link(&self) -> &Link {
        &self.link
    }

    /// Takes the interface down, with its address and routes, as if a modem was unplugged or has
    /// reported that its bearer is lost.
    pub fn unplug(&self) -> io::Result<()> {
        self.owner.ip(&format!("addr flush dev {}", self.interface))?;
        self.owner.ip(&format!("link set {} down", self.interface))
    }

    /// Brings the interface up again, with the same address.
    pub fn plug(&self) -> io::Result<()> {
        let Self { interface, owner, address, metric, .. } = self;
        owner.ip(&format!("link set {interface} up"))?;
        owner.ip(&format!("addr add {address} dev {interface}{}", nodad(address)))?;
        let family = if address.contains(':') { "-6 " } else { "" };
        owner.ip(&format!("{family}route add default dev {interface} metric {metric}"))
    }
}

/// The seed for the random numbers of links: `RCCAR_NETLAB_SEED`, else 1. It is printed, so that a
/// run can be repeated.
fn seed() -> u64 {
    let seed =
        std::env::var("RCCAR_NETLAB_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    eprintln!("seed of the links: RCCAR_NETLAB_SEED={seed}");
    seed
}

fn nodad(address: &str) -> &'static str {
    if address.contains(':') { " nodad" } else { "" }
}

/// Connects two namespaces by a pair of Ethernet devices with these names.
fn cable(one: &Namespace, name: &str, other: &Namespace, other_name: &str) -> io::Result<()> {
    Namespace::own().ip("link add cable0 type veth peer name cable1")?;
    one.take("cable0", name)?;
    other.take("cable1", other_name)?;
    one.ip(&format!("link set {name} up"))?;
    other.ip(&format!("link set {other_name} up"))
}
