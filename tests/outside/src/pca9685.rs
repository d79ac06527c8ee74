//! A PCA9685, register by register (NXP data sheet, revision 4), and what comes out of it.

use serde::Serialize;

pub const MODE1: u8 = 0x00;
pub const MODE2: u8 = 0x01;
const SUB_ADDRESS_1: u8 = 0x02;
const ALL_CALL_ADDRESS: u8 = 0x05;
pub const LED0: u8 = 0x06;
/// The last register before a gap; the register pointer goes on at 0 (section 7.3).
const LED15_OFF_HIGH: u8 = 0x45;
const ALL_LED: u8 = 0xfa;
const ALL_LED_OFF_HIGH: u8 = 0xfd;
pub const PRE_SCALE: u8 = 0xfe;

const RESTART: u8 = 0x80;
/// Once set, only a power cycle or a software reset clears it.
const EXTERNAL_CLOCK: u8 = 0x40;
const AUTO_INCREMENT: u8 = 0x20;
const SLEEP: u8 = 0x10;
const ALL_CALL: u8 = 0x01;
const INVERT: u8 = 0x10;
const TOTEM_POLE: u8 = 0x04;
/// In the high bytes of *on* and *off*: the whole period.
const FULL: u8 = 0x10;

pub const CHANNELS: usize = 16;
const COUNTS: u64 = 4096;
const OSCILLATOR_MHZ: u64 = 25;
const LEAST_PRE_SCALE: u8 = 3;
/// The oscillator runs this long after the end of sleep (section 7.3.1.1).
const WAKES_WITHIN_US: u64 = 500;

/// What a wire from a channel carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "wire")]
pub enum Wire {
    /// `micros`: length of each; `period`: from one to the next, in µs.
    Pulses {
        micros: u64,
        period: u64,
    },
    Low,
    High,
    /// Nobody drives it.
    Floating,
}

/// The chip, with power.
#[derive(Debug, Clone)]
pub struct Pca9685 {
    registers: [u8; 256],
    pointer: u8,
    /// When the counter of the pulses began, in µs; `None` in sleep.
    runs_since: Option<u64>,
}

impl Default for Pca9685 {
    fn default() -> Self {
        Self::new()
    }
}

impl Pca9685 {
    /// As after power-on (table 4).
    #[must_use]
    pub fn new() -> Self {
        let mut registers = [0; 256];
        registers[usize::from(MODE1)] = SLEEP | ALL_CALL;
        registers[usize::from(MODE2)] = TOTEM_POLE;
        for (register, value) in (SUB_ADDRESS_1..).zip([0xe2, 0xe4, 0xe8, 0xe0]) {
            registers[usize::from(register)] = value;
        }
        for channel in 0..CHANNELS {
            registers[led(channel) + 3] = FULL;
        }
        registers[usize::from(PRE_SCALE)] = 0x1e;
        Self { registers, pointer: 0, runs_since: None }
    }

    /// Whether it listens to this address beside its own (section 7.1.1).
    #[must_use]
    pub fn hears(&self, address: u16) -> bool {
        self.mode1() & ALL_CALL != 0 && address == u16::from(self.at(ALL_CALL_ADDRESS) >> 1)
    }

    /// A write, from start to stop: the register, then bytes for it and those behind it.
    pub fn write(&mut self, now: u64, bytes: &[u8]) {
        let Some((pointer, values)) = bytes.split_first() else { return };
        self.pointer = *pointer;
        for value in values {
            self.put(now, self.pointer, *value);
            self.advance();
        }
    }

    /// A read from where the last write left the pointer.
    pub fn read(&mut self, buffer: &mut [u8]) {
        for byte in buffer {
            // All channels together can only be written.
            *byte = match self.pointer {
                ALL_LED..=ALL_LED_OFF_HIGH => 0,
                register => self.at(register),
            };
            self.advance();
        }
    }

    /// All registers up to the last channel, for a person.
    #[must_use]
    pub fn registers(&self) -> &[u8] {
        &self.registers[..=usize::from(LED15_OFF_HIGH)]
    }

