//! What the uplink machine speaks of.

use crate::timing;
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

/// What an interface is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A cable.
    Ethernet,
    /// Wireless LAN.
    Wifi,
    /// A mobile network.
    Mobile,
    /// Tunnels, bridges, and what nobody knows.
    Other,
}

/// A way to the Internet: an interface that is up, has an address and a default route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uplink {
    /// Number of the interface, which no other one gets while it is there.
    pub index: u32,
    pub name: String,
    pub kind: Kind,
    /// Its addresses that are good for the world outside.
    pub addresses: BTreeSet<IpAddr>,
    /// Metric of its best default route; the lower, the better.
    pub metric: u32,
}

impl Uplink {
    /// An uplink whose default route has the best metric.
    #[must_use]
    pub fn new(
        index: u32,
        name: &str,
        kind: Kind,
        addresses: impl IntoIterator<Item = IpAddr>,
    ) -> Self {
        Self {
            index,
            name: name.to_owned(),
            kind,
            addresses: addresses.into_iter().collect(),
            metric: 0,
        }
    }

    /// Whether sockets that were bound on `self` still work on `now`. A new IPv6 address takes
    /// nothing away, an old one expires without being in use as a rule; the one IPv4 address is
    /// what connections are made of.
    pub(crate) fn carries_on_as(&self, now: &Self) -> bool {
        let kept = |v4: bool| {
            let mut old =
                self.addresses.iter().filter(|address| address.is_ipv4() == v4).peekable();
            old.peek().is_none() || old.any(|address| now.addresses.contains(address))
        };
        self.index == now.index && kept(true) && kept(false)
    }
}

/// How uplinks are preferred.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Kinds, best first; what is not named comes last.
    pub prefer: Vec<Kind>,
    /// How long a better uplink has to be there before it is used.
    pub return_after: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            prefer: vec![Kind::Ethernet, Kind::Wifi, Kind::Mobile, Kind::Other],
            return_after: timing::RETURN_AFTER,
        }
    }
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Use another uplink, or know that there is none.
    Move(Move),
    /// Try whether the host can be reached over this one; [`super::Uplinks::handle_probe`] wants
    /// the result.
    Probe(Uplink),
}

/// A change of the uplink in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Move {
    /// The new one.
    pub to: Option<Uplink>,
    /// The reason.
    pub why: Why,
}

/// Why the uplink changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// The first one since the start.
    First,
    /// The one before is gone.
    Lost,
    /// There was none for a while, and this is not the one before.
    New,
    /// There was none for a while, and this is the one before: sockets live on.
    Back,
    /// It has another address than before.
    Changed,
    /// The one before gives no answer any more.
    Silent,
    /// It is preferred, and has proved itself; the one before still works.
    Better,
}

impl Why {
    /// Whether sockets on the uplink before are dead for certain.
    #[must_use]
    pub fn ends_the_path(self) -> bool {
        matches!(self, Self::Lost | Self::New | Self::Changed)
    }
}
