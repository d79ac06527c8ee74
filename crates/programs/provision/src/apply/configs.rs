//! The services' configurations: the image's own, with what the card says on top.

use super::files::{Readers, put, text};
use super::places::Places;
use super::{ApplyError, Failure};
use crate::settings::{Settings, Thousandths};
use toml::{Table, Value};

pub(super) fn write(
    places: &Places,
    settings: &Settings,
    access_code: Option<&str>,
) -> Result<(), ApplyError> {
    let files = [
        ("car.toml", car(settings, access_code), Readers::Group("rccar-car")),
        ("drive.toml", drive(settings), Readers::Everybody),
        ("update.toml", update(settings), Readers::Everybody),
        ("modem.toml", modem(settings), Readers::Group("rccar-modem")),
    ];
    for (name, card, readers) in files {
        let path = places.defaults().join(name);
        let unreadable = |failure: Failure| ApplyError::Defaults { path: path.clone(), failure };
        let base = text(&path).map_err(|error| unreadable(error.into()))?.unwrap_or_default();
        let mut config: Table =
            base.parse().map_err(|error: toml::de::Error| unreadable(error.into()))?;
        lay_over(&mut config, card);
        let content = format!(
            "# Made at each start of provision.toml and {}; changes here are lost.\n\n{config}",
            path.display()
        );
        put(&places.configs().join(name), &content, readers)?;
    }
    put(&places.configs().join("ppp-options"), &ppp_options(settings), Readers::Nobody)?;
    Ok(())
}

/// Name and password that pppd shows to the network, in its format. Many networks ask for them and
/// take any.
fn ppp_options(settings: &Settings) -> String {
    let quoted = |text: &Option<String>| {
        let text = text.as_deref().unwrap_or("rccar");
        let mut word = String::from("\"");
        for letter in text.chars().filter(|letter| !letter.is_control()) {
            if matches!(letter, '"' | '\\') {
                word.push('\\');
            }
            word.push(letter);
        }
        word + "\""
    };
    let (user, password) = (quoted(&settings.modem.user), quoted(&settings.modem.password));
    let refused = match settings.modem.auth.as_deref() {
        Some("pap") => "refuse-chap\nrefuse-mschap\nrefuse-mschap-v2\nrefuse-eap\n",
        Some("chap") => "refuse-pap\nrefuse-eap\n",
        _ => "",
    };
    format!(
        "# Made at each start of provision.toml; changes here are lost.\n\
         user {user}\npassword {password}\n{refused}"
    )
}

fn car(settings: &Settings, access_code: Option<&str>) -> Table {
    let Settings { car, host, camera, .. } = settings;
    let mut camera = Table::try_from(camera).unwrap_or_default();
    // A card that names a camera or a rotation wants a real camera, whatever the image's default
    // is. The sensor is for the boot script.
    let sensor = camera.remove("sensor").is_some();
    if sensor || ["device", "rotation"].iter().any(|key| camera.contains_key(*key)) {
        camera.entry("source").or_insert_with(|| "libcamera".into());
    }
    let encoder = camera.remove("encoder");
    let lan = access_code.map(|code| section([("access_code", Some(code.into()))]));
    let mut table = Table::new();
    add(&mut table, "car", section([("name", text_value(&car.name))]));
    add(
        &mut table,
        "host",
        section([("url", text_value(&host.url)), ("enrolment", text_value(&host.token))]),
    );
    add(&mut table, "camera", camera);
    add(&mut table, "encoder", section([("kind", encoder)]));
    add(&mut table, "lan", lan.unwrap_or_default());
    table
}

