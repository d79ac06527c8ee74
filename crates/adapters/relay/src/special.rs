//! Addresses that no peer of ours has: those of the IANA special-purpose registries, and the forms
//! in which IPv6 carries an IPv4 address.

use ipnet::{Ipv4Net, Ipv6Net};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Metadata services: they give keys of the machine to anyone who can reach them.
pub(crate) const METADATA: [IpAddr; 5] = [
    // AWS, Azure, Google, Hetzner, OpenStack and others.
    IpAddr::V4(Ipv4Addr::new(169, 254, 169, 254)),
    // AWS.
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
    // Google.
    IpAddr::V6(Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254)),
    // Alibaba.
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
    // Azure's agent, on an otherwise public address.
    IpAddr::V4(Ipv4Addr::new(168, 63, 129, 16)),
];

/// Every network of the IANA IPv4 Special-Purpose Address Registry, whether or not the registry
/// calls it globally reachable: those that are belong to services and not to people. Multicast is
/// not in the registry.
const V4: [Ipv4Net; 18] = [
    v4([0, 0, 0, 0], 8),       // "this network" (RFC 791)
    v4([10, 0, 0, 0], 8),      // private (RFC 1918)
    v4([100, 64, 0, 0], 10),   // carrier-grade NAT (RFC 6598)
    v4([127, 0, 0, 0], 8),     // loopback (RFC 1122)
    v4([169, 254, 0, 0], 16),  // link-local (RFC 3927)
    v4([172, 16, 0, 0], 12),   // private (RFC 1918)
    v4([192, 0, 0, 0], 24),    // protocol assignments (RFC 6890), Oracle's metadata among them
    v4([192, 0, 2, 0], 24),    // documentation (RFC 5737)
    v4([192, 31, 196, 0], 24), // AS112 (RFC 7535)
    v4([192, 52, 193, 0], 24), // multicast tunnels (RFC 7450)
    v4([192, 88, 99, 0], 24),  // 6to4 relays (RFC 7526)
    v4([192, 168, 0, 0], 16),  // private (RFC 1918)
    v4([192, 175, 48, 0], 24), // AS112 (RFC 7534)
    v4([198, 18, 0, 0], 15),   // benchmarks (RFC 2544)
    v4([198, 51, 100, 0], 24), // documentation (RFC 5737)
    v4([203, 0, 113, 0], 24),  // documentation (RFC 5737)
    v4([224, 0, 0, 0], 4),     // multicast (RFC 1112)
    v4([240, 0, 0, 0], 4),     // reserved (RFC 1112), limited broadcast among them
];

/// All that IANA has given out as global unicast addresses. What is not in it is reserved, or
/// special: loopback, IPv4-mapped, NAT64 (RFC 6052, RFC 8215), discard (RFC 6666), segment routing
/// (RFC 9602), unique local (RFC 4193), link-local, site-local (RFC 3879), multicast.
const GLOBAL_V6: Ipv6Net = v6([0x2000, 0, 0, 0, 0, 0], 3);

/// Of [`GLOBAL_V6`], every network of the IANA IPv6 Special-Purpose Address Registry.
const V6: [Ipv6Net; 5] = [
    // Protocol assignments (RFC 2928), with Teredo (RFC 4380), benchmarks (RFC 5180), multicast
    // tunnels (RFC 7450), AS112 (RFC 7535), ORCHID (RFC 4843, RFC 7343), drones (RFC 9374).
    v6([0x2001, 0, 0, 0, 0, 0], 23),
    v6([0x2001, 0xdb8, 0, 0, 0, 0], 32), // documentation (RFC 3849)
    v6([0x2002, 0, 0, 0, 0, 0], 16),     // 6to4 (RFC 3056)
    v6([0x2620, 0x4f, 0x8000, 0, 0, 0], 48), // AS112 (RFC 7534)
    v6([0x3fff, 0, 0, 0, 0, 0], 20),     // documentation (RFC 9637)
];

pub(crate) fn is_special(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => V4.iter().any(|network| network.contains(&ip)),
        IpAddr::V6(ip) => {
            !GLOBAL_V6.contains(&ip) || V6.iter().any(|network| network.contains(&ip))
        }
    }
}

