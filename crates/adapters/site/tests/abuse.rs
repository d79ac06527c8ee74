//! Clients that break the rules: they get a typed error or lose their connection, and nobody else
//! notices.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use common::{Server, Socket, TestCar, eventually};
use futures_util::{SinkExt, StreamExt};
use rccar_site::Limits;
use serde_json::json;
use std::time::{Duration, Instant};
use tokio::time::sleep;
use tokio_tungstenite::tungstenite::Message;

#[tokio::test]
async fn malformed_messages_are_answered_and_the_connection_stays() {
    let server = Server::start().await;
    let mut socket = server.driver("Ada").await;
    let cases = [
        ("", "malformed"),
        ("{", "malformed"),
        ("[]", "malformed"),
        ("null", "malformed"),
        (r#"{"type":"fly"}"#, "unknown-type"),
        (r#"{"type":"connect"}"#, "malformed"),
        (r#"{"type":"connect","car":"UPPER"}"#, "malformed"),
        (r#"{"type":"bye","session":"0000000000000000","reason":"driver-left"}"#, "malformed"),
        (r#"{"type":"hello","v":1}"#, "out-of-order"),
        (r#"{"type":"restart","session":"00000000000000aa"}"#, "no-such-session"),
        (r#"{"type":"connect","car":"aaaaaaaaaaaaaaaaaaaaaaaaaa"}"#, "no-such-car"),
    ];
    for (message, code) in cases {
        socket.send(message).await;
        let error = socket.next_json().await;
        assert_eq!((&error["type"], &error["code"]), (&json!("error"), &json!(code)), "{message}");
    }
    let deep = format!("{}{}", "[".repeat(30_000), "]".repeat(30_000));
    socket.send(&deep).await;
    assert_eq!(socket.next_json().await["code"], "malformed");
    socket.0.send(Message::binary(vec![0xff; 100])).await.unwrap();
    assert_eq!(socket.next_json().await["code"], "malformed");
    socket.send(r#"{"type":"ping","id":5}"#).await;
    assert_eq!(socket.next_json().await, json!({"type": "pong", "id": 5}));
}

#[tokio::test]
async fn an_oversize_message_is_named_and_ends_the_connection() {
    let server = Server::start().await;
    let mut socket = server.driver("Ada").await;
    socket.send(&"x".repeat(64 * 1024 + 1)).await;
    assert_eq!(socket.closed().await, (4413, vec!["too-large".to_owned()]));
    let mut socket = server.driver("Ada").await;
    // The server hangs up at the header, perhaps before all is sent.
    let _ = socket.0.send(Message::text("x".repeat(8 * 1024 * 1024))).await;
    socket.closed().await;
    assert!(server.is_alive().await);
}

#[tokio::test]
async fn a_flood_is_refused_and_then_ended() {
    let server = Server::start().await;
    let mut socket = server.driver("Ada").await;
    for id in 0..300 {
        socket.send(&json!({"type": "ping", "id": id}).to_string()).await;
    }
    assert_eq!(socket.next_of("error").await["code"], "rate-limited");
    let (mut writer, reader) = socket.0.split();
    let flood = async { while writer.send(Message::text("{}")).await.is_ok() {} };
    let close = reader.filter_map(async |message| match message {
        Ok(Message::Close(frame)) => Some(u16::from(frame.unwrap().code)),
        _ => None,
    });
    let mut close = std::pin::pin!(close);
    let (code, ()) =
        eventually("the end of the flood", async { tokio::join!(close.next(), flood) }).await;
    assert!(code.is_none_or(|code| code == 4429), "{code:?}");
    assert!(server.is_alive().await);
}

#[tokio::test]
async fn a_driver_that_does_not_read_is_dropped_and_the_car_stays() {
    let plenty = Limits {
        messages_per_second: 1e9,
        message_burst: 1e9,
        bytes_per_second: 1e9,
        byte_burst: 1e9,
        ..Limits::default()
    };
    let server = Server::start_with(plenty).await;
    let car = TestCar::new(1);
    server.know(&car);
    let mut car_socket = server.car(&car).await;
    let mut driver = server.driver("Ada").await;
    driver.send_json(&json!({"type": "connect", "car": car.key().id()})).await;
    let session = car_socket.next_of("connect").await["session"].clone();
    // From here on the driver does not read. The kernel buffers some megabytes, then the outbox
    // fills.
    let sdp = "x".repeat(48 * 1024);
    let mut generation = 0;
    let mut gone = false;
    // A page that is dropped counts as away for 15 s, because it may come back to its drive.
    let until = Instant::now() + Duration::from_secs(60);
    while !gone {
        generation += 1;
        car_socket
            .send_json(
                &json!({"type": "offer", "session": session, "generation": generation, "sdp": sdp}),
            )
            .await;
        gone = server.exchange.sign_ins().await.is_empty();
        assert!(Instant::now() < until, "never dropped");
        if generation > 1_000 {
            // Whatever the kernel's buffers hold is full by now.
            sleep(Duration::from_millis(10)).await;
        }
    }
    assert!(server.is_alive().await);
    car_socket.send(r#"{"type":"ping","id":1}"#).await;
    car_socket.next_of("pong").await;
}

#[tokio::test]
async fn foreign_pages_get_no_socket() {
    let server = Server::start().await;
    let cookie = server.cookie("Ada").await;
    for path in ["/ws/driver", "/ws/car"] {
        let foreign =
            Socket::open(&server, path, &[("cookie", &cookie), ("origin", "http://evil.example")])
                .await;
        assert_eq!(foreign.unwrap_err().0, 403);
    }
    let own = format!("http://{}", server.address);
    Socket::open(&server, "/ws/driver", &[("cookie", &cookie), ("origin", &own)]).await.unwrap();
}

#[tokio::test]
async fn clients_without_the_subprotocol_are_told() {
    let server = Server::start().await;
    for headers in [&[][..], &[("sec-websocket-protocol", "rccar.v9")]] {
        let (status, words) = Socket::open_plain(&server, "/ws/driver", headers).await.unwrap_err();
        assert_eq!(status, 400);
        assert!(words.contains("rccar.v1"), "{words}");
    }
    let plain = server.get("/ws/driver").await;
    assert!(matches!(plain.status, 400 | 426), "{plain:?}");
    assert!(!plain.body.is_empty());
}

#[tokio::test]
async fn a_page_that_is_not_signed_in_learns_it_from_the_close_code() {
    let server = Server::start().await;
    for cookie in ["", "rccar_session=none"] {
        let mut socket = Socket::open(&server, "/ws/driver", &[("cookie", cookie)]).await.unwrap();
        assert_eq!(socket.closed().await, (4401, vec!["not-signed-in".to_owned()]));
    }
}

#[tokio::test]
async fn whoever_does_not_introduce_himself_is_sent_away() {
    let server =
        Server::start_with(Limits { handshake: Duration::from_millis(50), ..Limits::default() })
            .await;
    let cookie = server.cookie("Ada").await;
    let mut driver = Socket::open(&server, "/ws/driver", &[("cookie", &cookie)]).await.unwrap();
    assert_eq!(driver.closed().await, (4400, vec!["timeout".to_owned()]));
    let mut car = Socket::open(&server, "/ws/car", &[]).await.unwrap();
    assert_eq!(car.closed().await, (4400, vec!["timeout".to_owned()]));
}

#[tokio::test]
async fn the_first_message_comes_first_and_in_a_version_that_is_spoken() {
    let server = Server::start().await;
    let cookie = server.cookie("Ada").await;
    let mut socket = Socket::open(&server, "/ws/driver", &[("cookie", &cookie)]).await.unwrap();
    socket.send(r#"{"type":"ping","id":1}"#).await;
    assert_eq!(socket.next_json().await["code"], "out-of-order");
    socket.send(r#"{"type":"hello","v":2}"#).await;
    assert_eq!(socket.closed().await, (4400, vec!["unsupported-version".to_owned()]));
}

#[tokio::test]
async fn the_dead_are_found() {
    let limits = Limits {
        ping_interval: Duration::from_millis(20),
        dead_after: Duration::from_millis(100),
        ..Limits::default()
    };
    let server = Server::start_with(limits).await;
    let _driver = server.driver("Ada").await;
    // A client that is not polled does not answer pings.
    eventually("the dead client to be dropped", async {
        while !server.exchange.sign_ins().await.is_empty() {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn one_address_gets_so_many_sockets() {
    let server =
        Server::start_with(Limits { connections_per_address: 2, ..Limits::default() }).await;
    let first = server.driver("Ada").await;
    let _second = server.driver("Bob").await;
    let cookie = server.cookie("Eve").await;
    let open = async || Socket::open(&server, "/ws/driver", &[("cookie", &cookie)]).await.unwrap();
    assert_eq!(open().await.closed().await, (4429, vec!["rate-limited".to_owned()]));
    drop(first);
    eventually("a free place", async {
        loop {
            let mut socket = open().await;
            socket.send(r#"{"type":"hello","v":1}"#).await;
            if socket.next_json().await["type"] == "welcome" {
                break;
            }
        }
    })
    .await;
}
