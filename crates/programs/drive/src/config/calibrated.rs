//! What was calibrated on the car, over the configuration: its form in a file and on the wire.

use super::{Balance, Config, EscConfig, Share};
use rccar_daemon::config::{self, ConfigError};
use rccar_drive_core::esc::EscKind;
use rccar_drive_core::{SettingsError, esc::EscSettings};
use rccar_protocol::calibration::{self, Calibration, EscWord};
use rccar_protocol::units::Steering;
use serde::Deserialize;

/// Largest file in bytes; what [`text_of`] writes has a third of it.
const MAX_BYTES: usize = 4096;

/// The file: options of [`Config`] under the same names and rules. One that is left out is that of
/// the configuration.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct File {
    steering: Steers,
    throttle: Drives,
    esc: Controls,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Steers {
    trim: Option<Balance>,
    left: Option<Share>,
    right: Option<Share>,
    reversed: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Drives {
    max_forward: Option<Share>,
    max_reverse: Option<Share>,
    dead_band: Option<Share>,
    reversed: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Controls {
    kind: Option<super::outputs::Kind>,
}

/// Values that the drive cannot take.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CalibrationError {
    #[error(transparent)]
    Settings(#[from] SettingsError),
    #[error("{0} is no kind of speed controller that this car knows: direct or brake-first")]
    Kind(EscWord),
}

impl CalibrationError {
    /// The option that is wrong.
    #[must_use]
    pub fn key(&self) -> &'static str {
        match self {
            Self::Settings(error) => error.key,
            Self::Kind(_) => "esc.kind",
        }
    }
}

impl Config {
    /// With the content of a calibration file over it. Errors name the file `source`, line and key.
    pub fn with_calibration_file(&self, text: &str, source: &str) -> Result<Self, ConfigError> {
        if text.len() > MAX_BYTES {
            let why = format!("has {} bytes; a calibration has at most {MAX_BYTES}", text.len());
            return Err(ConfigError::rule(source, "steering", &why));
        }
        let File { steering, throttle, esc } = config::parse(text, source)?;
        let mut config = self.clone();
        put(&mut config.steering.trim, steering.trim);
        put(&mut config.steering.left, steering.left);
        put(&mut config.steering.right, steering.right);
        put(&mut config.steering.reversed, steering.reversed);
        put(&mut config.throttle.max_forward, throttle.max_forward);
        put(&mut config.throttle.max_reverse, throttle.max_reverse);
        put(&mut config.throttle.dead_band, throttle.dead_band);
        put(&mut config.throttle.reversed, throttle.reversed);
        put(&mut config.esc.0.kind, esc.kind.map(EscKind::from));
        config.check_settings(source)?;
        Ok(config)
    }

    /// With these values over it.
    pub fn with_calibration(&self, values: &Calibration) -> Result<Self, CalibrationError> {
        let kind = match values.esc {
            EscWord::Direct => EscKind::Direct,
            EscWord::BrakeFirst => EscKind::BrakeFirst,
            other @ EscWord::Other(_) => return Err(CalibrationError::Kind(other)),
        };
        let share = |share: calibration::Share| Share(share.permyriad());
        let mut config = self.clone();
        config.steering.trim = Balance(values.trim.permyriad());
        config.steering.left = share(values.left);
        config.steering.right = share(values.right);
        config.steering.reversed = values.steering_reversed;
        config.throttle.max_forward = share(values.max_forward);
        config.throttle.max_reverse = share(values.max_reverse);
        config.throttle.dead_band = share(values.dead_band);
        config.throttle.reversed = values.motor_reversed;
        config.esc = EscConfig(EscSettings { kind, ..config.esc.0 });
        config.settings().check()?;
        Ok(config)
    }

    /// What can be calibrated, as it is.
    #[must_use]
    pub fn calibration(&self) -> Calibration {
        let share = |share: Share| calibration::Share::try_from(share.0).unwrap_or_default();
        Calibration {
            trim: Steering::from_permyriad(self.steering.trim.0).unwrap_or_default(),
            left: share(self.steering.left),
            right: share(self.steering.right),
            steering_reversed: self.steering.reversed,
            max_forward: share(self.throttle.max_forward),
            max_reverse: share(self.throttle.max_reverse),
            dead_band: share(self.throttle.dead_band),
            motor_reversed: self.throttle.reversed,
            esc: match self.esc.0.kind {
                EscKind::Direct => EscWord::Direct,
                EscKind::BrakeFirst => EscWord::BrakeFirst,
            },
        }
    }
}

fn put<T>(option: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *option = value;
    }
}

