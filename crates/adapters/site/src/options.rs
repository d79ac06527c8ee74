//! Settings of the routes.

use crate::address::Peer;
use crate::limits::Limits;
use crate::names::PublicUrl;
use rccar_protocol::text::Software;
use std::net::IpAddr;

/// Settings of [`crate::router`].
#[derive(Debug, Clone)]
pub struct Options {
    /// Program that serves, as clients see it.
    pub software: Software,
    /// Where people reach it, if that is fixed.
    pub public_url: Option<PublicUrl>,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpAddr>,
    /// Limits on connections.
    pub limits: Limits,
    /// Whether a client may connect at all; others are hung up on before they can say anything.
    /// Asked for each connection, so that it must not wait.
    pub admits: fn(&Peer) -> bool,
}

impl Options {
    /// For everybody, without public URL and proxies, with the default limits.
    #[must_use]
    pub fn new(software: Software) -> Self {
        Self {
            software,
            public_url: None,
            trusted_proxies: Vec::new(),
            limits: Limits::default(),
            admits: |_| true,
        }
    }
}
