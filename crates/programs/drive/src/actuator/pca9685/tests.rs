//! Against a model of the chip, register by register.

use super::*;
use crate::actuator::Actuator;
use crate::actuator::pulsed::LAST_NEUTRAL;
use rccar_drive_core::Motor;
use rccar_drive_core::Output;
use rccar_protocol::units::{Steering, Throttle};
use std::cell::RefCell;
use std::rc::Rc;

/// The chip and its OE line as the data sheet describes them.
struct Model {
    registers: [u8; 256],
    /// OE; low is on.
    oe_high: bool,
    /// Pulses in µs at channels 0 and 1, whenever they changed; `None`: no pulses.
    seen: Vec<[Option<u32>; 2]>,
    fault: Option<io::ErrorKind>,
    /// The chip went to sleep while pulses came out of it.
    cut: bool,
    transfers: usize,
}

impl Model {
    /// As it comes out of a power-on: asleep, at 200 Hz, all outputs off (table 4).
    fn powered_on() -> Rc<RefCell<Self>> {
        let mut model = Self {
            registers: [0; 256],
            oe_high: false,
            seen: Vec::new(),
            fault: None,
            cut: false,
            transfers: 0,
        };
        model.reset();
        Rc::new(RefCell::new(model))
    }

    fn reset(&mut self) {
        self.registers = [0; 256];
        self.registers[usize::from(MODE1)] = 0x11;
        self.registers[usize::from(MODE2)] = 0x04;
        self.registers[usize::from(PRE_SCALE)] = 0x1e;
        for channel in 0..16 {
            self.registers[usize::from(LED0) + 4 * channel + 3] = FULL_OFF;
        }
        self.look();
    }

    fn is_asleep(&self) -> bool {
        self.registers[usize::from(MODE1)] & SLEEP != 0
    }

    /// The pulse that comes out of a channel.
    fn pulse(&self, channel: usize) -> Option<u32> {
        let led = &self.registers[usize::from(LED0) + 4 * channel..][..4];
        if self.oe_high || self.is_asleep() || led[3] & FULL_OFF != 0 {
            return None;
        }
        let counts = u32::from(u16::from_le_bytes([led[2], led[3]]) & 0xfff);
        let steps = u32::from(self.registers[usize::from(PRE_SCALE)]) + 1;
        Some((counts * steps).div_ceil(OSCILLATOR_HZ / 1_000_000))
    }

    fn look(&mut self) {
        let now = [self.pulse(0), self.pulse(1)];
        if self.seen.last() != Some(&now) {
            self.seen.push(now);
        }
    }

    fn answer(&mut self) -> io::Result<()> {
        self.transfers += 1;
        self.fault.map_or(Ok(()), |kind| Err(kind.into()))
    }
}

impl Chip for Rc<RefCell<Model>> {
    fn write(&mut self, register: u8, bytes: &[u8]) -> io::Result<()> {
        let mut model = self.borrow_mut();
        model.answer()?;
        for (offset, byte) in (0..).zip(bytes) {
            let increments = model.registers[usize::from(MODE1)] & AUTO_INCREMENT != 0;
            let at = if increments { register.wrapping_add(offset) } else { register };
            let runs = model.pulse(0).is_some() || model.pulse(1).is_some();
            match at {
                // Only a chip that sleeps takes it (section 7.3.5).
                PRE_SCALE if !model.is_asleep() => {}
                ALL_LED_OFF_HIGH => {
                    for channel in 0..16 {
                        model.registers[usize::from(LED0) + 4 * channel + 3] = *byte;
                    }
                }
                _ => model.registers[usize::from(at)] = *byte,
            }
            model.cut |= runs && model.is_asleep();
        }
        model.look();
        Ok(())
    }

    fn read(&mut self, register: u8, buffer: &mut [u8]) -> io::Result<()> {
        let mut model = self.borrow_mut();
        model.answer()?;
        for (offset, byte) in (0..).zip(buffer) {
            *byte = model.registers[usize::from(register) + offset];
        }
        Ok(())
    }
}

impl Enable for Rc<RefCell<Model>> {
    fn set(&mut self, on: bool) -> io::Result<()> {
        let mut model = self.borrow_mut();
        model.oe_high = !on;
        model.look();
        Ok(())
    }
}

type Started = Pulsed<Pca9685<Rc<RefCell<Model>>, Rc<RefCell<Model>>>>;

