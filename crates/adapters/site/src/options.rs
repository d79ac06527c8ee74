//! Settings of the routes.

use crate::address::Peer;
use crate::limits::Limits;
use crate::names::PublicUrl;
use crate::proxies::Proxies;
use crate::token::Token;
use rccar_protocol::text::Software;
use std::net::SocketAddr;

/// Settings of [`crate::router`].
#[derive(Debug, Clone)]
pub struct Options {
    /// Name and version of the program, as clients see them.
    pub software: Software,
    /// Address under which people reach the program, if it is configured. The program then answers
    /// under no other name, unless this one means the machine itself (`localhost`).
    pub public_url: Option<PublicUrl>,
    /// Where the program listens to plain HTTP: people who add a car are offered this machine's
    /// addresses for it.
    pub listens: Vec<SocketAddr>,
    /// Proxies that are believed who their clients are.
    pub trusted_proxies: Proxies,
    pub limits: Limits,
    /// Key of the cookies by which browsers are known that were signed in before. `None`: a new one
    /// for each start, and no browser is known after it.
    pub known_browsers: Option<Token>,
    /// Whether a client may connect at all. The connections of others are closed before anything is
    /// read. Called for each connection, so it must not wait.
    pub admits: fn(&Peer) -> bool,
    /// Whether a client may speak plain HTTP, without a proxy of `trusted_proxies` between. Others
    /// get a refusal in words. Called for each request, so it must not wait.
    pub plain_http: fn(&Peer) -> bool,
}

impl Options {
    /// For everybody, without public URL and proxies, with the default limits.
    #[must_use]
    pub fn new(software: Software) -> Self {
        Self {
            software,
            public_url: None,
            listens: Vec::new(),
            trusted_proxies: Proxies::default(),
            limits: Limits::default(),
            known_browsers: None,
            admits: |_| true,
            plain_http: |_| true,
        }
    }

    /// The only name of this program, if it has one.
    pub(crate) fn only_name(&self) -> Option<&PublicUrl> {
        self.public_url.as_ref().filter(|url| !url.is_loopback())
    }

    /// Whether browsers come over TLS.
    pub(crate) fn is_secure(&self) -> bool {
        self.public_url.as_ref().is_some_and(PublicUrl::is_https)
    }
}
