//! Translates the core's status for the host, the bus and the command line.

use rccar_bus::update::UpdateProperties;
use rccar_protocol::release::{ByteCount, Percent, UpdateState, UpdateStatus};
use rccar_protocol::text::Note;
use rccar_update_core::{Ended, Failure, Meter, State, Status};
use serde::{Deserialize, Serialize};

/// For the host. `bytes` were fetched so far for the update that is under way.
pub(crate) fn for_host(status: &Status, bytes: u64) -> Option<UpdateStatus> {
    let version = |version: &rccar_update_core::Version| version.to_string().parse().ok();
    let (state, installing) = match status.state {
        State::Idle => (UpdateState::Idle, false),
        State::Installing if status.reason.is_none() => (UpdateState::Downloading, true),
        State::Installing => (UpdateState::Waiting, true),
        State::Offered | State::Waiting => (UpdateState::Waiting, false),
        State::Rebooting => (UpdateState::Rebooting, false),
        State::Testing => (UpdateState::Testing, false),
        State::Failed => (UpdateState::Failed, false),
    };
    Some(UpdateStatus {
        state,
        // The protocol limits the length of a version; every version that was offered fits.
        running: version(&status.running)?,
        version: status.version.as_ref().and_then(version),
        percent: status.percent.and_then(|percent| Percent::try_from(percent).ok()),
        bytes: installing.then_some(ByteCount::saturating(bytes)),
        reason: status.reason.as_deref().map(Note::lossy),
        on_request: status.on_request,
    })
}

/// What the command line shows besides the properties.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Details {
    /// How the last update ended.
    pub(crate) last: Option<Ended>,
    pub(crate) failures: Vec<Failure>,
    pub(crate) meter: Meter,
    /// Bytes that may be fetched over metered links in a month.
    pub(crate) metered_cap: u64,
    /// Whether the link is metered now.
    pub(crate) metered: bool,
    /// Seconds until the next check, if the car is registered and not driven then.
    pub(crate) next_check_s: u64,
}

pub(crate) fn for_bus(status: &Status, details: &Details) -> UpdateProperties {
    UpdateProperties {
        state: status.state.word().to_owned(),
        version: status.version.as_ref().map(ToString::to_string).unwrap_or_default(),
        percent: status.percent.unwrap_or(0),
        reason: status.reason.clone().unwrap_or_default(),
        running_version: status.running.to_string(),
        details: serde_json::to_string(details).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rccar_update_core::Version;

    #[test]
    fn a_held_installation_is_told_as_waiting_with_its_reason() {
        let mut status = Status {
            state: State::Installing,
            running: Version::new(1, 0, 0),
            version: Some(Version::new(1, 1, 0)),
            percent: Some(40),
            size: Some(1000),
            reason: None,
            on_request: false,
        };
        let told = for_host(&status, 400).unwrap();
        assert_eq!(
            (told.state, told.bytes.unwrap().value(), told.percent.unwrap().value()),
            (UpdateState::Downloading, 400, 40)
        );
        status.reason = Some("the car is armed".into());
        let told = for_host(&status, 400).unwrap();
        assert_eq!(
            (told.state, told.reason.unwrap().as_str()),
            (UpdateState::Waiting, "the car is armed")
        );
    }
}
