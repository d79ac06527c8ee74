//! Who decides what the link has room for.

use crate::frame::VideoFormat;
use std::fmt::Debug;

/// Asked by the thread before it encodes a frame. An encoded frame cannot be taken back: those
/// after it refer to it.
pub trait Gate: Debug + Send + Sync {
    /// The size in which the next frame is to be encoded: at most that of the camera.
    fn format(&self) -> VideoFormat;

    /// Whether a frame may be encoded now. Then it will be sent.
    fn admit(&self, keyframe: bool) -> bool;

    /// The rate at which the encoder is to aim, in bit/s.
    fn rate(&self) -> u32;

    /// A frame was encoded after the last [`Gate::rate`]: its size in bytes.
    fn handle_encoded(&self, bytes: usize, keyframe: bool);
}

/// Smaller changes of the rate are not worth a word to the encoder: one part in so many.
const WORTH: u32 = 20;

/// The rate to set, if it is worth it.
pub(super) fn worth_setting(set: Option<u32>, wanted_kbps: u32) -> Option<u32> {
    let wanted = wanted_kbps.max(1);
    let near = set.is_some_and(|set| set.abs_diff(wanted) * WORTH <= set);
    (!near).then_some(wanted)
}

#[cfg(test)]
mod tests {
    use super::worth_setting;

    #[test]
    fn a_rate_is_set_when_it_differs_by_more_than_a_twentieth() {
        for (set, wanted, worth) in [
            (None, 1_000, Some(1_000)),
            (Some(1_000), 1_050, None),
            (Some(1_000), 951, None),
            (Some(1_000), 1_051, Some(1_051)),
            (Some(1_000), 949, Some(949)),
            (Some(10), 0, Some(1)),
        ] {
            assert_eq!(worth_setting(set, wanted), worth, "{set:?} {wanted}");
        }
    }
}
