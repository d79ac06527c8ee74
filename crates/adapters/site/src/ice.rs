//! The source of the ICE servers of a session.

use rccar_protocol::signaling::{IceServer, ToCar, ToDriver};
use rccar_protocol::text::SessionId;
use std::net::IpAddr;

/// The end of a session that asks for ICE servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IcePeer {
    /// The session that the servers are for: both of its ends ask.
    pub session: SessionId,
    /// The address of this machine under which the peer reached it, if it came over a socket.
    pub reached: Option<IpAddr>,
}

/// Gives out STUN and TURN servers with credentials for one session. Must not block.
pub trait IceServers: Send + Sync + 'static {
    /// Servers for this peer. It names the session and not the people, so that a server elsewhere
    /// does not learn who drives which car.
    fn for_peer(&self, peer: IcePeer) -> Vec<IceServer>;
}

/// No servers: both ends are on one network.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoIceServers;

impl IceServers for NoIceServers {
    fn for_peer(&self, _peer: IcePeer) -> Vec<IceServer> {
        Vec::new()
    }
}

/// Fills in `ice_servers`, which the rooms leave empty.
pub(crate) fn equip_driver(message: &mut ToDriver, servers: &dyn IceServers, reached: IpAddr) {
    if let ToDriver::Connecting { session, ice_servers, .. } = message {
        *ice_servers = servers.for_peer(IcePeer { session: *session, reached: Some(reached) });
    }
}

/// The same for a message to a car.
pub(crate) fn equip_car(message: &mut ToCar, servers: &dyn IceServers, reached: Option<IpAddr>) {
    if let ToCar::Connect { session, ice_servers, .. } | ToCar::Restart { session, ice_servers } =
        message
    {
        *ice_servers = servers.for_peer(IcePeer { session: *session, reached });
    }
}
