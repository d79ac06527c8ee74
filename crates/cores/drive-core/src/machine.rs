//! The states of the drive.
//!
//! ```text
//!                    ┌───────────── 6 disarm, 7 other session, 8 shutdown ────────────┐
//!                    ▼                                                                │
//!              ┌──────────┐ 1 arm   ┌────────┐ 3 rested ┌─────────── may move ────────┴───────┐
//!     start ──►│ Disarmed │────────►│ Arming │─────────►│ Armed ──4──► Holding ──5──► Braking │
//!              │          │◄────────│        │          │   ▲             │              │    │
//!              └──────────┘ 2 ended └────────┘          │   └────── 9 ────┴───── 9 ──────┘    │
//!                    ▲                                  └─────────────────────────────────────┘
//!                    │ 11 release        ┌─────────┐                            │
//!                    └───────────────────│ Tripped │◄── 10 input did not return ┘
//!                                        └─────────┘◄── 12 fault, from every state
//! ```
//!
//! 1. *arm*: fresh input has `arm` set, after fresh input of the same session with `arm` clear, and
//!    without a gap of [`NEUTRAL_BY`] between them.
//! 2. *ended*: fresh input has `arm` clear, or the last input is [`HOLD`] old. After such a gap,
//!    `arm` has to be seen clear again.
//! 3. *rested*: the throttle stayed within the dead band for [`ARM_NEUTRAL`]. The input that
//!    completes this time arms the drive.
//! 4. No input came for [`QUIET`], or a set-point says that it is not input. The outputs stay; the
//!    throttle does not rise.
//! 5. The last input is [`HOLD`] old. The motor brakes; the wheels stay where they point.
//! 6. *disarm*: fresh input has `arm` clear. The drive brakes for [`BRAKE_TIME`], because at
//!    neutral the car would roll on. Then neutral.
//! 7. *other session*: a set-point names another session. As 6; the new session has to arm.
//! 8. *shutdown*: [`Machine::handle_shutdown`]. As 6; no input counts any more.
//! 9. Fresh input has `arm` set. The wheels follow again; the throttle rises from where it is.
//! 10. The last input is [`NEUTRAL_AT`] old. Neutral at once.
//! 11. *release*: fresh input has `arm` clear. A set-point of another session does the same, but
//!     then that session has to show `arm` clear itself.
//! 12. *fault*: [`Machine::handle_fault`]. Neutral at once. Nobody releases for [`FAULT_LASTS`].
//!
//! *Jogging* is not in the drawing. Somebody who calibrates the car
//! ([`Machine::handle_calibration`]) gets there from *Disarmed* by fresh input with `jog` set and
//! `arm` clear, and servo and motor follow. Input without `jog`, or that does not count, leads back
//! at once, and the end of input after [`HOLD`]: to neutral, without a brake.
//!
//! A picture that is too old to drive by ([`crate::picture`]) makes every set-point one that is not
//! input, and leads from *Armed* and *Holding* to *Braking* at once.
//!
//! An empty battery ([`Machine::handle_battery`]) is as 6, from every state but *Tripped*. Until it
//! allows driving again, no input counts as *release*, so nothing arms.

mod jog;
mod limit;
mod outcome;
mod switches;

