//! `org.rccar.Modem1`: what other programs see of the supervisor.

use rccar_modem_core::Car;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use thiserror::Error;
use tokio::sync::watch;
use zbus::Connection;
use zbus::object_server::SignalEmitter;

/// Name on the bus.
pub const NAME: &str = "org.rccar.Modem";
/// The object.
pub const PATH: &str = "/org/rccar/Modem";
/// Its interface.
pub const INTERFACE: &str = "org.rccar.Modem1";

/// The state of the link in words and numbers.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Report {
    /// `up`, `acting` or `waiting`.
    pub state: String,
    /// The rung that is climbed or due.
    pub rung: Option<String>,
    /// Milliseconds until it is due.
    pub due_in_ms: Option<u64>,
    /// What a person has to mend.
    pub fault: Option<String>,
    /// Interface that carries data.
    pub interface: Option<String>,
    /// Its addresses.
    pub addresses: Vec<String>,
    /// Network.
    pub operator: Option<String>,
    /// Registration.
    pub registration: Option<String>,
    /// Signal in percent.
    pub signal_percent: Option<u32>,
    /// Whether ModemManager runs.
    pub modem_manager: bool,
    /// Modem.
    pub modem: Option<String>,
    /// How often each rung was climbed since the start.
    pub climbed: BTreeMap<String, u64>,
    /// Sticks that look like Ethernet, while they are plugged in.
    #[serde(default)]
    pub sticks: Vec<StickReport>,
}

/// The state of a stick.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct StickReport {
    /// Its interface.
    pub interface: String,
    /// The interface's driver.
    pub driver: String,
    /// `up`, `acting` or `waiting`.
    pub state: String,
    /// The rung that is climbed or due.
    pub rung: Option<String>,
    /// Milliseconds until it is due.
    pub due_in_ms: Option<u64>,
    /// Addresses.
    pub addresses: Vec<String>,
    /// How often each rung was climbed since it was first plugged in.
    pub climbed: BTreeMap<String, u64>,
}

impl Report {
    /// Tells of the best stick as if it were the modem.
    pub(crate) fn take_over_stick(&mut self) {
        let best = self.sticks.iter().find(|stick| stick.state == "up").or(self.sticks.first());
        let Some(stick) = best.cloned() else { return };
        (self.state, self.rung, self.due_in_ms) = (stick.state, stick.rung, stick.due_in_ms);
        (self.interface, self.addresses, self.climbed) = (Some(stick.interface), stick.addresses, stick.climbed);
    }
}

