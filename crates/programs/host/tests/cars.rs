//! Cars: enrolment, revocation, a driver who connects.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use common::car::{key, next, next_of, open, register, register_with, send};
use common::{Host, eventually};
use serde_json::{Value, json};

fn enrolment(host: &Host, args: &[&str]) -> Value {
    serde_json::from_str(&host.admin(&[&["enrol", "--json"], args].concat())).unwrap()
}

#[tokio::test]
async fn a_token_from_the_page_enrols_one_car() {
    let host = Host::start();
    let cookie = host.set_up();
    let reply = host.post("/api/v1/enrolments", &cookie, "{}");
    assert_eq!(reply.status, 201);
    let token =
        serde_json::from_str::<Value>(&reply.body).unwrap()["token"].as_str().unwrap().to_owned();
    assert_eq!(register(&host, 1, None).await.0["code"], "not-enrolled");
    assert_eq!(register(&host, 1, Some(&token)).await.0["type"], "registered");
    assert_eq!(register(&host, 2, Some(&token)).await.0["code"], "not-enrolled");
    assert_eq!(register(&host, 1, None).await.0["type"], "registered");
    assert!(host.admin(&["car", "list"]).contains("red car\tAda\tenrolled"));
}

#[tokio::test]
async fn a_token_from_the_command_line_names_the_car() {
    let host = Host::start();
    let enrolment = enrolment(&host, &["--name", "blue car"]);
    let (token, config) =
        (enrolment["token"].as_str().unwrap(), enrolment["config"].as_str().unwrap());
    assert!(config.contains(&format!("enrolment = \"{token}\"")), "{config}");
    let registered = register(&host, 1, Some(token)).await.0;
    assert_eq!(registered, json!({"type": "registered", "car": key(1).id(), "name": "blue car"}));
}

#[tokio::test]
async fn a_revoked_car_is_sent_away_at_once_and_stays_away() {
    let host = Host::start();
    let token = enrolment(&host, &[]);
    let (_, mut socket) = register(&host, 1, token["token"].as_str()).await;
    host.admin(&["car", "revoke", key(1).id().as_str()]);
    assert_eq!(next(&mut socket).await, Err(4403));
    assert_eq!(register(&host, 1, None).await.0["code"], "not-enrolled");
    assert!(host.admin(&["car", "list"]).contains("revoked"));
}

#[tokio::test]
async fn a_car_that_the_command_line_sends_away_is_claimed_by_another_account() {
    let host = Host::start();
    let ada = host.set_up();
    host.admin(&["user", "add", "Bob"]);
    let link = host.admin(&["sign-in-link", "--user", "Bob"]);
    let token = common::token(&link, "#/link?token=");
    let bob = host.post("/api/v1/link", "", &json!({ "token": token }).to_string()).cookie.unwrap();
    let claim = |cookie: &str, code: &str| {
        host.post("/api/v1/claims", cookie, &json!({ "code": code }).to_string()).status
    };

    let (first, mut socket) = register_with(&host, 1, &json!({"claim": "K7QP-2VXH"})).await;
    assert_eq!(first["type"], "unclaimed");
    assert_eq!(claim(&ada, "K7QP-2VXH"), 201);
    assert_eq!(next(&mut socket).await.unwrap()["type"], "registered");
    assert!(host.admin(&["car", "list"]).contains("red car\tAda\tenrolled"));
    let path = format!("/api/v1/cars/{}", key(1).id());
    assert_eq!(host.request("DELETE", &path, &bob, "").status, 404);

    host.admin(&["car", "revoke", key(1).id().as_str()]);
    assert_eq!(next(&mut socket).await, Err(4403));
    let (again, mut socket) = register_with(&host, 1, &json!({"claim": "0000-0001"})).await;
    assert_eq!(again["type"], "unclaimed");
    assert_eq!((claim(&bob, "K7QP-2VXH"), claim(&bob, "0000-0001")), (404, 201));
    assert_eq!(next(&mut socket).await.unwrap()["type"], "registered");
    assert!(host.admin(&["car", "list"]).contains("red car\tBob\tenrolled"));
    assert_eq!(host.request("DELETE", &path, &bob, "").status, 204);
    assert_eq!(next(&mut socket).await, Err(4403));
}

#[test]
fn the_command_line_prints_the_whole_file_for_a_card() {
    let host = Host::start();
    host.set_up();
    let file = host.admin(&[
        "enrol",
        "--name",
        "Blitz",
        "--owner",
        "Ada",
        "--url",
        "http://192.0.2.7:8080",
    ]);
    let parsed = rccar_provision::parse(file.as_bytes());
    assert_eq!((parsed.faults.len(), parsed.settings.car.name.as_deref()), (0, Some("Blitz")));
    assert!(parsed.settings.host.token.is_some() && file.contains("[wifi]"));
    let stranger = host.command(&["enrol", "--owner", "Eve"]).output().unwrap();
    assert!(
        common::words(&stranger).contains("--url"),
        "this host's own address is of no use to a car"
    );
    let stranger = host
        .command(&["enrol", "--owner", "Eve", "--url", "http://192.0.2.7:8080"])
        .output()
        .unwrap();
    assert!(common::words(&stranger).contains("there is no user Eve"));
    let looped = host.command(&["enrol", "--url", "http://localhost:8080"]).output().unwrap();
    assert!(common::words(&looped).contains("for the car, localhost is the car itself"));
}

