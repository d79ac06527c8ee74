//! Resolves the names of ICE servers before they reach the WebRTC stack, which would wait for the resolver inside its media loop.

use rccar_protocol::ice_url::{IceScheme, IceUrl};
use rccar_protocol::signaling::IceServer;
use std::net::SocketAddr;
use std::time::Duration;

/// A resolver that has not answered by now would delay the session more than the server is worth.
const RESOLVE_WITHIN: Duration = Duration::from_secs(2);

/// Most addresses that are looked up; a list longer than this slows every session down.
const MAX_URLS: usize = 16;

/// The same servers with IP literals; what cannot be resolved or used is left out with a warning.
pub(crate) async fn resolve(servers: &[IceServer]) -> Vec<IceServer> {
    let urls = servers.iter().enumerate().flat_map(|(index, server)| server.urls.iter().map(move |url| (index, url)));
    let lookups = urls.take(MAX_URLS).map(|(index, url)| async move { (index, literals(url).await) });
    let found = futures_util::future::join_all(lookups).await;
    let mut resolved = Vec::new();
    for (index, server) in servers.iter().enumerate() {
        let urls: Vec<_> = found.iter().filter(|(at, _)| *at == index).flat_map(|(_, urls)| urls.clone()).collect();
        if !urls.is_empty() {
            resolved.push(IceServer { urls, ..server.clone() });
        }
    }
    resolved
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
    async fn servers_keep_their_credentials() {
        let server =
            IceServer { urls: vec!["turn:127.0.0.1:3478".into()], username: Some("u".into()), credential: Some("p".into()) };
        let resolved = resolve(std::slice::from_ref(&server)).await;
        assert_eq!(resolved, [IceServer { urls: vec!["turn:127.0.0.1:3478?transport=udp".into()], ..server }]);
    }
}
