//! Settings of the routes.

use crate::address::Peer;
use crate::limits::Limits;
use crate::names::PublicUrl;
use rccar_protocol::text::Software;
use std::net::IpAddr;

/// Settings of [`crate::router`].
#[derive(Debug, Clone)]
pub struct Options {
    /// Name and version of the program, as clients see them.
    pub software: Software,
    /// Address under which people reach the program, if it is configured.
    pub public_url: Option<PublicUrl>,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpAddr>,
    pub limits: Limits,
    /// Whether a client may connect at all. The connections of others are closed before anything is
    /// read. Called for each connection, so it must not wait.
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
