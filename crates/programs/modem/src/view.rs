//! Translates ModemManager's words into the core's.

use rccar_modem_core::asking::Refusal;
use rccar_modem_core::{Fault, ModemView, Observation, Outcome, Registration, Stage};
use tokio_modem_manager::{
    CoreError, Error, FailedReason, FaultKind, Lock, MobileEquipmentError, Modem3gpp, ModemState,
    PacketServiceState, RegistrationState, Snapshot, State,
};

/// Reject causes of 3GPP TS 24.008 and 24.301 that last until a person changes the contract or the
/// modem: unknown or illegal subscriber (2, 3, 8), illegal modem (5, 6), no data service (7, 14),
/// network not allowed (11), not authorized (35). All others go away by themselves.
const LASTING: [u32; 9] = [2, 3, 5, 6, 7, 8, 11, 14, 35];

/// The core's view of ModemManager and the modem. `expected`: there is a control port, so that
/// ModemManager should have a modem.
pub(crate) fn observation(
    snapshot: &Snapshot,
    modem: Option<&ModemState>,
    expected: bool,
) -> Observation {
    Observation { expected, daemon: snapshot.daemon.is_some(), modem: modem.map(view) }
}

fn view(modem: &ModemState) -> ModemView {
    let registration = modem.modem3gpp.as_ref().map_or(Registration::Missing, registration);
    let attached = modem.modem3gpp.as_ref().and_then(|network| attached(network.packet_service));
    let signal_recent = modem.signal_quality.recent;
    ModemView {
        stage: stage(modem),
        registration,
        connected: modem.connected_bearer().is_some(),
        attached,
        signal_recent,
    }
}

/// `None`: not every modem reports this, and not every ModemManager.
fn attached(state: PacketServiceState) -> Option<bool> {
    match state {
        PacketServiceState::Attached => Some(true),
        PacketServiceState::Detached => Some(false),
        _ => None,
    }
}

/// A network that refuses often shows as no network at all, with the reason in `rejection`.
fn registration(modem: &Modem3gpp) -> Registration {
    let refused =
        modem.rejection.as_ref().is_some_and(|rejection| LASTING.contains(&rejection.error));
    match modem.registration {
        state if state.carries_data() => Registration::Registered,
        RegistrationState::Denied => Registration::Denied,
        _ if refused => Registration::Denied,
        _ => Registration::Missing,
    }
}

