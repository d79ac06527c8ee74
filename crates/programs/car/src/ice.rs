//! Makes ICE servers usable for the WebRTC stack.
//!
//! Names are resolved here, because the stack would wait for the resolver inside its media loop.
//! The stack does not speak TURN over TCP and TLS: a tunnel leads to such servers. In a network
//! that has only IPv6, servers with an IPv4 address get one of the network's NAT64, too.

use rccar_car_core::nat64::{Prefix, WELL_KNOWN_NAME};
use rccar_causes::causes;
use rccar_protocol::ice_url::{IceScheme, IceTransport, IceUrl};
use rccar_protocol::signaling::IceServer;
use rccar_tunnel::{Local, Options, Server, ServerName, Tunnel};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// To wait longer for a resolver would delay the session more than the server is worth.
const RESOLVE_WITHIN: Duration = Duration::from_secs(2);

/// The same for a network's NAT64, which matters to a session only where there is no IPv4.
const ASK_WITHIN: Duration = Duration::from_secs(1);

/// Most addresses that are looked up; a longer list would slow every session down.
const MAX_URLS: usize = 16;

/// A session's ICE servers.
#[derive(Debug, Default)]
pub(crate) struct Servers {
    /// As the host gives them, with names.
    named: Vec<IceServer>,
    /// As the stack can use them.
    literals: Vec<IceServer>,
    /// The result of each lookup, kept so that a restart in the middle of a hand-over need not wait
    /// for a resolver.
    known: BTreeMap<String, Vec<SocketAddr>>,
    /// How the present network reaches IPv4 over IPv6.
    nat64: Vec<Prefix>,
    /// The machine's addresses when a NAT64 was asked for. While they stay the answer does.
    asked: Option<BTreeSet<IpAddr>>,
    /// Leads to a server over streams. It stays as long as that server is the same, because TURN
    /// allocations end with their connection.
    tunnel: Option<Tunnel>,
}

/// A URL whose name was resolved.
struct Known<'a> {
    /// Index in `Servers::named`.
    server: usize,
    url: IceUrl<'a>,
    addresses: Vec<SocketAddr>,
}

impl Servers {
    pub(crate) fn new(named: Vec<IceServer>) -> Self {
        Self { named, ..Self::default() }
    }

    /// The servers with IP literals, the tunnel's near ends among them. A URL that cannot be
    /// resolved or used is left out.
    pub(crate) fn literals(&self) -> &[IceServer] {
        &self.literals
    }

    /// Replaces the servers by those of the host's newest message, which have new credentials.
    pub(crate) async fn renew(&mut self, named: Vec<IceServer>) {
        self.named = named;
        self.resolve().await;
    }

    /// Looks up the names that are not known yet.
    pub(crate) async fn resolve(&mut self) {
        let urls: BTreeSet<&String> =
            self.named.iter().flat_map(|server| &server.urls).take(MAX_URLS).collect();
        let new = urls.into_iter().filter(|url| !self.known.contains_key(*url));
        let lookups = new.map(|url| async move { (url.clone(), look_up(url).await) });
        let lookups = futures_util::future::join_all(lookups);
        let here = addresses();
        let (found, nat64) = tokio::join!(lookups, self.ask(&here));
        self.keep(here, nat64);
        // A name that did not resolve is not kept: it may resolve the next time.
        self.known.extend(found.into_iter().filter(|(_, addresses)| !addresses.is_empty()));
        self.follow();
    }

    /// What a move to another network changes. Only where IPv4 is gone does it take time: else the
    /// servers are reached as before.
    pub(crate) async fn moved(&mut self) {
        let here = addresses();
        if !here.iter().any(IpAddr::is_ipv4) {
            let nat64 = self.ask(&here).await;
            self.keep(here, nat64);
        }
        self.follow();
    }

    /// The prefixes of the network's NAT64 (RFC 7050). `None`: nobody was asked, or nobody
    /// answered.
    async fn ask(&self, here: &BTreeSet<IpAddr>) -> Option<Vec<Prefix>> {
        if self.named.is_empty() || self.asked.as_ref() == Some(here) {
            return None;
        }
        prefixes(here).await
    }

    /// An answer counts until another comes: those from before may still be reached.
    fn keep(&mut self, here: BTreeSet<IpAddr>, nat64: Option<Vec<Prefix>>) {
        if !self.named.is_empty() {
            self.asked = Some(here);
        }
        if let Some(nat64) = nat64 {
            self.nat64 = nat64;
        }
    }

