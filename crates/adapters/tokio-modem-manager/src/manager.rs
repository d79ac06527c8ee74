//! The daemon.

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

/// State changes that a slow listener may miss at most before it is told that it missed some.
const CHANGES: usize = 128;

/// ModemManager. Clones share one task, which follows the daemon and ends with the last clone.
///
/// It works while the daemon does not run, too: [`Snapshot::daemon`] is `None` then, and calls
/// start it if D-Bus may.
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
    /// ModemManager on the system bus.
    ///
    /// # Errors
    /// The system bus cannot be reached. That the daemon does not run is none.
    pub async fn system() -> Result<Self, Error> {
        let connection = Connection::system()
            .await
            .map_err(|error| Error::from_zbus("connect to the system bus", error))?;
        Self::new(connection).await
    }

    /// ModemManager on a bus that is connected already. Returns when the modems that are there are
    /// known.
    ///
    /// # Errors
    /// The bus does not take the subscriptions.
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

    /// The same with other time-outs.
    #[must_use]
    pub fn with_timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = timeouts;
        self
    }

    /// What is known now.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.shared.snapshots.borrow().clone()
    }

    /// Snapshots: the present one at once, then whenever something has changed. One that is slow to
    /// read skips to the newest. Ends when the connection to the bus ends.
    pub fn snapshots(&self) -> impl Stream<Item = Arc<Snapshot>> + Send + Unpin + use<> {
        self.follow(Arc::clone)
    }

    /// A part of the snapshots: the present value at once, then every other one.
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

    /// The daemon's name on the bus: the present one at once, `None` when it ends, another one when
    /// it is back.
    pub fn daemon(&self) -> impl Stream<Item = Option<String>> + Send + Unpin + use<> {
        self.follow(|snapshot| snapshot.daemon.clone())
    }

    /// The modems: the present ones at once, then whenever one comes, goes or changes.
    pub fn modems(&self) -> impl Stream<Item = Vec<Arc<ModemState>>> + Send + Unpin + use<> {
        self.follow(|snapshot| snapshot.modems.clone())
    }

    /// A handle to the modem that fits, whether it is there now or not.
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

    /// Starts the daemon if it does not run and D-Bus knows how to.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn start(&self) -> Result<(), Error> {
        self.ping().await
    }

    /// Whether the daemon answers at all; it starts it if need be.
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

    /// Looks for modems. Without udev ModemManager answers
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

    /// Tells the daemon what the kernel would: `action` is `add` or `remove`, `subsystem` for
    /// instance `tty`, `name` the port's. For systems without udev.
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
    /// released or dropped. The modem's object goes; afterwards it is made anew, which is the
    /// softest way to get a modem out of a state that it does not leave.
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

/// A device that ModemManager leaves alone as long as this lives.
#[derive(Debug)]
#[must_use = "dropping it lets ModemManager take the device again"]
pub struct Inhibition {
    manager: Option<ModemManager>,
    device: String,
}

impl Inhibition {
    /// The device.
    #[must_use]
    pub fn device(&self) -> &str {
        &self.device
    }

    /// Lets ModemManager take the device again, and waits until it has been told.
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

/// What a message may carry.
pub(crate) mod serde_like {
    use super::DynamicType;

    pub(crate) trait Body: serde::Serialize + DynamicType + Sync {}
    impl<T: serde::Serialize + DynamicType + Sync> Body for T {}
}
