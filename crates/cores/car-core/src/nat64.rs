//! IPv4 addresses in a network that has only IPv6: its NAT64 reaches them under a prefix of its
//! own.
//!
//! A host tells its STUN and TURN servers as IPv4 literals, which need no name but also get no help
//! from the network's DNS64. The car learns the prefix from what the network's resolver makes of
//! `ipv4only.arpa` (RFC 7050), and writes the address into it (RFC 6052).

use std::net::{Ipv4Addr, Ipv6Addr};

/// The name that has IPv4 addresses only; an IPv6 address for it is the network's invention.
pub const WELL_KNOWN_NAME: &str = "ipv4only.arpa";

/// The addresses of that name (RFC 7050 section 2.2).
const WELL_KNOWN: [Ipv4Addr; 2] = [Ipv4Addr::new(192, 0, 0, 170), Ipv4Addr::new(192, 0, 0, 171)];

/// The prefix that all networks may use (RFC 6052 section 2.1).
const WELL_KNOWN_PREFIX: Ipv6Addr = Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0);

/// Legal lengths of a prefix, in bytes (RFC 6052 section 2.2).
const LENGTHS: [usize; 6] = [4, 5, 6, 7, 8, 12];

/// This byte is zero in each address, for the sake of RFC 4291 section 2.5.1.
const RESERVED: usize = 8;

/// Most prefixes that a network is believed to have.
const MAX_PREFIXES: usize = 4;

/// A prefix under which a NAT64 reaches IPv4.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prefix {
    address: Ipv6Addr,
    /// In bytes.
    length: usize,
}

impl Prefix {
    /// The prefixes in the addresses that the network has for [`WELL_KNOWN_NAME`].
    #[must_use]
    pub fn all(answers: &[Ipv6Addr]) -> Vec<Self> {
        let mut found = Vec::new();
        for prefix in answers.iter().filter_map(|answer| Self::of(*answer)) {
            if !found.contains(&prefix) && found.len() < MAX_PREFIXES {
                found.push(prefix);
            }
        }
        found
    }

    /// The prefix before a well-known address. An answer in which one stands at several places does
    /// not say which counts, and is left out (RFC 7050 section 3).
    fn of(answer: Ipv6Addr) -> Option<Self> {
        let fits = |length: &usize| {
            let prefix = Self::new(answer, *length);
            (WELL_KNOWN.contains(&prefix.extract(answer))).then_some(prefix)
        };
        if answer.octets()[RESERVED] != 0 {
            return None;
        }
        let mut found = LENGTHS.iter().filter_map(fits);
        found.next().filter(|_| found.next().is_none())
    }

    fn new(address: Ipv6Addr, length: usize) -> Self {
        let mut octets = address.octets();
        octets[length..].fill(0);
        Self { address: octets.into(), length }
    }

    /// The IPv6 address by which this network reaches an IPv4 address. `None`: no NAT64 leads
    /// there.
    #[must_use]
    pub fn reach(&self, address: Ipv4Addr) -> Option<Ipv6Addr> {
        let nowhere = address.is_unspecified()
            || address.is_loopback()
            || address.is_link_local()
            || address.is_multicast()
            || address.is_broadcast();
        // "The Well-Known Prefix MUST NOT be used to represent non-global IPv4 addresses" (RFC 6052
        // section 3.1).
        let is_foreign = self.address == WELL_KNOWN_PREFIX && !is_global(address);
        (!nowhere && !is_foreign).then(|| self.embed(address))
    }

    /// RFC 6052 section 2.2: the address follows the prefix, around the reserved byte.
    fn places(&self) -> impl Iterator<Item = usize> {
        (self.length..16).filter(|&place| place != RESERVED).take(4)
    }

    fn embed(&self, address: Ipv4Addr) -> Ipv6Addr {
        let mut octets = self.address.octets();
        for (place, octet) in self.places().zip(address.octets()) {
            octets[place] = octet;
        }
        octets.into()
    }

    /// What follows the address is not looked at: later RFCs may use it (RFC 6052 section 2.2).
    fn extract(&self, from: Ipv6Addr) -> Ipv4Addr {
        let mut address = [0; 4];
        for (octet, place) in address.iter_mut().zip(self.places()) {
            *octet = from.octets()[place];
        }
        address.into()
    }
}

