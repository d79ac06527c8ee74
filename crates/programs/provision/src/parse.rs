//! From bytes to settings.

use crate::document::{Document, Section};
use crate::fault::Fault;
use crate::lines;
use crate::reader::Reader;
use crate::schema::{TABLES, Table};
use crate::settings::{
    Battery, Camera, Car, Drive, Host, Lan, Modem, Sensors, Settings, Speed, Ssh, Switches,
    Thousandths, Update,
};
use crate::{values, wifi};
use rccar_drive_core::BatterySettings;
use rccar_protocol::video::{BITRATES_KBPS, HEIGHTS, RATES, WIDTHS};
use std::collections::{BTreeMap, BTreeSet};

/// Most faults that are listed: a file with more is the wrong one.
const MAX_FAULTS: usize = 50;

/// The settings of a file, and its faults.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parsed {
    /// The values that are legal.
    pub settings: Settings,
    /// Every mistake, by line.
    pub faults: Vec<Fault>,
    /// Tables with mistakes, whose values must not be used by themselves.
    pub faulty: BTreeSet<&'static str>,
    /// Tables that the file leaves out as far as it can be read; parts of it cannot.
    pub held: BTreeSet<&'static str>,
    /// Nothing but blanks stands in the file.
    pub is_empty: bool,
    /// Notes about what was put right without asking.
    pub remarks: Vec<String>,
}

impl Parsed {
    /// The settings, with `kept` in the place of faulty tables and of those that nobody can read.
    #[must_use]
    pub fn settings_or(&self, kept: &Settings) -> Settings {
        let mut settings = self.settings.clone();
        for &table in self.faulty.union(&self.held) {
            match table {
                "wifi" => settings.wifi.fill_from(&kept.wifi),
                _ => settings.take_table(table, kept),
            }
        }
        settings
    }
}

/// Reads a file. Never fails: what cannot be read is a fault.
#[must_use]
pub fn parse(bytes: &[u8]) -> Parsed {
    let Document { sections, networks, strays, unclear, is_empty, mut faults, remarks } =
        Document::read(bytes);
    let mut faulty = misplaced(&sections, &strays);
    let mut settings = Settings::default();
    for table in &TABLES {
        let section = sections.get(table.name);
        if table.many {
            let read = wifi::read(table, section, &networks);
            settings.wifi = read.wifi;
            faults.extend(read.faults);
            if read.is_faulty {
                faulty.insert(table.name);
            }
            continue;
        }
        let mut reader = Reader::new(table, section);
        fill(&mut settings, table, &mut reader);
        let (wrong, unusable) = reader.finish();
        if !wrong.is_empty() || section.is_some_and(|section| section.broken) {
            faulty.insert(table.name);
        }
        faults.extend(wrong.into_iter().chain(unusable));
    }
    // What says nothing that can be read changes nothing. It must not look like a file that leaves
    // these tables out.
    let absent = TABLES.iter().map(|table| table.name).filter(|name| !sections.contains_key(name));
    let held = if unclear || sections.is_empty() { absent.collect() } else { BTreeSet::new() };
    for (table, fault) in lines::conflicts(&settings, &sections) {
        faulty.insert(table);
        faults.push(fault);
    }
    salvage_host(&settings, sections.get("host"), &mut faulty);
    faults.sort();
    faults.truncate(MAX_FAULTS);
    Parsed { settings, faults, faulty, held, is_empty, remarks }
}

/// Tables whose keys stand elsewhere: their heading was lost, or its place. They are not left out.
fn misplaced(
    sections: &BTreeMap<&'static str, Section>,
    strays: &[(usize, String)],
) -> BTreeSet<&'static str> {
    let mut tables = BTreeSet::new();
    for (_, key) in strays {
        // `wifi.ssid = …`, which TOML takes for a key of that table.
        tables.extend(Table::named(key).map(|table| table.name));
        let homes: Vec<_> = Table::homes(key).collect();
        let lacks = |table: &&&Table| {
            let section = sections.get(table.name);
            section.is_none_or(|section| {
                homes.len() == 1 && !section.entries.contains_key(key.as_str())
            })
        };
        tables.extend(homes.iter().filter(lacks).map(|table| table.name));
    }
    for (name, section) in sections {
        let own = Table::named(name);
        let foreign =
            section.entries.keys().filter(|key| own.is_some_and(|own| own.key(key).is_none()));
        let homes = foreign.flat_map(|key| Table::homes(key)).map(|table| table.name);
        tables.extend(homes.filter(|home| !sections.contains_key(home)));
    }
    tables
}

