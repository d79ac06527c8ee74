use serde::Deserialize;

/// Address of a signaling host: `http://` or `https://`, a name, perhaps a port, and no path.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct HostUrl {
    secure: bool,
    authority: String,
}

impl HostUrl {
    /// The name and port that the car signs when it registers. Default ports are left out.
    pub(crate) fn authority(&self) -> &str {
        &self.authority
    }

    pub(crate) fn is_secure(&self) -> bool {
        self.secure
    }

    /// The name or address without a port, as a URL has it.
    pub(crate) fn host(&self) -> &str {
        match self.authority.rfind(':') {
            Some(colon) if has_port(&self.authority) => &self.authority[..colon],
            _ => &self.authority,
        }
    }

    /// Name and port to connect to.
    pub(crate) fn dialled(&self) -> String {
        let port = if self.secure { ":443" } else { ":80" };
        if has_port(&self.authority) {
            self.authority.clone()
        } else {
            format!("{}{port}", self.authority)
        }
    }

    /// The address as people write it: `https://drive.example`.
    pub(crate) fn origin(&self) -> String {
        format!("{}://{}", if self.secure { "https" } else { "http" }, self.authority)
    }

    /// The WebSocket at which cars register.
    pub(crate) fn websocket(&self) -> String {
        format!("{}://{}/ws/car", if self.secure { "wss" } else { "ws" }, self.authority)
    }
}

/// A port is what follows the last colon outside of an IPv6 literal's brackets.
fn has_port(authority: &str) -> bool {
    authority.rfind(':') > authority.rfind(']')
}

impl TryFrom<String> for HostUrl {
    type Error = String;
    fn try_from(url: String) -> Result<Self, String> {
        let wrong = || {
            format!("`{url}` is not an address like https://host.example or http://192.0.2.1:8080")
        };
        let (scheme, rest) = url.split_once("://").ok_or_else(wrong)?;
        // Of any case (RFC 3986 section 3.1).
        let (secure, default_port) = match scheme.to_ascii_lowercase().as_str() {
            "https" => (true, ":443"),
            "http" => (false, ":80"),
            _ => return Err(wrong()),
        };
        let authority = rest.strip_suffix('/').unwrap_or(rest).to_ascii_lowercase();
        let authority = authority.strip_suffix(default_port).unwrap_or(&authority).to_owned();
        let parsed: tokio_tungstenite::tungstenite::http::uri::Authority =
            authority.parse().map_err(|_| wrong())?;
        if parsed.host().is_empty() || authority.contains('@') || authority.ends_with(':') {
            return Err(wrong());
        }
        if has_port(&authority) && parsed.port_u16().is_none_or(|port| port == 0) {
            return Err(format!("`{url}` has a port that does not exist: it is one of 1 to 65535"));
        }
        Ok(Self { secure, authority })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Result<HostUrl, String> {
        HostUrl::try_from(text.to_owned())
    }

    #[test]
    fn host_addresses_become_websocket_addresses() {
        assert_eq!(
            url("https://Drive.Example/").unwrap().websocket(),
            "wss://drive.example/ws/car"
        );
        assert_eq!(url("http://127.0.0.1:8080").unwrap().websocket(), "ws://127.0.0.1:8080/ws/car");
        assert_eq!(url("https://Drive.Example/").unwrap().origin(), "https://drive.example");
        assert_eq!(url("HTTPS://Drive.Example").unwrap().origin(), "https://drive.example");
        assert_eq!(url("http://[::1]:8080").unwrap().authority(), "[::1]:8080");
        assert_eq!(url("https://drive.example:443").unwrap().authority(), "drive.example");
        assert_eq!(url("https://drive.example").unwrap().dialled(), "drive.example:443");
        assert_eq!(url("http://[::1]").unwrap().dialled(), "[::1]:80");
        assert_eq!(url("http://[::1]:8080").unwrap().dialled(), "[::1]:8080");
    }

    #[test]
    fn other_addresses_are_refused_with_an_example() {
        for text in
            ["drive.example", "ftp://a", "https://", "https://a/b", "https://u:p@a", "http://a b"]
        {
            assert!(url(text).unwrap_err().contains("https://host.example"), "{text}");
        }
        for text in ["http://a:0", "https://a:99999", "https://[::1]:65536"] {
            assert!(url(text).unwrap_err().contains("one of 1 to 65535"), "{text}");
        }
    }
}
