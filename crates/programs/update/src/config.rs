//! Configuration of `rccar-update`; `config.toml` beside the crate documents every option.

use rccar_bus::Address;
use rccar_daemon::config::{self, ConfigError};
use rccar_protocol::release::Channel;
use rccar_update_core::Settings;
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Used if the command line names no file.
pub const DEFAULT_PATH: &str = "/etc/rccar/update.toml";

#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    pub update: UpdateConfig,
    pub health: HealthConfig,
    pub retry: RetryConfig,
    pub link: LinkConfig,
    pub bus: BusConfig,
    pub paths: PathsConfig,
}

impl Config {
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        config::load(path)
    }

    /// The part of the configuration that the core needs.
    #[must_use]
    pub fn settings(&self) -> Settings {
        Settings {
            automatic: self.update.automatic,
            allow_downgrade: self.update.allow_downgrade,
            check_interval: Duration::from_secs(self.update.check_s.0.into()),
            park: Duration::from_secs(self.update.park_s.into()),
            min_battery_mv: self.update.min_battery_mv,
            metered_cap: u64::from(self.update.metered_mb) * 1_000_000,
            health_limit: Duration::from_secs(self.health.limit_s.0.into()),
            tries: self.retry.tries.0,
            retry_first: Duration::from_secs(self.retry.first_s.into()),
            retry_longest: Duration::from_secs(self.retry.longest_s.into()),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UpdateConfig {
    pub channel: Channel,
    /// Install without being asked.
    pub automatic: bool,
    /// Take older versions, too.
    pub allow_downgrade: bool,
    /// Megabytes (10⁶ bytes) over metered links in a calendar month (UTC).
    pub metered_mb: u32,
    /// Seconds between two checks.
    pub check_s: AtLeast<60>,
    /// Seconds for which nobody must have driven before a reboot.
    pub park_s: u32,
    /// Lowest voltage in millivolts; 0 is not checked.
    pub min_battery_mv: u32,
}

impl Default for UpdateConfig {
    fn default() -> Self {
        #[expect(clippy::expect_used, reason = "a constant that a test reads")]
        let channel = Channel::new("stable").expect("a legal channel");
        Self {
            channel,
            automatic: true,
            allow_downgrade: false,
            metered_mb: 50,
            check_s: AtLeast(3600),
            park_s: 300,
            min_battery_mv: 7000,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HealthConfig {
    /// Seconds since the start of the kernel in which a new version has to prove itself.
    pub limit_s: AtLeast<60>,
}

impl Default for HealthConfig {
    fn default() -> Self {
        Self { limit_s: AtLeast(300) }
    }
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RetryConfig {
    /// How often one version is tried.
    pub tries: AtLeast<1>,
    /// Seconds to wait after the first failure.
    pub first_s: u32,
    /// Longest wait in seconds.
    pub longest_s: u32,
}

impl Default for RetryConfig {
    fn default() -> Self {
        Self { tries: AtLeast(3), first_s: 600, longest_s: 86_400 }
    }
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LinkConfig {
    pub metered: Metered,
}

/// Whether traffic is paid for by the byte.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Metered {
    /// Metered when the default route leads through a modem.
    #[default]
    Auto,
    Always,
    Never,
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BusConfig {
    pub address: Address,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PathsConfig {
    /// Directory for what survives reboots.
    pub state_dir: PathBuf,
    /// Making this file asks for a reboot.
    pub reboot_request: PathBuf,
    /// Its `IMAGE_VERSION` is the running version.
    pub os_release: PathBuf,
}

impl Default for PathsConfig {
    fn default() -> Self {
        Self {
            state_dir: "/var/lib/rccar-update".into(),
            reboot_request: "/run/rccar-update/reboot".into(),
            os_release: "/usr/lib/os-release".into(),
        }
    }
}

/// A whole number of at least `LEAST`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "u32")]
pub struct AtLeast<const LEAST: u32>(pub u32);

impl<const LEAST: u32> TryFrom<u32> for AtLeast<LEAST> {
    type Error = String;
    fn try_from(value: u32) -> Result<Self, String> {
        if value < LEAST { Err(format!("at least {LEAST}, not {value}")) } else { Ok(Self(value)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_configuration_is_the_default() {
        let config: Config =
            rccar_daemon::config::parse(include_str!("../config.toml"), "config.toml").unwrap();
        assert_eq!(config, Config::default());
        assert_eq!(config.settings(), Settings { metered_cap: 50_000_000, ..Settings::default() });
    }

    #[test]
    fn a_value_below_its_floor_is_refused_with_its_line() {
        let error = rccar_daemon::config::parse::<Config>("[update]\ncheck_s = 5\n", "update.toml")
            .unwrap_err()
            .to_string();
        assert!(error.contains("update.toml:2") && error.contains("at least 60"), "{error}");
    }
}
