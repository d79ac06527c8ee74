//! Data probes send packets over one interface and no other. Control probes ask the modem itself.

use crate::link::Link;
use crate::view;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use rccar_causes::causes;
use rccar_modem_core::Outcome;
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use tokio::net::UdpSocket;
use tokio_modem_manager::Modem;

/// A question to a name server for the servers of the root (RFC 1035): identifier, flags "recursion
/// desired", one question.
const QUESTION: [u8; 17] = [0x52, 0x43, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 1];

/// Servers to ask over a modem's link: its name servers and the configured ones. Of the configured
/// ones, those of IPv6 count only if the link has no IPv4.
pub(crate) fn targets(link: &Link, configured: &[SocketAddr]) -> Vec<SocketAddr> {
    let has = |v4: bool| link.addresses.iter().any(|own| own.is_ipv4() == v4);
    let servers = link
        .dns
        .iter()
        .map(|server| SocketAddr::new(*server, 53))
        .filter(|server| has(server.is_ipv4()));
    let everywhere = configured.iter().copied().filter(|target| target.is_ipv4() == has(true));
    servers.chain(everywhere).collect()
}

/// Servers to ask over a stick's link. None in its own network: the stick itself answers there,
/// even if it has no connection.
pub(crate) fn targets_beyond(link: &Link, configured: &[SocketAddr]) -> Vec<SocketAddr> {
    let mut targets = targets(link, configured);
    targets.retain(|target| {
        !link.addresses.first().is_some_and(|own| is_near(*own, link.prefix, target.ip()))
    });
    targets
}

fn is_near(own: IpAddr, prefix: u8, other: IpAddr) -> bool {
    let bits = |address: IpAddr| match address {
        IpAddr::V4(address) => u128::from(u32::from(address)) << 96,
        IpAddr::V6(address) => u128::from(address),
    };
    let differing = bits(own) ^ bits(other);
    own.is_ipv4() == other.is_ipv4() && differing.leading_zeros() >= u32::from(prefix)
}

/// Whether any of the targets answers within `limit`. A refusal is an answer, too: it came from
/// there.
pub(crate) async fn data(interface: &str, targets: &[SocketAddr], limit: Duration) -> bool {
    let mut asked: FuturesUnordered<_> =
        targets.iter().map(|target| ask(interface, *target)).collect();
    let any = async {
        while let Some(outcome) = asked.next().await {
            match outcome {
                Ok(()) => return true,
                Err(error) => {
                    tracing::trace!(error = %causes(&error), interface, "no answer to a probe")
                }
            }
        }
        false
    };
    tokio::time::timeout(limit, any).await.unwrap_or(false)
}

/// Whether the modem itself answers, through ModemManager. An error is an answer, too, unless it is
/// a timeout.
pub(crate) async fn control(modem: &Modem) -> bool {
    match modem.probe().await {
        Ok(_) => true,
        Err(error) => view::outcome(&error) != Outcome::Mute,
    }
}

async fn ask(interface: &str, target: SocketAddr) -> io::Result<()> {
    let socket =
        Socket::new(Domain::for_address(target), Type::DGRAM.nonblocking(), Some(Protocol::UDP))?;
    socket.bind_device(Some(interface.as_bytes()))?;
    let socket = UdpSocket::from_std(socket.into())?;
    socket.connect(target).await?;
    socket.send(&QUESTION).await?;
    // Refused: the target has answered by ICMP "port unreachable".
    match socket.recv(&mut [0; 512]).await {
        Err(error) if error.kind() != io::ErrorKind::ConnectionRefused => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(own: &str, prefix: u8, dns: &[&str]) -> Link {
        let dns = dns.iter().map(|server| server.parse().unwrap()).collect();
        let addresses = vec![own.parse().unwrap()];
        Link { interface: "enx0".to_owned(), index: 3, addresses, prefix, dns, advertised: false }
    }

    #[test]
    fn a_sticks_own_name_server_says_nothing_about_its_network() {
        let far: SocketAddr = "1.1.1.1:53".parse().unwrap();
        let link = link("192.168.8.100", 24, &["192.168.8.1", "10.0.0.53"]);
        assert_eq!(targets(&link, &[far]).len(), 3);
        assert_eq!(targets_beyond(&link, &[far]), ["10.0.0.53:53".parse().unwrap(), far]);
    }

    #[test]
    fn only_families_with_an_address_are_asked_and_of_what_is_configured_one() {
        let (four, six): (SocketAddr, SocketAddr) =
            ("1.1.1.1:53".parse().unwrap(), "[2606:4700:4700::1111]:53".parse().unwrap());
        assert_eq!(targets(&link("10.64.0.2", 24, &["2001:db8:1::53"]), &[four, six]), [four]);
        assert_eq!(targets_beyond(&link("2001:db8::2", 64, &["2001:db8::1"]), &[four, six]), [six]);
        let mut both = link("10.64.0.2", 24, &["2001:db8:1::53"]);
        both.addresses.push("2001:db8::2".parse().unwrap());
        assert_eq!(targets(&both, &[four, six]), ["[2001:db8:1::53]:53".parse().unwrap(), four]);
        // In a network of one address nothing else is near.
        assert_eq!(targets_beyond(&link("10.64.0.2", 32, &["10.64.0.1"]), &[]).len(), 1);
    }
}
