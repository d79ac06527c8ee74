//! `host.toml`.

mod drives;
mod tls;

pub(crate) use drives::Drives;
pub(crate) use tls::Tls;

use crate::plain_http::is_public;
use rccar_daemon::config::{ConfigError, load};
use rccar_protocol::signaling::IceServer;
use rccar_relay::IpNet;
use rccar_site::{Limits, Proxies, ProxyHeader, PublicUrl, Shares};
use serde::Deserialize;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

/// Path of the file unless `--config` names another.
pub(crate) const DEFAULT_PATH: &str = "/etc/rccar/host.toml";

/// Credentials of TURN are renewed while a drive goes on, so they need not outlast it. Those of
/// release 0.1.0 had to, and its configurations say so: a longer time counts as this one.
pub(crate) const MAX_CREDENTIAL_TTL_S: u32 = 600;

/// The whole file; `config.toml` beside `Cargo.toml` documents it.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    pub(crate) http: Http,
    pub(crate) tls: Tls,
    pub(crate) database: Database,
    pub(crate) accounts: Caps,
    pub(crate) drives: Drives,
    pub(crate) turn: Turn,
    pub(crate) ice: Ice,
    pub(crate) releases: Releases,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Http {
    pub(crate) listen: Vec<SocketAddr>,
    pub(crate) public_url: Option<PublicUrl>,
    pub(crate) allow_public_http: bool,
    pub(crate) trusted_proxies: Vec<Proxy>,
    pub(crate) proxy_header: Header,
    pub(crate) max_connections: usize,
    pub(crate) max_connections_per_address: usize,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Database {
    pub(crate) path: PathBuf,
}

/// What one account may have at most: it must not fill the host and its lists.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Caps {
    pub(crate) max_cars: u32,
    pub(crate) max_open_tokens: u32,
    pub(crate) max_open_links: u32,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Turn {
    pub(crate) enabled: bool,
    pub(crate) listen: Vec<SocketAddr>,
    pub(crate) public_addresses: Vec<IpAddr>,
    pub(crate) tcp: bool,
    pub(crate) tls_listen: Vec<SocketAddr>,
    pub(crate) tls_certificate: Option<PathBuf>,
    pub(crate) tls_key: Option<PathBuf>,
    pub(crate) tls_name: Option<String>,
    pub(crate) realm: String,
    pub(crate) secret_file: PathBuf,
    pub(crate) credential_ttl_s: u32,
    pub(crate) min_port: u16,
    pub(crate) max_port: u16,
    pub(crate) allow_peers: Vec<Network>,
    pub(crate) allow_loopback_peers: bool,
}

#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Ice {
    pub(crate) extra_servers: Vec<IceServer>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Releases {
    pub(crate) dir: Option<PathBuf>,
    pub(crate) keyring: Option<PathBuf>,
    pub(crate) max_bytes: u64,
    pub(crate) max_downloads: usize,
    pub(crate) max_downloads_per_car: usize,
    /// The alias is its name in release 0.1.0.
    #[serde(alias = "nudge_spread_s")]
    pub(crate) announce_spread_s: u32,
}

/// A network as `address/bits`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Network(pub(crate) IpNet);

impl TryFrom<String> for Network {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
            .map(Self)
            .map_err(|_| format!("`{text}` is not a network such as 192.168.7.0/24"))
    }
}

/// An address or a network of reverse proxies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Proxy(pub(crate) IpNet);

impl TryFrom<String> for Proxy {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let address = || text.parse::<IpAddr>().map(|address| IpNet::from(address.to_canonical()));
        text.parse().or_else(|_| address()).map(Self).map_err(|_| {
            format!(
                "`{text}` is neither an address such as 127.0.0.1 nor a network such as 10.0.0.0/8"
            )
        })
    }
}

/// The header in which the proxies name their clients.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Header {
    #[default]
    XForwardedFor,
    Forwarded,
}

impl Default for Http {
    fn default() -> Self {
        let limits = Limits::default();
        Self {
            listen: on_loopback(8080),
            public_url: None,
            allow_public_http: false,
            trusted_proxies: Vec::new(),
            proxy_header: Header::default(),
            max_connections: limits.connections,
            max_connections_per_address: limits.connections_per_address,
        }
    }
}

