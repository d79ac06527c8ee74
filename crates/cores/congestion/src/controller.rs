//! The machine: rate, pacing and admission.

use crate::backlog::Backlog;
use crate::capacity::{Arrival, Arrivals, Sample};
use crate::company::Company;
use crate::history::{History, News};
use crate::least::Least;
use crate::{Packet, Verdict};
use rccar_protocol::units::MonotonicMicros;
use std::collections::VecDeque;

/// Part of the capacity that is used. The rest lets a queue drain that a large frame has left.
const USED: f64 = 0.92;
/// A queue that never was shorter than this in a whole report stands: the rate is too high.
const STANDING: i64 = 12_000;
/// The longer the queue, the lower the rate: a queue longer by this leaves no rate at all.
const DRAIN: f64 = 150_000.0;
/// Least part of the capacity that is sent while a queue drains.
const LEAST_PART: f64 = 0.5;
/// A frame must be through the bottleneck within this time, in microseconds.
const SOON: f64 = 75_000.0;
/// After so much silence one frame is sent: it finds out whether the link is back.
const FEELER: i64 = 400_000;
/// The same while arrivals are reported.
const FEELER_AT_LAST: i64 = 1_200_000;
/// A keyframe beside the average frame.
const KEYFRAME: f64 = 3.0;
/// A measured capacity counts for so long.
const EXACT_FOR: i64 = 300_000;
/// Growth in each second: while nothing shows how much the link carries, and near what it carries.
const FAR_GROWTH: f64 = 1.2;
const NEAR_GROWTH: f64 = 0.15;
/// Packets leave at this many times the rate, so that a frame shows what the link carries.
const PACE: f64 = 2.0;
/// Packets never leave more slowly, in bit/s.
const LEAST_PACE: f64 = 400e3;
/// Where the highest rate meets no queue, packets leave faster, at up to this many times the rate:
/// a whole frame at once.
const FASTEST_PACE: f64 = 8.0;
/// By so much more than what arrived well at most.
const FASTER: f64 = 1.5;
/// So long, in microseconds, a large frame occupies the link.
const LARGE: f64 = 100e3;
/// Its packets leave at this many times the capacity.
const LARGE_PACE: f64 = 1.25;
/// The first packets of a path leave at this rate, in bit/s: nobody waits for them yet, and they
/// show at once what the path carries.
const FIRST_PACE: f64 = 8e6;
/// Packets that wait to leave do so within this time, in seconds, also when the rate has fallen.
const PACED_WITHIN: f64 = 0.2;
/// Part lost in a second, above which somebody drops what is too much (a policer). Less is the air.
const POLICED: f64 = 0.12;
/// So many reports within this time (µs) miss something: the link loses here and there, without an
/// end. A burst of losses, which is over when it is known, is in fewer.
const LOSSY_REPORTS: usize = 6;
const LOSSY_FOR: i64 = 3_000_000;
/// With more than this part lost besides, a queue may be too short for a frame.
const SHORT_QUEUE: f64 = 0.03;
/// For so long after that the rate hardly grows: there is no queue that would tell of too much.
const POLICED_FOR: i64 = 8_000_000;
/// Growth in each second meanwhile.
const POLICED_GROWTH: f64 = 0.02;
/// Beside somebody who keeps the queue full: growth in each second (bit/s), the part that is left
/// after a loss and the least time between two of those, and the most beside what arrives.
const SHARED_GROWTH: f64 = 120e3;
const GIVE_WAY: f64 = 0.8;
const GIVE_WAY_EVERY: i64 = 500_000;
const SHARED_MOST: f64 = 1.3;
/// At most this rate is used on a path that is new, in bit/s.
const NEW_PATH: f64 = 500e3;
/// So few bytes under way are nothing.
const EMPTY: f64 = 100.0;
/// The capacity stays within this many times the highest rate.
const HEADROOM: f64 = 4.0;
const SECOND: i64 = 1_000_000;

/// Between which rates the machine moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Never less (bit/s): the encoder makes no picture with it. Below it, frames are left out.
    pub least_bps: u32,
    /// The first rate (bit/s).
    pub start_bps: u32,
    /// Never more (bit/s).
    pub most_bps: u32,
    /// Frames per second of the camera.
    pub fps: u32,
}

impl Limits {
    /// Least and most. If they contradict each other, the most holds.
    fn ends(self) -> (f64, f64) {
        let most = f64::from(self.most_bps.max(1));
        (f64::from(self.least_bps.max(1)).min(most), most)
    }

    fn clamp(self, rate: f64) -> f64 {
        let (least, most) = self.ends();
        rate.clamp(least, most)
    }
}