#[tokio::test]
async fn a_driver_reaches_a_car_and_both_get_turn_credentials() {
    let host = Host::start();
    let cookie = host.set_up();
    let token = enrolment(&host, &[]);
    let (_, mut car) = register(&host, 1, token["token"].as_str()).await;
    let mut driver = open(&host, "/ws/driver", &cookie).await;
    send(&mut driver, &json!({"type": "hello", "v": 1})).await;
    let welcome = next(&mut driver).await.unwrap();
    assert_eq!(welcome["cars"][0]["presence"], "available");
    send(&mut driver, &json!({"type": "connect", "car": key(1).id()})).await;
    for (socket, kind, end) in [(&mut driver, "connecting", "driver"), (&mut car, "connect", "car")]
    {
        let message = next_of(socket, kind).await;
        let servers = message["ice_servers"].as_array().unwrap();
        assert!(
            servers[0]["urls"][0].as_str().unwrap().starts_with("stun:127.0.0.1:"),
            "{message}"
        );
        assert!(
            servers[1]["urls"][0].as_str().unwrap().starts_with("turn:127.0.0.1:"),
            "{message}"
        );
        assert_eq!(
            servers[1]["username"].as_str().unwrap().split_once(':').unwrap().1,
            format!("{}:{end}", message["session"].as_str().unwrap())
        );
        assert!(servers[1]["credential"].is_string());
    }
}

#[tokio::test]
async fn removing_a_user_ends_the_drive() {
    let host = Host::start();
    let cookie = host.set_up();
    let mut driver = open(&host, "/ws/driver", &cookie).await;
    send(&mut driver, &json!({"type": "hello", "v": 1})).await;
    next(&mut driver).await.unwrap();
    host.admin(&["user", "add", "Root"]);
    host.admin(&["user", "role", "Root", "admin"]);
    host.admin(&["user", "remove", "Ada"]);
    assert_eq!(next(&mut driver).await, Err(4401));
}

#[tokio::test]
async fn removing_a_user_whose_page_is_away_ends_the_drive() {
    let host = Host::start();
    let cookie = host.set_up();
    let token = enrolment(&host, &[]);
    let (_, mut car) = register(&host, 1, token["token"].as_str()).await;
    let mut driver = open(&host, "/ws/driver", &cookie).await;
    send(&mut driver, &json!({"type": "hello", "v": 1})).await;
    send(&mut driver, &json!({"type": "connect", "car": key(1).id()})).await;
    let session = next(&mut car).await.unwrap()["session"].clone();
    send(
        &mut car,
        &json!({"type": "offer", "session": session, "generation": 1, "sdp": "v=0\r\n"}),
    )
    .await;
    drop(driver);
    host.admin(&["user", "add", "Root"]);
    host.admin(&["user", "role", "Root", "admin"]);
    host.admin(&["user", "remove", "Ada"]);
    // Sooner than the grace of 15 s, after which it would be `driver-gone`.
    assert_eq!(
        next(&mut car).await,
        Ok(json!({"type": "bye", "session": session, "reason": "revoked"}))
    );
}

#[tokio::test]
async fn an_owner_starts_the_update_that_the_car_waits_to_be_asked_for() {
    let host = Host::start();
    let ada = host.set_up();
    host.admin(&["user", "add", "Bob"]);
    let link = host.admin(&["sign-in-link", "--user", "Bob"]);
    let token = common::token(&link, "#/link?token=");
    let bob = host.post("/api/v1/link", "", &json!({ "token": token }).to_string()).cookie.unwrap();
    let reply = host.post("/api/v1/enrolments", &ada, "{}");
    let token =
        serde_json::from_str::<Value>(&reply.body).unwrap()["token"].as_str().unwrap().to_owned();
    let (_, mut car) = register(&host, 1, Some(&token)).await;
    let path = format!("/api/v1/cars/{}/install", key(1).id());
    let ask = |cookie: &str, version: &str| {
        host.post(&path, cookie, &json!({ "version": version }).to_string()).status
    };

    assert_eq!(ask(&ada, "0.4.0"), 409, "the car has not said that it waits");
    let status =
        json!({"state": "waiting", "running": "0.3.1", "version": "0.4.0", "on_request": true});
    send(&mut car, &json!({"type": "update", "status": status})).await;
    // The host answers in order: with the answer, the status has been read.
    send(&mut car, &json!({"type": "ping", "id": 7})).await;
    assert_eq!(next_of(&mut car, "pong").await["id"], 7);
    assert_eq!(
        (ask("", "0.4.0"), ask(&bob, "0.4.0"), ask(&ada, "0.4.1"), ask(&ada, "newest")),
        (401, 404, 409, 400)
    );
    let nobody = format!("/api/v1/cars/{}/install", key(2).id());
    assert_eq!(host.post(&nobody, &ada, r#"{"version":"0.4.0"}"#).status, 404);
    assert_eq!(ask(&ada, "0.4.0"), 202);
    assert_eq!(next_of(&mut car, "install").await, json!({"type": "install", "version": "0.4.0"}));

    drop(car);
    eventually("the car is seen to be gone", || ask(&ada, "0.4.0") == 409);
}

#[tokio::test]
async fn a_host_that_stops_says_so() {
    let mut host = Host::start();
    let token = enrolment(&host, &[]);
    let (_, mut car) = register(&host, 1, token["token"].as_str()).await;
    host.stop();
    assert_eq!(next(&mut car).await, Err(1001));
    eventually("the log", || host.log().contains("asked to stop"));
}
