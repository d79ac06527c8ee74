//! `[pca9685]`, `[servo]` and `[esc]`: where servo and speed controller are wired to, and the
//! pulses that they take.

use rccar_drive_core::esc::{EscKind, EscSettings};
use rccar_drive_core::pulse::PulseRange;
use serde::Deserialize;

/// `[pca9685]`
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Pca9685Config {
    pub bus: Bus,
    /// 7 bits.
    pub address: Address,
    /// Name of the GPIO line on OE, such as `GPIO17`; `None`: OE is tied to ground.
    pub enable_line: Option<LineName>,
    pub steering_channel: Channel,
    pub throttle_channel: Channel,
    /// In Hz.
    pub frequency: Frequency,
}

/// `[servo]` and `[esc]` without its kind: pulses in µs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, try_from = "PulsesText")]
pub struct PulsesConfig(pub PulseRange);

/// `[esc]`
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EscConfig {
    pub kind: Kind,
    pub pulses: PulsesConfig,
}

impl EscConfig {
    #[must_use]
    pub fn settings(&self) -> EscSettings {
        let kind = match self.kind {
            Kind::Direct => EscKind::Direct,
            Kind::BrakeFirst => EscKind::BrakeFirst,
        };
        EscSettings { kind, pulses: self.pulses.0 }
    }
}

/// See [`EscKind`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    #[default]
    Direct,
    BrakeFirst,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PulsesText {
    low_us: u16,
    neutral_us: u16,
    high_us: u16,
}

impl TryFrom<PulsesText> for PulsesConfig {
    type Error = rccar_drive_core::pulse::PulseRangeError;
    fn try_from(text: PulsesText) -> Result<Self, Self::Error> {
        PulseRange::new(text.low_us, text.neutral_us, text.high_us).map(Self)
    }
}

impl Default for PulsesConfig {
    fn default() -> Self {
        Self(PulseRange::default())
    }
}

/// An I²C bus.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Bus {
    /// The one on pins 3 and 5 of a Raspberry Pi, whatever number it has.
    Header,
    /// `/dev/i2c-<number>`
    Number(u8),
}

impl TryFrom<String> for Bus {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        if text == "header" {
            return Ok(Self::Header);
        }
        let number = text.strip_prefix("/dev/i2c-").and_then(|number| number.parse().ok());
        number.map(Self::Number).ok_or_else(|| {
            format!(
                "`{text}` is no I²C bus: say \"header\" for the one on pins 3 and 5, or a device \
                 such as \"/dev/i2c-1\""
            )
        })
    }
}

/// Address of a chip on the bus.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "u16")]
pub struct Address(pub u16);

impl TryFrom<u16> for Address {
    type Error = &'static str;
    fn try_from(address: u16) -> Result<Self, Self::Error> {
        // The chip's address pins, less the addresses that all chips answer to or that the bus
        // reserves (data sheet, section 7.1).
        if (0x40..=0x77).contains(&address) && address != 0x70 {
            Ok(Self(address))
        } else {
            Err(
                "must be an address from 0x40 to 0x77, and not 0x70, which all such chips answer to",
            )
        }
    }
}

/// An output of the chip.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "u8")]
pub struct Channel(pub u8);

impl TryFrom<u8> for Channel {
    type Error = &'static str;
    fn try_from(channel: u8) -> Result<Self, Self::Error> {
        (channel < 16).then_some(Self(channel)).ok_or("must be a channel of the chip, 0 to 15")
    }
}

/// Pulses a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "u16")]
pub struct Frequency(pub u16);

impl TryFrom<u16> for Frequency {
    type Error = &'static str;
    fn try_from(hz: u16) -> Result<Self, Self::Error> {
        // The chip goes no lower than 24 Hz, and a pulse of 2.2 ms needs a pause behind it.
        (40..=200).contains(&hz).then_some(Self(hz)).ok_or("must be a frequency from 40 to 200 Hz")
    }
}

/// The name of a GPIO line, as `gpioinfo` shows it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct LineName(pub String);

impl TryFrom<String> for LineName {
    type Error = &'static str;
    fn try_from(name: String) -> Result<Self, Self::Error> {
        // 32 bytes with the zero at the end (`GPIO_MAX_NAME_SIZE`).
        let legal =
            (1..32).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_graphic());
        legal.then_some(Self(name)).ok_or("must be the name of a GPIO line, such as GPIO17")
    }
}

impl Default for Pca9685Config {
    /// The chip as it is sold, with its outputs 0 and 1 in use.
    fn default() -> Self {
        Self {
            bus: Bus::Header,
            address: Address(0x40),
            enable_line: None,
            steering_channel: Channel(0),
            throttle_channel: Channel(1),
            frequency: Frequency(50),
        }
    }
}
