//! Messages that wait for a client's stream.

use crate::stats::Counters;
use rccar_turn_stream::FreshQueue;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// A frame of the picture, or a control frame, that has waited for longer is useless. If an answer
/// is dropped, the client repeats its request.
const GOOD_FOR: Duration = Duration::from_millis(200);
/// Messages that wait at most: 200 ms of 10 Mbit/s in packets of 1200 bytes.
const MOST: usize = 208;

#[derive(Debug)]
pub(crate) struct Outbox {
    queue: Mutex<FreshQueue>,
    filled: Notify,
    counters: Arc<Counters>,
}

impl Outbox {
    pub(crate) fn new(counters: Arc<Counters>) -> Self {
        Self { queue: Mutex::new(FreshQueue::new(MOST)), filled: Notify::new(), counters }
    }

    pub(crate) fn push(&self, message: Vec<u8>) {
        self.counted(|queue| queue.push(Instant::now(), GOOD_FOR, message));
        self.filled.notify_one();
    }

    /// The next message that is still worth sending.
    pub(crate) async fn next(&self) -> Vec<u8> {
        loop {
            if let Some(message) = self.counted(|queue| queue.pop(Instant::now())) {
                return message;
            }
            // A push since the look above is not missed: `Notify` keeps one permit.
            self.filled.notified().await;
        }
    }

    fn counted<T>(&self, change: impl FnOnce(&mut FreshQueue) -> T) -> T {
        let mut queue = self.lock();
        let before = queue.dropped();
        let outcome = change(&mut queue);
        self.counters
            .dropped_late
            .add(usize::try_from(queue.dropped() - before).unwrap_or(usize::MAX));
        outcome
    }

    fn lock(&self) -> MutexGuard<'_, FreshQueue> {
        // Nothing panics while it is locked.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
