//! The states of the drive.
//!
//! ```text
//!                    ┌──────────────── 6 disarm, 7 other session, 8 shutdown ─────────────────┐
//!                    ▼                                                                        │
//!              ┌──────────┐ 1 arm   ┌────────┐ 3 rested   ┌─────────────── may move ─────────────────────────┐
//!     start ──►│ Disarmed │────────►│ Arming │───────────►│  Armed ──4──► Holding ──5──► Braking             │
//!              │          │◄────────│        │            │    ▲             │              │                │
//!              └──────────┘ 2 ended └────────┘            │    └──── 9 ──────┴───── 9 ──────┘                │
//!                    ▲                                    └──────────────────────────────────────────────────┘
//!                    │ 11 release        ┌─────────┐                            │
//!                    └───────────────────│ Tripped │◄── 10 input did not return ┘
//!                                        └─────────┘◄── 12 fault, from every state
//! ```
//!
//! 1. *arm*: fresh input has `arm` set, after fresh input of the same session with `arm` clear, and
//!    no gap of [`NEUTRAL_BY`] since.
//! 2. *ended*: fresh input has `arm` clear, or the last input is [`HOLD`] old. After a gap, `arm`
//!    has to be seen clear again.
//! 3. *rested*: the throttle stayed within the dead band for [`ARM_NEUTRAL`]; the input that shows
//!    it arms.
//! 4. No input for [`QUIET`], or a set-point that says why it is not input. The outputs stay; the
//!    throttle does not rise.
//! 5. The last input is [`HOLD`] old. The motor brakes, the wheels stay where they point.
//! 6. *disarm*: fresh input has `arm` clear. Brakes for [`BRAKE_TIME`], because a car that rolls is
//!    not stopped, then neutral.
//! 7. *other session*: a set-point names another session. As 6; the new one has to arm.
//! 8. *shutdown*: [`Machine::handle_shutdown`]. As 6; nothing is obeyed any more.
//! 9. Fresh input has `arm` set. The wheels follow again; the throttle rises from what it is.
//! 10. The last input is [`NEUTRAL_AT`] old. Neutral at once.
//! 11. *release*: fresh input has `arm` clear. So does another session, which has to show `arm`
//!     clear on its own.
//! 12. *fault*: [`Machine::handle_fault`]. Neutral at once.

use crate::event::{Event, Rejection};
use crate::input::Input;
use crate::settings::{Settings, SettingsError};
use crate::shaper::Shaper;
use crate::timing::{ARM_NEUTRAL, BRAKE_TIME, HOLD, NEUTRAL_AT, NEUTRAL_BY, QUIET};
use rccar_protocol::setpoint::SetPoint;
use rccar_protocol::state::{DriveState, StopReason};
use rccar_protocol::units::{MonotonicMicros, Steering, Throttle};
use serde::Serialize;
use std::collections::VecDeque;

/// What the motor gets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Motor {
    /// This throttle; may be zero.
    Drive(Throttle),
    Brake,
    /// Nothing.
    #[default]
    Neutral,
}

/// What servo and motor get.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Output {
    /// Position of the servo, with trim, end points and mounting applied.
    pub steering: Steering,
    pub motor: Motor,
}

/// The failsafe.
#[derive(Debug)]
pub struct Machine {
    shaper: Shaper,
    now: MonotonicMicros,
    phase: Phase,
    reason: StopReason,
    session: u64,
    /// The last input of this session.
    last: Option<Input>,
    /// Why the set-points since then do not count.
    doubt: Option<Rejection>,
    /// Until when the drive brakes although it is disarmed.
    brake_until: Option<MonotonicMicros>,
    shut_down: bool,
    events: VecDeque<Event>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// `released`: `arm` was seen clear, so that it may be set.
    Disarmed {
        released: bool,
    },
    /// `neutral_since`: since when the throttle has been at neutral, if it is.
    Arming {
        neutral_since: Option<MonotonicMicros>,
    },
    Armed,
    Holding,
    Braking,
    Tripped,
}

impl Machine {
    /// A disarmed drive at neutral, or which setting is out of range.
    pub fn new(settings: Settings) -> Result<Self, SettingsError> {
        settings.check()?;
        Ok(Self {
            shaper: Shaper::new(settings),
            now: MonotonicMicros::default(),
            phase: Phase::Disarmed { released: false },
            reason: StopReason::None,
            session: 0,
            last: None,
            doubt: None,
            brake_until: None,
            shut_down: false,
            events: VecDeque::new(),
        })
    }

