//! The real bus and the real line.

use super::{AlwaysOn, Chip, Enable, Pca9685, write_neutral};
use crate::actuator::{Actuator, ActuatorError};
use crate::config::{Bus, Config, LineName, LineSettings, Pca9685Config};
use crate::gpio::{GpioLine, Line};
use rccar_drive_core::esc::EscSettings;
use rccar_protocol::units::MonotonicMicros;
use rppal::i2c::{Error, I2c};
use std::fs;
use std::io;
use std::path::Path;

/// The device-tree nodes of the bus on pins 3 and 5: BSC1 of the Raspberry Pi up to the 4 (by its
/// address on the bus, and as Linux sees it), I²C1 of the RP1 on the Pi 5.
const HEADER: [&str; 3] = ["i2c@7e804000", "i2c@fe804000", "i2c@40074000"];
/// In ms; the kernel counts in steps of 10.
const TIMEOUT_MS: u32 = 10;

/// Opens and starts the chip that the configuration names.
pub(in crate::actuator) fn open(
    now: MonotonicMicros,
    config: &Config,
    esc: EscSettings,
) -> Result<Box<dyn Actuator>, ActuatorError> {
    let board = &config.pca9685;
    // The line first: whatever is wrong with the bus, the outputs are off.
    let line = match &board.enable_line {
        Some(name) => Some(open_line(name)?),
        None => None,
    };
    let bus = open_bus(board)?;
    Ok(match line {
        Some(line) => Box::new(Pca9685::start(now, bus, line, config, esc)?),
        None => Box::new(Pca9685::start(now, bus, AlwaysOn, config, esc)?),
    })
}

fn open_bus(board: &Pca9685Config) -> Result<I2c, ActuatorError> {
    let number = match board.bus {
        Bus::Number(number) => number,
        Bus::Header => header(Path::new("/sys/class/i2c-dev"))?,
    };
    let opened = || {
        let mut bus = I2c::with_bus(number)?;
        bus.set_timeout(TIMEOUT_MS)?;
        bus.set_slave_address(board.address.0)?;
        Ok(bus)
    };
    opened().map_err(plain).map_err(|why| ActuatorError {
        what: "cannot open the I²C bus of the PCA9685",
        why: io::Error::new(why.kind(), format!("/dev/i2c-{number}: {why}")),
    })
}

/// A handle of the bus beside the drive's, opened when it is needed and kept.
pub(in crate::actuator) struct NeutralByHand {
    config: Config,
    bus: Option<I2c>,
}

impl NeutralByHand {
    pub(in crate::actuator) fn new(config: &Config) -> Self {
        Self { config: config.clone(), bus: None }
    }

    pub(in crate::actuator) fn write(&mut self) -> Result<(), ActuatorError> {
        let mut bus = match self.bus.take() {
            Some(bus) => bus,
            None => open_bus(&self.config.pca9685)?,
        };
        write_neutral(&mut bus, &self.config)?;
        self.bus = Some(bus);
        Ok(())
    }
}

/// The number of the bus on pins 3 and 5. Numbers differ from board to board and from kernel to
/// kernel; the node does not.
fn header(class: &Path) -> Result<u8, ActuatorError> {
    let missing = |why: String| ActuatorError {
        what: "there is no I²C bus on pins 3 and 5",
        why: io::Error::new(io::ErrorKind::NotFound, why),
    };
    let entries = fs::read_dir(class).map_err(|error| missing(error.to_string()))?;
    let number = entries.flatten().find_map(|entry| {
        let node = fs::canonicalize(entry.path().join("device/of_node")).ok()?;
        let is_header = HEADER.iter().any(|name| node.file_name().is_some_and(|own| own == *name));
        let name = entry.file_name();
        is_header.then(|| name.to_str()?.strip_prefix("i2c-")?.parse().ok()).flatten()
    });
    number.ok_or_else(|| missing("its driver is not there, or not yet".to_owned()))
}

impl Chip for I2c {
    fn write(&mut self, register: u8, bytes: &[u8]) -> io::Result<()> {
        self.block_write(register, bytes).map_err(plain)
    }

    fn read(&mut self, register: u8, buffer: &mut [u8]) -> io::Result<()> {
        self.block_read(register, buffer).map_err(plain)
    }
}

fn plain(error: Error) -> io::Error {
    match error {
        Error::Io(error) => error,
        other => io::Error::other(other.to_string()),
    }
}

/// Takes the line on OE, where low is on, with the outputs off.
fn open_line(name: &LineName) -> Result<GpioLine, ActuatorError> {
    let settings = LineSettings { active_low: true, ..LineSettings::named(name) };
    GpioLine::open(&settings)
        .map_err(|why| ActuatorError { what: "cannot take the line to the PCA9685's OE", why })
}

impl Enable for GpioLine {
    fn set(&mut self, on: bool) -> io::Result<()> {
        Line::set(self, on)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn the_bus_of_the_header_is_found_by_its_node() {
        let sys = tempfile::tempdir().unwrap();
        let class = sys.path().join("class");
        let add = |number: u8, node: &str| {
            let node = sys.path().join("firmware").join(node);
            let device = class.join(format!("i2c-{number}/device"));
            fs::create_dir_all(&node).unwrap();
            fs::create_dir_all(&device).unwrap();
            symlink(node, device.join("of_node")).unwrap();
        };
        let error = header(&class).unwrap_err();
        assert!(error.to_string().starts_with("there is no I²C bus on pins 3 and 5"), "{error}");
        // HDMI's buses of a Pi 4, and one without a node.
        add(20, "i2c@7ef04500");
        fs::create_dir_all(class.join("i2c-3/device")).unwrap();
        assert!(header(&class).unwrap_err().to_string().contains("not yet"));
        add(1, "i2c@7e804000");
        assert_eq!(header(&class).unwrap(), 1);
    }

    #[test]
    fn a_bus_and_a_line_that_are_not_there_name_themselves() {
        let config =
            |text: &str| rccar_daemon::config::parse::<Config>(text, "drive.toml").unwrap();
        let error = |text: &str| {
            let opened = open(MonotonicMicros(0), &config(text), EscSettings::default());
            opened.err().unwrap().to_string()
        };
        let bus = error("[pca9685]\nbus = \"/dev/i2c-250\"\n");
        assert!(bus.contains("cannot open the I²C bus") && bus.contains("/dev/i2c-250"), "{bus}");
        let line = error("[pca9685]\nenable_line = \"NO-SUCH-LINE\"\n");
        assert!(line.contains("OE") && line.contains("NO-SUCH-LINE"), "{line}");
    }
}