fn drive(settings: &Settings) -> Table {
    let Settings { drive, battery, speed, switches, .. } = settings;
    let number = |number: Option<u32>| number.map(|number| Value::Integer(number.into()));
    let share =
        |percent: Option<u32>| percent.map(|percent| Value::Float(f64::from(percent) / 100.0));
    let mut table = section([
        ("actuator", text_value(&drive.actuator)),
        ("heartbeat_line", text_value(&drive.heartbeat_line)),
    ]);
    add(&mut table, "pca9685", section([("enable_line", text_value(&drive.enable_line))]));
    add(
        &mut table,
        "servo",
        section([
            ("left_us", number(drive.steering_left_us)),
            ("neutral_us", number(drive.steering_neutral_us)),
            ("right_us", number(drive.steering_right_us)),
        ]),
    );
    add(
        &mut table,
        "esc",
        section([
            ("kind", text_value(&drive.esc)),
            ("reverse_us", number(drive.motor_reverse_us)),
            ("neutral_us", number(drive.motor_neutral_us)),
            ("forward_us", number(drive.motor_forward_us)),
        ]),
    );
    add(
        &mut table,
        "throttle",
        section([
            ("max_forward", share(drive.max_forward)),
            ("max_reverse", share(drive.max_reverse)),
        ]),
    );
    let volts = |volts: Option<Thousandths>| volts.map(|volts| Value::Float(volts.value()));
    add(
        &mut table,
        "battery",
        section([
            ("cells", number(battery.cells)),
            ("warn", volts(battery.warn)),
            ("limit", volts(battery.limit)),
            ("stop", volts(battery.stop)),
            ("limited_speed", share(battery.limited_speed)),
            ("action", text_value(&battery.action)),
            ("faulty", battery.faulty.then_some(Value::Boolean(true))),
        ]),
    );
    add(
        &mut table,
        "speed",
        section([
            ("line", text_value(&speed.line)),
            ("pulses_per_turn", number(speed.pulses_per_turn)),
            ("circumference_mm", number(speed.circumference_mm)),
        ]),
    );
    let switch = |line, active_low: Option<bool>| {
        section([("line", text_value(line)), ("active_low", active_low.map(Value::Boolean))])
    };
    add(&mut table, "lights", switch(&switches.lights_line, switches.lights_active_low));
    add(&mut table, "horn", switch(&switches.horn_line, switches.horn_active_low));
    table
}

fn update(settings: &Settings) -> Table {
    let mut table = Table::new();
    add(&mut table, "update", Table::try_from(&settings.update).unwrap_or_default());
    table
}

fn modem(settings: &Settings) -> Table {
    let mut table = Table::new();
    add(&mut table, "modem", Table::try_from(&settings.modem).unwrap_or_default());
    table
}

fn section<const N: usize>(keys: [(&str, Option<Value>); N]) -> Table {
    keys.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect()
}

fn text_value(text: &Option<String>) -> Option<Value> {
    text.clone().map(Value::String)
}

fn add(table: &mut Table, name: &str, section: Table) {
    if !section.is_empty() {
        table.insert(name.to_owned(), Value::Table(section));
    }
}

