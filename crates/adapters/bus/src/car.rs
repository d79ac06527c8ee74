//! `org.rccar.Car1`: what `rccar-car` reports to the other programs of the car and does for them.

use crate::error::BusError;
use crate::values::Values;
use async_trait::async_trait;
use futures_util::stream::{Stream, StreamExt, select};
use rccar_causes::causes;
use rccar_protocol::release::{AccessToken, UpdateStatus};
use std::collections::HashMap;
use std::sync::Arc;
use zbus::fdo::RequestNameFlags;
use zbus::message::Type;
use zbus::names::InterfaceName;
use zbus::object_server::SignalEmitter;
use zbus::zvariant::Value;
use zbus::{Connection, MatchRule, MessageStream, fdo, interface, proxy};

/// Name on the bus.
pub const NAME: &str = "org.rccar.Car";
/// Path of the object.
pub const PATH: &str = "/org/rccar/Car";
const INTERFACE: &str = "org.rccar.Car1";

/// The properties of the interface.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CarState {
    /// Registered with the host.
    pub registered: bool,
    /// Address of the host; empty if the configuration names none.
    pub host: String,
    /// Frames encoded since `rccar-car` started.
    pub frames_encoded: u64,
    /// `rccar-drive` answers.
    pub drive_alive: bool,
    /// The wheels may move.
    pub armed: bool,
    /// Zero if the voltage is not known.
    pub battery_millivolts: u32,
    /// Somebody is connected to drive.
    pub in_session: bool,
}

/// Where and with which token the car fetches from its host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostAccess {
    /// Address of the host, such as `https://drive.example`.
    pub url: String,
    /// Hidden in `Debug`.
    pub token: AccessToken,
}

/// What `rccar-car` implements.
#[async_trait]
pub trait CarService: Send + Sync + 'static {
    fn state(&self) -> CarState;
    /// `None` while the car is not registered.
    fn host_access(&self) -> Option<HostAccess>;
    /// Passes a status on to the host.
    fn report_update(&self, status: UpdateStatus);
    /// Starts the camera for a moment, unless it runs already. Returns whether it gave a frame.
    async fn test_camera(&self) -> bool;
}

/// The served interface. Dropping it does not withdraw it; the connection does.
#[derive(Debug, Clone)]
pub struct ServedCar {
    emitter: SignalEmitter<'static>,
}

impl ServedCar {
    /// Sends `PropertiesChanged` for the flags that changed; never for frames and voltage.
    pub async fn announce(&self, before: &CarState, after: &CarState) {
        let mut changed: HashMap<&str, Value<'_>> = HashMap::new();
        let flags = [
            ("Registered", before.registered, after.registered),
            ("DriveAlive", before.drive_alive, after.drive_alive),
            ("Armed", before.armed, after.armed),
            ("InSession", before.in_session, after.in_session),
        ];
        for (name, before, after) in flags {
            if before != after {
                changed.insert(name, after.into());
            }
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
                "change of the car's properties not announced"
            );
        }
    }
}

/// # Errors
/// If the name is taken, or the bus does not let this program have it.
pub async fn serve(
    connection: &Connection,
    service: Arc<dyn CarService>,
) -> Result<ServedCar, BusError> {
    let failed = |error| BusError::Serve { name: NAME, source: Box::new(error) };
    connection.object_server().at(PATH, Car1 { service }).await.map_err(failed)?;
    // Otherwise a second process would wait in line for the name and believe that it serves.
    connection
        .request_name_with_flags(NAME, RequestNameFlags::DoNotQueue.into())
        .await
        .map_err(failed)?;
    Ok(ServedCar { emitter: SignalEmitter::new(connection, PATH).map_err(failed)?.into_owned() })
}

struct Car1 {
    service: Arc<dyn CarService>,
}

#[interface(name = "org.rccar.Car1")]
impl Car1 {
    /// Address of the host and a bearer token for it.
    #[zbus(out_args("url", "bearer_token"))]
    fn host_access(&self) -> fdo::Result<(String, String)> {
        let access = self
            .service
            .host_access()
            .ok_or_else(|| fdo::Error::Failed("the car is not registered with a host".into()))?;
        Ok((access.url, access.token.as_str().to_owned()))
    }

    /// Passes an update status (JSON, as in the protocol) to the host.
    fn report_update(&self, json: &str) -> fdo::Result<()> {
        let status = serde_json::from_str(json)
            .map_err(|error| fdo::Error::InvalidArgs(error.to_string()))?;
        self.service.report_update(status);
        Ok(())
    }

