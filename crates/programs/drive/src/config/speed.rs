//! `[speed]`: the sensor at a wheel.

use super::LineName;
use rccar_drive_core::speed::SpeedSettings;
use serde::Deserialize;

/// See [`SpeedSettings`].
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SpeedConfig {
    /// `None`: the speed is not measured.
    line: Option<LineName>,
    pulses_per_turn: u16,
    circumference_mm: u16,
}

impl SpeedConfig {
    /// The line and how to read it; `None`: the speed is not measured.
    #[must_use]
    pub fn sensor(&self) -> Option<(&LineName, SpeedSettings)> {
        let settings = SpeedSettings {
            pulses_per_turn: self.pulses_per_turn,
            circumference_mm: self.circumference_mm,
        };
        self.line.as_ref().map(|line| (line, settings))
    }
}

impl Default for SpeedConfig {
    /// One magnet on a wheel of 1/10 scale, 65 mm across.
    fn default() -> Self {
        Self { line: None, pulses_per_turn: 1, circumference_mm: 204 }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Config;
    use std::io::Write;

    fn load(text: &str) -> Result<Config, String> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        Config::load(file.path()).map_err(|error| error.to_string())
    }

    #[test]
    fn it_is_off_by_default_and_every_option_reaches_the_core() {
        assert_eq!(load("").unwrap().speed.sensor(), None);
        let text = "[speed]\nline = 'GPIO27'\npulses_per_turn = 20\ncircumference_mm = 330\n";
        let config = load(text).unwrap();
        let (line, settings) = config.speed.sensor().unwrap();
        assert_eq!(
            (line.0.as_str(), settings.pulses_per_turn, settings.circumference_mm),
            ("GPIO27", 20, 330)
        );
    }

    #[test]
    fn an_error_names_line_and_key() {
        for (text, line, key, rule) in [
            ("line = ''", 2, "speed.line", "GPIO17"),
            ("line = 'A'\npulses_per_turn = 0", 3, "speed.pulses_per_turn", "from 1"),
            (
                "line = 'A'\npulses_per_turn = 41\ncircumference_mm = 200",
                3,
                "speed.pulses_per_turn",
                "one for 5 mm",
            ),
            ("line = 'A'\n\ncircumference_mm = 9", 4, "speed.circumference_mm", "from 20"),
            ("wheel = 1", 2, "speed", "wheel"),
        ] {
            let error = load(&format!("[speed]\n{text}\n")).unwrap_err();
            let place = format!(":{line}:");
            let named = error.contains(&place) && error.contains(key) && error.contains(rule);
            assert!(named, "{text}: {error}");
        }
    }
}
