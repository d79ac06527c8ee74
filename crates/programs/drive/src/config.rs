//! Configuration; `config.toml` beside this crate documents every option.

mod battery;
mod calibrated;
mod lines;
mod outputs;
mod picture;
mod speed;

pub use battery::BatteryConfig;
pub use calibrated::{CalibrationError, text_of};
pub use lines::{LineName, LineSettings, SwitchConfig};
pub use outputs::{Bus, Channel, EscConfig, Pca9685Config, PwmConfig, PwmDevice, ServoConfig};
pub use picture::PictureConfig;
pub use speed::SpeedConfig;

use rccar_daemon::config::{self, ConfigError};
use rccar_drive_core::esc::EscSettings;
use rccar_drive_core::{Settings, SteeringSettings, ThrottleSettings};
use rccar_sim::vehicle::VehicleParams;
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// Used if the command line names no other file.
pub const DEFAULT_PATH: &str = "/etc/rccar/drive.toml";

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Socket on which set-points arrive.
    pub socket: PathBuf,
    /// Ask for real-time priority and locked memory.
    pub realtime: bool,
    /// File of the flight recorder; `None`: nothing is recorded.
    pub trace: Option<PathBuf>,
    /// File that keeps what was calibrated on the car.
    pub calibration: PathBuf,
    pub actuator: ActuatorKind,
    /// Line that the loop toggles; `None`: there is none.
    pub heartbeat_line: Option<LineName>,
    pub steering: SteeringConfig,
    pub throttle: ThrottleConfig,
    pub picture: PictureConfig,
    pub servo: ServoConfig,
    pub esc: EscConfig,
    pub pca9685: Pca9685Config,
    pub pwm: PwmConfig,
    pub lights: SwitchConfig,
    pub horn: SwitchConfig,
    pub battery: BatteryConfig,
    pub speed: SpeedConfig,
    pub simulator: SimulatorConfig,
}

/// The hardware that moves the car.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ActuatorKind {
    Simulator,
    Pca9685,
    /// The computer's own PWM.
    Pwm,
    /// The car cannot be armed.
    None,
}

/// `[steering]`; see [`SteeringSettings`].
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SteeringConfig {
    trim: Balance,
    left: Share,
    right: Share,
    slew: Rate,
    reversed: bool,
}

/// `[throttle]`; see [`ThrottleSettings`].
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ThrottleConfig {
    max_forward: Share,
    max_reverse: Share,
    dead_band: Share,
    slew: Rate,
    reversed: bool,
}

/// `[simulator]`; see [`VehicleParams`].
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SimulatorConfig {
    wheelbase_m: Quantity,
    max_steer_rad: Quantity,
    steer_rate_rad_s: Quantity,
    max_speed_m_s: Quantity,
    accel_m_s2: Quantity,
    brake_m_s2: Quantity,
    coast_m_s2: Quantity,
    max_lateral_m_s2: Quantity,
}