impl Http {
    pub(crate) fn proxies(&self) -> Proxies {
        let header = match self.proxy_header {
            Header::XForwardedFor => ProxyHeader::XForwardedFor,
            Header::Forwarded => ProxyHeader::Forwarded,
        };
        Proxies::new(self.trusted_proxies.iter().map(|proxy| proxy.0).collect(), header)
    }

    /// Half as many as may be known: who is somebody says so within a round trip.
    pub(crate) fn strangers(&self) -> Shares {
        let per_address = self.max_connections_per_address.div_ceil(2);
        Shares {
            total: self.max_connections.div_ceil(2),
            per_address,
            per_site: per_address.saturating_mul(3).div_ceil(2),
            per_network: per_address.saturating_mul(2),
        }
    }
}

impl Default for Database {
    fn default() -> Self {
        Self { path: "/var/lib/rccar-host/host.db".into() }
    }
}

impl Default for Caps {
    /// A large club or school; a person who writes cards for a day; a person who opens a link at
    /// once.
    fn default() -> Self {
        Self { max_cars: 500, max_open_tokens: 50, max_open_links: 5 }
    }
}

impl Default for Releases {
    fn default() -> Self {
        let limits = Limits::default();
        Self {
            dir: None,
            keyring: None,
            // Twice the largest bundle of a full image so far, rounded up.
            max_bytes: 512 * 1024 * 1024,
            max_downloads: limits.downloads,
            max_downloads_per_car: limits.downloads_per_car,
            announce_spread_s: 60,
        }
    }
}

impl Default for Turn {
    fn default() -> Self {
        Self {
            enabled: true,
            // IANA's port for STUN and TURN (RFC 8489 section 18.6, RFC 8656 section 6.1).
            listen: on_loopback(3478),
            public_addresses: Vec::new(),
            tcp: true,
            tls_listen: Vec::new(),
            tls_certificate: None,
            tls_key: None,
            tls_name: None,
            realm: "rccar".into(),
            secret_file: "/var/lib/rccar-host/turn.secret".into(),
            credential_ttl_s: MAX_CREDENTIAL_TTL_S,
            // The dynamic ports (RFC 6335 section 6), as RFC 8656 section 7.2 recommends.
            min_port: 49_152,
            max_port: 65_535,
            allow_peers: Vec::new(),
            allow_loopback_peers: false,
        }
    }
}

impl Config {
    /// Reads and checks the file.
    pub(crate) fn load(path: &Path) -> Result<Self, ConfigError> {
        let config: Self = load(path)?;
        config.check(&path.display().to_string())?;
        Ok(config)
    }

    /// Rules that span several values; those of one value are in its type.
    fn check(&self, file: &str) -> Result<(), ConfigError> {
        let rule = |key, message| Err(ConfigError::rule(file, key, message));
        if self.http.listen.is_empty() {
            return rule("http.listen", "is empty: name one address at least");
        }
        let public = self.http.listen.iter().find(|listen| is_public(listen.ip()));
        if let (Some(public), false) = (public, self.http.allow_public_http) {
            let text = format!(
                "`{public}` is a public address, and there everybody on the way can read and \
                 change plain HTTP: listen on 127.0.0.1 behind a proxy with TLS, or set \
                 http.allow_public_http = true"
            );
            return rule("http.listen", &text);
        }
        self.check_tls(file)?;
        if self.http.max_connections == 0 || self.http.max_connections_per_address == 0 {
            return rule("http.max_connections", "limits of connections have to be 1 at least");
        }
        let Caps { max_cars, max_open_tokens, max_open_links } = self.accounts;
        if max_cars == 0 || max_open_tokens == 0 || max_open_links == 0 {
            return rule("accounts", "limits have to be 1 at least");
        }
        let releases = &self.releases;
        if releases.max_bytes == 0
            || releases.max_downloads == 0
            || releases.max_downloads_per_car == 0
        {
            return rule("releases", "limits have to be 1 at least");
        }
        if !self.turn.enabled {
            return Ok(());
        }
        if self.turn.listen.is_empty() {
            return rule(
                "turn.listen",
                "is empty: name one address at least, or set `enabled = false`",
            );
        }
        if self.turn.min_port == 0 || self.turn.min_port > self.turn.max_port {
            return rule("turn.min_port", "has to be 1 at least and no larger than max_port");
        }
        if self.turn.credential_ttl_s < 60 {
            return rule("turn.credential_ttl_s", "is in seconds and has to be 60 at least");
        }
        if !self.turn.tls_listen.is_empty() {
            let own = self.turn.tls_certificate.is_some() && self.turn.tls_key.is_some();
            if !own && !self.tls.is_on() {
                return rule("turn.tls_listen", "needs turn.tls_certificate and turn.tls_key");
            }
            if self.turn_name().is_none() {
                return rule(
                    "turn.tls_name",
                    "name what the certificate is for: there is no http.public_url to take it from",
                );
            }
        }
        if let Some(text) = crate::ice_urls::fault(&self.ice.extra_servers) {
            return rule("ice.extra_servers", &text);
        }
        let families = |v4: bool| {
            self.turn.public_addresses.iter().filter(|address| address.is_ipv4() == v4).count()
        };
        if families(true) > 1 || families(false) > 1 {
            return rule("turn.public_addresses", "holds two addresses of one family");
        }
        let nameless = |listen: &&SocketAddr| {
            listen.ip().is_unspecified() && self.turn.public_address(listen).is_none()
        };
        match self.turn.listen.iter().find(nameless) {
            Some(listen) if !self.turn.allow_loopback_peers => {
                let text = format!(
                    "`{listen}` is a wildcard: name the public address of its family in \
                     turn.public_addresses"
                );
                rule("turn.listen", &text)
            }
            _ => Ok(()),
        }
    }

