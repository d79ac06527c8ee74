//! `[battery]`: the sensor that measures it, and what follows from its voltage.

use super::Share;
use rccar_drive_core::{Battery, BatteryAction, BatterySettings, SettingsError};
use serde::Deserialize;
use std::path::PathBuf;
use std::time::Duration;

/// See [`BatterySettings`]; the options without an explanation are its own.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BatteryConfig {
    /// Zero: the battery is not watched.
    cells: Cells,
    /// Folder in which the kernel shows its sensors. Another one is for tests.
    pub hwmon: PathBuf,
    /// Name of the sensor; `None`: the first that is one of [`crate::sensor::hwmon::NAMES`].
    pub name: Option<String>,
    warn: Volts,
    limit: Volts,
    stop: Volts,
    hysteresis: Volts,
    patience_s: Seconds,
    limited_speed: Share,
    action: Action,
    /// `[battery]` of `provision.toml` has a mistake; see [`Battery::unjudged`].
    faulty: bool,
}

/// See [`BatteryAction`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Action {
    Warn,
    Limit,
    Stop,
}

impl BatteryConfig {
    /// `None`: the battery is not watched.
    pub(crate) fn battery(&self) -> Result<Option<Battery>, SettingsError> {
        if self.faulty {
            return Ok(Some(Battery::unjudged()));
        }
        self.settings().map(Battery::new).transpose()
    }

    /// Whether the level stays unknown because the settings are wrong.
    #[must_use]
    pub fn is_faulty(&self) -> bool {
        self.faulty
    }

    /// Settings of the core; `None`: the battery is not watched.
    #[must_use]
    pub fn settings(&self) -> Option<BatterySettings> {
        (self.cells.0 > 0 && !self.faulty).then(|| BatterySettings {
            cells: self.cells.0,
            warn: self.warn.0,
            limit: self.limit.0,
            stop: self.stop.0,
            hysteresis: self.hysteresis.0,
            patience: Duration::from_millis(self.patience_s.0),
            limited_speed: self.limited_speed.0,
            action: match self.action {
                Action::Warn => BatteryAction::Warn,
                Action::Limit => BatteryAction::Limit,
                Action::Stop => BatteryAction::Stop,
            },
        })
    }
}

impl Default for BatteryConfig {
    fn default() -> Self {
        let BatterySettings { warn, limit, stop, hysteresis, patience, limited_speed, .. } =
            BatterySettings::default();
        Self {
            cells: Cells(0),
            hwmon: "/sys/class/hwmon".into(),
            name: None,
            warn: Volts(warn),
            limit: Volts(limit),
            stop: Volts(stop),
            hysteresis: Volts(hysteresis),
            patience_s: Seconds(u64::try_from(patience.as_millis()).unwrap_or(u64::MAX)),
            limited_speed: Share(limited_speed),
            action: Action::Stop,
            faulty: false,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(try_from = "i64")]
struct Cells(u8);

impl TryFrom<i64> for Cells {
    type Error = &'static str;
    fn try_from(value: i64) -> Result<Self, Self::Error> {
        u8::try_from(value)
            .ok()
            .filter(|cells| *cells <= 8)
            .map(Self)
            .ok_or("must be a whole number from 0 (not watched) to 8")
    }
}

super::checked_number!(
    /// Of one cell, in mV.
    Volts(u16), (0.0..=5.0), 1_000.0, "must be a number of volts for one cell, from 0 to 5"
);
super::checked_number!(
    /// In ms.
    Seconds(u64), (5.0..=60.0), 1_000.0, "must be a number of seconds from 5 to 60"
);

#[cfg(test)]
mod tests {
    use super::super::Config;
    use super::*;
    use std::io::Write;

    fn load(text: &str) -> Result<Config, String> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        Config::load(file.path()).map_err(|error| error.to_string())
    }

    #[test]
    fn it_is_off_by_default_and_its_defaults_are_those_of_the_core() {
        assert_eq!(load("").unwrap().battery.settings(), None);
        let battery = load("[battery]\ncells = 2\n").unwrap().battery;
        assert_eq!(battery.settings(), Some(BatterySettings::default()));
    }

    #[test]
    fn every_option_reaches_the_core() {
        let text = "[battery]\ncells = 8\nhwmon = '/tmp/hwmon'\nname = 'ina260'\nwarn = 3.4\n\
                    limit = 3.3\nstop = 3.1\nhysteresis = 0.15\npatience_s = 7.5\n\
                    limited_speed = 0.25\naction = 'limit'\n";
        let battery = load(text).unwrap().battery;
        assert_eq!(battery.name.as_deref(), Some("ina260"));
        assert_eq!(battery.hwmon, PathBuf::from("/tmp/hwmon"));
        let settings = BatterySettings {
            cells: 8,
            warn: 3_400,
            limit: 3_300,
            stop: 3_100,
            hysteresis: 150,
            patience: Duration::from_millis(7_500),
            limited_speed: 2_500,
            action: BatteryAction::Limit,
        };
        assert_eq!(battery.settings(), Some(settings));
    }

    #[test]
    fn an_error_names_line_and_key() {
        for (text, key, rule) in [
            ("cells = 9", "battery.cells", "from 0"),
            ("cells = 2.5", "battery.cells", "i64"),
            ("stop = 6.6", "battery.stop", "for one cell"),
            ("stop = nan", "battery.stop", "for one cell"),
            ("patience_s = 4", "battery.patience_s", "from 5 to 60"),
            ("limited_speed = 2", "battery.limited_speed", "from 0 to 1"),
            ("action = 'beep'", "battery.action", "`warn`"),
        ] {
            let error = load(&format!("realtime = true\n[battery]\n{text}\n")).unwrap_err();
            let named = error.contains(":3:") && error.contains(key) && error.contains(rule);
            assert!(named, "{text}: {error}");
        }
        let error = load("[battery]\ncells = 2\n\nlimit = 3.7\n").unwrap_err();
        assert!(error.contains(":2:") || error.contains(":1:"), "the table: {error}");
        assert!(error.contains("battery.warn"), "{error}");
        let error = load("[battery]\ncells = 2\n\nlimit = 3.1\n").unwrap_err();
        assert!(error.contains(":4:") && error.contains("battery.limit"), "{error}");
    }

    #[test]
    fn a_battery_with_wrong_settings_has_an_unknown_level_and_is_not_off() {
        let battery = load("[battery]\nfaulty = true\ncells = 2\n").unwrap().battery;
        assert_eq!(battery.settings(), None);
        let level = battery.battery().unwrap().map(|battery| battery.level());
        assert_eq!(level, Some(rccar_protocol::state::BatteryLevel::Unknown));
        let off = load("").unwrap().battery;
        assert!(off.battery().unwrap().is_none());
    }

    #[test]
    fn rules_are_checked_only_while_the_battery_is_watched() {
        assert!(load("[battery]\nlimit = 3.1\n").is_ok());
    }
}
