//! From `provision.toml` to what the boot script reads, and back from what it did.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use rccar_provision::apply::{FileState, Outcome, Places, apply};
use std::fs;
use std::path::PathBuf;
use tempfile::TempDir;

const CAMERA: &str = "[camera]\nsensor = \"imx219\"\n";
const RESTART: &str = "counts from the next start on: switch the car off and on again";

struct Card {
    directory: TempDir,
    places: Places,
}

impl Card {
    fn new(file: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let places = Places::new(directory.path());
        for folder in [places.card(), places.defaults(), directory.path().join("proc")] {
            fs::create_dir_all(folder).unwrap();
        }
        fs::write(places.defaults().join("drive.toml"), "actuator = \"simulator\"\n").unwrap();
        let card = Self { directory, places };
        card.file(file);
        card
    }

    fn file(&self, text: &str) {
        fs::write(self.places.file(), text).unwrap();
    }

    /// A start at which the boot script did this.
    fn start(&self, arguments: &str) -> Outcome {
        fs::write(self.directory.path().join("proc/cmdline"), format!("ro {arguments} panic=5\n"))
            .unwrap();
        apply(&self.places).unwrap()
    }

    fn choice(&self) -> PathBuf {
        self.places.card().join("overlays.env")
    }

    /// The overlays that the next start applies.
    fn chosen(&self) -> String {
        let block = fs::read(self.choice()).unwrap();
        let text = String::from_utf8(block[4..].to_vec()).unwrap();
        text.split('\0').next().unwrap().strip_prefix("overlays=").unwrap().to_owned()
    }
}

fn is_told(outcome: &Outcome, words: &str) -> bool {
    outcome.notices.iter().any(|notice| notice.contains(words))
}

#[test]
fn a_sensor_counts_from_the_next_start_on_and_the_report_says_so() {
    let card = Card::new(CAMERA);
    let outcome = card.start("rccar.overlays=board,");
    assert_eq!(card.chosen(), "camera-imx219");
    assert!(is_told(&outcome, RESTART), "{:?}", outcome.notices);
    assert!(fs::read_to_string(card.places.report()).unwrap().contains(RESTART));
    let outcome = card.start("rccar.overlays=board,camera-imx219,");
    assert_eq!((outcome.file, outcome.notices), (FileState::Good, vec![]));
}

#[test]
fn a_card_that_wants_no_overlay_has_no_choice_on_it() {
    let card = Card::new("");
    let outcome = card.start("rauc.slot=A");
    assert!(outcome.notices.is_empty() && !card.choice().exists(), "{:?}", outcome.notices);
}

#[test]
fn what_is_taken_out_again_is_taken_off_the_choice() {
    let card = Card::new(CAMERA);
    card.start("rccar.overlays=");
    card.file("[camera]\n");
    let outcome = card.start("rccar.overlays=camera-imx219,");
    assert!(is_told(&outcome, RESTART), "{:?}", outcome.notices);
    assert_eq!(card.chosen(), "");
    assert_eq!(card.start("rccar.overlays=").notices, Vec::<String>::new());
}

#[test]
fn an_overlay_that_does_not_apply_is_named_and_costs_only_itself() {
    let card = Card::new(&format!("{CAMERA}[drive]\nactuator = \"pca9685\"\n"));
    card.start("rccar.overlays=");
    let outcome = card.start("rccar.overlays=i2c, rccar.overlays_failed=camera-imx219,");
    let [notice] = &outcome.notices[..] else { panic!("{:?}", outcome.notices) };
    assert_eq!(
        notice,
        "the device-tree overlay camera-imx219 does not apply to this board: the camera on the \
         ribbon cable does not work"
    );
    let outcome = card.start("rccar.overlays=camera-imx219, rccar.overlays_missing=i2c,");
    assert!(is_told(&outcome, "overlay i2c does not exist for this board: the I²C bus"));
}

#[test]
fn a_torn_choice_is_written_again() {
    let card = Card::new(CAMERA);
    card.start("rccar.overlays=");
    for torn in [vec![], vec![7; 512], vec![0; 1024]] {
        fs::write(card.choice(), torn).unwrap();
        let outcome = card.start("rccar.overlays=");
        assert!(is_told(&outcome, RESTART), "{:?}", outcome.notices);
        assert_eq!(card.chosen(), "camera-imx219");
    }
}

#[test]
fn a_mistake_in_the_wiring_leaves_its_pins_alone() {
    let card = Card::new("[drive]\nactuator = \"pca9685\"\n");
    card.start("rccar.overlays=");
    assert_eq!(card.chosen(), "i2c");
    card.file("[drive]\nactuator = \"pca9658\"\n");
    card.start("rccar.overlays=i2c,");
    assert_eq!(card.chosen(), "");
}

#[test]
fn a_sensor_without_a_driver_costs_its_line_only_and_the_yocto_image_is_named() {
    for sensor in ["imx708", "imx477", "imx519"] {
        let card = Card::new(&format!("[camera]\nsensor = \"{sensor}\"\nfps = 15\n"));
        let outcome = card.start("rccar.overlays=");
        let [fault] = &outcome.faults[..] else { panic!("{:?}", outcome.faults) };
        assert_eq!((fault.line, fault.key.as_str()), (2, "camera.sensor"));
        assert!(fault.what.contains(sensor) && fault.what.contains("Yocto"), "{fault}");
        assert_eq!(outcome.unused, []);
        let car = fs::read_to_string(card.places.configs().join("car.toml")).unwrap();
        assert!(car.contains("fps = 15") && !car.contains("sensor"), "{car}");
        assert!(!card.choice().exists());
    }
}

#[test]
fn a_card_that_cannot_be_written_starts_all_the_same() {
    let card = Card::new(CAMERA);
    fs::create_dir(card.choice()).unwrap();
    let outcome = card.start("rccar.overlays=");
    assert!(is_told(&outcome, "the choice of overlays could not be written to the card"));
}

#[test]
fn a_boot_script_from_before_overlays_is_named() {
    let card = Card::new(CAMERA);
    assert!(is_told(&card.start("rauc.slot=A"), "flash the card anew"));
}
