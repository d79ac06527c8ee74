//! A server on a real socket, with a backend in memory.
#![allow(
    unreachable_pub,
    dead_code,
    unused_imports,
    reason = "shared by the test files, each of which uses a part"
)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod backend;
mod client;

pub use backend::TestBackend;
pub use client::{Reply, Socket, TestCar, eventually};

use rccar_protocol::text::{Name, SessionId, Software};
use rccar_site::{EnrolledCar, Exchange, IcePeer, IceServers, Limits, Options, router, serve};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpListener;

pub fn software() -> Software {
    Software::new("test/1").unwrap()
}

pub fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

pub struct Server {
    pub address: SocketAddr,
    pub exchange: Exchange,
    pub backend: Arc<TestBackend>,
}

/// Hands out one server that names the session and the address that the peer reached.
#[derive(Default)]
struct TestIce {
    renew_every: Option<Duration>,
    /// Sessions that have ended, and whether they are only forgotten.
    ended: Arc<Mutex<Vec<(String, bool)>>>,
}

impl IceServers for TestIce {
    fn for_peer(&self, peer: IcePeer<'_>) -> Vec<rccar_protocol::signaling::IceServer> {
        let reached = peer.reached.map_or("local".to_owned(), |address| address.to_string());
        let urls = vec![format!("turn:{reached}")];
        vec![rccar_protocol::signaling::IceServer {
            urls,
            username: Some(peer.session.to_string()),
            credential: None,
        }]
    }

    fn renew_every(&self) -> Option<Duration> {
        self.renew_every
    }

    fn ended(&self, session: SessionId, forgotten: bool) {
        self.ended.lock().unwrap().push((session.to_string(), forgotten));
    }
}

impl Server {
    pub async fn start() -> Self {
        Self::start_with(Limits::default()).await
    }

    pub async fn start_with(limits: Limits) -> Self {
        Self::start_as(Options { limits, ..Options::new(software()) }).await
    }

    pub async fn start_as(options: Options) -> Self {
        Self::start_giving(options, TestIce::default()).await
    }

    /// Also returns the sessions that have ended, and whether they are only forgotten.
    pub async fn start_renewing(renew_every: Duration) -> (Self, Arc<Mutex<Vec<(String, bool)>>>) {
        let ended = Arc::default();
        let ice = TestIce { renew_every: Some(renew_every), ended: Arc::clone(&ended) };
        (Self::start_giving(Options::new(software()), ice).await, ended)
    }

    async fn start_giving(options: Options, ice: TestIce) -> Self {
        let exchange = Exchange::start(rccar_rooms::Options::new(software()), Arc::new(ice));
        let backend = Arc::new(TestBackend::default());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let page = router(exchange.clone(), Arc::clone(&backend), options);
        tokio::spawn(serve(vec![listener], page, std::future::pending()));
        Self { address, exchange, backend }
    }

    pub fn know(&self, car: &TestCar) -> EnrolledCar {
        let known = EnrolledCar {
            id: car.key().id(),
            name: name("blue car"),
            owner: None,
            shared: Default::default(),
        };
        self.backend.cars.lock().unwrap().push(known.clone());
        known
    }

    /// A cookie of a user who is signed in.
    pub async fn cookie(&self, user: &str) -> String {
        let body = format!(r#"{{"name":"{user}","password":"right password"}}"#);
        let reply = self.post("/api/v1/sign-in", &body).await;
        assert_eq!(reply.status, 204, "{reply:?}");
        reply.header("set-cookie").unwrap().split(';').next().unwrap().to_owned()
    }

    pub async fn driver(&self, user: &str) -> Socket {
        let cookie = self.cookie(user).await;
        let mut socket = Socket::open(self, "/ws/driver", &[("cookie", &cookie)]).await.unwrap();
        socket.send(r#"{"type":"hello","v":1}"#).await;
        assert_eq!(socket.next_json().await["type"], "welcome");
        socket
    }

    /// A registered car.
    pub async fn car(&self, car: &TestCar) -> Socket {
        let mut socket = Socket::open(self, "/ws/car", &[]).await.unwrap();
        car.register(&mut socket, &self.address.to_string(), None).await;
        let registered = socket.next_json().await;
        assert_eq!(registered["type"], "registered", "{registered}");
        socket
    }

    pub async fn post(&self, path: &str, body: &str) -> Reply {
        self.request("POST", path, &[("content-type", "application/json")], body).await
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.request("GET", path, &[], "").await
    }

    pub async fn request(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Reply {
        client::request(self.address, method, path, headers, body).await
    }

    /// Whether the server still serves.
    pub async fn is_alive(&self) -> bool {
        self.get("/healthz").await.status == 200
    }
}
