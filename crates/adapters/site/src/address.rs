//! The addresses of a connection's two ends.

use crate::proxies::Proxies;
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
    /// The client's address, behind the proxies if it comes through some.
    pub(crate) fn client(&self, headers: &HeaderMap, proxies: &Proxies) -> IpAddr {
        proxies.client(self.remote.ip(), headers)
    }
}
