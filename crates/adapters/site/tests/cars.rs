//! Cars that register.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use common::{Server, Socket, TestCar};
use rccar_site::TokenHash;
use serde_json::json;

async fn refused(
    server: &Server,
    car: &TestCar,
    host: &str,
    enrolment: Option<&str>,
) -> (u16, Vec<String>) {
    let mut socket = Socket::open(server, "/ws/car", &[]).await.unwrap();
    car.register(&mut socket, host, enrolment).await;
    socket.closed().await
}

#[tokio::test]
async fn a_known_car_is_let_in_under_the_name_that_its_owner_chose() {
    let (server, car) = (Server::start().await, TestCar::new(1));
    server.know(&car);
    for host in [
        server.address.to_string(),
        "127.0.0.1".into(),
        format!("localhost:{}", server.address.port()),
    ] {
        let mut socket = Socket::open(&server, "/ws/car", &[]).await.unwrap();
        car.register(&mut socket, &host, None).await;
        assert_eq!(
            socket.next_json().await,
            json!({"type": "registered", "car": car.key().id(), "name": "blue car"})
        );
    }
}

#[tokio::test]
async fn an_enrolment_token_lets_one_car_in_once() {
    let server = Server::start().await;
    let host = server.address.to_string();
    server.backend.enrolments.lock().unwrap().push(TokenHash::of("token"));
    let car = TestCar::new(1);
    let mut socket = Socket::open(&server, "/ws/car", &[]).await.unwrap();
    car.register(&mut socket, &host, Some("token")).await;
    assert_eq!(socket.next_json().await["name"], "red car");
    assert_eq!(
        refused(&server, &TestCar::new(2), &host, Some("token")).await,
        (4403, vec!["not-enrolled".to_owned()])
    );
    server.car(&car).await;
}

#[tokio::test]
async fn a_signature_for_another_host_does_not_count() {
    let (server, car) = (Server::start().await, TestCar::new(1));
    server.know(&car);
    for host in ["rccar.example", "127.0.0.1:1", ""] {
        assert_eq!(
            refused(&server, &car, host, None).await,
            (4403, vec!["bad-signature".to_owned()]),
            "{host}"
        );
    }
}

#[tokio::test]
async fn the_host_header_does_not_decide_which_name_counts() {
    let (server, car) = (Server::start().await, TestCar::new(1));
    server.know(&car);
    let stream = tokio::net::TcpStream::connect(server.address).await.unwrap();
    let request = axum::http::Request::get("ws://evil.example/ws/car")
        .header("host", "evil.example")
        .header("connection", "upgrade")
        .header("upgrade", "websocket")
        .header("sec-websocket-version", "13")
        .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
        .header("sec-websocket-protocol", "rccar.v1")
        .body(())
        .unwrap();
    let (socket, _) = tokio_tungstenite::client_async(request, stream).await.unwrap();
    let mut socket = Socket(socket);
    car.register(&mut socket, "evil.example", None).await;
    assert_eq!(socket.closed().await, (4403, vec!["bad-signature".to_owned()]));
}

#[tokio::test]
async fn somebody_elses_signature_does_not_count() {
    let (server, car, thief) = (Server::start().await, TestCar::new(1), TestCar::new(2));
    server.know(&car);
    let mut socket = Socket::open(&server, "/ws/car", &[]).await.unwrap();
    let challenge = socket.next_json().await;
    let nonce =
        rccar_protocol::identity::Nonce::try_from(challenge["nonce"].as_str().unwrap().to_owned())
            .unwrap();
    // The thief knows the car's public key and signs with his own.
    let mut other = Socket::open(&server, "/ws/car", &[]).await.unwrap();
    thief.register(&mut other, &server.address.to_string(), None).await;
    assert_eq!(other.closed().await.1, ["not-enrolled"]);
    let forged = json!({
        "type": "register", "v": 1, "key": car.key(),
        "signature": rccar_protocol::identity::Signature([7; 64]),
        "name": "red car", "software": "test/1",
    });
    socket.send_json(&forged).await;
    assert_eq!(socket.closed().await, (4403, vec!["bad-signature".to_owned()]));
    assert_ne!(nonce.0, [0; 32]);
}

#[tokio::test]
async fn a_car_that_is_revoked_is_sent_away() {
    let (server, car) = (Server::start().await, TestCar::new(1));
    server.know(&car);
    let mut socket = server.car(&car).await;
    server.exchange.set_cars(vec![]).await;
    assert_eq!(socket.closed().await.0, 4403);
}

#[tokio::test]
async fn a_second_connection_of_the_same_car_replaces_the_first() {
    let (server, car) = (Server::start().await, TestCar::new(1));
    server.know(&car);
    let mut first = server.car(&car).await;
    let _second = server.car(&car).await;
    assert_eq!(first.closed().await.0, 4409);
}
