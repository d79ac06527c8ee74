//! Resolves the names of ICE servers before they reach the WebRTC stack, which would wait for the resolver inside its media loop.

use rccar_protocol::ice_url::{IceScheme, IceUrl};
use rccar_protocol::signaling::IceServer;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

/// A resolver that has not answered by now would delay the session more than the server is worth.
const RESOLVE_WITHIN: Duration = Duration::from_secs(2);

/// Most addresses that are looked up; a list longer than this slows every session down.
const MAX_URLS: usize = 16;

/// A session's servers: as the host names them, and with IP literals.
#[derive(Debug, Default)]
pub(crate) struct Servers {
    named: Vec<IceServer>,
    literals: Vec<IceServer>,
    /// What was looked up for each address, so that a restart in the middle of a hand-over waits for no resolver.
    known: BTreeMap<String, Vec<String>>,
}

impl Servers {
    pub(crate) fn new(named: Vec<IceServer>) -> Self {
        Self { named, ..Self::default() }
    }

    /// The servers with IP literals; what cannot be resolved or used is left out.
    pub(crate) fn literals(&self) -> &[IceServer] {
        &self.literals
    }

    /// Takes the servers with new credentials.
    pub(crate) async fn renew(&mut self, named: Vec<IceServer>) {
        self.named = named;
        self.resolve().await;
    }

    /// Looks up what is not known yet.
    pub(crate) async fn resolve(&mut self) {
        let urls: BTreeSet<&String> = self.named.iter().flat_map(|server| &server.urls).take(MAX_URLS).collect();
        let new = urls.into_iter().filter(|url| !self.known.contains_key(*url));
        let lookups = new.map(|url| async move { (url.clone(), literals(url).await) });
        let found = futures_util::future::join_all(lookups).await;
        // What did not resolve may do so the next time.
        self.known.extend(found.into_iter().filter(|(_, literals)| !literals.is_empty()));
        let with_literals = self.named.iter().filter_map(|server| {
            let urls: Vec<_> = server.urls.iter().filter_map(|url| self.known.get(url)).flatten().cloned().collect();
            (!urls.is_empty()).then(|| IceServer { urls, ..server.clone() })
        });
        self.literals = with_literals.collect();
    }
}

async fn literals(url: &str) -> Vec<String> {
    match IceUrl::parse(url) {
        Some(parsed) => literal_urls(url, &parsed).await,
        None => {
            tracing::warn!(url, "ICE server left out: the car speaks STUN and TURN over UDP only");
            Vec::new()
        }
    }
}

async fn literal_urls(url: &str, parsed: &IceUrl<'_>) -> Vec<String> {
    let lookup = tokio::net::lookup_host((parsed.host, parsed.port));
    match tokio::time::timeout(RESOLVE_WITHIN, lookup).await {
        Ok(Ok(addresses)) => addresses.map(|address| literal(parsed.scheme, address)).collect(),
        Ok(Err(error)) => {
            tracing::warn!(url, %error, "ICE server left out: its name does not resolve");
            Vec::new()
        }
        Err(_) => {
            tracing::warn!(url, "ICE server left out: its name did not resolve within {RESOLVE_WITHIN:?}");
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

    #[tokio::test]
    async fn servers_keep_their_credentials_and_take_new_ones() {
        let server = |credential: &str| IceServer {
            urls: vec!["turn:127.0.0.1:3478".into()],
            username: Some("u".into()),
            credential: Some(credential.into()),
        };
        let mut servers = Servers::new(vec![server("p")]);
        servers.resolve().await;
        let literal = "turn:127.0.0.1:3478?transport=udp";
        assert_eq!(servers.literals(), [IceServer { urls: vec![literal.into()], ..server("p") }]);
        servers.renew(vec![server("q")]).await;
        assert_eq!(servers.literals(), [IceServer { urls: vec![literal.into()], ..server("q") }]);
    }
}
