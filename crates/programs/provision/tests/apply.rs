//! A car's tree, from start to start.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod common;

use common::{Card, mode, tree};
use rccar_provision::apply::{FileState, Instead, Unused, apply};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

const TOKEN: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
#[test]
fn a_good_file_reaches_every_service() {
    let card = Card::new(&format!(
        "[host]\nurl = \"https://drive.example\"\ntoken = \"{TOKEN}\"\n\
         [car]\nname = \"Roter Blitz\"\n\
         [wifi]\ncountry = \"DE\"\nssid = \"Café\"\npassword = \"12345678\"\n\
         [modem]\napn = \"internet\"\npin = \"0123\"\n\
         [camera]\nwidth = 320\nheight = 240\n[update]\nchannel = \"beta\"\n\
         [ssh]\npublic_key = \"ssh-ed25519 \
         AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f me\"\n"
    ));
    let outcome = card.start();
    assert_eq!(
        (outcome.file, outcome.faults.len(), outcome.notices.len()),
        (FileState::Good, 0, 0),
        "{outcome:?}"
    );
    let car = card.config("car.toml");
    assert_eq!(car["host"]["url"].as_str(), Some("https://drive.example"));
    assert_eq!(car["host"]["enrolment"].as_str(), Some(TOKEN));
    assert_eq!(car["car"]["name"].as_str(), Some("Roter Blitz"));
    assert_eq!(
        (car["camera"]["source"].as_str(), car["camera"]["width"].as_integer()),
        (Some("libcamera"), Some(320))
    );
    assert_eq!(car["lan"]["listen"][0].as_str(), Some("[::]:80"));
    assert_eq!(card.config("drive.toml")["actuator"].as_str(), Some("simulator"));
    assert_eq!(card.config("update.toml")["update"]["channel"].as_str(), Some("beta"));
    assert_eq!(card.config("modem.toml")["modem"]["pin"].as_str(), Some("0123"));
    let network = card.places.networks().join("=436166c3a9.psk");
    assert_eq!(fs::read_to_string(&network).unwrap(), "[Security]\nPassphrase=12345678\n");
    assert_eq!(fs::read_to_string(card.places.iwd_config()).unwrap(), "[General]\nCountry=DE\n");
    assert!(fs::read_to_string(card.places.ssh_key()).unwrap().ends_with(" me\n"));
    assert_eq!(
        fs::read_to_string(card.directory.path().join("etc/hostname")).unwrap(),
        "roter-blitz\n"
    );
    let kept = card.places.kept().join("provision.toml");
    for (secret, wanted) in [
        (network, 0o600),
        (kept, 0o600),
        (card.places.configs().join("car.toml"), 0o640),
        (card.places.configs().join("modem.toml"), 0o640),
        (card.places.json(), 0o644),
    ] {
        assert_eq!(mode(&secret), wanted, "{}", secret.display());
    }
}

#[test]
fn a_mistake_costs_its_table_and_the_rest_is_used() {
    let card = Card::new(
        "[wifi]\nssid = \"Net\"\npassword = \"12345678\"\n[camera]\nfps = 99\nwidth = 320\n",
    );
    let outcome = card.start();
    assert_eq!(
        outcome.unused.iter().map(|unused| (unused.table, unused.instead)).collect::<Vec<_>>(),
        [("camera", Instead::Default)]
    );
    assert!(card.places.networks().join("Net.psk").exists());
    assert_eq!(card.config("car.toml")["camera"].get("width"), None);
    let report = card.report();
    for words in [
        "line 5, camera.fps",
        "1 to 60",
        "for example: fps = 30",
        "Until [camera] is right, the defaults hold",
        "\r\n",
    ] {
        assert!(report.contains(words), "{words}: {report}");
    }
}

#[test]
fn what_was_right_before_holds_until_the_mistake_is_mended() {
    let card = Card::new("[camera]\nfps = 10\n[wifi]\nssid = \"Old\"\n");
    card.start();
    card.file("[camera]\nfps = \"fast\"\n[wifi]\nssid = \"New\"\n");
    let outcome = card.start();
    assert_eq!(outcome.unused[0].instead, Instead::Kept);
    assert_eq!(card.config("car.toml")["camera"]["fps"].as_integer(), Some(10));
    assert!(
        card.places.networks().join("New.open").exists()
            && !card.places.networks().join("Old.open").exists()
    );
    card.file("[camera]\nfps = 20\n");
    assert_eq!(card.start().file, FileState::Good);
    assert_eq!(card.config("car.toml")["camera"]["fps"].as_integer(), Some(20));
    assert!(
        !card.places.networks().join("New.open").exists(),
        "a table that is gone means the defaults"
    );
    assert!(card.report().contains("Everything in it was right"));
}

