//! Which set-points count as input.

use crate::event::Rejection;
use crate::timing::{FUTURE_TOLERANCE, HOLD};
use rccar_protocol::setpoint::SetPoint;
use rccar_protocol::state::StopReason;
use rccar_protocol::units::{MonotonicMicros, Steering, Throttle};

/// A set-point that counts as input.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Input {
    /// The moment from which the deadlines count: that of the sample, or of its arrival if the
    /// sample seems to be later.
    pub(crate) fresh_at: MonotonicMicros,
    pub(crate) arrived_at: MonotonicMicros,
    pub(crate) seq: u32,
    pub(crate) arm: bool,
    pub(crate) brake: bool,
    pub(crate) jog: bool,
    pub(crate) lights: bool,
    pub(crate) horn: bool,
    pub(crate) steering: Steering,
    pub(crate) throttle: Throttle,
}

impl Input {
    /// Judges a set-point that arrives `now`; `last` is the input that it must be newer than.
    pub(crate) fn judge(
        now: MonotonicMicros,
        set_point: &SetPoint,
        last: Option<&Self>,
    ) -> Result<Self, Rejection> {
        if last.is_some_and(|last| !is_newer(set_point.seq, last.seq)) {
            return Err(Rejection::Overtaken);
        }
        if set_point.not_input != StopReason::None {
            return Err(Rejection::NotInput(set_point.not_input));
        }
        if set_point.session == 0 {
            return Err(Rejection::NotInput(StopReason::DriverLeft));
        }
        if set_point.sampled_at.since(now) > FUTURE_TOLERANCE {
            return Err(Rejection::Future);
        }
        if now.since(set_point.sampled_at) > HOLD {
            return Err(Rejection::Stale);
        }
        Ok(Self {
            fresh_at: set_point.sampled_at.min(now),
            arrived_at: now,
            seq: set_point.seq,
            arm: set_point.arm,
            brake: set_point.brake,
            jog: set_point.jog,
            lights: set_point.lights,
            horn: set_point.horn,
            steering: set_point.steering,
            throttle: set_point.throttle,
        })
    }
}

/// Serial number arithmetic (RFC 1982).
fn is_newer(seq: u32, than: u32) -> bool {
    let ahead = seq.wrapping_sub(than);
    ahead != 0 && ahead < 1 << 31
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const NOW: MonotonicMicros = MonotonicMicros(1_000_000);

    fn fresh() -> SetPoint {
        SetPoint { session: 1, seq: 7, sampled_at: NOW, ..SetPoint::default() }
    }

    fn verdict(set_point: SetPoint) -> Result<MonotonicMicros, Rejection> {
        Input::judge(NOW, &set_point, None).map(|input| input.fresh_at)
    }

    #[test]
    fn the_age_of_the_sample_decides() {
        let aged =
            |millis| SetPoint { sampled_at: NOW.minus(Duration::from_millis(millis)), ..fresh() };
        assert_eq!(verdict(aged(80)), Ok(MonotonicMicros(920_000)));
        assert_eq!(verdict(aged(81)), Err(Rejection::Stale));
        let ahead =
            |millis| SetPoint { sampled_at: NOW.plus(Duration::from_millis(millis)), ..fresh() };
        assert_eq!(verdict(ahead(5)), Ok(NOW), "deadlines never count from the future");
        assert_eq!(verdict(ahead(6)), Err(Rejection::Future));
        assert_eq!(
            verdict(SetPoint { sampled_at: MonotonicMicros(u64::MAX), ..fresh() }),
            Err(Rejection::Future)
        );
    }

    #[test]
    fn the_sender_may_say_that_it_is_not_input() {
        let hidden = SetPoint { not_input: StopReason::Hidden, ..fresh() };
        assert_eq!(verdict(hidden), Err(Rejection::NotInput(StopReason::Hidden)));
        assert_eq!(
            verdict(SetPoint { session: 0, ..fresh() }),
            Err(Rejection::NotInput(StopReason::DriverLeft))
        );
    }

    #[test]
    fn numbers_wrap() {
        let numbered = |seq| SetPoint { seq, ..fresh() };
        let last = Input::judge(NOW, &numbered(u32::MAX), None).unwrap();
        assert!(Input::judge(NOW, &numbered(0), Some(&last)).is_ok());
        for old in [u32::MAX, u32::MAX - 1, 1 << 31] {
            assert!(
                matches!(Input::judge(NOW, &numbered(old), Some(&last)), Err(Rejection::Overtaken)),
                "{old}"
            );
        }
    }
}
