//! Where the ICE servers of a session come from.

use rccar_protocol::signaling::{IceServer, ToCar, ToDriver};
use std::net::IpAddr;

/// Who gets ICE servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IcePeer<'a> {
    /// A driver's user name or a car's identifier.
    pub name: &'a str,
    /// The address of this machine under which the peer reached it, if it came over a socket.
    pub reached: Option<IpAddr>,
}

/// Gives out STUN and TURN servers with credentials for one session. Must not block.
pub trait IceServers: Send + Sync + 'static {
    /// Servers for this peer, now.
    fn for_peer(&self, peer: IcePeer<'_>) -> Vec<IceServer>;
}

/// No servers: both ends are on one network.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoIceServers;

impl IceServers for NoIceServers {
    fn for_peer(&self, _peer: IcePeer<'_>) -> Vec<IceServer> {
        Vec::new()
    }
}

/// Fills the field that the rooms machine leaves empty.
pub(crate) fn equip_driver(message: &mut ToDriver, servers: &dyn IceServers, peer: IcePeer<'_>) {
    if let ToDriver::Connecting { ice_servers, .. } = message {
        *ice_servers = servers.for_peer(peer);
    }
}

/// Fills the field that the rooms machine leaves empty.
pub(crate) fn equip_car(message: &mut ToCar, servers: &dyn IceServers, peer: IcePeer<'_>) {
    if let ToCar::Connect { ice_servers, .. } | ToCar::Restart { ice_servers, .. } = message {
        *ice_servers = servers.for_peer(peer);
    }
}
