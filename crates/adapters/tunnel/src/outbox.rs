//! Messages of a client that wait for its connection.

use rccar_turn_stream::{FreshQueue, is_stun};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// A frame of the picture, or a control frame, that has waited for longer is useless.
const GOOD_FOR: Duration = Duration::from_millis(200);
/// Requests may wait until there is a connection: twice the time of a TLS handshake over a bad
/// link.
const REQUEST_GOOD_FOR: Duration = Duration::from_secs(2);
/// Messages that wait at most: 200 ms of 10 Mbit/s in packets of 1200 bytes.
const MOST: usize = 208;

#[derive(Debug)]
pub(crate) struct Outbox {
    queue: Mutex<FreshQueue>,
    filled: Notify,
}

impl Default for Outbox {
    fn default() -> Self {
        Self { queue: Mutex::new(FreshQueue::new(MOST)), filled: Notify::new() }
    }
}

impl Outbox {
    pub(crate) fn push(&self, message: Vec<u8>) {
        let good_for = if is_request(&message) { REQUEST_GOOD_FOR } else { GOOD_FOR };
        self.lock().push(Instant::now(), good_for, message);
        self.filled.notify_one();
    }

    /// The next message that is still worth sending.
    pub(crate) async fn next(&self) -> Vec<u8> {
        loop {
            // Not in the condition of a `while let`: the lock would be held while waiting.
            let next = self.lock().pop(Instant::now());
            match next {
                Some(message) => return message,
                // A push since `pop` is not missed: `Notify` keeps one permit.
                None => self.filled.notified().await,
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, FreshQueue> {
        // Nothing panics while it is locked.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a message is a request: the two bits of the class are zero (RFC 8489 section 5).
pub(crate) fn is_request(message: &[u8]) -> bool {
    is_stun(message)
        && matches!(message, [first, second, ..] if first & 0x01 == 0 && second & 0x10 == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_told_from_indications_answers_and_data() {
        assert!(is_request(&[0x00, 0x03, 0, 0]), "Allocate");
        assert!(!is_request(&[0x00, 0x16, 0, 0]), "Send indication");
        assert!(!is_request(&[0x01, 0x03, 0, 0]), "success");
        assert!(!is_request(&[0x01, 0x13, 0, 0]), "error");
        assert!(!is_request(&[0x40, 0x00, 0, 0]), "ChannelData");
        assert!(!is_request(&[0]));
    }
}
