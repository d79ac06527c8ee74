//! Wi-Fi, as iwd reads it: a file for each network (iwd.network(5)) and the country
//! (iwd.config(5)).

use super::files::{Readers, put, remove, text};
use super::places::Places;
use crate::settings::Wifi;
use rccar_daemon::files::FileError;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Makes iwd know these networks, and forget those that this program gave it before. Networks that
/// came another way stay.
///
/// iwd adds to its files what it learns, such as the derived key. A file is therefore written only
/// when the card says something new about its network.
pub(super) fn write(places: &Places, wifi: &Wifi) -> Result<(), FileError> {
    let told = places.kept().join("wifi-network");
    let before = told_before(&text(&told)?.unwrap_or_default());
    let networks: BTreeMap<_, _> = wifi.networks().filter_map(network).collect();
    for gone in before.keys().filter(|name| !networks.contains_key(*name)) {
        remove(&places.networks().join(gone))?;
    }
    let mut changed = before != networks;
    for (name, content) in &networks {
        let path = places.networks().join(name);
        if before.get(name) != Some(content) || !path.exists() {
            put(&path, content, Readers::Nobody)?;
            changed = true;
        }
    }
    // After the files: after a power cut in between the networks are written again.
    if networks.is_empty() {
        remove(&told)?;
    } else if changed {
        put(&told, &serde_json::to_string(&networks).unwrap_or_default(), Readers::Nobody)?;
    }
    prefer(places, wifi)?;
    let Some(country) = &wifi.country else { return Ok(()) };
    let path = places.iwd_config();
    put(&path, &with_country(&text(&path)?.unwrap_or_default(), country), Readers::Everybody)
}

/// The networks that this program has written, by file name. Releases that knew one network wrote
/// its name and, below, its content.
fn told_before(memory: &str) -> BTreeMap<String, String> {
    serde_json::from_str(memory).unwrap_or_else(|_| {
        let one = memory.split_once('\n').filter(|(name, _)| !name.is_empty());
        one.map(|(name, content)| (name.to_owned(), content.to_owned())).into_iter().collect()
    })
}

/// Lets iwd prefer networks by their priority. It prefers one that it was connected to later, by
/// the age of the network's file (`network_rankmod` in iwd): 19 % of the signal's rank for the
/// second, 28 % for the third. So a preferred network that is hardly there still loses to a near
/// one.
fn prefer(places: &Places, wifi: &Wifi) -> Result<(), FileError> {
    let mut networks: Vec<_> = wifi.networks().collect();
    // Those that are alike stay in the order of the file.
    networks.sort_by_key(|network| Reverse(network.priority.unwrap_or_default()));
    let paths = networks.iter().filter_map(|wifi| network(wifi));
    let paths: Vec<_> = paths.map(|(name, _)| places.networks().join(name)).collect();
    let failed = |path: &Path, source| FileError::Io {
        action: "set the time of",
        path: path.to_owned(),
        source,
    };
    let time = |path: &PathBuf| {
        let time = path.metadata().and_then(|metadata| metadata.modified());
        time.map_err(|source| failed(path, source))
    };
    let times = paths.iter().map(time).collect::<Result<Vec<_>, _>>()?;
    let Some(newest) = times.iter().max().filter(|_| !times.is_sorted_by(|a, b| a > b)) else {
        return Ok(());
    };
    for (path, age) in paths.iter().zip(0..) {
        let time = *newest - Duration::from_secs(age);
        let set = File::options().write(true).open(path).and_then(|file| file.set_modified(time));
        set.map_err(|source| failed(path, source))?;
    }
    Ok(())
}

/// Name and content of the network's file. WPA2 and WPA3 have the same: iwd takes what the network
/// offers.
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
        let several = Wifi { further: vec![wifi("a.b", Some("12345678"))], ..wifi("two", None) };
        write(&places, &several).unwrap();
        assert_eq!(names(), ["=612e62.psk", "friend.psk", "two.open"]);
        write(&places, &wifi("a.b", Some("12345678"))).unwrap();
        assert_eq!(names(), ["=612e62.psk", "friend.psk"]);
        write(&places, &Wifi::default()).unwrap();
        assert_eq!(names(), ["friend.psk"]);
    }

    #[test]
    fn a_network_of_a_release_that_knew_one_is_taken_away_too() {
        let directory = tempfile::tempdir().unwrap();
        let places = Places::new(directory.path());
        let old = places.networks().join("one.psk");
        put(&old, "[Security]\nPassphrase=12345678\nPreSharedKey=00\n", Readers::Nobody).unwrap();
        let memory = "one.psk\n[Security]\nPassphrase=12345678\n";
        put(&places.kept().join("wifi-network"), memory, Readers::Nobody).unwrap();
        write(&places, &wifi("one", Some("12345678"))).unwrap();
        assert!(text(&old).unwrap().unwrap().contains("PreSharedKey"), "what iwd learnt stays");
        write(&places, &wifi("two", None)).unwrap();
        assert!(!old.exists());
    }

    #[test]
    fn the_preferred_network_is_the_one_that_iwd_takes_for_the_latest() {
        let directory = tempfile::tempdir().unwrap();
        let places = Places::new(directory.path());
        let with = |ssid, priority| Wifi { priority, ..wifi(ssid, None) };
        let further = vec![with("b", Some(7)), with("c", None), with("d", Some(9))];
        let networks = Wifi { further, ..with("a", None) };
        let latest_first = || {
            let mut names: Vec<_> = std::fs::read_dir(places.networks())
                .unwrap()
                .map(|entry| entry.unwrap())
                .map(|entry| (entry.metadata().unwrap().modified().unwrap(), entry.file_name()))
                .collect();
            names.sort();
            names.into_iter().rev().map(|(_, name)| name.into_string().unwrap()).collect::<String>()
        };
        write(&places, &networks).unwrap();
        assert_eq!(latest_first(), "d.openb.opena.openc.open");
        // iwd was connected to another one in between.
        let now = std::time::SystemTime::now();
        File::options()
            .write(true)
            .open(places.networks().join("c.open"))
            .unwrap()
            .set_modified(now)
            .unwrap();
        write(&places, &networks).unwrap();
        assert_eq!(latest_first(), "d.openb.opena.openc.open");
    }
}
