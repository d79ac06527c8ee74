//! The task that keeps the [`Tree`] up to date.
//!
//! It subscribes before it asks. If an answer and a signal are ready at the same time, it handles
//! the answer first, so that an older answer never overwrites a newer change.

use crate::names;
use crate::tree::{Interfaces, Properties, Snapshot, Tree};
use crate::{State, StateChange};
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{broadcast, watch};
use zbus::message::Message;
use zbus::zvariant::OwnedObjectPath;
use zbus::{Connection, MatchRule, MessageStream};

/// Signals that may wait while the task is busy. A new modem brings some ten. If more than this
/// wait, they slow the bus down.
const QUEUE: usize = 256;
/// How long the daemon may take to list its objects, or the properties of one.
const LISTING: Duration = Duration::from_secs(10);
/// How long to wait after a failed listing.
const AGAIN: Duration = Duration::from_secs(1);

/// An answer of the daemon, with the unique name of the daemon that was asked.
enum Fetched {
    /// All objects.
    Objects(String, zbus::Result<HashMap<OwnedObjectPath, Interfaces>>),
    /// Properties of a bearer or a SIM.
    Properties(String, OwnedObjectPath, &'static str, zbus::Result<Properties>),
}

/// State of the task.
pub(crate) struct Mirror {
    connection: Connection,
    names: MessageStream,
    signals: MessageStream,
    daemon: Option<String>,
    tree: Tree,
    pending: FuturesUnordered<BoxFuture<'static, Fetched>>,
    asked: Vec<OwnedObjectPath>,
    snapshots: watch::Sender<Arc<Snapshot>>,
    changes: broadcast::Sender<(OwnedObjectPath, StateChange)>,
}

impl Mirror {
    /// Subscribes, and waits until all present objects of the daemon are known.
    pub(crate) async fn start(
        connection: Connection,
        snapshots: watch::Sender<Arc<Snapshot>>,
        changes: broadcast::Sender<(OwnedObjectPath, StateChange)>,
    ) -> zbus::Result<Self> {
        let names = MessageStream::for_match_rule(owner_rule()?, &connection, Some(QUEUE)).await?;
        let signals =
            MessageStream::for_match_rule(signal_rule()?, &connection, Some(QUEUE)).await?;
        let (tree, pending) = (Tree::default(), FuturesUnordered::new());
        let mut mirror = Self {
            connection,
            names,
            signals,
            daemon: None,
            tree,
            pending,
            asked: Vec::new(),
            snapshots,
            changes,
        };
        let owner = owner(&mirror.connection).await?;
        mirror.handle_owner(owner);
        while !mirror.pending.is_empty() {
            if !mirror.step().await {
                break;
            }
        }
        Ok(mirror)
    }

    /// Follows the daemon until the bus ends.
    pub(crate) async fn run(mut self) {
        while self.step().await {}
        tracing::debug!("the connection to the bus has ended");
    }

    async fn step(&mut self) -> bool {
        tokio::select! {
            biased;
            Some(fetched) = self.pending.next() => self.handle_fetched(fetched),
            message = self.names.next() => match message {
                Some(Ok(message)) => self.handle_name(&message),
                Some(Err(error)) => tracing::debug!(%error, "a message could not be read"),
                None => return false,
            },
            message = self.signals.next() => match message {
                Some(Ok(message)) => self.handle_signal(&message),
                Some(Err(error)) => tracing::debug!(%error, "a message could not be read"),
                None => return false,
            },
        }
        self.fetch_missing();
        self.publish();
        true
    }

    fn handle_name(&mut self, message: &Message) {
        if let Ok((_, _, owner)) = message.body().deserialize::<(String, String, String)>() {
            self.handle_owner((!owner.is_empty()).then_some(owner));
        }
    }

    /// A new daemon has new objects, even if their paths are the same.
    fn handle_owner(&mut self, owner: Option<String>) {
        if self.daemon == owner {
            return;
        }
        self.tree.clear();
        self.pending.clear();
        self.asked.clear();
        self.daemon = owner;
        self.fetch_objects(Duration::ZERO);
    }

    fn handle_fetched(&mut self, fetched: Fetched) {
        match fetched {
            // An answer of a daemon that has ended.
            Fetched::Objects(daemon, _) | Fetched::Properties(daemon, ..)
                if self.daemon.as_ref() != Some(&daemon) => {}
            Fetched::Objects(_, Ok(objects)) => {
                objects.into_iter().for_each(|(path, interfaces)| self.tree.add(&path, interfaces))
            }
            Fetched::Objects(_, Err(error)) => {
                tracing::debug!(%error, "ModemManager does not list its objects");
                self.fetch_objects(AGAIN);
            }
            Fetched::Properties(_, path, interface, outcome) => {
                self.asked.retain(|asked| *asked != path);
                match outcome {
                    Ok(properties) => {
                        self.tree.add(&path, HashMap::from([(interface.to_owned(), properties)]))
                    }
                    // An empty object takes its place, so that it is not asked for again and again.
                    // Signals fill it later.
                    Err(error) => {
                        tracing::debug!(
                            %error,
                            path = path.as_str(),
                            "an object does not tell its properties"
                        );
                        self.tree
                            .add(&path, HashMap::from([(interface.to_owned(), Properties::new())]));
                    }
                }
            }
        }
    }

