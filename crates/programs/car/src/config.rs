//! Configuration of `rccar-car`; `config.toml` beside the crate documents every option.

use crate::bus::DbusConfig;
use crate::camera::{CameraConfig, CameraConfigError};
use crate::computer::ComputerConfig;
use crate::encoder::EncoderConfig;
use crate::host_url::HostUrl;
use crate::uplinks::UplinksConfig;
use rccar_daemon::config::{self, ConfigError};
use rccar_protocol::access_code::weakness;
use rccar_protocol::text::{Name, Note};
use serde::Deserialize;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// Used if the command line names no other file.
pub(crate) const DEFAULT_PATH: &str = "/etc/rccar/car.toml";

#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Config {
    pub(crate) car: CarConfig,
    pub(crate) host: HostConfig,
    pub(crate) drive: DriveConfig,
    pub(crate) camera: CameraConfig,
    pub(crate) encoder: EncoderConfig,
    pub(crate) ice: IceConfig,
    pub(crate) uplinks: UplinksConfig,
    pub(crate) lan: LanConfig,
    pub(crate) dbus: DbusConfig,
    pub(crate) computer: ComputerConfig,
}

impl Config {
    /// Reads and checks a file. The error names the file, the line and the key.
    pub(crate) fn load(path: &Path) -> Result<Self, CameraConfigError> {
        let config: Self = config::load(path)?;
        config.validate(&path.display().to_string())?;
        Ok(config)
    }

    /// Checks rules about several values at once; `source_name` is the file that the error names.
    fn validate(&self, source_name: &str) -> Result<(), CameraConfigError> {
        if self.host.url.is_none() && self.lan.listen.is_empty() {
            let why = "neither `host.url` nor `lan.listen` is set: nobody could reach the car";
            return Err(ConfigError::rule(source_name, "host.url", why).into());
        }
        self.camera.validate(source_name)
    }
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct CarConfig {
    pub(crate) name: Name,
    pub(crate) state_dir: PathBuf,
    pub(crate) runtime_dir: PathBuf,
    pub(crate) trace: Option<PathBuf>,
}

impl Default for CarConfig {
    fn default() -> Self {
        #[expect(clippy::expect_used, reason = "a constant that a test reads")]
        let name = Name::new("RC car").expect("a legal name");
        Self {
            name,
            state_dir: "/var/lib/rccar".into(),
            runtime_dir: "/run/rccar".into(),
            trace: None,
        }
    }
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct HostConfig {
    pub(crate) url: Option<HostUrl>,
    pub(crate) enrolment: Option<Note>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct DriveConfig {
    pub(crate) socket: PathBuf,
}

impl Default for DriveConfig {
    fn default() -> Self {
        Self { socket: "/run/rccar/drive.sock".into() }
    }
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct IceConfig {
    pub(crate) loopback: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct LanConfig {
    pub(crate) listen: Vec<SocketAddr>,
    pub(crate) access_code: Option<AccessCode>,
}

/// The code that opens the car's own page; never logged.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct AccessCode(String);

impl AccessCode {
    /// Why it is too easy to guess, in words. It is still a legal value: a car of which somebody
    /// chose a weak code has to start.
    pub(crate) fn weakness(&self) -> Option<&'static str> {
        weakness(&self.0)
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for AccessCode {
    type Error = String;
    fn try_from(code: String) -> Result<Self, String> {
        if code.trim().is_empty() {
            return Err("an access code has characters".to_owned());
        }
        Ok(Self(code))
    }
}

impl std::fmt::Debug for AccessCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AccessCode(…)")
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
    }

    #[test]
    fn the_documented_trace_is_an_option() {
        let documented = include_str!("../config.toml").replace("# trace =", "trace =");
        let config: Config = rccar_daemon::config::parse(&documented, "config.toml").unwrap();
        assert_eq!(config.car.trace, Some("/var/lib/rccar/picture.jsonl".into()));
    }

    #[test]
    fn a_car_that_nobody_could_reach_is_refused() {
        let error = Config::default().validate("car.toml").unwrap_err().to_string();
        assert!(
            error.contains("car.toml")
                && error.contains("host.url")
                && error.contains("lan.listen"),
            "{error}"
        );
    }

    #[test]
    fn row_12_a_car_with_a_weak_access_code_starts() {
        let parse = |code: &str| {
            let text = format!("[lan]\naccess_code = \"{code}\"\n");
            rccar_daemon::config::parse::<Config>(&text, "car.toml")
        };
        let weak = parse("1234").unwrap().lan.access_code.unwrap();
        assert!(weak.weakness().unwrap().contains("10 characters"));
        let error = parse(" ").unwrap_err().to_string();
        assert!(error.contains("car.toml:2") && error.contains("access_code"), "{error}");
    }
}