    /// Unless configured, `releases` beside the database.
    pub(crate) fn releases_dir(&self) -> PathBuf {
        self.releases.dir.clone().unwrap_or_else(|| self.database.path.with_file_name("releases"))
    }

    /// The name under which clients reach TURN over TLS.
    pub(crate) fn turn_name(&self) -> Option<&str> {
        self.turn.tls_name.as_deref().or(self.http.public_url.as_ref().map(PublicUrl::host))
    }

    /// The address for links: what people can open in a browser.
    pub(crate) fn url(&self) -> String {
        if let Some(url) = &self.http.public_url {
            return url.to_string();
        }
        let address = self.http.listen.first().copied().unwrap_or_else(|| on_loopback(8080)[0]);
        if address.ip().is_unspecified() {
            format!("http://localhost:{}", address.port())
        } else {
            format!("http://{address}")
        }
    }

    /// The address for cars. `None`: every known address would mean the car itself.
    pub(crate) fn url_for_cars(&self) -> Option<PublicUrl> {
        let listened = self
            .http
            .listen
            .iter()
            .filter_map(|address| PublicUrl::try_from(format!("http://{address}")).ok());
        self.http.public_url.clone().into_iter().chain(listened).find(|url| !url.is_loopback())
    }
}

impl Turn {
    /// How long credentials work, in seconds.
    pub(crate) fn credential_ttl_s(&self) -> u32 {
        self.credential_ttl_s.min(MAX_CREDENTIAL_TTL_S)
    }

    /// The configured public address of the same family.
    pub(crate) fn public_address(&self, listen: &SocketAddr) -> Option<IpAddr> {
        self.public_addresses.iter().copied().find(|address| address.is_ipv4() == listen.is_ipv4())
    }
}

