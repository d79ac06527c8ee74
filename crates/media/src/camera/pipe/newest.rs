//! The newest frame, handed from the thread that reads to the one that encodes.

use crate::camera::LONGEST_WAIT;
use crate::clock;
use crate::frame::{I420Frame, VideoFormat};
use rccar_protocol::units::MonotonicMicros;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Older frames are not handed out: the writer has stopped, and a picture that stands still must not look like a live one.
const STALE: Duration = Duration::from_millis(200);

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
    /// Why there is none.
    trouble: String,
    stopped: bool,
}

impl Newest {
    pub(super) fn new(format: VideoFormat) -> Self {
        let slot = Slot { frame: I420Frame::new(format), fresh: None, trouble: "not opened yet".to_owned(), stopped: false };
        Self { slot: Mutex::new(slot), changed: Condvar::new() }
    }

    /// Puts a frame there; `exchange` swaps it in.
    pub(super) fn put(&self, captured_at: MonotonicMicros, exchange: impl FnOnce(&mut I420Frame)) {
        let mut slot = self.lock();
        exchange(&mut slot.frame);
        slot.fresh = Some(captured_at);
        self.changed.notify_all();
    }

    /// Tells why no frame comes.
    pub(super) fn set_trouble(&self, trouble: String) {
        self.lock().trouble = trouble;
    }

    /// Waits for a frame and swaps it with `frame`; after [`LONGEST_WAIT`] the trouble.
    pub(super) fn take(&self, frame: &mut I420Frame) -> Result<MonotonicMicros, String> {
        let is_old = |captured_at: MonotonicMicros| clock::now().since(captured_at) > STALE;
        let waited = self.changed.wait_timeout_while(self.lock(), LONGEST_WAIT, |slot| slot.fresh.is_none_or(is_old));
        let (mut slot, _) = waited.unwrap_or_else(PoisonError::into_inner);
        match slot.fresh.take() {
            Some(captured_at) if !is_old(captured_at) => {
                std::mem::swap(&mut slot.frame, frame);
                Ok(captured_at)
            }
            _ => Err(slot.trouble.clone()),
        }
    }

    /// Ends the thread that reads.
    pub(super) fn stop(&self) {
        self.lock().stopped = true;
        self.changed.notify_all();
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.lock().stopped
    }

    /// Waits, less if stopped meanwhile.
    pub(super) fn pause(&self, duration: Duration) {
        // The result tells what `is_stopped` tells as well.
        drop(self.changed.wait_timeout_while(self.lock(), duration, |slot| !slot.stopped));
    }

    fn lock(&self) -> MutexGuard<'_, Slot> {
        // Nothing in here can be left half-way by a panic.
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
        newest.set_trouble("the writer sleeps".to_owned());
        assert_eq!(newest.take(&mut frame), Err("the writer sleeps".to_owned()));
    }

    #[test]
    fn a_frame_from_before_a_pause_is_not_handed_out() {
        let newest = Newest::new(VideoFormat::new(64, 48, 30).unwrap());
        newest.put(clock::now().minus(STALE * 2), |_| {});
        assert!(newest.take(&mut I420Frame::new(VideoFormat::new(64, 48, 30).unwrap())).is_err());
    }
}