fn config() -> Config {
    Config::default()
}

fn start(model: &Rc<RefCell<Model>>, now: MonotonicMicros) -> Result<Started, ActuatorError> {
    Pca9685::start(now, Rc::clone(model), Rc::clone(model), &config(), config().esc())
}

fn at(ms: u64) -> MonotonicMicros {
    MonotonicMicros(1_000_000 + ms * 1_000)
}

fn output(steering: i16, motor: Motor) -> Output {
    Output { steering: Steering::from_permyriad(steering).unwrap(), motor }
}

fn full_throttle() -> Motor {
    Motor::Drive(Throttle::MAX)
}

/// Within the chip's resolution: a count is 4.9 µs at 50 Hz.
fn is(pulse: Option<u32>, micros: u32) -> bool {
    pulse.is_some_and(|pulse| pulse.abs_diff(micros) <= 5)
}

#[test]
fn the_first_pulse_is_neutral_whatever_the_chip_has_been_through() {
    let asleep = Model::powered_on();
    // A computer that was reset while its car drove: the chip went on.
    let driving = Model::powered_on();
    let mut before = start(&driving, at(0)).unwrap();
    before.apply(at(4_000), output(0, Motor::Neutral)).unwrap();
    before.apply(at(5_000), output(-9_000, full_throttle())).unwrap();
    std::mem::forget(before);
    for model in [asleep, driving] {
        model.borrow_mut().seen.clear();
        let mut actuator = start(&model, at(9_000)).unwrap();
        let seen = model.borrow().seen.clone();
        let first = seen.iter().find(|pulses| pulses.iter().any(Option::is_some)).unwrap();
        assert!(is(first[0], 1500) && is(first[1], 1500), "{seen:?}");
        assert!(!model.borrow().cut, "a pulse was cut short");
        actuator.apply(at(12_000), output(0, Motor::Neutral)).unwrap();
        actuator.apply(at(12_005), output(10_000, full_throttle())).unwrap();
        let pulses = *model.borrow().seen.last().unwrap();
        assert!(is(pulses[0], 2000) && is(pulses[1], 2000), "{pulses:?}");
    }
}

#[test]
fn the_motor_stays_off_while_the_esc_arms_and_the_servo_follows() {
    let model = Model::powered_on();
    let mut actuator = start(&model, at(0)).unwrap();
    actuator.apply(at(2_999), output(-10_000, full_throttle())).unwrap();
    let pulses = *model.borrow().seen.last().unwrap();
    assert!(is(pulses[0], 1000) && is(pulses[1], 1500), "{pulses:?}");
}

#[test]
fn what_does_not_change_is_not_written() {
    let model = Model::powered_on();
    let mut actuator = start(&model, at(0)).unwrap();
    let before = model.borrow().transfers;
    for ms in 0..190 {
        actuator.apply(at(ms * 5), output(0, Motor::Neutral)).unwrap();
    }
    assert_eq!(model.borrow().transfers, before);
}

#[test]
fn a_chip_that_was_reset_is_a_fault_within_a_second() {
    let model = Model::powered_on();
    let mut actuator = start(&model, at(0)).unwrap();
    model.borrow_mut().reset();
    let fault = (0..=1_000)
        .step_by(50)
        .find_map(|ms| actuator.apply(at(ms), output(0, Motor::Neutral)).err());
    let fault = fault.unwrap().to_string();
    assert!(fault.starts_with("the PCA9685 does not hold what was written"), "{fault}");
}

#[test]
fn a_bus_that_hangs_is_a_fault_at_the_next_change_and_takes_the_outputs_off() {
    let model = Model::powered_on();
    let mut actuator = start(&model, at(0)).unwrap();
    actuator.apply(at(3_500), output(0, Motor::Neutral)).unwrap();
    actuator.apply(at(4_000), output(0, full_throttle())).unwrap();
    model.borrow_mut().fault = Some(io::ErrorKind::TimedOut);
    let fault = actuator.apply(at(4_005), output(0, Motor::Brake)).unwrap_err();
    assert_eq!(fault.to_string(), "cannot write to the PCA9685: timed out");
    let before = model.borrow().transfers;
    drop(actuator);
    assert_eq!(model.borrow().seen.last(), Some(&[None, None]));
    assert_eq!(model.borrow().transfers - before, 2, "a dead bus is waited for once a channel");
}