/// The supervisor does not tell.
#[derive(Debug, Error)]
#[error("rccar-modem does not answer on the system bus; is it running?")]
pub struct QueryError(#[source] Box<zbus::Error>);

impl From<zbus::Error> for QueryError {
    fn from(error: zbus::Error) -> Self {
        Self(Box::new(error))
    }
}

/// The object on the bus.
#[derive(Debug, Clone)]
pub(crate) struct Published {
    report: Arc<Mutex<Report>>,
    car: watch::Sender<Car>,
}

impl Published {
    pub(crate) fn new(car: watch::Sender<Car>) -> Self {
        Self { report: Arc::default(), car }
    }

    /// Puts the object onto the bus.
    pub(crate) async fn serve(&self, connection: &Connection) -> zbus::Result<()> {
        connection.object_server().at(PATH, self.clone()).await?;
        connection.request_name(NAME).await
    }

    /// Takes a new report over; whether it differs.
    pub(crate) fn update(&self, report: &Report) -> bool {
        let mut present = self.report.lock().unwrap_or_else(PoisonError::into_inner);
        let differs = *present != *report;
        present.clone_from(report);
        differs
    }

    fn report(&self) -> Report {
        self.report.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[zbus::interface(name = "org.rccar.Modem1")]
impl Published {
    /// The report as JSON.
    fn get_status(&self) -> String {
        serde_json::to_string(&self.report()).unwrap_or_default()
    }

    /// What the car does: whether somebody drives or watches, and whether it is parked.
    fn set_car(&self, in_session: bool, parked: bool) {
        self.car.send_replace(Car { in_session, parked });
    }

    #[zbus(property)]
    fn state(&self) -> String {
        self.report().state
    }

    #[zbus(property)]
    fn interface(&self) -> String {
        self.report().interface.unwrap_or_default()
    }

    #[zbus(property)]
    fn fault(&self) -> String {
        self.report().fault.unwrap_or_default()
    }

    /// The link carries data over this interface.
    #[zbus(signal)]
    pub(crate) async fn link_up(emitter: &SignalEmitter<'_>, interface: &str, addresses: Vec<String>) -> zbus::Result<()>;

    /// The link does not carry data any more, and why.
    #[zbus(signal)]
    pub(crate) async fn link_down(emitter: &SignalEmitter<'_>, cause: &str) -> zbus::Result<()>;
}

/// Asks the running supervisor.
///
/// # Errors
/// It does not run, or the bus is not there.
pub async fn ask() -> Result<Report, QueryError> {
    let connection = Connection::system().await?;
    let answer = connection.call_method(Some(NAME), PATH, Some(INTERFACE), "GetStatus", &()).await?;
    let text: String = answer.body().deserialize()?;
    serde_json::from_str(&text).map_err(|error| QueryError::from(zbus::Error::Failure(error.to_string())))
}

/// The report for people.
#[must_use]
pub fn describe(report: &Report) -> String {
    let or_none = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    let signal = report.signal_percent.map_or_else(|| "-".to_owned(), |percent| format!("{percent} %"));
    let lines = [
        ("state", state(&report.state, report.rung.as_deref(), report.due_in_ms)),
        ("fault", or_none(&report.fault)),
        ("interface", or_none(&report.interface)),
        ("addresses", report.addresses.join(" ")),
        ("modem", or_none(&report.modem)),
        ("network", format!("{} {}", or_none(&report.operator), report.registration.clone().unwrap_or_default())),
        ("signal", signal),
        ("ModemManager", if report.modem_manager { "runs" } else { "does not run" }.to_owned()),
        ("climbed", climbed(&report.climbed)),
    ];
    let sticks = report.sticks.iter().map(|stick| ("stick", describe_stick(stick)));
    lines.into_iter().chain(sticks).map(|(name, value)| format!("{name:<13} {value}\n")).collect()
}

fn describe_stick(stick: &StickReport) -> String {
    let state = state(&stick.state, stick.rung.as_deref(), stick.due_in_ms);
    let parts = [stick.interface.clone(), format!("({})", stick.driver), state, stick.addresses.join(" "), climbed(&stick.climbed)];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("  ")
}

fn state(state: &str, rung: Option<&str>, due_in_ms: Option<u64>) -> String {
    let due = due_in_ms.map(|due| format!(" in {:.1} s", std::time::Duration::from_millis(due).as_secs_f64()));
    let rung = rung.map(|rung| format!(" {rung}{}", due.unwrap_or_default()));
    format!("{state}{}", rung.unwrap_or_default())
}

fn climbed(climbed: &BTreeMap<String, u64>) -> String {
    climbed.iter().map(|(rung, count)| format!("{rung} {count}")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stick(interface: &str, state: &str) -> StickReport {
        StickReport {
            interface: interface.to_owned(),
            driver: "cdc_ether".to_owned(),
            state: state.to_owned(),
            ..StickReport::default()
        }
    }

    #[test]
    fn without_a_modem_the_best_stick_is_told_of() {
        let mut report =
            Report { state: "waiting".into(), sticks: vec![stick("enx0", "waiting"), stick("enx1", "up")], ..Report::default() };
        report.take_over_stick();
        assert_eq!((report.state.as_str(), report.interface.as_deref()), ("up", Some("enx1")));
        let mut report = Report { state: "waiting".into(), ..Report::default() };
        report.take_over_stick();
        assert_eq!((report.state.as_str(), report.interface), ("waiting", None));
    }

    #[test]
    fn sticks_have_a_line_each() {
        let waits = StickReport { rung: Some("cycle-usb".into()), due_in_ms: Some(2500), ..stick("enx0", "waiting") };
        let text = describe(&Report { sticks: vec![waits, stick("enx1", "up")], ..Report::default() });
        assert!(text.contains("stick         enx0  (cdc_ether)  waiting cycle-usb in 2.5 s\n"), "{text}");
        assert!(text.contains("stick         enx1  (cdc_ether)  up\n"), "{text}");
    }
}
