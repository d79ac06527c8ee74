//! Lines of GPIO chips: their names, `[lights]` and `[horn]`, and what each is used for.

use super::Config;
use rccar_daemon::config::ConfigError;
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// The name of a GPIO line, as `gpioinfo` shows it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct LineName(pub String);

impl TryFrom<String> for LineName {
    type Error = &'static str;
    fn try_from(name: String) -> Result<Self, Self::Error> {
        // 32 bytes with the zero at the end (`GPIO_MAX_NAME_SIZE`).
        let legal =
            (1..32).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_graphic());
        legal.then_some(Self(name)).ok_or("must be the name of a GPIO line, such as GPIO17")
    }
}

/// A line, and what counts as on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineSettings {
    pub line: LineName,
    /// Device of the GPIO chip; `None`: the first that has a line of this name.
    pub chip: Option<PathBuf>,
    /// Low is on.
    pub active_low: bool,
}

impl LineSettings {
    /// High is on, and the name alone finds it.
    #[must_use]
    pub fn named(line: &LineName) -> Self {
        Self { line: line.clone(), chip: None, active_low: false }
    }
}

/// `[lights]` and `[horn]`; without a line the car has none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SwitchConfig {
    line: Option<LineName>,
    chip: Option<ChipPath>,
    active_low: bool,
}

impl SwitchConfig {
    /// `None`: the car has none.
    #[must_use]
    pub fn settings(&self) -> Option<LineSettings> {
        let line = self.line.clone()?;
        let chip = self.chip.clone().map(|ChipPath(path)| path);
        Some(LineSettings { line, chip, active_low: self.active_low })
    }
}

/// Device of a GPIO chip.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
struct ChipPath(PathBuf);

impl TryFrom<String> for ChipPath {
    type Error = &'static str;
    fn try_from(path: String) -> Result<Self, Self::Error> {
        let legal = path.strip_prefix("/dev/").is_some_and(|name| !name.is_empty());
        legal.then(|| Self(path.into())).ok_or("must be a GPIO chip, such as /dev/gpiochip0")
    }
}

/// A line that the configuration names.
struct Use<'a> {
    key: &'static str,
    line: &'a LineName,
    /// `None`: the first chip that has a line of this name.
    chip: Option<&'a Path>,
}

impl Use<'_> {
    fn may_be(&self, other: &Self) -> bool {
        let chips = self.chip.zip(other.chip);
        self.line == other.line && chips.is_none_or(|(own, others)| own == others)
    }
}

impl Config {
    /// Two uses of one line would fight for it: the one that comes first has it, and the other
    /// would fail on the car, far from the mistake.
    pub(super) fn check_lines(&self, source: &str) -> Result<(), ConfigError> {
        let uses = self.uses();
        for (later, used) in uses.iter().enumerate() {
            if let Some(first) = uses[..later].iter().find(|first| first.may_be(used)) {
                let line = &used.line.0;
                let said = format!("the line {line} is that of `{}` already", first.key);
                return Err(ConfigError::rule(source, used.key, &said));
            }
        }
        Ok(())
    }

    /// What stops the car comes first: a line stays with it, and the mistake is the other's.
    fn uses(&self) -> Vec<Use<'_>> {
        let named = [
            ("pca9685.enable_line", self.pca9685.enable_line.as_ref(), None),
            ("heartbeat_line", self.heartbeat_line.as_ref(), None),
            ("speed.line", self.speed.sensor().map(|(line, _)| line), None),
            ("lights.line", self.lights.line.as_ref(), self.lights.chip.as_ref()),
            ("horn.line", self.horn.line.as_ref(), self.horn.chip.as_ref()),
        ];
        let used = named.into_iter().filter_map(|(key, line, chip)| {
            Some(Use { key, line: line?, chip: chip.map(|ChipPath(path)| path.as_path()) })
        });
        used.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn load(text: &str) -> Result<Config, String> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        Config::load(file.path()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_line_with_two_uses_names_both_keys_and_the_place() {
        for (text, line, key, first) in [
            (
                "[pca9685]\nenable_line = 'GPIO17'\n[speed]\nline = 'GPIO17'",
                4,
                "speed.line",
                "pca9685.enable_line",
            ),
            (
                "heartbeat_line = 'A'\n[pca9685]\nenable_line = 'A'",
                1,
                "heartbeat_line",
                "pca9685.enable_line",
            ),
            ("[horn]\nline = 'A'\n[lights]\nline = 'A'", 2, "horn.line", "lights.line"),
            // The chip of the other is the first with such a line, which may be the same.
            (
                "[lights]\nline = 'A'\nchip = '/dev/gpiochip1'\n[speed]\nline = 'A'",
                2,
                "lights.line",
                "speed.line",
            ),
        ] {
            let error = load(text).unwrap_err();
            let (place, key) = (format!(":{line}:"), format!("key `{key}`"));
            assert!(
                error.contains(&place) && error.contains(&key) && error.contains(first),
                "{text}: {error}"
            );
        }
    }

    #[test]
    fn lines_of_one_name_on_two_chips_are_two_lines() {
        let text = "[lights]\nline = 'A'\nchip = '/dev/gpiochip1'\nactive_low = true\n\
                    [horn]\nline = 'A'\nchip = '/dev/gpiochip2'\n";
        let config = load(text).unwrap();
        let lights = config.lights.settings().unwrap();
        assert_eq!(
            (lights.line.0.as_str(), lights.chip.as_deref(), lights.active_low),
            ("A", Some(Path::new("/dev/gpiochip1")), true)
        );
        assert!(!config.horn.settings().unwrap().active_low);
    }

    #[test]
    fn by_default_there_is_no_line() {
        let config = load("").unwrap();
        assert_eq!((config.lights.settings(), config.horn.settings()), (None, None));
        assert_eq!(config.heartbeat_line, None);
    }
}