/// The file that holds these values.
#[must_use]
pub fn text_of(values: &Calibration) -> String {
    let share = |share: calibration::Share| decimal(share.permyriad().into());
    format!(
        "# What was calibrated on the car. It stands over provision.toml and drive.toml; without \
         this file they\n# hold. The options are those of drive.toml.\n\n\
         [steering]\ntrim = {}\nleft = {}\nright = {}\nreversed = {}\n\n\
         [throttle]\nmax_forward = {}\nmax_reverse = {}\ndead_band = {}\nreversed = {}\n\n\
         [esc]\nkind = \"{}\"\n",
        decimal(values.trim.permyriad().into()),
        share(values.left),
        share(values.right),
        values.steering_reversed,
        share(values.max_forward),
        share(values.max_reverse),
        share(values.dead_band),
        values.motor_reversed,
        values.esc,
    )
}

/// A number of 1/10000 with all four places.
fn decimal(permyriad: i32) -> String {
    let sign = if permyriad < 0 { "-" } else { "" };
    format!("{sign}{}.{:04}", permyriad.abs() / 10_000, permyriad.abs() % 10_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values() -> Calibration {
        let share = |share: u16| calibration::Share::try_from(share).unwrap();
        Calibration {
            trim: Steering::from_permyriad(-312).unwrap(),
            left: share(9_999),
            right: share(10_000),
            steering_reversed: true,
            max_forward: share(0),
            max_reverse: share(1),
            dead_band: share(5_000),
            motor_reversed: true,
            esc: EscWord::BrakeFirst,
        }
    }

    #[test]
    fn what_is_written_reads_the_same() {
        let config = Config::default();
        let calibrated = config.with_calibration(&values()).unwrap();
        assert_eq!(calibrated.calibration(), values());
        let text = text_of(&values());
        assert!(text.len() < MAX_BYTES / 3, "{}", text.len());
        assert_eq!(config.with_calibration_file(&text, "calibration.toml").unwrap(), calibrated);
        assert_eq!(config.with_calibration(&config.calibration()).unwrap(), config);
        assert_eq!(calibrated.esc().pulses, config.esc().pulses.reversed());
    }

    #[test]
    fn an_option_that_is_left_out_is_that_of_the_configuration() {
        let read =
            |text| Config::default().with_calibration_file(text, "calibration.toml").unwrap();
        assert_eq!(read(""), Config::default());
        let calibrated = read("[steering]\ntrim = 0.1\n").calibration();
        let trim = Steering::from_permyriad(1_000).unwrap();
        assert_eq!(calibrated, Calibration { trim, ..Config::default().calibration() });
    }

    #[test]
    fn a_mistake_names_file_line_and_key() {
        let long = "#".repeat(MAX_BYTES + 1);
        for (text, named) in [
            ("[steering]\ntrim = 1.5\n", "calibration.toml:2"),
            ("[steering]\ntrim = 1.5\n", "steering.trim"),
            ("[steering]\nleft = 0.0\n", "steering.left"),
            ("[throttle]\n\nslew = 1\n", "calibration.toml:3"),
            ("[esc]\nkind = \"brake\"\n", "brake-first"),
            ("[pca9685]\naddress = 0x41\n", "pca9685"),
            ("[steering\n", "calibration.toml:1"),
            (&long, "at most 4096"),
        ] {
            let error = Config::default().with_calibration_file(text, "calibration.toml");
            let error = error.unwrap_err().to_string();
            assert!(error.contains(named), "{text}: {error}");
        }
    }

    #[test]
    fn values_obey_the_rules_of_the_configuration() {
        let share = |share: u16| calibration::Share::try_from(share).unwrap();
        let refused =
            |values: Calibration| Config::default().with_calibration(&values).unwrap_err().key();
        assert_eq!(refused(Calibration { left: share(0), ..values() }), "steering.left");
        assert_eq!(refused(Calibration { left: share(100), ..values() }), "steering.trim");
        assert_eq!(
            refused(Calibration { dead_band: share(5_001), ..values() }),
            "throttle.dead_band"
        );
        let esc = "drone".parse().unwrap();
        assert_eq!(refused(Calibration { esc, ..values() }), "esc.kind");
    }
}
