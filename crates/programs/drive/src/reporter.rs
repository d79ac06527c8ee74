//! Decides which process gets the status, and when.

use rccar_protocol::Layout;
use rccar_protocol::state::{DriveState, StopReason};
use rccar_protocol::units::MonotonicMicros;
use std::os::unix::net::SocketAddr;
use std::time::Duration;

/// How long after its last datagram a sender gets the status. Longer than a restart of its threads,
/// shorter than a person waits.
const LISTENS_FOR: Duration = Duration::from_secs(2);
/// Period while the car moves. 100 Hz: a picture drawn at 30 or 60 Hz from the odometry does not
/// judder.
const MOVING: Duration = Duration::from_millis(10);
/// Period while the car rests.
const RESTING: Duration = Duration::from_millis(50);

#[derive(Debug)]
struct Listener {
    address: SocketAddr,
    heard_at: MonotonicMicros,
    /// Layout of its newest set-point, in which it also reads the status.
    layout: Layout,
}

/// Sends the status to one process: the sender of the newest set-point.
#[derive(Debug, Default)]
pub struct Reporter {
    listener: Option<Listener>,
    due: MonotonicMicros,
    told: Option<(DriveState, StopReason)>,
    seq: u32,
}

impl Reporter {
    /// Makes the sender of a set-point the listener.
    pub fn heard(&mut self, now: MonotonicMicros, sender: SocketAddr, layout: Layout) {
        // Nothing can be sent to a socket without an address.
        if sender.is_unnamed() {
            return;
        }
        if !self.listener.as_ref().is_some_and(|known| same(&known.address, &sender)) {
            // A new listener gets its first status at once.
            self.due = now;
        }
        self.listener = Some(Listener { address: sender, heard_at: now, layout });
    }

    /// The listener, and the layout for it, if the period is over or `what` changed; else `None`.
    pub fn due(
        &mut self,
        now: MonotonicMicros,
        what: (DriveState, StopReason),
        moving: bool,
    ) -> Option<(SocketAddr, Layout)> {
        let listener = self.listener.as_ref()?;
        if now.since(listener.heard_at) > LISTENS_FOR {
            self.listener = None;
            return None;
        }
        if now < self.due && self.told == Some(what) {
            return None;
        }
        let period = if moving { MOVING } else { RESTING };
        // On a fixed grid, unless the loop is more than half a period late.
        self.due = self.due.plus(period).max(now.plus(period / 2)).min(now.plus(period));
        self.told = Some(what);
        Some((listener.address.clone(), listener.layout))
    }

    /// When to call [`Self::due`] at the latest; `None` without a listener.
    pub fn next(&self) -> Option<MonotonicMicros> {
        self.listener.is_some().then_some(self.due)
    }

    /// Call this when the listener's socket is gone.
    pub fn forget(&mut self) {
        self.listener = None;
    }

    pub fn next_seq(&mut self) -> u32 {
        self.seq = self.seq.wrapping_add(1);
        self.seq
    }
}

/// Whether two senders are one.
pub(crate) fn same(one: &SocketAddr, other: &SocketAddr) -> bool {
    use std::os::linux::net::SocketAddrExt;
    one.as_pathname() == other.as_pathname() && one.as_abstract_name() == other.as_abstract_name()
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDLE: (DriveState, StopReason) = (DriveState::Disarmed, StopReason::None);

    fn at(millis: u64) -> MonotonicMicros {
        MonotonicMicros(1_000_000 + millis * 1_000)
    }

    fn address(name: &str) -> SocketAddr {
        SocketAddr::from_pathname(name).unwrap()
    }

    fn told(reporter: &mut Reporter, millis: std::ops::Range<u64>, moving: bool) -> usize {
        millis.filter(|&millis| reporter.due(at(millis), IDLE, moving).is_some()).count()
    }

    #[test]
    fn a_moving_car_reports_at_100_hz_and_a_resting_one_at_20() {
        for (moving, reports) in [(true, 100), (false, 20)] {
            let mut reporter = Reporter::default();
            reporter.heard(at(0), address("/a"), Layout::V1);
            assert_eq!(told(&mut reporter, 0..1_000, moving), reports);
        }
    }

    #[test]
    fn a_change_is_reported_at_once() {
        let mut reporter = Reporter::default();
        reporter.heard(at(0), address("/a"), Layout::V1);
        assert!(reporter.due(at(0), IDLE, false).is_some());
        assert!(reporter.due(at(1), IDLE, false).is_none());
        assert!(reporter.due(at(2), (DriveState::Arming, StopReason::None), false).is_some());
    }

    #[test]
    fn who_says_nothing_for_two_seconds_hears_nothing() {
        let mut reporter = Reporter::default();
        assert_eq!(told(&mut reporter, 0..100, false), 0);
        reporter.heard(at(100), address("/a"), Layout::V1);
        assert_eq!(told(&mut reporter, 100..5_000, false), 41);
        assert_eq!(reporter.next(), None);
    }

    #[test]
    fn the_newest_sender_takes_over_at_once_and_is_told_in_its_own_layout() {
        let mut reporter = Reporter::default();
        reporter.heard(at(0), address("/a"), Layout::V1);
        reporter.due(at(0), IDLE, false);
        reporter.heard(at(1), address("/b"), Layout::V2);
        let (listener, layout) = reporter.due(at(1), IDLE, false).unwrap();
        assert_eq!(layout, Layout::V2);
        assert_eq!(listener.as_pathname(), Some("/b".as_ref()));
    }
}
