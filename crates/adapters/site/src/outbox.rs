//! The bounded queue towards one client.

use rccar_protocol::close::CloseCode;
use std::collections::VecDeque;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// Messages that may wait. Setting up a session takes about 40. Parts of the list of cars are put
/// into an empty queue only.
const MAX_MESSAGES: usize = 256;
/// Bytes that may wait: 16 of the largest messages.
const MAX_BYTES: usize = 16 * rccar_protocol::MAX_MESSAGE_BYTES;
/// Places that an empty queue keeps. Most of ten thousand cars have nothing to read; a channel of
/// Tokio's would keep a kilobyte for each of them.
const IDLE_PLACES: usize = 4;

/// Sent by the task of a socket. `Close` is the last.
#[derive(Debug)]
pub(crate) enum Out {
    Text(String),
    Close(CloseCode),
}

/// The senders' end. It never waits.
#[derive(Debug)]
pub(crate) struct Outbox(Arc<Shared>);

/// The socket's end.
#[derive(Debug)]
pub(crate) struct Outgoing(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    queue: Mutex<Queue>,
    /// Something has been put into the queue, or the last sender is gone.
    filled: Notify,
    overflow: Notify,
    gone: Notify,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: VecDeque<Out>,
    bytes: usize,
    senders: usize,
    /// The socket is gone.
    closed: bool,
}

pub(crate) fn outbox() -> (Outbox, Outgoing) {
    let shared = Arc::new(Shared::default());
    shared.lock().senders = 1;
    (Outbox(Arc::clone(&shared)), Outgoing(shared))
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        // Nothing panics while it is locked.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Outbox {
    /// Queues a message. If it does not fit, the socket's task is woken at once and gives the
    /// connection up.
    pub(crate) fn send(&self, out: Out) {
        let mut queue = self.0.lock();
        if queue.closed {
            return;
        }
        let bytes = queue.bytes + out.size();
        if queue.waiting.len() >= MAX_MESSAGES || bytes > MAX_BYTES {
            drop(queue);
            return self.0.overflow.notify_one();
        }
        queue.bytes = bytes;
        queue.waiting.push_back(out);
        drop(queue);
        self.0.filled.notify_one();
    }

    /// Whether nothing waits here; the kernel may still have some.
    pub(crate) fn is_idle(&self) -> bool {
        self.0.lock().waiting.is_empty()
    }

    pub(crate) fn is_gone(&self) -> bool {
        self.0.lock().closed
    }

    /// Resolves when the socket is gone.
    pub(crate) async fn gone(&self) {
        let mut gone = pin!(self.0.gone.notified());
        // Before the look: otherwise the socket could go between the two, unnoticed.
        gone.as_mut().enable();
        if !self.is_gone() {
            gone.await;
        }
    }
}

impl Clone for Outbox {
    fn clone(&self) -> Self {
        self.0.lock().senders += 1;
        Self(Arc::clone(&self.0))
    }
}

impl Drop for Outbox {
    fn drop(&mut self) {
        let mut queue = self.0.lock();
        queue.senders -= 1;
        if queue.senders == 0 {
            drop(queue);
            self.0.filled.notify_one();
        }
    }
}

impl Outgoing {
    /// The next message, or `None` when all senders are gone. Cancel-safe.
    pub(crate) async fn next(&mut self) -> Option<Out> {
        loop {
            {
                let mut queue = self.0.lock();
                if let Some(out) = queue.waiting.pop_front() {
                    queue.bytes -= out.size();
                    if queue.waiting.is_empty() {
                        queue.waiting.shrink_to(IDLE_PLACES);
                    }
                    return Some(out);
                }
                if queue.senders == 0 {
                    return None;
                }
            }
            self.0.filled.notified().await;
        }
    }

    /// Resolves when a message did not fit. The future does not borrow `self`, so that the caller
    /// can write to the socket meanwhile.
    pub(crate) fn overflow(&self) -> impl Future<Output = ()> + use<> {
        let shared = Arc::clone(&self.0);
        async move { shared.overflow.notified().await }
    }
}

impl Drop for Outgoing {
    fn drop(&mut self) {
        let mut queue = self.0.lock();
        queue.closed = true;
        // What a dead connection has not read is nobody's any more.
        (queue.waiting, queue.bytes) = (VecDeque::new(), 0);
        drop(queue);
        self.0.gone.notify_waiters();
    }
}

impl Out {
    fn size(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Close(_) => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    fn overflowed(outgoing: &Outgoing) -> bool {
        outgoing.overflow().now_or_never().is_some()
    }

    #[test]
    fn too_many_messages_overflow() {
        let (outbox, outgoing) = outbox();
        (0..MAX_MESSAGES).for_each(|_| outbox.send(Out::Text("x".into())));
        assert!(!overflowed(&outgoing));
        outbox.send(Out::Text("x".into()));
        assert!(overflowed(&outgoing));
    }

    #[test]
    fn an_empty_queue_keeps_next_to_nothing_and_that_of_a_dead_socket_nothing() {
        let (outbox, mut outgoing) = outbox();
        for _ in 0..MAX_MESSAGES {
            outbox.send(Out::Text("x".into()));
        }
        while !outbox.is_idle() {
            outgoing.next().now_or_never().unwrap();
        }
        assert!(outbox.0.lock().waiting.capacity() <= 2 * IDLE_PLACES);
        outbox.send(Out::Text("x".into()));
        assert!(outbox.gone().now_or_never().is_none());
        drop(outgoing);
        outbox.send(Out::Text("x".into()));
        assert_eq!(outbox.0.lock().waiting.capacity(), 0);
        assert!(outbox.is_gone() && outbox.gone().now_or_never().is_some());
    }

    #[test]
    fn the_last_sender_ends_the_queue_after_what_it_has_sent() {
        let (outbox, mut outgoing) = outbox();
        let other = outbox.clone();
        drop(outbox);
        assert!(outgoing.next().now_or_never().is_none(), "one is left");
        other.send(Out::Text("x".into()));
        drop(other);
        assert!(matches!(outgoing.next().now_or_never(), Some(Some(Out::Text(_)))));
        assert!(matches!(outgoing.next().now_or_never(), Some(None)));
    }

    #[test]
    fn too_many_bytes_overflow_unless_they_are_read() {
        let (outbox, mut outgoing) = outbox();
        let half = || Out::Text("x".repeat(MAX_BYTES / 2));
        for _ in 0..10 {
            outbox.send(half());
            outgoing.next().now_or_never().unwrap();
        }
        (0..2).for_each(|_| outbox.send(half()));
        assert!(!overflowed(&outgoing));
        outbox.send(Out::Text("x".into()));
        assert!(overflowed(&outgoing));
    }
}