/// Keys of `over` replace those of `base`; tables are joined.
fn lay_over(base: &mut Table, over: Table) {
    for (key, value) in over {
        match (base.get_mut(&key), value) {
            (Some(Value::Table(below)), Value::Table(above)) => lay_over(below, above),
            (_, value) => {
                base.insert(key, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_the_card_replace_those_of_the_image() {
        let mut base: Table =
            "[camera]\nfps = 30\nwidth = 640\n[lan]\nlisten = ['[::]:80']\n".parse().unwrap();
        lay_over(&mut base, "[camera]\nfps = 15\n[car]\nname = 'a'\n".parse().unwrap());
        assert_eq!(
            base,
            "[camera]\nfps = 15\nwidth = 640\n[lan]\nlisten = ['[::]:80']\n[car]\nname = 'a'\n"
                .parse()
                .unwrap()
        );
    }

    #[test]
    fn what_the_card_leaves_out_is_not_written() {
        assert_eq!(car(&Settings::default(), None), Table::new());
        assert_eq!(modem(&Settings::default()), Table::new());
        assert_eq!(drive(&Settings::default()), Table::new());
    }

    #[test]
    fn pppd_reads_any_name_and_password_as_one_word() {
        let modem = crate::settings::Modem {
            user: Some("we b\\".into()),
            password: Some("p\"w#".into()),
            ..Default::default()
        };
        let options = ppp_options(&Settings { modem, ..Settings::default() });
        assert!(options.ends_with("\nuser \"we b\\\\\"\npassword \"p\\\"w#\"\n"), "{options}");
        assert!(
            ppp_options(&Settings::default()).ends_with("\nuser \"rccar\"\npassword \"rccar\"\n")
        );
        for (auth, refused) in [("pap", "refuse-chap"), ("chap", "refuse-pap")] {
            let modem = crate::settings::Modem { auth: Some(auth.into()), ..Default::default() };
            let options = ppp_options(&Settings { modem, ..Settings::default() });
            assert!(options.contains(&format!("\n{refused}\n")), "{options}");
            assert!(!options.contains(&format!("\nrefuse-{auth}\n")), "{options}");
        }
    }

    #[test]
    fn the_wiring_of_the_card_becomes_the_drives() {
        let text = "[drive]\nactuator = \"pca9685\"\nenable_line = \"GPIO17\"\n\
                    heartbeat_line = \"GPIO22\"\nesc = \"brake-first\"\nmax_forward = 35\nsteering_left_us = 1900\n\
                    steering_right_us = 1100\nmotor_neutral_us = 1480\n";
        let parsed = crate::parse(text.as_bytes());
        assert_eq!(parsed.faults, []);
        let expected = "actuator = 'pca9685'\nheartbeat_line = 'GPIO22'\n[pca9685]\nenable_line = 'GPIO17'\n\
                        [servo]\nleft_us = 1900\nright_us = 1100\n\
                        [esc]\nkind = 'brake-first'\nneutral_us = 1480\n\
                        [throttle]\nmax_forward = 0.35\n";
        assert_eq!(drive(&parsed.settings), expected.parse().unwrap());
    }

    #[test]
    fn a_sensor_makes_the_camera_a_real_one_and_is_no_word_for_the_car() {
        let camera = crate::Camera { sensor: Some("imx219".to_owned()), ..Default::default() };
        let table = car(&Settings { camera, ..Settings::default() }, None);
        assert_eq!(table, "[camera]\nsource = 'libcamera'\n".parse().unwrap());
    }

    #[test]
    fn the_encoder_has_a_table_of_its_own() {
        let camera =
            crate::Camera { fps: Some(20), encoder: Some("v4l2".into()), ..Default::default() };
        let table = car(&Settings { camera, ..Settings::default() }, None);
        assert_eq!(table, "[camera]\nfps = 20\n[encoder]\nkind = 'v4l2'\n".parse().unwrap());
    }

    #[test]
    fn sensors_and_switches_of_the_card_become_the_drives_and_are_kept_as_they_are() {
        let text = "[battery]\ncells = 3\nwarn = 3.65\nstop = 3.25\nlimited_speed = 40\n\
                    action = 'limit'\n[speed]\nline = 'GPIO27'\npulses_per_turn = 4\n\
                    [switches]\nlights_line = 'GPIO23'\nlights_active_low = true\n\
                    horn_line = 'GPIO24'\n";
        let parsed = crate::parse(text.as_bytes());
        assert_eq!(parsed.faults, []);
        let expected = "[battery]\ncells = 3\nwarn = 3.65\nstop = 3.25\nlimited_speed = 0.4\n\
                        action = 'limit'\n[speed]\nline = 'GPIO27'\npulses_per_turn = 4\n\
                        [lights]\nline = 'GPIO23'\nactive_low = true\n\
                        [horn]\nline = 'GPIO24'\n";
        assert_eq!(drive(&parsed.settings), expected.parse().unwrap());
        let kept = toml::to_string(&parsed.settings).unwrap();
        assert_eq!(crate::parse(kept.as_bytes()).settings, parsed.settings);
    }

    #[test]
    fn a_camera_that_is_named_is_used() {
        let camera = crate::Camera { rotation: Some(180), ..Default::default() };
        let table = car(&Settings { camera, ..Settings::default() }, None);
        assert_eq!(table, "[camera]\nsource = 'libcamera'\nrotation = 180\n".parse().unwrap());
    }
}
