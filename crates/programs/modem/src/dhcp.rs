//! Leases of IPv4 addresses (DHCP): asks for them, renews them, gives them back.
//!
//! Each lease has a client in a task of its own. If that task ends for any reason, also by a panic
//! about an answer of the network, the lease counts as lost.

use mozim::{DhcpV4Client, DhcpV4Config, DhcpV4Lease, DhcpV4State};
use rccar_causes::causes;
use socket2::{Domain, Socket, Type};
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;
use thiserror::Error;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// How long giving back may take. It sends one packet, which no server answers.
const RELEASE: Duration = Duration::from_millis(200);

#[derive(Debug, Error)]
pub enum DhcpError {
    #[error(
        "{interface}: its packets have no Ethernet header, and DHCP without one is not supported"
    )]
    NoEthernet { interface: String },
    #[error("{interface}: cannot open a packet socket for DHCP (CAP_NET_RAW)")]
    Socket { interface: String, source: std::io::Error },
    #[error("{interface}: no DHCP server gave a lease within {limit:?}")]
    Silent { interface: String, limit: Duration },
    #[error("{interface}: the DHCP client ended: {reason}")]
    Ended {
        interface: String,
        /// In the client's words.
        reason: String,
    },
}

/// An interface, as the client needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Port {
    pub(crate) name: String,
    pub(crate) index: u32,
    /// `None` if the interface is not one with Ethernet headers.
    pub(crate) mac: Option<[u8; 6]>,
}

/// The usable content of a lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Lease {
    pub(crate) address: Ipv4Addr,
    pub(crate) prefix: u8,
    pub(crate) gateway: Option<Ipv4Addr>,
    pub(crate) dns: Vec<IpAddr>,
    pub(crate) mtu: Option<u32>,
}

/// A change of a lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum News {
    /// The lease was given or renewed, perhaps with other content.
    Given(Lease),
    /// The lease has ended, for this reason.
    Lost(String),
}

/// A lease that is renewed until this is dropped.
#[derive(Debug)]
pub(crate) struct Held {
    news: mpsc::UnboundedReceiver<News>,
    release: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

/// Asks for a lease and waits for it until `limit`. The interface must be up.
pub(crate) async fn acquire(port: &Port, limit: Duration) -> Result<(Lease, Held), DhcpError> {
    let interface = port.name.clone();
    let Some(mac) = port.mac else { return Err(DhcpError::NoEthernet { interface }) };
    let ended = |reason: String| DhcpError::Ended { interface: interface.clone(), reason };
    // Tested here, because the client would go on trying without a socket until the limit.
    if let Err(source) = Socket::new(Domain::PACKET, Type::RAW, None) {
        return Err(DhcpError::Socket { interface, source });
    }
    let mut config = DhcpV4Config::new(&interface);
    config
        .set_iface_index(port.index)
        .set_iface_mac_raw(&mac)
        .map_err(|error| ended(error.to_string()))?
        .use_mac_as_client_id();
    let client =
        DhcpV4Client::init(config, None).await.map_err(|error| ended(error.to_string()))?;
    let (tell, news) = mpsc::unbounded_channel();
    let (release, released) = oneshot::channel();
    let mut held =
        Held { news, release: Some(release), task: tokio::spawn(hold(client, tell, released)) };
    match timeout(limit, held.news()).await {
        Ok(News::Given(lease)) => Ok((lease, held)),
        Ok(News::Lost(reason)) => Err(ended(reason)),
        Err(_) => Err(DhcpError::Silent { interface, limit }),
    }
}

impl Held {
    /// The next change. Dropping the future loses nothing.
    pub(crate) async fn news(&mut self) -> News {
        self.news.recv().await.unwrap_or_else(|| News::Lost("the client has ended".to_owned()))
    }