/// The IPv4 addresses that a router on the way may translate this address to.
pub(crate) fn embedded(ip: IpAddr) -> Vec<IpAddr> {
    let IpAddr::V6(ip) = ip else { return Vec::new() };
    let bits = ip.to_bits();
    // The 32 bits that begin so many bits after the address's first.
    let at = |begin: u32| IpAddr::from(Ipv4Addr::from_bits(low_half(bits >> (96 - begin))));
    match ip.segments() {
        // IPv4-compatible and IPv4-mapped (RFC 4291), IPv4-translated (RFC 2765), NAT64 (RFC 6052).
        [0, 0, 0, 0, 0, 0 | 0xffff, ..]
        | [0, 0, 0, 0, 0xffff, 0, ..]
        | [0x64, 0xff9b, 0, 0, 0, 0, ..] => vec![at(96)],
        // Local NAT64 (RFC 8215): the prefix may have 48, 56, 64 or 96 bits, and the eight bits
        // after the first 64 are left out (RFC 6052 section 2.2).
        [0x64, 0xff9b, 1, ..] => {
            let without_gap = (bits & !u128::from(u64::MAX)) | ((bits << 8) & u128::from(u64::MAX));
            let with_gap = |begin: u32| {
                IpAddr::from(Ipv4Addr::from_bits(low_half(without_gap >> (96 - begin))))
            };
            vec![with_gap(48), with_gap(56), with_gap(64), at(96)]
        }
        // 6to4 (RFC 3056).
        [0x2002, ..] => vec![at(16)],
        // Teredo (RFC 4380 section 4): the server, and the client with its bits inverted.
        [0x2001, 0, ..] => vec![at(32), Ipv4Addr::from_bits(!low_half(bits)).into()],
        // ISATAP (RFC 5214 section 6.1), in any network.
        [_, _, _, _, 0 | 0x200, 0x5efe, ..] => vec![at(96)],
        _ => Vec::new(),
    }
}

#[allow(clippy::cast_possible_truncation, reason = "the low bits are what is asked for")]
const fn low_half(bits: u128) -> u32 {
    bits as u32
}

const fn v4([a, b, c, d]: [u8; 4], prefix: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix)
}

const fn v6([a, b, c, d, e, f]: [u16; 6], prefix: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, d, e, f, 0, 0), prefix)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inside(ip: &str) -> Vec<String> {
        embedded(ip.parse().unwrap()).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn row_6_the_ipv4_address_inside_of_an_ipv6_address_is_found() {
        assert_eq!(inside("::ffff:10.0.0.1"), ["10.0.0.1"]);
        assert_eq!(inside("::10.0.0.1"), ["10.0.0.1"]);
        assert_eq!(inside("::ffff:0:10.0.0.1"), ["10.0.0.1"]);
        assert_eq!(inside("64:ff9b::10.0.0.1"), ["10.0.0.1"]);
        assert_eq!(inside("2002:a00:1::5"), ["10.0.0.1"]);
        // The server is 192.0.2.45; the client's bits are inverted.
        assert_eq!(inside("2001:0:c000:22d:8000:63bf:f5ff:fffe"), ["192.0.2.45", "10.0.0.1"]);
        assert_eq!(inside("2a01:4f8::5efe:10.0.0.1"), ["10.0.0.1"]);
        assert_eq!(inside("2a01:4f8:0:0:200:5efe:10.0.0.1"), ["10.0.0.1"]);
        assert!(inside("2a01:4f8::1").is_empty() && inside("192.0.2.1").is_empty());
    }

    /// RFC 6052 section 2.4 has these texts of 192.0.2.33, here with a prefix of RFC 8215.
    #[test]
    fn row_6_local_nat64_is_read_with_a_prefix_of_any_length() {
        for address in [
            "64:ff9b:1:c000:2:2100::",
            "64:ff9b:1:0c0:0:221::",
            "64:ff9b:1:0:c0:2:2100::",
            "64:ff9b:1::192.0.2.33",
        ] {
            assert!(inside(address).contains(&"192.0.2.33".to_owned()), "{address}");
        }
    }
}
