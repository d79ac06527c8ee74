//! Settings that the builder of a car chooses: end points, trim, limits.

use crate::picture::PictureSettings;

/// Full scale in 1/10000.
pub(crate) const FULL: u16 = 10_000;

/// Positions and limits are in 1/10000 of full scale, slew rates in 1/10000 of full scale per
/// second.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Settings {
    pub steering: SteeringSettings,
    pub throttle: ThrottleSettings,
    pub picture: PictureSettings,
}

/// Left and right are those of the driver; `reversed` is applied last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SteeringSettings {
    /// Position at which the wheels are straight, positive to the right. It does not move the end
    /// points.
    pub trim: i16,
    /// Position at full left.
    pub left: u16,
    /// Position at full right.
    pub right: u16,
    /// Largest change of the position per second; 0 is no limit.
    pub slew_per_s: u32,
    /// The servo is mounted the other way round.
    pub reversed: bool,
}

impl Default for SteeringSettings {
    /// From end to end in a quarter of a second: as fast as an ordinary servo (0.15 s for 60°), and
    /// gentle to its gears.
    fn default() -> Self {
        Self { trim: 0, left: FULL, right: FULL, slew_per_s: 80_000, reversed: false }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ThrottleSettings {
    /// Throttle on the motor at full forward.
    pub max_forward: u16,
    /// Throttle on the motor at full reverse.
    pub max_reverse: u16,
    /// The driver's stick counts as neutral up to this throttle.
    pub dead_band: u16,
    /// Largest rise per second; 0 is no limit. A fall toward zero is always immediate.
    pub slew_per_s: u32,
}

impl Default for ThrottleSettings {
    /// Half of full scale forward and three tenths backward. A worn stick rests within 4 %. The
    /// motor reaches the driver's full throttle in 0.2 s, which spares the gears the step of a key.
    fn default() -> Self {
        Self { max_forward: 5_000, max_reverse: 3_000, dead_band: 400, slew_per_s: 25_000 }
    }
}

/// A setting is out of range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{key} is {value}, but {rule}")]
pub struct SettingsError {
    /// Path of the setting, such as `steering.trim`.
    pub key: &'static str,
    /// In the unit of the setting.
    pub value: i64,
    /// The rule that it breaks, in words.
    pub rule: &'static str,
}

impl Settings {
    pub fn check(&self) -> Result<(), SettingsError> {
        let Self { steering, throttle, picture } = self;
        picture.check()?;
        within(
            "steering.left",
            steering.left,
            1,
            FULL,
            "it must lie above 0 and at most at full scale (10000)",
        )?;
        within(
            "steering.right",
            steering.right,
            1,
            FULL,
            "it must lie above 0 and at most at full scale (10000)",
        )?;
        let (left, right) = (-i64::from(steering.left), i64::from(steering.right));
        if !(left..=right).contains(&i64::from(steering.trim)) {
            let rule = "it must lie between the end points steering.left and steering.right";
            return Err(SettingsError { key: "steering.trim", value: steering.trim.into(), rule });
        }
        within(
            "throttle.max_forward",
            throttle.max_forward,
            0,
            FULL,
            "it must be at most full scale (10000)",
        )?;
        within(
            "throttle.max_reverse",
            throttle.max_reverse,
            0,
            FULL,
            "it must be at most full scale (10000)",
        )?;
        within(
            "throttle.dead_band",
            throttle.dead_band,
            0,
            FULL / 2,
            "it must leave half of the stick's way (at most 5000)",
        )
    }
}

pub(crate) fn within(
    key: &'static str,
    value: u16,
    min: u16,
    max: u16,
    rule: &'static str,
) -> Result<(), SettingsError> {
    if (min..=max).contains(&value) {
        Ok(())
    } else {
        Err(SettingsError { key, value: value.into(), rule })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_legal() {
        assert_eq!(Settings::default().check(), Ok(()));
    }

    #[test]
    fn an_error_names_the_setting_and_the_rule() {
        let steering =
            SteeringSettings { trim: -3_000, left: 2_000, ..SteeringSettings::default() };
        let error = Settings { steering, ..Settings::default() }.check().unwrap_err();
        assert_eq!(
            error.to_string(),
            "steering.trim is -3000, but it must lie between the end points steering.left and \
             steering.right"
        );
        let throttle = ThrottleSettings { dead_band: 5_001, ..ThrottleSettings::default() };
        assert_eq!(
            Settings { throttle, ..Settings::default() }.check().unwrap_err().key,
            "throttle.dead_band"
        );
    }
}
