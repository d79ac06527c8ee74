//! The wires of the car: which chip answers where, which line is OE, and what goes wrong.

use crate::ina226::Ina226;
use crate::pca9685::{CHANNELS, Pca9685, Wire};
use serde::{Deserialize, Serialize};
use std::sync::mpsc::{SyncSender, TrySendError};
use std::time::Duration;

/// Addresses on the bus.
const BOARD: u16 = 0x40;
const BATTERY: u16 = 0x41;
/// No chip of a car: a story inside the card writes a byte there, to say when it does something.
const MARK: u16 = 0x5e;
/// All chips listen (UM10204, section 3.1.13), and this byte resets a PCA9685.
const GENERAL_CALL: u16 = 0x00;
const SOFTWARE_RESET: [u8; 1] = [0x06];

/// Lines of the GPIO chip, named as on a Raspberry Pi.
pub const LINES: usize = 28;
/// GPIO17 is wired to OE, with a resistor to 3.3 V.
const ENABLE: usize = 17;
/// GPIO22 feeds the circuit of docs/drive.md ("The heartbeat line").
const HEARTBEAT: usize = 22;
/// The longest that this circuit lets the outputs on after a rising edge, with parts that are off
/// by as much as they may be.
const CIRCUIT_HOLDS_US: u64 = 47_000;

/// What one can talk to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Chip {
    Board,
    Battery,
}

/// How the computer drives a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Drives {
    #[default]
    Nothing,
    Low,
    High,
}

/// Where OE of the board is wired to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Enable {
    Line,
    Ground,
    /// To the transistor of the circuit: low while the line is low and there are heartbeats.
    Circuit,
}

/// What was seen, at a time in µs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "event")]
pub enum Seen {
    /// A channel of the board carries something else from now on. `seen`: when an ESC or a servo
    /// has the first such pulse.
    Output {
        at: u64,
        channel: usize,
        #[serde(flatten)]
        wire: Wire,
        #[serde(skip_serializing_if = "Option::is_none")]
        seen: Option<u64>,
    },
    /// Not of the heartbeat, which has 200 edges a second.
    Line {
        at: u64,
        line: usize,
        drives: Drives,
    },
    Mark {
        at: u64,
        number: u8,
    },
    /// A transfer was not answered: the first of a row.
    Unanswered {
        at: u64,
        address: u16,
    },
}

/// The bus did not get through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unanswered;

/// A chip with its wires.
#[derive(Debug)]
struct Wired<T> {
    /// `None`: it is unplugged.
    chip: Option<T>,
    /// So many transfers are refused; `u32::MAX`: all.
    refuses: u32,
}

impl<T> Wired<T> {
    fn new(chip: T) -> Self {
        Self { chip: Some(chip), refuses: 0 }
    }

    /// The chip, if it answers this transfer.
    fn answers(&mut self) -> Result<&mut T, Unanswered> {
        if self.refuses > 0 {
            self.refuses -= u32::from(self.refuses != u32::MAX);
            return Err(Unanswered);
        }
        self.chip.as_mut().ok_or(Unanswered)
    }
}

/// The car.
#[derive(Debug)]
pub struct Car {
    board: Wired<Pca9685>,
    battery: Wired<Ina226>,
    /// Kept while the sensor is unplugged.
    battery_mv: u16,
    enable: Enable,
    lines: [Drives; LINES],
    /// The last rising edge of the heartbeat, while the circuit holds.
    beat: Option<u64>,
    /// Something holds the lines of the bus: a transfer fails after this long, when the controller
    /// gives up.
    hangs: Option<Duration>,
    wires: [Wire; CHANNELS],
    /// Transfers that were answered, and that were not.
    transfers: u64,
    unanswered: u64,
    in_a_row: u64,
    listeners: Vec<SyncSender<Seen>>,
}

/// The state of everything, for a story.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct State {
    pub at: u64,
    pub outputs: Vec<Wire>,
    /// Whether OE lets the outputs through.
    pub enabled: bool,
    pub lines: Vec<Drives>,
    pub transfers: u64,
    pub unanswered: u64,
    /// Of the board; empty without it.
    pub registers: Vec<u8>,
}

