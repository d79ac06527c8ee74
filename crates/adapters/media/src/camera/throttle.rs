//! Holds back a camera that is faster than wanted.

use rccar_protocol::units::MonotonicMicros;
use std::time::Duration;

/// So many frames in a row must come too soon before the camera is held back: time stamps of a USB
/// camera jitter.
const CONVINCED: u32 = 3;

/// Decides when the next frame may be asked for.
///
/// A sensor sets the pace itself: a frame is asked for as soon as there is a buffer. Some cameras
/// answer at once, as virtual ones do, or know only a higher rate: these are asked once in an
/// interval.
#[derive(Debug)]
pub(super) struct Throttle {
    interval: Duration,
    last_capture: Option<MonotonicMicros>,
    /// Frames in a row that came too soon.
    close: u32,
    /// `None` while the camera is not held back.
    due: Option<MonotonicMicros>,
}

impl Throttle {
    pub(super) fn new(fps: u32) -> Self {
        Self {
            interval: Duration::from_secs(1) / fps.max(1),
            last_capture: None,
            close: 0,
            due: None,
        }
    }

    pub(super) fn captured(&mut self, at: MonotonicMicros) {
        // Two thirds: a sensor that keeps the rate may jitter by a third.
        let close = self.last_capture.is_some_and(|last| at.since(last) < self.interval * 2 / 3);
        self.last_capture = Some(at);
        self.close = if close { self.close + 1 } else { 0 };
        if self.close >= CONVINCED && self.due.is_none() {
            self.due = Some(at.plus(self.interval));
        }
    }

    /// When the next frame may be asked for. `None`: at once, the camera is not held back.
    pub(super) fn due(&self) -> Option<MonotonicMicros> {
        self.due
    }

    /// A frame was asked for at `now`. Due times stay on a grid; those that were missed are left
    /// out.
    pub(super) fn asked(&mut self, now: MonotonicMicros) {
        if let Some(due) = &mut self.due {
            let next = due.plus(self.interval);
            *due = if next > now { next } else { now.plus(self.interval) };
        }
    }

    /// The camera has rested. It stays held back if it was, with a new grid.
    pub(super) fn restart(&mut self, now: MonotonicMicros) {
        self.last_capture = None;
        self.close = 0;
        self.due = self.due.map(|_| now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sensor_that_keeps_the_rate_is_never_held_back() {
        let mut throttle = Throttle::new(30);
        for frame in 0..100 {
            // Jitter of a third.
            throttle.captured(at_ms(frame * 33 + (frame % 3) * 5));
            assert_eq!(throttle.due(), None);
        }
    }

    #[test]
    fn a_camera_that_answers_at_once_is_asked_once_in_an_interval() {
        let mut throttle = Throttle::new(10);
        let mut asked = Vec::new();
        let mut now = at_ms(0);
        while asked.len() < 20 {
            if throttle.due().is_none_or(|due| due <= now) {
                throttle.asked(now);
                throttle.captured(now);
                asked.push(now);
            }
            now = now.plus(Duration::from_millis(1));
        }
        let steady = asked.split_off(5);
        assert!(
            steady.windows(2).all(|pair| pair[1].since(pair[0]) == Duration::from_millis(100)),
            "{steady:?}"
        );
    }

    #[test]
    fn after_a_stall_nothing_is_made_up_for() {
        let mut throttle = Throttle::new(10);
        (0..4).for_each(|ms| throttle.captured(at_ms(ms)));
        throttle.asked(at_ms(5_000));
        assert_eq!(throttle.due(), Some(at_ms(5_100)));
    }

    #[test]
    fn after_a_rest_the_camera_is_asked_at_once_and_held_back_again() {
        let mut throttle = Throttle::new(10);
        (0..4).for_each(|ms| throttle.captured(at_ms(ms)));
        throttle.restart(at_ms(60_000));
        assert_eq!(throttle.due(), Some(at_ms(60_000)));
    }

    fn at_ms(ms: u64) -> MonotonicMicros {
        MonotonicMicros(ms * 1_000)
    }
}
