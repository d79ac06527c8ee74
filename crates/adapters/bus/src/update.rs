//! `org.rccar.Update1`: what `rccar-update` reports to the other programs and takes from them.
//! `org.rccar.UpdateOwner1`: what only the owner may ask for, at the car.

use crate::error::BusError;
use crate::values::Values;
use async_trait::async_trait;
use rccar_causes::causes;
use std::collections::HashMap;
use std::sync::Arc;
use zbus::fdo::RequestNameFlags;
use zbus::names::InterfaceName;
use zbus::object_server::SignalEmitter;
use zbus::zvariant::Value;
use zbus::{Connection, fdo, interface, proxy};

/// Name on the bus.
pub const NAME: &str = "org.rccar.Update";
/// Path of the object.
pub const PATH: &str = "/org/rccar/Update";
const INTERFACE: &str = "org.rccar.Update1";

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UpdateProperties {
    /// One word, such as `idle` or `installing`.
    pub state: String,
    /// The version that `state` is about; empty if none.
    pub version: String,
    /// How much of `version` is installed.
    pub percent: u8,
    /// Why `version` waits, or why it failed; empty if neither.
    pub reason: String,
    pub running_version: String,
    /// More, as JSON, for the command line.
    pub details: String,
}

/// What `rccar-update` implements.
#[async_trait]
pub trait UpdateService: Send + Sync + 'static {
    fn properties(&self) -> UpdateProperties;
    /// Asks the host for a release at once.
    async fn check(&self);
    /// Installs a version that the host offers. The error says why not.
    async fn install(&self, version: &str) -> Result<(), String>;
    /// Installs for the owner. `what` is a version, or the path of a bundle.
    async fn install_for_owner(&self, what: &str, allow_downgrade: bool) -> Result<(), String>;
}

#[derive(Debug, Clone)]
pub struct ServedUpdate {
    emitter: SignalEmitter<'static>,
}

impl ServedUpdate {
    /// Sends `PropertiesChanged` for the properties that changed.
    pub async fn announce(&self, before: &UpdateProperties, after: &UpdateProperties) {
        let mut changed: HashMap<&str, Value<'_>> = HashMap::new();
        let texts = [
            ("State", &before.state, &after.state),
            ("Version", &before.version, &after.version),
            ("Reason", &before.reason, &after.reason),
        ];
        for (name, before, after) in texts {
            if before != after {
                changed.insert(name, after.as_str().into());
            }
        }
        if before.percent != after.percent {
            changed.insert("Percent", after.percent.into());
        }
        if changed.is_empty() {
            return;
        }
        let Ok(interface) = InterfaceName::from_static_str(INTERFACE) else { return };
        if let Err(error) = fdo::Properties::properties_changed(
            &self.emitter,
            interface,
            changed,
            [].as_slice().into(),
        )
        .await
        {
            tracing::debug!(
                error = %causes(&error),
                "change of the update's properties not announced"
            );
        }
    }
}

/// # Errors
/// If the name is taken, or the bus does not let this program have it.
pub async fn serve(
    connection: &Connection,
    service: Arc<dyn UpdateService>,
) -> Result<ServedUpdate, BusError> {
    let failed = |error| BusError::Serve { name: NAME, source: Box::new(error) };
    connection
        .object_server()
        .at(PATH, Update1 { service: Arc::clone(&service) })
        .await
        .map_err(failed)?;
    connection.object_server().at(PATH, UpdateOwner1 { service }).await.map_err(failed)?;
    // Otherwise a second process would wait in line for the name and believe that it serves.
    connection
        .request_name_with_flags(NAME, RequestNameFlags::DoNotQueue.into())
        .await
        .map_err(failed)?;
    Ok(ServedUpdate { emitter: SignalEmitter::new(connection, PATH).map_err(failed)?.into_owned() })
}

struct Update1 {
    service: Arc<dyn UpdateService>,
}

#[interface(name = "org.rccar.Update1")]
impl Update1 {
    /// Asks the host for a release at once.
    async fn check(&self) {
        self.service.check().await;
    }

    /// Installs a version that the host offers, without waiting for the car to be parked for long.
    async fn install(&self, version: &str) -> fdo::Result<()> {
        self.service.install(version).await.map_err(fdo::Error::Failed)
    }

    #[zbus(property)]
    fn state(&self) -> String {
        self.service.properties().state
    }

    #[zbus(property)]
    fn version(&self) -> String {
        self.service.properties().version
    }

    #[zbus(property)]
    fn percent(&self) -> u8 {
        self.service.properties().percent
    }

    #[zbus(property)]
    fn reason(&self) -> String {
        self.service.properties().reason
    }

    #[zbus(property(emits_changed_signal = "const"))]
    fn running_version(&self) -> String {
        self.service.properties().running_version
    }

    #[zbus(property(emits_changed_signal = "false"))]
    fn details(&self) -> String {
        self.service.properties().details
    }
}

struct UpdateOwner1 {
    service: Arc<dyn UpdateService>,
}

#[interface(name = "org.rccar.UpdateOwner1")]
impl UpdateOwner1 {
    /// Installs a version, or the bundle at a path; with `allow_downgrade` also an older one.
    async fn install(&self, what: &str, allow_downgrade: bool) -> fdo::Result<()> {
        self.service.install_for_owner(what, allow_downgrade).await.map_err(fdo::Error::Failed)
    }
}

#[proxy(
    interface = "org.rccar.Update1",
    default_service = "org.rccar.Update",
    default_path = "/org/rccar/Update",
    gen_blocking = false
)]
trait Update {
    fn check(&self) -> zbus::Result<()>;
    fn install(&self, version: &str) -> zbus::Result<()>;
}

#[proxy(
    interface = "org.rccar.UpdateOwner1",
    default_service = "org.rccar.Update",
    default_path = "/org/rccar/Update",
    gen_blocking = false
)]
trait UpdateOwner {
    fn install(&self, what: &str, allow_downgrade: bool) -> zbus::Result<()>;
}

/// Asks `rccar-update`, which need not run yet.
#[derive(Debug, Clone)]
pub struct UpdateClient {
    connection: Connection,
}

impl UpdateClient {
    #[must_use]
    pub fn new(connection: Connection) -> Self {
        Self { connection }
    }

    pub async fn properties(&self) -> Result<UpdateProperties, BusError> {
        let mut values = Values::read(&self.connection, NAME, PATH, INTERFACE).await?;
        Ok(UpdateProperties {
            state: values.take("State")?,
            version: values.take("Version")?,
            percent: values.take("Percent")?,
            reason: values.take("Reason")?,
            running_version: values.take("RunningVersion")?,
            details: values.take("Details")?,
        })
    }

    /// `rccar-update` asks the host for a release at once.
    pub async fn check(&self) -> Result<(), BusError> {
        UpdateProxy::new(&self.connection).await.map_err(failed)?.check().await.map_err(failed)
    }

    /// Installs a version that the host offers.
    pub async fn install(&self, version: &str) -> Result<(), BusError> {
        UpdateProxy::new(&self.connection)
            .await
            .map_err(failed)?
            .install(version)
            .await
            .map_err(failed)
    }

    /// See [`UpdateService::install_for_owner`].
    pub async fn install_for_owner(
        &self,
        what: &str,
        allow_downgrade: bool,
    ) -> Result<(), BusError> {
        UpdateOwnerProxy::new(&self.connection)
            .await
            .map_err(failed)?
            .install(what, allow_downgrade)
            .await
            .map_err(failed)
    }
}

fn failed(error: zbus::Error) -> BusError {
    BusError::of_call(NAME, error)
}
