//! Addresses of ICE servers (RFC 7064, RFC 7065). One that a browser does not take ends every
//! drive there, so a mistake has to be found here.

use rccar_protocol::signaling::IceServer;
use std::net::Ipv6Addr;

/// Says what is wrong with the first address that is, or with what belongs to it.
pub(crate) fn fault(servers: &[IceServer]) -> Option<String> {
    servers.iter().enumerate().find_map(|(index, server)| {
        let place = index + 1;
        if server.urls.is_empty() {
            return Some(format!("server {place} has no urls"));
        }
        let bad = server
            .urls
            .iter()
            .find_map(|url| url_fault(url).map(|why| format!("server {place}: `{url}` {why}")));
        let relay = server.urls.iter().any(|url| is_relay(url));
        let nameless = server.username.is_none() || server.credential.is_none();
        bad.or_else(|| {
            (relay && nameless).then(|| {
                format!("server {place} is a TURN server: it needs username and credential")
            })
        })
    })
}

fn is_relay(url: &str) -> bool {
    url.split_once(':').is_some_and(|(scheme, _)| {
        scheme.eq_ignore_ascii_case("turn") || scheme.eq_ignore_ascii_case("turns")
    })
}

/// Why a browser does not take this address; `None` if it does.
fn url_fault(url: &str) -> Option<&'static str> {
    let Some((scheme, rest)) = url.split_once(':') else {
        return Some("needs a scheme: stun:, stuns:, turn: or turns:");
    };
    let relay = match scheme.to_ascii_lowercase().as_str() {
        "stun" | "stuns" => false,
        "turn" | "turns" => true,
        _ => return Some("has another scheme than stun:, stuns:, turn: or turns:"),
    };
    if rest.starts_with("//") {
        return Some("has no // after its scheme");
    }
    let (place, query) = rest.split_once('?').map_or((rest, None), |(a, b)| (a, Some(b)));
    match (relay, query) {
        (_, None) => {}
        (false, Some(_)) => return Some("is a STUN address: leave out what follows the ?"),
        (true, Some("transport=udp" | "transport=tcp")) => {}
        (true, Some(_)) => return Some("may end in ?transport=udp or ?transport=tcp only"),
    }
    place_fault(place)
}

fn place_fault(place: &str) -> Option<&'static str> {
    let (is_host, port) = if let Some(inside) = place.strip_prefix('[') {
        let Some((address, port)) = inside.split_once(']') else {
            return Some("has a [ without its ]");
        };
        (address.parse::<Ipv6Addr>().is_ok(), port)
    } else {
        let (host, port) = place.find(':').map_or((place, ""), |at| place.split_at(at));
        if port.matches(':').count() > 1 {
            return Some("has an IPv6 address without brackets: [2001:db8::1]");
        }
        let known = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
        (!host.is_empty() && host.bytes().all(known) && !host.starts_with(['.', '-']), port)
    };
    if !is_host {
        return Some("names no host");
    }
    let digits = match port.strip_prefix(':') {
        None if port.is_empty() => return None,
        None => return Some("has something behind its host"),
        Some(digits) => digits,
    };
    let is_port = digits.bytes().all(|byte| byte.is_ascii_digit())
        && digits.parse::<u16>().is_ok_and(|port| port != 0);
    (!is_port).then_some("has a port that is not 1 to 65535")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(url: &str, user: Option<&str>) -> IceServer {
        IceServer {
            urls: vec![url.into()],
            username: user.map(Into::into),
            credential: user.map(Into::into),
        }
    }

    #[test]
    fn addresses_of_the_rfcs_are_taken() {
        for url in [
            "stun:stun.example",
            "STUN:192.0.2.1:3478",
            "stuns:[2001:db8::1]:5349",
            "stun:[::ffff:192.0.2.1]",
            "turn:turn.example?transport=udp",
            "turns:turn.example.:443?transport=tcp",
        ] {
            assert_eq!(fault(&[server(url, Some("name"))]), None, "{url}");
        }
    }

    #[test]
    fn what_a_browser_does_not_take_is_named() {
        for (url, words) in [
            ("stun:stun.example:3478?transport=udp", "leave out what follows the ?"),
            ("stun://stun.example", "no //"),
            ("turn:turn.example?transport=sctp", "transport=udp or"),
            ("turn:turn.example?transport=udp&a=b", "transport=udp or"),
            ("turn:turn.example:0", "1 to 65535"),
            ("turn:turn.example:99999", "1 to 65535"),
            ("turn:turn.example:", "1 to 65535"),
            ("turn:user@turn.example", "no host"),
            ("stun:2001:db8::1", "brackets"),
            ("stun:[2001:db8::1", "without its ]"),
            ("stun:[nonsense]", "no host"),
            ("stun:[::1]3478", "behind its host"),
            ("stun:", "no host"),
            ("stun: stun.example", "no host"),
            ("https://stun.example", "another scheme"),
            ("stun.example", "needs a scheme"),
            ("", "needs a scheme"),
        ] {
            let good = server("stun:stun.example", None);
            let text = fault(&[good, server(url, Some("name"))]).unwrap_or_default();
            assert!(text.contains(words), "{url}: {text}");
            assert!(text.starts_with("server 2: ") && text.contains(url), "{url}: {text}");
        }
    }

    #[test]
    fn a_relay_needs_its_credentials_and_a_server_an_address() {
        let text = fault(&[server("turn:turn.example", None)]).unwrap_or_default();
        assert!(text.contains("username and credential"), "{text}");
        let empty = IceServer { urls: vec![], username: None, credential: None };
        assert_eq!(fault(&[empty]).as_deref(), Some("server 1 has no urls"));
    }
}