impl Config {
    /// Reads and checks a file. The error names the file, the line and the key.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let config: Self = config::load(path)?;
        let source = path.display().to_string();
        config.check_settings(&source)?;
        if config.pca9685.steering_channel == config.pca9685.throttle_channel {
            return Err(ConfigError::rule(
                &source,
                "pca9685.throttle_channel",
                "steering and throttle are on the same channel of the chip",
            ));
        }
        if config.pwm.steering_channel == config.pwm.throttle_channel {
            return Err(ConfigError::rule(
                &source,
                "pwm.throttle_channel",
                "steering and throttle are on the same channel of the PWM",
            ));
        }
        config.check_lines(&source)?;
        if let Some(battery) = config.battery.settings() {
            battery
                .check()
                .map_err(|error| ConfigError::rule(&source, error.key, &error.to_string()))?;
        }
        if let Some((_, speed)) = config.speed.sensor() {
            speed
                .check()
                .map_err(|error| ConfigError::rule(&source, error.key, &error.to_string()))?;
        }
        let params = config.vehicle();
        if params != params.sane() {
            return Err(ConfigError::rule(
                &source,
                "simulator",
                "a value lies outside of what the model can work with",
            ));
        }
        Ok(config)
    }

    fn check_settings(&self, source: &str) -> Result<(), ConfigError> {
        let checked = self.settings().check();
        checked.map_err(|error| ConfigError::rule(source, error.key, &error.to_string()))
    }

    /// Settings of the speed controller.
    #[must_use]
    pub fn esc(&self) -> EscSettings {
        let EscSettings { kind, pulses } = self.esc.0;
        let pulses = if self.throttle.reversed { pulses.reversed() } else { pulses };
        EscSettings { kind, pulses }
    }

    /// Settings of the core.
    #[must_use]
    pub fn settings(&self) -> Settings {
        let Self { steering, throttle, picture, .. } = self;
        Settings {
            steering: SteeringSettings {
                trim: steering.trim.0,
                left: steering.left.0,
                right: steering.right.0,
                slew_per_s: steering.slew.0,
                reversed: steering.reversed,
            },
            throttle: ThrottleSettings {
                max_forward: throttle.max_forward.0,
                max_reverse: throttle.max_reverse.0,
                dead_band: throttle.dead_band.0,
                slew_per_s: throttle.slew.0,
            },
            picture: picture.settings(),
        }
    }

    #[must_use]
    pub fn vehicle(&self) -> VehicleParams {
        let simulator = &self.simulator;
        VehicleParams {
            wheelbase_m: simulator.wheelbase_m.0,
            max_steer_rad: simulator.max_steer_rad.0,
            steer_rate_rad_s: simulator.steer_rate_rad_s.0,
            max_speed_m_s: simulator.max_speed_m_s.0,
            accel_m_s2: simulator.accel_m_s2.0,
            brake_m_s2: simulator.brake_m_s2.0,
            coast_m_s2: simulator.coast_m_s2.0,
            max_lateral_m_s2: simulator.max_lateral_m_s2.0,
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            socket: "/run/rccar/drive.sock".into(),
            realtime: true,
            trace: None,
            calibration: "/var/lib/rccar-drive/calibration.toml".into(),
            actuator: ActuatorKind::Simulator,
            heartbeat_line: None,
            steering: SteeringConfig::default(),
            throttle: ThrottleConfig::default(),
            picture: PictureConfig::default(),
            servo: ServoConfig::default(),
            esc: EscConfig::default(),
            pca9685: Pca9685Config::default(),
            pwm: PwmConfig::default(),
            lights: SwitchConfig::default(),
            horn: SwitchConfig::default(),
            battery: BatteryConfig::default(),
            speed: SpeedConfig::default(),
            simulator: SimulatorConfig::default(),
        }
    }
}

impl Default for SteeringConfig {
    fn default() -> Self {
        let SteeringSettings { trim, left, right, slew_per_s, reversed } =
            SteeringSettings::default();
        Self {
            trim: Balance(trim),
            left: Share(left),
            right: Share(right),
            slew: Rate(slew_per_s),
            reversed,
        }
    }
}

impl Default for ThrottleConfig {
    fn default() -> Self {
        let ThrottleSettings { max_forward, max_reverse, dead_band, slew_per_s } =
            ThrottleSettings::default();
        Self {
            max_forward: Share(max_forward),
            max_reverse: Share(max_reverse),
            dead_band: Share(dead_band),
            slew: Rate(slew_per_s),
            reversed: false,
        }
    }
}

impl Default for SimulatorConfig {
    fn default() -> Self {
        let params = VehicleParams::default();
        Self {
            wheelbase_m: Quantity(params.wheelbase_m),
            max_steer_rad: Quantity(params.max_steer_rad),
            steer_rate_rad_s: Quantity(params.steer_rate_rad_s),
            max_speed_m_s: Quantity(params.max_speed_m_s),
            accel_m_s2: Quantity(params.accel_m_s2),
            brake_m_s2: Quantity(params.brake_m_s2),
            coast_m_s2: Quantity(params.coast_m_s2),
            max_lateral_m_s2: Quantity(params.max_lateral_m_s2),
        }
    }
}

