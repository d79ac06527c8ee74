//! Reverse proxies in front of the program, and whom they speak for.
//!
//! A header is believed as far as the chain of trusted proxies reaches, from the right: each writes
//! the address that it saw behind what it was told, and what a client wrote itself stands left of
//! that.

use axum::http::HeaderMap;
use ipnet::IpNet;
use std::net::{IpAddr, SocketAddr};

/// Proxies that may stand one behind the other. More is a mistake or a trick.
const MAX_HOPS: usize = 16;

/// The proxies that are believed.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Proxies {
    networks: Vec<IpNet>,
    header: ProxyHeader,
}

/// The header in which proxies name their clients. One, because a proxy passes on unread what a
/// client wrote into the other.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ProxyHeader {
    /// `X-Forwarded-For`.
    #[default]
    XForwardedFor,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

impl Proxies {
    #[must_use]
    pub fn new(networks: Vec<IpNet>, header: ProxyHeader) -> Self {
        Self { networks, header }
    }

    /// Whether a proxy of ours has this address.
    #[must_use]
    pub fn trusts(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.networks.iter().any(|network| network.contains(&address))
    }

    /// The client behind the proxies, by what the nearest of them says. Where one names no address,
    /// it counts as the client.
    pub(crate) fn client(&self, nearest: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = nearest.to_canonical();
        if !self.trusts(client) {
            return client;
        }
        let mut hops = 0;
        for value in headers.get_all(self.header.name()).iter().rev() {
            for entry in entries(value.as_bytes()) {
                hops += 1;
                if hops > MAX_HOPS || !self.trusts(client) {
                    return client;
                }
                // Bytes that no proxy writes: whoever did is not believed.
                let named = str::from_utf8(entry).ok().and_then(|entry| self.header.named(entry));
                let Some(address) = named else { return client };
                client = address.to_canonical();
            }
        }
        client
    }

    /// Whether a proxy sends this for somebody, and not for itself.
    pub(crate) fn speaks_for_another(&self, headers: &HeaderMap) -> bool {
        headers.contains_key(self.header.name())
    }
}

impl ProxyHeader {
    fn name(self) -> &'static str {
        match self {
            Self::XForwardedFor => "x-forwarded-for",
            Self::Forwarded => "forwarded",
        }
    }

    /// The address in one entry.
    fn named(self, entry: &str) -> Option<IpAddr> {
        match self {
            Self::XForwardedFor => address(entry.trim()),
            Self::Forwarded => parts(entry, ';')
                .iter()
                .find_map(|pair| of_for(pair))
                .and_then(|text| address(&text)),
        }
    }
}

/// The entries of a list, the last one first. Commas within quotation marks do not count; the marks
/// are counted from the right, where the proxies wrote, so that one that a client left open does
/// not swallow what comes after it.
fn entries(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(value);
    std::iter::from_fn(move || {
        let text = rest?;
        let mut quoted = false;
        for (at, &byte) in text.iter().enumerate().rev() {
            match byte {
                b'"' if !is_escaped(&text[..at]) => quoted = !quoted,
                b',' if !quoted => {
                    rest = text.get(..at);
                    return text.get(at + 1..);
                }
                _ => {}
            }
        }
        rest = None;
        Some(text)
    })
}

/// Whether an odd number of backslashes ends the text.
fn is_escaped(before: &[u8]) -> bool {
    before.iter().rev().take_while(|&&byte| byte == b'\\').count() % 2 == 1
}

fn of_for(pair: &str) -> Option<String> {
    let (name, value) = pair.split_once('=')?;
    if !name.trim().eq_ignore_ascii_case("for") {
        return None;
    }
    let value = value.trim();
    match value.strip_prefix('"') {
        Some(quoted) => unquoted(quoted),
        None => Some(value.to_owned()),
    }
}

/// A quoted string without its first mark (RFC 9110 section 5.6.4). `None`: it does not end.
fn unquoted(text: &str) -> Option<String> {
    let (mut value, mut rest) = (String::new(), text.chars());
    loop {
        match rest.next()? {
            '"' => return rest.next().is_none().then_some(value),
            '\\' => value.push(rest.next()?),
            character => value.push(character),
        }
    }
}

/// Splits where the separator is not within quotation marks.
fn parts(text: &str, separator: char) -> Vec<String> {
    let (mut parts, mut quoted, mut escaped) = (vec![String::new()], false, false);
    for character in text.chars() {
        if character == separator && !quoted {
            parts.push(String::new());
            continue;
        }
        if character == '"' && !escaped {
            quoted = !quoted;
        }
        escaped = quoted && character == '\\' && !escaped;
        if let Some(last) = parts.last_mut() {
            last.push(character);
        }
    }
    parts
}