/// An address that is right is used even if the token beside it is wrong: the car then shows up as
/// unclaimed, which is better than not at all.
fn salvage_host(
    settings: &Settings,
    section: Option<&Section>,
    faulty: &mut BTreeSet<&'static str>,
) {
    if settings.host.url.is_some() && section.is_some_and(|section| !section.broken) {
        faulty.remove("host");
    }
}

fn fill(settings: &mut Settings, table: &Table, reader: &mut Reader<'_>) {
    match table.name {
        "host" => {
            settings.host = Host {
                url: reader.text("url", values::url),
                token: reader.text("token", values::token),
            };
            reader.needs("token", "url");
        }
        "car" => settings.car = Car { name: reader.text("name", values::name) },
        "modem" => {
            settings.modem = Modem {
                apn: reader.text("apn", values::apn),
                user: reader.text("user", values::short_text),
                password: reader.text("password", values::short_text),
                auth: reader.text("auth", values::auth),
                ip_type: reader.text("ip_type", values::ip_type),
                roaming: reader.flag("roaming"),
                initial_apn: reader.text("initial_apn", values::apn),
                pin: reader.text("pin", values::pin),
                gps: reader.flag("gps"),
            };
            reader.needs("password", "user");
            reader.needs("auth", "user");
        }
        "camera" => {
            settings.camera = Camera {
                source: reader.text("source", values::source),
                sensor: reader.usable("sensor", values::sensor, values::driver),
                device: reader.text("device", values::device),
                // With this step only the two ends are legal.
                rotation: reader.whole("rotation", 0..=180, 180, "degrees"),
                width: reader.whole("width", WIDTHS, 2, "pixels"),
                height: reader.whole("height", HEIGHTS, 2, "pixels"),
                fps: reader.whole("fps", RATES, 1, "frames per second"),
                bitrate_kbps: reader.whole("bitrate_kbps", BITRATES_KBPS, 1, "kbit/s"),
                encoder: reader.text("encoder", values::encoder),
            };
            // The car would refuse to start: the simulator is no camera to choose or to turn.
            if settings.camera.source.as_deref() == Some("simulator") {
                reader.useless("sensor", "the simulator has no ribbon cable");
                reader.useless("device", "there is only one simulator");
                reader.useless("rotation", "the simulator is never upside down");
            }
        }
        "drive" => {
            let pulses = 800..=2200;
            let mut pulse = |name: &str| reader.whole(name, pulses.clone(), 1, "µs");
            let steering =
                ["steering_left_us", "steering_neutral_us", "steering_right_us"].map(&mut pulse);
            let motor = ["motor_reverse_us", "motor_neutral_us", "motor_forward_us"].map(pulse);
            settings.drive = Drive {
                actuator: reader.text("actuator", values::actuator),
                enable_line: reader.text("enable_line", values::line),
                heartbeat_line: reader.text("heartbeat_line", values::line),
                esc: reader.text("esc", values::esc),
                max_forward: reader.whole("max_forward", 0..=100, 1, "per cent"),
                max_reverse: reader.whole("max_reverse", 0..=100, 1, "per cent"),
                steering_left_us: steering[0],
                steering_neutral_us: steering[1],
                steering_right_us: steering[2],
                motor_reverse_us: motor[0],
                motor_neutral_us: motor[1],
                motor_forward_us: motor[2],
            };
        }
        "sensors" => {
            settings.sensors = Sensors {
                power_monitor: reader.text("power_monitor", values::power_monitor),
                shunt_micro_ohm: reader.whole("shunt_micro_ohm", 100..=1_000_000, 1, "µΩ"),
            };
            reader.needs("shunt_micro_ohm", "power_monitor");
            if settings.sensors.power_monitor.as_deref() == Some("ina260") {
                reader.useless("shunt_micro_ohm", "the shunt of an INA260 is in the chip");
            }
        }
        "battery" => {
            // What the drive takes for a cell; further rules are its own.
            let mut volts = |name: &str| reader.thousandths(name, 2000..=4100, "volts for a cell");
            settings.battery = Battery {
                warn: volts("warn"),
                limit: volts("limit"),
                stop: volts("stop"),
                cells: reader.whole("cells", 1..=8, 1, "cells"),
                limited_speed: reader.whole("limited_speed", 10..=100, 1, "per cent"),
                action: reader.text("action", values::action),
                faulty: false,
            };
            for key in ["warn", "limit", "stop", "limited_speed", "action"] {
                reader.needs(key, "cells");
            }
            if let Err(what) = thresholds(&settings.battery) {
                reader.together(&["warn", "limit", "stop"], what);
            }
        }
        "speed" => {
            let speed = Speed {
                line: reader.text("line", values::line),
                pulses_per_turn: reader.whole("pulses_per_turn", 1..=600, 1, "pulses"),
                circumference_mm: reader.whole("circumference_mm", 20..=3000, 1, "mm"),
            };
            for key in ["pulses_per_turn", "circumference_mm"] {
                reader.needs(key, "line");
            }
            if let (Some(pulses), Some(way)) = (speed.pulses_per_turn, speed.circumference_mm)
                && pulses > way / 5
            {
                let what = format!("in {way} mm there may be {} at most, one for 5 mm", way / 5);
                reader.together(&["pulses_per_turn"], what);
            }
            settings.speed = speed;
        }
        "switches" => {
            settings.switches = Switches {
                lights_line: reader.text("lights_line", values::line),
                lights_active_low: reader.flag("lights_active_low"),
                horn_line: reader.text("horn_line", values::line),
                horn_active_low: reader.flag("horn_active_low"),
            };
            reader.needs("lights_active_low", "lights_line");
            reader.needs("horn_active_low", "horn_line");
        }
        "lan" => {
            settings.lan = Lan { access_code: reader.text("access_code", values::access_code) }
        }
        "ssh" => settings.ssh = Ssh { public_key: reader.text("public_key", values::public_key) },
        "update" => {
            settings.update = Update {
                channel: reader.text("channel", values::channel),
                automatic: reader.flag("automatic"),
                metered_mb: reader.whole("metered_mb", 0..=100_000, 1, "megabytes"),
                allow_downgrade: reader.flag("allow_downgrade"),
            };
        }
        _ => {}
    }
}

