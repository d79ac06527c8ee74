//! Who may ask for what.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use common::{Server, TestBackend, TestCar, name};
use rccar_protocol::signaling::CarRole;
use rccar_site::{EnrolledCar, Shared, rights};

/// Every route, and the least that one has to be for it. A new route fails the tests until somebody
/// has thought about it here, too.
const EXPECTED: &[(&str, &str, &str)] = &[
    ("GET", "/healthz", "stranger"),
    ("GET", "/ws/driver", "socket"),
    ("GET", "/ws/car", "socket"),
    ("GET", "/api/v1/sign-in", "stranger"),
    ("POST", "/api/v1/sign-in", "stranger"),
    ("DELETE", "/api/v1/sign-in", "stranger"),
    ("GET", "/api/v1/session", "stranger"),
    ("POST", "/api/v1/session", "stranger"),
    ("DELETE", "/api/v1/session", "stranger"),
    ("POST", "/api/v1/setup", "stranger"),
    ("POST", "/api/v1/link", "stranger"),
    ("POST", "/api/v1/password-link", "stranger"),
    ("GET", "/api/v1/status", "stranger"),
    ("GET", "/api/v1/account", "member"),
    ("POST", "/api/v1/account/password", "member"),
    ("DELETE", "/api/v1/sign-ins", "member"),
    ("DELETE", "/api/v1/sign-ins/{id}", "member"),
    ("POST", "/api/v1/enrolments", "member"),
    ("GET", "/api/v1/addresses", "member"),
    ("POST", "/api/v1/claims", "member"),
    ("DELETE", "/api/v1/cars/{id}", "owner"),
    ("POST", "/api/v1/cars/{id}/install", "owner"),
    ("GET", "/api/v1/cars/{id}/shares", "owner"),
    ("PUT", "/api/v1/cars/{id}/shares/{name}", "owner"),
    ("DELETE", "/api/v1/cars/{id}/shares/{name}", "owner"),
    ("PUT", "/api/v1/cars/{id}/everybody", "owner"),
    ("DELETE", "/api/v1/cars/{id}/everybody", "owner"),
    ("GET", "/api/v1/people", "admin"),
    ("POST", "/api/v1/people", "admin"),
    ("PATCH", "/api/v1/people/{name}", "admin"),
    ("DELETE", "/api/v1/people/{name}", "admin"),
    ("POST", "/api/v1/people/{name}/password-link", "admin"),
    ("GET", "/api/v1/releases", "admin"),
    ("POST", "/api/v1/releases", "admin"),
    ("PATCH", "/api/v1/releases/{version}", "admin"),
    ("DELETE", "/api/v1/releases/{version}", "admin"),
    ("GET", "/api/v1/car/releases/offer", "car"),
    ("GET", "/api/v1/car/releases/{version}/bundle", "car"),
];

/// From the least to the most.
const PEOPLE: [&str; 6] = ["stranger", "member", "spectator", "driver", "owner", "admin"];

#[test]
fn row_4_every_route_is_in_the_test_and_every_route_of_the_test_exists() {
    let table = rights::<TestBackend>();
    let table: Vec<_> = table.iter().map(|(method, path, _)| (*method, *path)).collect();
    let expected: Vec<_> = EXPECTED.iter().map(|(method, path, _)| (*method, *path)).collect();
    assert_eq!(table, expected);
}

#[tokio::test]
async fn row_4_each_route_answers_those_who_may_and_nobody_else() {
    let server = Server::start().await;
    let people = [("spectator", CarRole::Spectator), ("driver", CarRole::Driver)];
    let shared =
        Shared { everybody: None, people: people.map(|(user, role)| (name(user), role)).into() };
    let (id, owner) = (TestCar::new(1).key().id(), Some(name("owner")));
    let known = EnrolledCar { id, name: name("blue car"), owner, shared };
    let car = known.id.to_string();
    for &(method, path, least) in EXPECTED {
        let path = path
            .replace("/cars/{id}", &format!("/cars/{car}"))
            .replace("{id}", "none")
            .replace("{name}", "Bob")
            .replace("{version}", "1.0.0");
        for person in PEOPLE {
            // A request before may have given it away.
            *server.backend.cars.lock().unwrap() = vec![known.clone()];
            let cookie = match person {
                "stranger" => String::new(),
                "admin" => server.cookie("Root").await,
                name => server.cookie(name).await,
            };
            // The body is of no use to any route: whoever may ask is told so, or that this server
            // has none of that.
            let reply = server.request(method, &path, &[("cookie", &cookie)], "").await;
            let refused = match reply.status {
                401 if reply.code() == "not-signed-in" => Some("not signed in"),
                403 if reply.code() == "forbidden" => Some("forbidden"),
                404 if reply.code() == "no-such-car" => Some("no such car"),
                _ => None,
            };
            let rank = |who| PEOPLE.iter().position(|one| *one == who);
            let wanted = match (least, rank(person), rank(least)) {
                ("car", ..) => Some("not signed in"),
                (least, Some(rank), Some(needed)) if rank < needed => Some(match person {
                    "stranger" => "not signed in",
                    "member" if least == "owner" => "no such car",
                    _ => "forbidden",
                }),
                _ => None,
            };
            assert_eq!(refused, wanted, "{method} {path} for {person}: {reply:?}");
        }
    }
}

#[tokio::test]
async fn row_4_no_route_takes_changes_from_foreign_pages() {
    let server = Server::start().await;
    let cookie = server.cookie("Root").await;
    for &(method, path, _) in EXPECTED.iter().filter(|(method, ..)| *method != "GET") {
        let foreign = [("cookie", cookie.as_str()), ("origin", "http://evil.example")];
        let reply = server.request(method, path, &foreign, "").await;
        assert_eq!((reply.status, reply.code().as_str()), (403, "foreign-origin"), "{path}");
    }
    let reply = server.request("DELETE", "/healthz", &[], "").await;
    assert_eq!(reply.status, 405);
}