/// An address as proxies write it: bare, in brackets, with a port.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let with_port = || text.parse().ok().map(|socket: SocketAddr| socket.ip());
    bare.parse().ok().or_else(with_port)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    const NEAREST: &str = "127.0.0.1";

    fn client(proxies: &Proxies, nearest: &str, headers: &[(&'static str, &str)]) -> String {
        let value = |value: &str| HeaderValue::from_bytes(value.as_bytes()).unwrap();
        let headers = headers.iter().map(|(name, text)| (name.parse().unwrap(), value(text)));
        proxies.client(nearest.parse().unwrap(), &headers.collect()).to_string()
    }

    fn proxies(header: ProxyHeader) -> Proxies {
        let networks = ["127.0.0.1/32", "10.0.0.0/8", "fd00::/8"];
        Proxies::new(networks.map(|network| network.parse().unwrap()).to_vec(), header)
    }

    #[test]
    fn only_a_trusted_proxy_names_the_client() {
        let listed = [("x-forwarded-for", "192.0.2.7")];
        assert_eq!(client(&Proxies::default(), NEAREST, &listed), NEAREST);
        let trusted = proxies(ProxyHeader::XForwardedFor);
        assert_eq!(client(&trusted, "198.51.100.1", &listed), "198.51.100.1");
        assert_eq!(client(&trusted, "::ffff:127.0.0.1", &listed), "192.0.2.7");
        assert_eq!(client(&trusted, NEAREST, &[]), NEAREST);
    }

    #[test]
    fn addresses_are_understood_as_proxies_write_them_and_what_a_client_wrote_does_not_count() {
        let trusted = proxies(ProxyHeader::XForwardedFor);
        for (listed, found) in [
            ("192.0.2.7", "192.0.2.7"),
            ("192.0.2.7:4711", "192.0.2.7"),
            ("2001:db8::7", "2001:db8::7"),
            ("[2001:db8::7]", "2001:db8::7"),
            ("[2001:db8::7]:4711", "2001:db8::7"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
            ("1.1.1.1, 192.0.2.7", "192.0.2.7"),
            ("1.1.1.1, 192.0.2.7, 10.1.2.3, fd00::1", "192.0.2.7"),
            ("192.0.2.7 ,10.1.2.3:80", "192.0.2.7"),
            ("nonsense", NEAREST),
            ("192.0.2.7, unknown", NEAREST),
            ("192.0.2.7, unknown, 10.1.2.3", "10.1.2.3"),
            ("", NEAREST),
            ("10.1.2.3", "10.1.2.3"),
            ("\u{ff}, 192.0.2.7", "192.0.2.7"),
            ("1.1.1.1, \u{ff}", NEAREST),
            ("\", 192.0.2.7", "192.0.2.7"),
        ] {
            assert_eq!(
                client(&trusted, NEAREST, &[("x-forwarded-for", listed)]),
                found,
                "{listed}"
            );
        }
        let twice = [("x-forwarded-for", "1.1.1.1"), ("x-forwarded-for", "192.0.2.7")];
        let mut headers = HeaderMap::new();
        for (name, value) in twice {
            headers.append(name, value.parse().unwrap());
        }
        let nearest = NEAREST.parse().unwrap();
        assert_eq!(trusted.client(nearest, &headers).to_string(), "192.0.2.7");
    }

    #[test]
    fn forwarded_is_understood_where_it_is_the_one_that_counts() {
        let trusted = proxies(ProxyHeader::Forwarded);
        for (text, found) in [
            ("for=192.0.2.7", "192.0.2.7"),
            ("For=\"192.0.2.7:4711\";proto=https;by=10.0.0.1", "192.0.2.7"),
            ("proto=https; for=\"[2001:db8::7]:4711\"", "2001:db8::7"),
            ("for=1.1.1.1, for=192.0.2.7", "192.0.2.7"),
            ("for=192.0.2.7, for=10.1.2.3;by=\"a,b;for=1.1.1.1\"", "192.0.2.7"),
            ("for=192.0.2.7, proto=https", NEAREST),
            ("for=192.0.2.7, for=_hidden", NEAREST),
            ("for=\"192.0.2.7", NEAREST),
            ("for=\"192.0.2.7\\\"", NEAREST),
            (";;,,==\"", NEAREST),
            // What a client left open does not reach what the proxy wrote.
            ("for=1.1.1.1;x=\", for=192.0.2.7", "192.0.2.7"),
            ("for=\", for=192.0.2.7", "192.0.2.7"),
            ("for=\"\\, for=192.0.2.7", "192.0.2.7"),
            ("\u{ff}=1, for=192.0.2.7", "192.0.2.7"),
        ] {
            assert_eq!(client(&trusted, NEAREST, &[("forwarded", text)]), found, "{text}");
            let other = proxies(ProxyHeader::XForwardedFor);
            assert_eq!(client(&other, NEAREST, &[("forwarded", text)]), NEAREST);
        }
    }

    #[test]
    fn a_long_chain_is_walked_only_so_far() {
        let trusted = proxies(ProxyHeader::XForwardedFor);
        let chain = std::iter::once("192.0.2.7").chain(std::iter::repeat_n("10.0.0.1", 1000));
        let chain = chain.collect::<Vec<_>>().join(",");
        assert_eq!(client(&trusted, NEAREST, &[("x-forwarded-for", &chain)]), "10.0.0.1");
    }
}
