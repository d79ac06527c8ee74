//! What people leave on a card: empty and odd files, files beside it, several networks.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod common;

use common::{Card, tree};
use rccar_provision::apply::{FileState, Instead, Unused};
use std::fs;

#[test]
fn an_empty_file_changes_nothing_and_is_named() {
    let card = Card::new("[car]\nname = \"Blitz\"\n[drive]\nactuator = \"pca9685\"\n");
    card.start();
    for empty in ["", "\r\n \r\n", "\0\0\0\0\0\0"] {
        card.file(empty);
        let outcome = card.start();
        assert_eq!((outcome.file, outcome.faults.len()), (FileState::Empty, 0), "{outcome:?}");
        assert_eq!(outcome.unused, []);
        assert_eq!(card.config("car.toml")["car"]["name"].as_str(), Some("Blitz"));
        assert_eq!(card.config("drive.toml")["actuator"].as_str(), Some("pca9685"));
        assert!(card.report().contains("It is empty, which changes nothing"), "{}", card.report());
    }
}

#[test]
fn what_nobody_can_read_keeps_what_held_and_the_report_says_so() {
    let card = Card::new(
        "[wifi]\nssid = \"Home\"\n[car]\nname = \"Blitz\"\n[drive]\nactuator = \"pca9685\"\n",
    );
    card.start();
    assert_eq!(card.config("drive.toml")["actuator"].as_str(), Some("pca9685"));
    card.file("[car]\nname = \"Blitz\"\n[locale]\nkeymap = \"de\"\n");
    let mut outcome = card.start();
    outcome.unused.sort_by_key(|unused| unused.table);
    let unused = [("drive", Instead::Off), ("wifi", Instead::Kept)];
    assert_eq!(outcome.unused, unused.map(|(table, instead)| Unused { table, instead }));
    assert_eq!(card.config("drive.toml")["actuator"].as_str(), Some("none"));
    assert!(card.places.networks().join("Home.open").exists());
    assert!(card.report().contains("Until [wifi] is right, the settings from before hold"));
    card.file("\u{200b}[wlan]\nssid = \"New\"\n[car]\nname = \"Blitz\"\n");
    let outcome = card.start();
    assert_eq!((outcome.file, outcome.notices.len()), (FileState::Good, 2), "{outcome:?}");
    assert!(card.places.networks().join("New.open").exists());
    assert!(card.report().contains("[wlan] was read as [wifi]"), "{}", card.report());
}

#[test]
fn a_file_that_was_not_written_to_its_end_does_not_drive() {
    let whole = "[car]\nname = \"Blitz\"\n[drive]\nactuator = \"pca9685\"\n# the ESC\n\
                 esc = \"bidirectional\"\n[wifi]\nssid = \"Home\"\n";
    for end in ["\"Blitz\"\n", "[dr", "[drive]", "\"pca9685\"\n", "# the ESC", "# the ESC\n", "es"]
    {
        for byte in [0, 0xff] {
            for is_new in [true, false] {
                let card = Card::new(if is_new { "" } else { whole });
                card.start();
                let cut = whole.find(end).unwrap() + end.len();
                let mut bytes = whole.as_bytes()[..cut].to_vec();
                bytes.resize(whole.len(), byte);
                fs::write(card.places.file(), bytes).unwrap();
                let outcome = card.start();
                let seen = format!("{end:?}, {byte}, {is_new}: {outcome:#?}");
                assert_eq!(outcome.file, FileState::Faulty, "{seen}");
                assert!(outcome.faults.iter().any(|fault| fault.what.contains("lost")), "{seen}");
                let actuator = &card.config("drive.toml")["actuator"];
                assert_ne!(actuator.as_str(), Some("pca9685"), "{seen}");
                let home = card.places.networks().join("Home.open");
                assert_eq!(home.exists(), !is_new, "{seen}");
            }
        }
    }
}

#[test]
fn files_beside_it_that_were_meant_for_it_are_named_first() {
    let card = Card::new("[car]\n# name = \"Blitz\"\n");
    let quiet = card.start();
    assert!(quiet.notices.is_empty() && card.report().contains("There is no setting in it"));
    for name in ["provision.toml.txt", "wpa_supplicant.conf", "ssh"] {
        fs::write(card.places.card().join(name), "").unwrap();
    }
    let outcome = card.start();
    assert_eq!((outcome.file, outcome.notices.len()), (FileState::Good, 3));
    let report = card.report();
    for words in ["`provision.toml.txt` lies", "`wpa_supplicant.conf` lies", "`ssh` lies"] {
        assert!(report.contains(words), "{words}: {report}");
    }
    assert!(!report.contains("Everything in it was right"), "{report}");
    for n in 0..50 {
        fs::write(card.places.card().join(format!("provision ({n}).toml")), "").unwrap();
    }
    assert_eq!(card.start().notices.len(), 9);
}

#[test]
fn several_networks_reach_iwd() {
    let card = Card::new(
        "[wifi]\ncountry = \"DE\"\nssid = \"Home\"\npassword = \"12345678\"\n\
         [[wifi]]\nssid = \"Phone\"\npriority = 5\nhidden = true\n",
    );
    assert_eq!(card.start().file, FileState::Good);
    let network = |name: &str| fs::metadata(card.places.networks().join(name)).unwrap();
    assert!(network("Phone.open").modified().unwrap() > network("Home.psk").modified().unwrap());
    let before = tree(card.directory.path());
    card.start();
    assert_eq!(tree(card.directory.path()), before, "a second start writes nothing");
    card.file("[[wifi]]\nssid = \"Home\"\npassword = \"1\"\n[[wifi]]\nssid = \"Club\"\n");
    card.start();
    for name in ["Home.psk", "Phone.open", "Club.open"] {
        assert!(card.places.networks().join(name).exists(), "{name}");
    }
}
