//! Drivers and cars that behave.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use common::{Server, Socket, TestCar, eventually, name, software};
use rccar_protocol::signaling::{FromCar, ToCar};
use rccar_protocol::text::{Sdp, SessionId};
use rccar_site::EnrolledCar;
use serde_json::{Value, json};
use std::time::Duration;

async fn session(driver: &mut Socket, car: &mut Socket, id: &Value) -> Value {
    driver.send_json(&json!({"type": "connect", "car": id})).await;
    driver.next_of("connecting").await;
    car.next_of("connect").await["session"].clone()
}

#[tokio::test]
async fn a_whole_conversation_goes_both_ways() {
    let (server, car) = (Server::start().await, TestCar::new(1));
    server.know(&car);
    let mut car_socket = server.car(&car).await;
    let mut driver = server.driver("Ada").await;
    let id = json!(car.key().id());
    driver.send_json(&json!({"type": "connect", "car": id, "trickle": false})).await;
    let connecting = driver.next_of("connecting").await;
    let session = &connecting["session"];
    assert_eq!(
        connecting["ice_servers"],
        json!([{"urls": ["turn:127.0.0.1"], "username": session}])
    );
    let connect = car_socket.next_of("connect").await;
    let servers = json!([{"urls": ["turn:127.0.0.1"], "username": session}]);
    let expected = json!({
        "type": "connect", "session": session, "driver": "Ada", "trickle": false,
        "ice_servers": servers,
    });
    assert_eq!(connect, expected);

    let offer = json!({"type": "offer", "session": session, "generation": 1, "sdp": "v=0\r\n"});
    let candidate = json!({
        "type": "candidate", "session": session, "generation": 1,
        "candidate": {"candidate": "candidate:1 1 udp 1 192.0.2.1 9 typ host", "sdp_mid": "0"},
    });
    for message in [&offer, &candidate] {
        car_socket.send_json(message).await;
        assert_eq!(&driver.next_of(message["type"].as_str().unwrap()).await, message);
    }
    let answer = json!({"type": "answer", "session": session, "generation": 1, "sdp": "v=0\r\n"});
    for message in [&answer, &candidate] {
        driver.send_json(message).await;
        assert_eq!(&car_socket.next_json().await, message);
    }
    driver.send_json(&json!({"type": "restart", "session": session})).await;
    assert_eq!(
        car_socket.next_json().await,
        json!({"type": "restart", "session": session, "ice_servers": servers})
    );
    let bye = json!({"type": "bye", "session": session, "reason": "driver-left"});
    driver.send_json(&bye).await;
    assert_eq!(car_socket.next_json().await, bye);
}

#[tokio::test]
async fn the_list_follows_what_cars_do() {
    let (server, car) = (Server::start().await, TestCar::new(1));
    let known = server.know(&car);
    server.exchange.set_cars(vec![known]).await;
    let mut watcher = server.driver("Bob").await;
    let mut car_socket = server.car(&car).await;
    let presence = async |watcher: &mut Socket, wanted: &str| {
        while watcher.next_of("cars").await["cars"][0]["presence"] != wanted {}
    };
    presence(&mut watcher, "available").await;
    let mut driver = server.driver("Ada").await;
    session(&mut driver, &mut car_socket, &json!(car.key().id())).await;
    presence(&mut watcher, "busy").await;
    watcher.send_json(&json!({"type": "connect", "car": car.key().id()})).await;
    let error = watcher.next_of("error").await;
    assert_eq!(error["code"], "car-busy");
    assert!(error["text"].as_str().unwrap().contains("Ada"));
    drop(car_socket);
    presence(&mut watcher, "offline").await;
}

