//! From ModemManager's words to the machine's.

use rccar_modem_core::{Fault, ModemView, Observation, Outcome, Registration, Stage};
use tokio_modem_manager::{
    CoreError, Error, FailedReason, FaultKind, Lock, MobileEquipmentError, ModemState, RegistrationState, Snapshot, State,
};

/// What the machine sees of ModemManager and the modem.
pub(crate) fn observation(snapshot: &Snapshot, modem: Option<&ModemState>) -> Observation {
    Observation { daemon: snapshot.daemon.is_some(), modem: modem.map(view) }
}

fn view(modem: &ModemState) -> ModemView {
    let registration = match modem.modem3gpp.as_ref().map(|modem| modem.registration) {
        Some(state) if state.carries_data() => Registration::Registered,
        Some(RegistrationState::Denied) => Registration::Denied,
        _ => Registration::Missing,
    };
    ModemView { stage: stage(modem), registration, connected: modem.connected_bearer().is_some() }
}

fn stage(modem: &ModemState) -> Stage {
    match (modem.state, modem.unlock_required) {
        (State::Failed, _) => match modem.failed_reason {
            FailedReason::SimMissing | FailedReason::EsimWithoutProfiles => Stage::Failed(Fault::SimMissing),
            FailedReason::SimError => Stage::Failed(Fault::SimUnusable),
            _ => Stage::Broken,
        },
        (State::Locked, Lock::SimPin) => Stage::LockedByPin(modem.retries(Lock::SimPin)),
        (State::Locked, Lock::Unknown) => Stage::Starting,
        (State::Locked, _) => Stage::LockedForGood,
        (State::Unknown | State::Initializing, _) => Stage::Starting,
        _ if modem.has_simple => Stage::Ready,
        _ => Stage::Starting,
    }
}

/// What a failed try to connect means.
pub(crate) fn outcome(error: &Error) -> Outcome {
    match error {
        Error::Timeout { .. } => Outcome::Mute,
        Error::ModemManager { fault, .. } => outcome_of(&fault.kind),
        _ => Outcome::Failed,
    }
}

fn outcome_of(kind: &FaultKind) -> Outcome {
    use MobileEquipmentError as Me;
    match kind {
        FaultKind::Core(CoreError::Unauthorized) => Outcome::Refused(Fault::Roaming),
        // A silent modem; a network that is silent has names of its own.
        FaultKind::Core(CoreError::Timeout) | FaultKind::Serial(_) => Outcome::Mute,
        FaultKind::Core(_) => Outcome::Failed,
        FaultKind::MobileEquipment(error) => match error {
            Me::SimNotInserted => Outcome::Refused(Fault::SimMissing),
            Me::SimFailure | Me::SimWrong => Outcome::Refused(Fault::SimUnusable),
            Me::SimPin => Outcome::Refused(Fault::PinNeeded),
            Me::IncorrectPassword => Outcome::Refused(Fault::PinWrong),
            Me::SimPuk => Outcome::Refused(Fault::PukNeeded),
            Me::MissingOrUnknownApn
            | Me::ServiceOptionNotSubscribed
            | Me::ServiceOptionNotSupported
            | Me::RequestedApnNotSupported => Outcome::Refused(Fault::Apn),
            Me::UserAuthenticationFailed | Me::PdpAuthFailure => Outcome::Refused(Fault::Credentials),
            Me::IllegalUe | Me::IllegalMe | Me::ImsiUnknownInHss | Me::ImeiNotAccepted | Me::PsServicesNotAllowed => {
                Outcome::Refused(Fault::Denied)
            }
            Me::NetworkTimeout | Me::NoNetwork | Me::NoCellsInArea => Outcome::NoNetwork,
            _ => Outcome::Failed,
        },
        _ => Outcome::Failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_person_can_mend_is_a_fault() {
        let of = |name: &str| outcome_of(&FaultKind::from_name(&format!("org.freedesktop.ModemManager1.Error.{name}")));
        assert_eq!(of("MobileEquipment.ServiceOptionNotSubscribed"), Outcome::Refused(Fault::Apn));
        assert_eq!(of("MobileEquipment.NetworkTimeout"), Outcome::NoNetwork);
        assert_eq!(of("Core.Timeout"), Outcome::Mute);
        assert_eq!(of("MobileEquipment.Congestion"), Outcome::Failed);
        assert_eq!(of("Core.Tired"), Outcome::Failed);
    }
}