    /// What comes out of a channel. `enabled`: OE is low.
    #[must_use]
    pub fn wire(&self, channel: usize, enabled: bool) -> Wire {
        let mode2 = self.at(MODE2);
        if !enabled {
            // OUTNE (table 6).
            return match mode2 & 0x03 {
                0 => Wire::Low,
                1 if mode2 & TOTEM_POLE != 0 => Wire::High,
                _ => Wire::Floating,
            };
        }
        let (off, on) =
            if mode2 & INVERT == 0 { (Wire::Low, Wire::High) } else { (Wire::High, Wire::Low) };
        let [on_low, on_high, off_low, off_high] =
            [0, 1, 2, 3].map(|byte| self.registers[led(channel) + byte]);
        // A chip that was woken without a restart keeps its outputs off.
        if self.runs_since.is_none() || self.mode1() & RESTART != 0 || off_high & FULL != 0 {
            return off;
        }
        if on_high & FULL != 0 {
            return on;
        }
        let count = |low: u8, high: u8| u64::from(u16::from_le_bytes([low, high & 0x0f]));
        let length = (COUNTS + count(off_low, off_high) - count(on_low, on_high)) % COUNTS;
        let length = if mode2 & INVERT == 0 { length } else { COUNTS - length };
        match length {
            0 => Wire::Low,
            COUNTS => Wire::High,
            counts => Wire::Pulses { micros: self.micros(counts), period: self.micros(COUNTS) },
        }
    }

    /// End of the first whole pulse that begins after `now`: until then a servo or ESC cannot know
    /// what has changed. `None`: it carries no pulses.
    #[must_use]
    pub fn next_pulse_ends(&self, now: u64, channel: usize, enabled: bool) -> Option<u64> {
        let Wire::Pulses { micros, period } = self.wire(channel, enabled) else { return None };
        let since = self.runs_since?;
        let begins =
            if now <= since { since } else { since + (now - since).div_ceil(period) * period };
        let on = u64::from(u16::from_le_bytes([
            self.registers[led(channel)],
            self.registers[led(channel) + 1] & 0x0f,
        ]));
        Some(begins + self.micros(on) + micros)
    }

    fn put(&mut self, now: u64, register: u8, value: u8) {
        match register {
            MODE1 => self.put_mode1(now, value),
            // Only while the oscillator is off (section 7.3.5).
            PRE_SCALE if self.mode1() & SLEEP == 0 => {}
            PRE_SCALE => self.registers[usize::from(PRE_SCALE)] = value.max(LEAST_PRE_SCALE),
            ALL_LED..=ALL_LED_OFF_HIGH => {
                for channel in 0..CHANNELS {
                    self.registers[led(channel) + usize::from(register - ALL_LED)] = value;
                }
                self.forget_restart();
            }
            LED0..=LED15_OFF_HIGH => {
                self.registers[usize::from(register)] = value;
                self.forget_restart();
            }
            MODE2..LED0 => self.registers[usize::from(register)] = value,
            // Reserved, and the test mode, which nobody should enter.
            _ => {}
        }
    }

    fn put_mode1(&mut self, now: u64, value: u8) {
        let before = self.mode1();
        let slept = before & SLEEP != 0;
        let sleeps = value & SLEEP != 0;
        let clock = (before | value) & EXTERNAL_CLOCK;
        // It cannot be set by a write; a one clears it, once the oscillator runs.
        let mut restart = before & RESTART;
        if restart != 0 && value & RESTART != 0 && !slept {
            restart = 0;
        }
        if sleeps && !slept && (0..CHANNELS).any(|n| self.registers[led(n) + 3] & FULL == 0) {
            restart = RESTART;
        }
        self.registers[usize::from(MODE1)] = restart | clock | value & !(RESTART | EXTERNAL_CLOCK);
        if sleeps {
            self.runs_since = None;
        } else if slept || self.runs_since.is_none() {
            self.runs_since = Some(now + WAKES_WITHIN_US);
        }
    }

    /// A write to a channel ends what a restart would have gone on with (section 7.3.1.1).
    fn forget_restart(&mut self) {
        self.registers[usize::from(MODE1)] &= !RESTART;
    }

    fn advance(&mut self) {
        if self.mode1() & AUTO_INCREMENT != 0 {
            self.pointer =
                if self.pointer == LED15_OFF_HIGH { 0 } else { self.pointer.wrapping_add(1) };
        }
    }

    fn micros(&self, counts: u64) -> u64 {
        let steps = counts * (u64::from(self.at(PRE_SCALE)) + 1);
        (steps + OSCILLATOR_MHZ / 2) / OSCILLATOR_MHZ
    }

    fn at(&self, register: u8) -> u8 {
        self.registers[usize::from(register)]
    }

    fn mode1(&self) -> u8 {
        self.at(MODE1)
    }
}

