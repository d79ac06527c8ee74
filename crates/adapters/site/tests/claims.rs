//! Cars that nobody owns yet, and those whose owner gives them away.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use common::{Reply, Server, Socket, TestCar, software};
use rccar_site::{Options, PublicUrl, TokenHash};
use serde_json::{Value, json};

const CODE: &str = "K7QP-2VXH";

async fn waiting(server: &Server, car: &TestCar) -> Socket {
    let mut socket = Socket::open(server, "/ws/car", &[]).await.unwrap();
    car.register(&mut socket, &server.address.to_string(), None).await;
    assert_eq!(socket.next_json().await, json!({"type": "unclaimed"}));
    socket
}

async fn claim(server: &Server, cookie: &str, code: &str) -> Reply {
    let headers = [("content-type", "application/json"), ("cookie", cookie)];
    server.request("POST", "/api/v1/claims", &headers, &json!({ "code": code }).to_string()).await
}

async fn revoke(server: &Server, cookie: &str, id: &str) -> Reply {
    server.request("DELETE", &format!("/api/v1/cars/{id}"), &[("cookie", cookie)], "").await
}

/// The first list that satisfies `fits`.
async fn list(driver: &mut Socket, fits: impl Fn(&Value) -> bool) -> Value {
    loop {
        let cars = driver.next_of("cars").await["cars"].clone();
        if fits(&cars) {
            return cars;
        }
    }
}

#[tokio::test]
async fn whoever_types_the_code_owns_the_car_and_the_same_socket_goes_on() {
    let (server, car) = (Server::start().await, TestCar::with_code(1, CODE));
    let mut socket = waiting(&server, &car).await;
    let mut driver = server.driver("Ada").await;
    socket.send_json(&json!({"type": "ping", "id": 7})).await;
    assert_eq!(socket.next_json().await, json!({"type": "pong", "id": 7}));

    let reply = claim(&server, &server.cookie("Ada").await, "k7qp 2vxh").await;
    assert_eq!(
        (reply.status, reply.json()),
        (201, json!({"car": car.key().id(), "name": "red car"}))
    );
    assert_eq!(socket.next_json().await["type"], "registered");
    let cars = list(&mut driver, |cars| cars[0]["presence"] == "available").await;
    assert_eq!(cars[0]["owner"], "Ada");
    driver.send_json(&json!({"type": "connect", "car": car.key().id()})).await;
    assert_eq!(socket.next_of("connect").await["driver"], "Ada");
    // The code is spent.
    assert_eq!(claim(&server, &server.cookie("Bob").await, CODE).await.code(), "no-such-code");
}

