//! Releases: from the person who uploads to the car that fetches.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod common;

use common::bundles::{BOARD, Workshop};
use common::car::{Socket, key, next, next_of, open, register, send};
use common::{Host, eventually, words};
use serde_json::{Value, json};

const BINARY: (&str, &str) = ("content-type", "application/octet-stream");
const UPLOAD: &str = "/api/v1/releases?channel=stable&rollout=100";

fn upload(host: &Host, path: &str, cookie: &str, bundle: &[u8]) -> (u16, Value) {
    let (status, _, body) = host.transfer("POST", path, &[BINARY, ("cookie", cookie)], bundle);
    (status, serde_json::from_slice(&body).unwrap())
}

fn listed(host: &Host, cookie: &str) -> Vec<Value> {
    let (status, _, body) = host.transfer("GET", "/api/v1/releases", &[("cookie", cookie)], b"");
    assert_eq!(status, 200);
    serde_json::from_slice::<Value>(&body).unwrap()["releases"].as_array().unwrap().clone()
}

fn files(host: &Host) -> Vec<String> {
    let entries = std::fs::read_dir(host.directory.path().join("releases")).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// A car that has registered, with its token.
async fn car(host: &Host, seed: u8) -> (Socket, String) {
    let token: Value = serde_json::from_str(&host.admin(&["enrol", "--json"])).unwrap();
    let (registered, mut socket) = register(host, seed, token["token"].as_str()).await;
    assert_eq!(registered["type"], "registered");
    let access = next_of(&mut socket, "access").await;
    assert!(access["ttl_s"].as_u64().unwrap() >= 3_600, "{access}");
    (socket, format!("Bearer {}", access["token"].as_str().unwrap()))
}

fn offer(host: &Host, token: &str, running: &str) -> Option<Value> {
    let path =
        format!("/api/v1/car/releases/offer?channel=stable&compatible={BOARD}&running={running}");
    let (status, _, body) = host.transfer("GET", &path, &[("authorization", token)], b"");
    match status {
        200 => Some(serde_json::from_slice(&body).unwrap()),
        204 => None,
        other => panic!("{other}: {}", String::from_utf8_lossy(&body)),
    }
}

#[tokio::test]
async fn a_release_goes_from_the_page_to_a_car_as_a_whole_and_in_parts() {
    let host = Host::start();
    let Some(shop) = Workshop::open(&host) else { return };
    let cookie = host.set_up();
    let (bytes, file) = shop.bundle("0.4.0-dev.217", "own");
    let (status, release) =
        upload(&host, &format!("{UPLOAD}&notes=Less%20lag%0AQuieter"), &cookie, &bytes);
    assert_eq!(status, 201, "{release}");
    assert_eq!(
        (&release["version"], &release["compatible"]),
        (&json!("0.4.0-dev.217"), &json!(BOARD))
    );
    assert_eq!(
        (&release["signer"], &release["uploaded_by"], &release["rollout"]),
        (&json!("CN=own"), &json!("Ada"), &json!(100))
    );
    assert_eq!(listed(&host, &cookie), std::slice::from_ref(&release));

    let (_socket, token) = car(&host, 1).await;
    let offer = offer(&host, &token, "0.3.1").unwrap();
    let expected = json!({
        "version": "0.4.0-dev.217", "channel": "stable", "compatible": BOARD,
        "size": bytes.len(), "sha256": release["sha256"],
        "url": "/api/v1/car/releases/0.4.0-dev.217/bundle", "notes": "Less lag\nQuieter",
    });
    assert_eq!(offer, expected);
    rccar_protocol::release::ReleaseOffer::parse(&offer.to_string()).unwrap();

    let url = offer["url"].as_str().unwrap();
    let get = |headers: &[(&str, &str)]| {
        host.transfer("GET", url, &[&[("authorization", token.as_str())], headers].concat(), b"")
    };
    let (status, head, body) = get(&[]);
    assert_eq!((status, body == std::fs::read(&file).unwrap()), (200, true));
    let tag = head.lines().find_map(|line| line.strip_prefix("etag: ")).unwrap().to_owned();
    assert_eq!(tag, format!("\"{}\"", release["sha256"].as_str().unwrap()));
    assert!(head.contains("accept-ranges: bytes"), "{head}");

    let (status, head, body) = get(&[("range", "bytes=4096-8191")]);
    assert_eq!((status, body.as_slice()), (206, &bytes[4096..8192]));
    assert!(head.contains(&format!("content-range: bytes 4096-8191/{}", bytes.len())), "{head}");
    assert_eq!(get(&[("range", "bytes=-8")]).2, bytes[bytes.len() - 8..]);
    let rest = format!("bytes={}-", bytes.len() - 100);
    assert_eq!(get(&[("range", &rest), ("if-range", &tag)]).2, bytes[bytes.len() - 100..]);
    let (status, _, body) = get(&[("range", &rest), ("if-range", "\"another\"")]);
    assert_eq!((status, body.len()), (200, bytes.len()), "a part of another content is of no use");
    assert_eq!(get(&[("range", &format!("bytes={}-", bytes.len()))]).0, 416);
    // The file's time says nothing about its content.
    assert_eq!(get(&[("if-modified-since", "Fri, 01 Jan 2100 00:00:00 GMT")]).0, 200);
    let (status, head, body) = host.transfer("HEAD", url, &[("authorization", &token)], b"");
    assert_eq!((status, body.len()), (200, 0));
    assert!(head.contains(&format!("content-length: {}", bytes.len())), "{head}");
}

#[tokio::test]
async fn bundles_that_are_not_what_was_signed_are_refused_in_words_and_leave_nothing() {
    let host = Host::start();
    let Some(shop) = Workshop::open(&host) else { return };
    let cookie = host.set_up();
    shop.make(&["key", "other"]);
    let (good, _) = shop.bundle("1.0.0", "own");
    let mut altered = good.clone();
    altered[300_000] ^= 1;
    let refused = |bundle: &[u8]| upload(&host, UPLOAD, &cookie, bundle);
    for (bundle, reason) in [
        (altered, "not what was signed: from byte"),
        (good[..good.len() - 3].to_vec(), "no whole RAUC bundle"),
        (shop.bundle("1.0.0", "other").0, "signed by CN=other, whom this host does not trust"),
        (b"\xff\xd8\xff".to_vec(), "does not begin with a squashfs"),
    ] {
        let (status, error) = refused(&bundle);
        assert_eq!((status, &error["code"]), (422, &json!("bad-bundle")), "{error}");
        assert!(error["text"].as_str().unwrap().contains(reason), "{error}");
    }
    let (status, error) = refused(&vec![0; 16_000_001]);
    assert_eq!((status, &error["code"]), (413, &json!("too-large")));
    assert_eq!((files(&host), listed(&host, &cookie)), (vec![], vec![]));
    assert_eq!(refused(&good).0, 201);
    let (status, error) = refused(&good);
    assert_eq!((status, &error["code"]), (409, &json!("release-exists")));
    assert_eq!(files(&host).len(), 1);
}

#[tokio::test]
async fn an_upload_that_breaks_off_leaves_nothing() {
    use std::io::Write;
    let host = Host::start();
    let Some(_shop) = Workshop::open(&host) else { return };
    let cookie = host.set_up();
    let mut stream = std::net::TcpStream::connect(&host.address).unwrap();
    let head = format!(
        "POST {UPLOAD} HTTP/1.1\r\nhost: {}\r\ncookie: {cookie}\r\n\
         content-type: application/octet-stream\r\ncontent-length: 9999\r\n\r\n",
        host.address
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(b"the first bytes").unwrap();
    eventually("the upload to begin", || files(&host).len() == 1);
    // Another upload has to wait.
    assert_eq!(upload(&host, UPLOAD, &cookie, b"x").1["code"], "busy");
    drop(stream);
    eventually("the upload to end", || files(&host).is_empty());
}

#[tokio::test]
async fn only_signed_in_people_on_the_own_page_may_touch_releases() {
    let host = Host::start();
    let cookie = host.set_up();
    let own = ("cookie", cookie.as_str());
    let status = |method: &str, path: &str, headers: &[(&str, &str)]| {
        host.transfer(method, path, headers, b"{}").0
    };
    assert_eq!(status("GET", "/api/v1/releases", &[]), 401);
    assert_eq!(status("POST", UPLOAD, &[BINARY]), 401);
    assert_eq!(status("DELETE", "/api/v1/releases/1.0.0", &[]), 401);
    assert_eq!(
        status("PATCH", "/api/v1/releases/1.0.0", &[("content-type", "application/json")]),
        401
    );
    let foreign = ("origin", "http://evil.example");
    assert_eq!(status("POST", UPLOAD, &[own, BINARY, foreign]), 403);
    assert_eq!(status("DELETE", "/api/v1/releases/1.0.0", &[own, foreign]), 403);
    assert_eq!(
        status(
            "PATCH",
            "/api/v1/releases/1.0.0",
            &[own, ("content-type", "application/json"), foreign]
        ),
        403
    );
    assert_eq!(
        status("POST", UPLOAD, &[own, ("content-type", "text/plain")]),
        415,
        "what a form can send"
    );
    assert_eq!(status("POST", "/api/v1/releases?channel=A%20B&rollout=100", &[own, BINARY]), 400);
    assert_eq!(status("POST", "/api/v1/releases?channel=a&rollout=101", &[own, BINARY]), 400);
    assert_eq!(status("DELETE", "/api/v1/releases/1.0.0", &[own]), 404);
    assert_eq!(status("DELETE", "/api/v1/releases/newest", &[own]), 400);
}

#[tokio::test]
async fn people_steer_who_gets_a_release() {
    let host = Host::start();
    let Some(shop) = Workshop::open(&host) else { return };
    let cookie = host.set_up();
    let (_, file) = shop.bundle("1.0.0", "own");
    let added = host.admin(&[
        "release",
        "add",
        file.to_str().unwrap(),
        "--rollout",
        "0",
        "--notes",
        "first",
    ]);
    assert!(added.starts_with("1.0.0\t"), "{added}");
    let (_socket, token) = car(&host, 1).await;
    assert_eq!(offer(&host, &token, "0.1.0"), None, "for nobody yet");

    let patch = |body: &str| {
        let headers = [("cookie", cookie.as_str()), ("content-type", "application/json")];
        let (status, _, answer) =
            host.transfer("PATCH", "/api/v1/releases/1.0.0", &headers, body.as_bytes());
        (status, serde_json::from_slice::<Value>(&answer).unwrap())
    };
    assert_eq!(patch(r#"{"rollout":100}"#).1["rollout"], 100);
    let url = offer(&host, &token, "0.1.0").unwrap()["url"].as_str().unwrap().to_owned();
    assert_eq!(offer(&host, &token, "1.0.0"), None, "it runs already");
    assert_eq!(offer(&host, &token, "2.0.0"), None, "it would be a step back");
    assert_eq!(patch(r#"{"paused":true}"#).1["paused"], true);
    assert_eq!(offer(&host, &token, "0.1.0"), None);
    assert_eq!(
        host.transfer("GET", &url, &[("authorization", &token)], b"").0,
        404,
        "not even to those who began"
    );
    host.admin(&["release", "resume", "1.0.0"]);
    assert!(offer(&host, &token, "0.1.0").is_some());
    host.admin(&["release", "channel", "1.0.0", "beta", "nightly"]);
    assert_eq!(offer(&host, &token, "0.1.0"), None);
    assert_eq!(listed(&host, &cookie)[0]["channels"], json!(["beta", "nightly"]));
    for nonsense in [r#"{"rollout":101}"#, r#"{"channels":[]}"#, r#"{"sha256":"x"}"#] {
        assert_eq!(patch(nonsense).0, 400, "{nonsense}");
    }
    host.admin(&["release", "rollout", "1.0.0", "25%"]);
    assert!(
        host.admin(&["release", "list"])
            .starts_with(&format!("1.0.0\t{BOARD}\tbeta,nightly\t25 %\t"))
    );
    host.admin(&["release", "remove", "1.0.0"]);
    assert_eq!((files(&host), listed(&host, &cookie)), (vec![], vec![]));
    let gone = host.command(&["release", "pause", "1.0.0"]).output().unwrap();
    assert!(words(&gone).contains("there is no release 1.0.0"), "{}", words(&gone));
}

#[tokio::test]
async fn cars_need_a_token_and_a_revoked_car_has_none() {
    let host = Host::start();
    let Some(shop) = Workshop::open(&host) else { return };
    let (_, file) = shop.bundle("1.0.0", "own");
    host.admin(&["release", "add", file.to_str().unwrap()]);
    let path =
        format!("/api/v1/car/releases/offer?channel=stable&compatible={BOARD}&running=0.1.0");
    let bundle = "/api/v1/car/releases/1.0.0/bundle";
    let (mut socket, token) = car(&host, 1).await;
    let (_other, others) = car(&host, 2).await;
    let status =
        |path: &str, token: &str| host.transfer("GET", path, &[("authorization", token)], b"").0;
    for wrong in ["", "Bearer", "Bearer x", "Basic eDp5", &token[..token.len() - 1]] {
        assert_eq!((status(&path, wrong), status(bundle, wrong)), (401, 401), "{wrong}");
    }
    assert_eq!((status(&path, &token), status(bundle, &token)), (200, 200));
    assert_eq!(status("/api/v1/car/releases/offer?channel=stable", &token), 400);
    assert_eq!(status("/api/v1/car/releases/9.9.9/bundle", &token), 404);
    assert_eq!(status("/api/v1/car/releases/..%2F..%2Fhost.db/bundle", &token), 400);

    host.admin(&["car", "revoke", key(1).id().as_str()]);
    while next(&mut socket).await.is_ok() {}
    assert_eq!((status(&path, &token), status(bundle, &token)), (401, 401));
    assert_eq!(status(bundle, &others), 200);
}

#[tokio::test]
async fn a_car_fetches_a_few_bundles_at_once_and_no_more() {
    use std::io::{Read, Write};
    let host = Host::start();
    let Some(shop) = Workshop::open(&host) else { return };
    // Larger than what the sockets between host and car hold.
    shop.make(&["bundle", "large.raucb", "1.0.0", BOARD, "own", "verity", "15000000"]);
    host.admin(&["release", "add", shop.path("large.raucb").to_str().unwrap()]);
    let (_socket, token) = car(&host, 1).await;
    let (_other, others) = car(&host, 2).await;
    let url = "/api/v1/car/releases/1.0.0/bundle";
    let begin = || {
        let mut stream = std::net::TcpStream::connect(&host.address).unwrap();
        let head = format!(
            "GET {url} HTTP/1.1\r\nhost: {}\r\nauthorization: {token}\r\n\r\n",
            host.address
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream.read_exact(&mut [0; 100]).unwrap();
        stream
    };
    let running = [begin(), begin()];
    let status = |token: &str| host.transfer("GET", url, &[("authorization", token)], b"").0;
    assert_eq!((status(&token), status(&others)), (429, 200));
    drop(running);
    eventually("the places to be free again", || status(&token) == 200);
}

#[tokio::test]
async fn connected_cars_learn_of_a_release_by_themselves() {
    let host = Host::start();
    let Some(shop) = Workshop::open(&host) else { return };
    let (mut old, _) = car(&host, 1).await;
    let (mut new, _) = car(&host, 2).await;
    send(&mut new, &json!({"type": "update", "status": {"state": "idle", "running": "2.0.0"}}))
        .await;
    let (_, file) = shop.bundle("1.0.0", "own");
    host.admin(&["release", "add", file.to_str().unwrap(), "--rollout", "0"]);
    host.admin(&["release", "rollout", "1.0.0", "100"]);
    assert_eq!(next(&mut old).await, Ok(json!({"type": "release", "version": "1.0.0"})));
    // A car that runs something newer is told of the next one only.
    let (_, file) = shop.bundle("3.0.0", "own");
    host.admin(&["release", "add", file.to_str().unwrap()]);
    assert_eq!(next(&mut new).await, Ok(json!({"type": "release", "version": "3.0.0"})));
    // 3.0.0 may be for another board or channel, which only the car knows: it does not hide an
    // older release.
    let (_, file) = shop.bundle("2.5.0", "own");
    host.admin(&["release", "add", file.to_str().unwrap()]);
    assert_eq!(next(&mut new).await, Ok(json!({"type": "release", "version": "2.5.0"})));
}

#[tokio::test]
async fn what_a_car_says_of_its_update_is_shown_and_survives_both_ends() {
    let mut host = Host::start();
    let cookie = host.set_up();
    let (mut socket, _) = car(&host, 1).await;
    let failed = json!({
        "state": "failed", "running": "0.3.1", "version": "0.4.0",
        "reason": "the camera gave no picture",
    });
    send(&mut socket, &json!({"type": "update", "status": failed})).await;
    let mut driver = open(&host, "/ws/driver", &cookie).await;
    send(&mut driver, &json!({"type": "hello", "v": 1})).await;
    let mut cars = next(&mut driver).await.unwrap()["cars"].clone();
    while cars[0]["update"] != failed {
        cars = next_of(&mut driver, "cars").await["cars"].clone();
    }
    // The car restarts with the same version and has forgotten what happened.
    drop(socket);
    let (_, mut socket) = register(&host, 1, None).await;
    send(&mut socket, &json!({"type": "update", "status": {"state": "idle", "running": "0.3.1"}}))
        .await;
    let idle = json!({
        "state": "idle", "running": "0.3.1", "version": "0.4.0",
        "reason": "the camera gave no picture",
    });
    while cars[0]["update"] != idle {
        cars = next_of(&mut driver, "cars").await["cars"].clone();
    }
    drop(socket);
    host.stop();
    host.launch();
    let mut driver = open(&host, "/ws/driver", &cookie).await;
    send(&mut driver, &json!({"type": "hello", "v": 1})).await;
    assert_eq!(next(&mut driver).await.unwrap()["cars"][0]["update"], idle);
}

#[test]
fn a_host_without_a_keyring_says_how_to_get_one() {
    let host = Host::start();
    let config = std::fs::read_to_string(host.directory.path().join("host.toml")).unwrap();
    let without: Vec<_> = config.lines().filter(|line| !line.starts_with("keyring")).collect();
    std::fs::write(host.directory.path().join("host.toml"), without.join("\n")).unwrap();
    let refused = host.command(&["release", "add", "/dev/null"]).output().unwrap();
    assert!(words(&refused).contains("releases.keyring"), "{}", words(&refused));
}
