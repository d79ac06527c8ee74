//! What the drive makes of the battery's voltage: it warns, then limits the speed, then stops.
//!
//! ```text
//!             < warn            < limit              < stop
//!      ┌──────┐     ┌─────┐              ┌─────────┐              ┌───────┐
//!      │ Good │────►│ Low │─────────────►│ Limited │─────────────►│ Empty │
//!      │      │◄────│     │◄─────────────│         │              │       │
//!      └──────┘     └─────┘              └─────────┘              └───────┘
//!          ▲ ≥ warn + hysteresis   ≥ limit + hysteresis               │
//!          └──────────────────────────────────────────────────────────┘ ≥ warn + hysteresis
//! ```
//!
//! * **Each arrow takes [`patience`](BatterySettings::patience) without a break.** While a car
//!   accelerates its voltage sags. That is not an empty battery. From each state a level further
//!   down counts as soon as its own time is over.
//! * A battery that rests recovers some tenths of a volt. So the way up from *Empty* begins above
//!   the threshold of the warning, not above that of the stop.
//! * *Unknown* is the level at the start, and again when nothing plausible was read for [`STALE`].
//!   The first plausible reading leads to *Good* or *Low*, at once. Nothing is limited while the
//!   level is unknown: **a sensor that fails never stops the car.**
//! * [`BatteryAction`] says how far down it goes: a car that is only to warn stays *Low*.
//! * It gives nothing back either: *Limited* and *Empty* stay when the sensor falls silent.
//!
//! There is no deadline to wait for: the level only changes when a reading is handed in, and the
//! shell does that in every turn.

use crate::settings::SettingsError;
use rccar_protocol::state::BatteryLevel;
use rccar_protocol::units::MonotonicMicros;
use std::time::Duration;

/// A reading counts for this long: six periods of a sensor that is read twice a second.
pub const STALE: Duration = Duration::from_secs(3);

/// Shortest [`BatterySettings::patience`]: longer than [`STALE`], so that one reading that a stuck
/// sensor repeats is never enough.
pub const MIN_PATIENCE: Duration = Duration::from_secs(5);
/// Longest [`BatterySettings::patience`]. An empty cell is damaged within minutes.
pub const MAX_PATIENCE: Duration = Duration::from_secs(60);

/// What a cell may have, in mV. Below it the sensor's wire is off; above it there are more cells
/// than the settings say (a full cell has 4.2 V, a high-voltage one 4.35 V).
const PLAUSIBLE: std::ops::RangeInclusive<u32> = 1_000..=4_500;

/// Highest voltage that may be needed to count as good, in mV: a full cell rests at 4.2 V, and has
/// less when it is old or drives a motor.
const MOST_FOR_GOOD: u16 = 4_100;

/// Voltages are in mV per cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatterySettings {
    /// Cells in series, 1 to 8.
    pub cells: u8,
    /// Below this voltage the battery is low.
    pub warn: u16,
    /// Below this voltage the speed is limited.
    pub limit: u16,
    /// Below this voltage the car stops.
    pub stop: u16,
    /// How far above a threshold the voltage must be to leave its level again.
    pub hysteresis: u16,
    /// How long a voltage must last before it counts: [`MIN_PATIENCE`] to [`MAX_PATIENCE`].
    pub patience: Duration,
    /// Share of the throttle that is left while the speed is limited, in 1/10000.
    pub limited_speed: u16,
    /// The most that the drive does. Levels beyond it are not reached.
    pub action: BatteryAction,
}

/// What the drive does about a battery that runs down. Each includes those before it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum BatteryAction {
    /// The level is [`BatteryLevel::Low`] at most.
    Warn,
    /// The level is [`BatteryLevel::Limited`] at most.
    Limit,
    #[default]
    Stop,
}

impl BatteryAction {
    fn deepest(self) -> BatteryLevel {
        match self {
            Self::Warn => BatteryLevel::Low,
            Self::Limit => BatteryLevel::Limited,
            Self::Stop => BatteryLevel::Empty,
        }
    }
}

