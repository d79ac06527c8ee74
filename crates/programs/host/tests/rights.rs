//! What admins and members may do.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use common::car::{Socket, key, next, next_of, open, register, send};
use common::{Host, token, words};
use serde_json::{Value, json};

/// The cookie of a user whom an admin adds on the page, and who chooses a password by the link.
fn join(host: &Host, admin: &str, name: &str) -> String {
    let body = json!({"name": name, "role": "member"}).to_string();
    let reply = host.post("/api/v1/people", admin, &body);
    assert_eq!(reply.status, 201, "{reply:?}");
    let link: Value = serde_json::from_str(&reply.body).unwrap();
    let body = json!({"token": link["token"], "password": "battery staple"}).to_string();
    let reply = host.post("/api/v1/password-link", "", &body);
    assert_eq!(reply.status, 204, "{reply:?}");
    reply.cookie.unwrap()
}

fn people(host: &Host, cookie: &str) -> Vec<(String, String)> {
    let reply = host.request("GET", "/api/v1/people", cookie, "");
    let list: Value = serde_json::from_str(&reply.body).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let people = list["people"].as_array().unwrap().iter();
    people.map(|one| (text(&one["name"]), text(&one["role"]))).collect()
}

#[test]
fn row_4_members_neither_steer_releases_nor_manage_people() {
    let host = Host::start();
    let ada = host.set_up();
    let bob = join(&host, &ada, "Bob");
    assert_eq!(host.sign_in_state(&ada)["role"], "admin");
    assert_eq!(host.sign_in_state(&bob)["role"], "member");
    for (method, path) in [
        ("GET", "/api/v1/releases"),
        ("POST", "/api/v1/releases?channel=stable&rollout=100"),
        ("PATCH", "/api/v1/releases/1.0.0"),
        ("DELETE", "/api/v1/releases/1.0.0"),
        ("GET", "/api/v1/people"),
        ("PATCH", "/api/v1/people/Bob"),
        ("DELETE", "/api/v1/people/Ada"),
        ("POST", "/api/v1/people/Ada/password-link"),
    ] {
        let reply = host.request(method, path, &bob, r#"{"role":"admin","paused":true}"#);
        assert_eq!(reply.status, 403, "{method} {path}: {reply:?}");
        assert!(reply.body.contains("only an admin"), "{reply:?}");
    }
    assert_eq!(
        people(&host, &ada),
        [("Ada".into(), "admin".into()), ("Bob".into(), "member".into())]
    );
}

#[test]
fn row_4_an_admin_makes_more_admins_and_the_last_one_stays() {
    let host = Host::start();
    let ada = host.set_up();
    let bob = join(&host, &ada, "Bob");
    let role = |cookie: &str, name: &str, role: &str| {
        let path = format!("/api/v1/people/{name}");
        host.request("PATCH", &path, cookie, &json!({"role": role}).to_string())
    };
    let refused = role(&ada, "Ada", "member");
    assert_eq!(refused.status, 409);
    assert!(refused.body.contains("last-admin"), "{refused:?}");
    assert_eq!(host.request("DELETE", "/api/v1/people/Ada", &ada, "").status, 409);
    for command in [&["user", "role", "ada", "member"][..], &["user", "remove", "Ada"]] {
        let output = host.command(command).output().unwrap();
        assert!(!output.status.success());
        assert!(words(&output).contains("the only admin"), "{}", words(&output));
    }
    assert_eq!(role(&ada, "Bob", "admin").status, 204);
    // Bob is an admin with the sign-in that he has, and takes the role from Ada.
    assert_eq!(role(&bob, "Ada", "member").status, 204);
    assert_eq!(role(&ada, "Bob", "member").status, 403);
    assert_eq!(role(&bob, "Eve", "admin").status, 404);
}

#[test]
fn row_4_an_admin_removes_somebody_and_hands_the_cars_on() {
    let host = Host::start();
    let ada = host.set_up();
    let bob = join(&host, &ada, "Bob J");
    assert_eq!(host.request("DELETE", "/api/v1/people/Bob%20J?cars_to=Eve", &ada, "").status, 404);
    let own = host.request("DELETE", "/api/v1/people/Bob%20J?cars_to=Bob%20J", &ada, "");
    assert_eq!(own.status, 409, "{own:?}");
    assert_eq!(host.request("DELETE", "/api/v1/people/Bob%20J?cars_to=Ada", &ada, "").status, 204);
    assert_eq!(host.sign_in_state(&bob)["signed_in"], false);
    assert_eq!(people(&host, &ada).len(), 1);
    // A link of the page's is as good as one of the command line, and withdraws that.
    let link = host.admin(&["password-link", "--user", "Ada"]);
    assert_eq!(host.post("/api/v1/people/Ada/password-link", &ada, "").status, 201);
    let body = json!({"token": token(&link, "token="), "password": "other words"}).to_string();
    assert_eq!(host.post("/api/v1/password-link", "", &body).status, 401);
}

/// An open page that has said hello, and what it sees: names and roles.
async fn page(host: &Host, cookie: &str) -> (Socket, Vec<(String, String)>) {
    let mut page = open(host, "/ws/driver", cookie).await;
    send(&mut page, &json!({"type": "hello", "v": 1})).await;
    let welcome = next(&mut page).await.unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let cars = welcome["cars"].as_array().unwrap().iter();
    (page, cars.map(|car| (text(&car["name"]), text(&car["role"]))).collect())
}

/// A car of Ada's, and the pages of Ada and Bob, who drives it: what the page is told of the drive.
async fn shared_car(host: &Host) -> (Socket, String, [String; 2]) {
    let ada = host.set_up();
    let bob = join(host, &ada, "Bob");
    let enrolment: Value =
        serde_json::from_str(&host.post("/api/v1/enrolments", &ada, "{}").body).unwrap();
    let (_, car) = register(host, 1, enrolment["token"].as_str()).await;
    (car, key(1).id().to_string(), [ada, bob])
}

#[tokio::test]
async fn row_4_drives_obey_the_rights() {
    let host = Host::start();
    let (mut car, id, [ada, bob]) = shared_car(&host).await;
    let share = |cookie: &str, role: &str| {
        let path = format!("/api/v1/cars/{id}/shares/bob");
        host.request("PUT", &path, cookie, &json!({"role": role}).to_string()).status
    };
    assert_eq!(page(&host, &bob).await.1, [], "a new car is its owner's alone");
    assert_eq!(share(&bob, "driver"), 404, "he does not know it");
    assert_eq!(share(&ada, "owner"), 400);
    assert_eq!(share(&ada, "spectator"), 204);
    let (mut bobs, seen) = page(&host, &bob).await;
    assert_eq!(seen, [("red car".into(), "spectator".into())]);
    let connect = json!({"type": "connect", "car": id});
    send(&mut bobs, &connect).await;
    assert_eq!(next_of(&mut bobs, "error").await["code"], "forbidden");
    assert_eq!(host.request("DELETE", &format!("/api/v1/cars/{id}"), &bob, "").status, 403);

    assert_eq!(share(&ada, "driver"), 204);
    send(&mut bobs, &connect).await;
    let session = next_of(&mut bobs, "connecting").await["session"].clone();
    assert_eq!(next_of(&mut car, "connect").await["driver"], "Bob");

    // The owner waits, is not let in, and takes the car back.
    let (mut adas, _) = page(&host, &ada).await;
    send(&mut adas, &connect).await;
    assert_eq!(next_of(&mut adas, "error").await["code"], "car-busy");
    let wanted = next_of(&mut bobs, "wanted").await;
    assert_eq!((&wanted["by"], &wanted["idle_s"]), (&"Ada".into(), &300.into()));
    send(&mut adas, &json!({"type": "connect", "car": id, "take": true})).await;
    let bye = next_of(&mut bobs, "bye").await;
    assert_eq!(
        bye,
        json!({"type": "bye", "session": session, "reason": "taken-back", "by": "Ada"})
    );
    assert_eq!(next_of(&mut car, "bye").await["reason"], "taken-back");
    assert_eq!(next_of(&mut car, "connect").await["take"], true);
    let session = next_of(&mut adas, "connecting").await["session"].clone();
    send(&mut adas, &json!({"type": "bye", "session": session, "reason": "driver-left"})).await;
    assert_eq!(next_of(&mut car, "bye").await["reason"], "driver-left");

    // Bob drives again until the right is taken back, by a command this time.
    send(&mut bobs, &connect).await;
    next_of(&mut bobs, "connecting").await;
    host.admin(&["car", "share", &id, "--user", "bob", "--role", "none"]);
    assert_eq!(next_of(&mut bobs, "bye").await["reason"], "revoked");
    send(&mut bobs, &connect).await;
    assert_eq!(next_of(&mut bobs, "error").await["code"], "no-such-car");
}

#[tokio::test]
async fn row_4_whoever_is_removed_on_the_page_is_sent_away_at_once() {
    let host = Host::start();
    let ada = host.set_up();
    let bob = join(&host, &ada, "Bob");
    let mut bobs = page(&host, &bob).await.0;
    assert_eq!(host.request("DELETE", "/api/v1/people/bob", &ada, "").status, 204);
    loop {
        match next(&mut bobs).await {
            Ok(_) => {}
            Err(code) => break assert_eq!(code, 4401),
        }
    }
}

#[tokio::test]
async fn row_4_admins_count_as_owners_and_only_while_they_are_admins() {
    let host = Host::start();
    let (_car, id, [_, bob]) = shared_car(&host).await;
    let mut bobs = page(&host, &bob).await.0;
    host.admin(&["user", "role", "Bob", "admin"]);
    let told = next_of(&mut bobs, "cars").await;
    assert_eq!(told["cars"][0]["role"], "owner");
    send(&mut bobs, &json!({"type": "connect", "car": id})).await;
    next_of(&mut bobs, "connecting").await;
    host.admin(&["user", "role", "Bob", "member"]);
    assert_eq!(next_of(&mut bobs, "bye").await["reason"], "revoked");
}
