//! What becomes of connections and drives when sign-ins end.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use common::{Server, Socket, TestCar};

const JSON: (&str, &str) = ("content-type", "application/json");

async fn page(server: &Server, cookie: &str) -> Socket {
    let mut socket = Socket::open(server, "/ws/driver", &[("cookie", cookie)]).await.unwrap();
    socket.send(r#"{"type":"hello","v":1}"#).await;
    socket.next_of("welcome").await;
    socket
}

async fn connect(page: &mut Socket, car: &TestCar) {
    let id = car.key().id();
    page.send(&format!(r#"{{"type":"connect","car":"{id}","trickle":true}}"#)).await;
    page.next_of("connecting").await;
}

#[tokio::test]
async fn row_10_signing_out_everywhere_else_closes_the_other_pages_and_ends_their_drives() {
    let server = Server::start().await;
    let car = TestCar::new(1);
    server.know(&car);
    let mut car_socket = server.car(&car).await;
    let (here, there) = (server.cookie("Ada").await, server.cookie("Ada").await);
    let others = server.cookie("Bob").await;
    let (mut this, mut lost) = (page(&server, &here).await, page(&server, &there).await);
    let mut bob = page(&server, &others).await;
    connect(&mut lost, &car).await;
    car_socket.next_of("connect").await;
    let reply = server.request("DELETE", "/api/v1/sign-ins", &[("cookie", &here)], "").await;
    assert_eq!(reply.status, 204, "{reply:?}");
    assert_eq!(lost.closed().await.0, 4401);
    assert_eq!(car_socket.next_of("bye").await["reason"], "revoked");
    for page in [&mut this, &mut bob] {
        page.send(r#"{"type":"ping","id":1}"#).await;
        page.next_of("pong").await;
    }
}

#[tokio::test]
async fn row_10_a_sign_in_that_ends_before_the_page_says_hello_gets_no_page() {
    let server = Server::start().await;
    let (here, there) = (server.cookie("Ada").await, server.cookie("Ada").await);
    let mut early = Socket::open(&server, "/ws/driver", &[("cookie", &there)]).await.unwrap();
    server.request("DELETE", "/api/v1/sign-ins", &[("cookie", &here)], "").await;
    early.send(r#"{"type":"hello","v":1}"#).await;
    assert_eq!(early.closed().await.0, 4401);
}

#[tokio::test]
async fn row_10_guesses_of_the_present_password_wait_and_keep_nobody_else_out() {
    let server = Server::start().await;
    let cookie = server.cookie("Ada").await;
    let change = async |present: &str| {
        let body = format!(r#"{{"present":"{present}","new":"another password"}}"#);
        let headers = [JSON, ("cookie", cookie.as_str())];
        server.request("POST", "/api/v1/account/password", &headers, &body).await
    };
    for _ in 0..5 {
        let reply = change("guess").await;
        assert_eq!((reply.status, reply.code().as_str()), (403, "wrong-password"));
    }
    let reply = change("right password").await;
    assert_eq!((reply.status, reply.code().as_str()), (429, "too-many-attempts"));
    server.cookie("Ada").await;
}
