//! Pulses for servos and speed controllers: the length says the position.

/// The shortest and the longest pulse that is ever sent, in µs. Servos of model cars take 1000 to
/// 2000, many a little more; beyond these bounds a servo runs against its own end stop.
pub const BOUNDS_US: std::ops::RangeInclusive<u16> = 800..=2200;

/// A pulse in µs, within [`BOUNDS_US`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pulse(u16);

impl Pulse {
    #[must_use]
    pub fn micros(self) -> u16 {
        self.0
    }
}

/// The pulses of one channel: at the low end, in the middle and at the high end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PulseRange {
    low: u16,
    neutral: u16,
    high: u16,
}

/// Pulses that make no range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("pulses rise from low to neutral to high, all of them from 800 to 2200 µs")]
pub struct PulseRangeError;

impl PulseRange {
    /// From lengths in µs.
    pub fn new(low: u16, neutral: u16, high: u16) -> Result<Self, PulseRangeError> {
        let rises = low < neutral && neutral < high;
        if rises && BOUNDS_US.contains(&low) && BOUNDS_US.contains(&high) {
            Ok(Self { low, neutral, high })
        } else {
            Err(PulseRangeError)
        }
    }

    /// The middle: wheels straight, motor off.
    #[must_use]
    pub fn neutral(&self) -> Pulse {
        Pulse(self.neutral)
    }

    /// The pulse for a position in 1/10000 of full scale; beyond full scale it is the end's.
    #[must_use]
    pub fn at(&self, permyriad: i16) -> Pulse {
        let share = i32::from(permyriad).clamp(-10_000, 10_000);
        let reach = if share < 0 { self.neutral - self.low } else { self.high - self.neutral };
        let pulse = i32::from(self.neutral) + share * i32::from(reach) / 10_000;
        Pulse(u16::try_from(pulse).unwrap_or(self.neutral).clamp(self.low, self.high))
    }
}

impl Default for PulseRange {
    /// What servos and speed controllers are delivered for.
    fn default() -> Self {
        Self { low: 1000, neutral: 1500, high: 2000 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_and_middle_are_met_exactly() {
        let range = PulseRange::new(900, 1480, 2100).unwrap();
        let at = |share| range.at(share).micros();
        assert_eq!([-10_000, 0, 10_000].map(at), [900, 1480, 2100]);
        assert_eq!([-5_000, 5_000].map(at), [1190, 1790]);
        assert_eq!([i16::MIN, i16::MAX].map(at), [900, 2100]);
        assert_eq!(range.neutral().micros(), 1480);
    }

    #[test]
    fn a_range_that_could_break_a_servo_is_refused() {
        for (low, neutral, high) in [
            (799, 1500, 2000),
            (1000, 1500, 2201),
            (1500, 1500, 2000),
            (1000, 2000, 2000),
            (2000, 1500, 1000),
            (0, 0, 0),
        ] {
            assert_eq!(PulseRange::new(low, neutral, high), Err(PulseRangeError));
        }
    }
}
