//! Wi-Fi, as iwd reads it: a file for each network (iwd.network(5)) and the country
//! (iwd.config(5)).

use super::files::{Readers, put, remove, text};
use super::places::Places;
use crate::settings::Wifi;
use rccar_daemon::files::FileError;
use std::fmt::Write as _;

/// Makes iwd know this network, and forget the one that this program gave it before. Networks that
/// came another way stay.
///
/// iwd adds to its file what it learns, such as the derived key. The file is therefore written only
/// when the card says something new.
pub(super) fn write(places: &Places, wifi: &Wifi) -> Result<(), FileError> {
    let told = places.kept().join("wifi-network");
    let before = text(&told)?.unwrap_or_default();
    let (old_name, _) = before.split_once('\n').unwrap_or_default();
    let network = network(wifi);
    let name = network.as_ref().map(|(name, _)| name.as_str());
    if !old_name.is_empty() && Some(old_name) != name {
        remove(&places.networks().join(old_name))?;
    }
    match &network {
        Some((name, content)) => {
            let path = places.networks().join(name);
            let memory = format!("{name}\n{content}");
            if memory != before || !path.exists() {
                // In this order: after a power cut in between the network is written again.
                put(&path, content, Readers::Nobody)?;
                put(&told, &memory, Readers::Nobody)?;
            }
        }
        None => remove(&told)?,
    }
    let Some(country) = &wifi.country else { return Ok(()) };
    let path = places.iwd_config();
    put(&path, &with_country(&text(&path)?.unwrap_or_default(), country), Readers::Everybody)
}

/// Name and content of the network's file.
fn network(wifi: &Wifi) -> Option<(String, String)> {
    let ssid = wifi.ssid.as_deref()?;
    let (kind, mut content) = match &wifi.password {
        None => ("open", String::new()),
        // 64 digits are the key itself: a passphrase has 63 characters at most.
        Some(key) if key.len() == 64 => ("psk", format!("[Security]\nPreSharedKey={key}\n")),
        Some(passphrase) => ("psk", format!("[Security]\nPassphrase={}\n", escaped(passphrase))),
    };
    if wifi.hidden == Some(true) {
        content.push_str("[Settings]\nHidden=true\n");
    }
    Some((format!("{}.{kind}", file_name(ssid)), content))
}

/// "The SSID appears verbatim in the name if it contains only alphanumeric characters, spaces,
/// underscores or minus signs. Otherwise it is encoded as an equal sign followed by the lower-case
/// hex encoding of the name." (iwd.network(5)) Alphanumeric as in C's own locale: ASCII.
fn file_name(ssid: &str) -> String {
    let verbatim = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b' ' | b'_' | b'-');
    if ssid.bytes().all(verbatim) { ssid.to_owned() } else { format!("={}", hex::encode(ssid)) }
}

/// Escapes backslashes, and a space at the beginning, which iwd would skip.
fn escaped(value: &str) -> String {
    let value = value.replace('\\', "\\\\");
    value.strip_prefix(' ').map_or(value.clone(), |rest| format!("\\s{rest}"))
}

/// iwd's configuration with this country; the rest stays as it is.
fn with_country(config: &str, country: &str) -> String {
    let (mut out, mut in_general, mut done) = (String::new(), false, false);
    for line in config.lines() {
        let trimmed = line.trim();
        if trimmed.starts_with('[') {
            in_general = trimmed == "[General]";
        }
        if in_general && trimmed.split('=').next().is_some_and(|key| key.trim() == "Country") {
            continue;
        }
        let _ = writeln!(out, "{line}");
        if in_general && !done && trimmed == "[General]" {
            let _ = writeln!(out, "Country={country}");
            done = true;
        }
    }
    if !done {
        let _ = write!(out, "[General]\nCountry={country}\n");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wifi(ssid: &str, password: Option<&str>) -> Wifi {
        Wifi { ssid: Some(ssid.into()), password: password.map(Into::into), ..Wifi::default() }
    }

    #[test]
    fn file_names_follow_iwd() {
        for (ssid, name) in [
            ("My network_1-a", "My network_1-a"),
            ("Café", "=436166c3a9"),
            ("a.b", "=612e62"),
            ("../../etc", "=2e2e2f2e2e2f657463"),
            ("=", "=3d"),
        ] {
            assert_eq!(file_name(ssid), name);
        }
    }

    #[test]
    fn contents_follow_iwd() {
        let content = |password| network(&wifi("a", password)).unwrap();
        assert_eq!(content(None), ("a.open".into(), String::new()));
        assert_eq!(
            content(Some("pass word")),
            ("a.psk".into(), "[Security]\nPassphrase=pass word\n".into())
        );
        assert_eq!(content(Some(" a\\b c12 ")).1, "[Security]\nPassphrase=\\sa\\\\b c12 \n");
        let key = "ab".repeat(32);
        assert_eq!(content(Some(&key)).1, format!("[Security]\nPreSharedKey={key}\n"));
        let hidden = Wifi { hidden: Some(true), ..wifi("a", None) };
        assert_eq!(network(&hidden).unwrap().1, "[Settings]\nHidden=true\n");
    }

    #[test]
    fn the_country_joins_what_is_there() {
        assert_eq!(with_country("", "DE"), "[General]\nCountry=DE\n");
        let config = "[General]\nCountry = US\nA=b\n[Network]\nCountry=x\n";
        let expected = "[General]\nCountry=DE\nA=b\n[Network]\nCountry=x\n";
        assert_eq!(with_country(config, "DE"), expected);
        assert_eq!(with_country(expected, "DE"), expected);
    }

    #[test]
    fn a_new_network_takes_the_old_one_away_and_leaves_what_iwd_added() {
        let directory = tempfile::tempdir().unwrap();
        let places = Places::new(directory.path());
        let names = || {
            let mut names: Vec<_> = std::fs::read_dir(places.networks())
                .unwrap()
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect();
            names.sort();
            names
        };
        write(&places, &wifi("one", Some("12345678"))).unwrap();
        let path = places.networks().join("one.psk");
        std::fs::write(&path, "[Security]\nPassphrase=12345678\nPreSharedKey=00\n").unwrap();
        write(&places, &wifi("one", Some("12345678"))).unwrap();
        assert!(text(&path).unwrap().unwrap().contains("PreSharedKey"), "what iwd learnt stays");
        std::fs::write(places.networks().join("friend.psk"), "").unwrap();
        write(&places, &wifi("two", None)).unwrap();
        assert_eq!(names(), ["friend.psk", "two.open"]);
        write(&places, &Wifi::default()).unwrap();
        assert_eq!(names(), ["friend.psk"]);
    }
}