    /// Takes a set-point that arrived `now`.
    pub fn handle_input(&mut self, now: MonotonicMicros, set_point: &SetPoint) {
        self.handle_timeout(now);
        if self.shut_down {
            return;
        }
        if set_point.session != self.session {
            self.change_session(set_point.session);
        }
        match Input::judge(self.now, set_point, self.numbered_input()) {
            Ok(input) => self.accept(input),
            Err(why) => self.reject(why),
        }
        // Input at the very end of its life expires in the moment in which it is taken.
        self.handle_timeout(now);
    }

    /// Lets time pass. Time that runs backward stands still.
    pub fn handle_timeout(&mut self, now: MonotonicMicros) {
        self.now = self.now.max(now);
        while self.expire() {}
        if self.brake_until.is_some_and(|until| until <= self.now) {
            self.brake_until = None;
            self.shaper.rest();
            self.events.push_back(Event::BrakeReleased);
        }
        self.shaper.advance(self.now);
    }

    /// The actuators do not obey.
    pub fn handle_fault(&mut self, now: MonotonicMicros) {
        self.handle_timeout(now);
        if self.reason != StopReason::ActuatorFault {
            self.events.push_back(Event::Faulted);
        }
        self.phase = Phase::Tripped;
        self.reason = StopReason::ActuatorFault;
        self.brake_until = None;
        self.shaper.rest();
    }

    /// The service stops: brakes if the wheels may move, then neutral for good. Over when
    /// [`Self::is_at_rest`].
    pub fn handle_shutdown(&mut self, now: MonotonicMicros) {
        self.handle_timeout(now);
        if !self.shut_down {
            self.shut_down = true;
            self.events.push_back(Event::ShutdownStarted);
            self.disarm(StopReason::Shutdown, false);
        }
    }

