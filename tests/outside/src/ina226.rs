//! An INA226 that measures the battery, as far as the kernel's `ina2xx` uses it (TI data sheet
//! SBOS547A, table 7-4).

const CONFIGURATION: u8 = 0x00;
const SHUNT_VOLTAGE: u8 = 0x01;
const BUS_VOLTAGE: u8 = 0x02;
const CALIBRATION: u8 = 0x05;
const MASK: u8 = 0x06;
const LIMIT: u8 = 0x07;
const MANUFACTURER: u8 = 0xfe;
const DIE: u8 = 0xff;

/// The bit that resets the chip.
const RESET: u16 = 0x8000;
/// Volts on the bus are counted in steps of 1.25 mV.
const STEPS_IN_5_MV: u32 = 4;

/// The chip: 16-bit registers, the high byte first.
#[derive(Debug, Clone)]
pub struct Ina226 {
    configuration: u16,
    calibration: u16,
    mask: u16,
    limit: u16,
    pointer: u8,
    /// Of the battery, in mV.
    pub battery_mv: u16,
}

impl Default for Ina226 {
    fn default() -> Self {
        Self {
            configuration: 0x4127,
            calibration: 0,
            mask: 0,
            limit: 0,
            pointer: 0,
            battery_mv: 7_400,
        }
    }
}

impl Ina226 {
    /// As after power-on, at a battery with this voltage.
    #[must_use]
    pub fn at(battery_mv: u16) -> Self {
        Self { battery_mv, ..Self::default() }
    }

    pub fn write(&mut self, bytes: &[u8]) {
        let Some((pointer, values)) = bytes.split_first() else { return };
        self.pointer = *pointer;
        let [high, low, ..] = values else { return };
        let value = u16::from_be_bytes([*high, *low]);
        match self.pointer {
            CONFIGURATION if value & RESET != 0 => {
                *self = Self::at(self.battery_mv);
            }
            CONFIGURATION => self.configuration = value,
            CALIBRATION => self.calibration = value,
            MASK => self.mask = value,
            LIMIT => self.limit = value,
            _ => {}
        }
    }

    pub fn read(&mut self, buffer: &mut [u8]) {
        let value = match self.pointer {
            CONFIGURATION => self.configuration,
            // Nothing flows.
            SHUNT_VOLTAGE => 0,
            BUS_VOLTAGE => {
                let steps = u32::from(self.battery_mv) * STEPS_IN_5_MV / 5;
                u16::try_from(steps).unwrap_or(u16::MAX).min(0x7fff)
            }
            CALIBRATION => self.calibration,
            MASK => self.mask,
            LIMIT => self.limit,
            MANUFACTURER => 0x5449,
            DIE => 0x2260,
            _ => 0,
        };
        for (byte, of) in buffer.iter_mut().zip(value.to_be_bytes().iter().cycle()) {
            *byte = *of;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(chip: &mut Ina226, register: u8) -> u16 {
        let mut bytes = [0; 2];
        chip.write(&[register]);
        chip.read(&mut bytes);
        u16::from_be_bytes(bytes)
    }

    #[test]
    fn it_says_who_it_is_and_measures_in_steps_of_1_25_mv() {
        let mut chip = Ina226::at(7_400);
        assert_eq!((read(&mut chip, MANUFACTURER), read(&mut chip, DIE)), (0x5449, 0x2260));
        assert_eq!(read(&mut chip, BUS_VOLTAGE), 5_920);
    }

    #[test]
    fn a_reset_forgets_the_settings_and_not_the_battery() {
        let mut chip = Ina226::at(6_000);
        chip.write(&[CALIBRATION, 0x0a, 0x00]);
        assert_eq!(read(&mut chip, CALIBRATION), 0x0a00);
        chip.write(&[CONFIGURATION, 0x80, 0]);
        assert_eq!((read(&mut chip, CALIBRATION), chip.battery_mv), (0, 6_000));
        assert_eq!(read(&mut chip, CONFIGURATION), 0x4127);
    }
}
