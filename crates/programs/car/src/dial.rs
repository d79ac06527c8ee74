//! Connects to the host over the uplink that answers first.
//!
//! The best uplink is tried first. Each one has a head start on the next (RFC 8305 does the same
//! for addresses). A socket is tied to its uplink's interface, so that an uplink can be tried while
//! the routing table still prefers a dead one.

use crate::host_url::HostUrl;
use rccar_car_core::uplinks::Uplink;
use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::net::{TcpSocket, TcpStream, lookup_host};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};
use tracing::Instrument;

/// The head start of the better uplink; RFC 8305 section 5 has 250 ms.
const HEAD_START: Duration = Duration::from_millis(250);
/// A resolver that has not answered within this time does not answer over this uplink.
const LOOKUP_WITHIN: Duration = Duration::from_secs(5);

pub(crate) struct Dialled {
    pub(crate) stream: TcpStream,
    /// Name of the uplink; `None` if the routing table chose.
    pub(crate) over: Option<String>,
    /// Uplinks that were tried earlier than this one and had no answer.
    pub(crate) silent: Vec<String>,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum DialError {
    #[error("looking up {0}: {1}")]
    Lookup(String, #[source] io::Error),
    #[error("{0}")]
    Connect(#[from] io::Error),
    #[error("no answer within {0:?} while connecting")]
    Slow(Duration),
}

/// The host's addresses at the last lookup. Thanks to them the car does not wait for a resolver
/// after a move to another uplink.
#[derive(Debug, Default)]
pub(crate) struct LastAddresses(Mutex<Vec<SocketAddr>>);

impl LastAddresses {
    fn get(&self) -> Vec<SocketAddr> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, addresses: Vec<SocketAddr>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = addresses;
    }
}

/// Connects over the uplink of `order` that answers first; without uplinks, as the routing table
/// says. `limit` is for the attempts at one list of addresses: remembered ones, then fresh ones.
pub(crate) async fn race(
    url: &HostUrl,
    known: &LastAddresses,
    order: &[Uplink],
    limit: Duration,
) -> Result<Dialled, DialError> {
    let remembered = known.get();
    // First without a lookup. If the host has moved, these fail, and the lookup comes.
    if !remembered.is_empty()
        && let Ok(dialled) = among(ways(&remembered, order), limit).await
    {
        return Ok(dialled);
    }
    let addresses = lookup(url).await?;
    known.set(addresses.clone());
    among(ways(&addresses, order), limit).await
}

/// Connects over this uplink and no other, within `limit`.
pub(crate) async fn only_over(
    url: &HostUrl,
    known: &LastAddresses,
    uplink: &Uplink,
    limit: Duration,
) -> Result<Dialled, DialError> {
    if known.get().is_empty() {
        known.set(lookup(url).await?);
    }
    among(tied(&known.get(), std::slice::from_ref(uplink)), limit).await
}

async fn lookup(url: &HostUrl) -> Result<Vec<SocketAddr>, DialError> {
    let failed = |error| DialError::Lookup(url.dialled(), error);
    let lookup = timeout(LOOKUP_WITHIN, lookup_host(url.dialled())).await;
    let addresses: Vec<_> =
        lookup.map_err(|_| failed(io::ErrorKind::TimedOut.into()))?.map_err(failed)?.collect();
    if addresses.is_empty() {
        Err(failed(io::Error::other("the name has no address")))
    } else {
        Ok(addresses)
    }
}

/// One way to try: an address, and an uplink unless the routing table is to choose.
type Way = (SocketAddr, Option<String>);

async fn among(mut waiting: VecDeque<Way>, limit: Duration) -> Result<Dialled, DialError> {
    let end = Instant::now() + limit;
    let mut trying = JoinSet::new();
    let mut tried: Vec<Option<String>> = Vec::new();
    let mut last = None;
    let mut next = Instant::now();
    loop {
        tokio::select! {
            // In this order: a way that has an answer wins before the next one begins.
            biased;
            Some(done) = trying.join_next() => match done {
                Ok((over, Ok(stream))) => {
                    tried.retain(|other| *other != over);
                    tried.dedup();
                    let silent = tried.into_iter().flatten().collect();
                    return Ok(Dialled { stream, over, silent });
                }
                Ok((_, Err(error))) => {
                    last = Some(error);
                    // A way that has failed does not need the rest of its head start.
                    next = Instant::now();
                }
                Err(_) => {}
            },
            () = sleep_until(next), if !waiting.is_empty() => {
                let Some((address, over)) = waiting.pop_front() else { continue };
                tried.push(over.clone());
                let span = tracing::info_span!("uplink", name = over.as_deref());
                let way = async move { (over.clone(), connect(address, over).await) };
                trying.spawn(way.instrument(span));
                next = Instant::now() + HEAD_START;
            }
            () = sleep_until(end), if !trying.is_empty() => {
                return Err(last.map_or(DialError::Slow(limit), DialError::Connect));
            }
            else => return Err(last.map_or(DialError::Slow(limit), DialError::Connect)),
        }
    }
}

/// The ways worth trying, best first: all addresses over the first uplink, then over the next one.
fn ways(addresses: &[SocketAddr], order: &[Uplink]) -> VecDeque<Way> {
    let by_table = || addresses.iter().map(|address| (*address, None));
    let local = addresses.iter().any(|address| !goes_through_an_uplink(*address, order));
    if order.is_empty() || local {
        return by_table().collect();
    }
    let tied = tied(addresses, order);
    if tied.is_empty() { by_table().collect() } else { tied }
}

/// Each address over each uplink that has an address of the same family.
fn tied(addresses: &[SocketAddr], order: &[Uplink]) -> VecDeque<Way> {
    let over = |uplink: &Uplink| {
        // An attempt at an address of another family would fail at once.
        let of_family =
            |to: &&SocketAddr| uplink.addresses.iter().any(|own| own.is_ipv4() == to.is_ipv4());
        let name = Some(uplink.name.clone());
        addresses
            .iter()
            .filter(of_family)
            .map(|address| (*address, name.clone()))
            .collect::<Vec<_>>()
    };
    order.iter().flat_map(over).collect()
}

/// Whether the routing table leads there through an uplink. If not, the host is on this machine or
/// on a local network.
fn goes_through_an_uplink(to: SocketAddr, order: &[Uplink]) -> bool {
    // Connecting a datagram socket sends nothing: it only asks the routing table.
    let any: SocketAddr =
        if to.is_ipv4() { ([0, 0, 0, 0], 0).into() } else { ([0u16; 8], 0).into() };
    let source = std::net::UdpSocket::bind(any).and_then(|socket| {
        socket.connect(to)?;
        socket.local_addr()
    });
    // No route at all: only an uplink can help.
    source.map_or(true, |source| order.iter().any(|uplink| uplink.addresses.contains(&source.ip())))
}

async fn connect(address: SocketAddr, device: Option<String>) -> io::Result<TcpStream> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    if let Some(device) = device {
        socket.bind_device(Some(device.as_bytes()))?;
    }
    let stream = socket.connect(address).await?;
    // Candidates are small and must not wait for each other.
    stream.set_nodelay(true)?;
    Ok(stream)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rccar_car_core::uplinks::Kind;

    #[tokio::test]
    async fn a_host_on_this_machine_is_reached_as_the_routing_table_says() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = HostUrl::try_from(format!("http://{}", listener.local_addr().unwrap())).unwrap();
        let uplink = Uplink::new(2, "nowhere0", Kind::Mobile, ["192.0.2.7".parse().unwrap()]);
        let known = LastAddresses::default();
        let dialled = race(&url, &known, &[uplink], Duration::from_secs(5)).await.unwrap();
        assert_eq!((dialled.over, dialled.silent), (None, vec![]));
        assert_eq!(known.get(), [listener.local_addr().unwrap()]);
    }

    #[tokio::test]
    async fn a_host_that_is_not_there_is_an_error_and_not_a_wait() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = HostUrl::try_from(format!("http://{}", listener.local_addr().unwrap())).unwrap();
        drop(listener);
        let failed = race(&url, &LastAddresses::default(), &[], Duration::from_secs(60)).await;
        assert!(matches!(failed, Err(DialError::Connect(_))));
    }
}
