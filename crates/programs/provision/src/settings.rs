//! The settings that a person may make, with legal values only.

use serde::Serialize;

/// Everything that the file says. `None` leaves the image's default.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Settings {
    pub host: Host,
    pub car: Car,
    #[serde(serialize_with = "crate::wifi::serialize")]
    pub wifi: Wifi,
    pub modem: Modem,
    pub camera: Camera,
    pub drive: Drive,
    pub sensors: Sensors,
    pub battery: Battery,
    pub speed: Speed,
    pub switches: Switches,
    pub lan: Lan,
    pub ssh: Ssh,
    pub update: Update,
}

/// Where the car registers.
#[derive(Clone, Default, PartialEq, Eq, Serialize)]
pub struct Host {
    /// Address of the signaling host.
    pub url: Option<String>,
    /// Single-use enrolment token.
    pub token: Option<String>,
}

/// The car itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Car {
    pub name: Option<String>,
}

/// The wireless networks. The country and the first network are of the table itself.
#[derive(Clone, Default, PartialEq, Eq, Serialize)]
pub struct Wifi {
    /// ISO 3166 letters of the country.
    pub country: Option<String>,
    pub ssid: Option<String>,
    /// Passphrase, or the key in 64 hexadecimal digits. `None`: an open network.
    pub password: Option<String>,
    /// The network does not announce itself.
    pub hidden: Option<bool>,
    /// Of several networks in reach the one with the larger number is preferred, and of those that
    /// are alike the first. `None` is 0.
    pub priority: Option<u32>,
    /// Further networks. They have no country and no further ones.
    #[serde(skip)]
    pub further: Vec<Wifi>,
}

/// The mobile network.
#[derive(Clone, Default, PartialEq, Eq, Serialize)]
pub struct Modem {
    /// Access point name.
    pub apn: Option<String>,
    pub user: Option<String>,
    pub password: Option<String>,
    /// How they are sent: `any`, `pap` or `chap`.
    pub auth: Option<String>,
    /// `ipv4v6`, `ipv4` or `ipv6`.
    pub ip_type: Option<String>,
    /// Whether to connect in networks of other operators.
    pub roaming: Option<bool>,
    /// Access point name with which the modem attaches to an LTE network.
    pub initial_apn: Option<String>,
    /// PIN of the SIM card.
    pub pin: Option<String>,
    /// Whether the driver sees where the car is.
    pub gps: Option<bool>,
}

/// The camera, and the picture that it gives.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Camera {
    /// `libcamera` or `simulator`.
    pub source: Option<String>,
    /// Of the camera on the ribbon cable; it has a driver and a device-tree overlay.
    pub sensor: Option<String>,
    /// Which camera, if several are connected.
    pub device: Option<String>,
    /// 0, or 180 for a camera that is mounted upside down.
    pub rotation: Option<u32>,
    /// Pixels, even.
    pub width: Option<u32>,
    /// Pixels, even.
    pub height: Option<u32>,
    /// Frames per second.
    pub fps: Option<u32>,
    /// Rate that the encoder aims at, in kbit/s.
    pub bitrate_kbps: Option<u32>,
    /// `auto`, `openh264` or `v4l2`.
    pub encoder: Option<String>,
}

/// Servo and motor.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Drive {
    /// `pca9685`, `pwm` or `simulator`.
    pub actuator: Option<String>,
    /// GPIO line on the board's OE.
    pub enable_line: Option<String>,
    /// GPIO line that toggles as long as the drive's loop turns.
    pub heartbeat_line: Option<String>,
    /// `direct` or `brake-first`.
    pub esc: Option<String>,
    /// Per cent of what the motor can do.
    pub max_forward: Option<u32>,
    /// Per cent of what the motor can do.
    pub max_reverse: Option<u32>,
    pub steering_left_us: Option<u32>,
    pub steering_neutral_us: Option<u32>,
    pub steering_right_us: Option<u32>,
    pub motor_reverse_us: Option<u32>,
    pub motor_neutral_us: Option<u32>,
    pub motor_forward_us: Option<u32>,
}

/// What the car measures by.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Sensors {
    /// `ina219`, `ina226` or `ina260`, at address 0x41.
    pub power_monitor: Option<String>,
    /// The resistor on its board, in µΩ.
    pub shunt_micro_ohm: Option<u32>,
}

/// What the drive does about its battery. Voltages are those of one cell.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Battery {
    /// In series. `None`: the battery is not watched.
    pub cells: Option<u32>,
    pub warn: Option<Thousandths>,
    pub limit: Option<Thousandths>,
    pub stop: Option<Thousandths>,
    /// Per cent of the throttle that are left while the speed is limited.
    pub limited_speed: Option<u32>,
    /// `warn`, `limit` or `stop`.
    pub action: Option<String>,
    /// The table has a mistake, so nobody knows what guards this battery.
    #[serde(skip)]
    pub(crate) faulty: bool,
}

