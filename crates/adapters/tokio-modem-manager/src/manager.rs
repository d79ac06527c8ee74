//! ModemManager's daemon: the way to its modems, and the calls that are about no single modem.

use crate::mirror::Mirror;
use crate::modem::{Modem, Selector};
use crate::tree::Snapshot;
use crate::{Error, ModemState, StateChange, Timeouts, names};
use futures_util::Stream;
use futures_util::stream;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{broadcast, watch};
use tokio::task::JoinHandle;
use zbus::Connection;
use zbus::zvariant::{DynamicType, OwnedObjectPath, Value};

/// State changes that are kept for a slow listener. If more are waiting, it loses the oldest.
const CHANGES: usize = 128;

/// ModemManager. Clones share one task, which follows the daemon and ends with the last clone.
///
/// The daemon need not run: [`Snapshot::daemon`] is `None` then, and calls start the daemon if
/// D-Bus can.
#[derive(Debug, Clone)]
pub struct ModemManager {
    shared: Arc<Shared>,
    timeouts: Timeouts,
}

#[derive(Debug)]
struct Shared {
    connection: Connection,
    snapshots: watch::Receiver<Arc<Snapshot>>,
    changes: broadcast::Sender<(OwnedObjectPath, StateChange)>,
    task: JoinHandle<()>,
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl ModemManager {
    /// Connects to the system bus.
    ///
    /// # Errors
    /// The system bus cannot be reached. It is no error if the daemon does not run.
    pub async fn system() -> Result<Self, Error> {
        let connection = Connection::system()
            .await
            .map_err(|error| Error::from_zbus("connect to the system bus", error))?;
        Self::new(connection).await
    }

    /// Uses a connection to a bus. Returns when the modems that the daemon has now are known.
    ///
    /// # Errors
    /// The bus does not accept the subscriptions.
    pub async fn new(connection: Connection) -> Result<Self, Error> {
        let (sender, snapshots) = watch::channel(Arc::default());
        let (changes, _) = broadcast::channel(CHANGES);
        let mirror = Mirror::start(connection.clone(), sender, changes.clone())
            .await
            .map_err(|error| Error::from_zbus("follow ModemManager", error))?;
        let task = tokio::spawn(mirror.run());
        Ok(Self {
            shared: Arc::new(Shared { connection, snapshots, changes, task }),
            timeouts: Timeouts::default(),
        })
    }

    /// Returns the same ModemManager with other time-outs.
    #[must_use]
    pub fn with_timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = timeouts;
        self
    }

