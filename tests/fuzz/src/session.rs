//! Texts that set a session up: addresses of ICE servers from the host; answers and candidates from
//! the driver.

/// Addresses of ICE servers (RFC 7064, RFC 7065).
pub mod ice_url {
    use rccar_protocol::ice_url::{IceTransport, IceUrl};

    /// Reads `data` as one address.
    pub fn target(data: &[u8]) {
        let Ok(text) = std::str::from_utf8(data) else { return };
        let Some(url) = IceUrl::parse(text) else { return };
        let (secure, query) = match url.transport {
            IceTransport::Udp => ("", ""),
            IceTransport::Tcp => ("", "?transport=tcp"),
            IceTransport::Tls => ("s", ""),
        };
        let written = format!("{}{secure}:[{}]:{}{query}", url.scheme.as_str(), url.host, url.port);
        // Brackets are only for hosts without brackets of their own.
        if !url.host.contains(']') {
            assert_eq!(IceUrl::parse(&written), Some(url), "{written}");
        }
    }
}

/// Answers of drivers (RFC 8866), as the WebRTC stack reads them.
pub mod sdp {
    /// Reads `data` as one description.
    pub fn target(data: &[u8]) {
        if let Ok(text) = std::str::from_utf8(data) {
            let _ = rccar_peer::fuzz::answer(text);
        }
    }
}

/// Candidate lines of drivers (RFC 8839 section 5.1), as the WebRTC stack reads them.
pub mod candidate {
    /// Reads `data` as one line.
    pub fn target(data: &[u8]) {
        if let Ok(text) = std::str::from_utf8(data) {
            let _ = rccar_peer::fuzz::candidate(text);
        }
    }
}