#[test]
fn without_the_file_or_the_card_the_settings_from_before_hold() {
    let card = Card::new("[car]\nname = \"Blitz\"\n");
    card.start();
    fs::remove_file(card.places.file()).unwrap();
    assert_eq!(card.start().file, FileState::Missing);
    assert_eq!(card.config("car.toml")["car"]["name"].as_str(), Some("Blitz"));
    fs::remove_dir_all(card.places.card()).unwrap();
    let outcome = card.start();
    assert_eq!(card.config("car.toml")["car"]["name"].as_str(), Some("Blitz"));
    assert!(
        outcome.notices.iter().any(|notice| notice.contains("could not be written to the card")),
        "{:?}",
        outcome.notices
    );
}

#[test]
fn a_new_card_without_a_file_starts_with_the_defaults() {
    let card = Card::new("");
    fs::remove_file(card.places.file()).unwrap();
    let outcome = card.start();
    assert_eq!((outcome.file, outcome.host_name.as_str()), (FileState::Missing, "rccar"));
    assert_eq!(card.config("car.toml")["camera"]["source"].as_str(), Some("libcamera"));
    assert!(card.report().contains("There is no provision.toml"));
}

#[test]
fn a_second_start_writes_nothing() {
    let card = Card::new(
        "[wifi]\nssid = \"Net\"\npassword = \"12345678\"\ncountry = \"DE\"\n[camera]\nfps = 99\n",
    );
    card.start();
    let before = tree(card.directory.path());
    card.start();
    assert_eq!(tree(card.directory.path()), before);
}

#[test]
fn what_a_power_cut_left_half_written_does_no_harm() {
    let card = Card::new("[wifi]\nssid = \"Net\"\n[camera]\nfps = 99\n");
    card.start();
    for half in [
        card.places.kept().join("provision.toml"),
        card.places.kept().join("wifi-network"),
        card.places.kept().join("access-code"),
        card.places.report(),
        card.places.json(),
    ] {
        // The file is cut off, and the temporary file of the broken write lies beside it.
        let good = fs::read_to_string(card.places.configs().join("car.toml")).unwrap();
        let code = fs::read_to_string(card.places.kept().join("access-code")).unwrap();
        fs::write(&half, "[wif").unwrap();
        fs::write(
            half.with_file_name(format!(".{}.new", half.file_name().unwrap().to_str().unwrap())),
            "x",
        )
        .unwrap();
        card.start();
        let again = fs::read_to_string(card.places.configs().join("car.toml")).unwrap();
        let new_code = fs::read_to_string(card.places.kept().join("access-code")).unwrap();
        assert_eq!(again.replace(new_code.trim(), "code"), good.replace(code.trim(), "code"));
        assert!(card.places.networks().join("Net.open").exists());
    }
}

#[test]
fn a_wiring_with_a_mistake_is_no_simulated_car() {
    let actuator = |card: &Card| card.config("drive.toml").get("actuator").cloned();
    let card = Card::new("");
    card.start();
    assert_eq!(actuator(&card), Some("simulator".into()), "the image's default");
    card.file("[drive]\nactuator = \"pca9685\"\nmotor_neutral_us = 15\n");
    let outcome = card.start();
    assert_eq!(outcome.faults.len(), 1, "{:#?}", outcome.faults);
    assert!(outcome.faults[0].what.contains("800 to 2200"), "{:#?}", outcome.faults);
    assert_eq!(actuator(&card), Some("none".into()));
    // Nor one that was right before: the ESC may be another now.
    card.file("[drive]\nactuator = \"pca9685\"\n");
    card.start();
    assert_eq!(actuator(&card), Some("pca9685".into()));
    card.file("[drive]\nactuator = \"pca9658\"\n");
    let outcome = card.start();
    assert_eq!(actuator(&card), Some("none".into()));
    // And that is what a person reads.
    assert_eq!(outcome.unused, [Unused { table: "drive", instead: Instead::Off }]);
    assert!(card.report().contains("Until [drive] is right, the car cannot be armed."));
    assert!(!card.report().contains("from before"), "{}", card.report());
}

#[test]
fn a_wiring_that_the_drive_refuses_is_no_simulated_car_either() {
    let card = Card::new("[drive]\nactuator = \"pca9685\"\nsteering_left_us = 1600\n");
    card.service("rccar-drive", &refuses("1600"));
    let outcome = card.start();
    assert_eq!(outcome.unused, [Unused { table: "drive", instead: Instead::Off }]);
    assert_eq!(card.config("drive.toml")["actuator"], "none".into());
}

