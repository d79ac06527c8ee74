//! Configuration of `rccar-car`; `config.toml` beside the crate documents every option.

use crate::bus::DbusConfig;
use crate::camera::{CameraConfig, CameraConfigError};
use crate::uplinks::UplinksConfig;
use rccar_daemon::config::ConfigError;
use rccar_protocol::text::{Name, Note};
use serde::Deserialize;
use std::net::SocketAddr;
use std::path::PathBuf;

/// The whole file.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Config {
    pub(crate) car: CarConfig,
    pub(crate) host: HostConfig,
    pub(crate) drive: DriveConfig,
    pub(crate) camera: CameraConfig,
    pub(crate) ice: IceConfig,
    pub(crate) uplinks: UplinksConfig,
    pub(crate) lan: LanConfig,
    pub(crate) dbus: DbusConfig,
}

impl Config {
    /// Checks what concerns several values; `source_name` is the file for the error.
    pub(crate) fn validate(&self, source_name: &str) -> Result<(), CameraConfigError> {
        if self.host.url.is_none() && self.lan.listen.is_empty() {
            let why = "neither `host.url` nor `lan.listen` is set: nobody could reach the car";
            return Err(ConfigError::rule(source_name, "host.url", why).into());
        }
        self.camera.validate(source_name)
    }
}

/// `[car]`
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct CarConfig {
    pub(crate) name: Name,
    pub(crate) state_dir: PathBuf,
    pub(crate) runtime_dir: PathBuf,
}

impl Default for CarConfig {
    fn default() -> Self {
        #[expect(clippy::expect_used, reason = "a constant that a test reads")]
        let name = Name::new("RC car").expect("a legal name");
        Self { name, state_dir: "/var/lib/rccar".into(), runtime_dir: "/run/rccar".into() }
    }
}

/// `[host]`
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct HostConfig {
    pub(crate) url: Option<HostUrl>,
    pub(crate) enrolment: Option<Note>,
}

/// `[drive]`
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

/// `[ice]`
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct IceConfig {
    pub(crate) loopback: bool,
}

/// `[lan]`
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct LanConfig {
    pub(crate) listen: Vec<SocketAddr>,
    pub(crate) access_code: Option<AccessCode>,
}

/// The code that opens the car's own page: at least 8 characters, never logged.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct AccessCode(String);

impl AccessCode {
    /// Shorter codes could be guessed in spite of the delay after wrong ones.
    pub(crate) const MIN_CHARS: usize = 8;

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for AccessCode {
    type Error = String;
    fn try_from(code: String) -> Result<Self, String> {
        if code.chars().count() < Self::MIN_CHARS {
            return Err(format!("an access code needs at least {} characters", Self::MIN_CHARS));
        }
        Ok(Self(code))
    }
}

impl std::fmt::Debug for AccessCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AccessCode(…)")
    }
}

/// Address of a signaling host: `http://` or `https://`, a name, perhaps a port, and no path.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct HostUrl {
    secure: bool,
    authority: String,
}

impl HostUrl {
    /// The name and port that the car signs when it registers; default ports are left out.
    pub(crate) fn authority(&self) -> &str {
        &self.authority
    }

    /// Name and port to connect to.
    pub(crate) fn dialled(&self) -> String {
        // A port is what follows the last colon outside of an IPv6 literal's brackets.
        let has_port = self.authority.rfind(':') > self.authority.rfind(']');
        let port = if self.secure { ":443" } else { ":80" };
        if has_port { self.authority.clone() } else { format!("{}{port}", self.authority) }
    }

    /// The address, as people and pages of the host write it.
    pub(crate) fn origin(&self) -> String {
        format!("{}://{}", if self.secure { "https" } else { "http" }, self.authority)
    }

    /// Where cars register.
    pub(crate) fn websocket(&self) -> String {
        format!("{}://{}/ws/car", if self.secure { "wss" } else { "ws" }, self.authority)
    }
}

impl TryFrom<String> for HostUrl {
    type Error = String;
    fn try_from(url: String) -> Result<Self, String> {
        let wrong = || format!("`{url}` is not an address like https://host.example or http://192.0.2.1:8080");
        let (scheme, rest) = url.split_once("://").ok_or_else(wrong)?;
        let (secure, default_port) = match scheme {
            "https" => (true, ":443"),
            "http" => (false, ":80"),
            _ => return Err(wrong()),
        };
        let authority = rest.strip_suffix('/').unwrap_or(rest).to_ascii_lowercase();
        let authority = authority.strip_suffix(default_port).unwrap_or(&authority).to_owned();
        let parsed: tokio_tungstenite::tungstenite::http::uri::Authority = authority.parse().map_err(|_| wrong())?;
        if parsed.host().is_empty() || authority.contains('@') {
            return Err(wrong());
        }
        Ok(Self { secure, authority })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Result<HostUrl, String> {
        HostUrl::try_from(text.to_owned())
    }

    #[test]
    fn the_documented_configuration_is_the_default() {
        let config: Config = rccar_daemon::config::parse(include_str!("../config.toml"), "config.toml").unwrap();
        assert_eq!(config, Config::default());
    }

    #[test]
    fn host_addresses_become_websocket_addresses() {
        assert_eq!(url("https://Drive.Example/").unwrap().websocket(), "wss://drive.example/ws/car");
        assert_eq!(url("http://127.0.0.1:8080").unwrap().websocket(), "ws://127.0.0.1:8080/ws/car");
        assert_eq!(url("https://Drive.Example/").unwrap().origin(), "https://drive.example");
        assert_eq!(url("http://[::1]:8080").unwrap().authority(), "[::1]:8080");
        assert_eq!(url("https://drive.example:443").unwrap().authority(), "drive.example");
        assert_eq!(url("https://drive.example").unwrap().dialled(), "drive.example:443");
        assert_eq!(url("http://[::1]").unwrap().dialled(), "[::1]:80");
        assert_eq!(url("http://[::1]:8080").unwrap().dialled(), "[::1]:8080");
    }

    #[test]
    fn other_addresses_are_refused_with_an_example() {
        for text in ["drive.example", "ftp://a", "https://", "https://a/b", "https://u:p@a", "http://a b"] {
            assert!(url(text).unwrap_err().contains("https://host.example"), "{text}");
        }
    }

    #[test]
    fn a_car_that_nobody_could_reach_is_refused() {
        let error = Config::default().validate("car.toml").unwrap_err().to_string();
        assert!(error.contains("car.toml") && error.contains("host.url") && error.contains("lan.listen"), "{error}");
    }

    #[test]
    fn short_access_codes_are_refused() {
        let error = rccar_daemon::config::parse::<Config>("[lan]\naccess_code = \"1234\"\n", "car.toml").unwrap_err();
        let text = error.to_string();
        assert!(text.contains("car.toml:2") && text.contains("access_code") && text.contains("at least 8"), "{text}");
    }
}
