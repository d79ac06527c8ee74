//! `org.rccar.Modem1`: what `rccar-modem` reports to the car and to people, and what it has to know
//! about the car.

use crate::error::BusError;
use futures_util::stream::{Stream, StreamExt};
use rccar_causes::causes;
use serde::{Deserialize, Serialize};
use served::Modem1;
use std::collections::BTreeMap;
use std::sync::Arc;
use zbus::message::Type;
use zbus::object_server::SignalEmitter;
use zbus::{Connection, MatchRule, MessageStream, proxy};

/// Name on the bus.
pub const NAME: &str = "org.rccar.Modem";
/// Path of the object.
pub const PATH: &str = "/org/rccar/Modem";
pub const INTERFACE: &str = "org.rccar.Modem1";

/// The state of the link. It travels as JSON; a field that is left out has its default.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ModemReport {
    /// `up`, `acting` or `waiting`.
    pub state: String,
    /// The rung that is climbed or due.
    pub rung: Option<String>,
    /// Milliseconds until `rung` is due.
    pub due_in_ms: Option<u64>,
    /// What a person has to mend.
    pub fault: Option<String>,
    /// Interface that carries data.
    pub interface: Option<String>,
    pub addresses: Vec<String>,
    /// Name of the network.
    pub operator: Option<String>,
    pub registration: Option<String>,
    pub signal_percent: Option<u32>,
    /// Whether ModemManager runs.
    pub modem_manager: bool,
    pub modem: Option<String>,
    /// How often each rung was climbed since the start.
    pub climbed: BTreeMap<String, u64>,
    /// Sticks that look like Ethernet, while they are plugged in.
    pub sticks: Vec<StickReport>,
    /// Where the car is, if its owner has asked for it and the modem knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<PositionReport>,
}

/// A satellite fix.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PositionReport {
    /// Degrees north.
    pub latitude: f64,
    /// Degrees east.
    pub longitude: f64,
    /// Time since the receiver said so.
    pub age_ms: u64,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct StickReport {
    pub interface: String,
    /// The interface's driver.
    pub driver: String,
    /// `up`, `acting` or `waiting`.
    pub state: String,
    /// The rung that is climbed or due.
    pub rung: Option<String>,
    /// Milliseconds until `rung` is due.
    pub due_in_ms: Option<u64>,
    pub addresses: Vec<String>,
    /// How often each rung was climbed since the stick was first plugged in.
    pub climbed: BTreeMap<String, u64>,
}

/// What `rccar-modem` implements.
pub trait ModemService: Send + Sync + 'static {
    fn report(&self) -> ModemReport;
    /// `in_session`: somebody drives or watches. `parked`: nobody drives, and the drive is not
    /// armed.
    fn set_car(&self, in_session: bool, parked: bool);
}

/// # Errors
/// If the bus does not let this program have the name.
pub async fn serve(
    connection: &Connection,
    service: Arc<dyn ModemService>,
) -> Result<(), BusError> {
    let failed = |error| BusError::Serve { name: NAME, source: Box::new(error) };
    connection.object_server().at(PATH, Modem1 { service }).await.map_err(failed)?;
    connection.request_name(NAME).await.map_err(failed)
}

/// Sends the signals of the interface: the link has come or gone.
#[derive(Debug, Clone)]
pub struct ModemSignals(SignalEmitter<'static>);

impl ModemSignals {
    /// `connection` is the one on which the interface is served.
    pub fn new(connection: &Connection) -> Result<Self, BusError> {
        let failed = |error| BusError::Serve { name: NAME, source: Box::new(error) };
        Ok(Self(SignalEmitter::new(connection, PATH).map_err(failed)?.into_owned()))
    }

    /// The link carries data over this interface.
    pub async fn link_up(&self, interface: &str, addresses: Vec<String>) {
        told(Modem1::link_up(&self.0, interface, addresses).await);
    }

    /// The link no longer carries data.
    pub async fn link_down(&self, cause: &str) {
        told(Modem1::link_down(&self.0, cause).await);
    }
}

fn told(sent: zbus::Result<()>) {
    if let Err(error) = sent {
        tracing::debug!(error = %causes(&error), "a signal could not be sent");
    }
}

/// In a module of its own, because zbus generates a public trait for the signals.
mod served {
    use super::ModemService;
    use std::sync::Arc;
    use zbus::interface;
    use zbus::object_server::SignalEmitter;

    pub(super) struct Modem1 {
        pub(super) service: Arc<dyn ModemService>,
    }

    #[interface(name = "org.rccar.Modem1")]
    impl Modem1 {
        /// The report as JSON.
        fn get_status(&self) -> String {
            serde_json::to_string(&self.service.report()).unwrap_or_default()
        }

        /// Whether somebody drives or watches, and whether the car is parked.
        fn set_car(&self, in_session: bool, parked: bool) {
            self.service.set_car(in_session, parked);
        }

        #[zbus(property)]
        fn state(&self) -> String {
            self.service.report().state
        }

        #[zbus(property)]
        fn interface(&self) -> String {
            self.service.report().interface.unwrap_or_default()
        }

        #[zbus(property)]
        fn fault(&self) -> String {
            self.service.report().fault.unwrap_or_default()
        }

        /// The link carries data over this interface.
        #[zbus(signal)]
        pub(super) async fn link_up(
            emitter: &SignalEmitter<'_>,
            interface: &str,
            addresses: Vec<String>,
        ) -> zbus::Result<()>;

        /// The link no longer carries data, for this cause.
        #[zbus(signal)]
        pub(super) async fn link_down(emitter: &SignalEmitter<'_>, cause: &str)
        -> zbus::Result<()>;
    }
}

#[proxy(
    interface = "org.rccar.Modem1",
    default_service = "org.rccar.Modem",
    default_path = "/org/rccar/Modem",
    gen_blocking = false
)]
trait Modem {
    fn get_status(&self) -> zbus::Result<String>;
    fn set_car(&self, in_session: bool, parked: bool) -> zbus::Result<()>;
}

/// Asks `rccar-modem`, which need not run yet.
#[derive(Debug, Clone)]
pub struct ModemClient {
    connection: Connection,
}

impl ModemClient {
    #[must_use]
    pub fn new(connection: Connection) -> Self {
        Self { connection }
    }

    /// # Errors
    /// `rccar-modem` is not there, or its report cannot be read.
    pub async fn report(&self) -> Result<ModemReport, BusError> {
        let json = self.proxy().await?.get_status().await.map_err(failed)?;
        serde_json::from_str(&json).map_err(|error| BusError::Refused(format!("{NAME}: {error}")))
    }

    /// See [`ModemService::set_car`].
    pub async fn set_car(&self, in_session: bool, parked: bool) -> Result<(), BusError> {
        self.proxy().await?.set_car(in_session, parked).await.map_err(failed)
    }

    /// Yields an item whenever the link comes or goes: a reason to ask for the report.
    pub async fn changes(&self) -> Result<impl Stream<Item = ()> + Send + Unpin + use<>, BusError> {
        let rule = MatchRule::builder()
            .msg_type(Type::Signal)
            .interface(INTERFACE)
            .and_then(|rule| rule.path(PATH))
            .map_err(failed)?
            .build();
        Ok(MessageStream::for_match_rule(rule, &self.connection, None)
            .await
            .map_err(failed)?
            .map(|_| ()))
    }

    async fn proxy(&self) -> Result<ModemProxy<'static>, BusError> {
        ModemProxy::new(&self.connection).await.map_err(failed)
    }
}

fn failed(error: zbus::Error) -> BusError {
    BusError::of_call(NAME, error)
}
