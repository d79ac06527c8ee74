//! One Wi-Fi network or several: `[wifi]`, and `[[wifi]]` for each further one.
//!
//! A mistake costs the network that it is in. The others are used, and those that held before hold
//! on, so that a slip in the second network does not take the first from a car that nobody can
//! reach otherwise.

use crate::document::Section;
use crate::fault::Fault;
use crate::reader::Reader;
use crate::schema::Table;
use crate::settings::Wifi;
use crate::values;
use serde::{Serialize, Serializer};

/// Most networks: a person's home, garage, club, phone and friends. iwd looks for a hidden one by
/// name, which takes time for each.
pub(crate) const MAX_NETWORKS: usize = 16;

/// What the sections of the table say.
#[derive(Debug, Default)]
pub(crate) struct Networks {
    /// Without those that have a mistake.
    pub(crate) wifi: Wifi,
    /// Faults that cost a network.
    pub(crate) faults: Vec<Fault>,
    pub(crate) is_faulty: bool,
}

pub(crate) fn read(table: &'static Table, first: Option<&Section>, more: &[Section]) -> Networks {
    let mut read = Networks::default();
    let Some(first) = first else { return read };
    let mut networks: Vec<Wifi> = Vec::new();
    for section in std::iter::once(first).chain(more) {
        let mut reader = Reader::new(table, Some(section));
        let network = fill(&mut reader);
        let fault = |key: &str, what: String| Fault {
            line: section.entries.get(key).map_or(section.line, |entry| entry.line),
            key: format!("wifi.{key}"),
            what,
            example: String::new(),
        };
        let (mut wrong, _) = reader.finish();
        let same = |other: &&Wifi| network.ssid.is_some() && other.ssid == network.ssid;
        if networks.iter().any(|other| same(&other)) {
            wrong.push(fault("ssid", "this network stands in the file twice".to_owned()));
        }
        let country = &read.wifi.country;
        if network.country.is_some() && country.is_some() && network.country != *country {
            wrong.push(fault("country", "the car is in one country at a time".to_owned()));
        }
        if networks.len() == MAX_NETWORKS {
            wrong.push(fault("ssid", format!("the car keeps {MAX_NETWORKS} networks at most")));
        }
        if section.broken || !wrong.is_empty() {
            read.is_faulty = true;
            read.faults.extend(wrong);
            continue;
        }
        read.wifi.country = read.wifi.country.take().or(network.country.clone());
        if network.ssid.is_some() {
            networks.push(network);
        }
    }
    read.wifi.take(networks);
    read
}

fn fill(reader: &mut Reader<'_>) -> Wifi {
    let wifi = Wifi {
        country: reader.text("country", values::country),
        ssid: reader.text("ssid", values::ssid),
        password: reader.text("password", values::wifi_password),
        hidden: reader.flag("hidden"),
        priority: reader.whole("priority", 0..=1000, 1, ""),
        further: Vec::new(),
    };
    for key in ["password", "hidden", "priority"] {
        reader.needs(key, "ssid");
    }
    wifi
}

impl Wifi {
    /// All networks, in the order of the file.
    pub fn networks(&self) -> impl Iterator<Item = &Self> {
        std::iter::once(self).chain(&self.further).filter(|network| network.ssid.is_some())
    }

    /// Adds what held before and is not in these: the country, and networks of other names.
    pub(crate) fn fill_from(&mut self, kept: &Self) {
        self.country = self.country.take().or_else(|| kept.country.clone());
        let mut networks: Vec<Self> = self.networks().cloned().collect();
        for network in kept.networks() {
            if networks.iter().all(|other| other.ssid != network.ssid) {
                networks.push(network.clone());
            }
        }
        networks.truncate(MAX_NETWORKS);
        self.take(networks);
    }

    /// Replaces the networks; the country stays.
    fn take(&mut self, networks: Vec<Self>) {
        let bare = |network| Self { country: None, further: Vec::new(), ..network };
        let mut networks = networks.into_iter().map(bare);
        let first = networks.next().unwrap_or_default();
        *self = Self { country: self.country.take(), further: networks.collect(), ..first };
    }
}

/// One table, or an array of tables if there are several networks.
pub(crate) fn serialize<S: Serializer>(wifi: &Wifi, serializer: S) -> Result<S::Ok, S::Error> {
    if wifi.further.is_empty() {
        wifi.serialize(serializer)
    } else {
        serializer.collect_seq(std::iter::once(wifi).chain(&wifi.further))
    }
}

#[cfg(test)]
mod tests {
    use crate::{Settings, parse};

    fn names(settings: &Settings) -> Vec<&str> {
        settings.wifi.networks().filter_map(|network| network.ssid.as_deref()).collect()
    }

