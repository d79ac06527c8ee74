//! What a candidate line says, as far as this crate judges it itself.

use std::net::IpAddr;

/// Whether a candidate's address is `0.0.0.0` or `::`: a check that is sent there comes to this
/// machine itself, or to nobody. The address is the fifth word (RFC 8839 section 5.1); names, as
/// browsers hide addresses behind, are judged by the stack.
pub(crate) fn lead_nowhere(line: &str) -> bool {
    let address = line.split_ascii_whitespace().nth(4).map(str::parse::<IpAddr>);
    matches!(address, Some(Ok(address)) if address.to_canonical().is_unspecified())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unspecified_addresses_are_no_candidates() {
        for (address, nowhere) in [
            ("0.0.0.0", true),
            ("::", true),
            ("::ffff:0.0.0.0", true),
            ("0:0:0:0:0:0:0:0", true),
            ("192.0.2.1", false),
            ("2001:db8::1", false),
            ("4ec1b1c6-4f6d-4c2e-9d51-5b2b5d0b6b6c.local", false),
        ] {
            let line = format!("candidate:1 1 udp 2122260223 {address} 50000 typ host");
            assert_eq!(lead_nowhere(&line), nowhere, "{address}");
        }
        // Of what the address stands for a browser tells nothing.
        let hidden = "candidate:1 1 udp 1 192.0.2.1 5 typ srflx raddr 0.0.0.0 rport 0";
        assert!(!lead_nowhere(hidden) && !lead_nowhere("candidate:1 1 udp") && !lead_nowhere(""));
    }
}