    fn handle_signal(&mut self, message: &Message) {
        let header = message.header();
        if header.sender().map(|sender| sender.as_str()) != self.daemon.as_deref() {
            return;
        }
        let (Some(path), Some(interface), Some(member)) =
            (header.path(), header.interface(), header.member())
        else {
            return;
        };
        let path = OwnedObjectPath::from(path.to_owned());
        let body = message.body();
        match (interface.as_str(), member.as_str()) {
            (names::OBJECT_MANAGER, "InterfacesAdded") => {
                if let Ok((path, interfaces)) = body.deserialize::<(OwnedObjectPath, Interfaces)>()
                {
                    self.tree.add(&path, interfaces);
                }
            }
            (names::OBJECT_MANAGER, "InterfacesRemoved") => {
                if let Ok((path, interfaces)) = body.deserialize::<(OwnedObjectPath, Vec<String>)>()
                {
                    self.tree.remove(&path, &interfaces);
                }
            }
            (names::PROPERTIES, "PropertiesChanged") => {
                if let Ok((interface, changed, invalidated)) =
                    body.deserialize::<(String, Properties, Vec<String>)>()
                {
                    self.tree.change(&path, &interface, changed, &invalidated);
                }
            }
            (names::MODEM, "StateChanged") => {
                if let Ok((old, new, reason)) = body.deserialize::<(i32, i32, u32)>() {
                    let change = StateChange {
                        old: State::from(old),
                        new: State::from(new),
                        reason: reason.into(),
                    };
                    // Fails if nobody listens.
                    let _ = self.changes.send((path, change));
                }
            }
            _ => {}
        }
    }

    fn fetch_objects(&self, delay: Duration) {
        let Some(daemon) = self.daemon.clone() else { return };
        let connection = self.connection.clone();
        let fetch = async move {
            tokio::time::sleep(delay).await;
            let call = connection.call_method(
                Some(daemon.as_str()),
                names::MANAGER_PATH,
                Some(names::OBJECT_MANAGER),
                "GetManagedObjects",
                &(),
            );
            let answer = within_limit(call).await.and_then(|message| message.body().deserialize());
            Fetched::Objects(daemon, answer)
        };
        self.pending.push(fetch.boxed());
    }

    fn fetch_missing(&mut self) {
        let Some(daemon) = self.daemon.clone() else { return };
        for (path, interface) in self.tree.missing() {
            if self.asked.contains(&path) {
                continue;
            }
            self.asked.push(path.clone());
            let (connection, daemon) = (self.connection.clone(), daemon.clone());
            let fetch = async move {
                let call = connection.call_method(
                    Some(daemon.as_str()),
                    &path,
                    Some(names::PROPERTIES),
                    "GetAll",
                    &interface,
                );
                let answer =
                    within_limit(call).await.and_then(|message| message.body().deserialize());
                Fetched::Properties(daemon, path, interface, answer)
            };
            self.pending.push(fetch.boxed());
        }
    }

    fn publish(&self) {
        let snapshot = self.tree.snapshot(self.daemon.clone());
        self.snapshots.send_if_modified(|present| {
            let differs = **present != snapshot;
            if differs {
                *present = Arc::new(snapshot);
            }
            differs
        });
    }
}

async fn within_limit<T>(call: impl Future<Output = zbus::Result<T>>) -> zbus::Result<T> {
    match tokio::time::timeout(LISTING, call).await {
        Ok(answer) => answer,
        Err(_) => Err(zbus::Error::Failure("no answer".to_owned())),
    }
}

/// The owner of ModemManager's name; `None` if the daemon does not run. To ask the bus does not
/// start the daemon.
async fn owner(connection: &Connection) -> zbus::Result<Option<String>> {
    let answer = connection
        .call_method(
            Some(names::DBUS),
            names::DBUS_PATH,
            Some(names::DBUS),
            "GetNameOwner",
            &names::SERVICE,
        )
        .await;
    match answer {
        Ok(message) => Ok(Some(message.body().deserialize()?)),
        Err(zbus::Error::MethodError(name, ..))
            if name.as_str() == "org.freedesktop.DBus.Error.NameHasNoOwner" =>
        {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

fn owner_rule() -> zbus::Result<MatchRule<'static>> {
    Ok(MatchRule::builder()
        .msg_type(zbus::message::Type::Signal)
        .sender(names::DBUS)?
        .interface(names::DBUS)?
        .member("NameOwnerChanged")?
        .arg(0, names::SERVICE)?
        .build())
}

fn signal_rule() -> zbus::Result<MatchRule<'static>> {
    Ok(MatchRule::builder()
        .msg_type(zbus::message::Type::Signal)
        .sender(names::SERVICE)?
        .path_namespace(names::MANAGER_PATH)?
        .build())
}