/// What the machine knows, for people and logs.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Insight {
    pub rate_bps: u32,
    pub capacity_bps: u32,
    /// The shortest wait at the bottleneck within the newest report, in milliseconds.
    pub standing_queue_ms: u32,
    /// There and back while nothing waits, in milliseconds; 0 before the first report.
    pub round_trip_ms: u32,
    /// Bytes whose arrival is not known.
    pub under_way: u32,
    /// Frames that were left out, since the start.
    pub left_out: u64,
    /// Bytes reported missing in the last second, in permille.
    pub lost_permille: u32,
}

/// Congestion control for one driver.
#[derive(Debug)]
pub struct Controller {
    limits: Limits,
    rate: f64,
    capacity: f64,
    /// When the capacity was last measured on a bottleneck that was busy.
    exact_at: Option<i64>,
    /// When somebody last dropped what was too much.
    policed_at: Option<i64>,
    /// Since when so much has been lost as if somebody did.
    losing_since: Option<i64>,
    /// What the newest frames that met no queue have shown, in bit/s.
    train: f64,
    /// At which rate packets may leave because others have arrived so, in bit/s.
    burst: f64,
    history: History,
    arrivals: Arrivals,
    base: Least,
    backlog: Backlog,
    losses: Losses,
    company: Company,
    gave_way_at: Option<i64>,
    standing: i64,
    admitted_at: Option<i64>,
    steered_at: Option<i64>,
    /// Bytes that wait for their time to leave.
    waiting: f64,
    left_out: u64,
}

