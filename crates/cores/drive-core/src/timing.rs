//! The times of the failsafe. They are constants and not configuration, because the car promises
//! them.

use rccar_protocol::control::MAX_SAMPLE_AGE;
use std::time::Duration;

/// How long the last set-point is held, counted from the last fresh input. It is the age at which a
/// sample stops being input, so that a sample is never held after it has expired.
pub const HOLD: Duration = MAX_SAMPLE_AGE;

/// The actuators are at neutral this long after the last fresh input, no matter what else is
/// broken.
pub const NEUTRAL_BY: Duration = Duration::from_millis(250);

/// When the machine asks for neutral, counted from the last fresh input: [`NEUTRAL_BY`] less two
/// [`TICK`]s, in which the shell wakes up and writes to the actuators.
pub const NEUTRAL_AT: Duration = Duration::from_millis(240);

/// Silence after which an armed drive goes to [`DriveState::Holding`]: two of the frames that a
/// browser sends at 50 Hz.
///
/// [`DriveState::Holding`]: rccar_protocol::state::DriveState::Holding
pub const QUIET: Duration = Duration::from_millis(40);

/// How long the throttle rests at neutral, without a gap in the input, before the drive arms. A
/// thumb that slips through the middle of a stick takes about 100 ms; a driver does not yet feel
/// 300 ms as waiting.
pub const ARM_NEUTRAL: Duration = Duration::from_millis(300);

/// How long the drive brakes when it stops for another reason than lost input: as long as from
/// [`HOLD`] to [`NEUTRAL_BY`] after a loss.
pub const BRAKE_TIME: Duration = Duration::from_millis(170);

/// Time at zero when the throttle changes its sign: one period of a 50 Hz servo signal, so that
/// every speed controller sees the zero.
pub const REVERSAL_PAUSE: Duration = Duration::from_millis(20);

/// How long a fault of the actuators lasts for the driver: two turns of a shell at rest (50 ms), in
/// each of which it tries them.
pub const FAULT_LASTS: Duration = Duration::from_millis(100);

/// How far ahead of the clock a sample may seem to be, because its age in ms and the estimated
/// delay are rounded.
pub const FUTURE_TOLERANCE: Duration = Duration::from_millis(5);

/// Period of the steps in which slewing outputs move: 200 Hz, four steps in each period of a 50 Hz
/// servo signal.
pub const TICK: Duration = Duration::from_millis(5);
