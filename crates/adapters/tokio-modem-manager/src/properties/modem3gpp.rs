//! 3GPP: registration and packet service.

use crate::dict::Dict;
use crate::{PacketServiceState, RegistrationState};

/// `Modem3gpp`.
///
/// Registration and packet service show more than the modem's own state: a modem that lost its
/// network can stay `connected` for a minute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Modem3gpp {
    /// Registration with the network.
    pub registration: RegistrationState,
    /// Packet service.
    pub packet_service: PacketServiceState,
    /// MCC and MNC of the network.
    pub operator_code: Option<String>,
    /// Name of the network.
    pub operator_name: Option<String>,
    /// IMEI.
    pub imei: Option<String>,
    /// Why the network refused, since ModemManager 1.24.
    pub rejection: Option<NetworkRejection>,
}

/// `NetworkRejection`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkRejection {
    /// Reject cause of 3GPP TS 24.008 (`MMNetworkError`), such as 11: not allowed in this network.
    pub error: u32,
    /// MCC and MNC of the network that refused.
    pub operator_id: Option<String>,
}

impl Modem3gpp {
    pub(crate) fn from_properties(properties: &Dict) -> Self {
        let rejection = properties.dict("NetworkRejection");
        Self {
            registration: properties
                .get::<u32>("RegistrationState")
                .map_or(RegistrationState::Unknown, RegistrationState::from),
            packet_service: properties.u32("PacketServiceState").into(),
            operator_code: properties.text("OperatorCode"),
            operator_name: properties.text("OperatorName"),
            imei: properties.text("Imei"),
            rejection: rejection.get("error").map(|error| NetworkRejection {
                error,
                operator_id: rejection.text("operator-id"),
            }),
        }
    }
}
