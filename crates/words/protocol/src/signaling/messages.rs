//! The messages, one enum for each direction.

use super::common::{ByeReason, Candidate, CarInfo, ErrorCode, IceServer, ListWish};
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
        #[serde(skip_serializing_if = "Option::is_none")]
        software: Option<Software>,
        /// Versions of lists in parts that the page speaks. A page that speaks the host's gets no
        /// list but what it asks for.
        #[serde(
            default,
            skip_serializing_if = "Vec::is_empty",
            deserialize_with = "strict::maybe_list"
        )]
        lists: Vec<u8>,
    },
    /// Asks for a part of the list of cars. It takes the place of the part before.
    List(ListWish),
    /// Asks for a session with a car.
    Connect {
        car: CarId,
        /// `false`: the offer must hold all candidates (full gather), because the page cannot
        /// trickle.
        #[serde(default = "yes")]
        trickle: bool,
        /// Takes the car back from whoever drives it. For its owner, and admins of the host.
        #[serde(
            default,
            skip_serializing_if = "strict::is_off",
            deserialize_with = "strict::flag"
        )]
        take: bool,
    },
    /// Asks for a session that begins with `connect`, or never: the ends find a path meanwhile.
    Prepare { car: CarId },
    /// The answer to the car's offer.
    Answer {
        session: SessionId,
        /// Generation of the offer.
        #[serde(deserialize_with = "strict::positive")]
        generation: u32,
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
    Bye { session: SessionId, reason: ByeReason },
    /// Asks for a `pong`: a page cannot see WebSocket pings.
    Ping {
        /// The host sends it back.
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
        /// The account that is signed in.
        user: Name,
        software: Software,
        /// The first part of the list of cars that this driver may see. The driver's own cars come
        /// first, and those that are connected.
        #[serde(deserialize_with = "strict::objects")]
        cars: Vec<CarInfo>,
        /// More of the list follows in messages `cars`.
        #[serde(
            default,
            skip_serializing_if = "strict::is_off",
            deserialize_with = "strict::flag"
        )]
        more: bool,
        /// Versions of lists in parts that the host speaks.
        #[serde(
            default,
            skip_serializing_if = "Vec::is_empty",
            deserialize_with = "strict::maybe_list"
        )]
        lists: Vec<u8>,
    },
    /// The part of the list that the page asked for, or what has changed in it.
    List {
        /// Of the request.
        id: u32,
        /// How many cars the driver may see at all.
        known: u32,
        /// How many cars fit the request.
        total: u32,
        /// How many of those can be driven now.
        ready: u32,
        /// Number of the first car of the part.
        from: u32,
        /// The cars of the part, in order. `None`: as before.
        #[serde(skip_serializing_if = "Option::is_none")]
        order: Option<Vec<CarId>>,
        /// Those that are new in the part, or have changed.
        #[serde(deserialize_with = "strict::objects")]
        cars: Vec<CarInfo>,
    },
    /// The next part of the list, or changes in it.
    Cars {
        /// Cars that are new to the driver's list, or have changed.
        #[serde(deserialize_with = "strict::objects")]
        cars: Vec<CarInfo>,
        /// Cars that are no longer in the list.
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
    /// Answer to `connect`: the host has asked the car for an offer.
    Connecting {
        /// The new session.
        session: SessionId,
        car: CarId,
        /// ICE servers with credentials for this session.
        #[serde(deserialize_with = "strict::objects")]
        ice_servers: Vec<IceServer>,
    },
    /// Answer to `prepare`: the host has asked the car for an offer.
    Prepared {
        /// The session that may begin.
        session: SessionId,
        car: CarId,
        /// ICE servers with credentials for this session.
        #[serde(deserialize_with = "strict::objects")]
        ice_servers: Vec<IceServer>,
    },
    /// New credentials for a session that goes on: the old ones expire. They are for the next ICE
    /// restart, and change nothing at once.
    IceServers {
        session: SessionId,
        #[serde(deserialize_with = "strict::objects")]
        ice_servers: Vec<IceServer>,
    },
    /// The car's offer. A later one with a higher generation is an ICE restart.
    Offer {
        session: SessionId,
        /// Counts offers of the session, from 1.
        #[serde(deserialize_with = "strict::positive")]
        generation: u32,
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
    /// Somebody waits for the car that this page drives, or nobody does any more. A page whose
    /// driver does nothing asks whether the driver is still there, and without an answer ends the
    /// session with `idle`.
    Wanted {
        session: SessionId,
        /// Who waits.
        #[serde(skip_serializing_if = "Option::is_none")]
        by: Option<Name>,
        /// The car waits with an update until nobody drives it.
        #[serde(
            default,
            skip_serializing_if = "strict::is_off",
            deserialize_with = "strict::flag"
        )]
        update: bool,
        /// After so many seconds without input on a disarmed car the page asks.
        #[serde(deserialize_with = "strict::positive")]
        idle_s: u32,
    },
    /// The session ended.
    Bye {
        session: SessionId,
        reason: ByeReason,
        /// Who took the car back.
        #[serde(skip_serializing_if = "Option::is_none")]
        by: Option<Name>,
    },
    /// A message was refused.
    Error {
        code: ErrorCode,
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
        /// The `id` of the ping.
        id: u32,
    },
}

