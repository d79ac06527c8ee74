//! A picture that is broken, and the keyframe that mends it.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

/// Least time between two keyframes that are asked for because the picture is broken: each takes
/// the room of some three frames.
const KEYFRAME_SPACING: Duration = Duration::from_millis(500);

/// Whether a packet that was refused has broken the picture.
#[derive(Debug)]
pub(crate) struct Mending {
    /// `Some`: the picture is broken, and a keyframe waits until then. In a full queue it would be
    /// lost, like the packets before it.
    free: watch::Sender<Option<Instant>>,
    /// When a keyframe was asked for last.
    asked: Mutex<Option<Instant>>,
}

impl Default for Mending {
    fn default() -> Self {
        Self { free: watch::Sender::new(None), asked: Mutex::default() }
    }
}

impl Mending {
    /// The picture is broken; the path is free again at this time.
    pub(crate) fn handle_broken(&self, free: std::time::Instant) {
        // The first time stays: refusals that follow must not put the keyframe off.
        self.free.send_if_modified(|until| until.is_none() && until.replace(free.into()).is_none());
    }

    /// A keyframe is sent, and so the picture is no longer broken.
    pub(crate) fn handle_keyframe(&self) {
        self.free.send_replace(None);
    }

    /// Whether frames that refer to others are of no use.
    pub(crate) fn is_broken(&self) -> bool {
        self.free.borrow().is_some()
    }

    /// Resolves when a keyframe is to be made. The future may be dropped and made again: it waits
    /// for points in time.
    pub(crate) async fn due(&self) {
        let asked = || self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        // Never an error: `self` holds the channel's sender.
        let free =
            self.free.subscribe().wait_for(Option::is_some).await.ok().and_then(|until| *until);
        let spaced = asked().map(|last| last + KEYFRAME_SPACING);
        if let Some(until) = free.max(spaced) {
            sleep_until(until).await;
        }
        *asked() = Some(Instant::now());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::{interval, timeout};

    const PATIENCE: Duration = Duration::from_millis(100);

    /// Waits like a session in which a frame comes every 33 ms.
    async fn due_between_frames(mending: &Mending) {
        let mut frames = interval(Duration::from_millis(33));
        loop {
            tokio::select! {
                biased;
                _ = frames.tick() => {}
                () = mending.due() => return,
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_keyframe_is_due_when_the_way_is_free_whatever_comes_between() {
        let (mending, begun) = (Mending::default(), Instant::now());
        mending.handle_broken((begun + PATIENCE).into_std());
        // A later refusal puts nothing off.
        mending.handle_broken((begun + 2 * PATIENCE).into_std());
        assert!(mending.is_broken());
        due_between_frames(&mending).await;
        assert!((PATIENCE..PATIENCE * 2).contains(&begun.elapsed()), "{:?}", begun.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn keyframes_are_asked_for_at_most_every_half_second_for_as_long_as_the_picture_is_broken()
     {
        let (mending, begun) = (Mending::default(), Instant::now());
        mending.handle_broken(begun.into_std());
        for asked in 0..5 {
            due_between_frames(&mending).await;
            let at = begun.elapsed();
            assert!(
                at >= KEYFRAME_SPACING * asked && at < KEYFRAME_SPACING * asked + PATIENCE,
                "{at:?}"
            );
        }
        mending.handle_keyframe();
        assert!(!mending.is_broken());
        assert!(
            timeout(Duration::from_secs(10), mending.due()).await.is_err(),
            "nothing is broken"
        );
    }
}
