//! A PCA9685: sixteen servo outputs on the I²C bus (NXP data sheet, revision 4).
//!
//! The chip goes on with its last pulses whatever becomes of this computer. So nothing comes out of
//! it before neutral was written and read back, and its output-enable line (OE, low is on) takes
//! the outputs off when this program ends or breaks off.
//!
//! | when | what |
//! |---|---|
//! | start | OE high → frequency → neutral into both channels → read back → OE low |
//! | 200 times a second while the car moves | what has changed |
//! | once a second | read back: a chip that was reset or unplugged is a fault |
//! | fault | neutral, again every 50 ms until it gets through → OE high |
//! | end | neutral, for 100 ms → OE high |
//!
//! Without OE on a line of this computer the chip is left at neutral.
//!
//! # Design decisions
//!
//! * The chip never sleeps while pulses run: a pulse that is cut short makes some ESCs spin up
//!   (ArduPilot issue 19772). The frequency needs sleep, so it is set with the outputs off, and
//!   left alone if the chip has it already.
//! * A transfer takes 1 ms at 100 kHz and is given up after 10 ms, and this program does not repeat
//!   it: a bus that hangs is a fault, and the loop has to go on.

mod i2c;

use super::ActuatorError;
use super::pulsed::{Board, Pulsed, Pulses};
use crate::config::{Channel, Config, Pca9685Config};
use rccar_drive_core::esc::EscSettings;
use rccar_drive_core::pulse::Pulse;
use rccar_protocol::units::MonotonicMicros;
use std::io;
use std::time::Duration;

pub(super) use i2c::{NeutralByHand, open};

/// Registers (table 4 of the data sheet).
const MODE1: u8 = 0x00;
const MODE2: u8 = 0x01;
/// Four bytes a channel: on at, off at, each little-endian.
const LED0: u8 = 0x06;
const ALL_LED_OFF_HIGH: u8 = 0xfd;
const PRE_SCALE: u8 = 0xfe;

const AUTO_INCREMENT: u8 = 0x20;
const SLEEP: u8 = 0x10;
/// Push-pull outputs, low while OE is high: an ESC takes that for no signal.
const TOTEM_POLE: u8 = 0x04;
const FULL_OFF: u8 = 0x10;

/// The chip's own oscillator; up to 10 % off on some boards, as its pulses are then.
const OSCILLATOR_HZ: u32 = 25_000_000;
/// Counts of a period.
const COUNTS: u32 = 4096;
/// The oscillator needs this long after sleep (section 7.3.1.1).
const WAKES_WITHIN: Duration = Duration::from_micros(500);
/// Registers of the chip, one transfer each.
pub(super) trait Chip {
    fn write(&mut self, register: u8, bytes: &[u8]) -> io::Result<()>;
    fn read(&mut self, register: u8, buffer: &mut [u8]) -> io::Result<()>;
}

/// The output-enable line.
pub(super) trait Enable {
    fn set(&mut self, on: bool) -> io::Result<()>;
}

/// No line: the outputs are on as long as the chip has power.
pub(super) struct AlwaysOn;

impl Enable for AlwaysOn {
    fn set(&mut self, _: bool) -> io::Result<()> {
        Ok(())
    }
}

/// A chip, and the line on its OE.
pub(super) struct Pca9685<C: Chip, E: Enable> {
    chip: C,
    enable: E,
    channels: [Channel; 2],
    pre_scale: u8,
}

impl<C: Chip, E: Enable> Pca9685<C, E> {
    /// Takes the chip over: nothing comes out of it before neutral is in both channels.
    pub(super) fn start(
        now: MonotonicMicros,
        mut chip: C,
        mut enable: E,
        config: &Config,
        esc: EscSettings,
    ) -> Result<Pulsed<Self>, ActuatorError> {
        let board = &config.pca9685;
        enable.set(false).map_err(failed("cannot take the outputs of the PCA9685 off"))?;
        let pre_scale = pre_scale(board.frequency.0);
        set_frequency(&mut chip, pre_scale)
            .map_err(failed("the PCA9685 does not answer on the bus"))?;
        let board = Self { chip, enable, channels: channels(board), pre_scale };
        Pulsed::start(now, board, config.servo.0, esc)
    }
}

impl<C: Chip, E: Enable> Board for Pca9685<C, E> {
    fn put(&mut self, pulses: Pulses, before: Option<Pulses>) -> Result<(), ActuatorError> {
        put(&mut self.chip, self.channels, self.pre_scale, pulses, before)
    }

