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

/// The pulses of one channel: at full left or full reverse, in the middle, at full right or full
/// forward. They may fall from the one end to the other: then the servo is the other way round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PulseRange {
    minus: u16,
    neutral: u16,
    plus: u16,
}

/// Pulses that make no range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("neutral lies between both ends, and all three pulses from 800 to 2200 µs")]
pub struct PulseRangeError;

impl PulseRange {
    /// From lengths in µs.
    pub fn new(minus: u16, neutral: u16, plus: u16) -> Result<Self, PulseRangeError> {
        let between = (minus < neutral && neutral < plus) || (plus < neutral && neutral < minus);
        if between && BOUNDS_US.contains(&minus) && BOUNDS_US.contains(&plus) {
            Ok(Self { minus, neutral, plus })
        } else {
            Err(PulseRangeError)
        }
    }

    /// With the ends exchanged, and so the direction.
    #[must_use]
    pub fn reversed(&self) -> Self {
        Self { minus: self.plus, neutral: self.neutral, plus: self.minus }
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
        let (neutral, end) =
            (i32::from(self.neutral), if share < 0 { self.minus } else { self.plus });
        let pulse = neutral + share.abs() * (i32::from(end) - neutral) / 10_000;
        Pulse(u16::try_from(pulse).unwrap_or(self.neutral))
    }
}

impl Default for PulseRange {
    /// What servos and speed controllers are delivered for.
    fn default() -> Self {
        Self { minus: 1000, neutral: 1500, plus: 2000 }
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
        let reversed = PulseRange::new(2100, 1480, 900).unwrap();
        assert_eq!(reversed.reversed(), PulseRange::new(900, 1480, 2100).unwrap());
        assert_eq!(
            [-10_000, 0, 5_000, 10_000].map(|at| reversed.at(at).micros()),
            [2100, 1480, 1190, 900]
        );
    }

    #[test]
    fn a_range_that_could_break_a_servo_is_refused() {
        for (low, neutral, high) in [
            (799, 1500, 2000),
            (1000, 1500, 2201),
            (1500, 1500, 2000),
            (1000, 2000, 2000),
            (2201, 1500, 1000),
            (1000, 900, 2000),
            (0, 0, 0),
        ] {
            assert_eq!(PulseRange::new(low, neutral, high), Err(PulseRangeError));
        }
    }
}