    /// Adapts the tunnel to the machine's present addresses. Call it before an ICE restart.
    pub(crate) fn follow(&mut self) {
        let wanted = self.tunnel_options();
        // A tunnel that leads to the same places stays, with the allocations in it.
        let present = self.tunnel.take().filter(|tunnel| {
            wanted.as_ref().is_some_and(|(_, options)| tunnel.options() == options)
        });
        let tunnelled = wanted.as_ref().map(|(server, _)| *server);
        self.tunnel = present.or_else(|| wanted.map(|(_, options)| Tunnel::new(options)));
        if let Some(tunnel) = &mut self.tunnel {
            tunnel.follow(&Local::all());
        }
        let near = self.tunnel.as_ref().map(Tunnel::addresses).unwrap_or_default();
        let usable = self.named.iter().enumerate().map(|(index, server)| {
            let own = self
                .known()
                .filter(|known| known.server == index && known.url.transport == IceTransport::Udp);
            let far = own.flat_map(|known| {
                let scheme = known.url.scheme;
                known.addresses.into_iter().map(move |address| literal(scheme, address))
            });
            let near = near
                .iter()
                .filter(|_| tunnelled == Some(index))
                .map(|address| literal(IceScheme::Turn, *address));
            IceServer { urls: far.chain(near).collect(), ..server.clone() }
        });
        self.literals = usable.filter(|server| !server.urls.is_empty()).collect();
    }

    /// Options of a tunnel to the first server that has addresses over streams, and its index: one
    /// way out is enough.
    fn tunnel_options(&self) -> Option<(usize, Options)> {
        let server = self.known().find(|known| !servers(known).is_empty())?.server;
        let own = self.known().filter(|known| known.server == server);
        let (datagrams, streams): (Vec<_>, Vec<_>) =
            own.partition(|known| known.url.transport == IceTransport::Udp);
        let options = Options {
            servers: streams.iter().flat_map(servers).collect(),
            datagrams: datagrams.into_iter().flat_map(|known| known.addresses).collect(),
        };
        Some((server, options))
    }

    fn known(&self) -> impl Iterator<Item = Known<'_>> {
        let urls = self
            .named
            .iter()
            .enumerate()
            .flat_map(|(server, named)| named.urls.iter().map(move |url| (server, url)));
        urls.filter_map(|(server, text)| {
            let addresses = with_nat64(self.known.get(text)?, &self.nat64);
            Some(Known { server, url: IceUrl::parse(text)?, addresses })
        })
    }
}

/// The far ends that a tunnel can lead to for this URL; none for UDP.
fn servers(found: &Known<'_>) -> Vec<Server> {
    let tls = match found.url.transport {
        IceTransport::Udp => return Vec::new(),
        IceTransport::Tcp => None,
        IceTransport::Tls => match ServerName::try_from(found.url.host.to_owned()) {
            Ok(name) => Some(name),
            Err(_) => {
                tracing::warn!(
                    host = found.url.host,
                    "ICE server left out: no certificate can be for this name"
                );
                return Vec::new();
            }
        },
    };
    found.addresses.iter().map(|&address| Server { address, tls: tls.clone() }).collect()
}

/// The addresses, and those under which a NAT64 reaches the IPv4 ones among them if none is IPv6.
fn with_nat64(addresses: &[SocketAddr], prefixes: &[Prefix]) -> Vec<SocketAddr> {
    let mut all = addresses.to_vec();
    if addresses.iter().all(SocketAddr::is_ipv4) {
        let reached = addresses.iter().flat_map(|address| {
            prefixes.iter().filter_map(move |prefix| match address.ip() {
                IpAddr::V4(ip) => Some(SocketAddr::new(prefix.reach(ip)?.into(), address.port())),
                IpAddr::V6(_) => None,
            })
        });
        all.extend(reached);
    }
    all
}

/// The machine's own.
fn addresses() -> BTreeSet<IpAddr> {
    Local::all().into_iter().map(|local| local.ip).collect()
}

/// Without IPv6 there is no NAT64, and nobody is asked. `None`: no answer.
async fn prefixes(here: &BTreeSet<IpAddr>) -> Option<Vec<Prefix>> {
    if !here.iter().any(IpAddr::is_ipv6) {
        return Some(Vec::new());
    }
    let lookup = tokio::net::lookup_host((WELL_KNOWN_NAME, 0));
    let answers = tokio::time::timeout(ASK_WITHIN, lookup).await.ok()?.ok()?;
    let answers = answers.filter_map(|answer| match answer.ip() {
        IpAddr::V6(ip) => Some(ip),
        IpAddr::V4(_) => None,
    });
    let prefixes = Prefix::all(&answers.collect::<Vec<_>>());
    if !prefixes.is_empty() {
        tracing::debug!(?prefixes, "this network reaches IPv4 by NAT64");
    }
    Some(prefixes)
}

async fn look_up(text: &str) -> Vec<SocketAddr> {
    let Some(url) = IceUrl::parse(text) else {
        tracing::warn!(url = text, "ICE server left out: the car does not speak this");
        return Vec::new();
    };
    let lookup = tokio::net::lookup_host((url.host, url.port));
    match tokio::time::timeout(RESOLVE_WITHIN, lookup).await {
        Ok(Ok(addresses)) => {
            // 0.0.0.0 and :: are no place: connecting there would lead to the car itself.
            let (nowhere, usable): (Vec<_>, Vec<_>) =
                addresses.partition(|address| address.ip().to_canonical().is_unspecified());
            if !nowhere.is_empty() {
                tracing::warn!(
                    url = text,
                    "ICE server left out: {} is no address",
                    nowhere[0].ip()
                );
            }
            usable
        }
        Ok(Err(error)) => {
            tracing::warn!(
                url = text,
                error = %causes(&error),
                "ICE server left out: its name does not resolve"
            );
            Vec::new()
        }
        Err(_) => {
            tracing::warn!(
                url = text,
                "ICE server left out: its name did not resolve within {RESOLVE_WITHIN:?}"
            );
            Vec::new()
        }
    }
}

