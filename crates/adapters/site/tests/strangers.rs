//! Row 7: whoever fills the host with connections takes no place from people and cars that are
//! known, and little from strangers elsewhere.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use common::{Server, Socket, TestCar, eventually, software};
use rccar_site::{Limits, Options, Proxies, ProxyHeader, Shares};
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

const FEW: Shares = Shares { total: 16, per_address: 2, per_site: 3, per_network: 4 };

async fn start(limits: Limits) -> Server {
    let trusted_proxies =
        Proxies::new(vec!["127.0.0.1/32".parse().unwrap()], ProxyHeader::default());
    Server::start_as(Options { limits, trusted_proxies, ..Options::new(software()) }).await
}

/// A socket that does not say who it is.
async fn stranger(server: &Server, from: &str) -> Socket {
    Socket::open(server, "/ws/car", &[("x-forwarded-for", from)]).await.unwrap()
}

#[tokio::test]
async fn row_7_sixteen_addresses_or_a_60_of_sockets_shut_nobody_out() {
    let server = start(Limits { strangers: FEW, ..Limits::default() }).await;
    let car = TestCar::new(1);
    server.know(&car);
    let mut before = server.driver("Ada").await;
    let mut crowd = vec![];
    for turn in 0..4 {
        for net in 0..16 {
            crowd.push(stranger(&server, &format!("192.0.{net}.{turn}")).await);
            crowd.push(stranger(&server, &format!("2001:db8:0:{net:x}::{turn}")).await);
        }
    }
    // Known ones keep their places, and new ones from elsewhere come in and become known.
    before.send(r#"{"type":"ping","id":1}"#).await;
    before.next_of("pong").await;
    let cookie = server.cookie("Bob").await;
    let headers = [("cookie", cookie.as_str()), ("x-forwarded-for", "203.0.113.7")];
    let mut page = Socket::open(&server, "/ws/driver", &headers).await.unwrap();
    let mut socket = stranger(&server, "203.0.113.8").await;
    page.send(r#"{"type":"hello","v":1}"#).await;
    page.next_of("welcome").await;
    car.register(&mut socket, &server.address.to_string(), None).await;
    assert_eq!(socket.next_json().await["type"], "registered");
    // The crowd is closed with a code that says: come back later.
    assert_eq!(crowd.swap_remove(0).closed().await.0, 4429);
}

#[tokio::test]
async fn row_7_a_socket_that_talks_without_an_end_and_says_nothing_has_ten_seconds_in_all() {
    let handshake = Duration::from_millis(300);
    let server = start(Limits { handshake, ..Limits::default() }).await;
    let mut socket = stranger(&server, "192.0.2.1").await;
    let begun = Instant::now();
    loop {
        use futures_util::SinkExt;
        let ping = tokio_tungstenite::tungstenite::Message::Ping(Vec::new().into());
        if socket.0.send(ping).await.is_err() || begun.elapsed() > 20 * handshake {
            break;
        }
        let text = tokio_tungstenite::tungstenite::Message::text(r#"{"type":"ping","id":1}"#);
        if socket.0.send(text).await.is_err() {
            break;
        }
        tokio::time::sleep(handshake / 10).await;
    }
    assert!(begun.elapsed() < 10 * handshake, "{:?}", begun.elapsed());
}

#[tokio::test]
async fn row_7_the_pages_of_one_account_are_counted() {
    let server = start(Limits { connections_per_account: 2, ..Limits::default() }).await;
    let _pages = [server.driver("Ada").await, server.driver("Ada").await];
    let cookie = server.cookie("Ada").await;
    let mut third = Socket::open(&server, "/ws/driver", &[("cookie", &cookie)]).await.unwrap();
    assert_eq!(third.closed().await, (4429, vec!["rate-limited".to_owned()]));
    server.driver("Bob").await;
}

/// A connection of its own, from another address of this machine.
async fn connect(server: &Server, from: &str, said: &str) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::new(from.parse().unwrap(), 0)).unwrap();
    let mut stream = socket.connect(server.address).await.unwrap();
    stream.write_all(said.as_bytes()).await.unwrap();
    stream
}

#[tokio::test]
async fn row_7_half_requests_from_sixteen_networks_shut_nobody_out() {
    let requests = Shares { total: 16, per_address: 1, per_site: 1, per_network: 1 };
    let server = Server::start_with(Limits { requests, ..Limits::default() }).await;
    let cookie = server.cookie("Ada").await;
    let ask = format!("GET /api/v1/sign-in HTTP/1.1\r\nhost: x\r\ncookie: {cookie}\r\n\r\n");
    let mut known = connect(&server, "127.0.1.1", &ask).await;
    let mut answer = [0; 4096];
    eventually("an answer", known.read(&mut answer)).await.unwrap();
    let mut half = vec![];
    for net in 2..40 {
        half.push(connect(&server, &format!("127.0.{net}.1"), "GET / HT").await);
    }
    let get = "GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    let mut newcomer = connect(&server, "127.0.99.1", get).await;
    let mut text = String::new();
    eventually("an answer", newcomer.read_to_string(&mut text)).await.unwrap();
    assert!(text.starts_with("HTTP/1.1 200 "), "{text}");
    // The oldest of them has made room; who is signed in has not.
    assert_eq!(eventually("its end", half[0].read(&mut answer)).await.unwrap_or(0), 0);
    known.write_all(ask.as_bytes()).await.unwrap();
    assert_ne!(eventually("another answer", known.read(&mut answer)).await.unwrap(), 0);
}
