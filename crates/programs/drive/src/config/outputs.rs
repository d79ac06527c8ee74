//! `[pca9685]`, `[pwm]`, `[servo]` and `[esc]`: where servo and speed controller are wired to, and
//! the pulses that they take.

use super::LineName;
use rccar_drive_core::esc::{EscKind, EscSettings};
use rccar_drive_core::pulse::{PulseRange, PulseRangeError};
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

/// `[pwm]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PwmConfig {
    pub device: PwmDevice,
    pub steering_channel: PwmChannel,
    pub throttle_channel: PwmChannel,
    /// In Hz.
    pub frequency: Frequency,
}

impl Default for PwmConfig {
    /// Channel 0 is on GPIO 12 or 18 of the header, 1 on GPIO 13 or 19.
    fn default() -> Self {
        Self {
            device: PwmDevice::Header,
            steering_channel: PwmChannel(0),
            throttle_channel: PwmChannel(1),
            frequency: Frequency(50),
        }
    }
}

/// The computer's PWM.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum PwmDevice {
    /// The one of a Raspberry Pi up to the 4 for its pins.
    Header,
    /// Name of the device, as the kernel has it.
    Named(String),
}

impl TryFrom<String> for PwmDevice {
    type Error = &'static str;
    fn try_from(name: String) -> Result<Self, Self::Error> {
        if name == "header" {
            return Ok(Self::Header);
        }
        let legal = (1..64).contains(&name.len())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-@".contains(&byte));
        legal
            .then_some(Self::Named(name))
            .ok_or("must be \"header\" or the name of a device, such as fe20c000.pwm")
    }
}

/// A channel of the computer's PWM.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "u8")]
pub struct PwmChannel(pub u8);

impl TryFrom<u8> for PwmChannel {
    type Error = &'static str;
    fn try_from(channel: u8) -> Result<Self, Self::Error> {
        (channel < 2).then_some(Self(channel)).ok_or("must be a channel of the PWM, 0 or 1")
    }
}

/// `[servo]`: pulses in µs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "ServoText")]
pub struct ServoConfig(pub PulseRange);

/// `[esc]`
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "EscText")]
pub struct EscConfig(pub EscSettings);

/// See [`EscKind`].
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Kind {
    Direct,
    BrakeFirst,
}

impl From<Kind> for EscKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Direct => Self::Direct,
            Kind::BrakeFirst => Self::BrakeFirst,
        }
    }
}

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct ServoText {
    left_us: u16,
    neutral_us: u16,
    right_us: u16,
}

impl Default for ServoText {
    fn default() -> Self {
        Self { left_us: 1000, neutral_us: 1500, right_us: 2000 }
    }
}

impl TryFrom<ServoText> for ServoConfig {
    type Error = PulseRangeError;
    fn try_from(text: ServoText) -> Result<Self, Self::Error> {
        PulseRange::new(text.left_us, text.neutral_us, text.right_us).map(Self)
    }
}

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct EscText {
    kind: Kind,
    reverse_us: u16,
    neutral_us: u16,
    forward_us: u16,
}

impl Default for EscText {
    fn default() -> Self {
        Self { kind: Kind::Direct, reverse_us: 1000, neutral_us: 1500, forward_us: 2000 }
    }
}

impl TryFrom<EscText> for EscConfig {
    type Error = PulseRangeError;
    fn try_from(text: EscText) -> Result<Self, Self::Error> {
        let kind = text.kind.into();
        let pulses = PulseRange::new(text.reverse_us, text.neutral_us, text.forward_us)?;
        Ok(Self(EscSettings { kind, pulses }))
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
