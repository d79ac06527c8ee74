//! Releases over HTTP: transfers that may take longer than other requests, and tokens for cars.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod common;

use axum::body::Bytes;
use common::{Server, Socket, TestBackend, TestCar, eventually, software};
use rccar_protocol::release::{ByteCount, Channel, Compatible, Percent, Sha256, Version};
use rccar_protocol::text::CarId;
use rccar_site::{
    BundleFile, EnrolledCar, Exchange, Limits, NoIceServers, Options, Release, ReleaseChange,
    ReleaseError, ReleaseQuestion, ReleaseRules, Releases, Token, Upload, UploadWish,
    router_with_releases, serve,
};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// More than the sockets between the two ends hold.
const BUNDLE_BYTES: usize = 24_000_000;
/// Other requests end after this.
const LIMIT: Duration = Duration::from_millis(300);

/// One bundle; uploads are counted and forgotten.
struct Shelf(TempDir);

fn release(size: u64) -> Release {
    Release {
        version: "1.0.0".parse().unwrap(),
        compatible: Compatible::new("board").unwrap(),
        size: ByteCount::saturating(size),
        sha256: Sha256::try_from("0".repeat(64)).unwrap(),
        signer: "CN=own".into(),
        notes: None,
        channels: vec![Channel::new("stable").unwrap()],
        rollout: Percent::ALL,
        paused: false,
        uploaded_at: 0,
        uploaded_by: None,
    }
}

#[async_trait::async_trait]
impl Releases for Shelf {
    fn rules(&self) -> ReleaseRules {
        ReleaseRules { max_bytes: ByteCount::MAX, accepts_uploads: true }
    }

    async fn list(&self) -> Result<Vec<Release>, ReleaseError> {
        Ok(vec![release(0)])
    }

    async fn begin(&self, _: UploadWish) -> Result<Box<dyn Upload>, ReleaseError> {
        Ok(Box::new(Count(0)))
    }

    async fn change(&self, version: Version, _: ReleaseChange) -> Result<Release, ReleaseError> {
        Err(ReleaseError::NoSuchRelease(version))
    }

    async fn remove(&self, version: Version) -> Result<(), ReleaseError> {
        Err(ReleaseError::NoSuchRelease(version))
    }

    async fn release_for(
        &self,
        _: CarId,
        _: ReleaseQuestion,
    ) -> Result<Option<Release>, ReleaseError> {
        Ok(None)
    }

    async fn bundle(&self, _: Version) -> Result<Option<BundleFile>, ReleaseError> {
        Ok(Some(BundleFile { path: self.0.path().join("bundle"), sha256: release(0).sha256 }))
    }
}

struct Count(u64);

#[async_trait::async_trait]
impl Upload for Count {
    async fn write(&mut self, chunk: Bytes) -> Result<(), ReleaseError> {
        self.0 += chunk.len() as u64;
        Ok(())
    }

    async fn finish(self: Box<Self>) -> Result<Release, ReleaseError> {
        Ok(release(self.0))
    }
}

/// A server with releases and short limits for requests.
async fn server() -> Server {
    let limits = Limits { request: LIMIT, requests_age: LIMIT, ..Limits::default() };
    let options = rccar_rooms::Options::new(software());
    let exchange =
        Exchange::start_with_access(options, Arc::new(NoIceServers), Token::generate().unwrap());
    let (backend, shelf) = (Arc::new(TestBackend::default()), Shelf(tempfile::tempdir().unwrap()));
    std::fs::write(shelf.0.path().join("bundle"), vec![7; BUNDLE_BYTES]).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let options = Options { limits, ..Options::new(software()) };
    let page =
        router_with_releases(exchange.clone(), Arc::clone(&backend), options, Arc::new(shelf));
    tokio::spawn(serve(vec![listener], page, std::future::pending()));
    Server { address, exchange, backend }
}

/// A car that is connected, and its token.
async fn car(server: &Server) -> (EnrolledCar, Socket, String) {
    let car = TestCar::new(1);
    let known = server.know(&car);
    let mut socket = Socket::open(server, "/ws/car", &[]).await.unwrap();
    car.register(&mut socket, &server.address.to_string(), None).await;
    let first = socket.next_json().await;
    assert_eq!(first["type"], "registered", "the token comes after it");
    let token = socket.next_of("access").await["token"].as_str().unwrap().to_owned();
    (known, socket, token)
}

