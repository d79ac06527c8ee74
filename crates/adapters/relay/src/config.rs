//! The configuration of a relay, and the mistakes that one can make in it.

use crate::certificate::CertificateError;
use crate::credentials::Secret;
use ipnet::IpNet;
use std::io;
use std::net::{AddrParseError, IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::str::FromStr;
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
    /// Certificate for the relay's name; needed if any of `streams` asks for TLS.
    pub certificate: Option<CertificateFiles>,
    /// Streams that may be open at a time, in all.
    pub streams_total: usize,
    /// Streams that may be open at a time from one IPv4 address or one IPv6 /64 network.
    pub streams_per_address: usize,
    /// Realm of the long-term credentials (RFC 8489 section 9.2), usually the host's name.
    pub realm: String,
    /// Key of the credentials that [`crate::credentials::mint`] makes.
    pub secret: Secret,
    /// Ports of relayed addresses.
    pub ports: RangeInclusive<u16>,
    /// Longest lifetime that one Allocate or Refresh request can ask for. At least ten minutes. As
    /// expired credentials cannot refresh, an allocation outlives them by at most this time.
    pub max_lifetime: Duration,
    /// Allocations that one user may hold at a time; the user is the part of the username after the
    /// expiry. A host that mints one user for each session counts both ends of it together.
    pub allocations_per_user: usize,
    /// When a quota is reached, a new allocation takes the place of one of the same user whose
    /// client has been silent for at least this time. A client in use is heard every five seconds
    /// (RFC 7675 section 5.1).
    pub silent_after: Duration,
    /// Allocations that all users together may hold at a time.
    pub allocations_total: usize,
    /// Peers that are allowed although they are not public, such as the network of a host without
    /// Internet.
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
            certificate: None,
            // Two sockets each, as long as there is an allocation: together with
            // `allocations_total` within the usual limit of 1024 open files.
            streams_total: 256,
            // A whole company may be behind a firewall that lets no UDP pass.
            streams_per_address: 64,
            realm: "rccar".to_owned(),
            secret,
            // The dynamic ports of RFC 6335, recommended by RFC 8656 section 7.2.
            ports: 49_152..=65_535,
            // Recommended by RFC 8656 section 7.2.
            max_lifetime: Duration::from_secs(3600),
            // A browser allocates once for each of its addresses and for each TURN URL, and again
            // during an ICE restart; a car once for each URL.
            allocations_per_user: 32,
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
        if self.certificate.is_none()
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

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamListen {
    /// Of the TCP socket.
    pub address: SocketAddr,
    /// Whether clients speak TLS over TCP.
    pub tls: bool,
}

/// The files of a certificate. They are read again when they have changed: certificates are renewed
/// while the relay runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateFiles {
    /// The certificate and those between it and an authority (PEM).
    pub chain: PathBuf,
    /// The certificate's private key (PEM).
    pub key: PathBuf,
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
    #[error(transparent)]
    Certificate(#[from] CertificateError),
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