impl Controller {
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        let rate = limits.clamp(limits.start_bps.into());
        Self {
            limits,
            rate,
            capacity: rate / USED,
            exact_at: None,
            policed_at: None,
            losing_since: None,
            train: 0.0,
            burst: FIRST_PACE,
            history: History::default(),
            arrivals: Arrivals::default(),
            base: Least::default(),
            backlog: Backlog::default(),
            losses: Losses::default(),
            company: Company::default(),
            gave_way_at: None,
            standing: 0,
            admitted_at: None,
            steered_at: None,
            waiting: 0.0,
            left_out: 0,
        }
    }

    /// Other limits, because the picture has another size or rate.
    pub fn handle_limits(&mut self, limits: Limits) {
        self.limits = limits;
        self.clamp();
    }

    /// A packet leaves. Returns its number; the transport-wide number is the lowest 16 bits of it.
    pub fn handle_sent(&mut self, now: MonotonicMicros, packet: Packet) -> u64 {
        self.history.push(micros(now), packet)
    }

    /// Number of the packet that is sent next.
    #[must_use]
    pub fn next_number(&self) -> u64 {
        self.history.next()
    }

    /// So many bytes wait for their time to leave.
    pub fn handle_waiting(&mut self, bytes: usize) {
        #[expect(clippy::cast_precision_loss, reason = "a queue")]
        let bytes = bytes as f64;
        self.waiting = bytes;
    }

    /// A report has come. Packets that it does not mention stay unknown.
    pub fn handle_feedback(&mut self, now: MonotonicMicros, verdicts: &[Verdict]) {
        let now = micros(now);
        self.base.handle_time(now);
        let mut arrived = Vec::with_capacity(verdicts.len());
        let (mut got, mut lost) = (0.0, 0.0);
        for verdict in verdicts {
            match (self.history.settle(verdict.number, verdict.arrival.is_some()), verdict.arrival)
            {
                (Some(News::Arrived(sent)), Some(at)) => {
                    got += sent.bytes;
                    // Far enough from the ends of the range for every sum below.
                    arrived.push((at.0.clamp(-FAR, FAR), sent));
                }
                (Some(News::Missing(sent)), _) => lost += sent.bytes,
                _ => {}
            }
        }
        self.history.forget(now);
        self.losses.push(now, got, lost);
        arrived.sort_by_key(|(at, sent)| (*at, sent.number));
        arrived.iter().for_each(|(at, sent)| self.base.handle(at - sent.at));
        let Some(base) = self.base.get() else { return };
        let mut standing = None;
        for (at, sent) in arrived {
            let queue = at - sent.at - base;
            standing = Some(standing.map_or(queue, |least: i64| least.min(queue)));
            self.arrivals.push(Arrival {
                sent: sent.at,
                at,
                bytes: sent.bytes,
                queue,
                frame: sent.frame,
            });
            self.backlog.handle_arrived(now, sent.number, sent.at, queue, sent.total);
        }
        if let Some(standing) = standing {
            self.standing = standing;
            self.measure(now, base);
            self.steer(now, lost > 0.0);
            let queue = (standing > STANDING).then_some(standing);
            if self.company.handle_queue(now, base, queue) {
                self.base.replace(base.saturating_add(standing));
                self.backlog.handle_longer(standing);
                self.standing = 0;
            }
        }
    }

    /// The packets take another path from now on (ICE restart, another uplink): what was learnt
    /// about the old one is void, and what is under way on it will not arrive.
    pub fn handle_new_path(&mut self, _: MonotonicMicros) {
        self.backlog.handle_new_path(self.history.total());
        self.history.clear();
        self.arrivals.clear();
        self.base = Least::default();
        self.losses = Losses::default();
        self.company = Company::default();
        (self.exact_at, self.admitted_at, self.train, self.standing) = (None, None, 0.0, 0);
        (self.policed_at, self.losing_since) = (None, None);
        self.burst = FIRST_PACE;
        self.rate = self.rate.min(NEW_PATH);
        self.capacity = self.rate / USED;
        self.clamp();
    }

    /// The next frame is admitted, whatever is known.
    pub fn let_one_through(&mut self) {
        self.admitted_at = None;
    }

    /// Whether the next frame may be encoded. Asking counts: a frame that is admitted will be sent.
    pub fn admit(&mut self, now: MonotonicMicros, keyframe: bool) -> bool {
        let now = micros(now);
        let next_sent = self.backlog.next().and_then(|next| self.history.sent_at(next));
        let total = self.history.total();
        let (backlog, capacity) = self.backlog.estimate(now, next_sent, total, self.capacity);
        let waiting = backlog + self.waiting;
        let size = self.rate / 8.0 / f64::from(self.limits.fps.max(1))
            * if keyframe { KEYFRAME } else { 1.0 };
        let admitted = waiting < EMPTY
            || (waiting + size) * 8e6 / capacity <= SOON
            || self.admitted_at.is_none_or(|last| {
                // While arrivals are heard of, what waits drains, and more would overflow it.
                let silent_since = self.steered_at.map_or(last, |heard| heard.max(last));
                now - silent_since > FEELER || now - last > FEELER_AT_LAST
            });
        match admitted {
            true => self.admitted_at = Some(now),
            false => self.left_out += 1,
        }
        admitted
    }

    /// The rate of the picture, copies and repair included, in bit/s.
    #[must_use]
    pub fn poll_rate(&self) -> u32 {
        whole(self.rate)
    }

    /// The rate at which packets leave, in bit/s.
    #[must_use]
    pub fn poll_pacing(&self) -> u32 {
        if self.is_tight() {
            return whole((LARGE_PACE * self.capacity).max(self.rate));
        }
        let waiting = self.waiting * 8.0 / PACED_WITHIN;
        whole((PACE * self.rate).max(LEAST_PACE).max(waiting).max(self.burst))
    }

    /// How often a packet that was lost is sent once more at a time. A copy that is lost, too,
    /// holds the picture up for a second round trip.
    #[must_use]
    pub fn poll_copies(&self) -> usize {
        // What a full queue drops does not come through better for being sent twice.
        let is_air = self.losses.part() < POLICED && self.standing <= STANDING;
        if is_air && self.losses.are_spread() { 2 } else { 1 }
    }

    #[must_use]
    pub fn insight(&self) -> Insight {
        Insight {
            rate_bps: whole(self.rate),
            capacity_bps: whole(self.capacity),
            standing_queue_ms: millis(self.standing),
            round_trip_ms: millis(self.backlog.round_trip().unwrap_or(0)),
            under_way: whole(self.backlog.under_way(self.history.total())),
            left_out: self.left_out,
            lost_permille: whole(self.losses.part() * 1e3),
        }
    }

    /// The capacity is known, and to be faster would overflow the queue there: what waits is much
    /// for the link, as a keyframe on a narrow one, or something is lost as it is.
    fn is_tight(&self) -> bool {
        let known = self.exact_at.zip(self.steered_at).is_some_and(|(at, now)| now - at < SECOND);
        let short = self.losses.are_spread() && self.losses.part() > SHORT_QUEUE;
        known && (self.waiting * 8e6 / self.capacity > LARGE || short)
    }

    fn measure(&mut self, now: i64, base: i64) {
        match self.arrivals.sample(base) {
            Sample::Exact(rate) => {
                // Down at once, up with care.
                let weight = if rate < self.capacity { 0.7 } else { 0.4 };
                self.capacity += weight * (rate - self.capacity);
                self.exact_at = Some(now);
                self.burst = 0.0;
            }
            Sample::AtLeast(rate) => {
                let fastest = FASTEST_PACE * self.rate;
                let is_fast = self.rate >= self.limits.most_bps.into();
                self.burst = if is_fast { (FASTER * rate).min(fastest) } else { 0.0 };
                // Packets do not arrive faster than they leave.
                self.train = rate.min(PACE * self.rate);
                self.capacity += 0.3 * (self.train - self.capacity).max(0.0);
            }
            Sample::Nothing => (self.train, self.burst) = (0.0, 0.0),
        }
        self.clamp();
    }

    fn steer(&mut self, now: i64, lost: bool) {
        let since = self.steered_at.replace(now).map_or(0, |last| now - last);
        let seconds = float(since.clamp(0, SECOND / 5)) / 1e6;
        if self.company.is_there() {
            self.share(now, seconds, lost);
        } else if self.standing > STANDING {
            let excess = float(self.standing - STANDING) / DRAIN;
            self.rate = self.rate.min(self.capacity * (USED - excess).max(LEAST_PART));
        } else if self.exact_at.is_some_and(|at| now - at < EXACT_FOR) {
            // The queue empties between frames, and the capacity is known.
            let ceiling = USED * self.capacity;
            self.rate = self.rate.max(0.85 * ceiling);
            self.rate = match self.rate < ceiling {
                true => (self.rate * (1.0 + NEAR_GROWTH * seconds)).min(ceiling),
                false => self.rate.min(1.05 * ceiling),
            };
        } else {
            // No queue was seen: the link carries more than is sent.
            let policed = self.policed_at.is_some_and(|at| now - at < POLICED_FOR);
            self.rate *= 1.0 + seconds * if policed { POLICED_GROWTH } else { FAR_GROWTH };
            if !policed {
                self.rate = self.rate.max(0.7 * USED * self.train);
            }
            self.capacity = self.capacity.max(self.rate / USED);
        }
        if self.losses.part() > POLICED {
            self.rate = self.rate.min(0.95 * 8.0 * self.losses.got());
            // One burst of losses is out of the window after a second.
            if now - *self.losing_since.get_or_insert(now) > SECOND {
                self.policed_at = Some(now);
            }
        } else {
            self.losing_since = None;
        }
        self.clamp();
    }

    /// Somebody else keeps the queue full, and gives way only where something is lost.
    fn share(&mut self, now: i64, seconds: f64, lost: bool) {
        if lost && self.gave_way_at.is_none_or(|at| now - at > GIVE_WAY_EVERY) {
            self.gave_way_at = Some(now);
            self.rate *= GIVE_WAY;
        } else {
            self.rate += SHARED_GROWTH * seconds;
        }
        self.rate = self.rate.min(SHARED_MOST * self.capacity);
        self.capacity = self.capacity.max(self.rate / USED);
    }

    fn clamp(&mut self) {
        self.rate = self.limits.clamp(self.rate);
        let (least, most) = self.limits.ends();
        self.capacity = self.capacity.clamp(least / HEADROOM, most * HEADROOM);
    }
}

