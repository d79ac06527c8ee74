//! What a car says of itself on its own page.

use rccar_protocol::claim::ClaimCode;
use rccar_protocol::text::{CarId, Name};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Viewer {
    /// Address of the client.
    pub address: IpAddr,
    /// Whether it has signed in.
    pub signed_in: bool,
    /// Whether it named the car by an address or a name of the local network.
    pub local_name: bool,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct CarStatus {
    /// Whether the viewer may see the rest; without it everything is `None`.
    pub near: bool,
    pub car: Option<CarId>,
    pub name: Option<Name>,
    /// Its signaling host, if it has one.
    pub host: Option<HostStatus>,
    /// The code by which it can be claimed, while nobody owns it.
    pub claim: Option<ClaimCode>,
    /// What became of the card's `provision.toml`.
    pub provision: Option<Provision>,
}

/// How the car stands with its signaling host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HostStatus {
    /// Its address.
    pub url: String,
    pub state: HostState,
    /// Why, in words, if there is more to say.
    pub text: Option<String>,
}

/// How the car stands with its signaling host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum HostState {
    /// On the way, or on the way back.
    Connecting,
    /// It can be driven from there.
    Registered,
    /// It waits for somebody who claims it.
    Unclaimed,
    /// The host will not have it.
    Refused,
}

/// `/run/rccar/provision.json`, as `rccar-provision` writes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provision {
    /// `good`, `faulty`, `missing` or `unreadable`.
    pub file: String,
    /// What is wrong with the file.
    pub faults: Vec<ProvisionFault>,
    /// Tables that were not used.
    pub unused: Vec<UnusedTable>,
    /// What else a person should know.
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
    /// What is wrong.
    pub what: String,
    /// A line that would be right, or nothing.
    pub example: String,
}

/// A table that was not used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnusedTable {
    /// Its name.
    pub table: String,
    /// `kept` or `default`.
    pub instead: String,
}