/// Whether the drive takes these voltages together, with its defaults for those that are left out.
fn thresholds(battery: &Battery) -> Result<(), String> {
    let mut settings = BatterySettings::default();
    for (voltage, given) in [
        (&mut settings.warn, battery.warn),
        (&mut settings.limit, battery.limit),
        (&mut settings.stop, battery.stop),
    ] {
        if let Some(given) = given.and_then(|Thousandths(millivolts)| millivolts.try_into().ok()) {
            *voltage = given;
        }
    }
    let BatterySettings { warn, limit, stop, .. } = settings;
    settings.check().map_err(|error| {
        let [warn, limit, stop] = [warn, limit, stop].map(|volts| Thousandths(volts.into()));
        format!(
            "with warn = {warn}, limit = {limit} and stop = {stop} the car cannot watch a battery: \
             {} is {}, but {}",
            error.key.trim_start_matches("battery."),
            Thousandths(u32::try_from(error.value).unwrap_or_default()),
            error.rule.replace("battery.", "")
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(text: &str) -> Vec<String> {
        parse(text.as_bytes()).faults.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_is_right_is_taken() {
        let text = "[host]\nurl = \"https://a.example/\"\n\
                    [wifi]\nssid = 'Net'\npassword = '12345678'\ncountry = 'de'\n\
                    [camera]\nfps = 25\n";
        let parsed = parse(text.as_bytes());
        assert_eq!(parsed.faults, []);
        assert_eq!(parsed.settings.host.url.as_deref(), Some("https://a.example"));
        assert_eq!(parsed.settings.wifi.country.as_deref(), Some("DE"));
        assert_eq!(parsed.settings.camera.fps, Some(25));
    }

    #[test]
    fn every_mistake_is_named_with_line_key_and_example() {
        let text = "[host]\nurl = \"drive.example\"\ntokne = \"x\"\n\
                    [wifi]\npasword = \"12345678\"\nssid = 5\n\
                    [modem]\npin = 123\n[camera]\nwidth = 641\nfps = \"30\"\n\
                    [update]\nautomatic = 'yes'\n[lan]\naccess_code = 'abc'\n";
        let found = faults(text);
        for (start, words, example) in [
            ("line 2, host.url:", "begin with https://", "url = \"https://drive.example\""),
            ("line 3, host.tokne:", "did you mean `token`", "token = "),
            ("line 5, wifi.pasword:", "did you mean `password`", "password = "),
            ("line 6, wifi.ssid:", "quotation marks", "ssid = "),
            ("line 8, modem.pin:", "leading zeros", "pin = \"0123\""),
            (
                "line 10, camera.width:",
                "an even number of pixels from 64 to 1920, not 641",
                "width = 1280",
            ),
            ("line 11, camera.fps:", "without quotation marks", "fps = 30"),
            ("line 13, update.automatic:", "true or false", "automatic = true"),
            ("line 15, lan.access_code:", "10 characters", "access_code = "),
        ] {
            let hit = found
                .iter()
                .find(|fault| fault.starts_with(start))
                .unwrap_or_else(|| panic!("{start}: {found:#?}"));
            assert!(hit.contains(words) && hit.contains(example), "{hit}");
        }
        assert_eq!(found.len(), 9, "{found:#?}");
    }

    #[test]
    fn mistakes_about_the_battery_are_named() {
        for (text, line, words) in [
            ("cells = 0", "line 2, battery.cells:", "1 to 8, not 0"),
            ("cells = 2.5", "line 2, battery.cells:", "not a number with a fraction"),
            ("cells = 2\nwarn = 7.2", "line 3, battery.warn:", "from 2 to 4.1, not 7.2"),
            ("cells = 2\nstop = '3.3'", "line 3, battery.stop:", "without quotation marks"),
            ("cells = 2\nstop = nan", "line 3, battery.stop:", "beyond all bounds"),
            ("cells = 2\nstop = -3.3", "line 3, battery.stop:", "not -3.3"),
            ("cells = 2\nlimited_speed = 5", "line 3, battery.limited_speed:", "10 to 100, not 5"),
            ("cells = 2\naction = 'beep'", "line 3, battery.action:", "\"stop\""),
            ("stop = 3.2", "line 2, battery.stop:", "without `cells`"),
            (
                "cells = 2\n\nstop = 3.55",
                "line 4, battery.stop:",
                "limit is 3.5, but it must be at",
            ),
            ("cells = 2\nwarn = 4.1", "line 3, battery.warn:", "a full battery would not"),
            ("cell = 2", "line 2, battery.cell:", "did you mean `cells`"),
        ] {
            let found = faults(&format!("[battery]\n{text}\n"));
            let named = found.iter().any(|fault| fault.starts_with(line) && fault.contains(words));
            assert!(named && found.len() == 1, "{text}: {found:#?}");
        }
        assert!(faults("[battery]\ncells = 3\nwarn = 4\nlimit = 3.45\nstop = 3_1e-1\n").is_empty());
    }

    #[test]
    fn mistakes_about_the_speed_sensor_are_named() {
        for (text, line, words) in [
            ("line = 27", "line 2, speed.line:", "quotation marks"),
            ("line = 'GPIO27'\npulses_per_turn = 0", "line 3, speed.pulses_per_turn:", "from 1"),
            (
                "line = 'A'\npulses_per_turn = 41\ncircumference_mm = 200",
                "line 3, speed.pulses_per_turn:",
                "40 at most",
            ),
            ("circumference_mm = 200", "line 2, speed.circumference_mm:", "without `line`"),
        ] {
            let found = faults(&format!("[speed]\n{text}\n"));
            assert!(found.len() == 1, "{found:#?}");
            assert!(found[0].starts_with(line) && found[0].contains(words), "{found:#?}");
        }
    }

    #[test]
    fn a_camera_may_have_all_that_the_car_can_and_nothing_else() {
        for (key, range, step) in [
            ("width", WIDTHS, 2),
            ("height", HEIGHTS, 2),
            ("fps", RATES, 1),
            ("bitrate_kbps", BITRATES_KBPS, 1),
        ] {
            let takes = |value: u32| faults(&format!("[camera]\n{key} = {value}\n")).is_empty();
            let (first, last) = (*range.start(), *range.end());
            assert_eq!(
                [first - step, first, last, last + step].map(takes),
                [false, true, true, false],
                "{key}"
            );
        }
    }

    #[test]
    fn a_typo_in_one_table_costs_that_table_only() {
        let kept = Settings {
            camera: Camera { fps: Some(10), ..Camera::default() },
            ..Settings::default()
        };
        let parsed = parse(b"[wifi]\nssid = 'Net'\n[camera]\nfps = 99\nwidth = 640\n");
        let settings = parsed.settings_or(&kept);
        assert_eq!(settings.wifi.ssid.as_deref(), Some("Net"));
        assert_eq!(settings.camera, kept.camera);
    }

    #[test]
    fn a_wrong_token_does_not_cost_the_address() {
        let parsed = parse(b"[host]\nurl = 'https://a.example'\ntoken = 'abc'\n");
        assert_eq!(parsed.faults.len(), 1);
        assert_eq!(
            parsed.settings_or(&Settings::default()).host,
            Host { url: Some("https://a.example".into()), token: None }
        );
    }

    #[test]
    fn keys_that_need_each_other_are_named() {
        let token = "0123456789abcdef".repeat(4);
        assert!(faults(&format!("[host]\ntoken = '{token}'\n"))[0].contains("without `url`"));
        assert!(faults("[wifi]\npassword = '12345678'\n")[0].contains("without `ssid`"));
        assert!(faults("[modem]\npassword = 'web'\n")[0].contains("without `user`"));
        assert!(
            faults("[camera]\nsource = 'simulator'\nrotation = 180\n")[0].contains("upside down")
        );
        assert!(faults("[camera]\nrotation = 90\n")[0].contains("0 or 180 degrees, not 90"));
    }

    #[test]
    fn a_power_monitor_has_one_shunt() {
        let faults = |text: &str| faults(&format!("[sensors]\n{text}"));
        assert!(faults("power_monitor = 'ina219'\nshunt_micro_ohm = 100000\n").is_empty());
        assert!(faults("shunt_micro_ohm = 2000\n")[0].contains("without `power_monitor`"));
        assert!(faults("power_monitor = 'ina3221'\n")[0].contains("ina226"));
        let built_in = faults("power_monitor = 'ina260'\nshunt_micro_ohm = 2000\n");
        assert!(built_in[0].contains("in the chip"), "{built_in:#?}");
    }

    #[test]
    fn what_held_is_not_dropped_because_it_cannot_be_read() {
        let before = "[host]\nurl = 'https://a.example'\n[wifi]\nssid = 'Home'\n\
                      [drive]\nactuator = 'pca9685'\n[camera]\nfps = 10\n";
        let kept = parse(before.as_bytes()).settings;
        // The heading is a comment, is lost, stands behind its keys, is another program's.
        for (text, faulty) in [
            ("[host]\nurl = 'https://b.example'\n#[wifi]\nssid = 'New'\n", "wifi"),
            ("ssid = 'New'\n[host]\nurl = 'https://b.example'\n", "wifi"),
            ("ssid = 'New'\n[wifi]\ncountry = 'DE'\n[host]\nurl = 'https://b.example'\n", "wifi"),
            ("wifi.ssid = 'New'\n[host]\nurl = 'https://b.example'\n", "wifi"),
            ("[host]\nurl = 'https://b.example'\nactuator = 'pwm'\n", "drive"),
        ] {
            let parsed = parse(text.as_bytes());
            assert!(parsed.faulty.contains(faulty), "{text}: {parsed:?}");
            let settings = parsed.settings_or(&kept);
            assert_eq!(settings.wifi.ssid.is_some(), faulty == "wifi", "{text}");
            assert_eq!(settings.host.url.as_deref(), Some("https://b.example"), "{text}");
        }
        let parsed = parse(b"[host]\nurl = 'https://b.example'\n[locale]\nkeymap = 'de'\n");
        assert!(parsed.held.contains("wifi") && !parsed.faulty.contains("drive"));
        let settings = parsed.settings_or(&kept);
        assert_eq!((&settings.wifi, &settings.drive), (&kept.wifi, &kept.drive));
        assert_eq!(settings.host.url.as_deref(), Some("https://b.example"));
        // And what is left out of a file that can be read is gone.
        assert_eq!(parse(b"[car]\n").settings_or(&kept), Settings::default());
    }

    #[test]
    fn a_file_that_is_none_keeps_all_settings() {
        let kept = Settings { car: Car { name: Some("Blitz".into()) }, ..Settings::default() };
        let large = parse(&vec![b'x'; 70_000]);
        assert!(large.faults[0].what.contains("larger than") && !large.is_empty);
        assert_eq!(large.settings_or(&kept), kept);
        for nothing in [&b""[..], b" \r\n\t\n", b"\xef\xbb\xbf", b"\xff\xfe", &[0; 512]] {
            let parsed = parse(nothing);
            assert!(parsed.is_empty && parsed.faults.len() == 1, "{nothing:?}: {parsed:?}");
            assert_eq!(parsed.settings_or(&kept), kept, "{nothing:?}");
        }
        let no_table: [&[u8]; 4] =
            [b"# a note\n", b"<!DOCTYPE html>\n<html>\n", b"PK\x03\x04\x14\0\x06\0", b"hello"];
        for text in no_table {
            let parsed = parse(text);
            assert!(parsed.faults.iter().any(|fault| fault.what.contains("no [table]")));
            assert_eq!(parsed.settings_or(&kept), kept, "{text:?}");
        }
    }
}