/// From a car to the host.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case", rename_all_fields = "snake_case")]
pub enum FromCar {
    /// First message of the car, in answer to the challenge.
    Register {
        /// Protocol version.
        v: u8,
        /// The car's key; its fingerprint is the car's id.
        key: CarKey,
        /// Over [`crate::identity::registration_message`].
        signature: Signature,
        /// Name that the car asks for; a name that the owner has set on the host wins.
        name: Name,
        software: Software,
        /// Enrolment token. The host needs it only while the car is not enrolled.
        #[serde(skip_serializing_if = "Option::is_none")]
        enrolment: Option<Note>,
        /// The host waits for this code if the car is not enrolled and its token is missing or
        /// refused. A person who types the code on the host's page becomes the owner.
        #[serde(skip_serializing_if = "Option::is_none")]
        claim: Option<ClaimCode>,
        /// Versions of prepared sessions that the car speaks.
        #[serde(
            default,
            skip_serializing_if = "Vec::is_empty",
            deserialize_with = "strict::maybe_list"
        )]
        prepares: Vec<u8>,
    },
    /// The first offer of a session, or an ICE restart.
    Offer {
        session: SessionId,
        /// Counts offers of the session, from 1.
        #[serde(deserialize_with = "strict::positive")]
        generation: u32,
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
    Bye { session: SessionId, reason: ByeReason },
    /// How far the car is with its updates. Comes after `registered` and on every change.
    Update {
        #[serde(deserialize_with = "strict::object")]
        status: UpdateStatus,
    },
    /// Asks for a `pong`.
    Ping {
        /// The host sends it back.
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
        /// The car signs it.
        nonce: Nonce,
    },
    /// The car is enrolled, and drivers can reach it from now on.
    Registered {
        car: CarId,
        /// Name under which drivers see it.
        name: Name,
    },
    /// The car is not enrolled. It stays connected and waits until somebody claims it with its
    /// code; then `registered` follows.
    Unclaimed {},
    /// A token with which the car fetches releases. Comes after `registered`, and again before it
    /// expires.
    Access {
        token: AccessToken,
        /// How long the token works, in seconds.
        #[serde(deserialize_with = "strict::positive")]
        ttl_s: u32,
    },
    /// There may be a release for the car. The car then checks over HTTP.
    Release {
        /// The newest version.
        version: Version,
    },
    /// The owner wants this version. The car installs it as soon as nothing stands in the way, and
    /// reports that in its update status.
    Install {
        /// The version that the car's update status named.
        version: Version,
    },
    /// A driver wants a session. The car answers with an offer.
    Connect {
        /// The new session.
        session: SessionId,
        driver: Name,
        /// `false`: the offer must hold all candidates.
        trickle: bool,
        /// The driver takes the car back from whoever drives it. The host has checked the right.
        #[serde(
            default,
            skip_serializing_if = "strict::is_off",
            deserialize_with = "strict::flag"
        )]
        take: bool,
        /// ICE servers with credentials for this session.
        #[serde(deserialize_with = "strict::objects")]
        ice_servers: Vec<IceServer>,
    },
    /// A driver may want a session soon. The car answers with an offer; the session begins with
    /// `connect`.
    Prepare {
        /// The session that may begin.
        session: SessionId,
        driver: Name,
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
        /// Sent again with new credentials: the old ones may have expired.
        #[serde(deserialize_with = "strict::objects")]
        ice_servers: Vec<IceServer>,
    },
    /// New credentials for a session that goes on: the old ones expire. They are for the next ICE
    /// restart, and change nothing at once.
    IceServers {
        session: SessionId,
        #[serde(deserialize_with = "strict::objects")]
        ice_servers: Vec<IceServer>,
    },
    /// The session ended.
    Bye { session: SessionId, reason: ByeReason },
    /// A message was refused.
    Error {
        code: ErrorCode,
        text: Note,
        /// The session that the refused message named.
        #[serde(skip_serializing_if = "Option::is_none")]
        session: Option<SessionId>,
    },
    /// Answer to `ping`.
    Pong {
        /// The `id` of the ping.
        id: u32,
    },
}
