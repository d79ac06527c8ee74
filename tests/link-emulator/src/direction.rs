//! One direction of a link as a state machine: no clock, no device, no randomness of its own.
//!
//! ```text
//!   packet ─► lost? ─► queue (droptail) ─► sent at the rate ─► way (delay, jitter) ─► delivered
//! ```

use crate::profile::{Loss, Path, Rate, Trace};
use crate::{Counters, Dice};
use std::collections::VecDeque;
use std::time::Duration;

/// Most bytes that wait at any rate: a link with the rate 0 must not eat the memory.
const MOST_BYTES: usize = 16 * 1024 * 1024;

/// What passes a link.
pub trait Packet {
    /// In bytes, with the IP header.
    fn size(&self) -> usize;
}

impl Packet for Vec<u8> {
    fn size(&self) -> usize {
        self.len()
    }
}

/// The state machine. Times count from any point; they must not run backwards.
#[derive(Debug)]
pub struct Direction<P> {
    path: Path,
    /// When the path was set: steps and traces count from here.
    since: Duration,
    /// Nothing passes, and packets on the way are lost.
    cut: bool,
    bursting: bool,
    /// When the sender will have sent its present packet.
    free_at: Duration,
    /// Opportunities of the trace that were used, and bytes left in the last one, for packets that
    /// waited behind.
    used: u64,
    left: usize,
    /// With the time of arrival.
    waiting: VecDeque<(Duration, P)>,
    waiting_bytes: usize,
    /// With the time of delivery.
    travelling: VecDeque<(Duration, P)>,
    counters: Counters,
    dice: Dice,
}

impl<P: Packet> Direction<P> {
    #[must_use]
    pub fn new(path: Path, now: Duration, dice: Dice) -> Self {
        Self {
            path,
            since: now,
            cut: false,
            bursting: false,
            free_at: now,
            used: 0,
            left: 0,
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            travelling: VecDeque::new(),
            counters: Counters::default(),
            dice,
        }
    }

    /// Sets another path. Packets on the way still arrive.
    pub fn set_path(&mut self, now: Duration, path: Path) {
        self.handle_timeout(now);
        (self.path, self.since, self.free_at, self.used, self.left) = (path, now, now, 0, 0);
    }

    /// Cuts the link silently, or mends it.
    pub fn set_cut(&mut self, now: Duration, cut: bool) {
        self.handle_timeout(now);
        self.cut = cut;
        if cut {
            self.counters.lost += (self.waiting.len() + self.travelling.len()) as u64;
            self.waiting.clear();
            self.travelling.clear();
            self.waiting_bytes = 0;
        }
    }

    /// Takes a packet, which may be lost or find the queue full.
    pub fn handle_input(&mut self, now: Duration, packet: P) {
        self.handle_timeout(now);
        self.counters.taken += 1;
        self.counters.taken_bytes += packet.size() as u64;
        if self.cut || self.is_lost() {
            self.counters.lost += 1;
        } else if self.waits(now) > self.path.queue
            || self.waiting_bytes + packet.size() > MOST_BYTES
        {
            self.counters.tail_dropped += 1;
        } else {
            self.waiting_bytes += packet.size();
            self.waiting.push_back((now, packet));
            self.handle_timeout(now);
        }
    }

    /// Sends the packets whose turn has come by `now`.
    pub fn handle_timeout(&mut self, now: Duration) {
        while let Some((arrived, packet)) = self.waiting.front() {
            let (arrived, size) = (*arrived, packet.size());
            let Some(sent) = self.sent_at(arrived, size).filter(|&sent| sent <= now) else {
                return;
            };
            self.take_turn(arrived, sent, size);
            self.counters.note_wait(sent.saturating_sub(arrived));
            let Some((_, packet)) = self.waiting.pop_front() else { return };
            self.waiting_bytes -= size;
            let jitter = self.path.jitter.as_secs_f64() * self.dice.normal();
            let way = (self.path.delay.as_secs_f64() + jitter).max(0.0);
            let due = sent + Duration::from_secs_f64(way);
            // Never before the packet ahead: packets keep their order.
            let due = self.travelling.back().map_or(due, |(before, _)| due.max(*before));
            self.travelling.push_back((due, packet));
        }
    }

    /// The next packet that has arrived by `now`.
    pub fn poll_output(&mut self, now: Duration) -> Option<P> {
        let (due, _) = self.travelling.front()?;
        let late = now.checked_sub(*due)?;
        let (_, packet) = self.travelling.pop_front()?;
        self.counters.delivered += 1;
        self.counters.delivered_bytes += packet.size() as u64;
        self.counters.latest = self.counters.latest.max(late);
        Some(packet)
    }

