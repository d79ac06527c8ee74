//! What came out: output, state, reason.

use super::{Machine, Motor, Output, Phase};
use rccar_protocol::state::{DriveState, StopReason};
use rccar_protocol::units::MonotonicMicros;

impl Machine {
    /// The output as it is since the last `handle_*` call.
    #[must_use]
    pub fn output(&self) -> Output {
        let motor = match self.phase {
            Phase::Armed | Phase::Holding | Phase::Jogging
                if self.last.is_some_and(|last| last.brake) =>
            {
                Motor::Brake
            }
            Phase::Armed | Phase::Holding | Phase::Jogging => Motor::Drive(self.shaper.throttle()),
            Phase::Braking => Motor::Brake,
            Phase::Disarmed { .. } | Phase::Arming { .. } | Phase::Tripped
                if self.brake_until.is_some() =>
            {
                Motor::Brake
            }
            Phase::Disarmed { .. } | Phase::Arming { .. } | Phase::Tripped => Motor::Neutral,
        };
        Output { steering: self.shaper.steering(), motor }
    }

    #[must_use]
    pub fn state(&self) -> DriveState {
        match self.phase {
            Phase::Disarmed { .. } => DriveState::Disarmed,
            Phase::Arming { .. } => DriveState::Arming,
            Phase::Armed => DriveState::Armed,
            Phase::Holding => DriveState::Holding,
            Phase::Braking => DriveState::Braking,
            Phase::Jogging => DriveState::Jogging,
            Phase::Tripped => DriveState::Tripped,
        }
    }

    /// Why the wheels do not follow the driver.
    #[must_use]
    pub fn reason(&self) -> StopReason {
        self.reason
    }

    /// The session that the drive obeys; zero is nobody.
    #[must_use]
    pub fn session(&self) -> u64 {
        self.session
    }

    /// The moment of the last fresh input of this session, from which the deadlines count.
    #[must_use]
    pub fn last_input(&self) -> Option<MonotonicMicros> {
        self.last.map(|last| last.fresh_at)
    }

    /// Whether the motor is at neutral and stays there until somebody arms.
    #[must_use]
    pub fn is_at_rest(&self) -> bool {
        !self.state().may_move() && self.brake_until.is_none()
    }
}
