//! The configuration of a relay, and the mistakes that one can make in it.

use crate::credentials::Secret;
use crate::stream::Tls;
use crate::users::{Everybody, Users};
use ipnet::IpNet;
use std::io;
use std::net::{AddrParseError, IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;

/// Lifetime of an allocation whose client asks for none (RFC 8656 section 3.2), and the least that
/// anyone gets.
pub(crate) const DEFAULT_LIFETIME: Duration = Duration::from_secs(600);

/// Configuration of a relay; [`RelayConfig::new`] has the defaults.
#[derive(Debug, Clone)]
pub struct RelayConfig {
    /// Addresses that clients use. IPv4 and IPv6 are listed apart: `[::]` takes IPv6 only. On a
    /// host with several addresses list each: answers to a wildcard listener leave from the address
    /// that the routing table prefers.
    pub listen: Vec<Listen>,
    /// Addresses for clients whose networks let no UDP pass: TCP, and TLS over it. Their relayed
    /// addresses are those of the listener in [`RelayConfig::listen`] with the same IP address,
    /// else those of the first listener.
    pub streams: Vec<StreamListen>,
    /// With a certificate for the relay's name; needed if any of `streams` asks for TLS.
    pub tls: Option<Tls>,
    /// Streams with an allocation that may be open at a time.
    pub streams_total: usize,
    /// Streams without an allocation that may be open at a time. They have 30 s to make one.
    pub strangers: StrangerLimits,
    /// Realm of the long-term credentials (RFC 8489 section 9.2), usually the host's name.
    pub realm: String,
    /// Key of the credentials that [`crate::credentials::mint`] makes.
    pub secret: Secret,
    /// Ports of relayed addresses.
    pub ports: RangeInclusive<u16>,
    /// Who is served, and whose quota counts.
    pub users: Arc<dyn Users>,
    /// Longest lifetime that one Allocate or Refresh request can ask for. At least ten minutes.
    /// Unless [`Users::outlast_credentials`], expired credentials cannot refresh: an allocation
    /// outlives them by at most this time.
    pub max_lifetime: Duration,
    /// Allocations that one [`Share::account`](crate::users::Share::account) may hold at a time.
    pub allocations_per_account: usize,
    /// Allocations that all accounts of one [`Share::owner`](crate::users::Share::owner) may hold
    /// at a time.
    pub allocations_per_owner: usize,
    /// When one of the two quotas above is reached, a new allocation takes the place of one in the
    /// same quota whose client has been silent for at least this time. A client in use is heard
    /// every five seconds (RFC 7675 section 5.1).
    pub silent_after: Duration,
    /// Allocations that may exist at a time.
    pub allocations_total: usize,
    /// Peers that are allowed although they are not public, or are neighbours on a link, such as
    /// the network of a host without Internet. Addresses of this machine are in it only if they are
    /// listed alone (`/32`, `/128`).
    pub allow_peers: Vec<IpNet>,
    /// Development switch: peers may be loopback addresses and all addresses of this machine, and
    /// wildcard listeners relay from loopback addresses. It opens every UDP service of the machine
    /// to every user of the relay.
    pub allow_loopback: bool,
    /// Whether a client that asks for no address family gets the family of its own address, as with
    /// coturn's `--keep-address-family`.
    pub keep_family: bool,
}

impl RelayConfig {
    /// Listens on port 3478 of both wildcard addresses; both need a public address unless
    /// [`RelayConfig::allow_loopback`] is set.
    #[must_use]
    pub fn new(secret: Secret) -> Self {
        let everywhere = |ip: IpAddr| Listen { address: SocketAddr::new(ip, 3478), public: None };
        Self {
            listen: vec![everywhere([0; 4].into()), everywhere([0_u16; 8].into())],
            streams: Vec::new(),
            tls: None,
            // Two sockets each, as long as there is an allocation: together with
            // `allocations_total` within the usual limit of 1024 open files.
            streams_total: 256,
            strangers: StrangerLimits::default(),
            realm: "rccar".to_owned(),
            secret,
            // The dynamic ports of RFC 6335, recommended by RFC 8656 section 7.2.
            ports: 49_152..=65_535,
            // Recommended by RFC 8656 section 7.2.
            max_lifetime: Duration::from_secs(3600),
            users: Arc::new(Everybody),
            // A browser allocates once for each of its addresses and for each TURN URL, and again
            // during an ICE restart; a car once for each URL.
            allocations_per_account: 32,
            // A quarter of all: no owner of many cars keeps the others out.
            allocations_per_owner: 128,
            silent_after: Duration::from_secs(20),
            // One socket each: within the usual limit of 1024 open files.
            allocations_total: 512,
            allow_peers: Vec::new(),
            allow_loopback: false,
            keep_family: false,
        }
    }

    pub(crate) fn check(&self) -> Result<(), RelayError> {
        if self.listen.is_empty() {
            return Err(RelayError::NoListener);
        }
        if self.tls.is_none()
            && let Some(listen) = self.streams.iter().find(|listen| listen.tls)
        {
            return Err(RelayError::NoCertificate { listen: listen.address });
        }
        if self.ports.is_empty() || *self.ports.start() == 0 {
            return Err(RelayError::Ports { start: *self.ports.start(), end: *self.ports.end() });
        }
        if self.max_lifetime < DEFAULT_LIFETIME {
            return Err(RelayError::Lifetime { seconds: self.max_lifetime.as_secs() });
        }
        match self.listen.iter().find(|listen| {
            listen.public.is_some_and(|public| public.is_ipv4() != listen.address.is_ipv4())
        }) {
            Some(listen) => Err(RelayError::Family { listen: listen.address }),
            None => Ok(()),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listen {
    /// Of the UDP socket.
    pub address: SocketAddr,
    /// Address at which peers reach relayed ports; `None`: the one in `address`. Needed for
    /// wildcard addresses, and behind a 1:1 NAT, whose inside address goes into `address`.
    pub public: Option<IpAddr>,
}

impl From<SocketAddr> for Listen {
    fn from(address: SocketAddr) -> Self {
        Self { address, public: None }
    }
}

impl FromStr for Listen {
    type Err = AddrParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse::<SocketAddr>().map(Self::from)
    }
}

/// How many streams may be open at a time that have no allocation. The oldest one of the network
/// that is full makes room for a newcomer; if all are full together, that of the /24 or /48 with
/// the most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StrangerLimits {
    /// From anywhere.
    pub total: usize,
    /// From one IPv4 address, and from one IPv6 /64 network: one machine or household.
    pub per_address: usize,
    /// From one IPv6 /56 network: the most that a household gets (RFC 6177).
    pub per_site: usize,
    /// From one IPv4 /24, and from one IPv6 /48 network: a small provider.
    pub per_network: usize,
}

impl Default for StrangerLimits {
    fn default() -> Self {
        // A stream is a stranger's for a round trip or two: a company behind one address needs some
        // at a time, and no more.
        Self { total: 128, per_address: 16, per_site: 24, per_network: 32 }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamListen {
    /// Of the TCP socket.
    pub address: SocketAddr,
    /// Whether clients speak TLS over TCP.
    pub tls: bool,
}

/// The relay cannot start.
#[derive(Debug, Error)]
pub enum RelayError {
    /// Another program has the port, or the address is not one of this machine.
    #[error("cannot listen for STUN and TURN on {address} (UDP){}", hint(.source))]
    Bind {
        /// From [`RelayConfig::listen`].
        address: SocketAddr,
        source: io::Error,
    },
    /// Another program has the port, or the address is not one of this machine.
    #[error("cannot listen for TURN on {address} (TCP){}", hint(.source))]
    BindStream {
        /// From [`RelayConfig::streams`].
        address: SocketAddr,
        source: io::Error,
    },
    #[error("TURN is to speak TLS on {listen}: name a certificate and its key")]
    NoCertificate {
        /// From [`RelayConfig::streams`].
        listen: SocketAddr,
    },
    /// A wildcard address does not say where peers reach relayed ports.
    #[error(
        "TURN listens on {listen}: name the public address that peers reach this machine at, \
         or listen on that address"
    )]
    NoPublicAddress {
        /// From [`RelayConfig::listen`].
        listen: SocketAddr,
    },
    /// IPv4 with an IPv6 public address or the other way round.
    #[error("TURN listens on {listen}: its public address is of the other address family")]
    Family {
        /// From [`RelayConfig::listen`].
        listen: SocketAddr,
    },
    /// [`RelayConfig::listen`] is empty.
    #[error("TURN has no address to listen on")]
    NoListener,
    #[error("TURN port range {start}-{end} is empty or begins with 0")]
    Ports { start: u16, end: u16 },
    /// [`RelayConfig::max_lifetime`] is below the standard's default.
    #[error("TURN allocations must be allowed to live 600 s at least, not {seconds} s")]
    Lifetime { seconds: u64 },
    #[error("cannot set up the sockets of STUN and TURN")]
    Socket(#[source] io::Error),
    /// Without them the relay would not know what it must not relay to.
    #[error("cannot list this machine's addresses")]
    Interfaces(#[source] io::Error),
    #[error("no random numbers: {0}")]
    Random(getrandom::Error),
}

fn hint(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::AddrInUse => ": is another STUN or TURN server running?",
        io::ErrorKind::AddrNotAvailable => ": it is not an address of this machine",
        io::ErrorKind::PermissionDenied => ": ports below 1024 need CAP_NET_BIND_SERVICE",
        _ => "",
    }
}
