//! Makes ICE servers into what the WebRTC stack can use: names are resolved, because it would wait for the resolver inside its media loop;
//! and TURN over TCP and TLS, which it does not speak, is reached through a tunnel.

use rccar_protocol::ice_url::{IceScheme, IceTransport, IceUrl};
use rccar_protocol::signaling::IceServer;
use rccar_tunnel::{Options, Server, ServerName, Tunnel};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

/// A resolver that has not answered by now would delay the session more than the server is worth.
const RESOLVE_WITHIN: Duration = Duration::from_secs(2);

/// Most addresses that are looked up; a list longer than this slows every session down.
const MAX_URLS: usize = 16;

/// The ICE servers of one session, with the tunnel that leads to some of them.
#[derive(Debug, Default)]
pub(crate) struct Ice {
    tunnel: Option<Tunnel>,
    /// What was looked up before: a restart in the middle of a hand-over waits for no resolver.
    known: BTreeMap<String, Vec<SocketAddr>>,
}

/// An address with the number of the server that it belongs to.
struct Found<'a> {
    server: usize,
    url: IceUrl<'a>,
    addresses: Vec<SocketAddr>,
}

impl Ice {
    /// The same servers with IP literals; what cannot be resolved or used is left out with a warning. The tunnel stays as long as it leads
    /// to the same servers: allocations live in its connections.
    pub(crate) async fn resolve(&mut self, servers: &[IceServer]) -> Vec<IceServer> {
        let urls = servers.iter().enumerate().flat_map(|(index, server)| server.urls.iter().map(move |url| (index, url)));
        let known = &self.known;
        let lookups = urls.take(MAX_URLS).map(|(server, text)| async move {
            let url = IceUrl::parse(text);
            if url.is_none() {
                tracing::warn!(url = text, "ICE server left out: the car does not speak this");
            }
            let url = url?;
            let addresses = match known.get(text) {
                Some(known) => known.clone(),
                None => look_up(text, &url).await,
            };
            Some((text, Found { server, url, addresses }))
        });
        let found: Vec<_> = futures_util::future::join_all(lookups).await.into_iter().flatten().collect();
        // What did not resolve may do so the next time.
        let news = found.iter().filter(|(_, found)| !found.addresses.is_empty());
        self.known = news.map(|(text, found)| ((*text).clone(), found.addresses.clone())).collect();
        let found: Vec<_> = found.into_iter().map(|(_, found)| found).collect();
        let tunnelled = self.tunnel_to(&found).await;
        let resolved = servers.iter().enumerate().map(|(index, server)| {
            let own = found.iter().filter(|found| found.server == index && found.url.transport == IceTransport::Udp);
            let literals = own.flat_map(|found| found.addresses.iter().map(|address| literal(found.url.scheme, *address)));
            let tunnel = tunnelled.filter(|(server, _)| *server == index).map(|(_, address)| literal(IceScheme::Turn, address));
            IceServer { urls: literals.chain(tunnel).collect(), ..server.clone() }
        });
        resolved.filter(|server| !server.urls.is_empty()).collect()
    }

    /// The tunnel's near end, for the first server that has addresses over streams: one way out is enough.
    async fn tunnel_to(&mut self, found: &[Found<'_>]) -> Option<(usize, SocketAddr)> {
        let server = found.iter().find(|found| !servers(found).is_empty())?.server;
        let own = || found.iter().filter(move |found| found.server == server);
        let (datagrams, streams): (Vec<_>, Vec<_>) = own().partition(|found| found.url.transport == IceTransport::Udp);
        let options = Options {
            servers: streams.into_iter().flat_map(servers).collect(),
            datagrams: datagrams.into_iter().flat_map(|found| found.addresses.clone()).collect(),
        };
        if self.tunnel.as_ref().is_none_or(|tunnel| *tunnel.options() != options) {
            self.tunnel = match Tunnel::open(options).await {
                Ok(tunnel) => Some(tunnel),
                Err(error) => {
                    tracing::warn!(%error, "no tunnel: TURN works over UDP only");
                    None
                }
            };
        }
        self.tunnel.as_ref().map(|tunnel| (server, tunnel.address()))
    }
}

/// What a tunnel can lead to.
fn servers(found: &Found<'_>) -> Vec<Server> {
    let tls = match found.url.transport {
        IceTransport::Udp => return Vec::new(),
        IceTransport::Tcp => None,
        IceTransport::Tls => match ServerName::try_from(found.url.host.to_owned()) {
            Ok(name) => Some(name),
            Err(_) => {
                tracing::warn!(host = found.url.host, "ICE server left out: no certificate can be for this name");
                return Vec::new();
            }
        },
    };
    found.addresses.iter().map(|&address| Server { address, tls: tls.clone() }).collect()
}

async fn look_up(text: &str, url: &IceUrl<'_>) -> Vec<SocketAddr> {
    let lookup = tokio::net::lookup_host((url.host, url.port));
    match tokio::time::timeout(RESOLVE_WITHIN, lookup).await {
        Ok(Ok(addresses)) => addresses.collect(),
        Ok(Err(error)) => {
            tracing::warn!(url = text, %error, "ICE server left out: its name does not resolve");
            Vec::new()
        }
        Err(_) => {
            tracing::warn!(url = text, "ICE server left out: its name did not resolve within {RESOLVE_WITHIN:?}");
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

    #[tokio::test]
    async fn servers_keep_their_credentials() {
        let resolved = Ice::default().resolve(&[server(&["turn:127.0.0.1:3478"])]).await;
        assert_eq!(resolved, [server(&["turn:127.0.0.1:3478?transport=udp"])]);
    }

    #[tokio::test]
    async fn streams_are_reached_through_one_tunnel_that_stays() {
        let mut ice = Ice::default();
        let told =
            server(&["turn:127.0.0.1:3478?transport=udp", "turn:127.0.0.1:3478?transport=tcp", "turns:127.0.0.1?transport=tcp"]);
        let resolved = ice.resolve(&[server(&["stun:127.0.0.1:3478"]), told.clone()]).await;
        let tunnel = ice.tunnel.as_ref().unwrap();
        let near = format!("turn:{}?transport=udp", tunnel.address());
        assert_eq!(resolved, [server(&["stun:127.0.0.1:3478"]), server(&["turn:127.0.0.1:3478?transport=udp", &near])]);
        let ports: Vec<_> = tunnel.options().servers.iter().map(|server| (server.address.port(), server.tls.is_some())).collect();
        assert_eq!(ports, [(3478, false), (5349, true)]);
        assert_eq!(tunnel.options().datagrams, ["127.0.0.1:3478".parse::<SocketAddr>().unwrap()]);

        let fresh = IceServer { credential: Some("q".into()), ..told };
        assert_eq!(ice.resolve(&[fresh]).await[0].urls[1], near);
        let elsewhere = ice.resolve(&[server(&["turn:127.0.0.1:1?transport=tcp"])]).await;
        assert_ne!(elsewhere[0].urls, [near]);
    }

    #[tokio::test]
    async fn what_the_car_cannot_use_is_left_out() {
        assert_eq!(Ice::default().resolve(&[server(&["stuns:127.0.0.1", "http://a"])]).await, []);
    }
}
