//! `org.rccar.Modem1`: the supervisor's state for other programs ([`rccar_bus::modem`]).

use crate::gps::Place;
use rccar_bus::modem::{self, ModemClient, ModemService};
use rccar_bus::{BusError, Connection};
use rccar_daemon::clock;
use rccar_modem_core::Car;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use thiserror::Error;
use tokio::sync::watch;

pub use rccar_bus::modem::{INTERFACE, ModemReport as Report, NAME, PATH, StickReport};

/// Makes the report show the best stick as if it were the modem. Without a stick nothing changes.
pub(crate) fn take_over_stick(report: &mut Report) {
    let best = report.sticks.iter().find(|stick| stick.state == "up").or(report.sticks.first());
    let Some(stick) = best.cloned() else { return };
    (report.state, report.rung, report.due_in_ms) = (stick.state, stick.rung, stick.due_in_ms);
    (report.interface, report.addresses, report.climbed) =
        (Some(stick.interface), stick.addresses, stick.climbed);
}

/// The running supervisor does not answer.
#[derive(Debug, Error)]
#[error("rccar-modem does not answer on the system bus; is it running?")]
pub struct QueryError(#[source] BusError);

/// The object on the bus.
#[derive(Debug, Clone)]
pub(crate) struct Published {
    report: Arc<Mutex<Report>>,
    car: watch::Sender<Car>,
    /// Apart from the report, because its age counts when somebody asks.
    place: Option<watch::Receiver<Option<Place>>>,
}

impl Published {
    /// `place`: where the car is, if its owner has asked for that.
    pub(crate) fn new(
        car: watch::Sender<Car>,
        place: Option<watch::Receiver<Option<Place>>>,
    ) -> Self {
        Self { report: Arc::default(), car, place }
    }

    pub(crate) async fn serve(&self, connection: &Connection) -> Result<(), BusError> {
        modem::serve(connection, Arc::new(self.clone())).await
    }

    /// Takes a new report. True: it differs from the one before.
    pub(crate) fn update(&self, report: &Report) -> bool {
        let mut present = self.report.lock().unwrap_or_else(PoisonError::into_inner);
        let differs = *present != *report;
        present.clone_from(report);
        differs
    }
}

impl ModemService for Published {
    fn report(&self) -> Report {
        let report = self.report.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let place = self.place.as_ref().and_then(|place| *place.borrow());
        Report { position: place.map(|place| place.report(clock::now())), ..report }
    }

    fn set_car(&self, in_session: bool, parked: bool) {
        self.car.send_replace(Car { in_session, parked });
    }
}

/// Asks the running supervisor, over the system bus.
pub async fn ask() -> Result<Report, QueryError> {
    let connection = rccar_bus::Address::System.connect().await.map_err(QueryError)?;
    ModemClient::new(connection).report().await.map_err(QueryError)
}

/// The report as text for a person, one fact a line.
#[must_use]
pub fn describe(report: &Report) -> String {
    let or_none = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    let signal =
        report.signal_percent.map_or_else(|| "-".to_owned(), |percent| format!("{percent} %"));
    let lines = [
        ("state", state(&report.state, report.rung.as_deref(), report.due_in_ms)),
        ("fault", or_none(&report.fault)),
        ("interface", or_none(&report.interface)),
        ("addresses", report.addresses.join(" ")),
        ("modem", or_none(&report.modem)),
        (
            "network",
            format!(
                "{} {}",
                or_none(&report.operator),
                report.registration.clone().unwrap_or_default()
            ),
        ),
        ("signal", signal),
        ("ModemManager", if report.modem_manager { "runs" } else { "does not run" }.to_owned()),
        ("climbed", climbed(&report.climbed)),
    ];
    let place = report.position.map(|place| {
        let seconds = place.age_ms / 1000;
        format!("{:.5} north, {:.5} east, {seconds} s ago", place.latitude, place.longitude)
    });
    let sticks = report.sticks.iter().map(|stick| ("stick", describe_stick(stick)));
    let place = place.map(|place| ("position", place));
    lines
        .into_iter()
        .chain(place)
        .chain(sticks)
        .map(|(name, value)| format!("{name:<13} {value}\n"))
        .collect()
}

fn describe_stick(stick: &StickReport) -> String {
    let state = state(&stick.state, stick.rung.as_deref(), stick.due_in_ms);
    let parts = [
        stick.interface.clone(),
        format!("({})", stick.driver),
        state,
        stick.addresses.join(" "),
        climbed(&stick.climbed),
    ];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("  ")
}

fn state(state: &str, rung: Option<&str>, due_in_ms: Option<u64>) -> String {
    let due = due_in_ms
        .map(|due| format!(" in {:.1} s", std::time::Duration::from_millis(due).as_secs_f64()));
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
        let mut report = Report {
            state: "waiting".into(),
            sticks: vec![stick("enx0", "waiting"), stick("enx1", "up")],
            ..Report::default()
        };
        take_over_stick(&mut report);
        assert_eq!((report.state.as_str(), report.interface.as_deref()), ("up", Some("enx1")));
        let mut report = Report { state: "waiting".into(), ..Report::default() };
        take_over_stick(&mut report);
        assert_eq!((report.state.as_str(), report.interface), ("waiting", None));
    }

    #[test]
    fn a_position_has_a_line_with_its_age() {
        let position = modem::PositionReport { latitude: 52.52, longitude: -13.4, age_ms: 2_700 };
        let text = describe(&Report { position: Some(position), ..Report::default() });
        let line = "position      52.52000 north, -13.40000 east, 2 s ago\n";
        assert!(text.contains(line), "{text}");
        assert!(!describe(&Report::default()).contains("position"));
    }

    #[test]
    fn sticks_have_a_line_each() {
        let waits = StickReport {
            rung: Some("cycle-usb".into()),
            due_in_ms: Some(2500),
            ..stick("enx0", "waiting")
        };
        let text =
            describe(&Report { sticks: vec![waits, stick("enx1", "up")], ..Report::default() });
        assert!(
            text.contains("stick         enx0  (cdc_ether)  waiting cycle-usb in 2.5 s\n"),
            "{text}"
        );
        assert!(text.contains("stick         enx1  (cdc_ether)  up\n"), "{text}");
    }
}
