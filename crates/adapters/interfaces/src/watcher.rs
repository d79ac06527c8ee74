//! Waits for changes of the interfaces.

use crate::interface::Interface;
use crate::read::Reading;
use futures_util::stream::BoxStream;
use futures_util::{FutureExt, StreamExt};
use rccar_causes::causes;
use rtnetlink::{Handle, MulticastGroup};
use std::convert::Infallible;
use std::io;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Pause before another connection to the kernel, after it refused or ended one. There is no known
/// reason for that to happen.
const AGAIN: Duration = Duration::from_secs(1);

const GROUPS: [MulticastGroup; 5] = [
    MulticastGroup::Link,
    MulticastGroup::Ipv4Ifaddr,
    MulticastGroup::Ipv6Ifaddr,
    MulticastGroup::Ipv4Route,
    MulticastGroup::Ipv6Route,
];

/// Follows the interfaces, in a task of its own that ends when the watcher is dropped. The task is
/// needed because [`Watcher::next`] may be dropped: a reading that is broken off would leave the
/// kernel in the middle of its answer, and busy for the next one.
#[derive(Default)]
pub struct Watcher(Watch<Vec<Interface>>);

/// The same for anything that is read from the kernel.
pub(crate) struct Watch<T> {
    follower: Option<Follower<T>>,
    last: Option<T>,
}

/// The watcher's handle to the task.
struct Follower<T> {
    /// The newest reading; `None` before the first.
    newest: watch::Receiver<Option<T>>,
    task: JoinHandle<()>,
}

impl<T> Default for Watch<T> {
    fn default() -> Self {
        Self { follower: None, last: None }
    }
}

/// The task's connection to the kernel.
struct Connection {
    handle: Handle,
    /// An item for each announcement of the kernel.
    changes: BoxStream<'static, ()>,
    task: JoinHandle<()>,
}

impl<T> Drop for Follower<T> {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Watcher {
    /// The task starts at the first call of [`Self::next`].
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The present interfaces, sorted by number. The first call returns at once, later calls when
    /// the interfaces differ from those that the last call returned. States between two calls are
    /// skipped. The future may be dropped at any time without losing anything.
    pub async fn next(&mut self) -> Vec<Interface> {
        self.0.next().await
    }
}

impl<T: Reading> Watch<T> {
    pub(crate) async fn next(&mut self) -> T {
        loop {
            let follower = self.follower.get_or_insert_with(Follower::start);
            if follower.newest.changed().await.is_err() {
                // The task has ended, with its runtime or by a panic.
                self.follower = None;
                tokio::time::sleep(AGAIN).await;
                continue;
            }
            let present = follower.newest.borrow_and_update().clone();
            if let Some(present) = present.filter(|present| self.last.as_ref() != Some(present)) {
                return self.last.insert(present).clone();
            }
        }
    }
}

impl<T: Reading> Follower<T> {
    fn start() -> Self {
        let (publish, newest) = watch::channel(None);
        Self { newest, task: tokio::spawn(follow(publish)) }
    }
}

async fn follow<T: Reading>(publish: watch::Sender<Option<T>>) {
    loop {
        let Err(error) = follow_one(&publish).await;
        tracing::warn!(
            error = %causes(&error),
            "cannot watch the network interfaces; trying again in {AGAIN:?}"
        );
        tokio::time::sleep(AGAIN).await;
    }
}

/// Reads at once and then whenever something may have changed, over one connection.
async fn follow_one<T: Reading>(publish: &watch::Sender<Option<T>>) -> io::Result<Infallible> {
    let mut connection = Connection::open()?;
    loop {
        // One reading covers all announcements before it.
        while connection.changes.next().now_or_never().is_some_and(|change| change.is_some()) {}
        let present = T::read(&connection.handle).await.map_err(io::Error::other)?;
        publish.send_if_modified(|last| {
            let differs = last.as_ref() != Some(&present);
            *last = Some(present);
            differs
        });
        connection
            .changes
            .next()
            .await
            .ok_or_else(|| io::Error::other("the kernel's announcements have ended"))?;
    }
}

impl Connection {
    fn open() -> io::Result<Self> {
        let (connection, handle, messages) = rtnetlink::new_multicast_connection(&GROUPS)?;
        // An overrun comes as a message, too. Any message leads to a reading.
        Ok(Self { handle, changes: messages.map(|_| ()).boxed(), task: tokio::spawn(connection) })
    }
}
