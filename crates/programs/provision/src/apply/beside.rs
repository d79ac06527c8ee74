//! Files on the card that somebody took for `provision.toml`, or wrote for another system.
//!
//! Windows hides the ends of names, browsers number a second download, and Raspberry Pi's Imager
//! writes settings that only Raspberry Pi OS reads. Without a word about them a person sees a card
//! with all settings and a car that has none.

use super::places::Places;
use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt;

const NAME: &str = "provision.toml";
/// Names that are looked at: a card with more is full of something else.
const MAX_ENTRIES: usize = 2000;
/// Files that are named.
const MAX_NAMED: usize = 8;
/// Likeness of a name that was meant to be ours: one letter that is wrong, missing or swapped.
const ALIKE: f64 = 0.95;

/// What to do with each such file. The names are sorted, so the report is always the same.
pub(super) fn others(places: &Places) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(places.card()) else { return Vec::new() };
    let id = |path| std::fs::metadata(path).ok().map(|file| (file.dev(), file.ino()));
    let ours = id(places.file());
    // FAT knows no case: `PROVISION.TOML` may be the very file that is read.
    let others = entries.flatten().take(MAX_ENTRIES).filter(|entry| {
        ours.is_none() || !entry.file_name().eq_ignore_ascii_case(NAME) || id(entry.path()) != ours
    });
    let names: BTreeSet<String> =
        others.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    let mut said: Vec<String> =
        names.iter().filter_map(|name| said(name, ours.is_some())).collect();
    if said.len() > MAX_NAMED {
        let more = said.len() - MAX_NAMED;
        said.truncate(MAX_NAMED);
        said.push(format!("{more} more files of these kinds lie beside provision.toml"));
    }
    said
}

/// What to do with the file. `None`: it has nothing to do with settings, or is the card's own.
fn said(name: &str, has_ours: bool) -> Option<String> {
    let lower = name.to_lowercase();
    let what = foreign(&plain(&lower)).map(str::to_owned).or_else(|| {
        is_meant_to_be_ours(&lower).then(|| {
            let rename = match has_ours {
                true => "delete that one and rename this one to provision.toml",
                false => "rename it to provision.toml",
            };
            let hidden = match lower.starts_with("provision.toml.") {
                true => {
                    ". Windows and macOS hide the end of a name: in the Explorer switch on \
                     \"View, Show, File name extensions\", in the Finder \"Settings, Advanced, \
                     Show all filename extensions\""
                }
                false => "",
            };
            format!(
                "only provision.toml is read: if your settings are in this file, {rename}{hidden}"
            )
        })
    })?;
    let shown: String = name.chars().filter(|c| !c.is_control()).take(64).collect();
    Some(format!("`{shown}` lies on the card and is not read: {what}"))
}

/// A name without what Windows, browsers and file managers add to it.
fn plain(lower: &str) -> String {
    let stem = lower.trim();
    let stem = ["copy of ", "kopie von "].iter().find_map(|copy| stem.strip_prefix(copy));
    let mut stem = stem.unwrap_or(lower.trim()).trim_end_matches('~').to_owned();
    for end in [".txt", ".bak", ".old", ".rtf"] {
        // Several files of other systems do end with `.txt`: both names are known.
        stem = stem.strip_suffix(end).unwrap_or(&stem).to_owned();
    }
    // `name (1).end` and `name - copy.end`.
    let (front, end) = stem.rsplit_once('.').unwrap_or((&stem, ""));
    let front = front.split(" (").next().unwrap_or(front);
    let front = front.split(" - ").next().unwrap_or(front).trim();
    if end.is_empty() { front.to_owned() } else { format!("{front}.{end}") }
}