fn stage(modem: &ModemState) -> Stage {
    match (modem.state, modem.unlock_required) {
        (State::Failed, _) => match modem.failed_reason {
            FailedReason::SimMissing | FailedReason::EsimWithoutProfiles => {
                Stage::Failed(Fault::SimMissing)
            }
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

/// The meaning of a failed connect. If a modem needs an access point name and got none,
/// ModemManager reports an invalid argument.
pub(crate) fn outcome_of_connect(error: &Error, without_apn: bool) -> Outcome {
    let invalid =
        error.fault().is_some_and(|fault| fault.kind == FaultKind::Core(CoreError::InvalidArgs));
    if invalid && without_apn { Outcome::Refused(Fault::ApnNeeded) } else { outcome(error) }
}

/// What a failed connect says about what was asked for. `None`: it is not about that, and the same
/// may be asked for again.
pub(crate) fn refusal(error: &Error) -> Option<Refusal> {
    use MobileEquipmentError as Me;
    let FaultKind::MobileEquipment(error) = &error.fault()?.kind else { return None };
    match error {
        Me::Ipv4OnlyAllowed => Some(Refusal::OnlyIpv4),
        Me::Ipv6OnlyAllowed => Some(Refusal::OnlyIpv6),
        Me::SingleAddressBearersOnlyAllowed
        | Me::UnknownPdpAddressOrType
        | Me::ActivationRejectedByGgsnOrGw
        | Me::ActivationRejectedUnspecified
        | Me::ServiceOptionNotSupported
        | Me::ServiceOptionNotSubscribed => Some(Refusal::PerhapsFamilies),
        Me::UserAuthenticationFailed | Me::PdpAuthFailure => Some(Refusal::SignIn),
        _ => None,
    }
}

/// The meaning of any other failure.
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
        // The modem is silent. A silent network has error names of its own.
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
            Me::UserAuthenticationFailed | Me::PdpAuthFailure => {
                Outcome::Refused(Fault::Credentials)
            }
            Me::IllegalUe
            | Me::IllegalMe
            | Me::ImsiUnknownInHss
            | Me::ImeiNotAccepted
            | Me::PsServicesNotAllowed => Outcome::Refused(Fault::Denied),
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
    fn a_refusal_shows_in_the_state_or_beside_it_and_only_if_it_lasts() {
        use tokio_modem_manager::NetworkRejection;
        let of = |state, error: Option<u32>| {
            registration(&Modem3gpp {
                registration: state,
                packet_service: PacketServiceState::Detached,
                operator_code: None,
                operator_name: None,
                imei: None,
                rejection: error.map(|error| NetworkRejection { error, operator_id: None }),
            })
        };
        assert_eq!(of(RegistrationState::Idle, Some(11)), Registration::Denied);
        // Congestion.
        assert_eq!(of(RegistrationState::Idle, Some(22)), Registration::Missing);
        assert_eq!(of(RegistrationState::Denied, None), Registration::Denied);
        assert_eq!(of(RegistrationState::Home, Some(11)), Registration::Registered);
    }

    #[test]
    fn a_packet_service_of_which_nothing_is_told_is_neither_there_nor_missing() {
        assert_eq!(
            [0, 1, 2, 7].map(|state: u32| attached(state.into())),
            [None, Some(false), Some(true), None]
        );
    }

    #[test]
    fn only_what_a_person_can_mend_is_a_fault() {
        let of = |name: &str| {
            outcome_of(&FaultKind::from_name(&format!(
                "org.freedesktop.ModemManager1.Error.{name}"
            )))
        };
        assert_eq!(of("MobileEquipment.ServiceOptionNotSubscribed"), Outcome::Refused(Fault::Apn));
        assert_eq!(of("MobileEquipment.NetworkTimeout"), Outcome::NoNetwork);
        assert_eq!(
            (of("Core.Timeout"), of("Serial.ResponseTimeout")),
            (Outcome::Mute, Outcome::Mute)
        );
        assert_eq!(of("MobileEquipment.Congestion"), Outcome::Failed);
        assert_eq!(of("Core.Tired"), Outcome::Failed);
    }

    #[test]
    fn refusals_of_families_and_of_sign_ins_are_told_from_others() {
        let of = |name: &str| {
            let name = format!("org.freedesktop.ModemManager1.Error.{name}");
            let fault = tokio_modem_manager::Fault::new(&name, String::new());
            refusal(&Error::ModemManager { what: "connect", fault })
        };
        assert_eq!(of("MobileEquipment.Ipv4OnlyAllowed"), Some(Refusal::OnlyIpv4));
        assert_eq!(of("MobileEquipment.Ipv6OnlyAllowed"), Some(Refusal::OnlyIpv6));
        for name in [
            "SingleAddressBearersOnlyAllowed",
            "UnknownPdpAddressOrType",
            "ServiceOptionNotSubscribed",
            "ActivationRejectedUnspecified",
        ] {
            let refusal = of(&format!("MobileEquipment.{name}"));
            assert_eq!(refusal, Some(Refusal::PerhapsFamilies), "{name}");
        }
        assert_eq!(of("MobileEquipment.UserAuthenticationFailed"), Some(Refusal::SignIn));
        for name in ["MobileEquipment.MissingOrUnknownApn", "MobileEquipment.NetworkTimeout"] {
            assert_eq!(of(name), None, "{name}");
        }
        assert_eq!(of("Core.Failed"), None);
        assert_eq!(refusal(&Error::NotRunning { what: "connect" }), None);
    }
}
