//! Addresses of STUN and TURN servers (RFC 7064, RFC 7065), as far as the car speaks them: STUN
//! over UDP, TURN over UDP, TCP and TLS.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IceScheme {
    /// The server says which address it sees.
    Stun,
    /// The server relays.
    Turn,
}

impl IceScheme {
    /// As in a URL, without the colon.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stun => "stun",
            Self::Turn => "turn",
        }
    }
}

/// How the car reaches the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IceTransport {
    Udp,
    Tcp,
    /// TLS over TCP.
    Tls,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IceUrl<'a> {
    pub scheme: IceScheme,
    pub transport: IceTransport,
    /// A name or an IP literal, without the brackets of IPv6.
    pub host: &'a str,
    /// A UDP port if `transport` is UDP, else a TCP port.
    pub port: u16,
}

/// Default port of STUN and TURN over UDP and TCP (RFC 7064 section 3.2, RFC 7065 section 3.2).
pub const DEFAULT_ICE_PORT: u16 = 3478;
/// Default port of TURN over TLS (RFC 7065 section 3.2).
pub const DEFAULT_ICE_TLS_PORT: u16 = 5349;

impl<'a> IceUrl<'a> {
    /// Reads `stun:host[:port]`, `turn:host[:port][?transport=udp|tcp]` and
    /// `turns:host[:port][?transport=tcp]`; `None` for anything else, such as DTLS.
    #[must_use]
    pub fn parse(url: &'a str) -> Option<Self> {
        let (scheme, rest) = url.split_once(':')?;
        let (address, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (scheme, transport) = match (scheme, query) {
            ("stun", "") => (IceScheme::Stun, IceTransport::Udp),
            ("turn", "" | "transport=udp") => (IceScheme::Turn, IceTransport::Udp),
            ("turn", "transport=tcp") => (IceScheme::Turn, IceTransport::Tcp),
            ("turns", "" | "transport=tcp") => (IceScheme::Turn, IceTransport::Tls),
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
        let default =
            if transport == IceTransport::Tls { DEFAULT_ICE_TLS_PORT } else { DEFAULT_ICE_PORT };
        let port = port.map_or(Some(default), |port| port.parse().ok())?;
        (!host.is_empty()).then_some(Self { scheme, transport, host, port })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_literals_are_read_with_and_without_port() {
        let url =
            |scheme, host, port| Some(IceUrl { scheme, transport: IceTransport::Udp, host, port });
        assert_eq!(
            IceUrl::parse("stun:stun.example.org"),
            url(IceScheme::Stun, "stun.example.org", 3478)
        );
        assert_eq!(
            IceUrl::parse("turn:192.0.2.1:80?transport=udp"),
            url(IceScheme::Turn, "192.0.2.1", 80)
        );
        assert_eq!(
            IceUrl::parse("turn:[2001:db8::1]:3479"),
            url(IceScheme::Turn, "2001:db8::1", 3479)
        );
        assert_eq!(IceUrl::parse("stun:[::1]"), url(IceScheme::Stun, "::1", 3478));
    }

    #[test]
    fn streams_are_told_from_datagrams_and_have_ports_of_their_own() {
        let read = |url| IceUrl::parse(url).map(|url| (url.transport, url.host, url.port));
        assert_eq!(
            read("turn:a.example?transport=tcp"),
            Some((IceTransport::Tcp, "a.example", 3478))
        );
        assert_eq!(read("turns:a.example"), Some((IceTransport::Tls, "a.example", 5349)));
        assert_eq!(
            read("turns:[2001:db8::1]:443?transport=tcp"),
            Some((IceTransport::Tls, "2001:db8::1", 443))
        );
    }

    #[test]
    fn what_the_car_cannot_speak_is_refused() {
        for url in [
            "turns:a.example?transport=udp",
            "turn:a.example?transport=sctp",
            "stuns:a.example",
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