#[tokio::test]
async fn before_it_is_claimed_a_car_can_neither_be_seen_nor_speak() {
    let (server, car) = (Server::start().await, TestCar::with_code(1, CODE));
    let mut socket = waiting(&server, &car).await;
    let cookie = server.cookie("Ada").await;
    let mut driver = Socket::open(&server, "/ws/driver", &[("cookie", &cookie)]).await.unwrap();
    driver.send(r#"{"type":"hello","v":1}"#).await;
    assert_eq!(driver.next_json().await["cars"], json!([]));
    socket
        .send_json(&json!({"type": "bye", "session": "00c0ffee00c0ffee", "reason": "car-left"}))
        .await;
    assert_eq!(socket.next_json().await["code"], "out-of-order");
}

#[tokio::test]
async fn wrong_codes_are_throttled_and_signing_in_is_not() {
    let server = Server::start().await;
    let _socket = waiting(&server, &TestCar::with_code(1, CODE)).await;
    let cookie = server.cookie("Ada").await;
    for _ in 0..5 {
        assert_eq!(claim(&server, &cookie, "0000-0000").await.code(), "no-such-code");
    }
    let throttled = claim(&server, &cookie, CODE).await;
    assert_eq!((throttled.status, throttled.code().as_str()), (429, "too-many-attempts"));
    assert!(throttled.header("retry-after").is_some());
    server.cookie("Ada").await;
}

#[tokio::test]
async fn what_cannot_be_a_code_is_a_slip_and_not_a_guess() {
    let server = Server::start().await;
    let cookie = server.cookie("Ada").await;
    for _ in 0..10 {
        let reply = claim(&server, &cookie, "K7QP").await;
        assert_eq!((reply.status, reply.code().as_str()), (400, "malformed"));
        assert!(reply.json()["text"].as_str().unwrap().contains("K7QP-2VXH"));
    }
    assert_eq!(claim(&server, "", CODE).await.status, 401);
}

#[tokio::test]
async fn a_car_that_is_gone_cannot_be_claimed_and_its_newer_connection_can() {
    let (server, car) = (Server::start().await, TestCar::with_code(1, CODE));
    let mut older = waiting(&server, &car).await;
    let newer = waiting(&server, &TestCar::with_code(1, "0000-0001")).await;
    assert_eq!(older.closed().await.0, 4409);
    let cookie = server.cookie("Ada").await;
    assert_eq!(claim(&server, &cookie, CODE).await.code(), "no-such-code");
    drop(newer);
    // Its code is free again as soon as the host has noticed.
    common::eventually("the car is forgotten", async {
        loop {
            let mut socket = Socket::open(&server, "/ws/car", &[]).await.unwrap();
            TestCar::with_code(2, "0000-0001")
                .register(&mut socket, &server.address.to_string(), None)
                .await;
            if socket.next_json().await["type"] == "unclaimed" {
                break;
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_second_car_with_the_same_code_is_sent_away() {
    let server = Server::start().await;
    let _first = waiting(&server, &TestCar::with_code(1, CODE)).await;
    let mut socket = Socket::open(&server, "/ws/car", &[]).await.unwrap();
    TestCar::with_code(2, CODE).register(&mut socket, &server.address.to_string(), None).await;
    assert_eq!(socket.closed().await, (4403, vec!["not-enrolled".to_owned()]));
}

#[tokio::test]
async fn one_address_does_not_fill_the_waiting_room() {
    let server = Server::start().await;
    let mut sockets = Vec::new();
    for seed in 0..8 {
        sockets.push(waiting(&server, &TestCar::with_code(seed, &format!("0000-000{seed}"))).await);
    }
    let mut ninth = Socket::open(&server, "/ws/car", &[]).await.unwrap();
    TestCar::with_code(9, "0000-0009")
        .register(&mut ninth, &server.address.to_string(), None)
        .await;
    assert_eq!(ninth.closed().await, (4403, vec!["not-enrolled".to_owned()]));
}

#[tokio::test]
async fn a_token_wins_over_the_code() {
    let (server, car) = (Server::start().await, TestCar::with_code(1, CODE));
    server.backend.enrolments.lock().unwrap().push(TokenHash::of("token"));
    let mut socket = Socket::open(&server, "/ws/car", &[]).await.unwrap();
    car.register(&mut socket, &server.address.to_string(), Some("token")).await;
    assert_eq!(socket.next_json().await["type"], "registered");
    assert_eq!(claim(&server, &server.cookie("Ada").await, CODE).await.code(), "no-such-code");
}

#[tokio::test]
async fn only_the_owner_revokes_and_the_car_is_sent_away_at_once() {
    let (server, car) = (Server::start().await, TestCar::with_code(1, CODE));
    let mut socket = waiting(&server, &car).await;
    let (ada, bob, id) = (server.cookie("Ada").await, server.cookie("Bob").await, car.key().id());
    claim(&server, &ada, CODE).await;
    let mut driver = server.driver("Bob").await;
    assert_eq!(revoke(&server, &bob, id.as_str()).await.code(), "no-such-car", "not his");
    assert_eq!(revoke(&server, "", id.as_str()).await.code(), "not-signed-in");
    assert_eq!(revoke(&server, &ada, "nonsense").await.code(), "no-such-car");
    assert_eq!(revoke(&server, &ada, id.as_str()).await.status, 204);
    list(&mut driver, |cars| *cars == json!([])).await;
    assert_eq!(socket.closed().await.0, 4403);
    let foreign = [("cookie", ada.as_str()), ("origin", "http://evil.example")];
    let reply = server.request("DELETE", &format!("/api/v1/cars/{id}"), &foreign, "").await;
    assert_eq!(reply.code(), "foreign-origin");
}

#[tokio::test]
async fn the_file_for_the_card_comes_with_the_token() {
    let server = Server::start().await;
    let cookie = server.cookie("Ada").await;
    let headers = [("content-type", "application/json"), ("cookie", cookie.as_str())];
    let wish = r#"{"name":"Blitz","url":"http://192.0.2.7:8080"}"#;
    let reply = server.request("POST", "/api/v1/enrolments", &headers, wish).await.json();
    let parsed = rccar_provision::parse(reply["provision"].as_str().unwrap().as_bytes());
    assert_eq!(parsed.faults, []);
    assert_eq!(parsed.settings.host.token.as_deref(), reply["token"].as_str());
    assert_eq!(parsed.settings.host.url, Some("http://192.0.2.7:8080".to_owned()));
    assert_eq!(reply["url"], "http://192.0.2.7:8080");
    assert_eq!(parsed.settings.car.name.as_deref(), Some("Blitz"));
    assert_eq!(
        server.get("/api/v1/status").await.code(),
        "not-offered",
        "a host has no status of a car"
    );
}

#[tokio::test]
async fn an_address_that_means_the_car_itself_is_asked_for_and_never_written() {
    let server = Server::start().await;
    let cookie = server.cookie("Ada").await;
    let headers = [("content-type", "application/json"), ("cookie", cookie.as_str())];
    let reply = server.request("POST", "/api/v1/enrolments", &headers, "{}").await.json();
    assert_eq!(reply["url"], json!(null), "the page was opened at 127.0.0.1");
    let parsed = rccar_provision::parse(reply["provision"].as_str().unwrap().as_bytes());
    assert_eq!((parsed.settings.host.url, parsed.faults.len()), (None, 1));
    assert!(parsed.faults[0].what.contains("url"), "{:?}", parsed.faults);
    for (said, words) in [
        ("http://localhost:8080", "the car itself"),
        ("http://host.lan", "in numbers"),
        ("host", "https://name"),
    ] {
        let wish = json!({ "url": said }).to_string();
        let refused = server.request("POST", "/api/v1/enrolments", &headers, &wish).await;
        assert_eq!((refused.status, refused.code().as_str()), (422, "bad-address"));
        assert!(refused.json()["text"].as_str().unwrap().contains(words), "{said}");
    }
}

#[tokio::test]
async fn addresses_of_the_machine_are_offered_to_people_who_add_a_car() {
    let listens = vec!["127.0.0.1:8080".parse().unwrap(), "192.0.2.7:8080".parse().unwrap()];
    let server = Server::start_as(Options { listens, ..Options::new(software()) }).await;
    let unknown = server.get("/api/v1/addresses").await;
    assert_eq!(unknown.code(), "not-signed-in");
    let cookie = server.cookie("Ada").await;
    let reply = server.request("GET", "/api/v1/addresses", &[("cookie", &cookie)], "").await;
    // The page was opened at 127.0.0.1, which would be the car itself.
    assert_eq!(
        reply.json(),
        json!({ "addresses": ["http://192.0.2.7:8080"], "local_only": false })
    );
}

#[tokio::test]
async fn a_host_that_only_its_own_machine_reaches_says_so() {
    let listens = vec!["127.0.0.1:8080".parse().unwrap()];
    let server = Server::start_as(Options { listens, ..Options::new(software()) }).await;
    let cookie = server.cookie("Ada").await;
    let reply = server.request("GET", "/api/v1/addresses", &[("cookie", &cookie)], "").await;
    assert_eq!(reply.json(), json!({ "addresses": [], "local_only": true }));
}

#[tokio::test]
async fn a_host_with_a_public_address_offers_that_one_only() {
    let listens = vec!["192.0.2.7:8080".parse().unwrap()];
    let public_url = PublicUrl::try_from("http://cars.example".to_owned()).ok();
    let server =
        Server::start_as(Options { listens, public_url, ..Options::new(software()) }).await;
    let headers = [("content-type", "application/json"), ("host", "cars.example")];
    let body = r#"{"name":"Ada","password":"right password"}"#;
    let reply = server.request("POST", "/api/v1/sign-in", &headers, body).await;
    let cookie = reply.header("set-cookie").unwrap().split(';').next().unwrap();
    let headers = [("cookie", cookie), ("host", "cars.example")];
    let reply = server.request("GET", "/api/v1/addresses", &headers, "").await;
    assert_eq!(reply.json(), json!({ "addresses": ["http://cars.example"], "local_only": false }));
}
