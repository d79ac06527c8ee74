//! What the bottleneck carries, from the gaps between arrivals.

use std::collections::VecDeque;

/// Arrivals of the last second are remembered.
const WINDOW: i64 = 1_000_000;
/// 1 s of 13 Mbit/s.
const MOST: usize = 1_200;
/// A packet that waited longer than this found the bottleneck busy. Less is jitter.
const QUEUED: i64 = 5_000;
/// Packets that arrive at the rate at which they left, within this part of it, were not held up by
/// each other: if they waited, then with packets of somebody else.
const AS_SENT: f64 = 1.0 / 6.0;
/// Trains older than this say nothing about now.
const TRAIN_AGE: i64 = 200_000;

/// One packet at the browser.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arrival {
    pub(crate) sent: i64,
    /// By the browser's clock.
    pub(crate) at: i64,
    pub(crate) bytes: f64,
    /// How long it waited.
    pub(crate) queue: i64,
    pub(crate) frame: Option<u32>,
}

/// What the newest arrivals show, in bit/s.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Sample {
    /// The bottleneck was busy all the time: it carries this and no more.
    Exact(f64),
    /// The packets of a frame met no queue and arrived at this rate: it carries at least this.
    AtLeast(f64),
    Nothing,
}

#[derive(Debug, Default)]
pub(crate) struct Arrivals {
    /// In order of arrival.
    recent: VecDeque<Arrival>,
}

impl Arrivals {
    pub(crate) fn push(&mut self, arrival: Arrival) {
        let back = self.recent.back().map_or(0, |last| last.at.saturating_sub(arrival.at));
        if back > WINDOW {
            // The browser's clock was set, or one of its reports was wrong.
            self.recent.clear();
        } else if back > 0 {
            // A report that came late tells of gaps that were measured without it.
            return;
        }
        self.recent.push_back(arrival);
        while self.recent.len() > MOST
            || self.recent.front().is_some_and(|first| arrival.at.saturating_sub(first.at) > WINDOW)
        {
            self.recent.pop_front();
        }
    }

    pub(crate) fn clear(&mut self) {
        self.recent.clear();
    }

    /// `base` is the delay of an empty path.
    pub(crate) fn sample(&self, base: i64) -> Sample {
        let Some(newest) = self.recent.back() else { return Sample::Nothing };
        let (mut busy, mut train) = (Gaps::default(), Gaps::default());
        let pairs = self.recent.iter().rev().zip(self.recent.iter().rev().skip(1));
        for (later, earlier) in pairs {
            // Newest first, until there is enough: many packets in little time on a fast link, few
            // in much time on a slow one.
            if busy.is_enough() {
                break;
            }
            // It was in the queue when the one before had just left: the bottleneck was busy from
            // one to the other.
            if later.queue > QUEUED && later.sent < earlier.at.saturating_sub(base) {
                busy.add(later, earlier);
            }
            if later.frame.is_some()
                && later.frame == earlier.frame
                && newest.at.saturating_sub(later.at) < TRAIN_AGE
            {
                train.add(later, earlier);
            }
        }
        if newest.queue > QUEUED
            && let Some(rate) = busy.rate_if(busy.is_plausible() && !busy.is_as_sent())
        {
            return Sample::Exact(rate);
        }
        train.rate_if(train.count >= 3).map_or(Sample::Nothing, Sample::AtLeast)
    }
}

/// A sum over gaps between arrivals.
#[derive(Debug, Default)]
struct Gaps {
    bytes: f64,
    time: i64,
    /// The same gaps when the packets left.
    left: i64,
    count: u32,
}

impl Gaps {
    fn add(&mut self, later: &Arrival, earlier: &Arrival) {
        self.bytes += later.bytes;
        self.time += later.at - earlier.at;
        self.left = self.left.saturating_add(later.sent - earlier.sent);
        self.count += 1;
    }

    fn is_enough(&self) -> bool {
        (self.count >= 12 && self.time >= 60_000) || (self.count >= 3 && self.time >= 120_000)
    }

    fn is_plausible(&self) -> bool {
        (self.count >= 6 && self.time > 15_000) || (self.count >= 2 && self.time > 60_000)
    }

    fn is_as_sent(&self) -> bool {
        (float(self.time) - float(self.left)).abs() < AS_SENT * float(self.time)
    }

    fn rate_if(&self, holds: bool) -> Option<f64> {
        (holds && self.time > 0).then(|| self.bytes * 8e6 / float(self.time))
    }
}

#[expect(clippy::cast_precision_loss, reason = "exact for 285 years")]
fn float(micros: i64) -> f64 {
    micros as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Packets of 1000 bytes that leave every `spacing` and pass a bottleneck that takes `service`
    /// for each; the way takes 25 ms, and the far clock is ahead by 9 s.
    fn arrivals(spacing: i64, service: i64, packets: i64) -> Arrivals {
        let (mut all, mut free) = (Arrivals::default(), 0);
        for n in 0..packets {
            let sent = n * spacing;
            free = free.max(sent) + service;
            let at = free + 25_000 + 9_000_000;
            let queue = at - sent - base(service);
            let frame = u32::try_from(n / 4).ok();
            all.push(Arrival { sent, at, bytes: 1_000.0, queue, frame });
        }
        all
    }

    fn base(service: i64) -> i64 {
        service + 25_000 + 9_000_000
    }

    #[test]
    fn a_busy_bottleneck_tells_its_capacity_exactly() {
        for service in [2_000, 8_000, 40_000] {
            let Sample::Exact(rate) = arrivals(service / 2, service, 40).sample(base(service))
            else {
                panic!("{service}")
            };
            #[expect(clippy::cast_precision_loss, reason = "small")]
            let wanted = 8e9 / service as f64;
            assert!((rate / wanted - 1.0).abs() < 0.01, "{rate} instead of {wanted}");
        }
    }

    #[test]
    fn a_link_with_room_tells_what_it_carries_at_least() {
        let Sample::AtLeast(rate) = arrivals(4_000, 1_000, 40).sample(base(1_000)) else {
            panic!()
        };
        assert!((rate / 2e6 - 1.0).abs() < 0.01, "{rate}");
    }

    #[test]
    fn a_queue_of_somebody_else_tells_no_capacity() {
        let mut all = Arrivals::default();
        for n in 0..40 {
            // Each waits for 30 ms.
            let sent = n * 10_000;
            let at = sent + base(0) + 30_000;
            all.push(Arrival { sent, at, bytes: 1_000.0, queue: 30_000, frame: None });
        }
        assert_eq!(all.sample(base(0)), Sample::Nothing);
    }

    #[test]
    fn arrivals_have_an_end_and_an_order() {
        let mut all = arrivals(100, 10, 100_000);
        assert_eq!(all.recent.len(), MOST);
        let late = Arrival { sent: 0, at: 0, bytes: 1.0, queue: 0, frame: None };
        let newest = all.recent.back().unwrap().at;
        all.push(Arrival { at: newest - 1_000, ..late });
        assert_eq!(all.recent.back().unwrap().at, newest, "late");
        all.push(late);
        assert_eq!(all.recent.len(), 1, "another clock");
        all.clear();
        assert_eq!(all.sample(0), Sample::Nothing);
    }
}
