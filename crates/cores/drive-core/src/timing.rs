//! The times of the failsafe. They are constants and not configuration: they are what the car
//! promises.

use rccar_protocol::control::MAX_SAMPLE_AGE;
use std::time::Duration;

/// How long the last set-point is held, counted from the last fresh input. The same as the age at
/// which a sample stops being input, so that holding never stretches a sample beyond its own
/// expiry.
pub const HOLD: Duration = MAX_SAMPLE_AGE;

/// By when, counted from the last fresh input, the actuators are at neutral whatever else is
/// broken.
pub const NEUTRAL_BY: Duration = Duration::from_millis(250);

/// When the machine asks for neutral: [`NEUTRAL_BY`] less two [`TICK`]s, for the shell to wake up
/// and to write to the actuators.
pub const NEUTRAL_AT: Duration = Duration::from_millis(240);

/// Silence after which an armed drive says that it is holding: two frames of the 50 Hz at which
/// browsers send.
pub const QUIET: Duration = Duration::from_millis(40);

/// How long the throttle rests at neutral, without a gap in the input, before the drive arms.
/// Longer than a thumb needs to slip through the middle of a stick (about 100 ms), short enough not
/// to be felt as waiting.
pub const ARM_NEUTRAL: Duration = Duration::from_millis(300);

/// How long the drive brakes when it stops for another reason than lost input. From [`HOLD`] to
/// [`NEUTRAL_BY`], as after a loss.
pub const BRAKE_TIME: Duration = Duration::from_millis(170);

/// Time at neutral when the throttle changes its sign: one period of a 50 Hz servo signal, so that
/// every speed controller sees it.
pub const REVERSAL_PAUSE: Duration = Duration::from_millis(20);

/// How far ahead of the clock a sample may seem to be: the rounding of an age in ms and of an
/// estimated delay.
pub const FUTURE_TOLERANCE: Duration = Duration::from_millis(5);

/// Period in which outputs move while they are slewing: 200 Hz, four steps in each period of a 50
/// Hz servo signal.
pub const TICK: Duration = Duration::from_millis(5);