#[tokio::test]
async fn a_page_that_reconnects_takes_its_session_along() {
    let (server, car) = (Server::start().await, TestCar::new(1));
    server.know(&car);
    let mut car_socket = server.car(&car).await;
    let mut driver = server.driver("Ada").await;
    let session = session(&mut driver, &mut car_socket, &json!(car.key().id())).await;
    drop(driver);
    let mut driver = server.driver("Ada").await;
    driver.send_json(&json!({"type": "restart", "session": session})).await;
    assert_eq!(car_socket.next_json().await["type"], "restart");
    let offer = json!({"type": "offer", "session": session, "generation": 2, "sdp": "v=0\r\n"});
    car_socket.send_json(&offer).await;
    assert_eq!(driver.next_of("offer").await, offer);
}

#[tokio::test]
async fn row_5_both_ends_get_new_credentials_while_a_session_lasts_and_when_they_are_back() {
    let (server, ended) = Server::start_renewing(Duration::from_millis(200)).await;
    let car = TestCar::new(1);
    server.know(&car);
    let mut car_socket = server.car(&car).await;
    let mut driver = server.driver("Ada").await;
    let session = session(&mut driver, &mut car_socket, &json!(car.key().id())).await;
    for _ in 0..2 {
        for socket in [&mut driver, &mut car_socket] {
            let renewed = socket.next_of("ice-servers").await;
            assert_eq!(renewed["session"], session);
            assert_eq!(renewed["ice_servers"][0]["username"], session);
        }
    }
    driver.send_json(&json!({"type": "bye", "session": session, "reason": "driver-left"})).await;
    car_socket.next_of("bye").await;
    assert_eq!(*ended.lock().unwrap(), [(session.as_str().unwrap().to_owned(), false)]);
}

#[tokio::test]
async fn row_5_an_end_that_is_back_gets_new_credentials_at_once() {
    let (server, _) = Server::start_renewing(Duration::from_secs(3600)).await;
    let car = TestCar::new(1);
    server.know(&car);
    let mut car_socket = server.car(&car).await;
    let mut driver = server.driver("Ada").await;
    let session = session(&mut driver, &mut car_socket, &json!(car.key().id())).await;
    drop(driver);
    let mut driver = server.driver("Ada").await;
    driver.send_json(&json!({"type": "restart", "session": session})).await;
    assert_eq!(driver.next_of("ice-servers").await["session"], session);
    let mut car_socket = server.car(&car).await;
    assert_eq!(car_socket.next_of("ice-servers").await["session"], session);
}

#[tokio::test]
async fn a_local_car_is_driven_without_a_socket() {
    let server = Server::start().await;
    let known = EnrolledCar {
        id: TestCar::new(1).key().id(),
        name: name("this car"),
        owner: None,
        shared: Default::default(),
    };
    let (to_host, mut from_host) =
        server.exchange.attach_local_car(known.clone(), software()).await;
    assert!(matches!(from_host.recv().await, Some(ToCar::Registered { .. })));
    let mut driver = server.driver("Ada").await;
    driver.send_json(&json!({"type": "connect", "car": known.id})).await;
    let Some(ToCar::Connect { session, ice_servers, .. }) =
        eventually("connect", from_host.recv()).await
    else {
        panic!()
    };
    assert_eq!(ice_servers[0].urls, ["turn:local"]);
    to_host
        .send(FromCar::Offer { session, generation: 1, sdp: Sdp::new("v=0\r\n").unwrap() })
        .await
        .unwrap();
    let offer = driver.next_of("offer").await;
    assert_eq!(
        SessionId::try_from(offer["session"].as_str().unwrap().to_owned()).unwrap(),
        session
    );
    drop(to_host);
    while driver.next_of("cars").await["cars"][0]["presence"] != "offline" {}
}

#[tokio::test]
async fn shutdown_says_bye() {
    let (server, car) = (Server::start().await, TestCar::new(1));
    server.know(&car);
    let mut car_socket = server.car(&car).await;
    let mut driver = server.driver("Ada").await;
    session(&mut driver, &mut car_socket, &json!(car.key().id())).await;
    server.exchange.shutdown().await;
    assert_eq!(car_socket.next_of("bye").await["reason"], "shutdown");
    assert_eq!(driver.next_of("bye").await["reason"], "shutdown");
    assert_eq!((car_socket.closed().await.0, driver.closed().await.0), (1001, 1001));
}
