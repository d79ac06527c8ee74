//! Which picture the driver sees, by the car's own clock.
//!
//! ```text
//!   camera ─► frame, captured at t ─► browser's screen ─► control frame: "I show t"
//!                    │                                          │
//!                    └─► kept here for 10 s ──── is it one? ◄───┘
//!                                                     │ yes
//!                                                     ▼
//!                              the driver acted on the picture of t
//! ```
//!
//! The page echoes the RTP time stamp of the newest frame on its screen, and this time stamp is the
//! capture time by the car's clock. So no clock has to be estimated, and the page's word is not
//! trusted: **only a frame that was sent in this session, and that is not older than the last one
//! believed, counts.** A page that names another one changes nothing; the picture that it showed
//! before grows older. Capture times are those of the camera, in ticks of 11 µs, and hard to guess.
//! So a page that lies makes its picture at most as young as the newest frame that reached it.
//!
//! A page that never names a picture is not limited by its age, because browsers without time
//! stamps drive, too; the page itself then stops sending input when the picture stands still.

use rccar_protocol::control::Shown;
use rccar_protocol::units::MonotonicMicros;
use std::collections::VecDeque;
use std::time::Duration;

/// A picture that is older stops the car many times over.
const REMEMBER_FOR: Duration = Duration::from_secs(10);
/// 10 s at 120 Hz, twice the highest rate of the configuration; the oldest frames go first.
const REMEMBER_MOST: usize = 1_200;

/// One for each session.
#[derive(Debug, Default)]
pub struct Sight {
    sent: VecDeque<MonotonicMicros>,
    seen: Option<MonotonicMicros>,
}

impl Sight {
    /// A frame that was captured at this time has been sent.
    pub fn handle_sent(&mut self, captured_at: MonotonicMicros) {
        self.sent.push_back(captured_at);
        while self.sent.len() > REMEMBER_MOST
            || self.sent.front().is_some_and(|first| captured_at.since(*first) > REMEMBER_FOR)
        {
            self.sent.pop_front();
        }
    }

    /// The page names the newest frame on its screen; `None` if it does not. Returns the capture
    /// time of the newest picture that the driver is known to have seen, if there is one.
    pub fn handle_shown(&mut self, shown: Option<Shown>) -> Option<MonotonicMicros> {
        if let Some(Shown { rtp, .. }) = shown
            && let Some(at) = self.sent.iter().rfind(|at| at.rtp() == rtp)
        {
            self.seen = self.seen.max(Some(*at));
        }
        self.seen
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(at: u64) -> Option<Shown> {
        Some(Shown { rtp: MonotonicMicros(at).rtp(), for_ms: 0 })
    }

    fn sight(sent: impl IntoIterator<Item = u64>) -> Sight {
        let mut sight = Sight::default();
        for at in sent {
            sight.handle_sent(MonotonicMicros(at));
        }
        sight
    }

    #[test]
    fn the_newest_picture_that_was_named_counts() {
        let mut sight = sight([1_000_000, 1_033_333, 1_066_667]);
        assert_eq!(sight.handle_shown(None), None, "a page that names none");
        assert_eq!(sight.handle_shown(shown(1_033_333)), Some(MonotonicMicros(1_033_333)));
        assert_eq!(sight.handle_shown(None), Some(MonotonicMicros(1_033_333)));
        assert_eq!(sight.handle_shown(shown(1_000_000)), Some(MonotonicMicros(1_033_333)));
    }

    #[test]
    fn a_page_that_lies_makes_no_picture_younger() {
        let mut sight = sight([1_000_000, 1_033_333]);
        sight.handle_shown(shown(1_000_000));
        // The next frame, guessed; one far ahead; one of before the session.
        for lie in [1_066_667, 90_000_000, 500_000] {
            assert_eq!(sight.handle_shown(shown(lie)), Some(MonotonicMicros(1_000_000)), "{lie}");
        }
    }

    #[test]
    fn what_is_remembered_has_an_end() {
        let mut sight = sight((0..100_000).map(|n| n * 100));
        assert_eq!(sight.sent.len(), REMEMBER_MOST);
        sight.handle_sent(MonotonicMicros(30_000_000));
        assert_eq!(sight.sent.len(), 1);
    }

    #[test]
    fn rtp_time_may_wrap() {
        // 2³² ticks of 90 kHz are 13 h 15 min.
        let wrap = (1u64 << 32) * 1_000_000 / 90_000;
        let mut sight = sight([wrap - 20_000, wrap + 13_333]);
        sight.handle_shown(shown(wrap - 20_000));
        assert_eq!(sight.handle_shown(shown(wrap + 13_333)).unwrap().0, wrap + 13_333);
    }

    proptest! {
        #[test]
        fn only_what_was_sent_is_believed_and_never_backward(
            frames in prop::collection::vec(1_000u64..50_000, 1..200),
            said in prop::collection::vec((any::<bool>(), any::<u32>(), 0usize..400), 0..100),
        ) {
            let mut at = 1_000_000;
            let mut sight = Sight::default();
            let mut sent = Vec::new();
            let mut last = None;
            for (n, (honest, rtp, back)) in said.iter().enumerate() {
                if let Some(step) = frames.get(n) {
                    at += step;
                    sent.push(MonotonicMicros(at));
                    sight.handle_sent(MonotonicMicros(at));
                }
                let honest_rtp = sent.iter().rev().nth(*back).map(|at| at.rtp());
                let rtp = if *honest { honest_rtp.unwrap_or(*rtp) } else { *rtp };
                let seen = sight.handle_shown(Some(Shown { rtp, for_ms: 0 }));
                prop_assert!(seen.is_none_or(|seen| sent.contains(&seen)));
                prop_assert!(seen >= last);
                last = seen;
            }
        }
    }
}
