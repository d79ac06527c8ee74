//! Row 9: a host with a public address answers under that name only, and says so to browsers.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use common::{Server, Socket, TestCar, software};
use rccar_site::{Options, Proxies, ProxyHeader, PublicUrl};

const HOST: (&str, &str) = ("host", "rccar.example");
const JSON: (&str, &str) = ("content-type", "application/json");
const SIGN_IN: &str = r#"{"name":"Ada","password":"right password"}"#;

async fn start_at(public: &str) -> Server {
    let public_url = Some(PublicUrl::try_from(public.to_owned()).unwrap());
    Server::start_as(Options { public_url, ..Options::new(software()) }).await
}

#[tokio::test]
async fn row_9_other_names_are_misdirected() {
    let server = start_at("https://rccar.example").await;
    let address = server.address.to_string();
    for host in
        [address.as_str(), "rccar.example:80", "localhost", "evil.example", "a@rccar.example"]
    {
        for (method, path) in [("GET", "/"), ("POST", "/api/v1/sign-in"), ("GET", "/ws/driver")] {
            let reply = server.request(method, path, &[("host", host), JSON], SIGN_IN).await;
            assert_eq!(
                (reply.status, reply.code().as_str()),
                (421, "misdirected"),
                "{host} {path}"
            );
            assert!(reply.json()["text"].as_str().unwrap().contains("https://rccar.example"));
        }
    }
    let twice = [HOST, ("host", "evil.example")];
    assert!(matches!(server.request("GET", "/", &twice, "").await.status, 400 | 421));
    for host in ["rccar.example", "RCCAR.example:443"] {
        assert_eq!(server.request("GET", "/", &[("host", host)], "").await.status, 200, "{host}");
    }
    assert!(server.is_alive().await, "whatever watches over it asks by any name");
    let (status, _) = Socket::open(&server, "/ws/car", &[("host", &address)]).await.unwrap_err();
    assert_eq!(status, 421);
    Socket::open(&server, "/ws/car", &[HOST]).await.unwrap();
}

#[tokio::test]
async fn row_9_over_tls_the_cookie_is_the_hosts_alone_and_browsers_come_back_over_tls() {
    let server = start_at("https://rccar.example").await;
    let reply = server.request("POST", "/api/v1/sign-in", &[HOST, JSON], SIGN_IN).await;
    let cookie = reply.header("set-cookie").unwrap();
    assert!(cookie.starts_with("__Host-rccar_session="), "{cookie}");
    for attribute in ["; Secure", "; Path=/;", "; HttpOnly", "; SameSite=Strict"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    let value = cookie.split(';').next().unwrap();
    let signed_in = async |cookie: &str| {
        let headers = [HOST, ("cookie", cookie)];
        let reply = server.request("GET", "/api/v1/sign-in", &headers, "").await;
        reply.json()["signed_in"] == true
    };
    assert!(signed_in(value).await);
    assert!(!signed_in(value.strip_prefix("__Host-").unwrap()).await);
    for path in ["/", "/api/v1/sign-in", "/none"] {
        let reply = server.request("GET", path, &[HOST], "").await;
        assert_eq!(reply.header("strict-transport-security"), Some("max-age=31536000"), "{path}");
    }
    let plain = start_at("http://rccar.example").await;
    let reply = plain.request("POST", "/api/v1/sign-in", &[HOST, JSON], SIGN_IN).await;
    assert_eq!(reply.header("strict-transport-security"), None);
    let cookie = reply.header("set-cookie").unwrap();
    assert!(cookie.starts_with("rccar_session=") && !cookie.contains("Secure"), "{cookie}");
}

#[tokio::test]
async fn row_9_pages_of_the_same_name_without_tls_are_foreign() {
    let server = start_at("https://rccar.example").await;
    for (origin, status) in [
        ("https://rccar.example", 204),
        ("http://rccar.example", 403),
        ("https://rccar.example:8443", 403),
    ] {
        let headers = [HOST, JSON, ("origin", origin)];
        let reply = server.request("POST", "/api/v1/sign-in", &headers, SIGN_IN).await;
        assert_eq!(reply.status, status, "{origin}");
    }
}

#[tokio::test]
async fn row_9_a_car_signs_the_public_name_and_no_other() {
    let server = start_at("https://rccar.example").await;
    let car = TestCar::new(1);
    server.know(&car);
    let address = server.address.to_string();
    for (signed, answer) in [
        ("rccar.example", "registered"),
        ("rccar.example:443", "registered"),
        (address.as_str(), "error"),
        ("localhost", "error"),
        ("127.0.0.1", "error"),
    ] {
        let mut socket = Socket::open(&server, "/ws/car", &[HOST]).await.unwrap();
        car.register(&mut socket, signed, None).await;
        assert_eq!(socket.next_json().await["type"], answer, "{signed}");
    }
}

#[tokio::test]
async fn row_9_who_may_not_speak_plain_http_is_told_so_unless_a_proxy_speaks_for_him() {
    let refuse = Options { plain_http: |_| false, ..Options::new(software()) };
    let server = Server::start_as(refuse.clone()).await;
    let reply = server.post("/api/v1/sign-in", SIGN_IN).await;
    assert_eq!((reply.status, reply.code().as_str()), (403, "plain-http"));
    for words in ["TLS", "http.trusted_proxies", "http.allow_public_http"] {
        assert!(reply.body.contains(words), "{}", reply.body);
    }
    assert_eq!(Socket::open(&server, "/ws/car", &[]).await.unwrap_err().0, 403);
    let proxy = Proxies::new(vec!["127.0.0.1/32".parse().unwrap()], ProxyHeader::default());
    let server = Server::start_as(Options { trusted_proxies: proxy, ..refuse }).await;
    assert_eq!(server.post("/api/v1/sign-in", SIGN_IN).await.status, 204);
}
