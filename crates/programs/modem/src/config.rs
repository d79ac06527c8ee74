//! Configuration; `config.toml` beside this crate documents every option.

use rccar_daemon::config::{self, ConfigError};
use serde::Deserialize;
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use tokio_modem_manager::{ConnectProperties, IpFamilies, Selector};

/// Used if the command line names no other file.
pub const DEFAULT_PATH: &str = "/etc/rccar/modem.toml";

#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    pub modem: ModemConfig,
    pub link: LinkConfig,
    pub probe: ProbeConfig,
    pub stick: StickConfig,
    pub recovery: RecoveryConfig,
    pub paths: PathsConfig,
}

/// `[modem]`: `rccar-provision` writes it from the table of the same name on the card.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ModemConfig {
    /// Access point name; empty: the modem or the network chooses.
    pub apn: String,
    /// User name for the access point.
    pub user: Option<String>,
    /// Password for the access point.
    pub password: Option<Secret>,
    /// PIN of the SIM.
    pub pin: Option<Secret>,
    /// Whether to connect in networks of other operators.
    pub roaming: bool,
    pub ip_type: IpType,
    /// Whether the car learns its position from the modem's satellite receiver.
    pub gps: bool,
    /// IMEI of the modem to use; `None`: the first one.
    pub imei: Option<String>,
}

/// A text that `Debug` does not print.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IpType {
    Ipv4,
    Ipv6,
    Ipv4v6,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LinkConfig {
    /// Metric of the modem's default route. Sticks get the next higher ones.
    pub metric: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ProbeConfig {
    /// Servers that a data probe asks, besides those of the link.
    pub targets: Vec<SocketAddr>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StickConfig {
    /// Kernel drivers whose interfaces are sticks.
    pub drivers: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RecoveryConfig {
    /// Whether ModemManager may be restarted.
    pub restart_daemon: bool,
    /// Whether modem and sticks may be taken off the USB.
    pub cycle_usb: bool,
    /// Whether the computer may be rebooted.
    pub reboot: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PathsConfig {
    /// Directory that survives reboots.
    pub state_dir: PathBuf,
    /// `rccar-modem` makes this file to ask for a reboot.
    pub reboot_request: PathBuf,
}

impl Config {
    /// Reads and checks a file. The error names the file, the line and the key.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        config::load(path)
    }
}

impl Secret {
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl ModemConfig {
    /// Options for ModemManager's connect; `with_pin`: the PIN may be sent.
    #[must_use]
    pub fn connect_properties(&self, with_pin: bool) -> ConnectProperties {
        let families = match self.ip_type {
            IpType::Ipv4 => IpFamilies::IPV4,
            IpType::Ipv6 => IpFamilies::IPV6,
            IpType::Ipv4v6 => IpFamilies::IPV4V6,
        };
        ConnectProperties {
            apn: (!self.apn.is_empty()).then(|| self.apn.clone()),
            ip_type: Some(families),
            user: self.user.clone(),
            password: self.password.clone().map(|secret| secret.0),
            pin: self.pin.clone().filter(|_| with_pin).map(|secret| secret.0),
            allow_roaming: Some(self.roaming),
            ..ConnectProperties::default()
        }
    }

    #[must_use]
    pub fn selector(&self) -> Selector {
        self.imei.clone().map_or(Selector::Any, Selector::Equipment)
    }
}

impl Default for ModemConfig {
    fn default() -> Self {
        Self {
            apn: String::new(),
            user: None,
            password: None,
            pin: None,
            roaming: true,
            ip_type: IpType::Ipv4v6,
            gps: false,
            imei: None,
        }
    }
}

impl Default for PathsConfig {
    fn default() -> Self {
        Self {
            state_dir: "/var/lib/rccar-modem".into(),
            reboot_request: "/run/rccar-modem/reboot".into(),
        }
    }
}

impl Default for LinkConfig {
    fn default() -> Self {
        Self { metric: 700 }
    }
}

impl Default for ProbeConfig {
    fn default() -> Self {
        let four = [[1, 1, 1, 1], [9, 9, 9, 9]].map(|address| SocketAddr::from((address, 53)));
        let six =
            [[0x2606, 0x4700, 0x4700, 0, 0, 0, 0, 0x1111], [0x2620, 0xfe, 0, 0, 0, 0, 0, 0xfe]];
        Self {
            targets: four
                .into_iter()
                .chain(six.map(|address: [u16; 8]| SocketAddr::from((address, 53))))
                .collect(),
        }
    }
}

impl Default for StickConfig {
    fn default() -> Self {
        Self {
            drivers: ["cdc_ether", "cdc_ncm", "huawei_cdc_ncm", "rndis_host"]
                .map(str::to_owned)
                .to_vec(),
        }
    }
}

impl Default for RecoveryConfig {
    fn default() -> Self {
        Self { restart_daemon: true, cycle_usb: true, reboot: true }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("…")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENTED: &str = include_str!("../config.toml");

    #[test]
    fn the_documented_file_holds_the_defaults() {
        assert_eq!(config::parse::<Config>(DOCUMENTED, "config.toml").unwrap(), Config::default());
    }

    #[test]
    fn the_image_leaves_the_same_sticks_alone_and_starts_the_supervisor_with_them() {
        let network =
            include_str!("../../../../overlays/usr/lib/systemd/network/10-rccar-stick.network");
        let mut unmanaged: Vec<&str> = network
            .lines()
            .find_map(|line| line.strip_prefix("Driver="))
            .unwrap()
            .split_whitespace()
            .collect();
        let udev =
            include_str!("../../../../overlays/usr/lib/udev/rules.d/90-rccar-on-demand.rules");
        let rule = udev.lines().find(|line| line.contains("RCCAR_STICK}=\"1\"")).unwrap();
        let mut started: Vec<&str> = rule
            .split("DRIVERS==\"")
            .nth(1)
            .unwrap()
            .split('"')
            .next()
            .unwrap()
            .split('|')
            .collect();
        let mut supervised = StickConfig::default().drivers;
        unmanaged.sort_unstable();
        started.sort_unstable();
        supervised.sort_unstable();
        assert_eq!(
            (&unmanaged, &started),
            (&supervised.iter().map(String::as_str).collect(), &unmanaged)
        );
    }

    #[test]
    fn the_documented_file_names_every_option() {
        let everything =
            DOCUMENTED.replace("# user =", "user =").replace("# password =", "password =");
        let everything = everything.replace("# pin =", "pin =").replace("# imei =", "imei =");
        let table: toml::Table = everything.parse().unwrap();
        let keys = |section: &str| table[section].as_table().unwrap().len();
        // As many as `Config` and its sections have fields.
        let counts = ["modem", "link", "probe", "stick", "recovery", "paths"].map(keys);
        assert_eq!((table.len(), counts), (6, [8, 1, 1, 1, 3, 2]));
        let config: Config = config::parse(&everything, "config.toml").unwrap();
        assert_eq!(config.modem.connect_properties(true).pin.as_deref(), Some("1234"));
        assert_eq!(config.modem.connect_properties(false).pin, None);
        assert!(!format!("{config:?}").contains("1234\"") && format!("{config:?}").contains('…'));
    }
}
