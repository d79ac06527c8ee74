//! Messages that wait for a stream.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// A queue that is bounded in time and in number. It drops messages that have waited for too long,
/// and the oldest one when it is full.
#[derive(Debug)]
pub struct FreshQueue {
    waiting: VecDeque<(Instant, Vec<u8>)>,
    most: usize,
    dropped: u64,
}

impl FreshQueue {
    /// Holds `most` messages at most, and one at least. A full queue drops its oldest.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self { waiting: VecDeque::new(), most: most.max(1), dropped: 0 }
    }

    /// Adds a message that is worth sending for `good_for` from now.
    pub fn push(&mut self, now: Instant, good_for: Duration, message: Vec<u8>) {
        if self.waiting.len() == self.most {
            self.waiting.pop_front();
            self.dropped += 1;
        }
        self.waiting.push_back((now + good_for, message));
    }

    /// The oldest message that is still worth sending. Older ones are dropped.
    pub fn pop(&mut self, now: Instant) -> Option<Vec<u8>> {
        while let Some((until, message)) = self.waiting.pop_front() {
            if now <= until {
                return Some(message);
            }
            self.dropped += 1;
        }
        None
    }

    /// Drops all messages, which [`Self::dropped`] counts.
    pub fn clear(&mut self) {
        self.dropped += self.waiting.len() as u64;
        self.waiting.clear();
    }

    /// Messages that were too old, had no room, or were cleared.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_millis(200);

    #[test]
    fn what_has_waited_for_too_long_is_dropped() {
        let (start, mut queue) = (Instant::now(), FreshQueue::new(10));
        let at = |ms| start + Duration::from_millis(ms);
        queue.push(at(0), LIMIT, vec![1]);
        queue.push(at(0), LIMIT * 10, vec![2]);
        queue.push(at(150), LIMIT, vec![3]);
        assert_eq!(queue.pop(at(201)), Some(vec![2]));
        assert_eq!(queue.pop(at(350)), Some(vec![3]));
        assert_eq!((queue.pop(at(350)), queue.dropped()), (None, 1));
    }

    #[test]
    fn a_full_queue_drops_the_oldest() {
        let (now, mut queue) = (Instant::now(), FreshQueue::new(2));
        for number in 1..=3 {
            queue.push(now, LIMIT, vec![number]);
        }
        assert_eq!((queue.pop(now), queue.dropped()), (Some(vec![2]), 1));
        queue.clear();
        assert_eq!((queue.pop(now), queue.dropped()), (None, 2));
    }
}
