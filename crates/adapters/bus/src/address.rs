//! Which message bus to connect to.

use crate::error::BusError;
use serde::Deserialize;
use std::str::FromStr;
use zbus::connection::Builder;

/// In a configuration: `"system"`, `"session"` or a D-Bus address.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Address {
    #[default]
    System,
    /// The bus of the person who is signed in to this computer.
    Session,
    /// Any other, such as `unix:path=/run/test/bus`.
    Other(zbus::Address),
}

impl TryFrom<String> for Address {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        match text.as_str() {
            "system" => Ok(Self::System),
            "session" => Ok(Self::Session),
            other => zbus::Address::from_str(other).map(Self::Other).map_err(|error| {
                format!(
                    "`{other}` is neither \"system\", \"session\" nor an address of a bus: {error}"
                )
            }),
        }
    }
}

impl Address {
    pub async fn connect(&self) -> Result<zbus::Connection, BusError> {
        let builder = match self {
            Self::System => Builder::system(),
            Self::Session => Builder::session(),
            Self::Other(address) => Builder::address(address.clone()),
        };
        let connected = async { builder?.build().await };
        connected.await.map_err(|error| BusError::Connect(Box::new(error)))
    }
}
