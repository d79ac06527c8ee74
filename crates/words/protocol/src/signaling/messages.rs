//! The messages, one enum for each direction.

use super::common::{ByeReason, Candidate, CarInfo, ErrorCode, IceServer};
use crate::claim::ClaimCode;
use crate::identity::{CarKey, Nonce, Signature};
use crate::release::{AccessToken, UpdateStatus, Version};
use crate::strict;
use crate::text::{CarId, Name, Note, Sdp, SessionId, Software};
use serde::{Deserialize, Serialize};

fn yes() -> bool {
    true
}

/// From a driver's page to the host.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case", rename_all_fields = "snake_case")]
pub enum FromDriver {
    /// First message.
    Hello {
        /// Protocol version.
        v: u8,
        /// Program of the driver.
        #[serde(skip_serializing_if = "Option::is_none")]
        software: Option<Software>,
    },
    /// Asks for a session with a car.
    Connect {
        car: CarId,
        /// `false`: the offer must hold all candidates (full gather), for peers that cannot
        /// trickle.
        #[serde(default = "yes")]
        trickle: bool,
    },
    /// The answer to the car's offer.
    Answer {
        session: SessionId,
        /// Generation of the offer.
        #[serde(deserialize_with = "strict::positive")]
        generation: u32,
        /// The description.
        sdp: Sdp,
    },
    /// A candidate of the driver's.
    Candidate {
        session: SessionId,
        /// Generation of the offer.
        #[serde(deserialize_with = "strict::positive")]
        generation: u32,
        #[serde(deserialize_with = "strict::object")]
        candidate: Candidate,
    },
    /// Asks the car for an ICE restart.
    Restart { session: SessionId },
    /// Ends the session.
    Bye {
        session: SessionId,
        /// Why.
        reason: ByeReason,
    },
    /// Asks for a `pong`: browsers cannot see WebSocket pings.
    Ping {
        /// Comes back.
        id: u32,
    },
}

/// From the host to a driver's page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case", rename_all_fields = "snake_case")]
pub enum ToDriver {
    /// Answer to `hello`.
    Welcome {
        /// Protocol version.
        v: u8,
        /// Who is signed in.
        user: Name,
        /// Program of the host.
        software: Software,
        /// Cars that this driver may see: the first part of the list, the driver's own and those
        /// that are there first.
        #[serde(deserialize_with = "strict::objects")]
        cars: Vec<CarInfo>,
        /// More of the list follows in `cars`.
        #[serde(
            default,
            skip_serializing_if = "strict::is_off",
            deserialize_with = "strict::flag"
        )]
        more: bool,
    },
    /// The next part of the list, or what has changed in it.
    Cars {
        /// Cars that are new to the driver's list, or have changed.
        #[serde(deserialize_with = "strict::objects")]
        cars: Vec<CarInfo>,
        /// Cars that are no longer in it.
        #[serde(
            default,
            skip_serializing_if = "Vec::is_empty",
            deserialize_with = "strict::maybe_list"
        )]
        gone: Vec<CarId>,
        /// More follows at once.
        #[serde(
            default,
            skip_serializing_if = "strict::is_off",
            deserialize_with = "strict::flag"
        )]
        more: bool,
    },
    /// Answer to `connect`: the car was asked for an offer.
    Connecting {
        /// The new session.
        session: SessionId,
        car: CarId,
        /// ICE servers with credentials for this session.
        #[serde(deserialize_with = "strict::objects")]
        ice_servers: Vec<IceServer>,
    },
    /// The car's offer. A later one with a higher generation is an ICE restart.
    Offer {
        session: SessionId,
        /// Counts offers of the session, from 1.
        #[serde(deserialize_with = "strict::positive")]
        generation: u32,
        /// The description.
        sdp: Sdp,
    },
    /// A candidate of the car's.
    Candidate {
        session: SessionId,
        /// Generation of the offer.
        #[serde(deserialize_with = "strict::positive")]
        generation: u32,
        #[serde(deserialize_with = "strict::object")]
        candidate: Candidate,
    },
    /// The session ended.
    Bye {
        session: SessionId,
        /// Why.
        reason: ByeReason,
    },
    /// A message was refused.
    Error {
        /// Why.
        code: ErrorCode,
        /// In words.
        text: Note,
        /// The car that the refused message named.
        #[serde(skip_serializing_if = "Option::is_none")]
        car: Option<CarId>,
        /// The session that the refused message named.
        #[serde(skip_serializing_if = "Option::is_none")]
        session: Option<SessionId>,
    },
    /// Answer to `ping`.
    Pong {
        /// The ping's.
        id: u32,
    },
}

