//! The GPIO chip (virtio 1.3, section 5.19). Its lines are named `GPIO0`, `GPIO1`, … as on a
//! Raspberry Pi.

use super::Device;
use crate::car::{Car, Drives, LINES};
use crate::control::lock;
use crate::now;
use std::sync::Mutex;

const GET_NAMES: u16 = 1;
const GET_DIRECTION: u16 = 2;
const SET_DIRECTION: u16 = 3;
const GET_VALUE: u16 = 4;
const SET_VALUE: u16 = 5;

const DIRECTION_NONE: u8 = 0;
const DIRECTION_OUT: u8 = 1;
const DIRECTION_IN: u8 = 2;
const OK: u8 = 0;
const ERROR: u8 = 1;

/// The chip: direction and value of each line, as the card has set them.
#[derive(Debug)]
pub struct Gpio {
    lines: [(u8, bool); LINES],
}

impl Default for Gpio {
    fn default() -> Self {
        Self { lines: [(DIRECTION_NONE, false); LINES] }
    }
}

impl Device for Gpio {
    const FEATURES: u64 = 0;
    /// Requests, and interrupts.
    const QUEUES: usize = 2;

    fn config(&self) -> Vec<u8> {
        let lines = u16::try_from(LINES).unwrap_or_default();
        let names = u32::try_from(names().len()).unwrap_or_default();
        [&lines.to_le_bytes()[..], &[0, 0], &names.to_le_bytes()].concat()
    }

    fn answer(&mut self, car: &Mutex<Car>, request: &[u8], room: usize) -> Vec<u8> {
        let mut answer = self.obey(car, request).map_or(vec![ERROR, 0], |mut value| {
            value.insert(0, OK);
            value
        });
        answer.resize(room, 0);
        answer
    }

    fn let_go(&mut self, car: &Mutex<Car>) {
        *self = Self::default();
        lock(car).let_go(now());
    }
}

impl Gpio {
    /// The value of the answer; `None` is an error.
    fn obey(&mut self, car: &Mutex<Car>, request: &[u8]) -> Option<Vec<u8>> {
        let [kind_low, kind_high, line_low, line_high, value @ ..] = request else { return None };
        let kind = u16::from_le_bytes([*kind_low, *kind_high]);
        if kind == GET_NAMES {
            return Some(names());
        }
        let number = usize::from(u16::from_le_bytes([*line_low, *line_high]));
        let value = *value.first()?;
        let (direction, high) = self.lines.get_mut(number)?;
        match kind {
            GET_DIRECTION => return Some(vec![*direction]),
            GET_VALUE if *direction == DIRECTION_OUT => return Some(vec![u8::from(*high)]),
            // Nothing of the car drives a line of the computer.
            GET_VALUE => return Some(vec![0]),
            SET_DIRECTION if value <= DIRECTION_IN => *direction = value,
            // The value may be set before the direction.
            SET_VALUE if value <= 1 => *high = value == 1,
            _ => return None,
        }
        let drives = match (*direction, *high) {
            (DIRECTION_OUT, true) => Drives::High,
            (DIRECTION_OUT, false) => Drives::Low,
            _ => Drives::Nothing,
        };
        lock(car).drive(now(), number, drives);
        Some(vec![0])
    }
}

/// All names, each with a zero behind it.
fn names() -> Vec<u8> {
    (0..LINES).flat_map(|line| format!("GPIO{line}\0").into_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(kind: u16, line: u16, value: u32) -> Vec<u8> {
        [&kind.to_le_bytes()[..], &line.to_le_bytes(), &value.to_le_bytes()].concat()
    }

    #[test]
    fn a_line_is_driven_once_it_is_an_output_and_no_longer_when_it_is_freed() {
        let car = Mutex::new(Car::default());
        let mut chip = Gpio::default();
        let driven = |line| lock(&car).driven(line);
        assert_eq!(chip.answer(&car, &request(SET_VALUE, 17, 1), 2), [OK, 0]);
        assert_eq!(driven(17), Drives::Nothing);
        chip.answer(&car, &request(SET_DIRECTION, 17, u32::from(DIRECTION_OUT)), 2);
        assert_eq!(driven(17), Drives::High);
        chip.answer(&car, &request(SET_VALUE, 17, 0), 2);
        assert_eq!(driven(17), Drives::Low);
        assert_eq!(chip.answer(&car, &request(GET_DIRECTION, 17, 0), 2), [OK, DIRECTION_OUT]);
        chip.answer(&car, &request(SET_DIRECTION, 17, 0), 2);
        assert_eq!(driven(17), Drives::Nothing);
    }

    #[test]
    fn the_card_learns_the_names_and_a_line_that_is_not_there_is_an_error() {
        let car = Mutex::new(Car::default());
        let mut chip = Gpio::default();
        let config = chip.config();
        assert_eq!((config.len(), usize::from(config[0])), (8, LINES));
        let answer = chip.answer(&car, &request(GET_NAMES, 0, 0), names().len() + 1);
        assert!(answer.starts_with(b"\0GPIO0\0GPIO1\0"));
        assert_eq!(chip.answer(&car, &request(SET_VALUE, 28, 1), 2), [ERROR, 0]);
        assert_eq!(chip.answer(&car, &[1], 2), [ERROR, 0]);
    }
}
