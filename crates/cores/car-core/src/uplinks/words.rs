//! Inputs and effects of the uplinks.

use crate::timing;
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

/// Kind of a network interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Ethernet,
    Wifi,
    Mobile,
    /// Tunnels, bridges, and kinds that are not known here.
    Other,
}

/// A way to the Internet: an interface that is up, has an address and a default route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uplink {
    /// The kernel's number of the interface. No other one has it while this one is there.
    pub index: u32,
    pub name: String,
    pub kind: Kind,
    /// Those of its addresses with which the Internet can be reached.
    pub addresses: BTreeSet<IpAddr>,
    /// Metric of its best default route; the lower, the better.
    pub metric: u32,
}

impl Uplink {
    /// With the best metric, 0.
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

    /// Whether sockets that were bound on `self` still work on `now`: for IPv4 and for IPv6, one of
    /// the old addresses is still there. A new IPv6 address takes nothing away, and an old one is
    /// rarely in use when it expires. The only IPv4 address carries all connections.
    pub(crate) fn carries_on_as(&self, now: &Self) -> bool {
        let kept = |v4: bool| {
            let mut old =
                self.addresses.iter().filter(|address| address.is_ipv4() == v4).peekable();
            old.peek().is_none() || old.any(|address| now.addresses.contains(address))
        };
        self.index == now.index && kept(true) && kept(false)
    }
}

/// Which uplinks are preferred.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Kinds, best first. Kinds that are not named come last.
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

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Another uplink is in use, or none is there.
    Move(Move),
    /// Try whether the host can be reached over this uplink, and call
    /// [`super::Uplinks::handle_probe`].
    Probe(Uplink),
}

/// A change of the uplink in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Move {
    /// `None` if there is no uplink.
    pub to: Option<Uplink>,
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
    /// There was none for a while, and this is the one before: its sockets still work.
    Back,
    /// It has another address than before.
    Changed,
    /// The one before does not answer any more.
    Silent,
    /// This one is preferred and has proved itself; the one before still works.
    Better,
}

impl Why {
    /// Whether sockets on the uplink before are dead for certain.
    #[must_use]
    pub fn ends_the_path(self) -> bool {
        matches!(self, Self::Lost | Self::New | Self::Changed)
    }
}
