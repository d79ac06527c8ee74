//! The part of RAUC's interface that is used here.

use std::collections::HashMap;
use zbus::zvariant::{OwnedValue, Value};

pub(crate) type Dict = HashMap<String, OwnedValue>;

#[zbus::proxy(
    interface = "de.pengutronix.rauc.Installer",
    default_service = "de.pengutronix.rauc",
    default_path = "/",
    gen_blocking = false
)]
pub(crate) trait Installer {
    fn install_bundle(&self, source: &str, args: HashMap<&str, Value<'_>>) -> zbus::Result<()>;
    fn inspect_bundle(&self, source: &str, args: HashMap<&str, Value<'_>>) -> zbus::Result<Dict>;
    fn mark(&self, state: &str, slot_identifier: &str) -> zbus::Result<(String, String)>;
    fn get_slot_status(&self) -> zbus::Result<Vec<(String, Dict)>>;
    fn get_primary(&self) -> zbus::Result<String>;

    #[zbus(signal)]
    fn completed(&self, result: i32) -> zbus::Result<()>;

    #[zbus(property)]
    fn progress(&self) -> zbus::Result<(i32, String, i32)>;
    #[zbus(property(emits_changed_signal = "false"))]
    fn operation(&self) -> zbus::Result<String>;
    #[zbus(property(emits_changed_signal = "false"))]
    fn last_error(&self) -> zbus::Result<String>;
    #[zbus(property(emits_changed_signal = "false"))]
    fn compatible(&self) -> zbus::Result<String>;
    #[zbus(property(emits_changed_signal = "false"))]
    fn boot_slot(&self) -> zbus::Result<String>;
}

/// The text under a key; `None` also if the value is not a text.
pub(crate) fn text(dict: &Dict, key: &str) -> Option<String> {
    dict.get(key).and_then(|value| <&str>::try_from(value).ok()).map(str::to_owned)
}

/// The dictionary under a key. RAUC wraps it in a second variant.
pub(crate) fn dict(values: &Dict, key: &str) -> Option<Dict> {
    let mut value: Value<'static> = values.get(key)?.try_clone().ok()?.into();
    while let Value::Value(inner) = value {
        value = *inner;
    }
    Dict::try_from(OwnedValue::try_from(value).ok()?).ok()
}
