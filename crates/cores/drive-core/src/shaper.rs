//! Makes the positions of servo and motor from what the driver asks: end points, trim, dead band,
//! slew, pause at a reversal.

use crate::settings::Settings;
use crate::timing::{REVERSAL_PAUSE, TICK};
use rccar_protocol::units::{MonotonicMicros, Steering, Throttle};

/// Positions are kept in 1/10000 of full scale times a million. A rate per second times
/// microseconds is then exact: no fraction is lost, however often the machine is called.
const FINE: i64 = 1_000_000;
const FULL: i64 = 10_000;

/// Positions of servo and motor on their way to where the driver wants them.
#[derive(Debug, Clone)]
pub(crate) struct Shaper {
    settings: Settings,
    /// Share of the throttle that the battery allows, in 1/10000.
    share: i64,
    at: MonotonicMicros,
    steering: i64,
    steering_target: i64,
    throttle: i64,
    throttle_target: i64,
    /// Direction in which the motor was driven last: −1 or 1, and 0 if it never was.
    direction: i64,
    /// When the throttle came to zero.
    zero_since: MonotonicMicros,
}

impl Shaper {
    pub(crate) fn new(settings: Settings) -> Self {
        let centre = steering_position(&settings, Steering::NEUTRAL);
        Self {
            settings,
            share: FULL,
            at: MonotonicMicros::default(),
            steering: centre,
            steering_target: centre,
            throttle: 0,
            throttle_target: 0,
            direction: 0,
            zero_since: MonotonicMicros::default(),
        }
    }

    /// Other settings. The motor has to be at zero; the wheels go to their new middle.
    pub(crate) fn change(&mut self, settings: Settings) {
        self.cut();
        self.settings = settings;
        self.steering_target = steering_position(&settings, Steering::NEUTRAL);
    }

    /// Moves both positions on to `now`.
    pub(crate) fn advance(&mut self, now: MonotonicMicros) {
        let passed = now.since(self.at);
        self.steering = toward(
            self.steering,
            self.steering_target,
            self.settings.steering.slew_per_s,
            passed.as_micros(),
        );
        // Into the other direction, the throttle rises only after a pause at zero.
        let reverses = self.throttle_target * self.direction < 0;
        let may_rise_from =
            if reverses { self.at.max(self.zero_since.plus(REVERSAL_PAUSE)) } else { self.at };
        if now >= may_rise_from {
            let passed = now.since(may_rise_from);
            self.throttle = toward(
                self.throttle,
                self.throttle_target,
                self.settings.throttle.slew_per_s,
                passed.as_micros(),
            );
        }
        if self.throttle != 0 {
            self.direction = self.throttle.signum();
        }
        self.at = now;
    }

    /// Sets the targets to what the driver asks. Less throttle takes effect at once, and so does
    /// zero on the way to the other direction.
    pub(crate) fn follow(&mut self, steering: Steering, throttle: Throttle) {
        self.steering_target = steering_position(&self.settings, steering);
        let target = self.throttle_position(throttle);
        if target == 0 || target * self.throttle.signum() < 0 {
            self.cut();
        } else if target.abs() < self.throttle.abs() {
            self.throttle = target;
        }
        self.throttle_target = target;
    }

    /// Allows this share of the throttle, in 1/10000. More than that is cut at once, and nothing
    /// rises before the driver asks again.
    pub(crate) fn limit(&mut self, share: u16) {
        self.share = i64::from(share).min(FULL);
        let (forward, reverse) =
            (self.throttle_position(Throttle::MAX), self.throttle_position(Throttle::MIN));
        self.throttle_target = self.throttle_target.clamp(reverse, forward);
        let limited = self.throttle.clamp(reverse, forward);
        if limited == 0 && self.throttle != 0 {
            self.zero_since = self.at;
        }
        self.throttle = limited;
    }

    /// Zero throttle at once; the steering goes where the driver asks.
    pub(crate) fn steer_only(&mut self, steering: Steering) {
        self.steering_target = steering_position(&self.settings, steering);
        self.cut();
    }

    /// Both positions stay where they are.
    pub(crate) fn hold(&mut self) {
        self.steering_target = self.steering;
        self.throttle_target = self.throttle;
    }

    /// Zero throttle at once. The wheels stay where they point, so that a car that brakes in a bend
    /// stays in it.
    pub(crate) fn brake(&mut self) {
        self.steering_target = self.steering;
        self.cut();
    }

    /// Zero throttle and straight wheels, at once.
    pub(crate) fn rest(&mut self) {
        self.cut();
        self.steering = steering_position(&self.settings, Steering::NEUTRAL);
        self.steering_target = self.steering;
    }

    pub(crate) fn steering(&self) -> Steering {
        ratio(self.steering)
            .and_then(|value| Steering::from_permyriad(value).ok())
            .unwrap_or_default()
    }

    pub(crate) fn throttle(&self) -> Throttle {
        ratio(self.throttle)
            .and_then(|value| Throttle::from_permyriad(value).ok())
            .unwrap_or_default()
    }

    /// Whether the driver's throttle counts as neutral.
    pub(crate) fn is_neutral(&self, throttle: Throttle) -> bool {
        throttle.permyriad().unsigned_abs() <= self.settings.throttle.dead_band
    }

