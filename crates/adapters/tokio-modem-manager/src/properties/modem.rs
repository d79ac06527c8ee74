//! The state of a modem.

use super::{Bearer, Modem3gpp, Signal, Sim};
use crate::dict::Dict;
use crate::{
    AccessTechnologies, Capabilities, FailedReason, IpFamilies, Lock, Modes, PortType, PowerState,
    State,
};
use std::collections::BTreeMap;
use zbus::zvariant::OwnedObjectPath;

/// A modem with everything that belongs to it, at one moment. [`Modem::state`](crate::Modem::state)
/// returns the present one.
#[derive(Debug, Clone, PartialEq)]
pub struct ModemState {
    /// Path of its object. **It changes** whenever ModemManager detects the modem again (SIM
    /// change, reset, restart): never keep it.
    pub path: OwnedObjectPath,
    /// `Device`: the physical device, usually its path in sysfs. It stays the same while the modem
    /// stays in its socket. It is the argument of
    /// [`ModemManager::inhibit_device`](crate::ModemManager::inhibit_device).
    pub device: String,
    /// `EquipmentIdentifier`: the IMEI. Not known before the modem has answered.
    pub equipment_identifier: Option<String>,
    /// `DeviceIdentifier`: a hash of model and firmware. Two modems of the same kind share it.
    pub device_identifier: Option<String>,
    /// Overall state.
    pub state: State,
    /// Why it failed, if it did.
    pub failed_reason: FailedReason,
    /// The code that the modem waits for.
    pub unlock_required: Lock,
    /// Tries left, by the number of the code; see [`ModemState::retries`].
    pub unlock_retries: BTreeMap<u32, u32>,
    /// Signal quality in percent.
    pub signal_quality: SignalQuality,
    /// Radio in use.
    pub access_technologies: AccessTechnologies,
    /// Power of the radio.
    pub power_state: PowerState,
    /// Generations of radio that are allowed, and the preferred one.
    pub current_modes: (Modes, Modes),
    /// Families of radio that the modem uses now.
    pub current_capabilities: Capabilities,
    /// IP families that it can carry.
    pub supported_ip_families: IpFamilies,
    /// Maker.
    pub manufacturer: Option<String>,
    /// Model.
    pub model: Option<String>,
    /// Firmware.
    pub revision: Option<String>,
    /// ModemManager's plugin.
    pub plugin: Option<String>,
    /// Kernel drivers.
    pub drivers: Vec<String>,
    /// Port used for control, such as `cdc-wdm0`.
    pub primary_port: Option<String>,
    /// All ports.
    pub ports: Vec<Port>,
    /// Telephone numbers.
    pub own_numbers: Vec<String>,
    /// Its bearers, in the order of their paths. A bearer whose properties are not there yet is
    /// missing.
    pub bearers: Vec<Bearer>,
    /// The SIM in use.
    pub sim: Option<Sim>,
    /// 3GPP: registration and packet service. Absent while the modem is locked or failed.
    pub modem3gpp: Option<Modem3gpp>,
    /// Extended signal quality. Absent if the modem does not report it.
    pub signal: Option<Signal>,
    /// Whether `Simple` is there, so that [`Modem::connect`](crate::Modem::connect) can work.
    pub has_simple: bool,
    /// Whether `ProfileManager` is there, so that [`Modem::probe`](crate::Modem::probe) can work.
    pub has_profile_manager: bool,
    /// Whether `Location` is there.
    pub has_location: bool,
}

/// A port of a modem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Port {
    /// Name, such as `wwan0`.
    pub name: String,
    /// What the port is for.
    pub kind: PortType,
}

/// `SignalQuality`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SignalQuality {
    /// 0 to 100.
    pub percent: u32,
    /// False if the modem has not reported its signal for about a minute.
    pub recent: bool,
}

impl ModemState {
    /// Tries left for a code; `None` if the modem does not report them.
    #[must_use]
    pub fn retries(&self, lock: Lock) -> Option<u32> {
        self.unlock_retries.get(&u32::from(lock)).copied()
    }

    /// The first bearer that is connected. A modem usually has one for ordinary data.
    #[must_use]
    pub fn connected_bearer(&self) -> Option<&Bearer> {
        self.bearers.iter().find(|bearer| bearer.connected)
    }

    pub(crate) fn from_properties(path: OwnedObjectPath, modem: &Dict) -> Self {
        let (percent, recent) = modem.pair("SignalQuality").unwrap_or_default();
        let (allowed, preferred) = modem.pair("CurrentModes").unwrap_or_default();
        let ports = modem
            .pairs("Ports")
            .into_iter()
            .map(|(name, kind): (String, u32)| Port { name, kind: kind.into() });
        let retries: std::collections::HashMap<u32, u32> = modem.get_or_default("UnlockRetries");
        Self {
            path,
            device: modem.get_or_default("Device"),
            equipment_identifier: modem.text("EquipmentIdentifier"),
            device_identifier: modem.text("DeviceIdentifier"),
            state: modem.get_or_default::<i32>("State").into(),
            failed_reason: modem.u32("StateFailedReason").into(),
            unlock_required: modem.u32("UnlockRequired").into(),
            unlock_retries: retries.into_iter().collect(),
            signal_quality: SignalQuality { percent, recent },
            access_technologies: AccessTechnologies::from_bits_retain(
                modem.u32("AccessTechnologies"),
            ),
            power_state: modem.u32("PowerState").into(),
            current_modes: (Modes::from_bits_retain(allowed), Modes::from_bits_retain(preferred)),
            current_capabilities: Capabilities::from_bits_retain(modem.u32("CurrentCapabilities")),
            supported_ip_families: IpFamilies::from_bits_retain(modem.u32("SupportedIpFamilies")),
            manufacturer: modem.text("Manufacturer"),
            model: modem.text("Model"),
            revision: modem.text("Revision"),
            plugin: modem.text("Plugin"),
            drivers: modem.get_or_default("Drivers"),
            primary_port: modem.text("PrimaryPort"),
            ports: ports.collect(),
            own_numbers: modem.get_or_default("OwnNumbers"),
            bearers: Vec::new(),
            sim: None,
            modem3gpp: None,
            signal: None,
            has_simple: false,
            has_profile_manager: false,
            has_location: false,
        }
    }
}