async fn begin(server: &Server, head: &str) -> TcpStream {
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let head = format!("{head}\r\nhost: {}\r\nconnection: close\r\n\r\n", server.address);
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
}

async fn download(server: &Server, token: &str) -> TcpStream {
    begin(
        server,
        &format!("GET /api/v1/car/releases/1.0.0/bundle HTTP/1.1\r\nauthorization: Bearer {token}"),
    )
    .await
}

#[tokio::test]
async fn a_download_lasts_as_long_as_it_moves() {
    let server = server().await;
    let (_, _socket, token) = car(&server).await;
    let mut stream = download(&server, &token).await;
    let (mut got, mut buffer) = (0, vec![0; BUNDLE_BYTES / 5]);
    // A link that is slow for several times the limit. The time itself is what is tested here.
    for _ in 0..5 {
        tokio::time::sleep(LIMIT * 2).await;
        got += eventually("bytes", stream.read_exact(&mut buffer)).await.unwrap();
    }
    got += eventually("the rest", stream.read_to_end(&mut buffer)).await.unwrap();
    assert!(got > BUNDLE_BYTES, "{got} bytes");
}

#[tokio::test]
async fn an_upload_lasts_as_long_as_it_moves() {
    let server = server().await;
    let cookie = server.cookie("Root").await;
    let path = "/api/v1/releases?channel=stable&rollout=100";
    let head = format!(
        "POST {path} HTTP/1.1\r\ncookie: {cookie}\r\n\
         content-type: application/octet-stream\r\ncontent-length: 50"
    );
    let mut stream = begin(&server, &head).await;
    for _ in 0..5 {
        tokio::time::sleep(LIMIT * 2).await;
        stream.write_all(&[0; 10]).await.unwrap();
    }
    let mut answer = String::new();
    eventually("an answer", stream.read_to_string(&mut answer)).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 201") && answer.contains(r#""size":50"#), "{answer}");
}

#[tokio::test]
async fn a_car_that_is_revoked_while_it_fetches_loses_the_rest() {
    let server = server().await;
    let (_, _socket, token) = car(&server).await;
    let mut stream = download(&server, &token).await;
    stream.read_exact(&mut [0; 1000]).await.unwrap();
    server.exchange.set_cars(vec![]).await;
    let mut rest = Vec::new();
    // A connection that breaks off may also end with an error.
    let _ = eventually("the end", stream.read_to_end(&mut rest)).await;
    assert!(rest.len() < BUNDLE_BYTES - 1000, "{} bytes", rest.len());
}

#[tokio::test]
async fn an_announcement_reaches_the_car_that_it_is_for() {
    let server = server().await;
    let (known, mut socket, _) = car(&server).await;
    assert_eq!(server.exchange.connected_cars().await, [(known.id.clone(), None)]);
    server
        .exchange
        .announce_release(CarId::new("a".repeat(26)).unwrap(), "9.0.0".parse().unwrap())
        .await;
    server.exchange.announce_release(known.id, "1.0.0".parse().unwrap()).await;
    assert_eq!(socket.next_of("release").await["version"], "1.0.0");
}

#[tokio::test]
async fn programs_without_releases_give_no_tokens_and_offer_nothing() {
    let server = Server::start().await;
    let car = TestCar::new(1);
    server.know(&car);
    let mut socket = Socket::open(&server, "/ws/car", &[]).await.unwrap();
    car.register(&mut socket, &server.address.to_string(), None).await;
    assert_eq!(socket.next_json().await["type"], "registered");
    socket.send(r#"{"type":"ping","id":1}"#).await;
    assert_eq!(socket.next_json().await["type"], "pong", "and no token before it");
    let cookie = server.cookie("Root").await;
    let mut stream =
        begin(&server, &format!("GET /api/v1/releases HTTP/1.1\r\ncookie: {cookie}")).await;
    let mut answer = String::new();
    eventually("an answer", stream.read_to_string(&mut answer)).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 404") && answer.contains("not-offered"), "{answer}");
}
