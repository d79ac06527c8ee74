//! Hands the newest frame from the thread that reads to the thread that encodes.

use super::{CameraError, LONGEST_WAIT};
use crate::clock;
use crate::frame::{I420Frame, VideoFormat};
use rccar_protocol::units::MonotonicMicros;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Older frames are not handed out: the writer has stopped, and a still picture must not look like
/// a live one.
const STALE: Duration = Duration::from_millis(200);

/// Why there is no frame, in words for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trouble {
    /// The source is there but gives no frames.
    Silent(String),
    #[cfg(feature = "libcamera")]
    Broken(String),
    /// There is no source.
    #[cfg(feature = "libcamera")]
    Missing(String),
}

impl Trouble {
    pub(super) fn into_error(self, source_name: String) -> CameraError {
        match self {
            Self::Silent(reason) => CameraError::Silent { source_name, reason },
            #[cfg(feature = "libcamera")]
            Self::Broken(reason) => CameraError::Broken { source_name, reason },
            #[cfg(feature = "libcamera")]
            Self::Missing(reason) => CameraError::Missing(reason),
        }
    }
}

/// A place for one frame.
#[derive(Debug)]
pub(super) struct Newest {
    slot: Mutex<Slot>,
    changed: Condvar,
}

#[derive(Debug)]
struct Slot {
    frame: I420Frame,
    /// When the frame was captured, if nobody has taken it yet.
    fresh: Option<MonotonicMicros>,
    /// The reason to give while there is no frame.
    trouble: Trouble,
    /// Nobody has asked for a frame since the last rest began.
    resting: bool,
    stopped: bool,
}

impl Newest {
    pub(super) fn new(format: VideoFormat) -> Self {
        let slot = Slot {
            frame: I420Frame::new(format),
            fresh: None,
            trouble: Trouble::Silent("not opened yet".to_owned()),
            resting: true,
            stopped: false,
        };
        Self { slot: Mutex::new(slot), changed: Condvar::new() }
    }

    /// Puts a frame in; `exchange` swaps it with the one that is there.
    pub(super) fn put(&self, captured_at: MonotonicMicros, exchange: impl FnOnce(&mut I420Frame)) {
        let mut slot = self.lock();
        exchange(&mut slot.frame);
        slot.fresh = Some(captured_at);
        self.changed.notify_all();
    }

    pub(super) fn set_trouble(&self, trouble: Trouble) {
        self.lock().trouble = trouble;
    }

    /// Waits for a frame and swaps it with `frame`; after [`LONGEST_WAIT`] the trouble.
    pub(super) fn take(&self, frame: &mut I420Frame) -> Result<MonotonicMicros, Trouble> {
        let is_old = |captured_at: MonotonicMicros| clock::now().since(captured_at) > STALE;
        let mut slot = self.lock();
        // Asking ends the rest: the reader must start the camera.
        if std::mem::take(&mut slot.resting) {
            self.changed.notify_all();
        }
        let waited = self
            .changed
            .wait_timeout_while(slot, LONGEST_WAIT, |slot| slot.fresh.is_none_or(is_old));
        let (mut slot, _) = waited.unwrap_or_else(PoisonError::into_inner);
        // A frame that was fresh may have grown old since the wait ended.
        match slot.fresh.take() {
            Some(captured_at) if !is_old(captured_at) => {
                std::mem::swap(&mut slot.frame, frame);
                Ok(captured_at)
            }
            _ => Err(slot.trouble.clone()),
        }
    }

    /// Nobody wants frames until the next [`Self::take`].
    #[cfg(feature = "libcamera")]
    pub(super) fn rest(&self) {
        let mut slot = self.lock();
        slot.resting = true;
        slot.fresh = None;
        self.changed.notify_all();
    }

    /// Whether somebody wants frames.
    #[cfg(feature = "libcamera")]
    pub(super) fn is_wanted(&self) -> bool {
        let slot = self.lock();
        !slot.resting && !slot.stopped
    }

    /// Waits until somebody wants frames or `limit` has passed.
    #[cfg(feature = "libcamera")]
    pub(super) fn wait_until_wanted(&self, limit: Duration) {
        // The caller asks `is_wanted` again.
        drop(
            self.changed
                .wait_timeout_while(self.lock(), limit, |slot| slot.resting && !slot.stopped),
        );
    }

    /// Ends the thread that reads.
    pub(super) fn stop(&self) {
        self.lock().stopped = true;
        self.changed.notify_all();
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.lock().stopped
    }

    /// Waits for `duration`, but not longer than until [`Self::stop`].
    pub(super) fn pause(&self, duration: Duration) {
        // The caller asks `is_stopped` again.
        drop(self.changed.wait_timeout_while(self.lock(), duration, |slot| !slot.stopped));
    }

    fn lock(&self) -> MutexGuard<'_, Slot> {
        // A panic cannot leave anything in here half-way.
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_reader_gets_the_newest_frame_and_only_once() {
        let format = VideoFormat::new(64, 48, 30).unwrap();
        let newest = Newest::new(format);
        for value in 1..=3 {
            newest.put(clock::now(), |frame| frame.bytes_mut().fill(value));
        }
        let mut frame = I420Frame::new(format);
        newest.take(&mut frame).unwrap();
        assert_eq!(frame.bytes()[0], 3);
        let trouble = Trouble::Silent("the writer sleeps".to_owned());
        newest.set_trouble(trouble.clone());
        assert_eq!(newest.take(&mut frame), Err(trouble));
    }

    #[test]
    fn a_frame_from_before_a_pause_is_not_handed_out() {
        let newest = Newest::new(VideoFormat::new(64, 48, 30).unwrap());
        newest.put(clock::now().minus(STALE * 2), |_| {});
        assert!(newest.take(&mut I420Frame::new(VideoFormat::new(64, 48, 30).unwrap())).is_err());
    }
}
