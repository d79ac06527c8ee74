//! `org.rccar.Modem1`: what the modem's supervisor tells the car, and what it wants to know of it. `rccar-modem` serves it.

use crate::error::BusError;
use futures_util::stream::{Stream, StreamExt};
use serde::Deserialize;
use zbus::message::Type;
use zbus::{Connection, MatchRule, MessageStream, proxy};

/// Name on the bus.
pub const NAME: &str = "org.rccar.Modem";
/// Path of the object.
pub const PATH: &str = "/org/rccar/Modem";
const INTERFACE: &str = "org.rccar.Modem1";

/// The supervisor's report, as far as the car reads it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct ModemReport {
    /// `up`, `acting` or `waiting`.
    pub state: String,
    /// The rung that is climbed or due.
    #[serde(default)]
    pub rung: Option<String>,
    /// What a person has to mend.
    #[serde(default)]
    pub fault: Option<String>,
    /// Interface that carries data.
    #[serde(default)]
    pub interface: Option<String>,
    /// Network.
    #[serde(default)]
    pub operator: Option<String>,
    /// Signal in percent.
    #[serde(default)]
    pub signal_percent: Option<u32>,
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

/// Asks the modem's supervisor.
#[derive(Debug, Clone)]
pub struct ModemClient {
    connection: Connection,
}

impl ModemClient {
    /// The supervisor need not be there yet.
    #[must_use]
    pub fn new(connection: Connection) -> Self {
        Self { connection }
    }

    /// What it reports now.
    ///
    /// # Errors
    /// It is not there, or says what cannot be read.
    pub async fn report(&self) -> Result<ModemReport, BusError> {
        let json = self.proxy().await?.get_status().await.map_err(failed)?;
        serde_json::from_str(&json).map_err(|error| BusError::Refused(format!("{NAME}: {error}")))
    }

    /// Tells it whether somebody drives or watches, and whether the car is parked.
    ///
    /// # Errors
    /// It is not there.
    pub async fn set_car(&self, in_session: bool, parked: bool) -> Result<(), BusError> {
        self.proxy().await?.set_car(in_session, parked).await.map_err(failed)
    }

    /// Yields something whenever the link comes or goes: a reason to ask for the report.
    ///
    /// # Errors
    /// The bus is gone.
    pub async fn changes(&self) -> Result<impl Stream<Item = ()> + Send + Unpin + use<>, BusError> {
        let rule = MatchRule::builder()
            .msg_type(Type::Signal)
            .interface(INTERFACE)
            .and_then(|rule| rule.path(PATH))
            .map_err(failed)?
            .build();
        Ok(MessageStream::for_match_rule(rule, &self.connection, None).await.map_err(failed)?.map(|_| ()))
    }

    async fn proxy(&self) -> Result<ModemProxy<'static>, BusError> {
        ModemProxy::new(&self.connection).await.map_err(failed)
    }
}

fn failed(error: zbus::Error) -> BusError {
    BusError::of_call(NAME, error)
}