    /// When the next step is due; `None` if both positions have reached their targets.
    pub(crate) fn next_step(&self) -> Option<MonotonicMicros> {
        let moving = self.steering != self.steering_target || self.throttle != self.throttle_target;
        moving.then(|| self.at.plus(TICK))
    }

    /// Zero at the edge of the dead band, the limit at full scale.
    fn throttle_position(&self, throttle: Throttle) -> i64 {
        let settings = &self.settings.throttle;
        let asked = i64::from(throttle.permyriad());
        let dead_band = i64::from(settings.dead_band);
        let beyond = (asked.abs() - dead_band).max(0);
        let most = i64::from(if asked < 0 { settings.max_reverse } else { settings.max_forward });
        let whole = beyond * most * FINE / (FULL - dead_band);
        asked.signum() * (whole * self.share / FULL)
    }

    fn cut(&mut self) {
        if self.throttle != 0 {
            self.zero_since = self.at;
        }
        self.throttle = 0;
        self.throttle_target = 0;
    }
}

/// Full left and full right are the end points; neutral is the trim.
fn steering_position(settings: &Settings, steering: Steering) -> i64 {
    let settings = &settings.steering;
    let (trim, asked) = (i64::from(settings.trim), i64::from(steering.permyriad()));
    let reach =
        if asked < 0 { i64::from(settings.left) + trim } else { i64::from(settings.right) - trim };
    let position = trim * FINE + asked * reach * (FINE / FULL);
    if settings.reversed { -position } else { position }
}

fn toward(from: i64, to: i64, per_s: u32, micros: u128) -> i64 {
    if per_s == 0 {
        return to;
    }
    let most = i64::from(per_s).saturating_mul(i64::try_from(micros).unwrap_or(i64::MAX));
    from + (to - from).clamp(-most, most)
}

fn ratio(fine: i64) -> Option<i16> {
    i16::try_from(fine / FINE).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{SteeringSettings, ThrottleSettings};

    fn at(micros: u64) -> MonotonicMicros {
        MonotonicMicros(micros)
    }

    fn steering(value: i16) -> Steering {
        Steering::from_permyriad(value).unwrap()
    }

    fn throttle(value: i16) -> Throttle {
        Throttle::from_permyriad(value).unwrap()
    }

    #[test]
    fn trim_moves_the_middle_and_leaves_the_end_points() {
        let settings = SteeringSettings {
            trim: 500,
            left: 8_000,
            right: 6_000,
            slew_per_s: 0,
            reversed: false,
        };
        for (reversed, sign) in [(false, 1), (true, -1)] {
            let mut shaper = Shaper::new(Settings {
                steering: SteeringSettings { reversed, ..settings },
                ..Settings::default()
            });
            for (asked, position) in [(0, 500), (10_000, 6_000), (-10_000, -8_000), (5_000, 3_250)]
            {
                shaper.follow(steering(asked), Throttle::NEUTRAL);
                shaper.advance(at(1));
                assert_eq!(shaper.steering().permyriad(), position * sign);
            }
        }
    }

    #[test]
    fn the_dead_band_is_silent_and_what_follows_starts_at_zero() {
        let throttle_settings = ThrottleSettings {
            max_forward: 5_000,
            max_reverse: 2_000,
            dead_band: 400,
            slew_per_s: 0,
        };
        let mut shaper =
            Shaper::new(Settings { throttle: throttle_settings, ..Settings::default() });
        for (asked, position) in
            [(400, 0), (-400, 0), (402, 1), (10_000, 5_000), (0, 0), (-10_000, -2_000)]
        {
            shaper.follow(Steering::NEUTRAL, throttle(asked));
            shaper.advance(shaper.at.plus(REVERSAL_PAUSE));
            assert_eq!(shaper.throttle().permyriad(), position, "{asked}");
        }
    }

    #[test]
    fn throttle_rises_at_its_rate_however_often_it_is_asked_and_falls_at_once() {
        let mut shaper = Shaper::new(Settings::default());
        shaper.follow(Steering::NEUTRAL, Throttle::MAX);
        // 25000 per second; steps of 7 µs are each less than one unit.
        for micros in (0..=100_002).step_by(7) {
            shaper.advance(at(micros));
        }
        assert_eq!(shaper.throttle().permyriad(), 2_500);
        shaper.follow(Steering::NEUTRAL, throttle(1_000));
        assert_eq!(shaper.throttle().permyriad(), 312);
    }

    #[test]
    fn a_reversal_rests_at_zero_for_a_servo_period() {
        let mut shaper = Shaper::new(Settings::default());
        shaper.follow(Steering::NEUTRAL, Throttle::MAX);
        shaper.advance(at(300_000));
        shaper.follow(Steering::NEUTRAL, Throttle::MIN);
        shaper.advance(at(319_999));
        assert_eq!(shaper.throttle(), Throttle::NEUTRAL);
        shaper.advance(at(330_000));
        assert_eq!(shaper.throttle().permyriad(), -250);
        shaper.follow(Steering::NEUTRAL, Throttle::NEUTRAL);
        shaper.follow(Steering::NEUTRAL, Throttle::MIN);
        shaper.advance(at(332_000));
        assert_eq!(shaper.throttle().permyriad(), -50, "the same direction needs no pause");
    }
}