macro_rules! checked_number {
    ($(#[$doc:meta])* $name:ident($inner:ty), $range:expr, $scale:literal, $rule:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
        #[serde(try_from = "f64")]
        struct $name($inner);

        impl TryFrom<f64> for $name {
            type Error = &'static str;
            fn try_from(value: f64) -> Result<Self, Self::Error> {
                if !$range.contains(&value) {
                    return Err($rule);
                }
                #[expect(clippy::cast_possible_truncation, reason = "in range, as just checked")]
                Ok(Self((value * $scale).round() as $inner))
            }
        }
    };
}

use checked_number;

checked_number!(
    /// A share of full scale, in 1/10000.
    Share(u16), (0.0..=1.0), 10_000.0, "must be a number from 0 to 1"
);
checked_number!(
    /// A part of full scale to either side, in 1/10000.
    Balance(i16), (-1.0..=1.0), 10_000.0, "must be a number from −1 to 1"
);
checked_number!(
    /// Full scales per second, in 1/10000.
    Rate(u32), (0.0..=1_000.0), 10_000.0, "must be a number from 0 to 1000"
);

/// A number that is finite and not negative.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(try_from = "f64")]
struct Quantity(f64);

impl TryFrom<f64> for Quantity {
    type Error = &'static str;
    fn try_from(value: f64) -> Result<Self, Self::Error> {
        if value.is_finite() && value >= 0.0 {
            Ok(Self(value))
        } else {
            Err("must be a number that is not negative")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    const DOCUMENTED: &str = include_str!("../config.toml");

    fn error_of(text: &str) -> String {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        Config::load(file.path()).unwrap_err().to_string()
    }

    #[test]
    fn the_documented_file_holds_the_defaults() {
        assert_eq!(config::parse::<Config>(DOCUMENTED, "config.toml").unwrap(), Config::default());
        assert_eq!(Config::default().settings(), Settings::default());
        assert_eq!(Config::default().vehicle(), VehicleParams::default());
    }

    #[test]
    fn the_documented_file_names_every_option() {
        let mut everything = DOCUMENTED.to_owned();
        for key in ["trace", "enable_line", "name", "heartbeat_line", "line", "chip"] {
            everything = everything.replace(&format!("# {key} ="), &format!("{key} ="));
        }
        let table: toml::Table = everything.parse().unwrap();
        let keys = |section: &str| table[section].as_table().unwrap().len();
        // As many as `Config` and its sections have fields.
        assert_eq!(
            (table.len(), keys("steering"), keys("throttle"), keys("battery"), keys("simulator")),
            (18, 5, 5, 11, 8)
        );
        assert_eq!((keys("servo"), keys("esc"), keys("pca9685"), keys("speed")), (3, 4, 6, 3));
        assert_eq!((keys("pwm"), keys("lights"), keys("horn")), (4, 3, 3));
        assert_eq!(
            config::parse::<Config>(&everything, "config.toml").unwrap().trace,
            Some("/data/rccar/drive.jsonl".into())
        );
    }

    #[test]
    fn an_error_names_line_and_key() {
        let error = error_of("realtime = true\n[steering]\ntrim = 1.5\n");
        assert!(
            error.contains(":3:")
                && error.contains("steering.trim")
                && error.contains("from −1 to 1"),
            "{error}"
        );
        let error = error_of("[throttle]\nspeed = 1\n");
        assert!(error.contains(":2:") && error.contains("speed"), "{error}");
    }

    #[test]
    fn what_could_break_a_servo_or_is_not_wired_names_itself() {
        for (text, line, said) in [
            ("[servo]\nleft_us = 500\n", 1, "800 to 2200"),
            ("[servo]\nneutral_us = 2000\n", 1, "between both ends"),
            ("[esc]\nforward_us = 900\n", 1, "between both ends"),
            ("[esc]\nkind = \"brake\"\n", 2, "brake-first"),
            ("[pca9685]\nbus = \"i2c1\"\n", 2, "/dev/i2c-1"),
            ("[pca9685]\nbus = \"/dev/i2c-300\"\n", 2, "no I²C bus"),
            ("[pca9685]\naddress = 0x70\n", 2, "0x70"),
            ("[pca9685]\naddress = 0x20\n", 2, "0x40"),
            ("[pca9685]\nsteering_channel = 16\n", 2, "0 to 15"),
            ("[pca9685]\nfrequency = 10\n", 2, "40 to 200"),
            ("[pca9685]\nenable_line = \"\"\n", 2, "GPIO17"),
            ("[pca9685]\nthrottle_channel = 0\n", 0, "same channel"),
            ("[pwm]\nthrottle_channel = 2\n", 2, "0 or 1"),
            ("[pwm]\nthrottle_channel = 0\n", 2, "same channel"),
            ("[pwm]\nsteering_channel = 1\n", 1, "same channel"),
            ("[pwm]\ndevice = \"../pwm\"\n", 2, "fe20c000.pwm"),
            ("[horn]\nchip = \"gpiochip0\"\n", 2, "/dev/gpiochip0"),
            ("heartbeat_line = \"a b\"\n", 1, "GPIO17"),
        ] {
            let error = error_of(text);
            let place = if line == 0 { "throttle_channel".into() } else { format!(":{line}:") };
            assert!(error.contains(&place) && error.contains(said), "{text}: {error}");
        }
    }

    #[test]
    fn rules_across_options_are_checked_too() {
        let error = error_of("[steering]\ntrim = -0.5\nleft = 0.2\n");
        assert!(error.contains("steering.trim") && error.contains("end points"), "{error}");
        let error = error_of("[simulator]\nmax_speed_m_s = 100.0\n");
        assert!(error.contains("simulator"), "{error}");
    }
}