impl Default for BatterySettings {
    /// For two LiPo cells that drive a motor. Stop at 3.3 V: Betaflight's minimum
    /// (`vbat_min_cell_voltage`) and the highest cut-off of Hobbywing's speed controllers. Limit at
    /// 3.5 V: Betaflight's warning (`vbat_warning_cell_voltage`), and what ArduPilot calls low
    /// (10.5 V for three cells). The warning comes a tenth of a volt before. 10 s: ArduPilot's
    /// `BATT_LOW_TIMER`, and the time after which those speed controllers switch off. Half of the
    /// speed is what they leave until then.
    fn default() -> Self {
        Self {
            cells: 2,
            warn: 3_600,
            limit: 3_500,
            stop: 3_300,
            hysteresis: 100,
            patience: Duration::from_secs(10),
            limited_speed: 5_000,
            action: BatteryAction::Stop,
        }
    }
}

impl BatterySettings {
    pub fn check(&self) -> Result<(), SettingsError> {
        let wrong = |key, value: u16, rule| Err(SettingsError { key, value: value.into(), rule });
        if !(1..=8).contains(&self.cells) {
            return wrong("battery.cells", self.cells.into(), "it must be from 1 to 8");
        }
        if self.stop < 2_000 {
            return wrong("battery.stop", self.stop, "no cell survives less than 2 V (2000)");
        }
        if self.limit < self.stop {
            return wrong("battery.limit", self.limit, "it must be at least battery.stop");
        }
        if self.warn < self.limit {
            return wrong("battery.warn", self.warn, "it must be at least battery.limit");
        }
        if self.warn.saturating_add(self.hysteresis) > MOST_FOR_GOOD {
            let rule = "with battery.hysteresis it must be at most 4.1 V (4100), or a full battery \
                        would not count as good";
            return wrong("battery.warn", self.warn, rule);
        }
        if !(MIN_PATIENCE..=MAX_PATIENCE).contains(&self.patience) {
            let seconds = u16::try_from(self.patience.as_secs()).unwrap_or(u16::MAX);
            return wrong("battery.patience_s", seconds, "it must be from 5 s to 60 s");
        }
        if !(1_000..=10_000).contains(&self.limited_speed) {
            let rule = "it must be from a tenth (1000) to full scale (10000)";
            return wrong("battery.limited_speed", self.limited_speed, rule);
        }
        Ok(())
    }
}

/// How much of the throttle the battery allows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Allowance {
    #[default]
    Full,
    /// A share of the throttle, in 1/10000.
    Share(u16),
    /// The car stops, and cannot be armed.
    Nothing,
}

/// Judges the battery by its voltage.
#[derive(Debug, Clone)]
pub struct Battery {
    settings: BatterySettings,
    /// False: the settings are not those of this battery, and the level stays unknown.
    judged: bool,
    level: BatteryLevel,
    /// When the last plausible reading came.
    read_at: Option<MonotonicMicros>,
    /// Since when the voltage is below the thresholds of warning, limit and stop.
    below: [Option<MonotonicMicros>; 3],
    /// Since when it is high enough to leave the level.
    above: Option<MonotonicMicros>,
}

/// What each threshold leads to, in the order of [`Battery::thresholds`].
const LEVELS: [BatteryLevel; 3] = [BatteryLevel::Low, BatteryLevel::Limited, BatteryLevel::Empty];

impl Battery {
    /// Begins with an unknown level.
    ///
    /// # Errors
    /// If a setting is out of range.
    pub fn new(settings: BatterySettings) -> Result<Self, SettingsError> {
        settings.check()?;
        Ok(Self {
            settings,
            judged: true,
            level: BatteryLevel::Unknown,
            read_at: None,
            below: [None; 3],
            above: None,
        })
    }

    /// A battery that should be watched, but nobody knows how: its settings are wrong. The level
    /// stays unknown, which the driver sees, and nothing is limited.
    #[must_use]
    pub fn unjudged() -> Self {
        Self {
            settings: BatterySettings::default(),
            judged: false,
            level: BatteryLevel::Unknown,
            read_at: None,
            below: [None; 3],
            above: None,
        }
    }

