//! The I²C controller (virtio 1.3, section 5.20).

use super::Device;
use crate::car::Car;
use crate::control::lock;
use crate::now;
use std::sync::Mutex;
use std::thread;

/// `VIRTIO_I2C_F_ZERO_LENGTH_REQUEST`: the card's driver wants it.
const ZERO_LENGTH: u64 = 1;

const FAIL_NEXT: u32 = 1;
const READ: u32 = 2;
const OK: u8 = 0;
const ERROR: u8 = 1;

/// The controller. A transfer takes no time, unlike on wires: when a signal interrupts the card's
/// driver (Linux 7.3) in one, it frees the memory that the transfer still uses.
#[derive(Debug, Default)]
pub struct I2c {
    /// A part of a transfer that failed takes those behind it along.
    fails_next: bool,
}

impl Device for I2c {
    const FEATURES: u64 = ZERO_LENGTH;
    const QUEUES: usize = 1;

    fn begin(&mut self) {
        self.fails_next = false;
    }

    fn answer(&mut self, car: &Mutex<Car>, request: &[u8], room: usize) -> Vec<u8> {
        let read = room.saturating_sub(1);
        let mut answer = vec![0; read];
        let [low, high, _, _, flags @ ..] = request else {
            return vec![ERROR; room.min(1)];
        };
        let Some((flags, bytes)) = flags.split_first_chunk::<4>() else {
            return vec![ERROR; room.min(1)];
        };
        // Seven bits, above the one that says read or write.
        let address = u16::from_le_bytes([*low, *high]) >> 1;
        let flags = u32::from_le_bytes(*flags);
        let failed = self.fails_next || !transfer(car, address, flags, bytes, &mut answer);
        self.fails_next = failed && flags & FAIL_NEXT != 0;
        answer.push(if failed { ERROR } else { OK });
        answer
    }
}

fn transfer(car: &Mutex<Car>, address: u16, flags: u32, bytes: &[u8], answer: &mut [u8]) -> bool {
    // The car goes on meanwhile.
    let hangs = lock(car).hangs();
    if let Some(gives_up_after) = hangs {
        thread::sleep(gives_up_after);
        lock(car).gave_up(now(), address);
        return false;
    }
    let mut car = lock(car);
    if flags & READ == 0 {
        car.write(now(), address, bytes).is_ok()
    } else {
        car.read(now(), address, answer).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Address, padding, flags.
    const HEADER: usize = 8;

    fn request(address: u16, flags: u32, bytes: &[u8]) -> Vec<u8> {
        [&(address << 1).to_le_bytes()[..], &[0, 0], &flags.to_le_bytes(), bytes].concat()
    }

    #[test]
    fn a_register_is_written_and_read_back() {
        let car = Mutex::new(Car::default());
        let mut bus = I2c::default();
        assert_eq!(bus.answer(&car, &request(0x40, 0, &[0xfe, 0x79]), 1), [OK]);
        assert_eq!(bus.answer(&car, &request(0x40, FAIL_NEXT, &[0xfe]), 1), [OK]);
        assert_eq!(bus.answer(&car, &request(0x40, READ, &[]), 2), [0x79, OK]);
    }

    #[test]
    fn nobody_at_an_address_is_an_error_and_takes_the_rest_of_the_transfer_along() {
        let car = Mutex::new(Car::default());
        let mut bus = I2c::default();
        bus.begin();
        assert_eq!(bus.answer(&car, &request(0x33, FAIL_NEXT, &[0]), 1), [ERROR]);
        assert_eq!(bus.answer(&car, &request(0x40, READ, &[]), 2), [0, ERROR]);
        bus.begin();
        assert_eq!(bus.answer(&car, &request(0x40, READ, &[]), 2)[1], OK);
    }

    #[test]
    fn a_request_that_is_cut_off_is_an_error() {
        let car = Mutex::new(Car::default());
        for length in 0..HEADER {
            let cut = &request(0x40, 0, &[])[..length];
            assert_eq!(I2c::default().answer(&car, cut, 1), [ERROR]);
        }
    }
}