    /// When a packet is sent or arrives next; `None` if there is none.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Duration> {
        let sent = self
            .waiting
            .front()
            .and_then(|(arrived, packet)| self.sent_at(*arrived, packet.size()));
        let due = self.travelling.front().map(|(due, _)| *due);
        [sent, due].into_iter().flatten().min()
    }

    #[must_use]
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// What came out at the other end was not taken there.
    pub fn note_refused(&mut self) {
        self.counters.refused += 1;
    }

    fn is_lost(&mut self) -> bool {
        match self.path.loss {
            Loss::None => false,
            Loss::Random(probability) => self.dice.chance(probability),
            Loss::Bursts { begin, end } => {
                self.bursting =
                    if self.bursting { !self.dice.chance(end) } else { self.dice.chance(begin) };
                self.bursting
            }
        }
    }

    /// How long a packet that comes now would wait.
    fn waits(&self, now: Duration) -> Duration {
        let bytes_per_s = match &self.path.rate {
            Rate::Unlimited => return Duration::ZERO,
            // A link that carries nothing holds what one of 1 kbit/s would.
            Rate::Steady(kbps) => f64::from((*kbps).max(1)) * 125.0,
            // While the rate is 0, the queue has the length of the rate before (or after) that.
            Rate::Steps(steps) => {
                let mut past =
                    steps.iter().filter(|(at, kbps)| self.since + *at <= now && *kbps > 0);
                f64::from(
                    past.next_back()
                        .or(steps.iter().find(|(_, kbps)| *kbps > 0))
                        .map_or(1, |(_, kbps)| *kbps),
                ) * 125.0
            }
            Rate::Trace(trace) => trace.mean(),
        };
        #[allow(clippy::cast_precision_loss, reason = "queues are short")]
        let waiting = self.waiting_bytes as f64 / bytes_per_s;
        Duration::from_secs_f64(waiting)
    }

    /// When the packet at the front will have been sent; `None` if the rate stays 0.
    fn sent_at(&self, arrived: Duration, size: usize) -> Option<Duration> {
        let start = self.free_at.max(arrived);
        match &self.path.rate {
            Rate::Unlimited => Some(start),
            Rate::Steady(kbps) => (*kbps > 0).then(|| start + sending(size, *kbps)),
            Rate::Steps(steps) => {
                let mut start = start;
                loop {
                    let elapsed = start.saturating_sub(self.since);
                    let kbps = steps
                        .iter()
                        .rev()
                        .find(|(at, _)| *at <= elapsed)
                        .map_or(0, |(_, kbps)| *kbps);
                    let next = steps.iter().map(|(at, _)| *at).find(|at| *at > elapsed);
                    if kbps > 0 {
                        return Some(start + sending(size, kbps));
                    }
                    start = self.since + next?;
                }
            }
            Rate::Trace(trace) => {
                let (first, more, _) = self.opportunities(trace, arrived, size);
                match more {
                    0 => Some(self.free_at),
                    more => Some(self.since + opportunity(trace, first + more - 1)),
                }
            }
        }
    }

    /// For a packet that has arrived then: the number of the first opportunity that it takes, how
    /// many, and the bytes that are left of the last. A packet that waits behind another begins
    /// with what that one has left, as in mahimahi.
    fn opportunities(&self, trace: &Trace, arrived: Duration, size: usize) -> (u64, u64, usize) {
        let left = if self.free_at >= arrived { self.left } else { 0 };
        let more = size.saturating_sub(left).div_ceil(Trace::OPPORTUNITY);
        let rest = left + more * Trace::OPPORTUNITY - size;
        (self.next_opportunity(trace, self.free_at.max(arrived)), more as u64, rest)
    }

    /// Number of the first opportunity that is not used and not before `at`.
    fn next_opportunity(&self, trace: &Trace, at: Duration) -> u64 {
        let elapsed = u64::try_from(at.saturating_sub(self.since).as_millis()).unwrap_or(u64::MAX);
        let (rounds, rest) = (elapsed / trace.period_ms(), elapsed % trace.period_ms());
        let within = trace.at_ms.partition_point(|&ms| ms < rest) as u64;
        (rounds * trace.at_ms.len() as u64 + within).max(self.used)
    }

    /// Notes that the packet at the front is sent, and uses up its part of the opportunities.
    fn take_turn(&mut self, arrived: Duration, sent: Duration, size: usize) {
        if let Rate::Trace(trace) = &self.path.rate {
            let (first, more, left) = self.opportunities(trace, arrived, size);
            if more > 0 {
                self.used = first + more;
            }
            self.left = left;
        }
        self.free_at = sent;
    }
}

/// Time to send so many bytes.
fn sending(size: usize, kbps: u32) -> Duration {
    Duration::from_nanos(size as u64 * 8_000_000 / u64::from(kbps))
}

