//! Every table and key that the file may have. The template documents each of them; a test compares
//! the two.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    pub name: &'static str,
    /// A right value, as TOML.
    pub example: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Table {
    pub name: &'static str,
    pub keys: &'static [Key],
}

impl Table {
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        TABLES.iter().find(|table| table.name == name)
    }

    #[must_use]
    pub fn key(&self, name: &str) -> Option<&'static Key> {
        self.keys.iter().find(|key| key.name == name)
    }
}

const fn key(name: &'static str, example: &'static str) -> Key {
    Key { name, example }
}

/// All tables, in the order of the template.
pub const TABLES: [Table; 13] = [
    Table {
        name: "host",
        keys: &[
            key("url", "\"https://drive.example\""),
            key("token", "\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\""),
        ],
    },
    Table { name: "car", keys: &[key("name", "\"Blitz\"")] },
    Table {
        name: "wifi",
        keys: &[
            key("country", "\"DE\""),
            key("ssid", "\"My network\""),
            key("password", "\"correct horse battery\""),
            key("hidden", "true"),
        ],
    },
    Table {
        name: "modem",
        keys: &[
            key("apn", "\"internet\""),
            key("user", "\"web\""),
            key("password", "\"web\""),
            key("pin", "\"0123\""),
            key("gps", "true"),
        ],
    },
    Table {
        name: "camera",
        keys: &[
            key("source", "\"libcamera\""),
            key("sensor", "\"imx219\""),
            key("device", "\"imx219\""),
            key("rotation", "180"),
            key("width", "1280"),
            key("height", "720"),
            key("fps", "30"),
            key("bitrate_kbps", "2000"),
            key("encoder", "\"auto\""),
        ],
    },
    Table {
        name: "drive",
        keys: &[
            key("actuator", "\"pca9685\""),
            key("enable_line", "\"GPIO17\""),
            key("heartbeat_line", "\"GPIO22\""),
            key("esc", "\"brake-first\""),
            key("max_forward", "50"),
            key("max_reverse", "30"),
            key("steering_left_us", "1000"),
            key("steering_neutral_us", "1500"),
            key("steering_right_us", "2000"),
            key("motor_reverse_us", "1000"),
            key("motor_neutral_us", "1500"),
            key("motor_forward_us", "2000"),
        ],
    },
    Table {
        name: "sensors",
        keys: &[key("power_monitor", "\"ina226\""), key("shunt_micro_ohm", "2000")],
    },
    Table {
        name: "battery",
        keys: &[
            key("cells", "2"),
            key("warn", "3.6"),
            key("limit", "3.5"),
            key("stop", "3.3"),
            key("limited_speed", "50"),
            key("action", "\"stop\""),
        ],
    },
    Table {
        name: "speed",
        keys: &[
            key("line", "\"GPIO27\""),
            key("pulses_per_turn", "1"),
            key("circumference_mm", "204"),
        ],
    },
    Table {
        name: "switches",
        keys: &[
            key("lights_line", "\"GPIO23\""),
            key("lights_active_low", "true"),
            key("horn_line", "\"GPIO24\""),
            key("horn_active_low", "true"),
        ],
    },
    Table { name: "lan", keys: &[key("access_code", "\"seven plum tractors\"")] },
    Table {
        name: "ssh",
        keys: &[key(
            "public_key",
            "\"ssh-ed25519 \
             AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f me@laptop\"",
        )],
    },
    Table {
        name: "update",
        keys: &[
            key("channel", "\"stable\""),
            key("automatic", "true"),
            key("metered_mb", "50"),
            key("allow_downgrade", "true"),
        ],
    },
];

/// The known word that is most like this one, if it is near enough to have been meant.
pub(crate) fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    // 0.8 takes one wrong, missing or swapped letter in words of five.
    let likeness = |known: &'a str| (strsim::jaro_winkler(&word.to_lowercase(), known), known);
    known
        .map(likeness)
        .filter(|(likeness, _)| *likeness >= 0.8)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_of_the_finger_are_recognised() {
        let tables = || TABLES.iter().map(|table| table.name);
        assert_eq!(nearest("Camara", tables()), Some("camera"));
        assert_eq!(nearest("upadte", tables()), Some("update"));
        assert_eq!(nearest("printer", tables()), None);
        assert_eq!(nearest("pasword", TABLES[2].keys.iter().map(|key| key.name)), Some("password"));
    }
}
