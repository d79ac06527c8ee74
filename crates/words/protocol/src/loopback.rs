//! Names that mean the machine itself.

use std::net::{IpAddr, Ipv4Addr};

/// Whether the host of a URL means the machine that resolves it: `localhost` (RFC 6761 section
/// 6.3), and loopback and unspecified addresses in every form that resolvers take (`127.1`,
/// `0x7f000001`, `[::1]`). A car that gets such an address would look for the host in itself.
#[must_use]
pub fn is_loopback(host: &str) -> bool {
    let host = host
        .trim_start_matches('[')
        .trim_end_matches(']')
        .trim_end_matches('.')
        .to_ascii_lowercase();
    // A zone, as in `::1%lo`, names an interface; the address does not depend on it.
    let host = host.split('%').next().unwrap_or_default();
    if let Some(address) = host.parse().ok().or_else(|| short_ipv4(host).map(IpAddr::V4)) {
        let address: IpAddr = IpAddr::to_canonical(&address);
        return address.is_loopback() || address.is_unspecified();
    }
    matches!(host, "localhost" | "localhost.localdomain" | "ip6-localhost" | "ip6-loopback")
        || host.ends_with(".localhost")
}

/// Reads an IPv4 address of one to four numbers in decimal, octal or hexadecimal, as inet_aton(3)
/// does: the last number fills all bytes that are left.
fn short_ipv4(text: &str) -> Option<Ipv4Addr> {
    let numbers = text.split('.').map(number).collect::<Option<Vec<u32>>>()?;
    let (last, first) = numbers.split_last()?;
    if first.len() > 3 || first.iter().any(|&byte| byte > 255) {
        return None;
    }
    let bits = 32 - 8 * u32::try_from(first.len()).ok()?;
    if bits < 32 && *last >> bits != 0 {
        return None;
    }
    let high = first.iter().fold(0, |sum, byte| sum << 8 | byte).checked_shl(bits).unwrap_or(0);
    Some(Ipv4Addr::from_bits(high | last))
}

fn number(text: &str) -> Option<u32> {
    match text.strip_prefix("0x") {
        Some("") => Some(0),
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None if text.len() > 1 && text.starts_with('0') => u32::from_str_radix(text, 8).ok(),
        None => text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_means_the_machine_itself_is_told_from_what_does_not() {
        for itself in [
            "localhost",
            "LocalHost",
            "localhost.",
            "a.localhost",
            "127.0.0.1",
            "127.8.9.10",
            "127.1",
            "127.0.1",
            "2130706433",
            "0x7f.1",
            "0x7f000001",
            "0177.0.0.1",
            "0",
            "0.0.0.0",
            "::1",
            "[::1]",
            "[::]",
            "[::ffff:127.0.0.1]",
            "[0:0:0:0:0:0:0:1]",
            "[::1%lo]",
            "ip6-localhost",
        ] {
            assert!(is_loopback(itself), "{itself}");
        }
        for other in [
            "",
            "drive.example",
            "localhost.example",
            "mylocalhost",
            "192.168.1.5",
            "10.0.2.2",
            "128.0.0.1",
            "12.7.0.1",
            "1.2.3.4.5",
            "127.0.0.1.example",
            "127.0.0.256",
            "[2001:db8::1]",
            "[fe80::1%eth0]",
            "8.8",
            "4294967296",
            "999.1",
        ] {
            assert!(!is_loopback(other), "{other}");
        }
    }
}
