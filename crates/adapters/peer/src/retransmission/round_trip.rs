//! The round trip, measured with the other end's reports (RFC 3550 section 6.4.1).

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Assumed before the first report, as a browser does.
const UNKNOWN: Duration = Duration::from_millis(100);
/// Our reports that are remembered until the other end names them. One goes out every second.
const REPORTS: usize = 8;

#[derive(Debug)]
pub(super) struct RoundTrip {
    /// Middle 32 bits of the NTP time in each of our reports, and when it was sent.
    reports: VecDeque<(u32, Instant)>,
    newest: Duration,
}

impl RoundTrip {
    pub(super) fn new() -> Self {
        Self { reports: VecDeque::new(), newest: UNKNOWN }
    }

    /// A sender report leaves with this NTP time.
    pub(super) fn handle_report(&mut self, now: Instant, ntp: u64) {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "the middle 32 bits are what is echoed"
        )]
        self.reports.push_back(((ntp >> 16) as u32, now));
        if self.reports.len() > REPORTS {
            self.reports.pop_front();
        }
    }

    /// The other end names the last report of ours that it saw, and for how many 1/65536 s it has
    /// had it.
    pub(super) fn handle_reception(&mut self, now: Instant, last_report: u32, delay: u32) {
        let Some((_, sent)) = self.reports.iter().find(|(report, _)| *report == last_report) else {
            return;
        };
        let held = Duration::from_secs_f64(f64::from(delay) / 65_536.0);
        self.newest = now.saturating_duration_since(*sent).saturating_sub(held);
    }

    pub(super) fn newest(&self) -> Duration {
        self.newest
    }
}