/// From a car to the host.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case", rename_all_fields = "snake_case")]
pub enum FromCar {
    /// First message, in answer to the challenge.
    Register {
        /// Protocol version.
        v: u8,
        /// The car's key; its fingerprint is the car's id.
        key: CarKey,
        /// Over [`crate::identity::registration_message`].
        signature: Signature,
        /// Name that the car asks for; the owner's choice on the host wins.
        name: Name,
        /// Program of the car.
        software: Software,
        /// Enrolment token, while the host does not know the car yet.
        #[serde(skip_serializing_if = "Option::is_none")]
        enrolment: Option<Note>,
        /// Code that makes the car the one's who types it on the host's page, should the host
        /// neither know the car nor take its token.
        #[serde(skip_serializing_if = "Option::is_none")]
        claim: Option<ClaimCode>,
    },
    /// The offer, first or restart.
    Offer {
        session: SessionId,
        /// Counts offers of the session, from 1.
        #[serde(deserialize_with = "strict::positive")]
        generation: u32,
        /// The description.
        sdp: Sdp,
    },
    /// A candidate of the car's.
    Candidate {
        session: SessionId,
        /// Generation of the offer.
        #[serde(deserialize_with = "strict::positive")]
        generation: u32,
        #[serde(deserialize_with = "strict::object")]
        candidate: Candidate,
    },
    /// Ends or refuses the session.
    Bye {
        session: SessionId,
        /// Why.
        reason: ByeReason,
    },
    /// How far the car is with its updates: after `registered` and on every change.
    Update {
        /// The whole status.
        #[serde(deserialize_with = "strict::object")]
        status: UpdateStatus,
    },
    /// Asks for a `pong`.
    Ping {
        /// Comes back.
        id: u32,
    },
}

/// From the host to a car.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case", rename_all_fields = "snake_case")]
pub enum ToCar {
    /// First message of the host.
    Challenge {
        /// Protocol version.
        v: u8,
        /// What to sign.
        nonce: Nonce,
    },
    /// The car is known and reachable from now on.
    Registered {
        /// The car's id.
        car: CarId,
        /// Name under which drivers see it.
        name: Name,
    },
    /// The car is not known: it waits until somebody claims it with its code; then `registered`
    /// follows.
    Unclaimed {},
    /// What the car may fetch releases with; comes after `registered`, and again before it expires.
    Access {
        /// For `Authorization: Bearer`.
        token: AccessToken,
        /// How long it works, in seconds.
        #[serde(deserialize_with = "strict::positive")]
        ttl_s: u32,
    },
    /// There may be a release for the car: it asks over HTTP.
    Release {
        /// The newest.
        version: Version,
    },
    /// The owner wants this version. The car installs it when nothing stands in the way, and tells
    /// so in its update status.
    Install {
        /// The one that the car's update status named.
        version: Version,
    },
    /// A driver wants a session: the car offers.
    Connect {
        /// The new session.
        session: SessionId,
        driver: Name,
        /// `false`: the offer must hold all candidates.
        trickle: bool,
        /// ICE servers with credentials for this session.
        #[serde(deserialize_with = "strict::objects")]
        ice_servers: Vec<IceServer>,
    },
    /// The driver's answer.
    Answer {
        session: SessionId,
        /// Generation of the offer.
        #[serde(deserialize_with = "strict::positive")]
        generation: u32,
        /// The description.
        sdp: Sdp,
    },
    /// A candidate of the driver's.
    Candidate {
        session: SessionId,
        /// Generation of the offer.
        #[serde(deserialize_with = "strict::positive")]
        generation: u32,
        #[serde(deserialize_with = "strict::object")]
        candidate: Candidate,
    },
    /// The driver asks for an ICE restart.
    Restart {
        session: SessionId,
        /// Fresh ICE servers: credentials are time-limited.
        #[serde(deserialize_with = "strict::objects")]
        ice_servers: Vec<IceServer>,
    },
    /// The session ended.
    Bye {
        session: SessionId,
        /// Why.
        reason: ByeReason,
    },
    /// A message was refused.
    Error {
        /// Why.
        code: ErrorCode,
        /// In words.
        text: Note,
        /// The session that the refused message named.
        #[serde(skip_serializing_if = "Option::is_none")]
        session: Option<SessionId>,
    },
    /// Answer to `ping`.
    Pong {
        /// The ping's.
        id: u32,
    },
}
