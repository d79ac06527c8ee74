//! The car's standing with its signaling host, as its own page shows it.

use rccar_car_core::registration::Standing;
use rccar_protocol::claim::ClaimCode;
use rccar_site::{HostState, HostStatus};

pub(crate) fn status(standing: &Standing, url: String, redirected: Option<&str>) -> HostStatus {
    let sent_on = || {
        let to = redirected?;
        Some(format!("this address sends the car on to {to}: put that one into provision.toml"))
    };
    let (state, text) = match standing {
        Standing::Connecting => (HostState::Connecting, None),
        Standing::Lost(why) => (HostState::Connecting, Some(why.clone())),
        Standing::Refused(why) => (HostState::Refused, Some(why.clone())),
        Standing::Unclaimed(_) => (HostState::Unclaimed, sent_on()),
        Standing::Registered => (HostState::Registered, sent_on()),
    };
    HostStatus { url, state, text }
}

/// The code that claims the car; `None` unless the car waits to be claimed.
pub(crate) fn claim(standing: &Standing) -> Option<ClaimCode> {
    if let Standing::Unclaimed(code) = standing { Some(code.clone()) } else { None }
}
