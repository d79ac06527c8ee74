//! The state of a car, as its own page shows it.

use rccar_protocol::claim::ClaimCode;
use rccar_protocol::text::{CarId, Name};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// The client that asks for the status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Viewer {
    pub address: IpAddr,
    pub signed_in: bool,
    /// Whether it named the car by an address or a name of the local network.
    pub local_name: bool,
}

/// The body of `GET /api/v1/status`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct CarStatus {
    /// Whether the viewer may see the rest; without it everything is `None`.
    pub near: bool,
    pub car: Option<CarId>,
    pub name: Option<Name>,
    /// Its signaling host, if it has one.
    pub host: Option<HostStatus>,
    /// The code by which it can be claimed, while it is not enrolled.
    pub claim: Option<ClaimCode>,
    /// The outcome of the card's `provision.toml`.
    pub provision: Option<Provision>,
}

/// How the car stands with its signaling host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HostStatus {
    pub url: String,
    pub state: HostState,
    /// Why, in words, if there is more to say.
    pub text: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum HostState {
    /// For the first time, or again after a loss.
    Connecting,
    /// Drivers reach the car through the host.
    Registered,
    /// The car waits until somebody claims it.
    Unclaimed,
    /// The host does not let the car in.
    Refused,
}

/// `/run/rccar/provision.json`, as `rccar-provision` writes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provision {
    /// `good`, `faulty`, `missing`, `empty` or `unreadable`.
    pub file: String,
    pub faults: Vec<ProvisionFault>,
    /// Tables that were not used.
    pub unused: Vec<UnusedTable>,
    /// Other things that a person should know.
    pub notices: Vec<String>,
    /// The car's name on its network, without `.local`.
    pub host_name: String,
}

/// A mistake in the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProvisionFault {
    /// Line, from 1.
    pub line: usize,
    pub key: String,
    /// What is wrong, in words.
    pub what: String,
    /// A line that would be right; may be empty.
    pub example: String,
}

/// A table that was not used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnusedTable {
    pub table: String,
    /// `kept`, `default`, or `off`: nothing holds.
    pub instead: String,
}