/// What another system's file is for, by its plain name.
fn foreign(plain: &str) -> Option<&'static str> {
    Some(match plain {
        "custom.toml" | "firstrun.sh" | "firstboot.sh" => {
            "Raspberry Pi Imager wrote it for Raspberry Pi OS. Put name, Wi-Fi and key into \
             provision.toml, and delete it"
        }
        "user-data" | "network-config" | "meta-data" | "vendor-data" => {
            "it is cloud-init's, which this car does not have. Put name, Wi-Fi and key into \
             provision.toml, and delete it"
        }
        "wpa_supplicant.conf"
        | "wpa_supplicant"
        | "wifi"
        | "wifi.conf"
        | "network"
        | "interfaces"
        | "octopi-wpa-supplicant"
        | "headless_nm" => {
            "this car has its Wi-Fi from provision.toml: put `ssid`, `password` and `country` into \
             [wifi] there, and delete it"
        }
        _ if plain.ends_with(".nmconnection") => {
            "this car has its Wi-Fi from provision.toml: put `ssid`, `password` and `country` into \
             [wifi] there, and delete it"
        }
        "ssh" | "authorized_keys" | "id_ed25519.pub" | "id_rsa.pub" => {
            "SSH is switched on by the line `public_key` below [ssh] in provision.toml, and by no \
             password. Delete it"
        }
        "userconf" | "userconf.txt" => {
            "this car has no users with passwords: [ssh] in provision.toml lets a key in. Delete it"
        }
        "hostname" => "the car's name is `name` below [car] in provision.toml. Delete it",
        _ => return None,
    })
}

/// `provision.toml.txt`, `provision (1).toml`, `Provision.toml.part`, `provison.toml` and the like.
fn is_meant_to_be_ours(lower: &str) -> bool {
    // The Finder's notes about a file, a file that is being written, and our own report.
    let is_other = lower.starts_with("._")
        || lower.starts_with(".provision")
        || plain(lower).starts_with("provision-report");
    !is_other && (lower.contains("provision") || strsim::jaro_winkler(&plain(lower), NAME) >= ALIKE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_was_meant_is_named_with_what_to_do() {
        for name in [
            "provision.toml.txt",
            "provision (1).toml",
            "provision(2).toml",
            "provision - Copy.toml",
            "Copy of provision.toml",
            "provision.TOML",
            "Provision.toml.TXT",
            "provision.txt",
            "provision",
            "provision.toml.crdownload",
            "provision.toml~",
            "provison.toml",
            "provisioning.toml",
            "provision,toml",
            "provision.tml",
        ] {
            let said = said(name, true).unwrap_or_else(|| panic!("{name}"));
            assert!(said.starts_with(&format!("`{name}` lies")), "{said}");
            assert!(
                said.contains("delete that one and rename this one to provision.toml"),
                "{said}"
            );
            assert_eq!(
                said.contains("Explorer"),
                name.to_lowercase().starts_with("provision.toml.")
            );
        }
        assert!(said("provision.toml.txt", false).unwrap().contains(", rename it to"));
    }

    #[test]
    fn files_of_other_systems_are_named_with_the_table_that_does_the_same() {
        for (name, words) in [
            ("custom.toml", "Imager"),
            ("firstrun.sh", "Imager"),
            ("user-data", "cloud-init"),
            ("network-config", "cloud-init"),
            ("user-data.txt", "cloud-init"),
            ("wpa_supplicant.conf", "[wifi]"),
            ("wpa_supplicant.conf.txt", "[wifi]"),
            ("WPA_SUPPLICANT (1).conf", "[wifi]"),
            ("home.nmconnection", "[wifi]"),
            ("ssh", "[ssh]"),
            ("SSH.txt", "[ssh]"),
            ("userconf.txt", "[ssh]"),
            ("userconf", "[ssh]"),
        ] {
            let said = said(name, true).unwrap_or_else(|| panic!("{name}"));
            assert!(said.contains(words), "{name}: {said}");
        }
    }

    #[test]
    fn the_card_s_own_files_are_not_named() {
        for name in [
            "provision-report.txt",
            ".provision-report.txt.new",
            "._provision.toml",
            "overlays.env",
            "uboot.env",
            "config.txt",
            "boot.scr",
            "u-boot.bin",
            "overlays",
            "bcm2712-rpi-5-b.dtb",
            "start4.elf",
            "System Volume Information",
            ".Trashes",
            "readme.txt",
        ] {
            assert_eq!(said(name, true), None, "{name}");
        }
    }
}