#[test]
fn a_battery_with_a_mistake_costs_itself_and_is_not_guarded_by_what_was_right_before() {
    let battery = |card: &Card| card.config("drive.toml").get("battery").cloned();
    let card = Card::new("[battery]\ncells = 3\n");
    card.start();
    assert_eq!(battery(&card), Some("cells = 3".parse::<toml::Table>().unwrap().into()));
    card.file("[battery]\ncells = 3\nstop = 3.55\n[drive]\nactuator = \"pca9685\"\n");
    let outcome = card.start();
    assert_eq!(outcome.faults.len(), 1, "{:#?}", outcome.faults);
    assert_eq!((outcome.faults[0].line, outcome.faults[0].key.as_str()), (3, "battery.stop"));
    assert_eq!((outcome.unused[0].table, outcome.unused[0].instead), ("battery", Instead::Default));
    assert_eq!(battery(&card), Some("faulty = true".parse::<toml::Table>().unwrap().into()));
    assert_eq!(card.config("drive.toml")["actuator"], "pca9685".into());
    assert!(card.report().contains("nothing guards the battery"), "{}", card.report());
    // Without the file what was right last holds.
    fs::remove_file(card.places.file()).unwrap();
    card.start();
    assert_eq!(battery(&card), Some("cells = 3".parse::<toml::Table>().unwrap().into()));
}

#[test]
fn a_battery_that_the_drive_refuses_costs_itself_and_not_the_wiring() {
    let card = Card::new("[drive]\nactuator = \"pca9685\"\n[battery]\ncells = 7\n");
    card.service("rccar-drive", &refuses("cells = 7"));
    let outcome = card.start();
    let unused: Vec<_> = outcome.unused.iter().map(|unused| unused.table).collect();
    assert_eq!(unused, ["battery"]);
    let drive = card.config("drive.toml");
    assert_eq!(drive["actuator"], "pca9685".into());
    assert_eq!(drive["battery"]["faulty"], true.into());
}

#[test]
fn notices_of_the_start_are_passed_on() {
    let card = Card::new("");
    fs::create_dir_all(card.places.notices()).unwrap();
    fs::write(
        card.places.notices().join("data.txt"),
        "the data partition was damaged and was made anew\n",
    )
    .unwrap();
    fs::write(card.places.notices().join("other.log"), "not this\n").unwrap();
    let outcome = card.start();
    assert_eq!(outcome.notices, ["the data partition was damaged and was made anew"]);
    assert!(card.report().contains("made anew"));
}

#[test]
fn a_car_that_reached_no_host_says_why_on_its_card() {
    let card = Card::new("[host]\nurl = \"https://drive.example\"\n");
    let file = card.places.host_trouble();
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(&file, "https://drive.example: a proxy\u{7} does not pass WebSockets on\n").unwrap();
    card.start();
    let said = "its host did not let it in. https://drive.example: a proxy does not pass";
    assert!(card.report().contains(said), "{}", card.report());
    fs::remove_file(&file).unwrap();
    assert!(card.start().notices.is_empty() && !card.report().contains("let it in"));
}

#[test]
fn what_a_service_puts_in_place_of_its_files_is_neither_shown_nor_waited_for() {
    let card = Card::new("[host]\nurl = \"https://drive.example\"\n");
    let (trouble, id) =
        (card.places.host_trouble(), card.directory.path().join("var/lib/rccar/car.id"));
    fs::create_dir_all(trouble.parent().unwrap()).unwrap();
    let secret = card.directory.path().join("secret");
    fs::write(&secret, "s3cretpass\n").unwrap();
    for file in [&trouble, &id] {
        std::os::unix::fs::symlink(&secret, file).unwrap();
    }
    card.start();
    let json = fs::read_to_string(card.places.json()).unwrap();
    assert!(!json.contains("s3cret") && !card.report().contains("s3cret"), "{json}");
    for file in [&trouble, &id] {
        fs::remove_file(file).unwrap();
        nix::unistd::mkfifo(file, nix::sys::stat::Mode::S_IRUSR).unwrap();
    }
    assert!(card.start().notices.is_empty());
}

#[test]
fn nothing_that_everybody_may_read_holds_a_secret() {
    let card = Card::new(&format!(
        "[host]\nurl = \"https://a.example\"\ntoken = \"{TOKEN}x\"\n\
         [wifi]\nssid = \"Net\"\npassword = s3cretpass\n[modem]\npin = \"98765432109\"\n\
         [lan]\naccess_code = \"s3cret\"\n"
    ));
    let outcome = card.start();
    assert_eq!(outcome.faults.len(), 4, "{:#?}", outcome.faults);
    let json = fs::read_to_string(card.places.json()).unwrap();
    for secret in ["s3cret", "98765432109", TOKEN] {
        assert!(!json.contains(secret) && !card.report().contains(secret), "{secret}");
    }
}

#[test]
fn a_damaged_default_of_the_image_is_an_error_with_its_name() {
    let card = Card::new("");
    card.default("car.toml", "[camera\n");
    let error = apply(&card.places).unwrap_err().to_string();
    assert!(error.contains("usr/share/rccar/car.toml"), "{error}");
}

