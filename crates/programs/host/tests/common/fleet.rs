//! Thousands of cars in this process. Each signs, registers over a WebSocket of its own, pings, and
//! comes back by the rules of the product's own car (`rccar_car_core::registration`).

use super::Host;
use ed25519_dalek::{Signer, SigningKey};
use futures_util::{SinkExt, StreamExt};
use rccar_car_core::registration::{Effect, End, Registration, STEP_WITHIN};
use rccar_protocol::SUBPROTOCOL;
use rccar_protocol::identity::{CarKey, Nonce, Signature, registration_message};
use rccar_protocol::signaling::{FromCar, Json, ToCar, parse};
use rccar_protocol::text::{Name, Note, Software};
use rccar_protocol::units::MonotonicMicros;
use rusqlite::{Connection, params};
use sha2::{Digest, Sha256};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::net::TcpSocket;
use tokio::task::JoinSet;
use tokio::time::{sleep_until, timeout};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

/// Cars behind one address: fewer than the 64 connections that a host takes from one.
const CARS_PER_ADDRESS: usize = 40;

/// How the host knows the cars before they come.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Enrolled {
    /// They have been here before.
    Already,
    /// Each brings a token of its own.
    ByToken,
}

/// Puts cars, or tokens for them, into the host's database: asking for ten thousand tokens is no
/// part of what is measured. The host has to have made the file.
pub fn prepare(host: &Host, cars: usize, how: Enrolled) {
    let mut database = Connection::open(host.directory.path().join("host.db")).unwrap();
    let transaction = database.transaction().unwrap();
    for number in 0..cars {
        let key = public(number);
        let (id, name) = (key.id(), name(number));
        match how {
            Enrolled::Already => transaction
                .execute(
                    "INSERT INTO cars (id, key, name, owner, created) VALUES (?1, ?2, ?3, NULL, 1)",
                    params![id.as_str(), key.0, name.as_str()],
                )
                .unwrap(),
            Enrolled::ByToken => {
                let hash: [u8; 32] = Sha256::digest(token(number)).into();
                let expires = i64::MAX;
                transaction
                    .execute(
                        "INSERT INTO enrolments (hash, owner, name, expires) \
                         VALUES (?1, NULL, NULL, ?2)",
                        params![hash, expires],
                    )
                    .unwrap()
            }
        };
    }
    transaction.commit().unwrap();
}

pub struct Fleet {
    tasks: JoinSet<()>,
    shared: Arc<Shared>,
}

struct Shared {
    host: SocketAddr,
    registered: AtomicUsize,
    refused: AtomicUsize,
    /// Attempts that ended before the car was registered.
    failed: AtomicUsize,
    /// Round trips of pings since [`Fleet::round_trips`] was last called.
    round_trips: Mutex<Vec<Duration>>,
}

impl Fleet {
    /// Starts this many cars at once.
    pub fn start(host: &Host, cars: usize) -> Self {
        Self::of(host, 0..cars)
    }

    /// Starts the cars with these numbers at once.
    pub fn of(host: &Host, numbers: Range<usize>) -> Self {
        let shared = Arc::new(Shared {
            host: host.address.parse().unwrap(),
            registered: AtomicUsize::new(0),
            refused: AtomicUsize::new(0),
            failed: AtomicUsize::new(0),
            round_trips: Mutex::default(),
        });
        let mut tasks = JoinSet::new();
        for number in numbers {
            let shared = Arc::clone(&shared);
            tasks.spawn(async move { Car::new(number, shared).run().await });
        }
        Self { tasks, shared }
    }

    pub fn registered(&self) -> usize {
        self.shared.registered.load(Ordering::Relaxed)
    }

    pub fn refused(&self) -> usize {
        self.shared.refused.load(Ordering::Relaxed)
    }

    pub fn failed(&self) -> usize {
        self.shared.failed.load(Ordering::Relaxed)
    }

