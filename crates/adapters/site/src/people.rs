//! Accounts and their sign-ins, as their users see them.

use crate::token::{Token, TokenHash};
use rccar_protocol::signaling::CarRole;
use rccar_protocol::text::Name;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::IpAddr;

/// What an account may do on the host as a whole. What it may do with a car is said for each car.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Manages people and releases, and counts as the owner of every car.
    Admin,
    Member,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Admin => "admin",
            Self::Member => "member",
        })
    }
}

/// Somebody who is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    pub name: Name,
    pub role: Role,
}

/// An account, for admins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PersonInfo {
    pub name: Name,
    pub role: Role,
    /// An account without one signs in by links.
    pub has_password: bool,
    /// How many cars it owns.
    pub cars: u64,
    /// Seconds since 1970 (UTC).
    pub created_at: u64,
    /// When one of its browsers was seen last, to ten minutes. `None`: none is signed in.
    pub seen_at: Option<u64>,
}

/// With whom a car is shared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SharesInfo {
    /// What everybody on the host may do with it.
    pub everybody: Option<CarRole>,
    /// By name.
    pub people: Vec<ShareInfo>,
}

/// What one account may do with a car.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ShareInfo {
    pub name: Name,
    pub role: CarRole,
}

/// A one-time link for somebody else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewLink {
    pub token: Token,
    /// Seconds since 1970 (UTC).
    pub expires_at: u64,
}

/// A browser that signs in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSignIn {
    /// Of the browser's cookie.
    pub hash: TokenHash,
    /// The browser's rough name: `Firefox on Linux`.
    pub browser: String,
    /// The network that it came from, without the last bits of the address: `192.0.2.0/24`.
    pub network: String,
}

/// The outcome of an attempt to sign in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedIn {
    pub user: Name,
    /// Sign-ins that ended with it.
    pub ended: EndedSignIns,
}

/// The connections and drives of these have to end, too.
pub type EndedSignIns = Vec<TokenHash>;

/// An account, for its own user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AccountInfo {
    pub name: Name,
    /// An account without one signs in by links.
    pub has_password: bool,
    /// The newest first.
    pub sign_ins: Vec<SignInInfo>,
}

/// A browser that is signed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SignInInfo {
    pub id: String,
    /// As in [`NewSignIn`]; `None`: it is older than these notes.
    pub browser: Option<String>,
    pub network: Option<String>,
    /// Seconds since 1970 (UTC).
    pub created_at: u64,
    /// The same, to ten minutes.
    pub seen_at: Option<u64>,
    /// It is the one that asks.
    pub this: bool,
}

impl NewSignIn {
    pub(crate) fn new(hash: TokenHash, agent: Option<&str>, client: IpAddr) -> Self {
        Self { hash, browser: browser(agent), network: network(client) }
    }
}

/// A browser's rough name, from its `User-Agent` (RFC 9110 section 10.1.5). No part of it is the
/// client's own text.
fn browser(agent: Option<&str>) -> String {
    let agent = agent.unwrap_or_default();
    let find = |list: &[(&str, &'static str)]| {
        list.iter().find(|(mark, _)| agent.contains(mark)).map(|&(_, name)| name)
    };
    // Each claims to be those below it.
    let name = find(&[
        ("Edg", "Edge"),
        ("OPR/", "Opera"),
        ("SamsungBrowser/", "Samsung Internet"),
        ("Firefox/", "Firefox"),
        ("FxiOS/", "Firefox"),
        ("CriOS/", "Chrome"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    ]);
    let system = find(&[
        ("Android", "Android"),
        ("iPhone", "an iPhone"),
        ("iPad", "an iPad"),
        ("Windows", "Windows"),
        ("CrOS", "ChromeOS"),
        ("Macintosh", "macOS"),
        ("Linux", "Linux"),
    ]);
    match (name, system) {
        (Some(name), Some(system)) => format!("{name} on {system}"),
        (Some(name), None) => name.to_owned(),
        (None, Some(system)) => format!("A browser on {system}"),
        (None, None) => "Another program".to_owned(),
    }
}

/// The /24 of an IPv4 address, the /48 of an IPv6 address: enough to tell home from elsewhere.
fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            let [a, b, c, _] = address.octets();
            format!("{a}.{b}.{c}.0/24")
        }
        IpAddr::V6(address) => {
            let [a, b, c, ..] = address.segments();
            let network = std::net::Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0);
            format!("{network}/48")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn row_10_a_browser_has_a_rough_name_whatever_it_sends() {
        let chrome = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) \
                      Chrome/131.0.0.0 Safari/537.36";
        for (agent, name) in [
            (Some(chrome), "Chrome on Linux"),
            (Some(&*format!("{chrome} Edg/131.0.0.0")), "Edge on Linux"),
            (
                Some("Mozilla/5.0 (Android 14; Mobile; rv:133.0) Gecko/133.0 Firefox/133.0"),
                "Firefox on Android",
            ),
            (
                Some(
                    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 \
                     (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
                ),
                "Safari on an iPhone",
            ),
            (Some("<script>alert(1)</script>"), "Another program"),
            (None, "Another program"),
        ] {
            assert_eq!(browser(agent), name, "{agent:?}");
        }
    }

    #[test]
    fn row_10_of_an_address_its_network_is_kept() {
        for (address, kept) in [
            ("192.0.2.77", "192.0.2.0/24"),
            ("::ffff:192.0.2.77", "192.0.2.0/24"),
            ("2001:db8:12:3456::7", "2001:db8:12::/48"),
            ("::1", "::/48"),
        ] {
            assert_eq!(network(address.parse().unwrap()), kept);
        }
    }
}
