//! Device-tree overlays: which ones the settings want, and what became of them.
//!
//! The boot script applies them before Linux starts (`image/boot/boot.cmd`), so a choice counts
//! from the next start on. It travels in a file beside `provision.toml`, as a block of U-Boot's
//! environment: one that is torn or damaged has a wrong checksum, and the script takes nothing of
//! it. What was applied, what could not be and what the slot lacks for this board comes back as
//! three arguments of the kernel's command line.

use super::Steps;
use super::card;
use super::files::text;
use super::places::Places;
use crate::settings::Settings;

/// Size of the block; the boot script reads as much.
const BLOCK: usize = 1024;

/// What the boot script is to do.
#[derive(Debug, Default, PartialEq, Eq)]
struct Choice {
    /// In the order in which they are applied: the power monitor is on a bus that another one
    /// switches on.
    overlays: Vec<String>,
    /// µΩ.
    shunt: Option<u32>,
}

/// What the boot script did at this start.
struct Started<'a> {
    applied: Vec<&'a str>,
    failed: Vec<&'a str>,
    missing: Vec<&'a str>,
}

/// Writes the choice down for the next start, and reports about that of this one.
pub(super) fn settle(places: &Places, settings: &Settings, steps: &mut Steps) {
    let choice = Choice::of(settings);
    let changed = match card::choice(places, &choice.block(), choice == Choice::default()) {
        Ok(changed) => changed,
        Err(failure) => {
            // A card that cannot be read is reported anyway.
            if choice != Choice::default() {
                let what = "the choice of overlays could not be written to the card";
                steps.notices.push(format!("{what}: {failure}"));
            }
            return;
        }
    };
    // A tree that no kernel started from has no command line.
    let Some(arguments) = text(&places.command_line()).ok().flatten() else { return };
    let notices = match Started::of(&arguments) {
        Some(started) => choice.compare(&started, changed),
        None if choice == Choice::default() => Vec::new(),
        None => vec![
            "the card's boot script knows no overlays, so cameras on the ribbon cable, power \
             monitors and pins that need one do not work: flash the card anew"
                .to_owned(),
        ],
    };
    steps.notices.extend(notices);
}

impl Choice {
    fn of(settings: &Settings) -> Self {
        let mut choice = Self::default();
        let actuator = settings.drive.actuator.as_deref();
        let monitor = settings.sensors.power_monitor.as_deref();
        if actuator == Some("pca9685") || monitor.is_some() {
            choice.overlays.push("i2c".to_owned());
        }
        if actuator == Some("pwm") {
            choice.overlays.push("pwm".to_owned());
        }
        if let Some(sensor) = &settings.camera.sensor {
            choice.overlays.push(format!("camera-{sensor}"));
        }
        if let Some(monitor) = monitor {
            choice.overlays.push(format!("power-{monitor}"));
            choice.shunt = settings.sensors.shunt_micro_ohm;
        }
        choice
    }

    /// A block of U-Boot's environment: CRC-32 of the rest, then `name=value` with a zero behind
    /// each, then zeros.
    fn block(&self) -> Vec<u8> {
        let mut data = format!("overlays={}\0", self.overlays.join(" "));
        if let Some((name, shunt)) = self.overlays.last().zip(self.shunt) {
            data.push_str(&format!("power_overlay={name}\0power_shunt={shunt:#x}\0"));
        }
        let mut data = data.into_bytes();
        data.resize(BLOCK - 4, 0);
        let mut block = crc32(&data).to_le_bytes().to_vec();
        block.extend(data);
        block
    }

