//! How the car's computer is: what was read becomes words that a driver understands.
//!
//! * **What was not read for [`STALE`] is unknown**: no figure stays on the display after its
//!   sensor is gone.
//! * Heat goes back only `HYSTERESIS` below the threshold, so that it does not flicker.
//! * A supply that sags is shown for [`SAG_SHOWN`] at least, and is remembered after that: it sags
//!   for a moment, when the motor starts, and then the computer restarts "by itself".

use rccar_protocol::sensors::{Computer, HeatLevel, Share, SupplyLevel};
use rccar_protocol::units::MonotonicMicros;
use std::time::Duration;

/// A reading counts for this long: five periods of a sensor that is read every 2 s.
pub const STALE: Duration = Duration::from_secs(10);
/// How long the display says that the supply sags, at least.
pub const SAG_SHOWN: Duration = Duration::from_secs(10);

/// In 1/10 °C. A Raspberry Pi slows down from 80 °C on (Raspberry Pi documentation, "Frequency
/// management and thermal control").
pub const HOT: i16 = 800;
/// In 1/10 °C: time to do something about it.
pub const WARM: i16 = 750;
/// In 1/10 °C.
const HYSTERESIS: i16 = 30;
/// In 1/10 °C: what a processor that works can have.
const PLAUSIBLE: std::ops::RangeInclusive<i16> = -400..=1_250;

/// What was read. `None`: there is no such sensor, or it cannot be read now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reading {
    /// In 1/10 °C.
    pub temperature: Option<i16>,
    /// The supply is too low now, or was since the last reading.
    pub supply_low: Option<bool>,
    /// In per cent of its life.
    pub wear: Option<Share>,
    /// In per cent of all processors.
    pub load: Option<Share>,
    pub uptime_s: u32,
}

/// Judges readings.
#[derive(Debug, Clone, Default)]
pub struct Health {
    /// The last reading, and when it was taken.
    read: Option<(Reading, MonotonicMicros)>,
    heat: HeatLevel,
    /// When the supply was too low last.
    low_at: Option<MonotonicMicros>,
}

impl Health {
    /// Takes a reading. True: heat or supply have another word than before.
    pub fn handle_reading(&mut self, now: MonotonicMicros, reading: Reading) -> bool {
        let before = self.words(now);
        let temperature = reading.temperature.filter(|value| PLAUSIBLE.contains(value));
        self.heat = temperature.map_or(HeatLevel::Unknown, |value| self.heat_at(value));
        if reading.supply_low == Some(true) {
            self.low_at = Some(now);
        }
        self.read = Some((Reading { temperature, ..reading }, now));
        self.words(now) != before
    }

    /// What to show; `None`: nothing was read for [`STALE`].
    #[must_use]
    pub fn computer(&self, now: MonotonicMicros) -> Option<Computer> {
        let (reading, at) = self.read?;
        if now.since(at) > STALE {
            return None;
        }
        let (heat, supply) = self.words(now);
        let Reading { temperature, wear, load, uptime_s, .. } = reading;
        Some(Computer { temperature, heat, supply, wear, load, uptime_s })
    }

    fn words(&self, now: MonotonicMicros) -> (HeatLevel, SupplyLevel) {
        let watched = self.read.is_some_and(|(reading, _)| reading.supply_low.is_some());
        let supply = match self.low_at {
            _ if !watched => SupplyLevel::Unknown,
            None => SupplyLevel::Good,
            Some(at) if now.since(at) <= SAG_SHOWN => SupplyLevel::Sags,
            Some(_) => SupplyLevel::Sagged,
        };
        (self.heat, supply)
    }

    fn heat_at(&self, temperature: i16) -> HeatLevel {
        let least = |level: HeatLevel, from: i16| {
            // `Unknown` is the lowest word, and leaves no hysteresis.
            from - if self.heat >= level { HYSTERESIS } else { 0 }
        };
        if temperature >= least(HeatLevel::Hot, HOT) {
            HeatLevel::Hot
        } else if temperature >= least(HeatLevel::Warm, WARM) {
            HeatLevel::Warm
        } else {
            HeatLevel::Good
        }
    }
}