fn on_loopback(port: u16) -> Vec<SocketAddr> {
    vec![
        SocketAddr::from(([127, 0, 0, 1], port)),
        SocketAddr::from(([0, 0, 0, 0, 0, 0, 0, 1], port)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use rccar_daemon::config::parse;

    const DOCUMENTED: &str = include_str!("../config.toml");

    pub(super) fn checked(text: &str) -> Result<Config, String> {
        let config: Config = parse(text, "host.toml").map_err(|error| error.to_string())?;
        config.check("host.toml").map_err(|error| error.to_string())?;
        Ok(config)
    }

    #[test]
    fn cars_are_given_no_address_that_means_themselves() {
        let url = |text: &str| checked(text).unwrap().url_for_cars().map(|url| url.to_string());
        assert_eq!(url(""), None);
        assert_eq!(url("[http]\npublic_url = \"http://localhost\""), None);
        assert_eq!(url("[http]\nlisten = [\"0.0.0.0:80\", \"[::]:80\"]"), None);
        let listen = "[http]\nlisten = [\"127.0.0.1:80\", \"192.168.1.7:8080\"]";
        assert_eq!(url(listen).as_deref(), Some("http://192.168.1.7:8080"));
        let public = format!("{listen}\npublic_url = \"https://drive.example\"");
        assert_eq!(url(&public).as_deref(), Some("https://drive.example"));
    }

    #[test]
    fn the_documented_file_holds_the_defaults() {
        assert_eq!(checked(DOCUMENTED).unwrap(), Config::default());
        assert_eq!(checked("").unwrap(), Config::default());
    }

    #[test]
    fn commented_examples_are_legal() {
        let example = |line: &str| {
            let commented = line.strip_prefix("# ").filter(|rest| rest.contains(" = "));
            commented.or(Some(line).filter(|line| line.starts_with('['))).map(str::to_owned)
        };
        let examples: Vec<_> = DOCUMENTED.lines().filter_map(example).collect();
        assert_eq!(examples.len(), 15 + 9, "with the headings: {examples:?}");
        let examples = examples.join("\n");
        let config = checked(&examples).unwrap();
        assert_eq!(config.url(), "https://rccar.example.org");
        assert_eq!(config.ice.extra_servers.len(), 1);
        assert!(config.releases.dir.is_some() && config.releases.keyring.is_some());
    }

    #[test]
    fn mistakes_name_file_line_and_key() {
        for (text, words) in [
            ("[http]\nlisten = [\"nonsense\"]", &["host.toml:2", "http.listen"][..]),
            ("[http]\nlisten = []", &["host.toml", "http.listen"]),
            (
                "[ice]\nextra_servers = [{ urls = [\"stun:stun.example:3478?transport=udp\"] }]",
                &["host.toml", "ice.extra_servers", "server 1", "stun:stun.example", "the ?"],
            ),
            (
                "[http]\ntrusted_proxies = [\"10.0.0.0/33\"]",
                &["host.toml:2", "http.trusted_proxies", "10.0.0.0/8"],
            ),
            (
                "[http]\nproxy_header = \"x-real-ip\"",
                &["host.toml:2", "http.proxy_header", "forwarded"],
            ),
            ("[http]\n\nport = 8080", &["host.toml:3", "port"]),
            (
                "[http]\npublic_url = \"rccar.example\"",
                &["host.toml:2", "http.public_url", "https://name"],
            ),
            (
                "[turn]\nallow_peers = [\"home\"]",
                &["host.toml:2", "turn.allow_peers", "192.168.7.0/24"],
            ),
            ("[turn]\nmin_port = 2\nmax_port = 1", &["turn.min_port"]),
            ("[turn]\nlisten = [\"0.0.0.0:3478\"]", &["turn.listen", "public_addresses"]),
            (
                "[turn]\npublic_addresses = [\"192.0.2.1\", \"192.0.2.2\"]",
                &["turn.public_addresses"],
            ),
            ("[turn]\ntls_listen = [\"192.0.2.1:443\"]", &["turn.tls_listen", "tls_certificate"]),
            (
                "[turn]\ntls_listen = [\"192.0.2.1:443\"]\n\
                 tls_certificate = \"c\"\ntls_key = \"k\"",
                &["turn.tls_name", "http.public_url"],
            ),
            (
                "[http]\nlisten = [\"203.0.113.7:80\"]",
                &["http.listen", "public address", "allow_public_http"],
            ),
            ("[releases]\nmax_downloads = 0", &["releases", "1 at least"]),
            ("[accounts]\nmax_open_links = 0", &["accounts", "1 at least"]),
            ("[turn]\ncredential_ttl_s = -1", &["host.toml:2", "turn.credential_ttl_s"]),
        ] {
            let error = checked(text).unwrap_err();
            assert!(words.iter().all(|word| error.contains(word)), "{text}: {error}");
        }
    }

    #[test]
    fn bundles_are_kept_beside_the_database_unless_told_otherwise() {
        let at = |text: &str| checked(text).unwrap().releases_dir();
        assert_eq!(at("[database]\npath = \"./host.db\""), Path::new("./releases"));
        assert_eq!(at("[releases]\ndir = \"/srv/bundles\""), Path::new("/srv/bundles"));
    }

    #[test]
    fn links_use_an_address_that_a_browser_can_open() {
        let url = |text: &str| checked(text).unwrap().url();
        assert_eq!(url(""), "http://127.0.0.1:8080");
        assert_eq!(url("[http]\nlisten = [\"0.0.0.0:80\"]"), "http://localhost:80");
        assert_eq!(url("[http]\nlisten = [\"[::1]:81\"]"), "http://[::1]:81");
    }
}
