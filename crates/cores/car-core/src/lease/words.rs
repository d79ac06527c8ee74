//! Inputs, effects and events of the lease.

use rccar_protocol::signaling::{ByeReason, Candidate, FromCar, IceServer};
use rccar_protocol::text::{Name, Sdp, SessionId};

/// Where signaling comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// The signaling host.
    Host,
    /// The car's own page.
    Lan,
}

/// A driver's wish for a session.
#[derive(Debug, Clone, PartialEq)]
pub struct Wish {
    /// Where the wish came from; answers go there.
    pub source: Source,
    /// Unique at its source.
    pub session: SessionId,
    pub driver: Name,
    /// Whether the page takes candidates one by one.
    pub trickle: bool,
    /// Takes the car from whoever drives it: its owner may.
    pub take: bool,
    /// With credentials for this session.
    pub ice_servers: Vec<IceServer>,
}

/// Input that the lease passes to a session.
#[derive(Debug, Clone, PartialEq)]
pub enum SessionInput {
    /// The driver's answer to an offer.
    Answer {
        /// Generation of the offer.
        generation: u32,
        sdp: Sdp,
    },
    /// A candidate of the driver's.
    Candidate {
        /// Generation of the offer.
        generation: u32,
        candidate: Candidate,
    },
    /// The driver wants another path.
    Restart {
        /// With fresh credentials.
        ice_servers: Vec<IceServer>,
    },
    /// New credentials for the next path.
    IceServers(Vec<IceServer>),
    /// Somebody at the car wants another path.
    RestartHere,
    /// The session is to end for this reason. With `DriverGone` and `CarGone` it may go on: only
    /// the signaling is lost, and the peer connection may still work.
    Bye(ByeReason),
    Shutdown,
}

/// How a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The other side said good-bye, or its host did.
    EndedByDriver(ByeReason),
    /// The car ended it, and sends the reason to the driver.
    EndedByCar(ByeReason),
}

/// To be done in the order in which they come.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Begin this session. No other session runs. When it ends, call
    /// [`super::Lease::handle_ended`].
    Start(Wish),
    /// Pass this to the running session. It may be dropped if the session does not keep up.
    Pass(SessionInput),
    /// Ask the running session to end. If it does not even take that, abort it.
    End(ByeReason),
    /// The session was asked to end and has not: end it by force.
    Abort,
    /// Nobody drives any more: set-points of the session do not count from now on.
    Vacate,
    /// Send this over signaling.
    Say { to: Source, message: FromCar },
    /// Wait until all messages have left, but not for long. Then call
    /// [`super::Lease::handle_farewells_sent`].
    SendFarewells,
    /// Everything is sent and ended: the program may stop.
    Finished,
}

/// For the log: nothing has to be done about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A session begins.
    Connects {
        driver: Name,
        /// The way of its signaling.
        source: Source,
        session: SessionId,
    },
    /// A session ends because its driver is not reachable and somebody else wants the car, or
    /// because the owner takes the car back.
    Replaced {
        session: SessionId,
        /// The next driver.
        driver: Name,
    },
    /// A driver did not get the car, because somebody drives it.
    Refused {
        driver: Name,
        /// The way of the present driver's signaling.
        driven_by: Source,
    },
    /// The session is over, and its connection is closed.
    Ended { session: SessionId, outcome: Outcome },
    /// A session ends because the program stops.
    Stops { session: SessionId },
}
