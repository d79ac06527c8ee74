//! The bounded queue towards one client.

use rccar_protocol::close::CloseCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::{Notify, mpsc};

/// Messages that may wait. Setting up a session takes about 40. Parts of the list of cars are put
/// into an empty queue only.
const MAX_MESSAGES: usize = 256;
/// Bytes that may wait: 16 of the largest messages.
const MAX_BYTES: usize = 16 * rccar_protocol::MAX_MESSAGE_BYTES;

/// Sent by the task of a socket. `Close` is the last.
#[derive(Debug)]
pub(crate) enum Out {
    Text(String),
    Close(CloseCode),
}

/// The senders' end. It never waits.
#[derive(Debug, Clone)]
pub(crate) struct Outbox {
    queue: mpsc::Sender<Out>,
    shared: Arc<Shared>,
}

/// The socket's end.
#[derive(Debug)]
pub(crate) struct Outgoing {
    queue: mpsc::Receiver<Out>,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    bytes: AtomicUsize,
    overflow: Notify,
}

pub(crate) fn outbox() -> (Outbox, Outgoing) {
    let (sender, receiver) = mpsc::channel(MAX_MESSAGES);
    let shared = Arc::new(Shared::default());
    (Outbox { queue: sender, shared: Arc::clone(&shared) }, Outgoing { queue: receiver, shared })
}

impl Outbox {
    /// Queues a message. If it does not fit, the socket's task is woken at once and gives the
    /// connection up.
    pub(crate) fn send(&self, out: Out) {
        let size = out.size();
        let waiting = self.shared.bytes.fetch_add(size, Ordering::Relaxed) + size;
        if waiting > MAX_BYTES || self.queue.try_send(out).is_err() {
            self.shared.overflow.notify_one();
        }
    }

    /// Whether nothing waits here; the kernel may still have some.
    pub(crate) fn is_idle(&self) -> bool {
        self.shared.bytes.load(Ordering::Relaxed) == 0
    }

    pub(crate) fn is_gone(&self) -> bool {
        self.queue.is_closed()
    }

    /// Resolves when the socket is gone.
    pub(crate) async fn gone(&self) {
        self.queue.closed().await;
    }
}

impl Outgoing {
    /// The next message, or `None` when all senders are gone. Cancel-safe.
    pub(crate) async fn next(&mut self) -> Option<Out> {
        let out = self.queue.recv().await?;
        self.shared.bytes.fetch_sub(out.size(), Ordering::Relaxed);
        Some(out)
    }

    /// Resolves when a message did not fit. The future does not borrow `self`, so that the caller
    /// can write to the socket meanwhile.
    pub(crate) fn overflow(&self) -> impl Future<Output = ()> + use<> {
        let shared = Arc::clone(&self.shared);
        async move { shared.overflow.notified().await }
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