impl Card {
    /// A service that writes its name into `asked` each time it is asked for a verdict.
    fn service(&self, name: &str, body: &str) {
        fs::create_dir_all(self.places.programs()).unwrap();
        let (path, asked) = (self.places.programs().join(name), self.asked().display().to_string());
        fs::write(
            &path,
            format!(
                "#!/bin/sh\n[ \"$3\" = check-config ] || exit 9\necho {name} >>{asked}\n{body}\n"
            ),
        )
        .unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn asked(&self) -> PathBuf {
        self.directory.path().join("asked")
    }
}

/// The body of a service that refuses configurations with this text in them.
fn refuses(text: &str) -> String {
    format!(
        "if grep -q '{text}' \"$2\"; then \
         echo \"error: $2:3:1: key \\`camera.x\\`: {text} is too much\" >&2; exit 2; fi"
    )
}

#[test]
fn a_table_that_a_service_refuses_is_dropped_and_the_car_comes_up() {
    let card = Card::new("[car]\nname = \"Blitz\"\n[camera]\nwidth = 320\nfps = 50\n");
    card.service("rccar-car", &refuses("fps = 50"));
    let outcome = card.start();
    let unused: Vec<_> =
        outcome.unused.iter().map(|unused| (unused.table, unused.instead)).collect();
    assert_eq!((outcome.file, unused), (FileState::Faulty, vec![("camera", Instead::Default)]));
    let car = card.config("car.toml");
    assert_eq!((car["camera"].get("fps"), car["camera"].get("width")), (None, None));
    assert_eq!(
        (car["camera"]["source"].as_str(), car["car"]["name"].as_str()),
        (Some("libcamera"), Some("Blitz"))
    );
    let report = card.report();
    for words in [
        "cannot use all of it",
        "rccar-car does not take [camera]: key `camera.x`: fps = 50 is too much",
        "the defaults hold",
    ] {
        assert!(report.contains(words), "{words}: {report}");
    }
    assert_eq!(mode(&card.places.configs().join("car.toml")), 0o640);
}

#[test]
fn what_a_service_took_before_holds_in_the_place_of_what_it_refuses() {
    let card = Card::new("[camera]\nfps = 10\n");
    card.service("rccar-car", &refuses("fps = 50"));
    assert_eq!(card.start().file, FileState::Good);
    card.file("[camera]\nfps = 50\n");
    for _ in 0..2 {
        let outcome = card.start();
        assert_eq!((outcome.file, outcome.unused[0].instead), (FileState::Faulty, Instead::Kept));
        assert_eq!(card.config("car.toml")["camera"]["fps"].as_integer(), Some(10));
    }
}

#[test]
fn several_tables_that_a_service_refuses_are_all_dropped_and_other_services_keep_theirs() {
    let card =
        Card::new("[car]\nname = \"Blitz\"\n[camera]\nfps = 50\n[update]\nchannel = \"beta\"\n");
    card.service("rccar-car", &format!("{}\n{}", refuses("fps = 50"), refuses("Blitz")));
    card.service("rccar-update", "exit 0");
    let outcome = card.start();
    assert_eq!(
        outcome.unused.iter().map(|unused| unused.table).collect::<Vec<_>>(),
        ["camera", "car"]
    );
    assert!(card.config("car.toml").get("car").is_none());
    assert_eq!(card.config("update.toml")["update"]["channel"].as_str(), Some("beta"));
}

#[test]
fn a_service_that_cannot_judge_changes_nothing() {
    let card = Card::new("[camera]\nfps = 50\n");
    card.service("rccar-car", "exit 1");
    assert_eq!(card.start().file, FileState::Good);
    assert_eq!(card.config("car.toml")["camera"]["fps"].as_integer(), Some(50));
}

#[test]
fn a_service_that_refuses_even_the_defaults_is_named() {
    let card = Card::new("[camera]\nfps = 50\n");
    card.service("rccar-car", &refuses("listen"));
    let outcome = card.start();
    assert_eq!(outcome.unused, []);
    assert!(
        outcome.notices[0].contains("rccar-car refuses the image's own settings: key"),
        "{:?}",
        outcome.notices
    );
}

#[test]
fn a_service_is_asked_once_for_each_configuration_and_release() {
    let card = Card::new("[camera]\nfps = 10\n");
    card.service("rccar-car", "exit 0");
    let asked = || fs::read_to_string(card.asked()).unwrap().lines().count();
    card.start();
    card.start();
    assert_eq!(asked(), 1);
    card.file("[camera]\nfps = 20\n");
    card.start();
    assert_eq!(asked(), 2);
    fs::create_dir_all(card.directory.path().join("usr/lib")).unwrap();
    fs::write(card.directory.path().join("usr/lib/os-release"), "IMAGE_VERSION=2.0.0\n").unwrap();
    card.start();
    assert_eq!(asked(), 3);
}