fn literal(scheme: IceScheme, address: SocketAddr) -> String {
    match scheme {
        IceScheme::Turn => format!("turn:{address}?transport=udp"),
        IceScheme::Stun => format!("stun:{address}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(urls: &[&str]) -> IceServer {
        let urls = urls.iter().map(|&url| url.into()).collect();
        IceServer { urls, username: Some("u".into()), credential: Some("p".into()) }
    }

    async fn resolved(named: Vec<IceServer>) -> Servers {
        let mut servers = Servers::new(named);
        servers.resolve().await;
        servers
    }

    #[tokio::test]
    async fn servers_keep_their_credentials_and_take_new_ones() {
        let mut servers = resolved(vec![server(&["turn:127.0.0.1:3478"])]).await;
        assert_eq!(servers.literals(), [server(&["turn:127.0.0.1:3478?transport=udp"])]);
        let fresh = |url: &str| IceServer { credential: Some("q".into()), ..server(&[url]) };
        servers.renew(vec![fresh("turn:127.0.0.1:3478")]).await;
        assert_eq!(servers.literals(), [fresh("turn:127.0.0.1:3478?transport=udp")]);
    }

    #[tokio::test]
    async fn streams_are_reached_through_one_tunnel_that_stays() {
        let told = server(&[
            "turn:127.0.0.1:3478?transport=udp",
            "turn:127.0.0.1:3478?transport=tcp",
            "turns:127.0.0.1?transport=tcp",
        ]);
        let mut servers = resolved(vec![server(&["stun:127.0.0.1:3478"]), told.clone()]).await;
        let tunnel = servers.tunnel.as_ref().unwrap();
        let near: Vec<_> = tunnel
            .addresses()
            .into_iter()
            .map(|near| format!("turn:{near}?transport=udp"))
            .collect();
        let ports: Vec<_> = tunnel
            .options()
            .servers
            .iter()
            .map(|server| (server.address.port(), server.tls.is_some()))
            .collect();
        assert_eq!(ports, [(3478, false), (5349, true)]);
        assert_eq!(tunnel.options().datagrams, ["127.0.0.1:3478".parse::<SocketAddr>().unwrap()]);
        assert_eq!(servers.literals()[0], server(&["stun:127.0.0.1:3478"]));
        assert_eq!(servers.literals()[1].urls[0], "turn:127.0.0.1:3478?transport=udp");
        assert_eq!(servers.literals()[1].urls[1..], near);

        servers.renew(vec![IceServer { credential: Some("q".into()), ..told }]).await;
        assert_eq!(servers.literals()[0].urls[1..], near);
        servers.renew(vec![server(&["turn:127.0.0.1:1?transport=tcp"])]).await;
        assert!(servers.literals()[0].urls.iter().all(|url| !near.contains(url)));
    }

    #[tokio::test]
    async fn what_the_car_cannot_use_is_left_out() {
        let useless = ["stuns:127.0.0.1", "http://a", "stun:0.0.0.0", "turn:[::]:3478"];
        assert_eq!(resolved(vec![server(&useless)]).await.literals(), []);
        let mapped = resolved(vec![server(&["stun:[::ffff:0.0.0.0]", "stun:127.0.0.1"])]).await;
        assert_eq!(mapped.literals(), [server(&["stun:127.0.0.1:3478"])]);
    }

    #[tokio::test]
    async fn in_a_network_without_ipv4_servers_are_reached_by_its_nat64() {
        let told = server(&["stun:192.0.2.33:3478", "turn:192.0.2.33:443?transport=tcp"]);
        let mut servers = resolved(vec![told, server(&["stun:[2001:db8::1]:3478"])]).await;
        servers.nat64 = Prefix::all(&["64:ff9b::192.0.0.170".parse().unwrap()]);
        servers.follow();
        let urls = &servers.literals()[0].urls;
        assert_eq!(urls[..2], ["stun:192.0.2.33:3478", "stun:[64:ff9b::c000:221]:3478"]);
        let far: Vec<_> = servers.tunnel.as_ref().unwrap().options().servers.clone();
        let far: Vec<_> = far.iter().map(|server| server.address.to_string()).collect();
        assert_eq!(far, ["192.0.2.33:443", "[64:ff9b::c000:221]:443"]);
        assert_eq!(servers.literals()[1].urls, ["stun:[2001:db8::1]:3478"]);
        // Back in a network with IPv4.
        servers.nat64.clear();
        servers.follow();
        assert_eq!(servers.literals()[0].urls[0], "stun:192.0.2.33:3478");
        assert!(!servers.literals()[0].urls.iter().any(|url| url.contains("64:ff9b")));
    }
}