use crate::battery::Allowance;
use crate::event::{Event, Rejection};
use crate::input::Input;
use crate::picture::PictureSettings;
use crate::settings::{Settings, SettingsError};
use crate::shaper::Shaper;
use crate::timing::{ARM_NEUTRAL, BRAKE_TIME, FAULT_LASTS, HOLD, NEUTRAL_AT, NEUTRAL_BY, QUIET};
use rccar_protocol::setpoint::SetPoint;
use rccar_protocol::state::{DriveState, StopReason};
use rccar_protocol::units::{MonotonicMicros, Steering, Throttle};
use serde::Serialize;
use std::collections::VecDeque;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Motor {
    /// May be zero.
    Drive(Throttle),
    Brake,
    #[default]
    Neutral,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Output {
    /// Position of the servo, with trim, end points and mounting applied.
    pub steering: Steering,
    pub motor: Motor,
}

#[derive(Debug)]
pub struct Machine {
    shaper: Shaper,
    now: MonotonicMicros,
    phase: Phase,
    reason: StopReason,
    session: u64,
    /// The last input of this session.
    last: Option<Input>,
    /// Why the set-points since `last` do not count; `None` if there are none.
    doubt: Option<Rejection>,
    /// The drive has disarmed and brakes until this moment.
    brake_until: Option<MonotonicMicros>,
    shut_down: bool,
    battery: Allowance,
    picture: PictureSettings,
    /// Capture time of the newest picture that a driver of this session is known to have seen.
    picture_at: Option<MonotonicMicros>,
    /// Session for which the calibration is open.
    calibrating: Option<u64>,
    /// `jog` and `arm` were seen clear since the last jog, and since all that stops a car.
    jog_released: bool,
    lights: bool,
    /// When the actuators last did not obey.
    fault_at: Option<MonotonicMicros>,
    events: VecDeque<Event>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// `released`: `arm` was seen clear, so the driver may arm.
    Disarmed {
        released: bool,
    },
    /// `neutral_since`: when the throttle came to neutral; `None` while it is not there.
    Arming {
        neutral_since: Option<MonotonicMicros>,
    },
    Armed,
    Holding,
    Braking,
    Jogging,
    Tripped,
}

impl Machine {
    /// Begins disarmed and at neutral.
    ///
    /// # Errors
    /// If a setting is out of range.
    pub fn new(settings: Settings) -> Result<Self, SettingsError> {
        settings.check()?;
        Ok(Self {
            picture: settings.picture,
            picture_at: None,
            shaper: Shaper::new(settings),
            now: MonotonicMicros::default(),
            phase: Phase::Disarmed { released: false },
            reason: StopReason::None,
            session: 0,
            last: None,
            doubt: None,
            brake_until: None,
            shut_down: false,
            battery: Allowance::Full,
            calibrating: None,
            jog_released: false,
            lights: false,
            fault_at: None,
            events: VecDeque::new(),
        })
    }

    /// Takes a set-point that arrived `now`.
    pub fn handle_input(&mut self, now: MonotonicMicros, set_point: &SetPoint) {
        // First what has expired: late input must not save a drive that should have tripped.
        self.handle_timeout(now);
        if self.shut_down {
            return;
        }
        if set_point.session != self.session {
            self.change_session(set_point.session);
        }
        let judged = Input::judge(self.now, set_point, self.numbered_input());
        if judged.as_ref().err() != Some(&Rejection::Overtaken)
            && let Some(at) = set_point.picture_at
        {
            self.picture_at = Some(at.min(self.now));
            self.limit();
        }
        // A page whose driver has no device in hand holds no button; one that is silent may.
        let speaks = matches!(judged, Ok(_) | Err(Rejection::NotInput(StopReason::NoDevice)));
        if speaks && !set_point.jog && !set_point.arm {
            self.jog_released = true;
        }
        match judged {
            Ok(_) if self.is_blind() => self.reject(Rejection::OldPicture),
            Ok(input) => self.accept(input),
            Err(why) => self.reject(why),
        }
        // Input that is exactly `HOLD` old counts and expires at the same moment.
        self.handle_timeout(now);
    }

    /// Lets time pass. A time before the last one changes nothing.
    pub fn handle_timeout(&mut self, now: MonotonicMicros) {
        self.now = self.now.max(now);
        self.limit();
        // After a long pause several transitions may be due, such as Armed to Tripped.
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
        // Reported once, however often the actuators fail to obey.
        if self.reason != StopReason::ActuatorFault {
            self.events.push_back(Event::Faulted);
        }
        self.fault_at = Some(self.now);
        self.jog_released = false;
        self.phase = Phase::Tripped;
        self.reason = StopReason::ActuatorFault;
        self.brake_until = None;
        self.shaper.rest();
    }

    /// The battery allows this much from now on. Throttle beyond it is cut at once. Where more is
    /// allowed than before, the throttle rises at its slew rate with the next input.
    pub fn handle_battery(&mut self, now: MonotonicMicros, allows: Allowance) {
        self.handle_timeout(now);
        if self.battery == allows {
            return;
        }
        let was_empty = self.is_battery_empty();
        self.battery = allows;
        self.limit();
        match allows {
            Allowance::Full | Allowance::Share(_) => {}
            // After a trip the driver sees what tripped the drive until they release.
            Allowance::Nothing if self.shut_down || self.phase == Phase::Tripped => {}
            Allowance::Nothing => self.disarm(StopReason::BatteryEmpty, false),
        }
        if was_empty && self.reason == StopReason::BatteryEmpty {
            self.reason = StopReason::None;
        }
    }

    /// The program stops. The drive brakes if the wheels may move, and stays at neutral then. It is
    /// done when [`Self::is_at_rest`].
    pub fn handle_shutdown(&mut self, now: MonotonicMicros) {
        self.handle_timeout(now);
        if !self.shut_down {
            self.shut_down = true;
            self.events.push_back(Event::ShutdownStarted);
            self.disarm(StopReason::Shutdown, false);
        }
    }

    /// When to call [`Self::handle_timeout`] at the latest; always later than its last call. `None`
    /// while nothing happens before the next input.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<MonotonicMicros> {
        let deadline = match self.phase {
            Phase::Armed => Some(self.quiet_at().min(self.fresh_at().plus(HOLD))),
            Phase::Arming { .. } | Phase::Holding | Phase::Jogging => {
                Some(self.fresh_at().plus(HOLD))
            }
            Phase::Braking => Some(self.fresh_at().plus(NEUTRAL_AT)),
            Phase::Disarmed { .. } | Phase::Tripped => None,
        };
        let horn = self.horn().then(|| self.fresh_at().plus(HOLD));
        [deadline, horn, self.brake_until, self.shaper.next_step(), self.picture_due()]
            .into_iter()
            .flatten()
            .min()
    }

    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Makes one transition that is due; false if there is none.
    fn expire(&mut self) -> bool {
        let age = self.now.since(self.fresh_at());
        match self.phase {
            Phase::Arming { .. } if age >= HOLD => {
                self.phase = Phase::Disarmed { released: false };
                self.reason = self.missing();
                self.events.push_back(Event::ArmingEnded { reason: self.reason });
            }
            Phase::Armed | Phase::Holding if self.is_blind() => {
                self.phase = Phase::Braking;
                self.reason = StopReason::OldPicture;
                self.shaper.brake();
                self.events.push_back(Event::BrakeStarted { reason: self.reason });
            }
            Phase::Armed if age >= HOLD || self.now >= self.quiet_at() => self.hold(self.missing()),
            Phase::Holding if age >= HOLD => {
                self.phase = Phase::Braking;
                self.shaper.brake();
                self.events.push_back(Event::BrakeStarted { reason: self.reason });
            }
            Phase::Jogging if self.is_blind() => self.end_jog(StopReason::OldPicture),
            Phase::Jogging if age >= HOLD => self.end_jog(self.missing()),
            Phase::Braking if age >= NEUTRAL_AT => {
                self.phase = Phase::Tripped;
                self.jog_released = false;
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
        // A driver who was away has to show `arm` clear again.
        let gap = self.last.is_none_or(|last| self.now.since(last.arrived_at) > NEUTRAL_BY);
        self.last = Some(input);
        self.lights = input.lights;
        match self.phase {
            Phase::Armed | Phase::Holding | Phase::Braking if !input.arm => {
                self.disarm(StopReason::DriverDisarmed, true)
            }
            Phase::Armed | Phase::Holding | Phase::Braking => self.follow(input),
            Phase::Tripped if !input.arm && !self.is_faulty() => self.release(),
            Phase::Tripped => {}
            Phase::Disarmed { .. } | Phase::Jogging if self.jogs(&input) => self.jog(input),
            Phase::Jogging => self.end_jog(StopReason::None),
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
        // An old frame says nothing about the present.
        if why == Rejection::Overtaken {
            return;
        }
        match self.phase {
            Phase::Armed => self.hold(why.reason()),
            Phase::Jogging => self.end_jog(why.reason()),
            // The driver sees what tripped the drive until they release.
            Phase::Tripped => {}
            _ => self.reason = why.reason(),
        }
    }

    fn wait(&mut self, input: Input, released: bool) {
        if self.is_battery_empty() {
            self.refuse_to_arm();
        } else if !input.arm {
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
        if self.is_battery_empty() {
            return self.refuse_to_arm();
        }
        self.phase = Phase::Disarmed { released: true };
        self.reason = StopReason::None;
        self.events.push_back(Event::Released);
    }

    /// The actuators did not obey when they were last told something.
    fn is_faulty(&self) -> bool {
        self.fault_at.is_some_and(|at| self.now.since(at) < FAULT_LASTS)
    }

    fn refuse_to_arm(&mut self) {
        self.phase = Phase::Disarmed { released: false };
        self.reason = StopReason::BatteryEmpty;
    }

    fn is_battery_empty(&self) -> bool {
        self.battery == Allowance::Nothing
    }

    /// Input is back, so missing input is no longer the reason. What the driver did stays.
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
        self.picture_at = None;
        self.limit();
        self.last = None;
        self.doubt = None;
    }

    /// Goes to Disarmed, and brakes first if the wheels may move. Neutral comes no later than it
    /// would after lost input.
    fn disarm(&mut self, reason: StopReason, released: bool) {
        self.jog_released = false;
        if self.phase == Phase::Jogging {
            self.end_jog(reason);
        }
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

    /// The next input must be newer than this one. `None` if it has expired and the drive is at
    /// rest: then any number is the first.
    fn numbered_input(&self) -> Option<&Input> {
        self.last
            .as_ref()
            .filter(|last| self.state().may_move() || self.now.since(last.fresh_at) <= HOLD)
    }

    /// As [`Self::last_input`]; long ago if there was no input.
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