/// Arrival times are kept within this: 36,000 years.
const FAR: i64 = i64::MAX / 8;

/// Bytes that arrived and that did not, in the reports of the last second.
#[derive(Debug, Default)]
struct Losses {
    reports: VecDeque<(i64, f64, f64)>,
    /// When the last reports came that miss something.
    lossy: VecDeque<i64>,
}

impl Losses {
    /// Reports in a second; more than any browser sends.
    const MOST: usize = 1_000;

    fn push(&mut self, now: i64, got: f64, lost: f64) {
        self.reports.push_back((now, got, lost));
        if lost > 0.0 {
            self.lossy.push_back(now);
        }
        if self.lossy.len() > LOSSY_REPORTS {
            self.lossy.pop_front();
        }
        while self.reports.len() > Self::MOST
            || self.reports.front().is_some_and(|(at, ..)| now - at > SECOND)
        {
            self.reports.pop_front();
        }
    }

    /// Packets are lost here and there.
    fn are_spread(&self) -> bool {
        let (Some((now, ..)), Some(first)) = (self.reports.back(), self.lossy.front()) else {
            return false;
        };
        self.lossy.len() >= LOSSY_REPORTS && now - first < LOSSY_FOR
    }

    fn got(&self) -> f64 {
        self.reports.iter().map(|(_, got, _)| got).sum()
    }

    fn part(&self) -> f64 {
        let lost: f64 = self.reports.iter().map(|(.., lost)| lost).sum();
        lost / (self.got() + lost).max(1.0)
    }
}

/// Rounded up.
fn millis(micros: i64) -> u32 {
    u32::try_from(micros.max(0).saturating_add(999) / 1_000).unwrap_or(u32::MAX)
}

fn micros(at: MonotonicMicros) -> i64 {
    i64::try_from(at.0).map_or(FAR, |at| at.min(FAR))
}

#[expect(clippy::cast_precision_loss, reason = "exact for 285 years")]
fn float(micros: i64) -> f64 {
    micros as f64
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates")]
fn whole(value: f64) -> u32 {
    value.round() as u32
}
