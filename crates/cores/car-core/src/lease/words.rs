//! What goes in and comes out of the lease.

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
    /// Whom it came from, and where answers go.
    pub source: Source,
    /// The session; unique at its source.
    pub session: SessionId,
    /// Who wants to drive.
    pub driver: Name,
    /// Whether the driver's end takes candidates one by one.
    pub trickle: bool,
    /// With credentials for this session.
    pub ice_servers: Vec<IceServer>,
}

/// What a session is told.
#[derive(Debug, Clone, PartialEq)]
pub enum SessionInput {
    /// The driver's answer to an offer.
    Answer {
        /// Generation of the offer.
        generation: u32,
        /// The description.
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
    /// Somebody at the car wants another path.
    RestartHere,
    /// The other side's end of the session.
    Bye(ByeReason),
    /// The program stops.
    Shutdown,
}

/// How a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The other side said good-bye, or its host did.
    EndedByDriver(ByeReason),
    /// The car did, and tells why.
    EndedByCar(ByeReason),
}

/// What is to be done, in this order.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Begin this session. There is no other: the one before has ended.
    /// [`super::Lease::handle_ended`] wants its end.
    Start(Wish),
    /// Tell the session that runs. It is lost if the session does not keep up.
    Pass(SessionInput),
    /// Tell the session that runs to end; abort it if it does not even take that.
    End(ByeReason),
    /// The session was told to end and has not: end it by force.
    Abort,
    /// Nobody drives any more: no set-point of the session counts.
    Vacate,
    /// Send this over signaling.
    Say {
        /// Which way.
        to: Source,
        message: FromCar,
    },
    /// Wait until what was said has left, but not for long; then call
    /// [`super::Lease::handle_farewells_sent`].
    SendFarewells,
    /// All is told and ended: the program may stop.
    Finished,
}

/// What a person who watches the car wants to know. Nothing has to be done about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A session begins.
    Connects {
        driver: Name,
        /// Over which signaling.
        source: Source,
        session: SessionId,
    },
    /// A session ends because its driver is not reachable and somebody else wants the car.
    Replaced {
        session: SessionId,
        /// Who has the car next.
        driver: Name,
    },
    /// Somebody has the car already.
    Refused {
        /// Who does not get it.
        driver: Name,
        /// Over which signaling it is driven.
        driven_by: Source,
    },
    /// A session is over.
    Ended { session: SessionId, outcome: Outcome },
    /// A session ends because the program stops.
    Stops { session: SessionId },
}
