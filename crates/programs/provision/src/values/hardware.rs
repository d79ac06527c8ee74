//! What is soldered or plugged on. The image has an overlay for each (`image/boards/overlays`).

use super::Checked;

const SENSORS: [&str; 5] = ["imx219", "imx290", "imx296", "ov5647", "ov9281"];

/// Sensors that only Raspberry Pi's own kernel has drivers for, with the names of their cameras.
const WITHOUT_DRIVER: [(&str, &str); 3] =
    [("imx477", "High Quality Camera"), ("imx519", "Arducam's"), ("imx708", "Camera Module 3")];

/// The sensor of a camera on the ribbon cable.
pub(crate) fn sensor(text: &str) -> Checked {
    let known = SENSORS.iter().chain(WITHOUT_DRIVER.iter().map(|(sensor, _)| sensor));
    if known.into_iter().any(|sensor| *sensor == text) {
        return Ok(text.to_owned());
    }
    Err(format!("the sensor of the camera on the ribbon cable is one of {}", list(&SENSORS)))
}

/// An error if this image cannot use the sensor.
pub(crate) fn driver(sensor: &str) -> Result<(), String> {
    let Some((_, camera)) = WITHOUT_DRIVER.iter().find(|(without, _)| *without == sensor) else {
        return Ok(());
    };
    Err(format!(
        "the kernel of this image has no driver for the {sensor} ({camera}): it needs the Yocto \
         image; the rest of the table is used. This image takes {}",
        list(&SENSORS)
    ))
}

/// The chip that measures the battery.
pub(crate) fn power_monitor(text: &str) -> Checked {
    const CHIPS: [&str; 3] = ["ina219", "ina226", "ina260"];
    if CHIPS.contains(&text) {
        return Ok(text.to_owned());
    }
    Err(format!("the power monitor is one of {}", list(&CHIPS)))
}

fn list(names: &[&str]) -> String {
    names.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sensor_is_known_of_use_or_neither() {
        for sensor_of_use in SENSORS {
            assert!(sensor(sensor_of_use).is_ok() && driver(sensor_of_use).is_ok());
        }
        assert!(sensor("imx708").is_ok() && driver("imx708").unwrap_err().contains("Module 3"));
        assert!(sensor("ov9282").unwrap_err().contains("\"ov9281\""));
    }
}
