//! The car on the message bus, with a host that hands out a token and a drive that answers.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use async_trait::async_trait;
use futures_util::{SinkExt, StreamExt};
use rccar_bus::car::{CarClient, CarState};
use rccar_bus::testing::TestBus;
use rccar_bus::update::{self, UpdateProperties, UpdateService};
use rccar_protocol::Layout;
use rccar_protocol::release::{UpdateState, UpdateStatus};
use rccar_protocol::signaling::{FromCar, Json, ToCar, parse};
use rccar_protocol::state::DriveState;
use rccar_protocol::status::DriveStatus;
use rccar_protocol::{PROTOCOL_VERSION, SUBPROTOCOL};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::net::{TcpListener, UnixDatagram};
use tokio::process::{Child, Command};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};
use tokio_tungstenite::tungstenite::http::HeaderValue;

/// Generous: the machine that runs the tests may have other work.
const SOON: Duration = Duration::from_secs(60);

struct Setup {
    bus: TestBus,
    client: CarClient,
    /// Messages of the car to its host.
    from_car: mpsc::UnboundedReceiver<FromCar>,
    /// Messages to the car.
    to_car: mpsc::UnboundedSender<ToCar>,
    host: String,
    drive: Arc<AtomicU8>,
    _directory: TempDir,
    _car: Child,
}

impl Setup {
    async fn start() -> Self {
        let (bus, directory) = (TestBus::start().await.unwrap(), tempfile::tempdir().unwrap());
        let drive = Arc::new(AtomicU8::new(DriveState::Disarmed.to_byte()));
        serve_drive(&directory.path().join("drive.sock"), Arc::clone(&drive));
        let (host, from_car, to_car) = serve_host().await;
        let config = directory.path().join("car.toml");
        let content = format!(
            "[car]\nstate_dir = \"{p}/state\"\n[host]\nurl = \"{host}\"\n\
             [drive]\nsocket = \"{p}/drive.sock\"\n[dbus]\naddress = \"{}\"\n",
            bus.address(),
            p = directory.path().display()
        );
        std::fs::write(&config, content).unwrap();
        let car = Command::new(env!("CARGO_BIN_EXE_rccar-car"))
            .arg("--config")
            .arg(&config)
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let client = CarClient::new(bus.connect().await.unwrap());
        Self { bus, client, from_car, to_car, host, drive, _directory: directory, _car: car }
    }