impl Default for Car {
    fn default() -> Self {
        let battery = Ina226::default();
        Self {
            board: Wired::new(Pca9685::new()),
            battery_mv: battery.battery_mv,
            battery: Wired::new(battery),
            enable: Enable::Line,
            lines: [Drives::Nothing; LINES],
            beat: None,
            hangs: None,
            wires: [Wire::Low; CHANNELS],
            transfers: 0,
            unanswered: 0,
            in_a_row: 0,
            listeners: Vec::new(),
        }
    }
}

impl Car {
    /// Sends everything that is seen from now on. A listener that does not keep up is dropped.
    pub fn listen(&mut self, listener: SyncSender<Seen>) {
        self.listeners.push(listener);
    }

    #[must_use]
    pub fn state(&self, now: u64) -> State {
        State {
            at: now,
            outputs: self.wires.to_vec(),
            enabled: self.is_enabled(now),
            lines: self.lines.to_vec(),
            transfers: self.transfers,
            unanswered: self.unanswered,
            registers: self.board.chip.as_ref().map_or(Vec::new(), |b| b.registers().to_vec()),
        }
    }

    /// How long a transfer waits before it fails; `None`: the bus is free.
    #[must_use]
    pub fn hangs(&self) -> Option<Duration> {
        self.hangs
    }

    /// A write that has just ended.
    pub fn write(&mut self, now: u64, address: u16, bytes: &[u8]) -> Result<(), Unanswered> {
        let done = match address {
            BOARD => self.board.answers().map(|chip| chip.write(now, bytes)),
            BATTERY => self.battery.answers().map(|chip| chip.write(bytes)),
            MARK => {
                let number = bytes.first().copied().unwrap_or_default();
                self.tell(Seen::Mark { at: now, number });
                Ok(())
            }
            GENERAL_CALL if bytes == SOFTWARE_RESET => {
                self.board.answers().map(|chip| *chip = Pca9685::new())
            }
            shared => match self.board.answers() {
                Ok(chip) if chip.hears(shared) => {
                    chip.write(now, bytes);
                    Ok(())
                }
                _ => Err(Unanswered),
            },
        };
        self.count(now, address, done.is_ok());
        self.look(now);
        done
    }

    /// A read that has just ended.
    pub fn read(&mut self, now: u64, address: u16, buffer: &mut [u8]) -> Result<(), Unanswered> {
        let done = match address {
            BOARD => self.board.answers().map(|chip| chip.read(buffer)),
            BATTERY => self.battery.answers().map(|chip| chip.read(buffer)),
            _ => Err(Unanswered),
        };
        self.count(now, address, done.is_ok());
        done
    }

    /// The bus hung for the whole of a transfer.
    pub fn gave_up(&mut self, now: u64, address: u16) {
        self.count(now, address, false);
    }

    /// The computer drives a line; one that it has not got is left alone.
    pub fn drive(&mut self, now: u64, line: usize, drives: Drives) {
        let Some(before) = self.lines.get_mut(line) else { return };
        if std::mem::replace(before, drives) == drives {
            return;
        }
        if line != HEARTBEAT {
            self.tell(Seen::Line { at: now, line, drives });
        } else if drives == Drives::High {
            self.beat = Some(now);
        }
        self.look(now);
    }

    /// Time has passed.
    pub fn tick(&mut self, now: u64) {
        let ends = self.beat.map(|at| at + CIRCUIT_HOLDS_US).filter(|ends| *ends <= now);
        if let Some(ends) = ends {
            self.beat = None;
            self.look(ends);
        }
    }

    /// How the computer drives a line.
    #[must_use]
    pub fn driven(&self, line: usize) -> Drives {
        self.lines.get(line).copied().unwrap_or_default()
    }

    /// The computer was reset or is gone: it drives no line.
    pub fn let_go(&mut self, now: u64) {
        for line in 0..LINES {
            self.drive(now, line, Drives::Nothing);
        }
    }

