//! Waits for changes.

use crate::interface::Interface;
use crate::read::read;
use futures_util::stream::BoxStream;
use futures_util::{FutureExt, StreamExt};
use rccar_causes::causes;
use rtnetlink::{Handle, MulticastGroup};
use std::convert::Infallible;
use std::io;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Before a connection that the kernel refused or ended is tried again: nobody knows a reason for
/// that to happen.
const AGAIN: Duration = Duration::from_secs(1);

const GROUPS: [MulticastGroup; 5] = [
    MulticastGroup::Link,
    MulticastGroup::Ipv4Ifaddr,
    MulticastGroup::Ipv6Ifaddr,
    MulticastGroup::Ipv4Route,
    MulticastGroup::Ipv6Route,
];

/// Follows the interfaces, in a task of its own that ends with it: a reading that is broken off
/// would leave the kernel in the middle of its answer, and busy for the next one.
#[derive(Default)]
pub struct Watcher {
    follower: Option<Follower>,
    last: Option<Vec<Interface>>,
}

/// The task, as the watcher sees it.
struct Follower {
    /// The newest reading; nothing before the first.
    newest: watch::Receiver<Option<Vec<Interface>>>,
    task: JoinHandle<()>,
}

/// What the task owns.
struct Connection {
    handle: Handle,
    /// An item for each announcement of the kernel.
    changes: BoxStream<'static, ()>,
    task: JoinHandle<()>,
}

impl Drop for Follower {
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
    /// Begins when it is first asked.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The present interfaces in the order of their numbers: at once when it is first called, then
    /// when they differ from what it said last. States in between that nobody asked for are
    /// skipped. May be dropped at any time without losing anything.
    pub async fn next(&mut self) -> Vec<Interface> {
        loop {
            let follower = self.follower.get_or_insert_with(Follower::start);
            if follower.newest.changed().await.is_err() {
                // It ends with its runtime, or by a panic.
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

impl Follower {
    fn start() -> Self {
        let (publish, newest) = watch::channel(None);
        Self { newest, task: tokio::spawn(follow(publish)) }
    }
}

async fn follow(publish: watch::Sender<Option<Vec<Interface>>>) {
    loop {
        let Err(error) = follow_one(&publish).await;
        tracing::warn!(error = %causes(&error), "cannot watch the network interfaces; trying again in {AGAIN:?}");
        tokio::time::sleep(AGAIN).await;
    }
}

/// Reads, and then whenever something may have changed, over one connection.
async fn follow_one(publish: &watch::Sender<Option<Vec<Interface>>>) -> io::Result<Infallible> {
    let mut connection = Connection::open()?;
    loop {
        // One reading for all that was announced before it.
        while connection.changes.next().now_or_never().is_some_and(|change| change.is_some()) {}
        let present = read(&connection.handle).await.map_err(io::Error::other)?;
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
        // An overrun comes as a message, too, and all messages are the same here.
        Ok(Self { handle, changes: messages.map(|_| ()).boxed(), task: tokio::spawn(connection) })
    }
}
