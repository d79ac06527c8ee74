//! The source of the ICE servers of a session.

use crate::token::TokenHash;
use rccar_protocol::signaling::{IceServer, ToCar, ToDriver};
use rccar_protocol::text::{CarId, Name, SessionId};
use std::net::IpAddr;
use std::time::Duration;

/// The end of a session that asks for ICE servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IcePeer<'a> {
    /// The session that the servers are for: both of its ends ask.
    pub session: SessionId,
    pub end: IceEnd<'a>,
    /// The address of this machine under which the peer reached it, if it came over a socket.
    pub reached: Option<IpAddr>,
}

/// Which end of a session, and whose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IceEnd<'a> {
    Driver { user: &'a Name, sign_in: TokenHash },
    Car { car: &'a CarId, owner: Option<&'a Name> },
}

/// Gives out STUN and TURN servers with credentials for one session. Must not block.
pub trait IceServers: Send + Sync + 'static {
    /// Servers for this peer. The credentials name the session and not the people, so that nobody
    /// on the way to a server learns who drives which car.
    fn for_peer(&self, peer: IcePeer<'_>) -> Vec<IceServer>;

    /// How often the ends of a session that goes on get new servers; `None`: never.
    fn renew_every(&self) -> Option<Duration> {
        None
    }

    /// A session is over. If it is only `forgotten`, its ends may still be connected with each
    /// other: they have no connection to this program.
    fn ended(&self, _session: SessionId, _forgotten: bool) {}

    /// Ends what these ends have got, also in sessions that are forgotten.
    fn revoke(&self, _is_meant: &dyn Fn(&IceEnd<'_>) -> bool) {}

    /// The drivers' ends of sessions that are forgotten: the program checks whether their users may
    /// still be here.
    fn forgotten(&self) -> Vec<(Name, TokenHash)> {
        Vec::new()
    }
}

/// No servers: both ends are on one network.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoIceServers;

impl IceServers for NoIceServers {
    fn for_peer(&self, _peer: IcePeer<'_>) -> Vec<IceServer> {
        Vec::new()
    }
}

/// Fills in `ice_servers`, which the rooms leave empty.
pub(crate) fn equip_driver(
    message: &mut ToDriver,
    servers: &dyn IceServers,
    end: IceEnd<'_>,
    reached: IpAddr,
) {
    if let ToDriver::Connecting { session, ice_servers, .. }
    | ToDriver::Prepared { session, ice_servers, .. }
    | ToDriver::IceServers { session, ice_servers } = message
    {
        *ice_servers = servers.for_peer(IcePeer { session: *session, end, reached: Some(reached) });
    }
}

/// The same for a message to a car.
pub(crate) fn equip_car(
    message: &mut ToCar,
    servers: &dyn IceServers,
    end: IceEnd<'_>,
    reached: Option<IpAddr>,
) {
    if let ToCar::Connect { session, ice_servers, .. }
    | ToCar::Prepare { session, ice_servers, .. }
    | ToCar::Restart { session, ice_servers }
    | ToCar::IceServers { session, ice_servers } = message
    {
        *ice_servers = servers.for_peer(IcePeer { session: *session, end, reached });
    }
}