    /// Waits until this many cars are registered; the time since `begun`.
    pub async fn all_registered(
        &self,
        cars: usize,
        begun: Instant,
        patience: Duration,
    ) -> Duration {
        while self.registered() < cars {
            assert!(
                begun.elapsed() < patience,
                "{} of {cars} cars registered after {patience:?}; {} attempts failed, {} were \
                 refused",
                self.registered(),
                self.failed(),
                self.refused()
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        begun.elapsed()
    }

    /// Median and 99th percentile of the round trips of pings since the last call.
    pub fn round_trips(&self) -> (Duration, Duration) {
        let mut all = std::mem::take(&mut *self.shared.round_trips.lock().unwrap());
        all.sort();
        let at = |percent: usize| all.get(all.len() * percent / 100).copied().unwrap_or_default();
        (at(50), at(99))
    }

    pub async fn stop(mut self) {
        self.tasks.shutdown().await;
    }
}

type Socket = WebSocketStream<tokio::net::TcpStream>;

struct Car {
    number: usize,
    key: SigningKey,
    shared: Arc<Shared>,
    started: Instant,
    registration: Registration,
    connection: Option<(Socket, Nonce)>,
    pinged: Option<(u32, Instant)>,
    counted: bool,
}

impl Car {
    fn new(number: usize, shared: Arc<Shared>) -> Self {
        Self {
            number,
            key: key(number),
            shared,
            started: Instant::now(),
            registration: Registration::new(MonotonicMicros(0)),
            connection: None,
            pinged: None,
            counted: false,
        }
    }

    async fn run(&mut self) {
        loop {
            while let Some(effect) = self.registration.poll_effect() {
                self.carry_out(effect).await;
            }
            while self.registration.poll_event().is_some() {}
            if self.counted != self.registration.is_registered() {
                self.counted = !self.counted;
                let count = &self.shared.registered;
                if self.counted {
                    count.fetch_add(1, Ordering::Relaxed);
                } else {
                    count.fetch_sub(1, Ordering::Relaxed);
                }
            }
            let due = self.registration.poll_timeout();
            let at = self.started + due.unwrap_or_default().since(MonotonicMicros(0));
            tokio::select! {
                message = next(&mut self.connection) => self.handle(message),
                () = sleep_until(at.into()), if due.is_some() => {
                    self.registration.handle_timeout(self.now());
                }
            }
        }
    }

    async fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::Dial { within } => {
                self.connection = None;
                match dial(self.shared.host, self.number, within).await {
                    Ok(connection) => {
                        self.connection = Some(connection);
                        self.registration.handle_dialled(None);
                        self.registration.handle_challenged(self.now(), getrandom::u64().unwrap());
                    }
                    Err(why) => self.end(End::Failed(why)),
                }
            }
            Effect::Register { .. } => {
                let Some((_, nonce)) = &self.connection else { return };
                let name_of_host = self.shared.host.to_string();
                let signed = self.key.sign(&registration_message(&name_of_host, nonce));
                self.send(&FromCar::Register {
                    v: rccar_protocol::PROTOCOL_VERSION,
                    key: public(self.number),
                    signature: Signature(signed.to_bytes()),
                    name: name(self.number),
                    software: Software::new("rccar-car/0.1.0").unwrap(),
                    enrolment: Note::new(token(self.number)).ok(),
                    // Without one an unknown car is refused, which the tests notice.
                    claim: None,
                    prepares: vec![],
                })
                .await;
            }
            Effect::Ping { id } => {
                self.pinged = Some((id, Instant::now()));
                self.send(&FromCar::Ping { id }).await;
            }
            Effect::HangUp(end) => self.end(end),
            Effect::Up(_) | Effect::Stand(_) | Effect::Show(_) | Effect::Hide => {}
        }
    }

