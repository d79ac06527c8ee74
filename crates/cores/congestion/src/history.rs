//! Packets that have left, until the browser has told of them.

use crate::Packet;
use std::collections::VecDeque;

/// A packet that no report has mentioned for so long is gone.
const FORGET_AFTER: i64 = 3_000_000;
/// 3 s of 13 Mbit/s; beyond it the oldest are forgotten.
const MOST: usize = 4_096;

#[derive(Debug, Clone, Copy)]
pub(crate) struct Sent {
    pub(crate) number: u64,
    pub(crate) at: i64,
    pub(crate) bytes: f64,
    pub(crate) frame: Option<u32>,
    /// All bytes sent up to this packet.
    pub(crate) total: f64,
    verdict: Option<Fate>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Arrived,
    /// So far: a later report may say that it came after all.
    Missing,
}

/// What a report says about a packet that was waited for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum News {
    Arrived(Sent),
    Missing(Sent),
}

#[derive(Debug, Default)]
pub(crate) struct History {
    packets: VecDeque<Sent>,
    next: u64,
    total: f64,
}

impl History {
    pub(crate) fn push(&mut self, now: i64, packet: Packet) -> u64 {
        let number = self.next;
        self.next += 1;
        self.total += f64::from(packet.bytes);
        self.packets.push_back(Sent {
            number,
            at: now,
            bytes: packet.bytes.into(),
            frame: packet.frame,
            total: self.total,
            verdict: None,
        });
        self.forget(now);
        number
    }

    /// Takes a report's word about a packet. `None`: it was never sent, is forgotten, or is known.
    pub(crate) fn settle(&mut self, number: u64, arrived: bool) -> Option<News> {
        let first = self.packets.front()?.number;
        let index = usize::try_from(number.checked_sub(first)?).ok()?;
        let sent = self.packets.get_mut(index)?;
        match (sent.verdict, arrived) {
            (Some(Fate::Arrived), _) | (Some(Fate::Missing), false) => None,
            (_, true) => {
                sent.verdict = Some(Fate::Arrived);
                Some(News::Arrived(*sent))
            }
            (None, false) => {
                sent.verdict = Some(Fate::Missing);
                Some(News::Missing(*sent))
            }
        }
    }

    /// When a packet left. `None`: it has not, or is forgotten.
    pub(crate) fn sent_at(&self, number: u64) -> Option<i64> {
        let index = number.checked_sub(self.packets.front()?.number)?;
        self.packets.get(usize::try_from(index).ok()?).map(|sent| sent.at)
    }

    pub(crate) fn forget(&mut self, now: i64) {
        while self.packets.len() > MOST
            || self.packets.front().is_some_and(|sent| {
                sent.verdict == Some(Fate::Arrived) || now - sent.at > FORGET_AFTER
            })
        {
            self.packets.pop_front();
        }
    }

    /// All bytes that were ever sent.
    pub(crate) fn total(&self) -> f64 {
        self.total
    }

    /// Number of the next packet.
    pub(crate) fn next(&self) -> u64 {
        self.next
    }

    pub(crate) fn clear(&mut self) {
        self.packets.clear();
    }
}

impl PartialEq for Sent {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACKET: Packet = Packet { bytes: 1_000, frame: Some(1) };

    #[test]
    fn a_packet_may_arrive_after_it_was_reported_missing_but_not_twice() {
        let mut history = History::default();
        (0..3).for_each(|_| _ = history.push(0, PACKET));
        assert!(matches!(history.settle(1, false), Some(News::Missing(_))));
        assert_eq!(history.settle(1, false), None);
        assert!(matches!(history.settle(1, true), Some(News::Arrived(_))));
        assert_eq!(history.settle(1, true), None);
        assert_eq!(history.settle(1, false), None);
        assert_eq!(history.settle(3, true), None, "never sent");
        assert_eq!(history.settle(u64::MAX, true), None, "never sent");
    }

    #[test]
    fn what_is_remembered_has_an_end() {
        let mut history = History::default();
        (0..100_000).for_each(|_| _ = history.push(0, PACKET));
        assert_eq!(history.packets.len(), MOST);
        history.push(FORGET_AFTER + 1, PACKET);
        assert_eq!(history.packets.len(), 1);
        assert_eq!(history.settle(5, true), None);
    }
}