    /// Starts the camera for a moment; true if it gave a frame.
    async fn test_camera(&self) -> bool {
        self.service.test_camera().await
    }

    #[zbus(property)]
    fn registered(&self) -> bool {
        self.service.state().registered
    }

    #[zbus(property(emits_changed_signal = "const"))]
    fn host(&self) -> String {
        self.service.state().host
    }

    #[zbus(property(emits_changed_signal = "false"))]
    fn frames_encoded(&self) -> u64 {
        self.service.state().frames_encoded
    }

    #[zbus(property)]
    fn drive_alive(&self) -> bool {
        self.service.state().drive_alive
    }

    #[zbus(property)]
    fn armed(&self) -> bool {
        self.service.state().armed
    }

    #[zbus(property(emits_changed_signal = "false"))]
    fn battery_millivolts(&self) -> u32 {
        self.service.state().battery_millivolts
    }

    #[zbus(property)]
    fn in_session(&self) -> bool {
        self.service.state().in_session
    }
}

#[proxy(
    interface = "org.rccar.Car1",
    default_service = "org.rccar.Car",
    default_path = "/org/rccar/Car",
    gen_blocking = false
)]
trait Car {
    fn host_access(&self) -> zbus::Result<(String, String)>;
    fn report_update(&self, json: &str) -> zbus::Result<()>;
    fn test_camera(&self) -> zbus::Result<bool>;
}

/// Asks `rccar-car`, which need not run yet.
#[derive(Debug, Clone)]
pub struct CarClient {
    connection: Connection,
}

impl CarClient {
    #[must_use]
    pub fn new(connection: Connection) -> Self {
        Self { connection }
    }

    pub async fn state(&self) -> Result<CarState, BusError> {
        let mut values = Values::read(&self.connection, NAME, PATH, INTERFACE).await?;
        Ok(CarState {
            registered: values.take("Registered")?,
            host: values.take("Host")?,
            frames_encoded: values.take("FramesEncoded")?,
            drive_alive: values.take("DriveAlive")?,
            armed: values.take("Armed")?,
            battery_millivolts: values.take("BatteryMillivolts")?,
            in_session: values.take("InSession")?,
        })
    }

    /// Yields an item whenever properties change or `rccar-car` comes or goes: a reason to ask
    /// again.
    pub async fn changes(&self) -> Result<impl Stream<Item = ()> + Send + Unpin + use<>, BusError> {
        let properties = MatchRule::builder()
            .msg_type(Type::Signal)
            .interface("org.freedesktop.DBus.Properties")
            .and_then(|rule| rule.member("PropertiesChanged"))
            .and_then(|rule| rule.path(PATH))
            .map_err(failed)?
            .build();
        let owner = MatchRule::builder()
            .msg_type(Type::Signal)
            .sender("org.freedesktop.DBus")
            .and_then(|rule| rule.member("NameOwnerChanged"))
            .and_then(|rule| rule.arg(0, NAME))
            .map_err(failed)?
            .build();
        let properties = MessageStream::for_match_rule(properties, &self.connection, None)
            .await
            .map_err(failed)?;
        let owner =
            MessageStream::for_match_rule(owner, &self.connection, None).await.map_err(failed)?;
        Ok(select(properties, owner).map(|_| ()))
    }

    /// [`BusError::Refused`] while the car is not registered.
    pub async fn host_access(&self) -> Result<HostAccess, BusError> {
        let (url, token) = self.proxy().await?.host_access().await.map_err(failed)?;
        let token = AccessToken::try_from(token)
            .map_err(|error| BusError::Refused(format!("{NAME}: {error}")))?;
        Ok(HostAccess { url, token })
    }

    /// `rccar-car` passes the status on to the host.
    pub async fn report_update(&self, status: &UpdateStatus) -> Result<(), BusError> {
        let json =
            serde_json::to_string(status).map_err(|error| BusError::Refused(error.to_string()))?;
        self.proxy().await?.report_update(&json).await.map_err(failed)
    }

    /// See [`CarService::test_camera`].
    pub async fn test_camera(&self) -> Result<bool, BusError> {
        self.proxy().await?.test_camera().await.map_err(failed)
    }

    async fn proxy(&self) -> Result<CarProxy<'static>, BusError> {
        CarProxy::new(&self.connection).await.map_err(failed)
    }
}

fn failed(error: zbus::Error) -> BusError {
    BusError::of_call(NAME, error)
}