/// Time of an opportunity, counted from the moment at which the path was set.
fn opportunity(trace: &Trace, number: u64) -> Duration {
    let length = trace.at_ms.len().max(1) as u64;
    let within = usize::try_from(number % length).unwrap_or(0);
    let within = trace.at_ms.get(within).copied().unwrap_or(u64::MAX / 2);
    Duration::from_millis(
        (number / length).saturating_mul(trace.period_ms()).saturating_add(within),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    const S: Duration = Duration::from_secs(1);

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn direction(path: Path) -> Direction<Vec<u8>> {
        Direction::new(path, Duration::ZERO, Dice::new(1))
    }

    /// Sends packets of 1250 bytes in even intervals. Returns the times of arrival in milliseconds.
    fn send(direction: &mut Direction<Vec<u8>>, packets: u64, interval: Duration) -> Vec<u128> {
        let mut arrived = Vec::new();
        let mut collect = |direction: &mut Direction<Vec<u8>>, until: Duration| {
            while let Some(next) = direction.poll_timeout().filter(|next| *next <= until) {
                direction.handle_timeout(next);
                while direction.poll_output(next).is_some() {
                    arrived.push(next.as_millis());
                }
            }
        };
        for number in 0..packets {
            let now = interval * u32::try_from(number).unwrap();
            collect(direction, now);
            direction.handle_input(now, vec![0; 1250]);
        }
        collect(direction, S * 1000);
        arrived
    }

    #[test]
    fn a_packet_takes_its_time() {
        let mut path = direction(Path::of(ms(25)));
        assert_eq!(send(&mut path, 3, ms(10)), [25, 35, 45]);
    }

    #[test]
    fn jitter_changes_times_and_not_the_order() {
        let mut path = direction(Path { jitter: ms(10), ..Path::of(ms(50)) });
        let arrived = send(&mut path, 1000, ms(1));
        assert_eq!(arrived.len(), 1000);
        assert!(arrived.is_sorted());
        let delays = arrived.iter().zip(0..).map(|(arrived, sent)| arrived - sent);
        assert!(delays.clone().min().unwrap() < 50 && delays.max().unwrap() > 55);
    }

    #[test]
    fn a_rate_spaces_packets_and_a_full_queue_drops_the_newest() {
        // 1250 bytes at 1000 kbit/s take 10 ms.
        let mut path =
            direction(Path { rate: Rate::Steady(1000), queue: ms(100), ..Path::of(ms(0)) });
        let arrived = send(&mut path, 100, ms(5));
        assert_eq!(arrived[..3], [10, 20, 30]);
        let counters = path.counters();
        assert!((35..=45).contains(&counters.tail_dropped), "{counters:?}");
        assert!(
            counters.wait_percentile(95) >= ms(95) && counters.wait_percentile(100) <= ms(125),
            "{counters:?}"
        );
    }

    #[test]
    fn a_step_to_zero_holds_packets_back_until_the_next_step() {
        let steps = Rate::Steps(vec![(ms(0), 1000), (ms(100), 0), (ms(500), 1000)]);
        let mut path = direction(Path { rate: steps, queue: ms(50), ..Path::of(ms(0)) });
        let arrived = send(&mut path, 60, ms(10));
        assert!(arrived.iter().all(|at| !(111..=509).contains(at)), "{arrived:?}");
        assert!(path.counters().tail_dropped >= 30, "{:?}", path.counters());
        assert!(arrived.last().unwrap() >= &590);
    }

    #[test]
    fn a_link_that_carries_nothing_holds_little_and_delivers_nothing() {
        let mut path = direction(Path { rate: Rate::Steady(0), ..Path::of(ms(0)) });
        assert!(send(&mut path, 60, ms(10)).is_empty());
        assert_eq!(path.counters().taken, 60);
        assert!(path.counters().tail_dropped >= 50, "{:?}", path.counters());
    }

    #[test]
    fn bursts_lose_as_much_as_they_say_and_in_a_row() {
        let mut path =
            direction(Path { loss: Loss::Bursts { begin: 0.0125, end: 0.25 }, ..Path::of(ms(0)) });
        send(&mut path, 20_000, ms(1));
        let lost = path.counters().lost;
        // begin / (begin + end) = 4.8 %.
        assert!((700..1_250).contains(&lost), "{lost}");
    }

    #[test]
    fn a_trace_is_played_again_and_again_and_what_an_opportunity_has_left_is_not_lost() {
        let trace = Trace { at_ms: vec![0, 10, 20, 99] };
        let mut path =
            direction(Path { rate: Rate::Trace(Arc::new(trace)), queue: S, ..Path::of(ms(0)) });
        assert_eq!(send(&mut path, 6, ms(0)), [0, 10, 20, 99, 100, 100]);
        let mut path = direction(Path {
            rate: Rate::Trace(Arc::new(Trace { at_ms: vec![5, 50] })),
            ..Path::of(ms(0))
        });
        for _ in 0..3 {
            path.handle_input(Duration::ZERO, vec![0; 700]);
        }
        path.handle_timeout(ms(5));
        assert!(path.poll_output(ms(5)).is_some() && path.poll_output(ms(5)).is_some());
        assert!(path.poll_output(ms(5)).is_none());
        assert_eq!(path.poll_timeout(), Some(ms(50)));
    }

    #[test]
    fn a_cut_link_swallows_everything_and_a_mended_one_carries_again() {
        let mut path = direction(Path::of(ms(20)));
        path.handle_input(ms(0), vec![0; 100]);
        path.set_cut(ms(10), true);
        path.handle_input(ms(15), vec![0; 100]);
        assert_eq!(path.poll_timeout(), None);
        path.set_cut(ms(100), false);
        path.handle_input(ms(100), vec![0; 100]);
        assert_eq!(path.poll_timeout(), Some(ms(120)));
        assert_eq!((path.counters().lost, path.counters().taken), (2, 3));
    }
}
