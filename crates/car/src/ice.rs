//! Resolves the names of ICE servers before they reach the WebRTC stack, which would wait for the resolver inside its media loop.

use rccar_protocol::signaling::IceServer;
use std::net::SocketAddr;
use std::time::Duration;

/// A resolver that has not answered by now would delay the session more than the server is worth.
const RESOLVE_WITHIN: Duration = Duration::from_secs(2);
/// Default port of STUN and TURN over UDP (RFC 7064 section 3.2, RFC 7065 section 3.2).
const DEFAULT_PORT: u16 = 3478;

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
    match parse(url) {
        Some(parsed) => literal_urls(url, &parsed).await,
        None => {
            tracing::warn!(url, "ICE server left out: the car speaks STUN and TURN over UDP only");
            Vec::new()
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
struct IceUrl<'a> {
    scheme: &'a str,
    host: &'a str,
    port: u16,
}

/// Reads `stun:host[:port]` and `turn:host[:port][?transport=udp]`.
fn parse(url: &str) -> Option<IceUrl<'_>> {
    let (scheme, rest) = url.split_once(':')?;
    let (address, query) = rest.split_once('?').unwrap_or((rest, ""));
    if !matches!(scheme, "stun" | "turn") || !matches!(query, "" | "transport=udp") {
        return None;
    }
    let (host, port) = match address.strip_prefix('[') {
        Some(bracketed) => {
            let (host, after) = bracketed.split_once(']')?;
            (host, after.strip_prefix(':'))
        }
        None => match address.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (address, None),
        },
    };
    let port = port.map_or(Some(DEFAULT_PORT), |port| port.parse().ok())?;
    (!host.is_empty()).then_some(IceUrl { scheme, host, port })
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

fn literal(scheme: &str, address: SocketAddr) -> String {
    match scheme {
        "turn" => format!("turn:{address}?transport=udp"),
        _ => format!("{scheme}:{address}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_names_and_literals_with_and_without_port() {
        let url = |scheme, host, port| Some(IceUrl { scheme, host, port });
        assert_eq!(parse("stun:stun.example.org"), url("stun", "stun.example.org", 3478));
        assert_eq!(parse("turn:192.0.2.1:80?transport=udp"), url("turn", "192.0.2.1", 80));
        assert_eq!(parse("turn:[2001:db8::1]:3479"), url("turn", "2001:db8::1", 3479));
        assert_eq!(parse("stun:[::1]"), url("stun", "::1", 3478));
    }

    #[test]
    fn refuses_what_the_stack_cannot_speak() {
        for url in ["turns:a.example:443", "turn:a.example?transport=tcp", "http://a.example", "stun:", "turn:a:b", ""] {
            assert_eq!(parse(url), None, "{url}");
        }
    }

    #[tokio::test]
    async fn servers_keep_their_credentials() {
        let server =
            IceServer { urls: vec!["turn:127.0.0.1:3478".into()], username: Some("u".into()), credential: Some("p".into()) };
        let resolved = resolve(std::slice::from_ref(&server)).await;
        assert_eq!(resolved, [IceServer { urls: vec!["turn:127.0.0.1:3478?transport=udp".into()], ..server }]);
    }
}