    /// When [`Self::handle_timeout`] wants to be called; always later than its last call. `None`:
    /// not before the next input.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<MonotonicMicros> {
        let deadline = match self.phase {
            Phase::Armed => Some(self.quiet_at().min(self.fresh_at().plus(HOLD))),
            Phase::Arming { .. } | Phase::Holding => Some(self.fresh_at().plus(HOLD)),
            Phase::Braking => Some(self.fresh_at().plus(NEUTRAL_AT)),
            Phase::Disarmed { .. } | Phase::Tripped => None,
        };
        [deadline, self.brake_until, self.shaper.next_step()].into_iter().flatten().min()
    }

    /// The next event, oldest first.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// What servo and motor get, as of the last call.
    #[must_use]
    pub fn output(&self) -> Output {
        let motor = match self.phase {
            Phase::Armed | Phase::Holding if self.last.is_some_and(|last| last.brake) => {
                Motor::Brake
            }
            Phase::Armed | Phase::Holding => Motor::Drive(self.shaper.throttle()),
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
            Phase::Tripped => DriveState::Tripped,
        }
    }

    /// Why the wheels do not follow.
    #[must_use]
    pub fn reason(&self) -> StopReason {
        self.reason
    }

    /// The session obeyed; zero is nobody.
    #[must_use]
    pub fn session(&self) -> u64 {
        self.session
    }

    /// The moment from which the deadlines count: that of the last fresh input of this session.
    #[must_use]
    pub fn last_input(&self) -> Option<MonotonicMicros> {
        self.last.map(|last| last.fresh_at)
    }

    /// Whether the motor is at neutral and stays there until somebody arms.
    #[must_use]
    pub fn is_at_rest(&self) -> bool {
        !self.state().may_move() && self.brake_until.is_none()
    }

    /// One transition that time has brought about; false if there is none.
    fn expire(&mut self) -> bool {
        let age = self.now.since(self.fresh_at());
        match self.phase {
            Phase::Arming { .. } if age >= HOLD => {
                self.phase = Phase::Disarmed { released: false };
                self.reason = self.missing();
                self.events.push_back(Event::ArmingEnded { reason: self.reason });
            }
            Phase::Armed if age >= HOLD || self.now >= self.quiet_at() => self.hold(self.missing()),
            Phase::Holding if age >= HOLD => {
                self.phase = Phase::Braking;
                self.shaper.brake();
                self.events.push_back(Event::BrakeStarted { reason: self.reason });
            }
            Phase::Braking if age >= NEUTRAL_AT => {
                self.phase = Phase::Tripped;
                self.shaper.rest();
                self.events.push_back(Event::Tripped { reason: self.reason });
            }
            _ => return false,
        }
        true
    }

    fn accept(&mut self, input: Input) {
        if self.doubt.take().is_some() {
            self.events.push_back(Event::InputAccepted);
        }
        let gap = self.last.is_none_or(|last| self.now.since(last.arrived_at) > NEUTRAL_BY);
        self.last = Some(input);
        match self.phase {
            Phase::Armed | Phase::Holding | Phase::Braking if !input.arm => {
                self.disarm(StopReason::DriverDisarmed, true)
            }
            Phase::Armed | Phase::Holding | Phase::Braking => self.follow(input),
            Phase::Tripped if !input.arm => self.release(),
            Phase::Tripped => {}
            Phase::Disarmed { released } => self.wait(input, released && !gap),
            Phase::Arming { .. } if !input.arm => {
                self.phase = Phase::Disarmed { released: true };
                self.reason = StopReason::DriverDisarmed;
                self.events.push_back(Event::ArmingEnded { reason: self.reason });
            }
            Phase::Arming { neutral_since } => self.rest_to_arm(input, neutral_since),
        }
    }

    fn reject(&mut self, why: Rejection) {
        if self.doubt != Some(why) {
            self.doubt = Some(why);
            self.events.push_back(Event::InputRejected { why });
        }
        if why == Rejection::Overtaken {
            return;
        }
        match self.phase {
            Phase::Armed => self.hold(why.reason()),
            // What tripped the drive stays on show until the driver releases.
            Phase::Tripped => {}
            _ => self.reason = why.reason(),
        }
    }

    fn wait(&mut self, input: Input, released: bool) {
        if !input.arm {
            if released {
                self.forget_missing_input();
            } else {
                self.release();
            }
        } else if released {
            self.reason = StopReason::None;
            self.events.push_back(Event::ArmingStarted);
            self.rest_to_arm(input, None);
        } else {
            self.phase = Phase::Disarmed { released: false };
            self.forget_missing_input();
        }
    }

    fn release(&mut self) {
        self.phase = Phase::Disarmed { released: true };
        self.reason = StopReason::None;
        self.events.push_back(Event::Released);
    }

    /// Input is back: the reason on show is no longer that it is missing.
    fn forget_missing_input(&mut self) {
        if !matches!(self.reason, StopReason::DriverDisarmed | StopReason::DriverLeft) {
            self.reason = StopReason::None;
        }
    }

    fn rest_to_arm(&mut self, input: Input, neutral_since: Option<MonotonicMicros>) {
        self.reason = StopReason::None;
        let neutral = self.shaper.is_neutral(input.throttle);
        if !neutral && neutral_since.is_some() {
            self.events.push_back(Event::ArmingRestarted);
        }
        let since = neutral.then(|| neutral_since.unwrap_or(self.now));
        self.phase = Phase::Arming { neutral_since: since };
        if since.is_some_and(|since| self.now.since(since) >= ARM_NEUTRAL) {
            self.phase = Phase::Armed;
            self.events.push_back(Event::Armed);
            self.follow(input);
        }
    }

    fn follow(&mut self, input: Input) {
        let from = self.state();
        if from != DriveState::Armed {
            self.phase = Phase::Armed;
            self.events.push_back(Event::Resumed { from });
        }
        self.reason = StopReason::None;
        if input.brake {
            self.shaper.steer_only(input.steering);
        } else {
            self.shaper.follow(input.steering, input.throttle);
        }
    }

    fn hold(&mut self, reason: StopReason) {
        self.phase = Phase::Holding;
        self.reason = reason;
        self.shaper.hold();
        self.events.push_back(Event::HoldStarted { reason });
    }

    fn change_session(&mut self, to: u64) {
        self.events.push_back(Event::SessionChanged { from: self.session, to });
        let reason = if self.session == 0 { StopReason::None } else { StopReason::DriverLeft };
        self.disarm(reason, false);
        self.session = to;
        self.last = None;
        self.doubt = None;
    }

    /// To Disarmed, with the brake if the wheels may move. Never later at neutral than if the input
    /// had been lost.
    fn disarm(&mut self, reason: StopReason, released: bool) {
        if self.state().may_move() {
            self.brake_until =
                Some(self.now.plus(BRAKE_TIME).min(self.fresh_at().plus(NEUTRAL_AT)));
            self.shaper.brake();
        }
        if self.state() != DriveState::Disarmed {
            self.events.push_back(Event::Disarmed { reason });
        }
        self.phase = Phase::Disarmed { released };
        self.reason = reason;
    }

    /// The input that the next one must be newer than. None once it has expired at rest: numbering
    /// may start anew.
    fn numbered_input(&self) -> Option<&Input> {
        self.last
            .as_ref()
            .filter(|last| self.state().may_move() || self.now.since(last.fresh_at) <= HOLD)
    }

    /// Moment from which the deadlines count; long ago if there was no input.
    fn fresh_at(&self) -> MonotonicMicros {
        self.last.map_or_else(MonotonicMicros::default, |last| last.fresh_at)
    }

    fn quiet_at(&self) -> MonotonicMicros {
        self.last.map_or_else(MonotonicMicros::default, |last| last.arrived_at.plus(QUIET))
    }

    fn missing(&self) -> StopReason {
        match self.doubt {
            Some(why) if why != Rejection::Overtaken => why.reason(),
            _ => StopReason::Silent,
        }
    }
}
