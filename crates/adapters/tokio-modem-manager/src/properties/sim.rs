//! The state of a SIM.

use crate::SimType;
use crate::dict::Dict;
use zbus::zvariant::OwnedObjectPath;

/// A SIM. Its identifiers are `None` while it is locked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sim {
    /// Path of its object.
    pub path: OwnedObjectPath,
    /// Whether it is the SIM in use.
    pub active: bool,
    /// ICCID.
    pub identifier: Option<String>,
    /// IMSI.
    pub imsi: Option<String>,
    /// MCC and MNC of the operator that issued it.
    pub operator_identifier: Option<String>,
    /// The operator's name.
    pub operator_name: Option<String>,
    /// Card or embedded.
    pub sim_type: SimType,
}

impl Sim {
    pub(crate) fn from_properties(path: OwnedObjectPath, properties: &Dict) -> Self {
        Self {
            path,
            active: properties.get_or_default("Active"),
            identifier: properties.text("SimIdentifier"),
            imsi: properties.text("Imsi"),
            operator_identifier: properties.text("OperatorIdentifier"),
            operator_name: properties.text("OperatorName"),
            sim_type: properties.u32("SimType").into(),
        }
    }
}
