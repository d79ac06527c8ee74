//! How much waits at the bottleneck now, by the last word from the browser.

use crate::least::Least;

/// Time between two reports of a browser that only receives (Chromium: 50 ms, at most 250).
const REPORT_INTERVAL: i64 = 50_000;
/// Assumed before the first report.
const UNKNOWN_ROUND_TRIP: i64 = 200_000;
/// Reports that are later than usual by this are taken for silence; less is jitter.
const PATIENCE: i64 = 15_000;
/// Bits of one full packet: while nothing is heard, the bottleneck has not carried even that.
const PACKET_BITS: f64 = 1_200.0 * 8.0;

/// The newest packet that is known to have arrived.
#[derive(Debug, Clone, Copy)]
struct Newest {
    number: u64,
    /// When it left the bottleneck, by the car's clock.
    through: i64,
    /// All bytes sent up to it.
    total: f64,
}

#[derive(Debug, Default)]
pub(crate) struct Backlog {
    newest: Option<Newest>,
    /// Bytes that were sent over a path that is no more.
    written_off: f64,
    /// The way there, the wait for the report and the way back, each at its least.
    round_trip: Least,
}

impl Backlog {
    /// A packet has arrived; `queue` is how long it waited.
    pub(crate) fn handle_arrived(
        &mut self,
        now: i64,
        number: u64,
        sent: i64,
        queue: i64,
        total: f64,
    ) {
        let through = sent.saturating_add(queue);
        if self.newest.is_none_or(|newest| number > newest.number) {
            self.newest = Some(Newest { number, through, total });
        }
        self.round_trip.handle_time(now);
        self.round_trip.handle(now.saturating_sub(through).max(0));
    }

    /// The path is longer by this than was thought.
    pub(crate) fn handle_longer(&mut self, by: i64) {
        if let Some(newest) = &mut self.newest {
            newest.through = newest.through.saturating_sub(by);
        }
        if let Some(least) = self.round_trip.get() {
            self.round_trip.replace(least.saturating_add(by));
        }
    }

    /// Another path: what is under way on the old one is lost.
    pub(crate) fn handle_new_path(&mut self, total: f64) {
        *self = Self { written_off: total, ..Self::default() };
    }

    /// There and back while nothing waits, as the car learns it. `None`: nothing has arrived.
    pub(crate) fn round_trip(&self) -> Option<i64> {
        self.round_trip.get()
    }

    /// Bytes that were sent and of whose arrival nothing is known. `total` is all that was sent.
    pub(crate) fn under_way(&self, total: f64) -> f64 {
        total - self.newest.map_or(self.written_off, |newest| newest.total)
    }

    /// Number of the packet that must be reported next.
    pub(crate) fn next(&self) -> Option<u64> {
        self.newest.map(|newest| newest.number + 1)
    }

    /// Bytes that probably wait at the bottleneck, and what it surely carries, in bit/s.
    /// `next_sent` is when the packet has left that must be reported next.
    pub(crate) fn estimate(
        &self,
        now: i64,
        next_sent: Option<i64>,
        total: f64,
        capacity: f64,
    ) -> (f64, f64) {
        let under_way = self.under_way(total);
        let Some(newest) = self.newest else { return (under_way, capacity) };
        // The bottleneck has had something to do since then.
        let begun = next_sent.map_or(newest.through, |sent| sent.max(newest.through));
        let since = now.saturating_sub(begun).max(0);
        // As old as this is what a report tells at worst. Beyond it reports were due, and nothing
        // has left the bottleneck.
        let known = self.round_trip.get().unwrap_or(UNKNOWN_ROUND_TRIP) + REPORT_INTERVAL;
        let late = match under_way > 0.0 {
            true => since - known,
            false => 0,
        };
        let sure = match late > PATIENCE {
            true => capacity.min(PACKET_BITS / seconds(late)),
            false => capacity,
        };
        let drained = sure / 8.0 * seconds(since.min(known));
        ((under_way - drained).max(0.0), sure)
    }
}

#[expect(clippy::cast_precision_loss, reason = "exact for 285 years")]
fn seconds(micros: i64) -> f64 {
    micros as f64 / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    const MBIT: f64 = 1e6;

    #[test]
    fn what_was_sent_drains_at_the_capacity_for_as_long_as_reports_may_be_on_their_way() {
        let mut backlog = Backlog::default();
        backlog.handle_arrived(80_000, 0, 0, 0, 1_000.0);
        // 20,000 bytes more leave at once.
        let at = |now| backlog.estimate(now, Some(100_000), 21_000.0, MBIT);
        assert_eq!(at(100_000), (20_000.0, MBIT));
        assert_eq!(at(180_000), (10_000.0, MBIT));
        // The round trip is 80 ms; so from 100 + 130 + 15 ms on the silence counts.
        let (waiting, sure) = at(300_000);
        assert!(sure < 0.2 * MBIT, "{sure}");
        assert!(waiting > 17_500.0, "{waiting}");
    }

    #[test]
    fn nothing_is_late_while_nothing_was_sent() {
        let mut backlog = Backlog::default();
        backlog.handle_arrived(80_000, 0, 0, 0, 1_000.0);
        let sent = 60_000_000;
        assert_eq!(backlog.estimate(sent + 100_000, Some(sent), 2_000.0, MBIT), (0.0, MBIT));
    }

    #[test]
    fn a_new_path_begins_empty() {
        let mut backlog = Backlog::default();
        assert!(backlog.under_way(9_000.0) > 8_999.0);
        backlog.handle_new_path(9_000.0);
        assert_eq!(backlog.estimate(1_000_000, None, 9_000.0, MBIT), (0.0, MBIT));
    }
}