    fn read_back(&mut self, pulses: Pulses) -> Result<(), ActuatorError> {
        let mut holds = |register: u8, wanted: &[u8]| -> io::Result<()> {
            let mut found = [0; 4];
            let found = &mut found[..wanted.len()];
            self.chip.read(register, found)?;
            let differs = || io::Error::other(format!("register {register:#04x} is {found:02x?}"));
            (found == wanted).then_some(()).ok_or_else(differs)
        };
        let [steering, motor] = self.channels;
        holds(MODE1, &[AUTO_INCREMENT])
            .and_then(|()| holds(PRE_SCALE, &[self.pre_scale]))
            .and_then(|()| holds(register_of(steering), &counts(pulses.steering, self.pre_scale)))
            .and_then(|()| holds(register_of(motor), &counts(pulses.motor, self.pre_scale)))
            .map_err(failed("the PCA9685 does not hold what was written"))
    }

    fn set_on(&mut self, on: bool) -> Result<(), ActuatorError> {
        self.enable.set(on).map_err(failed("cannot switch the outputs of the PCA9685"))
    }
}

/// The four bytes of a channel: on at 0, off after the pulse.
fn counts(pulse: Pulse, pre_scale: u8) -> [u8; 4] {
    let steps = u32::from(pre_scale) + 1;
    let counts = u32::from(pulse.micros()) * (OSCILLATOR_HZ / 1_000_000) / steps;
    let [low, high] = u16::try_from(counts.min(COUNTS - 1)).unwrap_or_default().to_le_bytes();
    [0, 0, low, high]
}

/// Neutral into both channels of a chip that somebody else has started.
fn write_neutral(chip: &mut impl Chip, config: &Config) -> Result<(), ActuatorError> {
    let board = &config.pca9685;
    let neutral = Pulses::neutral(config.servo.0, config.esc());
    put(chip, channels(board), pre_scale(board.frequency.0), neutral, None)
}

/// Of steering and motor.
fn channels(board: &Pca9685Config) -> [Channel; 2] {
    [board.steering_channel, board.throttle_channel]
}

/// Writes to both channels what differs from `before`. The motor first: it is what runs away. Each
/// even if the other fails.
fn put(
    chip: &mut impl Chip,
    [steering, motor]: [Channel; 2],
    pre_scale: u8,
    pulses: Pulses,
    before: Option<Pulses>,
) -> Result<(), ActuatorError> {
    let mut put = |channel: Channel, pulse: Pulse, before: Option<Pulse>| {
        if before == Some(pulse) {
            return Ok(());
        }
        chip.write(register_of(channel), &counts(pulse, pre_scale))
    };
    let first = put(motor, pulses.motor, before.map(|before| before.motor));
    let second = put(steering, pulses.steering, before.map(|before| before.steering));
    first.and(second).map_err(failed("cannot write to the PCA9685"))
}

/// Wakes the chip at this frequency, with all outputs off, unless it runs at it already.
fn set_frequency(chip: &mut impl Chip, pre_scale: u8) -> io::Result<()> {
    let (mut mode, mut scale) = ([0], [0]);
    chip.read(MODE1, &mut mode)?;
    chip.read(PRE_SCALE, &mut scale)?;
    if mode != [AUTO_INCREMENT] || scale != [pre_scale] {
        chip.write(ALL_LED_OFF_HIGH, &[FULL_OFF])?;
        chip.write(MODE1, &[AUTO_INCREMENT | SLEEP])?;
        chip.write(PRE_SCALE, &[pre_scale])?;
        chip.write(MODE1, &[AUTO_INCREMENT])?;
        std::thread::sleep(WAKES_WITHIN);
    }
    chip.write(MODE2, &[TOTEM_POLE])
}

/// Equation 1 of the data sheet, rounded.
fn pre_scale(frequency_hz: u16) -> u8 {
    let steps = COUNTS * u32::from(frequency_hz.max(1));
    u8::try_from((OSCILLATOR_HZ + steps / 2) / steps - 1).unwrap_or(u8::MAX)
}

fn register_of(channel: Channel) -> u8 {
    LED0 + 4 * channel.0
}

fn failed(what: &'static str) -> impl Fn(io::Error) -> ActuatorError {
    move |why| ActuatorError { what, why }
}

#[cfg(test)]
mod tests;
