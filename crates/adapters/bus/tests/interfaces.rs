//! The interfaces on a bus of their own, with a real dbus-daemon.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use async_trait::async_trait;
use futures_util::StreamExt;
use rccar_bus::car::{self, CarClient, CarService, CarState, HostAccess};
use rccar_bus::modem::{self, ModemClient, ModemReport, ModemService, ModemSignals, StickReport};
use rccar_bus::testing::TestBus;
use rccar_bus::update::{self, UpdateClient, UpdateProperties, UpdateService};
use rccar_bus::{Address, BusError};
use rccar_protocol::release::{AccessToken, UpdateState, UpdateStatus};
use std::sync::{Arc, Mutex};

#[derive(Default)]
struct TestCar {
    state: Mutex<CarState>,
    access: Option<HostAccess>,
    reported: Mutex<Vec<UpdateStatus>>,
}

#[async_trait]
impl CarService for TestCar {
    fn state(&self) -> CarState {
        self.state.lock().unwrap().clone()
    }
    fn host_access(&self) -> Option<HostAccess> {
        self.access.clone()
    }
    fn report_update(&self, status: UpdateStatus) {
        self.reported.lock().unwrap().push(status);
    }
    async fn test_camera(&self) -> bool {
        true
    }
}

fn access() -> HostAccess {
    HostAccess {
        url: "https://drive.example".into(),
        token: AccessToken::try_from("mF_9.B5f".to_owned()).unwrap(),
    }
}

fn status() -> UpdateStatus {
    UpdateStatus {
        state: UpdateState::Testing,
        running: "1.2.3".parse().unwrap(),
        version: None,
        percent: None,
        bytes: None,
        reason: None,
        on_request: false,
    }
}

#[tokio::test]
async fn the_car_tells_its_state_and_passes_reports_on() {
    let bus = TestBus::start().await.unwrap();
    let full = CarState {
        registered: true,
        host: "https://drive.example".into(),
        frames_encoded: u64::MAX,
        drive_alive: true,
        armed: true,
        battery_millivolts: 7_412,
        in_session: true,
    };
    let service = Arc::new(TestCar {
        state: Mutex::new(full.clone()),
        access: Some(access()),
        ..TestCar::default()
    });
    let connection = bus.connect().await.unwrap();
    car::serve(&connection, Arc::clone(&service) as Arc<dyn CarService>).await.unwrap();
    let client = CarClient::new(bus.connect().await.unwrap());
    assert_eq!(client.state().await.unwrap(), full);
    assert_eq!(client.host_access().await.unwrap(), access());
    assert!(client.test_camera().await.unwrap());
    client.report_update(&status()).await.unwrap();
    assert_eq!(*service.reported.lock().unwrap(), [status()]);
}

#[tokio::test]
async fn a_car_that_is_not_registered_says_so() {
    let bus = TestBus::start().await.unwrap();
    let connection = bus.connect().await.unwrap();
    car::serve(&connection, Arc::new(TestCar::default())).await.unwrap();
    let error = CarClient::new(bus.connect().await.unwrap()).host_access().await.unwrap_err();
    assert_eq!(error.to_string(), "the car is not registered with a host");
}

#[tokio::test]
async fn an_absent_service_is_told_from_one_that_refuses() {
    let bus = TestBus::start().await.unwrap();
    let connection = bus.connect().await.unwrap();
    assert!(matches!(
        CarClient::new(connection.clone()).state().await,
        Err(BusError::Absent("org.rccar.Car"))
    ));
    assert!(matches!(
        UpdateClient::new(connection.clone()).check().await,
        Err(BusError::Absent("org.rccar.Update"))
    ));
    assert!(matches!(CarClient::new(connection).host_access().await, Err(BusError::Absent(_))));
}

#[tokio::test]
async fn a_change_and_a_car_that_goes_are_announced() {
    let bus = TestBus::start().await.unwrap();
    let connection = bus.connect().await.unwrap();
    let service = Arc::new(TestCar::default());
    let served = car::serve(&connection, service).await.unwrap();
    let client = CarClient::new(bus.connect().await.unwrap());
    let mut changes = client.changes().await.unwrap();
    served.announce(&CarState::default(), &CarState { armed: true, ..CarState::default() }).await;
    changes.next().await.unwrap();
    connection.close().await.unwrap();
    changes.next().await.unwrap();
    assert!(matches!(client.state().await, Err(BusError::Absent(_))));
}

#[tokio::test]
async fn a_name_is_served_once() {
    let bus = TestBus::start().await.unwrap();
    let (first, second) = (bus.connect().await.unwrap(), bus.connect().await.unwrap());
    car::serve(&first, Arc::new(TestCar::default())).await.unwrap();
    let error = car::serve(&second, Arc::new(TestCar::default())).await.unwrap_err();
    assert!(error.to_string().starts_with("cannot serve org.rccar.Car: "), "{error}");
}

struct TestUpdate;

#[async_trait]
impl UpdateService for TestUpdate {
    fn properties(&self) -> UpdateProperties {
        UpdateProperties {
            state: "idle".into(),
            percent: 41,
            running_version: "1.0.0".into(),
            ..UpdateProperties::default()
        }
    }
    async fn check(&self) {}
    async fn install(&self, version: &str) -> Result<(), String> {
        Err(format!("version {version} is running already"))
    }
    async fn install_for_owner(&self, what: &str, allow_downgrade: bool) -> Result<(), String> {
        if allow_downgrade && what == "/tmp/a.raucb" { Ok(()) } else { Err("no".into()) }
    }
}

