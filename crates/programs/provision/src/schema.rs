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
    /// The table may appear several times, as `[[name]]`.
    pub many: bool,
}

/// Other names of tables: what people, routers, Raspberry Pi's Imager and other programs call the
/// same thing. None for what can move the car.
const ALIASES: [(&str, &str); 19] = [
    ("wlan", "wifi"),
    ("wlan0", "wifi"),
    ("wi_fi", "wifi"),
    ("wi fi", "wifi"),
    ("wireless", "wifi"),
    ("network", "wifi"),
    ("networks", "wifi"),
    ("wifi_network", "wifi"),
    ("wifi_networks", "wifi"),
    ("server", "host"),
    ("signaling", "host"),
    ("mobile", "modem"),
    ("cellular", "modem"),
    ("lte", "modem"),
    ("4g", "modem"),
    ("5g", "modem"),
    ("sim", "modem"),
    ("cam", "camera"),
    ("updates", "update"),
];

/// Words that people write for a key.
const SYNONYMS: [(&str, &str, &str); 11] = [
    ("wifi", "psk", "password"),
    ("wifi", "passphrase", "password"),
    ("wifi", "wpa_passphrase", "password"),
    ("wifi", "pass", "password"),
    ("wifi", "key", "password"),
    ("wifi", "name", "ssid"),
    ("wifi", "network", "ssid"),
    ("wifi", "scan_ssid", "hidden"),
    ("wifi", "wifi_country", "country"),
    ("host", "address", "url"),
    ("host", "server", "url"),
];

const ENTERPRISE: &str = "enterprise Wi-Fi (802.1X: a user name or a certificate for each person, \
                          such as eduroam) is not supported: use a network with one password for \
                          all, a phone's hotspot or a modem";
const BY_ITSELF: &str = "the car sees by itself whether a network is open or has WPA2 or WPA3: put \
                         # before the line. Enterprise Wi-Fi (802.1X) is not supported";

/// Keys of other programs, and what to say about them.
const FOREIGN: [(&str, &[&str], &str); 3] = [
    (
        "wifi",
        &[
            "identity",
            "eap",
            "user",
            "username",
            "login",
            "anonymous_identity",
            "ca_cert",
            "client_cert",
            "private_key",
            "phase1",
            "phase2",
            "enterprise",
            "domain",
            "certificate",
        ],
        ENTERPRISE,
    ),
    (
        "wifi",
        &["security", "key_mgmt", "proto", "auth", "auth_alg", "encryption", "wpa", "sae", "type"],
        BY_ITSELF,
    ),
    (
        "wifi",
        &["password_encrypted"],
        "64 digits are taken for a key without it: put # before the line",
    ),
];

/// A key as the table would have it: small letters, and `_` for hyphens and blanks.
pub(crate) fn canonical(word: &str) -> String {
    word.trim().to_lowercase().replace(['-', ' '], "_")
}

impl Table {
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        TABLES.iter().find(|table| table.name == name)
    }

    /// The table that a heading means beyond doubt, in any case and by any of its names.
    pub(crate) fn meant(name: &str) -> Option<&'static Self> {
        let name = canonical(name);
        let alias = ALIASES.iter().find(|(alias, _)| *alias == name).map(|(_, table)| *table);
        Self::named(alias.unwrap_or(&name))
    }

    /// The table whose name is most like this one.
    pub(crate) fn like(name: &str) -> Option<&'static Self> {
        nearest(name, TABLES.iter().map(|table| table.name)).and_then(Self::named)
    }

    /// The table that most of these keys belong to.
    pub(crate) fn with(keys: &[String]) -> Option<&'static Self> {
        let count = |table: &&Self| keys.iter().filter(|key| table.key(key).is_some()).count();
        TABLES.iter().rev().max_by_key(count).filter(|table| count(table) > 0)
    }

    /// The tables that have this key.
    pub(crate) fn homes(key: &str) -> impl Iterator<Item = &'static Self> {
        TABLES.iter().filter(move |table| table.key(key).is_some())
    }

    /// The key that a word stands for which is not its name.
    pub(crate) fn synonym(&self, word: &str) -> Option<&'static Key> {
        let word = canonical(word);
        let known = SYNONYMS.iter().find(|(of, known, _)| *of == self.name && *known == word);
        known.and_then(|(_, _, key)| self.key(key))
    }

    /// What to say about a key that is another program's.
    pub(crate) fn foreign(&self, word: &str) -> Option<&'static str> {
        let word = canonical(word);
        let fits = |(of, words, _): &&(&str, &[&str], &'static str)| {
            *of == self.name && words.contains(&word.as_str())
        };
        FOREIGN.iter().find(fits).map(|(_, _, what)| *what)
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
        many: false,
        keys: &[
            key("url", "\"https://drive.example\""),
            key("token", "\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\""),
        ],
    },
    Table { name: "car", many: false, keys: &[key("name", "\"Blitz\"")] },
    Table {
        name: "wifi",
        many: true,
        keys: &[
            key("country", "\"DE\""),
            key("ssid", "\"My network\""),
            key("password", "\"correct horse battery\""),
            key("hidden", "true"),
            key("priority", "1"),
        ],
    },
    Table {
        name: "modem",
        many: false,
        keys: &[
            key("apn", "\"internet\""),
            key("user", "\"web\""),
            key("password", "\"web\""),
            key("auth", "\"pap\""),
            key("ip_type", "\"ipv4\""),
            key("roaming", "false"),
            key("initial_apn", "\"internet\""),
            key("pin", "\"0123\""),
            key("gps", "true"),
        ],
    },
    Table {
        name: "camera",
        many: false,
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
        many: false,
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
        many: false,
        keys: &[key("power_monitor", "\"ina226\""), key("shunt_micro_ohm", "2000")],
    },
    Table {
        name: "battery",
        many: false,
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
        many: false,
        keys: &[
            key("line", "\"GPIO27\""),
            key("pulses_per_turn", "1"),
            key("circumference_mm", "204"),
        ],
    },
    Table {
        name: "switches",
        many: false,
        keys: &[
            key("lights_line", "\"GPIO23\""),
            key("lights_active_low", "true"),
            key("horn_line", "\"GPIO24\""),
            key("horn_active_low", "true"),
        ],
    },
    Table { name: "lan", many: false, keys: &[key("access_code", "\"seven plum tractors\"")] },
    Table {
        name: "ssh",
        many: false,
        keys: &[key(
            "public_key",
            "\"ssh-ed25519 \
             AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f me@laptop\"",
        )],
    },
    Table {
        name: "update",
        many: false,
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