    /// The next `times` transfers to a chip are refused; without a number, all; with 0, none.
    pub fn refuse(&mut self, chip: Chip, times: Option<u32>) {
        let refuses = times.unwrap_or(u32::MAX);
        match chip {
            Chip::Board => self.board.refuses = refuses,
            Chip::Battery => self.battery.refuses = refuses,
        }
    }

    /// Something holds the bus; `None`: no longer.
    pub fn hang(&mut self, gives_up_after: Option<Duration>) {
        self.hangs = gives_up_after;
    }

    /// A chip has power again and knows nothing any more, whether it was plugged or not.
    pub fn reset(&mut self, now: u64, chip: Chip) {
        match chip {
            Chip::Board => self.board.chip = Some(Pca9685::new()),
            Chip::Battery => self.battery.chip = Some(Ina226::at(self.battery_mv)),
        }
        self.look(now);
    }

    pub fn unplug(&mut self, now: u64, chip: Chip) {
        match chip {
            Chip::Board => self.board.chip = None,
            Chip::Battery => self.battery.chip = None,
        }
        self.look(now);
    }

    pub fn wire_enable(&mut self, now: u64, enable: Enable) {
        self.enable = enable;
        self.look(now);
    }

    pub fn set_battery(&mut self, millivolts: u16) {
        self.battery_mv = millivolts;
        if let Some(chip) = &mut self.battery.chip {
            chip.battery_mv = millivolts;
        }
    }

    fn is_enabled(&self, now: u64) -> bool {
        // The resistor pulls a line high that nobody drives.
        let line = self.lines[ENABLE] == Drives::Low;
        match self.enable {
            Enable::Ground => true,
            Enable::Line => line,
            Enable::Circuit => line && self.beat.is_some_and(|at| now < at + CIRCUIT_HOLDS_US),
        }
    }

    /// Says what has changed on the wires to servo and ESC.
    fn look(&mut self, now: u64) {
        let enabled = self.is_enabled(now);
        for channel in 0..CHANNELS {
            let board = self.board.chip.as_ref();
            let wire = board.map_or(Wire::Low, |chip| chip.wire(channel, enabled));
            if std::mem::replace(&mut self.wires[channel], wire) != wire {
                let seen = board.and_then(|chip| chip.next_pulse_ends(now, channel, enabled));
                self.tell(Seen::Output { at: now, channel, wire, seen });
            }
        }
    }

    fn count(&mut self, now: u64, address: u16, answered: bool) {
        if answered {
            self.transfers += 1;
            self.in_a_row = 0;
            return;
        }
        self.unanswered += 1;
        self.in_a_row += 1;
        if self.in_a_row == 1 {
            self.tell(Seen::Unanswered { at: now, address });
        }
    }