    async fn until(&self, what: &str, condition: impl Fn(&CarState) -> bool) -> CarState {
        let start = Instant::now();
        loop {
            let state = self.client.state().await;
            if let Ok(state) = &state
                && condition(state)
            {
                return state.clone();
            }
            assert!(start.elapsed() < SOON, "{what} did not come: {state:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// Answers every set-point with a status.
fn serve_drive(path: &Path, state: Arc<AtomicU8>) {
    let socket = UnixDatagram::bind(path).unwrap();
    tokio::spawn(async move {
        let mut buffer = [0; 256];
        while let Ok((_, from)) = socket.recv_from(&mut buffer).await {
            let state = DriveState::from_byte(state.load(Ordering::Relaxed));
            let status = DriveStatus { state, battery_mv: Some(7_412), ..DriveStatus::default() };
            let _ = socket.send_to(&status.encode(Layout::V1), from.as_pathname().unwrap()).await;
        }
    });
}

/// A host with one car: its URL, what it hears, and what it is to send.
async fn serve_host() -> (String, mpsc::UnboundedReceiver<FromCar>, mpsc::UnboundedSender<ToCar>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (told, from_car) = mpsc::unbounded_channel();
    let (to_car, mut orders) = mpsc::unbounded_channel::<ToCar>();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        #[expect(clippy::result_large_err, reason = "the library's signature")]
        let accept = |_: &Request, mut response: Response| {
            response
                .headers_mut()
                .insert("Sec-WebSocket-Protocol", HeaderValue::from_static(SUBPROTOCOL));
            Ok(response)
        };
        let mut socket = tokio_tungstenite::accept_hdr_async(stream, accept).await.unwrap();
        let nonce =
            r#"{"type":"challenge","v":1,"nonce":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"}"#;
        assert_eq!(PROTOCOL_VERSION, 1);
        socket.send(Message::text(nonce)).await.unwrap();
        loop {
            tokio::select! {
                Some(order) = orders.recv() => {
                    socket.send(Message::text(order.to_json())).await.unwrap();
                }
                Some(Ok(Message::Text(text))) = socket.next() => {
                    match parse::<FromCar>(&text).unwrap() {
                        FromCar::Register { key, name, .. } => {
                            let registered = ToCar::Registered { car: key.id(), name };
                            socket.send(Message::text(registered.to_json())).await.unwrap();
                        }
                        FromCar::Ping { id } => {
                            socket.send(Message::text(ToCar::Pong { id }.to_json())).await.unwrap();
                        }
                        message => told.send(message).unwrap(),
                    }
                }
                else => return,
            }
        }
    });
    (url, from_car, to_car)
}

#[tokio::test]
async fn the_car_tells_how_it_is() {
    let setup = Setup::start().await;
    let state =
        setup.until("the registration", |state| state.registered && state.drive_alive).await;
    assert_eq!(
        (state.host, state.battery_millivolts, state.armed, state.in_session),
        (setup.host.clone(), 7_412, false, false)
    );
    setup.drive.store(DriveState::Armed.to_byte(), Ordering::Relaxed);
    setup.until("arming", |state| state.armed).await;
}

#[tokio::test]
async fn the_camera_can_be_tested_while_nobody_drives() {
    let setup = Setup::start().await;
    setup.until("the car", |state| state.frames_encoded == 0).await;
    assert!(setup.client.test_camera().await.unwrap());
    let frames = setup.until("a frame", |state| state.frames_encoded > 0).await.frames_encoded;
    assert!(setup.client.test_camera().await.unwrap());
    setup.until("another", |state| state.frames_encoded > frames).await;
}

#[tokio::test]
async fn the_hosts_token_is_handed_out() {
    let setup = Setup::start().await;
    setup.until("the registration", |state| state.registered).await;
    let error = setup.client.host_access().await.unwrap_err().to_string();
    assert_eq!(error, "the car is not registered with a host");
    setup
        .to_car
        .send(ToCar::Access { token: "mF_9.B5f".to_owned().try_into().unwrap(), ttl_s: 3600 })
        .unwrap();
    let start = Instant::now();
    let access = loop {
        match setup.client.host_access().await {
            Ok(access) => break access,
            Err(error) => assert!(start.elapsed() < SOON, "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert_eq!((access.url, access.token.as_str()), (setup.host, "mF_9.B5f"));
}

struct Updates(mpsc::UnboundedSender<String>);

#[async_trait]
impl UpdateService for Updates {
    fn properties(&self) -> UpdateProperties {
        UpdateProperties::default()
    }
    async fn check(&self) {
        self.0.send("check".to_owned()).unwrap();
    }
    async fn install(&self, version: &str) -> Result<(), String> {
        self.0.send(format!("install {version}")).unwrap();
        Ok(())
    }
    async fn install_for_owner(&self, _: &str, _: bool) -> Result<(), String> {
        Ok(())
    }
}

#[tokio::test]
async fn reports_reach_the_host_and_announcements_and_wishes_the_update_agent() {
    let mut setup = Setup::start().await;
    let (calls, mut called) = mpsc::unbounded_channel();
    let connection = setup.bus.connect().await.unwrap();
    update::serve(&connection, Arc::new(Updates(calls))).await.unwrap();
    setup.until("the registration", |state| state.registered).await;

    let running = "1.2.3".parse().unwrap();
    let status = UpdateStatus {
        state: UpdateState::Idle,
        running,
        version: None,
        percent: None,
        bytes: None,
        reason: None,
        on_request: false,
    };
    setup.client.report_update(&status).await.unwrap();
    let told = tokio::time::timeout(SOON, setup.from_car.recv()).await.unwrap().unwrap();
    assert_eq!(told, FromCar::Update { status });

    setup.to_car.send(ToCar::Release { version: "1.3.0".parse().unwrap() }).unwrap();
    assert_eq!(tokio::time::timeout(SOON, called.recv()).await.unwrap().unwrap(), "check");
    setup.to_car.send(ToCar::Install { version: "1.3.0".parse().unwrap() }).unwrap();
    assert_eq!(tokio::time::timeout(SOON, called.recv()).await.unwrap().unwrap(), "install 1.3.0");
}

#[tokio::test]
async fn a_wish_that_comes_while_the_bus_is_away_is_passed_on_when_it_is_back() {
    let mut setup = Setup::start().await;
    setup.until("the registration", |state| state.registered).await;
    setup.bus.stop().await.unwrap();
    // The car looks every 10 s whether the bus is there: one of these comes when it knows.
    for _ in 0..24 {
        setup.to_car.send(ToCar::Install { version: "1.3.0".parse().unwrap() }).unwrap();
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    setup.bus.start_again().await.unwrap();
    let (calls, mut called) = mpsc::unbounded_channel();
    let connection = setup.bus.connect().await.unwrap();
    update::serve(&connection, Arc::new(Updates(calls))).await.unwrap();
    assert_eq!(tokio::time::timeout(SOON, called.recv()).await.unwrap().unwrap(), "install 1.3.0");
}