    fn handle(&mut self, message: Option<Result<Message, tungstenite::Error>>) {
        self.registration.handle_heard(self.now());
        let text = match message {
            Some(Ok(Message::Text(text))) => text,
            Some(Ok(Message::Close(frame))) => return self.end(End::Failed(format!("{frame:?}"))),
            Some(Ok(_)) => return,
            Some(Err(error)) => return self.end(End::Failed(error.to_string())),
            None => return self.end(End::Failed("closed".into())),
        };
        match parse::<ToCar>(&text).unwrap() {
            ToCar::Registered { name, .. } => self.registration.handle_registered(self.now(), name),
            ToCar::Error { text, .. } => {
                self.shared.refused.fetch_add(1, Ordering::Relaxed);
                self.end(End::Refused(text.to_string()));
            }
            ToCar::Pong { id } => {
                if let Some((_, sent)) = self.pinged.take_if(|(pinged, _)| *pinged == id) {
                    self.shared.round_trips.lock().unwrap().push(sent.elapsed());
                }
            }
            _ => {}
        }
    }

    async fn send(&mut self, message: &FromCar) {
        let Some((socket, _)) = &mut self.connection else { return };
        match timeout(STEP_WITHIN, socket.send(Message::text(message.to_json()))).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => self.end(End::Failed(error.to_string())),
            Err(_) => self.end(End::Failed("slow".into())),
        }
    }

    fn end(&mut self, end: End) {
        if !self.registration.is_registered() {
            self.shared.failed.fetch_add(1, Ordering::Relaxed);
        }
        self.connection = None;
        let fraction = f64::from(getrandom::u32().unwrap()) / f64::from(u32::MAX);
        self.registration.handle_ended(self.now(), end, fraction);
    }

    fn now(&self) -> MonotonicMicros {
        MonotonicMicros(0).plus(self.started.elapsed())
    }
}

/// Up to the host's challenge, each step within the car's own time.
async fn dial(
    host: SocketAddr,
    number: usize,
    within: Duration,
) -> Result<(Socket, Nonce), String> {
    let words = |error: &dyn std::error::Error| error.to_string();
    let socket = TcpSocket::new_v4().map_err(|error| words(&error))?;
    // Behind forty of them one address, as behind the routers of a mobile network.
    let [_, _, high, low] = u32::try_from(number / CARS_PER_ADDRESS).unwrap().to_be_bytes();
    let from = IpAddr::from(Ipv4Addr::new(127, 1, high, low));
    socket.bind((from, 0).into()).map_err(|error| words(&error))?;
    let stream = timeout(within, socket.connect(host)).await;
    let stream = stream.map_err(|error| words(&error))?.map_err(|error| words(&error))?;
    let mut request = format!("ws://{host}/ws/car").into_client_request().unwrap();
    request.headers_mut().insert("sec-websocket-protocol", SUBPROTOCOL.parse().unwrap());
    // The library's buffers are larger than a whole car here.
    let config = WebSocketConfig::default().read_buffer_size(1024);
    let opening = client_async_with_config(request, stream, Some(config));
    let (mut socket, _) = timeout(STEP_WITHIN, opening)
        .await
        .map_err(|error| words(&error))?
        .map_err(|error| words(&error))?;
    let challenge = async {
        while let Some(message) = socket.next().await {
            let text = match message.map_err(|error| words(&error))? {
                Message::Text(text) => text,
                _ => continue,
            };
            if let Ok(ToCar::Challenge { nonce, .. }) = parse(&text) {
                return Ok(nonce);
            }
        }
        Err("closed".to_owned())
    };
    let nonce = timeout(STEP_WITHIN, challenge).await.map_err(|error| words(&error))??;
    Ok((socket, nonce))
}

async fn next(
    connection: &mut Option<(Socket, Nonce)>,
) -> Option<Result<Message, tungstenite::Error>> {
    match connection {
        Some((socket, _)) => socket.next().await,
        None => std::future::pending().await,
    }
}

fn key(number: usize) -> SigningKey {
    SigningKey::from_bytes(&Sha256::digest(format!("car {number}")).into())
}

fn public(number: usize) -> CarKey {
    CarKey(key(number).verifying_key().to_bytes())
}

fn name(number: usize) -> Name {
    Name::new(format!("Car {number}")).unwrap()
}

fn token(number: usize) -> String {
    format!("token-{number}")
}
