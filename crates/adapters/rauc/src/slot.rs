//! Slots.

use crate::installer::{Dict, text};

/// What RAUC knows of a slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    /// RAUC's name, such as `rootfs.0`.
    pub name: String,
    /// The bootloader's name, such as `A`; only slots that can be booted have one.
    pub bootname: Option<String>,
    /// It is the one that runs.
    pub booted: bool,
    /// What the bootloader says of it.
    pub boot_status: Option<BootStatus>,
    /// Version of the bundle that was installed into it by RAUC; `None` for a slot as it was
    /// flashed.
    pub version: Option<String>,
    /// Whether the last installation into it was whole (`ok`), failed, or is still going on
    /// (`pending`), in RAUC's words.
    pub status: Option<String>,
}

/// Whether the bootloader would start a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BootStatus {
    /// It would.
    Good,
    /// It would not.
    Bad,
}

impl Slot {
    pub(crate) fn read(name: String, values: &Dict) -> Self {
        let boot_status = match text(values, "boot-status").as_deref() {
            Some("good") => Some(BootStatus::Good),
            Some("bad") => Some(BootStatus::Bad),
            _ => None,
        };
        Self {
            name,
            bootname: text(values, "bootname"),
            booted: text(values, "state").as_deref() == Some("booted"),
            boot_status,
            version: text(values, "bundle.version"),
            status: text(values, "status"),
        }
    }
}