    #[test]
    fn several_networks_are_read_and_kept_as_they_are() {
        for heading in ["[[wifi]]", "[wifi]"] {
            let text = format!(
                "[wifi]\ncountry = 'de'\nssid = 'a'\npassword = '12345678'\n\
                 {heading}\nssid = 'b'\npriority = 3\nhidden = true\n[car]\n{heading}\nssid = 'c'\n"
            );
            let parsed = parse(text.as_bytes());
            assert_eq!((&parsed.faults, &parsed.faulty), (&vec![], &Default::default()));
            assert_eq!(names(&parsed.settings), ["a", "b", "c"]);
            assert_eq!(parsed.settings.wifi.country.as_deref(), Some("DE"));
            let second = &parsed.settings.wifi.further[0];
            assert_eq!((second.priority, second.hidden), (Some(3), Some(true)));
            let kept = toml::to_string(&parsed.settings).unwrap();
            assert_eq!(parse(kept.as_bytes()).settings, parsed.settings, "{kept}");
        }
    }

    #[test]
    fn a_country_may_stand_alone() {
        let parsed = parse(b"[wifi]\ncountry = 'DE'\n[[wifi]]\nssid = 'a'\n[[wifi]]\nssid = 'b'\n");
        assert_eq!(parsed.faults, []);
        assert_eq!(names(&parsed.settings), ["a", "b"]);
        assert_eq!(parsed.settings.wifi.country.as_deref(), Some("DE"));
    }

    #[test]
    fn a_mistake_costs_one_network_and_what_held_holds_on() {
        let kept = parse(b"[wifi]\nssid = 'old'\ncountry = 'FR'\n[[wifi]]\nssid = 'b'\n").settings;
        for (text, line, words) in [
            ("[wifi]\nssid = 'a'\n[[wifi]]\nssid = 'b'\npassword = 'x'\n", 5, "8 to 63"),
            ("[wifi]\nssid = 'a'\n[[wifi]]\nssid = b\n", 4, "quotation marks"),
            ("[wifi]\nssid = 'a'\n[[wifi]]\nssid = 'b'\nprio = 1\n", 5, "priority"),
            ("[wifi]\nssid = 'a'\n[[wifi]]\nssid = 'a'\n", 4, "twice"),
            ("[wifi]\nssid = 'a'\n[[wifi]]\npriority = 1\n", 4, "without `ssid`"),
        ] {
            let parsed = parse(text.as_bytes());
            assert_eq!(parsed.faults.len(), 1, "{text}: {:?}", parsed.faults);
            assert_eq!(parsed.faults[0].line, line, "{text}");
            assert!(parsed.faults[0].to_string().contains(words), "{:?}", parsed.faults);
            assert!(parsed.faulty.contains("wifi"));
            let settings = parsed.settings_or(&kept);
            assert_eq!(names(&settings), ["a", "old", "b"], "{text}");
            assert_eq!(settings.wifi.country.as_deref(), Some("FR"));
            assert_eq!(names(&parsed.settings_or(&Settings::default())), ["a"], "{text}");
        }
    }

    #[test]
    fn there_are_no_more_networks_than_the_car_keeps() {
        let text: String = (0..20).map(|n| format!("[[wifi]]\nssid = 'n{n}'\n")).collect();
        let parsed = parse(text.as_bytes());
        assert_eq!((parsed.faults.len(), names(&parsed.settings).len()), (4, super::MAX_NETWORKS));
        let others: String = (0..16).map(|n| format!("[[wifi]]\nssid = 'o{n}'\n")).collect();
        let settings = parsed.settings_or(&parse(others.as_bytes()).settings);
        assert_eq!(names(&settings).len(), super::MAX_NETWORKS);
    }

    #[test]
    fn a_car_is_in_one_country() {
        let text = b"[wifi]\ncountry = 'DE'\nssid = 'a'\n[[wifi]]\ncountry = 'FR'\nssid = 'b'\n";
        let parsed = parse(text);
        assert!(parsed.faults[0].what.contains("one country"), "{:?}", parsed.faults);
        assert_eq!(names(&parsed.settings), ["a"]);
    }

    #[test]
    fn what_the_car_cannot_do_is_said_plainly() {
        for (key, words) in [
            ("identity = 'me'", "enterprise Wi-Fi (802.1X"),
            ("eap = 'peap'", "enterprise Wi-Fi (802.1X"),
            ("ca_cert = '/x.pem'", "is not supported"),
            ("key_mgmt = 'SAE'", "by itself whether a network is open or has WPA2 or WPA3"),
            ("security = 'WPA3'", "put # before the line"),
            ("password_encrypted = true", "put # before the line"),
            ("psk = '12345678'", "did you mean `password`"),
        ] {
            let parsed = parse(format!("[wifi]\nssid = 'a'\n{key}\n").as_bytes());
            assert_eq!(parsed.faults.len(), 1, "{key}");
            assert!(parsed.faults[0].to_string().contains(words), "{:?}", parsed.faults);
        }
    }
}
