//! Rows 10 and 12: who guesses has to wait, and nobody else has to for it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use common::{Server, software};
use rccar_site::{Options, Proxies, ProxyHeader};

const JSON: (&str, &str) = ("content-type", "application/json");
const RIGHT: &str = r#"{"name":"Ada","password":"right password"}"#;
const WRONG: &str = r#"{"name":"ada","password":"guess"}"#;

#[tokio::test]
async fn row_10_wrong_passwords_from_anywhere_do_not_lock_out_a_browser_that_was_signed_in() {
    let trusted_proxies =
        Proxies::new(vec!["127.0.0.1/32".parse().unwrap()], ProxyHeader::default());
    let server = Server::start_as(Options { trusted_proxies, ..Options::new(software()) }).await;
    let sign_in = async |from: &str, cookie: &str, body: &str| {
        let headers = [JSON, ("x-forwarded-for", from), ("cookie", cookie)];
        server.request("POST", "/api/v1/sign-in", &headers, body).await
    };
    let first = sign_in("192.0.2.1", "", RIGHT).await;
    let mut known = first.head.lines().filter_map(|line| line.strip_prefix("set-cookie: "));
    let known = known.find(|cookie| cookie.starts_with("rccar_known=")).unwrap();
    assert!(known.contains("HttpOnly") && known.contains("SameSite=Strict"), "{known}");
    let known = known.split(';').next().unwrap();
    for number in 0..20 {
        sign_in(&format!("198.51.100.{number}"), "", WRONG).await;
    }
    assert_eq!(sign_in("203.0.113.1", "", RIGHT).await.status, 429, "a new browser waits");
    assert_eq!(sign_in("203.0.113.1", known, RIGHT).await.status, 204);
    assert_eq!(sign_in("198.51.100.1", known, RIGHT).await.status, 204, "beside a guesser");
    for _ in 0..5 {
        assert_eq!(sign_in("203.0.113.1", known, WRONG).await.status, 401);
    }
    assert_eq!(sign_in("203.0.113.1", known, WRONG).await.status, 429, "it is no way around");
}