    /// Takes the newest voltage of the whole battery in mV, or `None` if the sensor has none. To be
    /// called often, with the same reading until there is another one. True: the level has changed.
    pub fn handle_reading(&mut self, now: MonotonicMicros, reading: Option<u16>) -> bool {
        if !self.judged {
            return false;
        }
        let before = self.level;
        let silent = self.read_at.is_none_or(|at| now.since(at) > STALE);
        if silent {
            // What was read before the silence says nothing about how long a voltage has lasted.
            (self.below, self.above) = ([None; 3], None);
        }
        if let Some(cell) = reading.and_then(|millivolts| self.plausible(millivolts)) {
            // Time never runs backward here, whatever the caller does.
            let now = self.read_at.map_or(now, |at| at.max(now));
            self.read_at = Some(now);
            self.judge(now, cell);
        } else if silent && matches!(self.level, BatteryLevel::Good | BatteryLevel::Low) {
            self.level = BatteryLevel::Unknown;
        }
        self.level != before
    }

    #[must_use]
    pub fn level(&self) -> BatteryLevel {
        self.level
    }

    #[must_use]
    pub fn allowance(&self) -> Allowance {
        match self.level {
            BatteryLevel::Empty => Allowance::Nothing,
            BatteryLevel::Limited => Allowance::Share(self.settings.limited_speed),
            BatteryLevel::Unknown
            | BatteryLevel::Good
            | BatteryLevel::Low
            | BatteryLevel::Other(_) => Allowance::Full,
        }
    }

    /// Voltage of a cell in mV; `None` if it cannot be true.
    fn plausible(&self, millivolts: u16) -> Option<u16> {
        let cells = u32::from(self.settings.cells);
        let total = u32::from(millivolts);
        let legal = (PLAUSIBLE.start() * cells..=PLAUSIBLE.end() * cells).contains(&total);
        legal.then(|| u16::try_from(total / cells).unwrap_or(u16::MAX))
    }

    fn judge(&mut self, now: MonotonicMicros, cell: u16) {
        let thresholds = self.thresholds();
        if self.level == BatteryLevel::Unknown {
            self.level =
                if cell < self.settings.warn { BatteryLevel::Low } else { BatteryLevel::Good };
        }
        for (since, threshold) in self.below.iter_mut().zip(thresholds) {
            *since = (cell < threshold).then(|| since.unwrap_or(now));
        }
        let patience = self.settings.patience;
        let lasted = |since: Option<MonotonicMicros>| {
            since.is_some_and(|since| now.since(since) >= patience)
        };
        let deepest = (LEVELS.iter().zip(self.below))
            .filter(|(level, since)| **level <= self.settings.action.deepest() && lasted(*since))
            .map(|(level, _)| *level)
            .next_back();
        if let Some(level) = deepest.filter(|level| *level > self.level) {
            self.level = level;
            self.above = None;
            return;
        }
        let (leave_at, to) = match self.level {
            BatteryLevel::Limited => (self.settings.limit, BatteryLevel::Low),
            BatteryLevel::Low | BatteryLevel::Empty => (self.settings.warn, BatteryLevel::Good),
            BatteryLevel::Unknown | BatteryLevel::Good | BatteryLevel::Other(_) => return,
        };
        let high = cell >= leave_at.saturating_add(self.settings.hysteresis);
        self.above = high.then(|| self.above.unwrap_or(now));
        if lasted(self.above) {
            self.level = to;
            self.above = None;
        }
    }

    /// Of warning, limit and stop.
    fn thresholds(&self) -> [u16; 3] {
        [self.settings.warn, self.settings.limit, self.settings.stop]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_legal() {
        assert_eq!(BatterySettings::default().check(), Ok(()));
    }

    #[test]
    fn an_error_names_the_setting_and_the_rule() {
        let good = BatterySettings::default();
        for (settings, key) in [
            (BatterySettings { cells: 0, ..good }, "battery.cells"),
            (BatterySettings { cells: 9, ..good }, "battery.cells"),
            (BatterySettings { stop: 1_999, ..good }, "battery.stop"),
            (BatterySettings { limit: 3_299, ..good }, "battery.limit"),
            (BatterySettings { warn: 3_499, ..good }, "battery.warn"),
            (BatterySettings { hysteresis: 501, ..good }, "battery.warn"),
            (BatterySettings { patience: Duration::from_secs(4), ..good }, "battery.patience_s"),
            (BatterySettings { limited_speed: 999, ..good }, "battery.limited_speed"),
        ] {
            assert_eq!(Battery::new(settings).unwrap_err().key, key);
        }
    }
}
