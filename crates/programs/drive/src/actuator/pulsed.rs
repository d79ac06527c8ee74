//! Servo and motor on two channels of pulses, whatever makes the pulses.
//!
//! | when | what |
//! |---|---|
//! | start | outputs off → neutral → read back → outputs on |
//! | 200 times a second while the car moves | what has changed |
//! | once a second | read back: what does not hold its pulses is a fault |
//! | fault | neutral, again every 50 ms until it gets through → outputs off |
//! | end | neutral, for 100 ms → outputs off |

use super::{Actuator, ActuatorError};
use rccar_drive_core::Output;
use rccar_drive_core::esc::{Esc, EscSettings};
use rccar_drive_core::pulse::{Pulse, PulseRange};
use rccar_protocol::units::MonotonicMicros;
use std::time::Duration;

const READ_BACK_EVERY: Duration = Duration::from_secs(1);
/// After an interruption: longer than the guard needs for what it had begun.
const REWRITE: Duration = Duration::from_millis(200);
/// Neutral before the outputs go off: five pulses at 50 Hz, so that an ESC sees the stop as one.
pub(super) const LAST_NEUTRAL: Duration = Duration::from_millis(100);

/// Pulses for both channels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pulses {
    pub(super) steering: Pulse,
    pub(super) motor: Pulse,
}

impl Pulses {
    pub(super) fn neutral(servo: PulseRange, esc: EscSettings) -> Self {
        Self { steering: servo.neutral(), motor: esc.pulses.neutral() }
    }
}

/// What makes the pulses.
pub(super) trait Board {
    /// Writes to both channels, or what differs from `before`. The motor first, because it is what
    /// runs away, and each even if the other fails.
    fn put(&mut self, pulses: Pulses, before: Option<Pulses>) -> Result<(), ActuatorError>;
    /// Whether the board holds them.
    fn read_back(&mut self, pulses: Pulses) -> Result<(), ActuatorError>;
    /// Puts the outputs on or takes them off.
    fn set_on(&mut self, on: bool) -> Result<(), ActuatorError>;
}

/// A board whose outputs are on.
pub(super) struct Pulsed<B: Board> {
    board: B,
    servo: PulseRange,
    esc: Esc,
    neutral: Pulses,
    written: Pulses,
    /// Until then everything is written, whatever is remembered.
    rewrite_until: MonotonicMicros,
    read_back_at: MonotonicMicros,
}

impl<B: Board> Pulsed<B> {
    /// Takes over a board whose outputs are off: nothing comes out of it before neutral is in both
    /// channels.
    pub(super) fn start(
        now: MonotonicMicros,
        board: B,
        servo: PulseRange,
        esc: EscSettings,
    ) -> Result<Self, ActuatorError> {
        let neutral = Pulses::neutral(servo, esc);
        let mut started = Self {
            board,
            servo,
            esc: Esc::new(now, esc),
            neutral,
            written: neutral,
            rewrite_until: now,
            read_back_at: now.plus(READ_BACK_EVERY),
        };
        started.board.put(neutral, None)?;
        started.board.read_back(neutral)?;
        started.board.set_on(true)?;
        Ok(started)
    }
}

impl<B: Board> Actuator for Pulsed<B> {
    fn apply(&mut self, now: MonotonicMicros, output: Output) -> Result<(), ActuatorError> {
        self.esc.handle_motor(now, output.motor);
        let steering = self.servo.at(output.steering.permyriad());
        let pulses = Pulses { steering, motor: self.esc.pulse() };
        let before = (now >= self.rewrite_until).then_some(self.written);
        self.board.put(pulses, before)?;
        self.written = pulses;
        if now >= self.read_back_at {
            self.read_back_at = now.plus(READ_BACK_EVERY);
            self.board.read_back(pulses)?;
        }
        Ok(())
    }

    fn handle_interruption(&mut self, now: MonotonicMicros) {
        self.esc.handle_interruption(now);
        self.rewrite_until = now.plus(REWRITE);
    }

    fn set_esc(&mut self, now: MonotonicMicros, esc: EscSettings) {
        self.esc.change(now, esc);
    }

    fn end(&mut self) {
        std::thread::sleep(LAST_NEUTRAL);
    }
}

impl<B: Board> Drop for Pulsed<B> {
    fn drop(&mut self) {
        let _ = self.board.put(self.neutral, None);
        let _ = self.board.set_on(false);
    }
}
