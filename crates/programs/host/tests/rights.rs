//! What admins and members may do.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

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