    /// The present state.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.shared.snapshots.borrow().clone()
    }

    /// Yields the present snapshot at once, then one whenever something has changed. A slow reader
    /// skips to the newest. Ends when the connection to the bus ends.
    pub fn snapshots(&self) -> impl Stream<Item = Arc<Snapshot>> + Send + Unpin + use<> {
        self.follow(Arc::clone)
    }

    /// Yields a part of the snapshot: the present value at once, then each value that differs from
    /// the one before.
    pub fn follow<T, F>(&self, part: F) -> impl Stream<Item = T> + Send + Unpin + use<T, F>
    where
        T: Clone + PartialEq + Send + 'static,
        F: Fn(&Arc<Snapshot>) -> T + Send + 'static,
    {
        let receiver = self.shared.snapshots.clone();
        Box::pin(stream::unfold((receiver, None, part), |(mut receiver, last, part)| async move {
            loop {
                let value = part(&receiver.borrow_and_update());
                if last.as_ref() != Some(&value) {
                    return Some((value.clone(), (receiver, Some(value), part)));
                }
                receiver.changed().await.ok()?;
            }
        }))
    }

    /// Yields the daemon's unique name on the bus: the present one at once, `None` when the daemon
    /// ends, another name when it is back.
    pub fn daemon(&self) -> impl Stream<Item = Option<String>> + Send + Unpin + use<> {
        self.follow(|snapshot| snapshot.daemon.clone())
    }

    /// Yields all modems: the present ones at once, then whenever one comes, goes or changes.
    pub fn modems(&self) -> impl Stream<Item = Vec<Arc<ModemState>>> + Send + Unpin + use<> {
        self.follow(|snapshot| snapshot.modems.clone())
    }

    /// A handle to the modem that fits `selector`. The modem need not be there yet.
    #[must_use]
    pub fn modem(&self, selector: Selector) -> Modem {
        Modem::new(self.clone(), selector)
    }

    /// The daemon's version, such as `1.24.0`.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn version(&self) -> Result<String, Error> {
        let arguments = (names::MANAGER, "Version");
        let value: zbus::zvariant::OwnedValue = self
            .call(
                "read the version",
                names::MANAGER_PATH,
                names::PROPERTIES,
                "Get",
                &arguments,
                self.timeouts.call,
            )
            .await?;
        String::try_from(value).map_err(|error| Error::from_zbus("read the version", error.into()))
    }

    /// Starts the daemon if it does not run and D-Bus can start it.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn start(&self) -> Result<(), Error> {
        self.ping().await
    }

    /// Succeeds if the daemon answers at all. Starts the daemon if it does not run.
    ///
    /// # Errors
    /// See [`Error`]; [`Error::Timeout`] if it hangs.
    pub async fn ping(&self) -> Result<(), Error> {
        self.call(
            "ping",
            names::MANAGER_PATH,
            "org.freedesktop.DBus.Peer",
            "Ping",
            &(),
            self.timeouts.call,
        )
        .await
    }

    /// Makes the daemon look for modems. Without udev it answers
    /// [`CoreError::Unsupported`](crate::CoreError::Unsupported).
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn scan_devices(&self) -> Result<(), Error> {
        self.call_manager("scan for devices", "ScanDevices", &()).await
    }

    /// Sets how much the daemon logs: `ERR`, `WARN`, `MSG`, `INFO` or `DEBUG`.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn set_logging(&self, level: &str) -> Result<(), Error> {
        self.call_manager("set logging", "SetLogging", &level).await
    }

    /// Reports an event to the daemon in place of the kernel, on systems without udev. `action` is
    /// `add` or `remove`, `subsystem` for instance `tty`, `name` the name of the port.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn report_kernel_event(
        &self,
        action: &str,
        subsystem: &str,
        name: &str,
    ) -> Result<(), Error> {
        let event = HashMap::from([
            ("action", Value::from(action)),
            ("subsystem", subsystem.into()),
            ("name", name.into()),
        ]);
        self.call_manager("report a kernel event", "ReportKernelEvent", &event).await
    }

    /// Makes the daemon let go of a device ([`ModemState::device`]) until the inhibition is
    /// released or dropped. The modem's object vanishes, and the daemon makes another one
    /// afterwards. This is the softest way to get a modem out of a state that it does not leave.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn inhibit_device(&self, device: &str) -> Result<Inhibition, Error> {
        self.call_manager::<(), _>("inhibit a device", "InhibitDevice", &(device, true)).await?;
        Ok(Inhibition { manager: Some(self.clone()), device: device.to_owned() })
    }

    pub(crate) fn timeouts(&self) -> &Timeouts {
        &self.timeouts
    }

    pub(crate) fn changes(&self) -> broadcast::Receiver<(OwnedObjectPath, StateChange)> {
        self.shared.changes.subscribe()
    }

    async fn call_manager<R, B>(
        &self,
        what: &'static str,
        method: &str,
        body: &B,
    ) -> Result<R, Error>
    where
        R: for<'d> zbus::zvariant::DynamicDeserialize<'d>,
        B: serde_like::Body,
    {
        self.call(what, names::MANAGER_PATH, names::MANAGER, method, body, self.timeouts.call).await
    }

    pub(crate) async fn call<R, B>(
        &self,
        what: &'static str,
        path: &str,
        interface: &str,
        method: &str,
        body: &B,
        limit: Duration,
    ) -> Result<R, Error>
    where
        R: for<'d> zbus::zvariant::DynamicDeserialize<'d>,
        B: serde_like::Body,
    {
        let call = self.shared.connection.call_method(
            Some(names::SERVICE),
            path,
            Some(interface),
            method,
            body,
        );
        let answer = tokio::time::timeout(limit, call)
            .await
            .map_err(|_| Error::Timeout { what, after: limit })?;
        answer
            .and_then(|message| message.body().deserialize())
            .map_err(|error| Error::from_zbus(what, error))
    }
}

/// ModemManager leaves the device alone as long as this lives.
#[derive(Debug)]
#[must_use = "dropping it lets ModemManager take the device again"]
pub struct Inhibition {
    manager: Option<ModemManager>,
    device: String,
}

impl Inhibition {
    /// The device, as in [`ModemState::device`].
    #[must_use]
    pub fn device(&self) -> &str {
        &self.device
    }

    /// Lets ModemManager take the device again, and waits for its answer.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn release(mut self) -> Result<(), Error> {
        match self.manager.take() {
            Some(manager) => {
                manager
                    .call_manager(
                        "release a device",
                        "InhibitDevice",
                        &(self.device.as_str(), false),
                    )
                    .await
            }
            None => Ok(()),
        }
    }
}

// Dropping cannot wait for an answer, so a task releases the device, if there is a runtime.
impl Drop for Inhibition {
    fn drop(&mut self) {
        let (Some(manager), Ok(runtime)) =
            (self.manager.take(), tokio::runtime::Handle::try_current())
        else {
            return;
        };
        let device = std::mem::take(&mut self.device);
        runtime.spawn(async move {
            let released: Result<(), Error> =
                manager.call_manager("release a device", "InhibitDevice", &(device, false)).await;
            if let Err(error) = released {
                tracing::debug!(%error, "ModemManager was not told that a device is free again");
            }
        });
    }
}

/// The types that a message may carry.
pub(crate) mod serde_like {
    use super::DynamicType;

    pub(crate) trait Body: serde::Serialize + DynamicType + Sync {}
    impl<T: serde::Serialize + DynamicType + Sync> Body for T {}
}