fn led(channel: usize) -> usize {
    usize::from(LED0) + 4 * channel
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEUTRAL: [u8; 4] = [0, 0, 0x33, 0x01];

    /// At 50 Hz, with auto-increment, and neutral on channel 1.
    fn running() -> Pca9685 {
        let mut chip = Pca9685::new();
        chip.write(0, &[PRE_SCALE, 121]);
        chip.write(0, &[MODE1, AUTO_INCREMENT]);
        chip.write(0, &[&[LED0 + 4][..], &NEUTRAL].concat());
        chip
    }

    #[test]
    fn nothing_comes_out_after_power_on_nor_in_sleep() {
        let mut chip = Pca9685::new();
        assert_eq!(chip.wire(1, true), Wire::Low);
        chip.write(0, &[&[LED0 + 4][..], &NEUTRAL].concat());
        assert_eq!(chip.wire(1, true), Wire::Low);
    }

    #[test]
    fn a_pulse_is_as_long_as_its_counts_and_ends_in_its_period() {
        let chip = running();
        // 307 and 4096 counts of 122/25 µs.
        assert_eq!(chip.wire(1, true), Wire::Pulses { micros: 1498, period: 19_988 });
        assert_eq!(chip.wire(0, true), Wire::Low);
        assert_eq!(chip.wire(1, false), Wire::Low);
        assert_eq!(chip.next_pulse_ends(0, 1, true), Some(500 + 1498));
        assert_eq!(chip.next_pulse_ends(501, 1, true), Some(500 + 19_988 + 1498));
        assert_eq!(chip.next_pulse_ends(500, 1, false), None);
    }

    #[test]
    fn without_auto_increment_all_bytes_go_to_one_register() {
        let mut chip = Pca9685::new();
        chip.write(0, &[LED0, 1, 2, 3]);
        let mut read = [0; 2];
        chip.write(0, &[LED0]);
        chip.read(&mut read);
        assert_eq!(read, [3, 3]);
    }

    #[test]
    fn the_frequency_can_be_set_in_sleep_only() {
        let mut chip = running();
        chip.write(0, &[PRE_SCALE, 30]);
        assert_eq!(chip.at(PRE_SCALE), 121);
        chip.write(0, &[MODE1, AUTO_INCREMENT | SLEEP]);
        chip.write(0, &[PRE_SCALE, 1]);
        assert_eq!(chip.at(PRE_SCALE), LEAST_PRE_SCALE);
    }

    #[test]
    fn a_chip_that_slept_while_pulses_ran_wants_a_restart_or_new_pulses() {
        let mut chip = running();
        chip.write(0, &[MODE1, AUTO_INCREMENT | SLEEP]);
        assert_eq!((chip.mode1() & RESTART, chip.wire(1, true)), (RESTART, Wire::Low));
        chip.write(0, &[MODE1, AUTO_INCREMENT]);
        assert_eq!(chip.wire(1, true), Wire::Low);
        let mut restarted = chip.clone();
        restarted.write(0, &[MODE1, AUTO_INCREMENT | RESTART]);
        assert!(matches!(restarted.wire(1, true), Wire::Pulses { .. }));
        chip.write(0, &[LED0, 0]);
        assert!(matches!(chip.wire(1, true), Wire::Pulses { .. }));
    }

    #[test]
    fn all_channels_are_written_together_and_full_off_wins() {
        let mut chip = running();
        chip.write(0, &[ALL_LED_OFF_HIGH - 2, FULL]);
        assert_eq!(chip.wire(7, true), Wire::Low, "off is stronger than on");
        assert_eq!(chip.wire(1, true), Wire::High);
        chip.write(0, &[ALL_LED_OFF_HIGH, FULL]);
        assert_eq!(chip.wire(1, true), Wire::Low);
        let mut read = [1];
        chip.write(0, &[ALL_LED]);
        chip.read(&mut read);
        assert_eq!(read, [0]);
    }

    #[test]
    fn with_outputs_disabled_mode_2_says_what_a_wire_carries() {
        let mut chip = running();
        for (mode2, wire) in [
            (TOTEM_POLE, Wire::Low),
            (TOTEM_POLE | 1, Wire::High),
            (1, Wire::Floating),
            (TOTEM_POLE | 2, Wire::Floating),
        ] {
            chip.write(0, &[MODE2, mode2]);
            assert_eq!(chip.wire(1, false), wire, "{mode2:#04x}");
        }
    }

    #[test]
    fn it_hears_the_address_of_all_such_chips_until_told_not_to() {
        let mut chip = Pca9685::new();
        assert!(chip.hears(0x70));
        chip.write(0, &[MODE1, AUTO_INCREMENT]);
        assert!(!chip.hears(0x70));
    }
}
