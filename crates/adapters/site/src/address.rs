//! The addresses of a connection's two ends.

use axum::http::HeaderMap;
use std::net::{IpAddr, SocketAddr};

/// The two ends of a TCP connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    /// The client or the proxy in front of it.
    pub remote: SocketAddr,
    /// The address of this machine that it reached.
    pub local: SocketAddr,
    /// Whether it speaks TLS with this program, and not with a proxy in front of it.
    pub tls: bool,
}

impl Peer {
    /// The client's address. Behind a trusted proxy it is the last entry of `X-Forwarded-For`, the
    /// one that the proxy wrote itself.
    pub(crate) fn client(&self, headers: &HeaderMap, trusted: &[IpAddr]) -> IpAddr {
        let direct = self.remote.ip().to_canonical();
        if !trusted.contains(&direct) {
            return direct;
        }
        let last = headers.get_all("x-forwarded-for").iter().next_back();
        let last =
            last.and_then(|value| value.to_str().ok()).and_then(|list| list.rsplit(',').next());
        last.and_then(|entry| entry.trim().parse().ok()).unwrap_or(direct)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_trusted_proxy_names_the_client_and_only_its_own_entry_counts() {
        let proxy: IpAddr = "127.0.0.1".parse().unwrap();
        let peer = Peer { remote: (proxy, 1).into(), local: (proxy, 8080).into(), tls: false };
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-for", "1.1.1.1, 192.0.2.7".parse().unwrap());
        assert_eq!(peer.client(&headers, &[]), proxy);
        assert_eq!(peer.client(&headers, &[proxy]), "192.0.2.7".parse::<IpAddr>().unwrap());
        headers.insert("x-forwarded-for", "nonsense".parse().unwrap());
        assert_eq!(peer.client(&headers, &[proxy]), proxy);
    }
}
