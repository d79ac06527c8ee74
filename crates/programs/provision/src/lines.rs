//! Rules across tables: a GPIO line has one use, and none that an overlay has already.

use crate::document::Section;
use crate::fault::Fault;
use crate::schema::Table;
use crate::settings::Settings;
use std::collections::BTreeMap;

/// A use of a line: of a key, or of an overlay.
struct Use<'a> {
    line: &'a str,
    /// `None`: no key names it.
    key: Option<(&'static str, &'static str)>,
    /// For the person who wants it for something else.
    what: String,
}

/// The faults, each with the table that it costs. A line stays with what comes first in this list;
/// what stops the car comes before what only shows or lights something.
pub(crate) fn conflicts(
    settings: &Settings,
    sections: &BTreeMap<&'static str, Section>,
) -> Vec<(&'static str, Fault)> {
    let uses = uses(settings);
    let mut found = Vec::new();
    for (later, used) in uses.iter().enumerate() {
        let Some((table, name)) = used.key else { continue };
        let taken = uses[..later].iter().find(|first| first.line == used.line);
        let Some(first) = taken else { continue };
        let Some(key) = Table::named(table).and_then(|table| table.key(name)) else { continue };
        let entry = sections.get(table).and_then(|section| section.entries.get(name));
        let fault = Fault {
            line: entry.map_or(1, |entry| entry.line),
            key: format!("{table}.{name}"),
            what: format!("{} is {} already: this needs another line", used.line, first.what),
            example: format!("{} = {}", key.name, key.example),
        };
        found.push((table, fault));
    }
    found
}

fn uses(settings: &Settings) -> Vec<Use<'_>> {
    let Settings { drive, sensors, speed, switches, .. } = settings;
    let actuator = drive.actuator.as_deref();
    let mut uses = Vec::new();
    let pin = |line, what: &str| Use { line, key: None, what: what.to_owned() };
    // The pins of the overlays `i2c` and `pwm` (image/boards/overlays).
    if actuator == Some("pca9685") || sensors.power_monitor.is_some() {
        uses.push(pin("GPIO2", "pin 3, of the I²C bus,"));
        uses.push(pin("GPIO3", "pin 5, of the I²C bus,"));
    }
    if actuator == Some("pwm") {
        uses.push(pin("GPIO12", "pin 32, the steering's,"));
        uses.push(pin("GPIO13", "pin 33, the motor's,"));
    }
    let keys = [
        ("drive", "enable_line", &drive.enable_line),
        ("drive", "heartbeat_line", &drive.heartbeat_line),
        ("speed", "line", &speed.line),
        ("switches", "lights_line", &switches.lights_line),
        ("switches", "horn_line", &switches.horn_line),
    ];
    uses.extend(keys.into_iter().filter_map(|(table, name, line)| {
        let line = line.as_deref()?;
        Some(Use { line, key: Some((table, name)), what: format!("`{table}.{name}`") })
    }));
    uses
}

#[cfg(test)]
mod tests {
    use crate::parse;

    #[test]
    fn a_line_with_two_uses_costs_the_lesser_one_and_names_both() {
        for (text, faulty, said) in [
            (
                "[drive]\nenable_line = \"GPIO17\"\n[speed]\nline = \"GPIO17\"\n",
                "speed",
                "line 4, speed.line: GPIO17 is `drive.enable_line` already",
            ),
            (
                "[switches]\nhorn_line = \"A\"\n[speed]\nline = \"A\"\n",
                "switches",
                "line 2, switches.horn_line: A is `speed.line` already",
            ),
            (
                "[drive]\nheartbeat_line = \"A\"\nenable_line = \"A\"\n",
                "drive",
                "line 2, drive.heartbeat_line: A is `drive.enable_line` already",
            ),
            (
                "[drive]\nactuator = \"pwm\"\n[switches]\nlights_line = \"GPIO13\"\n",
                "switches",
                "line 4, switches.lights_line: GPIO13 is pin 33, the motor's, already",
            ),
            (
                "[sensors]\npower_monitor = \"ina226\"\n[switches]\nlights_line = \"GPIO2\"\n",
                "switches",
                "line 4, switches.lights_line: GPIO2 is pin 3, of the I²C bus, already",
            ),
        ] {
            let parsed = parse(text.as_bytes());
            let [fault] = parsed.faults.as_slice() else { panic!("{text}: {:?}", parsed.faults) };
            assert!(fault.to_string().starts_with(said), "{text}: {fault}");
            assert_eq!(parsed.faulty.iter().copied().collect::<Vec<_>>(), [faulty]);
        }
    }

    #[test]
    fn pins_of_what_is_not_there_are_free() {
        let text = "[drive]\nactuator = \"pca9685\"\nenable_line = \"GPIO17\"\n\
                    [switches]\nlights_line = \"GPIO12\"\nhorn_line = \"GPIO13\"\n";
        assert_eq!(parse(text.as_bytes()).faults, []);
    }
}
