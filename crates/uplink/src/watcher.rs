//! Waits for changes.

use crate::interface::Interface;
use crate::read::read;
use futures_util::stream::BoxStream;
use futures_util::{FutureExt, StreamExt};
use rtnetlink::{Handle, MulticastGroup};
use std::io;
use std::time::Duration;
use tokio::task::JoinHandle;

/// Before a connection that the kernel refused or ended is tried again: nobody knows a reason for that to happen.
const AGAIN: Duration = Duration::from_secs(1);

const GROUPS: [MulticastGroup; 5] = [
    MulticastGroup::Link,
    MulticastGroup::Ipv4Ifaddr,
    MulticastGroup::Ipv6Ifaddr,
    MulticastGroup::Ipv4Route,
    MulticastGroup::Ipv6Route,
];

/// Follows the interfaces.
#[derive(Default)]
pub struct Watcher {
    connection: Option<Connection>,
    last: Option<Vec<Interface>>,
    /// Something has changed since the last reading, or may have.
    stale: bool,
}

struct Connection {
    handle: Handle,
    /// An item for each announcement of the kernel.
    changes: BoxStream<'static, ()>,
    task: JoinHandle<()>,
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

    /// The present interfaces in the order of their numbers: at once when it is first called, then when they differ from what it said
    /// last. May be dropped at any time without losing anything.
    pub async fn next(&mut self) -> Vec<Interface> {
        loop {
            match self.step().await {
                Ok(Some(news)) => return news,
                Ok(None) => {}
                Err(error) => {
                    tracing::warn!(%error, "cannot watch the network interfaces; trying again in {AGAIN:?}");
                    self.connection = None;
                    tokio::time::sleep(AGAIN).await;
                }
            }
        }
    }

    /// Reads if something may have changed, else waits until something may have.
    async fn step(&mut self) -> io::Result<Option<Vec<Interface>>> {
        let connection = match &mut self.connection {
            Some(connection) => connection,
            none => {
                self.stale = true;
                none.insert(Connection::open()?)
            }
        };
        if !self.stale {
            connection.changes.next().await.ok_or_else(|| io::Error::other("the kernel's announcements have ended"))?;
            self.stale = true;
        }
        // One reading for all that was announced before it.
        while connection.changes.next().now_or_never().is_some_and(|change| change.is_some()) {}
        let present = read(&connection.handle).await.map_err(io::Error::other)?;
        self.stale = false;
        let news = self.last.as_ref() != Some(&present);
        Ok(news.then(|| self.last.insert(present).clone()))
    }
}

impl Connection {
    fn open() -> io::Result<Self> {
        let (connection, handle, messages) = rtnetlink::new_multicast_connection(&GROUPS)?;
        // An overrun comes as a message, too, and all messages are the same here.
        Ok(Self { handle, changes: messages.map(|_| ()).boxed(), task: tokio::spawn(connection) })
    }
}
