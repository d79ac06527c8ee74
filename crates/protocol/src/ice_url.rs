//! Addresses of STUN and TURN servers (RFC 7064, RFC 7065), as far as the car speaks them: over UDP.

/// What the address is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IceScheme {
    /// Tells the address seen from outside.
    Stun,
    /// Relays.
    Turn,
}

impl IceScheme {
    /// The scheme as it is written.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stun => "stun",
            Self::Turn => "turn",
        }
    }
}

/// A server's address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IceUrl<'a> {
    /// What it is for.
    pub scheme: IceScheme,
    /// Name or IP literal, without the brackets of IPv6.
    pub host: &'a str,
    /// UDP port.
    pub port: u16,
}

/// Default port of STUN and TURN over UDP (RFC 7064 section 3.2, RFC 7065 section 3.2).
pub const DEFAULT_ICE_PORT: u16 = 3478;

impl<'a> IceUrl<'a> {
    /// Reads `stun:host[:port]` and `turn:host[:port][?transport=udp]`; `None` for anything else, such as TURN over TCP or TLS.
    #[must_use]
    pub fn parse(url: &'a str) -> Option<Self> {
        let (scheme, rest) = url.split_once(':')?;
        let (address, query) = rest.split_once('?').unwrap_or((rest, ""));
        let scheme = match (scheme, query) {
            ("stun", "") => IceScheme::Stun,
            ("turn", "" | "transport=udp") => IceScheme::Turn,
            _ => return None,
        };
        let (host, port) = match address.strip_prefix('[') {
            Some(bracketed) => {
                let (host, after) = bracketed.split_once(']')?;
                let port = if after.is_empty() { None } else { Some(after.strip_prefix(':')?) };
                (host, port)
            }
            None => match address.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (address, None),
            },
        };
        let port = port.map_or(Some(DEFAULT_ICE_PORT), |port| port.parse().ok())?;
        (!host.is_empty()).then_some(Self { scheme, host, port })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_literals_are_read_with_and_without_port() {
        let url = |scheme, host, port| Some(IceUrl { scheme, host, port });
        assert_eq!(IceUrl::parse("stun:stun.example.org"), url(IceScheme::Stun, "stun.example.org", 3478));
        assert_eq!(IceUrl::parse("turn:192.0.2.1:80?transport=udp"), url(IceScheme::Turn, "192.0.2.1", 80));
        assert_eq!(IceUrl::parse("turn:[2001:db8::1]:3479"), url(IceScheme::Turn, "2001:db8::1", 3479));
        assert_eq!(IceUrl::parse("stun:[::1]"), url(IceScheme::Stun, "::1", 3478));
    }

    #[test]
    fn what_the_car_cannot_speak_is_refused() {
        for url in [
            "turns:a.example:443",
            "turn:a.example?transport=tcp",
            "stun:a.example?transport=udp",
            "http://a.example",
            "stun:",
            "turn:a:b",
            "turn:[::1",
            "turn:[::1]80",
            "",
        ] {
            assert_eq!(IceUrl::parse(url), None, "{url}");
        }
    }
}