    /// `changed`: this start began with another choice.
    fn compare(&self, started: &Started<'_>, changed: bool) -> Vec<String> {
        // The boot script applies the board's own by itself.
        let wanted = |name: &&&str| **name == "board" || self.overlays.iter().any(|n| n == **name);
        let sentence = |what: &'static str| {
            move |name: &&str| {
                format!("the device-tree overlay {name} {what}: {} not work", purpose(name))
            }
        };
        let mut notices: Vec<String> = Vec::new();
        let failed = started.failed.iter().filter(wanted);
        notices.extend(failed.map(sentence("does not apply to this board")));
        let missing = started.missing.iter().filter(wanted);
        notices.extend(missing.map(sentence("does not exist for this board")));
        let seen = || started.applied.iter().chain(&started.failed).chain(&started.missing);
        let others = |name: &&&str| **name != "board" && !self.overlays.iter().any(|n| n == **name);
        let unseen = self.overlays.iter().any(|name| !seen().any(|seen| seen == name));
        if changed || unseen || seen().any(|name| others(&name)) {
            notices.push(
                "what provision.toml says of camera sensor, actuator and power monitor counts \
                 from the next start on: switch the car off and on again"
                    .to_owned(),
            );
        }
        notices
    }
}

impl<'a> Started<'a> {
    /// `None`: the boot script is one that knows no overlays.
    fn of(arguments: &'a str) -> Option<Self> {
        let list = |name: &str| {
            let mut values = arguments.split_whitespace().filter_map(|a| a.strip_prefix(name));
            values.next_back().map(|list| list.split(',').filter(|name| !name.is_empty()).collect())
        };
        Some(Self {
            applied: list("rccar.overlays=")?,
            failed: list("rccar.overlays_failed=").unwrap_or_default(),
            missing: list("rccar.overlays_missing=").unwrap_or_default(),
        })
    }
}

/// What does not work without the overlay, with its verb.
fn purpose(overlay: &str) -> &'static str {
    match overlay.split('-').next() {
        Some("camera") => "the camera on the ribbon cable does",
        Some("power") => "the power monitor does",
        Some("i2c") => "the I²C bus on pins 3 and 5 may",
        Some("pwm") => "PWM on pins 32 and 33 does",
        _ => "parts of the board, such as its fan, may",
    }
}

/// CRC-32 of IEEE 802.3, as U-Boot and zlib have it.
fn crc32(data: &[u8]) -> u32 {
    !data.iter().fold(u32::MAX, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| {
            if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choice(text: &str) -> Choice {
        let parsed = crate::parse(text.as_bytes());
        assert_eq!(parsed.faults, []);
        Choice::of(&parsed.settings)
    }

    #[test]
    fn the_checksum_is_u_boots() {
        // The check value of CRC-32/ISO-HDLC.
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn a_simulated_car_wants_no_overlay() {
        assert_eq!(choice("[drive]\n"), Choice::default());
        assert_eq!(choice("[drive]\nactuator = 'simulator'\n"), Choice::default());
    }

    #[test]
    fn the_bus_comes_before_what_is_on_it() {
        let all = choice(
            "[camera]\nsensor = 'imx219'\n[drive]\nactuator = 'pca9685'\n\
             [sensors]\npower_monitor = 'ina226'\nshunt_micro_ohm = 2000\n",
        );
        assert_eq!(all.overlays, ["i2c", "camera-imx219", "power-ina226"]);
        let monitor = choice("[sensors]\npower_monitor = 'ina260'\n");
        assert_eq!(monitor.overlays, ["i2c", "power-ina260"]);
    }

    #[test]
    fn the_block_has_one_size_and_what_the_boot_script_reads() {
        let block = choice("[sensors]\npower_monitor = 'ina219'\nshunt_micro_ohm = 2000\n").block();
        let expected: &[u8] =
            b"overlays=i2c power-ina219\0power_overlay=power-ina219\0power_shunt=0x7d0\0\0";
        assert_eq!(block.len(), BLOCK);
        assert_eq!(&block[4..4 + expected.len()], expected);
        assert_eq!(block[..4], crc32(&block[4..]).to_le_bytes());
    }

    #[test]
    fn the_arguments_of_the_boot_script_are_read() {
        let started = Started::of(
            "console=tty0 rccar.overlays=board,i2c, rccar.overlays_failed=pwm, \
             rccar.overlays_missing= panic=5\n",
        )
        .unwrap();
        assert_eq!((started.applied, started.failed), (vec!["board", "i2c"], vec!["pwm"]));
        assert_eq!(started.missing, Vec::<&str>::new());
        assert!(Started::of("console=tty0 rauc.slot=A\n").is_none());
    }
}
