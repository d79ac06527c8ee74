//! Ways into the Internet: the NAT or firewall between a car or a driver and the others.

use std::fmt;

/// A kind of NAT or firewall. The words are from RFC 4787: *mapping* is the address that others
/// see; *filtering* decides whose packets come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Access {
    /// A public IPv4 address.
    Open,
    /// NAT with endpoint-independent mapping and filtering.
    FullCone,
    /// NAT with endpoint-independent mapping and address-dependent filtering.
    AddressRestricted,
    /// NAT with endpoint-independent mapping and address- and port-dependent filtering: most home
    /// routers.
    PortRestricted,
    /// NAT with address- and port-dependent mapping: each peer sees another port.
    Symmetric,
    /// Two levels: a home router behind a carrier's NAT, which follows RFC 6888.
    Cgnat,
    /// A public IPv6 address and no IPv4.
    Ipv6Only,
    /// A home router behind a firewall that lets only TCP to ports 80 and 443 pass.
    UdpBlocked,
}

/// The path that should carry a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    Direct,
    /// Their packets pass through a TURN server.
    Relay,
}

impl Access {
    pub const ALL: [Self; 8] = [
        Self::Open,
        Self::FullCone,
        Self::AddressRestricted,
        Self::PortRestricted,
        Self::Symmetric,
        Self::Cgnat,
        Self::Ipv6Only,
        Self::UdpBlocked,
    ];

    /// The path by the theory of hole punching (RFC 5128 section 3, RFC 8445). It is direct unless
    /// UDP is blocked, the two have no address family in common, or one end's port cannot be known
    /// and the other end's filter asks for it.
    #[must_use]
    pub fn expected(self, other: Self) -> Expected {
        let hopeless = |a: Self, b: Self| {
            a == Self::UdpBlocked
                || (a == Self::Ipv6Only && b != Self::Ipv6Only)
                || (a == Self::Symmetric && b.asks_for_port())
        };
        if hopeless(self, other) || hopeless(other, self) {
            Expected::Relay
        } else {
            Expected::Direct
        }
    }

    fn asks_for_port(self) -> bool {
        matches!(self, Self::PortRestricted | Self::Symmetric | Self::Cgnat)
    }

    /// The routers on the way, beginning with the inner one.
    pub(crate) fn levels(self) -> &'static [Self] {
        match self {
            Self::Cgnat => &[Self::PortRestricted, Self::FullCone],
            Self::Open => &[Self::Open],
            Self::FullCone => &[Self::FullCone],
            Self::AddressRestricted => &[Self::AddressRestricted],
            Self::PortRestricted => &[Self::PortRestricted],
            Self::Symmetric => &[Self::Symmetric],
            Self::Ipv6Only => &[Self::Ipv6Only],
            Self::UdpBlocked => &[Self::UdpBlocked],
        }
    }

    /// Rules (nftables) of the router between `lan0` and `wan0`, whose outer address is `public`.
    ///
    /// The router keeps a client's port if it can, so there may be only one client behind it.
    pub(crate) fn rules(self, public: &str) -> String {
        // Outer port → inner address and port, and outer port → addresses that may answer.
        const INSIDE: &str = "map inside { type inet_service : ipv4_addr . inet_service; \
             flags dynamic,timeout; timeout 60s; size 65535; }";
        const SEEN: &str = "set seen { type inet_service . ipv4_addr; \
             flags dynamic,timeout; timeout 60s; size 65535; }";
        const NOTE_INSIDE: &str = "update @inside { udp sport : ip saddr . udp sport }";
        const NOTE_SEEN: &str = "update @seen { udp sport . ip daddr }";
        const TO_INSIDE: &str = "dnat ip to udp dport map @inside";
        let (pre, note, how) = match self {
            Self::Open | Self::Ipv6Only => return String::new(),
            Self::FullCone => {
                (format!("iifname wan0 meta l4proto udp {TO_INSIDE}"), NOTE_INSIDE.to_owned(), "")
            }
            Self::AddressRestricted => (
                format!("iifname wan0 meta l4proto udp udp dport . ip saddr @seen {TO_INSIDE}"),
                format!("{NOTE_SEEN} {NOTE_INSIDE}"),
                "",
            ),
            Self::Symmetric => (String::new(), String::new(), "fully-random"),
            Self::PortRestricted | Self::Cgnat | Self::UdpBlocked => {
                (String::new(), String::new(), "")
            }
        };
        let note =
            if note.is_empty() { note } else { format!("iifname lan0 meta l4proto udp {note}") };
        let web = if self == Self::UdpBlocked {
            "chain web { type filter hook forward priority filter; \
             iifname lan0 tcp dport { 80, 443 } accept; iifname lan0 drop; }"
        } else {
            ""
        };
        // The chain `in` is for packets that nobody asked for. Without it they would leave a trace
        // at the router, and a later connection would get another port. No real NAT does that.
        format!(
            "table ip nat {{\n {INSIDE}\n {SEEN}\n\
             chain pre {{ type nat hook prerouting priority dstnat; {pre}\n }}\n\
             chain note {{ type filter hook forward priority filter; {note}\n }}\n\
             chain post {{ type nat hook postrouting priority srcnat; \
             oifname wan0 snat to {public} {how}\n }}\n\
             chain in {{ type filter hook input priority filter; \
             iifname wan0 meta l4proto udp drop\n }}\n\
             {web}\n}}\n"
        )
    }
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Open => "no NAT",
            Self::FullCone => "full cone",
            Self::AddressRestricted => "address-restricted",
            Self::PortRestricted => "port-restricted",
            Self::Symmetric => "symmetric",
            Self::Cgnat => "CGNAT",
            Self::Ipv6Only => "IPv6 only",
            Self::UdpBlocked => "UDP blocked",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_theory_is_the_same_seen_from_either_end() {
        for one in Access::ALL {
            for other in Access::ALL {
                assert_eq!(one.expected(other), other.expected(one), "{one} and {other}");
            }
        }
    }

    #[test]
    fn a_port_that_nobody_knows_is_a_problem_only_where_it_is_asked_for() {
        use Access::{AddressRestricted, FullCone, Ipv6Only, Open, PortRestricted, Symmetric};
        for other in [Open, FullCone, AddressRestricted] {
            assert_eq!(Symmetric.expected(other), Expected::Direct);
        }
        for other in [PortRestricted, Symmetric] {
            assert_eq!(Symmetric.expected(other), Expected::Relay);
        }
        assert_eq!(Ipv6Only.expected(Ipv6Only), Expected::Direct);
        assert_eq!(Ipv6Only.expected(Open), Expected::Relay);
    }
}