/// Whether an address may be one on the Internet (RFC 6890, without the nets for documents).
fn is_global(address: Ipv4Addr) -> bool {
    let within = |network: [u8; 4], bits: u32| {
        let mask = u32::MAX << (32 - bits);
        address.to_bits() & mask == u32::from_be_bytes(network)
    };
    let special = within([0, 0, 0, 0], 8)
        || within([100, 64, 0, 0], 10)
        || within([192, 0, 0, 0], 24)
        || within([198, 18, 0, 0], 15)
        || within([240, 0, 0, 0], 4);
    !special && !address.is_private()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADDRESS: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 33);

    /// RFC 6052 section 2.4, tables 1 and 2.
    const VECTORS: [(&str, usize, &str); 7] = [
        ("2001:db8::", 4, "2001:db8:c000:221::"),
        ("2001:db8:100::", 5, "2001:db8:1c0:2:21::"),
        ("2001:db8:122::", 6, "2001:db8:122:c000:2:2100::"),
        ("2001:db8:122:300::", 7, "2001:db8:122:3c0:0:221::"),
        ("2001:db8:122:344::", 8, "2001:db8:122:344:c0:2:2100::"),
        ("2001:db8:122:344::", 12, "2001:db8:122:344::192.0.2.33"),
        ("64:ff9b::", 12, "64:ff9b::192.0.2.33"),
    ];

    fn v6(text: &str) -> Ipv6Addr {
        text.parse().unwrap()
    }

    #[test]
    fn the_well_known_prefix_leads_to_addresses_of_the_internet_only() {
        let reached = |prefix: &str, address: &str| {
            let prefix = Prefix::new(prefix.parse().unwrap(), 12);
            prefix.reach(address.parse().unwrap()).is_some()
        };
        for address in ["10.0.0.1", "100.64.0.1", "192.0.0.8", "198.19.0.1", "240.0.0.1", "0.0.0.1"]
        {
            assert!(!reached("64:ff9b::", address), "{address}");
        }
        assert!(reached("64:ff9b::", "198.20.0.1") && reached("64:ff9b::", "100.128.0.1"));
        assert!(reached("2001:db8::", "10.0.0.1"), "a network's own prefix may lead to its inside");
    }

    #[test]
    fn addresses_are_written_as_the_rfc_has_them() {
        for (prefix, length, address) in VECTORS {
            assert_eq!(Prefix::new(v6(prefix), length).reach(ADDRESS), Some(v6(address)));
        }
    }

    #[test]
    fn each_prefix_is_found_in_what_the_network_says() {
        for (prefix, length, _) in VECTORS {
            let prefix = Prefix::new(v6(prefix), length);
            let answers = WELL_KNOWN.map(|known| prefix.embed(known));
            assert_eq!(Prefix::all(&answers), [prefix]);
        }
        let several = [v6("64:ff9b::c000:aa"), v6("2001:db8:1::c000:ab"), v6("64:ff9b::c000:ab")];
        assert_eq!(Prefix::all(&several).len(), 2);
    }

    #[test]
    fn what_is_no_such_answer_makes_no_prefix() {
        // A real address, none, one at two places, and another IPv4 address.
        for answer in ["2001:db8::1", "::", "2001:db8:c000:aa:c0:0:aa00::", "64:ff9b::c000:ac"] {
            assert_eq!(Prefix::all(&[v6(answer)]), [], "{answer}");
        }
        let many: Vec<_> = (0..50).map(|n| v6(&format!("2001:db8:{n:x}::c000:aa"))).collect();
        assert_eq!(Prefix::all(&many).len(), MAX_PREFIXES);
    }

    #[test]
    fn what_leads_nowhere_is_not_reached() {
        let network = Prefix::new(v6("2001:db8:64::"), 12);
        for nowhere in ["0.0.0.0", "127.0.0.1", "169.254.0.1", "224.0.0.1", "255.255.255.255"] {
            assert_eq!(network.reach(nowhere.parse().unwrap()), None, "{nowhere}");
        }
        let private = Ipv4Addr::new(10, 0, 0, 1);
        assert_eq!(network.reach(private), Some(v6("2001:db8:64::10.0.0.1")));
        assert_eq!(Prefix::new(WELL_KNOWN_PREFIX, 12).reach(private), None);
    }
}
