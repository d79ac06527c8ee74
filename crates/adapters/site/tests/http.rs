//! The HTTP interface.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use common::{Server, Socket, name};
use rccar_site::{Limits, Shares};

const MANY: Shares =
    Shares { total: 1_000, per_address: 1_000, per_site: 1_000, per_network: 1_000 };
const JSON: (&str, &str) = ("content-type", "application/json");

#[tokio::test]
async fn signing_in_gives_a_cookie_that_pages_cannot_read() {
    let server = Server::start().await;
    let reply =
        server.post("/api/v1/sign-in", r#"{"name":"Ada","password":"right password"}"#).await;
    assert_eq!(reply.status, 204);
    let cookie = reply.header("set-cookie").unwrap();
    for attribute in ["rccar_session=", "HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=2592000"]
    {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    let state = server
        .request("GET", "/api/v1/sign-in", &[("cookie", cookie.split(';').next().unwrap())], "")
        .await
        .json();
    assert_eq!(state["signed_in"], true);
    assert_eq!(state["user"], "Ada");
    assert_eq!(state["mode"], "host");
    assert_eq!(state["sign_in"], "password");
}

#[tokio::test]
async fn without_a_cookie_nobody_is_signed_in() {
    let server = Server::start().await;
    let state = server.get("/api/v1/sign-in").await.json();
    assert_eq!((&state["signed_in"], &state["user"]), (&false.into(), &serde_json::Value::Null));
    assert_eq!(server.get("/api/v1/session").await.json(), state, "the address of release 0.1.0");
    let reply = server.post("/api/v1/enrolments", "{}").await;
    assert_eq!((reply.status, reply.code().as_str()), (401, "not-signed-in"));
}

#[tokio::test]
async fn failed_attempts_have_to_wait() {
    let server = Server::start().await;
    let body = r#"{"name":"Ada","password":"wrong"}"#;
    for _ in 0..5 {
        let reply = server.post("/api/v1/sign-in", body).await;
        assert_eq!((reply.status, reply.code().as_str()), (401, "wrong-credentials"));
    }
    let reply = server.post("/api/v1/sign-in", body).await;
    assert_eq!((reply.status, reply.code().as_str()), (429, "too-many-attempts"));
    assert!(reply.header("retry-after").is_some());
}

#[tokio::test]
async fn signing_out_forgets_the_cookie_and_closes_the_page_socket() {
    let server = Server::start().await;
    let cookie = server.cookie("Ada").await;
    let mut socket = Socket::open(&server, "/ws/driver", &[("cookie", &cookie)]).await.unwrap();
    socket.send(r#"{"type":"hello","v":1}"#).await;
    socket.next_of("welcome").await;
    let reply = server.request("DELETE", "/api/v1/sign-in", &[("cookie", &cookie)], "").await;
    assert_eq!(reply.status, 204);
    assert!(reply.header("set-cookie").unwrap().contains("Max-Age=0"));
    assert_eq!(socket.closed().await.0, 4401);
    let state = server.request("GET", "/api/v1/sign-in", &[("cookie", &cookie)], "").await.json();
    assert_eq!(state["signed_in"], false);
}

#[tokio::test]
async fn a_sign_in_link_signs_in() {
    let server = Server::start().await;
    assert_eq!(server.post("/api/v1/link", r#"{"token":"link"}"#).await.status, 204);
    let reply = server.post("/api/v1/link", r#"{"token":"other"}"#).await;
    assert_eq!((reply.status, reply.code().as_str()), (401, "wrong-token"));
}

#[tokio::test]
async fn an_enrolment_comes_with_the_configuration_for_the_car() {
    let server = Server::start().await;
    let cookie = server.cookie("Ada").await;
    let reply =
        server.request("POST", "/api/v1/enrolments", &[JSON, ("cookie", &cookie)], "{}").await;
    assert_eq!(reply.status, 201);
    let (json, address) = (reply.json(), server.address);
    let token = json["token"].as_str().unwrap();
    assert_eq!(
        json["config"],
        format!("[host]\nurl = \"http://{address}\"\nenrolment = \"{token}\"\n")
    );
    assert!(json["expires_at"].is_u64());
}

#[tokio::test]
async fn foreign_pages_change_nothing() {
    let server = Server::start().await;
    let body = r#"{"name":"Ada","password":"right password"}"#;
    for header in
        [("origin", "http://evil.example"), ("origin", "null"), ("sec-fetch-site", "cross-site")]
    {
        let reply = server.request("POST", "/api/v1/sign-in", &[JSON, header], body).await;
        assert_eq!((reply.status, reply.code().as_str()), (403, "foreign-origin"), "{header:?}");
    }
    assert_eq!(
        server
            .request("DELETE", "/api/v1/sign-in", &[("origin", "http://evil.example")], "")
            .await
            .status,
        403
    );
    let own = format!("http://{}", server.address);
    assert_eq!(
        server.request("POST", "/api/v1/sign-in", &[JSON, ("origin", &own)], body).await.status,
        204
    );
}

#[tokio::test]
async fn bad_requests_are_answered_in_words() {
    let server = Server::start().await;
    let cases = [
        ("POST", "/api/v1/sign-in", "application/json", "{", 400, "malformed"),
        ("POST", "/api/v1/sign-in", "application/json", r#"{"name":"Ada"}"#, 400, "malformed"),
        ("POST", "/api/v1/sign-in", "text/plain", "{}", 415, "not-json"),
        ("PUT", "/api/v1/sign-in", "application/json", "{}", 405, "method-not-allowed"),
        ("GET", "/api/v1/nothing", "application/json", "", 404, "not-found"),
        (
            "POST",
            "/api/v1/setup",
            "application/json",
            r#"{"token":"t","name":"A","password":"p"}"#,
            409,
            "set-up-already",
        ),
        (
            "POST",
            "/api/v1/setup",
            "application/json",
            r#"{"token":"t","name":"","password":"p"}"#,
            400,
            "malformed",
        ),
    ];
    for (method, path, kind, body, status, code) in cases {
        let reply = server.request(method, path, &[("content-type", kind)], body).await;
        assert_eq!((reply.status, reply.code().as_str()), (status, code), "{method} {path} {body}");
    }
    let reply = server.post("/api/v1/sign-in", &"x".repeat(17 * 1024)).await;
    assert_eq!((reply.status, reply.code().as_str()), (413, "too-large"));
}

#[tokio::test]
async fn the_page_and_every_answer_carry_security_headers() {
    let server = Server::start().await;
    for path in ["/", "/api/v1/sign-in", "/none.js", "/healthz"] {
        let reply = server.get(path).await;
        assert!(
            reply.header("content-security-policy").unwrap().contains("frame-ancestors 'none'"),
            "{path}"
        );
        assert_eq!(reply.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(reply.header("referrer-policy"), Some("no-referrer"));
    }
    assert_eq!(server.get("/").await.header("content-type"), Some("text/html; charset=utf-8"));
}

#[tokio::test]
async fn connections_that_send_no_request_do_not_keep_others_out() {
    let server = Server::start_with(Limits { requests: MANY, ..Limits::default() }).await;
    let mut idle = vec![];
    for _ in 0..100 {
        idle.push(tokio::net::TcpStream::connect(server.address).await.unwrap());
    }
    assert!(server.is_alive().await);
}

#[tokio::test]
async fn a_driver_may_have_any_legal_name() {
    let server = Server::start().await;
    server
        .backend
        .sign_ins
        .lock()
        .unwrap()
        .insert(rccar_site::TokenHash::of("x"), name("Zoë \\ O'Neil"));
    let reply =
        server.request("GET", "/api/v1/sign-in", &[("cookie", "rccar_session=x")], "").await;
    assert_eq!(reply.json()["user"], "Zoë \\ O'Neil");
}