#[tokio::test]
async fn refusals_of_the_update_agent_arrive_in_its_own_words() {
    let bus = TestBus::start().await.unwrap();
    let connection = bus.connect().await.unwrap();
    update::serve(&connection, Arc::new(TestUpdate)).await.unwrap();
    let client = UpdateClient::new(bus.connect().await.unwrap());
    client.check().await.unwrap();
    assert_eq!(
        client.install("1.0.0").await.unwrap_err().to_string(),
        "version 1.0.0 is running already"
    );
    client.install_for_owner("/tmp/a.raucb", true).await.unwrap();
    assert_eq!(client.properties().await.unwrap(), TestUpdate.properties());
}

#[tokio::test]
async fn a_missing_bus_is_an_error_with_words() {
    let address = Address::try_from("unix:path=/nonexistent/bus".to_owned()).unwrap();
    let error = address.connect().await.unwrap_err().to_string();
    assert!(error.starts_with("cannot connect to the message bus: "), "{error}");
}

/// The part of `rccar-modem`'s interface that the car uses.
struct Modem1 {
    car: tokio::sync::watch::Sender<Option<(bool, bool)>>,
}

#[zbus::interface(name = "org.rccar.Modem1")]
impl Modem1 {
    fn get_status(&self) -> String {
        r#"{"state":"acting","rung":"cycle-radio","due_in_ms":null,"fault":null,
            "interface":"wwan0","addresses":[],"operator":"Example","registration":"home",
            "signal_percent":63,"modem_manager":true,"modem":null,"climbed":{"reconnect":2}}"#
            .into()
    }

    fn set_car(&self, in_session: bool, parked: bool) {
        self.car.send_replace(Some((in_session, parked)));
    }

    /// The mobile link went down.
    #[zbus(signal)]
    async fn link_down(
        emitter: &zbus::object_server::SignalEmitter<'_>,
        cause: &str,
    ) -> zbus::Result<()>;
}

#[tokio::test]
async fn the_modems_supervisor_hears_of_the_car_and_tells_how_the_modem_is() {
    use rccar_bus::modem::{ModemClient, NAME, PATH};
    let bus = TestBus::start().await.unwrap();
    let client = ModemClient::new(bus.connect().await.unwrap());
    assert!(matches!(client.report().await, Err(BusError::Absent(_))), "it is not there yet");

    let (car, mut told) = tokio::sync::watch::channel(None);
    let supervisor = bus.connect().await.unwrap();
    supervisor.object_server().at(PATH, Modem1 { car }).await.unwrap();
    supervisor.request_name(NAME).await.unwrap();
    let mut changes = client.changes().await.unwrap();
    client.set_car(true, false).await.unwrap();
    assert_eq!(*told.wait_for(Option::is_some).await.unwrap(), Some((true, false)));
    let report = client.report().await.unwrap();
    assert_eq!(
        (report.state.as_str(), report.rung.as_deref(), report.signal_percent),
        ("acting", Some("cycle-radio"), Some(63))
    );

    let emitter = zbus::object_server::SignalEmitter::new(&supervisor, PATH).unwrap();
    Modem1::link_down(&emitter, "data-silent").await.unwrap();
    tokio::time::timeout(std::time::Duration::from_secs(20), changes.next())
        .await
        .unwrap()
        .unwrap();
}

#[derive(Default)]
struct TestModem {
    report: ModemReport,
    car: Mutex<Option<(bool, bool)>>,
}

impl ModemService for TestModem {
    fn report(&self) -> ModemReport {
        self.report.clone()
    }
    fn set_car(&self, in_session: bool, parked: bool) {
        *self.car.lock().unwrap() = Some((in_session, parked));
    }
}

#[tokio::test]
async fn the_modem_tells_its_report_hears_of_the_car_and_signals_changes() {
    let bus = TestBus::start().await.unwrap();
    let report = ModemReport {
        state: "acting".into(),
        rung: Some("cycle-radio".into()),
        due_in_ms: Some(2_500),
        addresses: vec!["192.0.2.7".into()],
        signal_percent: Some(63),
        modem_manager: true,
        climbed: [("reset".to_owned(), 2)].into(),
        sticks: vec![StickReport { interface: "enx0".into(), ..StickReport::default() }],
        ..ModemReport::default()
    };
    let service = Arc::new(TestModem { report: report.clone(), ..TestModem::default() });
    let connection = bus.connect().await.unwrap();
    modem::serve(&connection, Arc::clone(&service) as Arc<dyn ModemService>).await.unwrap();
    let client = ModemClient::new(bus.connect().await.unwrap());
    assert_eq!(client.report().await.unwrap(), report);
    client.set_car(true, false).await.unwrap();
    assert_eq!(*service.car.lock().unwrap(), Some((true, false)));
    let mut changes = client.changes().await.unwrap();
    let signals = ModemSignals::new(&connection).unwrap();
    signals.link_up("wwan0", vec!["192.0.2.7".into()]).await;
    signals.link_down("no-carrier").await;
    for _ in 0..2 {
        tokio::time::timeout(std::time::Duration::from_secs(10), changes.next())
            .await
            .unwrap()
            .unwrap();
    }
}

#[tokio::test]
async fn a_modem_that_is_not_there_is_absent() {
    let bus = TestBus::start().await.unwrap();
    let client = ModemClient::new(bus.connect().await.unwrap());
    assert!(matches!(client.report().await, Err(BusError::Absent(_))));
}

#[test]
fn a_report_of_another_release_is_read() {
    let older: ModemReport = serde_json::from_str(r#"{"state":"up","interface":null}"#).unwrap();
    assert_eq!(older, ModemReport { state: "up".into(), ..ModemReport::default() });
    let later = r#"{"state":"asleep","rung":"cycle-moon","esim":{"slot":2}}"#;
    assert_eq!(
        serde_json::from_str::<ModemReport>(later).unwrap().rung.as_deref(),
        Some("cycle-moon")
    );
}
