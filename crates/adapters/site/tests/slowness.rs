//! Clients that hold connections without using them: they do not keep others out.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use common::{Server, eventually, software};
use rccar_site::{Limits, Options, Proxies, ProxyHeader, Shares};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const SOON: Duration = Duration::from_millis(100);
/// A head without the empty line that ends it, for a body that never comes whole.
const STALLED: &str = "POST /api/v1/sign-in HTTP/1.1\r\nhost: x\r\n\
                       content-type: application/json\r\ncontent-length: 100\r\n";

/// So many connections for requests from one address.
fn few(per_address: usize) -> Limits {
    let requests = Shares { per_address, ..Limits::default().requests };
    Limits { requests, ..Limits::default() }
}

async fn open(server: &Server, request: &str) -> TcpStream {
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

/// Everything up to the end of the connection, which may be a hard one.
async fn rest(mut stream: TcpStream) -> String {
    let mut answer = Vec::new();
    let _ = eventually("the end of the connection", stream.read_to_end(&mut answer)).await;
    String::from_utf8(answer).unwrap()
}

async fn ask(server: &Server) -> String {
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    // The server may have hung up already.
    let _ =
        stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
    rest(stream).await
}

#[tokio::test]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let server = Server::start_with(Limits { request: SOON, ..Limits::default() }).await;
    let answer = rest(open(&server, &format!("{STALLED}\r\n{{")).await).await;
    assert!(
        answer.starts_with("HTTP/1.1 408 ") && answer.contains(r#""code":"timeout""#),
        "{answer}"
    );
}

#[tokio::test]
async fn an_answer_that_is_not_taken_ends_the_connection() {
    let server =
        Server::start_with(Limits { request: SOON, requests_age: SOON, ..Limits::default() }).await;
    let mut stream = open(&server, "").await;
    // Requests in a row, whose answers nobody reads: the server stops reading when its answers fill
    // the kernel's buffers.
    let requests = "GET / HTTP/1.1\r\nhost: x\r\n\r\n".repeat(1_000);
    let flood = async { while stream.write_all(requests.as_bytes()).await.is_ok() {} };
    eventually("the end of the connection", flood).await;
    assert!(server.is_alive().await);
}

#[tokio::test]
async fn one_address_gets_so_many_connections() {
    let server = Server::start_with(few(2)).await;
    let first = open(&server, "").await;
    let _second = open(&server, "").await;
    assert_eq!(ask(&server).await, "");
    drop(first);
    eventually("a free place", async { while !ask(&server).await.starts_with("HTTP/1.1 200 ") {} })
        .await;
}

#[tokio::test]
async fn a_websocket_gives_its_place_to_others() {
    let server = Server::start_with(few(1)).await;
    let _first = common::Socket::open(&server, "/ws/car", &[]).await.unwrap();
    eventually("a free place", async { while !ask(&server).await.starts_with("HTTP/1.1 200 ") {} })
        .await;
}

#[tokio::test]
async fn clients_behind_a_proxy_are_told_apart() {
    let limits = few(1);
    let trusted_proxies =
        Proxies::new(vec!["127.0.0.1/32".parse().unwrap()], ProxyHeader::default());
    let server =
        Server::start_as(Options { limits, trusted_proxies, ..Options::new(software()) }).await;
    let client = |address: &str| vec![("x-forwarded-for".to_owned(), address.to_owned())];
    let status = async |address: &str| {
        let headers = client(address);
        let headers: Vec<_> =
            headers.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        server.request("GET", "/healthz", &headers, "").await.status
    };
    let _stalled = open(&server, &format!("{STALLED}x-forwarded-for: 192.0.2.1\r\n\r\n")).await;
    eventually("the refusal", async { while status("192.0.2.1").await != 429 {} }).await;
    assert_eq!(status("192.0.2.2").await, 200);
}

#[tokio::test]
async fn whoever_is_not_admitted_is_hung_up_on() {
    let server = Server::start_as(Options {
        admits: |peer| !peer.remote.ip().is_loopback(),
        ..Options::new(software())
    })
    .await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    // Nothing, or a reset because of what was not read.
    let mut said = Vec::new();
    let _ = stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n").await;
    let _ = stream.read_to_end(&mut said).await;
    assert_eq!(said, b"");
}
