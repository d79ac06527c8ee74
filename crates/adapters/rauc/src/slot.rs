//! The slots of the card, as RAUC reports them.

use crate::installer::{Dict, text};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    /// RAUC's name, such as `rootfs.0`.
    pub name: String,
    /// The bootloader's name, such as `A`; only slots that can be booted have one.
    pub bootname: Option<String>,
    /// The system runs from this slot.
    pub booted: bool,
    /// `None` if the bootloader does not say.
    pub boot_status: Option<BootStatus>,
    /// Version of the bundle that RAUC installed into the slot; `None` if the slot is still as it
    /// was flashed.
    pub version: Option<String>,
    /// RAUC's word for the last installation into the slot: `ok`, `failed`, or `pending` while it
    /// goes on.
    pub status: Option<String>,
}

/// Whether the bootloader would start a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BootStatus {
    Good,
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
