//! Sockets: those that clients use, and those of relayed addresses.

use crate::config::{Listen, RelayConfig, RelayError};
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::ops::RangeInclusive;
use tokio::net::{TcpListener, UdpSocket};

/// Ports tried before an allocation is refused. With half of the range in use, 16 failures in a row
/// happen once in 65536 times.
const PORT_TRIES: usize = 16;

/// Streams that wait to be accepted; the clients of others try again by themselves.
const BACKLOG: i32 = 128;

pub(crate) fn listen(address: SocketAddr) -> Result<UdpSocket, RelayError> {
    bind(address).map_err(|source| RelayError::Bind { address, source })
}

/// A socket on a random port of the range.
pub(crate) fn relay(place: RelayAddress, ports: &RangeInclusive<u16>) -> io::Result<UdpSocket> {
    let count = u32::from(ports.end() - ports.start()) + 1;
    for _ in 0..PORT_TRIES {
        let offset = getrandom::u32().map_err(io::Error::other)? % count;
        let port = u16::try_from(u32::from(*ports.start()) + offset).map_err(io::Error::other)?;
        match bind(SocketAddr::new(place.bind, port)) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
            outcome => return outcome,
        }
    }
    Err(io::ErrorKind::AddrInUse.into())
}

/// IPv6 sockets take no IPv4: both wildcards can be bound, and no peer shows up as an IPv4-mapped
/// address.
fn bind(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    UdpSocket::from_std(socket.into())
}

/// The address of relayed sockets, outside and inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RelayAddress {
    /// The address that peers see, and that answers to clients name.
    pub(crate) public: IpAddr,
    /// The address of this machine that the sockets are bound to.
    pub(crate) bind: IpAddr,
}

/// The relayed addresses of one listener: its own, and for the other family that of the first
/// listener that has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RelayPair {
    pub(crate) v4: Option<RelayAddress>,
    pub(crate) v6: Option<RelayAddress>,
}

/// The relayed addresses of all listeners, in their order.
#[derive(Debug)]
pub(crate) struct RelayAddresses(Vec<RelayAddress>);

impl RelayAddresses {
    pub(crate) fn resolve(config: &RelayConfig) -> Result<Self, RelayError> {
        config
            .listen
            .iter()
            .map(|listen| resolve(listen, config.allow_loopback))
            .collect::<Result<_, _>>()
            .map(Self)
    }

    pub(crate) fn all(&self) -> Vec<IpAddr> {
        self.0
            .iter()
            .flat_map(|address| [address.public, address.bind])
            .filter(|ip| !ip.is_unspecified())
            .collect()
    }

    pub(crate) fn public(&self) -> Vec<IpAddr> {
        self.0.iter().map(|address| address.public).collect()
    }

    pub(crate) fn for_listener(&self, index: usize) -> RelayPair {
        let own_first = || self.0.get(index).into_iter().chain(&self.0).copied();
        RelayPair {
            v4: own_first().find(|address| address.public.is_ipv4()),
            v6: own_first().find(|address| address.public.is_ipv6()),
        }
    }
}

impl RelayAddresses {
    /// For a stream listener: those of the listener with the same address, else the first one's.
    pub(crate) fn for_address(&self, listen: &[Listen], address: IpAddr) -> RelayPair {
        self.for_listener(
            listen.iter().position(|listen| listen.address.ip() == address).unwrap_or(0),
        )
    }
}

pub(crate) fn listen_for_streams(address: SocketAddr) -> Result<TcpListener, RelayError> {
    let bound = || {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        if address.is_ipv6() {
            socket.set_only_v6(true)?;
        }
        // Else a restart would have to wait for the end of old connections.
        socket.set_reuse_address(true)?;
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        TcpListener::from_std(socket.into())
    };
    bound().map_err(|source| RelayError::BindStream { address, source })
}

fn resolve(listen: &Listen, allow_loopback: bool) -> Result<RelayAddress, RelayError> {
    let inside = listen.address.ip();
    let loopback = if inside.is_ipv4() {
        IpAddr::from(Ipv4Addr::LOCALHOST)
    } else {
        Ipv6Addr::LOCALHOST.into()
    };
    let public = match listen.public {
        Some(public) => public,
        None if !inside.is_unspecified() => inside,
        None if allow_loopback => loopback,
        None => return Err(RelayError::NoPublicAddress { listen: listen.address }),
    };
    // Behind a 1:1 NAT the public address is not this machine's.
    let is_ours = std::net::UdpSocket::bind(SocketAddr::new(public, 0)).is_ok();
    Ok(RelayAddress { public, bind: if is_ours { public } else { inside } })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credentials::Secret;

    fn addresses(
        listen: &[(&str, Option<&str>)],
        allow_loopback: bool,
    ) -> Result<RelayAddresses, RelayError> {
        let mut config = RelayConfig::new(Secret::new(b"north"));
        config.allow_loopback = allow_loopback;
        config.listen = listen
            .iter()
            .map(|(address, public)| Listen {
                address: address.parse().unwrap(),
                public: public.map(|ip| ip.parse().unwrap()),
            })
            .collect();
        RelayAddresses::resolve(&config)
    }

    #[test]
    fn a_wildcard_needs_a_public_address_outside_development() {
        let error = addresses(&[("0.0.0.0:3478", None)], false).unwrap_err();
        assert!(matches!(error, RelayError::NoPublicAddress { .. }));
        let development = addresses(&[("0.0.0.0:3478", None)], true).unwrap();
        assert_eq!(development.all(), [IpAddr::from([127, 0, 0, 1]); 2]);
    }

    #[test]
    fn behind_a_nat_sockets_are_bound_to_the_inside_address() {
        // TEST-NET-3 is no address of any machine.
        let pair =
            addresses(&[("127.0.0.1:3478", Some("203.0.113.9"))], false).unwrap().for_listener(0);
        let v4 = pair.v4.unwrap();
        assert_eq!(
            (v4.public, v4.bind),
            (IpAddr::from([203, 0, 113, 9]), IpAddr::from([127, 0, 0, 1]))
        );
        assert_eq!(pair.v6, None);
    }

    #[test]
    fn each_listener_offers_its_own_address_first_and_the_other_family_from_another() {
        let all =
            addresses(&[("127.0.0.1:1", None), ("127.0.0.2:1", None), ("[::1]:1", None)], false)
                .unwrap();
        assert_eq!(all.for_listener(1).v4.unwrap().public, IpAddr::from([127, 0, 0, 2]));
        assert_eq!(all.for_listener(1).v6.unwrap().public, IpAddr::from(Ipv6Addr::LOCALHOST));
        assert_eq!(all.for_listener(2).v4.unwrap().public, IpAddr::from([127, 0, 0, 1]));
    }
}