    fn tell(&mut self, seen: Seen) {
        self.listeners.retain(|listener| match listener.try_send(seen) {
            Ok(()) => true,
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => false,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pca9685::{LED0, MODE1, PRE_SCALE};
    use std::sync::mpsc::sync_channel;

    const NEUTRAL: [u8; 5] = [LED0 + 4, 0, 0, 0x33, 0x01];
    const PULSES: Wire = Wire::Pulses { micros: 1498, period: 19_988 };

    fn running() -> Car {
        let mut car = Car::default();
        for bytes in [&[PRE_SCALE, 121][..], &[MODE1, 0x20], &NEUTRAL] {
            car.write(0, BOARD, bytes).unwrap();
        }
        car
    }

    #[test]
    fn pulses_come_out_while_the_line_holds_oe_low() {
        let mut car = running();
        let (sender, seen) = sync_channel(16);
        car.listen(sender);
        assert_eq!(car.state(0).outputs[1], Wire::Low, "nobody drives the line");
        car.drive(1_000, ENABLE, Drives::Low);
        car.drive(2_000, ENABLE, Drives::Low);
        car.let_go(3_000);
        let outputs: Vec<_> = seen
            .try_iter()
            .filter_map(|seen| match seen {
                Seen::Output { at, channel, wire, .. } => Some((at, channel, wire)),
                _ => None,
            })
            .collect();
        assert_eq!(outputs, [(1_000, 1, PULSES), (3_000, 1, Wire::Low)]);
    }

    #[test]
    fn oe_on_the_ground_needs_no_line() {
        let mut car = running();
        car.wire_enable(1, Enable::Ground);
        assert_eq!(car.state(1).outputs[1], PULSES);
    }

    #[test]
    fn the_circuit_wants_the_line_and_edges_and_ends_the_pulses_after_the_last_one() {
        let mut car = running();
        car.wire_enable(0, Enable::Circuit);
        car.drive(0, ENABLE, Drives::Low);
        assert_eq!(car.state(0).outputs[1], Wire::Low, "there was no edge yet");
        let (sender, seen) = sync_channel(16);
        car.listen(sender);
        for (at, drives) in [(1_000, Drives::Low), (6_000, Drives::High), (16_000, Drives::High)] {
            car.drive(at, HEARTBEAT, drives);
        }
        car.tick(52_999);
        assert!(car.state(52_999).enabled, "a line that stays high is no edge");
        car.tick(58_000);
        car.drive(59_000, HEARTBEAT, Drives::Low);
        assert!(!car.state(59_000).enabled, "a falling edge does not count");
        car.drive(60_000, HEARTBEAT, Drives::High);
        car.drive(61_000, ENABLE, Drives::High);
        let wires: Vec<_> = seen
            .try_iter()
            .filter_map(|seen| match seen {
                Seen::Output { at, wire, .. } => Some((at, wire)),
                Seen::Line { line, .. } => {
                    assert_eq!(line, ENABLE, "edges of the heartbeat are not told");
                    None
                }
                _ => None,
            })
            .collect();
        let (on, off) = (PULSES, Wire::Low);
        assert_eq!(wires, [(6_000, on), (53_000, off), (60_000, on), (61_000, off)]);
    }

    #[test]
    fn so_many_transfers_are_refused_and_then_none() {
        let mut car = running();
        car.refuse(Chip::Board, Some(2));
        let results: Vec<_> = (0..3).map(|_| car.write(0, BOARD, &NEUTRAL).is_ok()).collect();
        assert_eq!(results, [false, false, true]);
        car.refuse(Chip::Board, None);
        assert!(car.read(0, BOARD, &mut [0]).is_err());
        assert!(car.write(0, BATTERY, &[0]).is_ok(), "the other chip answers");
        car.refuse(Chip::Board, Some(0));
        assert!(car.read(0, BOARD, &mut [0]).is_ok());
        assert_eq!(car.state(0).unanswered, 3);
    }

    #[test]
    fn a_board_without_power_has_no_pulses_and_knows_nothing_when_it_comes_back() {
        let mut car = running();
        car.wire_enable(0, Enable::Ground);
        car.unplug(1, Chip::Board);
        assert_eq!(car.state(1).outputs[1], Wire::Low);
        assert!(car.write(1, BOARD, &NEUTRAL).is_err());
        car.reset(2, Chip::Board);
        car.write(2, BOARD, &NEUTRAL).unwrap();
        assert_eq!(car.state(2).outputs[1], Wire::Low, "it sleeps");
    }

    #[test]
    fn a_bus_that_hangs_fails_when_the_controller_gives_up() {
        let mut car = running();
        assert_eq!(car.hangs(), None);
        car.hang(Some(Duration::from_millis(10)));
        assert_eq!(car.hangs(), Some(Duration::from_millis(10)));
    }

    #[test]
    fn a_listener_that_does_not_keep_up_is_dropped() {
        let mut car = running();
        let (sender, seen) = sync_channel(1);
        car.listen(sender);
        for number in 0..3 {
            car.write(0, MARK, &[number]).unwrap();
        }
        assert_eq!(seen.try_iter().count(), 1);
        assert!(car.listeners.is_empty());
    }
}
