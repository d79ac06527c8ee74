//! Configuration; `config.toml` beside this crate documents every option.

use rccar_daemon::config::{self, ConfigError};
use rccar_modem_core::asking::{Asking, Families, Wish};
use serde::Deserialize;
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use tokio_modem_manager::{AllowedAuth, ConnectProperties, IpFamilies, Selector};

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
    /// IP families to ask for. One of "ipv4v6" that the network refuses is left out.
    pub ip_type: IpType,
    /// How user and password are sent.
    pub auth: Auth,
    /// Access point name with which the modem attaches to an LTE network; `None`: as the modem has
    /// it.
    pub initial_apn: Option<String>,
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

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Auth {
    /// The modem's own way, which is CHAP for most; if the network refuses it, PAP.
    Any,
    Pap,
    Chap,
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
    /// `rccar-modem` writes the network's time into this file if the clock is behind.
    pub network_time: PathBuf,
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
    /// What is asked of the network at first.
    #[must_use]
    pub fn asking(&self) -> Asking {
        let families = match self.ip_type {
            IpType::Ipv4 => Families::Ipv4,
            IpType::Ipv6 => Families::Ipv6,
            IpType::Ipv4v6 => Families::Both,
        };
        Asking::new(families, self.user.is_some() && self.auth == Auth::Any)
    }

    /// Options for ModemManager's connect; `with_pin`: the PIN may be sent.
    #[must_use]
    pub fn connect_properties(&self, wish: Wish, with_pin: bool) -> ConnectProperties {
        ConnectProperties {
            apn: (!self.apn.is_empty()).then(|| self.apn.clone()),
            ip_type: Some(families(wish)),
            allowed_auth: self.allowed_auth(wish),
            user: self.user.clone(),
            password: self.password.clone().map(|secret| secret.0),
            pin: self.pin.clone().filter(|_| with_pin).map(|secret| secret.0),
            allow_roaming: Some(self.roaming),
            ..ConnectProperties::default()
        }
    }

    /// The initial EPS bearer's, if one is configured. It is the way into the network, and has
    /// neither PIN nor roaming.
    #[must_use]
    pub fn initial_bearer(&self, wish: Wish) -> Option<ConnectProperties> {
        let apn = self.initial_apn.clone().filter(|apn| !apn.is_empty())?;
        Some(ConnectProperties {
            ip_type: Some(families(wish)),
            allowed_auth: self.allowed_auth(wish),
            user: self.user.clone(),
            password: self.password.clone().map(|secret| secret.0),
            ..ConnectProperties::apn(apn)
        })
    }

    fn allowed_auth(&self, wish: Wish) -> Option<AllowedAuth> {
        match self.auth {
            _ if self.user.is_none() => None,
            Auth::Pap => Some(AllowedAuth::PAP),
            Auth::Chap => Some(AllowedAuth::CHAP),
            Auth::Any => wish.pap.then_some(AllowedAuth::PAP),
        }
    }

    #[must_use]
    pub fn selector(&self) -> Selector {
        self.imei.clone().map_or(Selector::Any, Selector::Equipment)
    }
}

fn families(wish: Wish) -> IpFamilies {
    match wish.families {
        Families::Ipv4 => IpFamilies::IPV4,
        Families::Ipv6 => IpFamilies::IPV6,
        Families::Both => IpFamilies::IPV4V6,
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
            auth: Auth::Any,
            initial_apn: None,
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
            network_time: "/run/rccar-modem/time".into(),
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
        let everything = everything.replace("# initial_apn =", "initial_apn =");
        let table: toml::Table = everything.parse().unwrap();
        let keys = |section: &str| table[section].as_table().unwrap().len();
        // As many as `Config` and its sections have fields.
        let counts = ["modem", "link", "probe", "stick", "recovery", "paths"].map(keys);
        assert_eq!((table.len(), counts), (6, [10, 1, 1, 1, 3, 3]));
        let config: Config = config::parse(&everything, "config.toml").unwrap();
        let wish = config.modem.asking().wish();
        assert_eq!(config.modem.connect_properties(wish, true).pin.as_deref(), Some("1234"));
        assert_eq!(config.modem.connect_properties(wish, false).pin, None);
        assert!(!format!("{config:?}").contains("1234\"") && format!("{config:?}").contains('…'));
    }

    #[test]
    fn user_and_password_are_sent_as_configured() {
        let asked = |text: &str| {
            let config: Config = config::parse(text, "a.toml").unwrap();
            let mut asking = config.modem.asking();
            let first = config.modem.connect_properties(asking.wish(), false).allowed_auth;
            let again = asking.handle_refused(rccar_modem_core::asking::Refusal::SignIn);
            let second = config.modem.connect_properties(asking.wish(), false).allowed_auth;
            (first, again.then_some(second))
        };
        let (pap, chap) = (Some(AllowedAuth::PAP), Some(AllowedAuth::CHAP));
        assert_eq!(asked("[modem]\nuser = 'a'\nauth = 'pap'"), (pap, None));
        assert_eq!(asked("[modem]\nuser = 'a'\nauth = 'chap'"), (chap, None));
        assert_eq!(asked("[modem]\nuser = 'a'"), (None, Some(pap)));
        assert_eq!(asked("[modem]\nauth = 'pap'"), (None, None), "there is nothing to send");
    }

    #[test]
    fn the_initial_bearer_is_left_alone_unless_it_is_configured() {
        let of = |text: &str| {
            let config: Config = config::parse(text, "a.toml").unwrap();
            config.modem.initial_bearer(config.modem.asking().wish())
        };
        assert_eq!(of("[modem]\napn = 'a'"), None);
        let initial = of("[modem]\ninitial_apn = 'b'\npin = '1234'\nip_type = 'ipv4'").unwrap();
        assert_eq!((initial.apn.as_deref(), initial.pin), (Some("b"), None));
        assert_eq!(initial.ip_type, Some(IpFamilies::IPV4));
    }
}
