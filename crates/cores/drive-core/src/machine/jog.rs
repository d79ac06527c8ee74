//! Calibration: other settings while the car rests, and jogging.

use super::{Machine, Phase};
use crate::event::Event;
use crate::input::Input;
use crate::settings::{Settings, SettingsError};
use rccar_protocol::state::StopReason;
use rccar_protocol::units::MonotonicMicros;

impl Machine {
    /// Opens the calibration for a session, whose input may jog from now on, or closes it (`None`).
    pub fn handle_calibration(&mut self, now: MonotonicMicros, session: Option<u64>) {
        self.handle_timeout(now);
        if self.calibrating != session {
            self.jog_released = false;
        }
        self.calibrating = session;
        if self.phase == Phase::Jogging && session != Some(self.session) {
            self.end_jog(StopReason::None);
        }
    }

    /// Other settings from now on. They count only while the car is at rest, so that nothing jumps:
    /// the motor is at neutral whatever they say, and the servo moves to its new middle at its
    /// slew rate. False: it is not at rest, and nothing has changed.
    ///
    /// # Errors
    /// If a setting is out of range; then nothing has changed, either.
    pub fn handle_settings(
        &mut self,
        now: MonotonicMicros,
        settings: Settings,
    ) -> Result<bool, SettingsError> {
        settings.check()?;
        self.handle_timeout(now);
        let rests = self.is_at_rest();
        if rests {
            self.shaper.change(settings);
            self.picture = settings.picture;
        }
        Ok(rests)
    }

    /// Whether this input is to move servo and motor although the car is disarmed.
    pub(super) fn jogs(&self, input: &Input) -> bool {
        input.jog
            && !input.arm
            && (self.jog_released || self.phase == Phase::Jogging)
            && self.calibrating == Some(self.session)
            && self.brake_until.is_none()
            && !self.is_battery_empty()
    }

    pub(super) fn jog(&mut self, input: Input) {
        if self.phase != Phase::Jogging {
            self.phase = Phase::Jogging;
            self.jog_released = false;
            self.events.push_back(Event::JogStarted);
        }
        self.reason = StopReason::None;
        if input.brake {
            self.shaper.steer_only(input.steering);
        } else {
            self.shaper.follow(input.steering, input.throttle);
        }
    }

    /// Neutral at once, and disarmed.
    pub(super) fn end_jog(&mut self, reason: StopReason) {
        self.phase = Phase::Disarmed { released: false };
        self.reason = reason;
        self.shaper.rest();
        self.events.push_back(Event::JogEnded { reason });
    }
}