#[test]
fn a_chip_that_does_not_answer_is_never_enabled() {
    let model = Model::powered_on();
    model.borrow_mut().fault = Some(io::ErrorKind::NotFound);
    let fault = start(&model, at(0)).err().unwrap().to_string();
    assert!(fault.starts_with("the PCA9685 does not answer on the bus"), "{fault}");
    assert!(model.borrow().oe_high);
}

#[test]
fn a_chip_that_forgets_what_is_written_is_never_enabled() {
    /// Acknowledges everything, and keeps nothing.
    struct Deaf;
    impl Chip for Deaf {
        fn write(&mut self, _: u8, _: &[u8]) -> io::Result<()> {
            Ok(())
        }
        fn read(&mut self, _: u8, buffer: &mut [u8]) -> io::Result<()> {
            buffer.fill(0xff);
            Ok(())
        }
    }
    let line = Model::powered_on();
    assert!(Pca9685::start(at(0), Deaf, Rc::clone(&line), &config(), config().esc()).is_err());
    assert!(line.borrow().oe_high);
}

#[test]
fn the_end_is_neutral_for_a_while_and_then_nothing() {
    let model = Model::powered_on();
    let mut actuator = start(&model, at(0)).unwrap();
    actuator.apply(at(3_500), output(0, Motor::Neutral)).unwrap();
    actuator.apply(at(4_000), output(5_000, full_throttle())).unwrap();
    actuator.apply(at(4_005), output(0, Motor::Neutral)).unwrap();
    let begun = std::time::Instant::now();
    actuator.end();
    drop(actuator);
    assert!(begun.elapsed() >= LAST_NEUTRAL);
    let model = model.borrow();
    let [.., neutral, last] = model.seen.as_slice() else { panic!("{:?}", model.seen) };
    assert!(is(neutral[0], 1500) && is(neutral[1], 1500), "{neutral:?}");
    assert_eq!(last, &[None, None]);
}

#[test]
fn after_an_interruption_everything_is_written_again() {
    let model = Model::powered_on();
    let mut actuator = start(&model, at(0)).unwrap();
    actuator.apply(at(3_500), output(0, Motor::Neutral)).unwrap();
    actuator.apply(at(4_000), output(8_000, Motor::Neutral)).unwrap();
    write_neutral(&mut Rc::clone(&model), &config()).unwrap();
    let pulses = *model.borrow().seen.last().unwrap();
    assert!(is(pulses[0], 1500) && is(pulses[1], 1500), "the guard's: {pulses:?}");
    actuator.handle_interruption(at(4_150));
    actuator.apply(at(4_150), output(8_000, Motor::Neutral)).unwrap();
    assert!(is(model.borrow().seen.last().unwrap()[0], 1900));
    // What the guard had begun comes late.
    write_neutral(&mut Rc::clone(&model), &config()).unwrap();
    actuator.apply(at(4_160), output(8_000, Motor::Neutral)).unwrap();
    assert!(is(model.borrow().seen.last().unwrap()[0], 1900));
}

#[test]
fn the_motor_gets_neutral_even_if_the_servo_does_not() {
    /// A bus that loses one transfer in the middle.
    struct Lossy(Rc<RefCell<Model>>);
    impl Chip for Lossy {
        fn write(&mut self, register: u8, bytes: &[u8]) -> io::Result<()> {
            if register == LED0 {
                return Err(io::ErrorKind::TimedOut.into());
            }
            Chip::write(&mut self.0, register, bytes)
        }
        fn read(&mut self, register: u8, buffer: &mut [u8]) -> io::Result<()> {
            Chip::read(&mut self.0, register, buffer)
        }
    }
    let model = Model::powered_on();
    let mut actuator = start(&model, at(0)).unwrap();
    actuator.apply(at(3_500), output(0, Motor::Neutral)).unwrap();
    actuator.apply(at(4_000), output(0, full_throttle())).unwrap();
    assert!(is(model.borrow().seen.last().unwrap()[1], 2000));
    assert!(write_neutral(&mut Lossy(Rc::clone(&model)), &config()).is_err());
    assert!(is(model.borrow().seen.last().unwrap()[1], 1500));
}

#[test]
fn the_scale_is_the_data_sheets() {
    // Its own example: 200 Hz is 1eh.
    assert_eq!(pre_scale(200), 0x1e);
    assert_eq!(pre_scale(50), 121);
}