/// A sensor at a wheel.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Speed {
    /// GPIO line. `None`: the speed is not measured.
    pub line: Option<String>,
    pub pulses_per_turn: Option<u32>,
    /// Of the wheel.
    pub circumference_mm: Option<u32>,
}

/// What a driver switches on and off.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Switches {
    /// GPIO line. `None`: the car has no lights.
    pub lights_line: Option<String>,
    /// Low is on.
    pub lights_active_low: Option<bool>,
    /// GPIO line. `None`: the car has no horn.
    pub horn_line: Option<String>,
    /// Low is on.
    pub horn_active_low: Option<bool>,
}

/// A number with three decimals; in TOML a fraction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Thousandths(pub u32);

impl Thousandths {
    #[must_use]
    pub fn value(self) -> f64 {
        f64::from(self.0) / 1000.0
    }
}

impl std::fmt::Display for Thousandths {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.value().fmt(f)
    }
}

impl Serialize for Thousandths {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.value())
    }
}

/// The car's own page.
#[derive(Clone, Default, PartialEq, Eq, Serialize)]
pub struct Lan {
    /// Code that opens it. `None`: one that the car makes.
    pub access_code: Option<String>,
}

/// A login for people who maintain the car.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Ssh {
    /// The key that may log in. `None`: SSH is off.
    pub public_key: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Update {
    /// The car is offered the releases of this channel.
    pub channel: Option<String>,
    /// Whether releases are installed without a person asking for it.
    pub automatic: Option<bool>,
    /// Most that releases may take of a metered link in a calendar month, in megabytes.
    pub metered_mb: Option<u32>,
    /// Whether an older release may replace a newer one.
    pub allow_downgrade: Option<bool>,
}

/// `Debug` of a structure with secrets: which keys are set, and no value.
macro_rules! hidden {
    ($($name:ident: $($key:ident),+;)+) => {$(
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($name))
                    $(.field(stringify!($key), &self.$key.as_ref().map(|_| "…")))+
                    .finish()
            }
        }
    )+};
}
hidden! {
    Host: url, token;
    Wifi: country, ssid, password, hidden, priority;
    Modem: apn, user, password, auth, ip_type, roaming, initial_apn, pin, gps;
    Lan: access_code;
}

impl Settings {
    /// Takes one table from other settings.
    pub(crate) fn take_table(&mut self, table: &str, from: &Self) {
        match table {
            "host" => self.host = from.host.clone(),
            "car" => self.car = from.car.clone(),
            "wifi" => self.wifi = from.wifi.clone(),
            "modem" => self.modem = from.modem.clone(),
            "camera" => self.camera = from.camera.clone(),
            "drive" => self.drive = from.drive.clone(),
            "sensors" => self.sensors = from.sensors.clone(),
            "battery" => self.battery = from.battery.clone(),
            "speed" => self.speed = from.speed.clone(),
            "switches" => self.switches = from.switches.clone(),
            "lan" => self.lan = from.lan.clone(),
            "ssh" => self.ssh = from.ssh.clone(),
            "update" => self.update = from.update.clone(),
            _ => {}
        }
    }

    /// The name by which the car is found on its network: `<host name>.local`.
    #[must_use]
    pub fn host_name(&self) -> String {
        host_name(self.car.name.as_deref().unwrap_or_default())
    }
}

/// A label of RFC 1035: letters, digits and hyphens, 63 at most. A name without any of them becomes
/// `rccar`.
fn host_name(name: &str) -> String {
    let mut label = String::new();
    for c in name.chars().flat_map(char::to_lowercase) {
        match c {
            'a'..='z' | '0'..='9' => label.push(c),
            'ä' => label.push_str("ae"),
            'ö' => label.push_str("oe"),
            'ü' => label.push_str("ue"),
            'ß' => label.push_str("ss"),
            _ if label.is_empty() || label.ends_with('-') => {}
            _ => label.push('-'),
        }
    }
    label.truncate(63);
    let label = label.trim_end_matches('-');
    if label.is_empty() { "rccar".to_owned() } else { label.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_host_names() {
        for (name, label) in [
            ("Blitz", "blitz"),
            ("Der rote  Blitz!", "der-rote-blitz"),
            ("Müllers Käfer", "muellers-kaefer"),
            ("-- 7 --", "7"),
            ("", "rccar"),
            ("赤い車", "rccar"),
        ] {
            assert_eq!(host_name(name), label);
        }
        assert_eq!(host_name(&"x".repeat(64)).len(), 63);
    }

    #[test]
    fn secrets_do_not_show_themselves() {
        let secret = || Some("s3cret".to_owned());
        let settings = Settings {
            host: Host { url: secret(), token: secret() },
            wifi: Wifi { password: secret(), ..Wifi::default() },
            modem: Modem { pin: secret(), password: secret(), ..Modem::default() },
            lan: Lan { access_code: secret() },
            ..Settings::default()
        };
        assert!(!format!("{settings:?}").contains("s3cret"));
    }
}