    /// Gives the lease back. The interface must still have its address.
    pub(crate) async fn release(mut self) {
        let asked = self.release.take().is_some_and(|release| release.send(()).is_ok());
        if asked && timeout(RELEASE, &mut self.task).await.is_err() {
            tracing::debug!("a lease could not be given back in time");
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn hold(
    mut client: DhcpV4Client,
    news: mpsc::UnboundedSender<News>,
    mut released: oneshot::Receiver<()>,
) {
    let mut bound: Option<Box<DhcpV4Lease>> = None;
    let reason = loop {
        let state = tokio::select! {
            state = client.run() => state,
            asked = &mut released => {
                if let (Ok(()), Some(lease)) = (asked, &bound)
                    && let Err(error) = client.release(lease).await
                {
                    tracing::debug!(error = %causes(&error), "a lease could not be given back");
                }
                return;
            }
        };
        match state {
            Ok(DhcpV4State::Done(lease)) => {
                let Some(words) = Lease::read(&lease) else {
                    break format!("the server gave {}, which is no host's", lease.yiaddr);
                };
                bound = Some(lease);
                if news.send(News::Given(words)).is_err() {
                    return;
                }
            }
            Ok(DhcpV4State::Renewing | DhcpV4State::Rebinding) => {}
            // On the way to the first lease.
            Ok(DhcpV4State::InitReboot | DhcpV4State::Selecting) if bound.is_none() => {}
            Ok(_) => break "it was not renewed in time".to_owned(),
            Err(error) => break error.to_string(),
        }
    };
    // Nobody may listen any more.
    let _ = news.send(News::Lost(reason));
}

impl Lease {
    /// Takes the usable content; `None` if the address is not one for a host.
    fn read(lease: &DhcpV4Lease) -> Option<Self> {
        let host = |address: &Ipv4Addr| {
            !address.is_unspecified()
                && !address.is_loopback()
                && !address.is_multicast()
                && !address.is_broadcast()
        };
        // RFC 3442: if there are classless routes, the gateways do not count.
        let gateway = match &lease.classless_routes {
            Some(routes) => {
                routes.iter().find(|route| route.prefix_length == 0).map(|route| route.router)
            }
            None => lease.gateways.iter().flatten().next().copied(),
        };
        let prefix = if lease.subnet_mask.is_unspecified() { 32 } else { lease.prefix_length() };
        Some(Self {
            address: Some(lease.yiaddr).filter(host)?,
            prefix,
            gateway: gateway.filter(host),
            dns: lease
                .dns_srvs
                .iter()
                .flatten()
                .filter(|server| host(server))
                .copied()
                .map(IpAddr::V4)
                .collect(),
            mtu: lease.mtu.map(u32::from),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mozim::DhcpV4ClasslessRoute;

    fn lease() -> DhcpV4Lease {
        let mut lease = DhcpV4Lease::default();
        lease.yiaddr = Ipv4Addr::new(192, 168, 8, 100);
        lease.subnet_mask = Ipv4Addr::new(255, 255, 255, 0);
        lease.gateways = Some(vec![Ipv4Addr::new(192, 168, 8, 1)]);
        lease.dns_srvs = Some(vec![Ipv4Addr::UNSPECIFIED, Ipv4Addr::new(192, 168, 8, 1)]);
        lease
    }

    #[test]
    fn a_lease_is_read_without_what_cannot_be_used() {
        let gateway = Ipv4Addr::new(192, 168, 8, 1);
        let expected = Lease {
            address: Ipv4Addr::new(192, 168, 8, 100),
            prefix: 24,
            gateway: Some(gateway),
            dns: vec![IpAddr::V4(gateway)],
            mtu: None,
        };
        assert_eq!(Lease::read(&lease()), Some(expected));
    }

    #[test]
    fn classless_routes_replace_the_router() {
        let mut lease = lease();
        let route = |prefix_length, last| DhcpV4ClasslessRoute {
            destination: Ipv4Addr::UNSPECIFIED,
            prefix_length,
            router: Ipv4Addr::new(192, 168, 8, last),
        };
        lease.classless_routes = Some(vec![route(8, 7), route(0, 9)]);
        assert_eq!(Lease::read(&lease).unwrap().gateway, Some(Ipv4Addr::new(192, 168, 8, 9)));
        lease.classless_routes = Some(vec![route(8, 7)]);
        assert_eq!(Lease::read(&lease).unwrap().gateway, None);
    }

    #[tokio::test]
    async fn a_client_that_dies_of_an_answer_is_a_lost_lease() {
        let (tell, news) = mpsc::unbounded_channel::<News>();
        let task = tokio::spawn(async move {
            let _tell = tell;
            panic!("an answer that it cannot bear");
        });
        let mut held = Held { news, release: None, task };
        assert!(matches!(held.news().await, News::Lost(_)));
    }

    #[test]
    fn an_address_that_no_host_can_have_is_no_lease() {
        for address in [
            Ipv4Addr::UNSPECIFIED,
            Ipv4Addr::BROADCAST,
            Ipv4Addr::LOCALHOST,
            Ipv4Addr::new(224, 0, 0, 1),
        ] {
            let mut lease = lease();
            lease.yiaddr = address;
            assert_eq!(Lease::read(&lease), None, "{address}");
        }
    }

    #[test]
    fn a_lease_without_a_mask_is_of_one_address() {
        let mut lease = lease();
        lease.subnet_mask = Ipv4Addr::UNSPECIFIED;
        assert_eq!(Lease::read(&lease).unwrap().prefix, 32);
    }
}
