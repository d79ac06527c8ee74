//! A driver at 50 Hz and a shell that calls the machine exactly when it asks to be called.

use rccar_drive_core::{Event, Machine, Motor, Settings};
use rccar_protocol::setpoint::SetPoint;
use rccar_protocol::units::{MonotonicMicros, Steering, Throttle};
use std::time::Duration;

pub(crate) const FRAME_MS: u64 = 20;

pub(crate) struct Bench {
    pub(crate) machine: Machine,
    pub(crate) now: MonotonicMicros,
    pub(crate) seq: u32,
    pub(crate) session: u64,
    pub(crate) events: Vec<Event>,
}

impl Bench {
    pub(crate) fn new(settings: Settings) -> Self {
        Self {
            machine: Machine::new(settings).unwrap(),
            now: MonotonicMicros(5_000_000),
            seq: 0,
            session: 1,
            events: Vec::new(),
        }
    }

    /// Lets time pass up to `until`, and calls the machine when it asks for it.
    pub(crate) fn wait_until(&mut self, until: MonotonicMicros) {
        while let Some(at) = self.machine.poll_timeout().filter(|&at| at <= until) {
            assert!(at > self.now, "poll_timeout lies in the past");
            self.now = at;
            self.machine.handle_timeout(at);
            self.after_call();
        }
        self.now = until;
    }

    pub(crate) fn wait(&mut self, millis: u64) {
        self.wait_until(self.now.plus(Duration::from_millis(millis)));
    }

    /// A set-point that counts as input now.
    pub(crate) fn frame(&mut self, arm: bool, steering: i16, throttle: i16) -> SetPoint {
        self.seq = self.seq.wrapping_add(1);
        SetPoint {
            session: self.session,
            seq: self.seq,
            sampled_at: self.now,
            arm,
            steering: Steering::from_permyriad(steering).unwrap(),
            throttle: Throttle::from_permyriad(throttle).unwrap(),
            ..SetPoint::default()
        }
    }

    pub(crate) fn send(&mut self, set_point: &SetPoint) {
        self.machine.handle_input(self.now, set_point);
        self.after_call();
    }

    /// Sends frames at 50 Hz for `millis`, the last one at the end.
    pub(crate) fn drive(&mut self, millis: u64, arm: bool, steering: i16, throttle: i16) {
        for _ in 0..millis / FRAME_MS {
            self.wait(FRAME_MS);
            let frame = self.frame(arm, steering, throttle);
            self.send(&frame);
        }
    }

    pub(crate) fn arm(&mut self) {
        self.drive(40, false, 0, 0);
        self.drive(320, true, 0, 0);
    }

    fn after_call(&mut self) {
        while let Some(event) = self.machine.poll_event() {
            self.events.push(event);
        }
        if let Some(at) = self.machine.poll_timeout() {
            assert!(
                at > self.now,
                "a machine that wants to be called at once never lets its shell sleep"
            );
        }
    }
}

/// Throttle on the motor; zero while it brakes or is at neutral.
pub(crate) fn throttle_of(machine: &Machine) -> i16 {
    match machine.output().motor {
        Motor::Drive(throttle) => throttle.permyriad(),
        Motor::Brake | Motor::Neutral => 0,
    }
}
