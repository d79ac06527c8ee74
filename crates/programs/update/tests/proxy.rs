//! The proxy between RAUC and a host with faults.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod common;

use common::{Fault, Host, PATH, Tokens};
use rccar_update::http::HostClient;
use rccar_update::proxy::{Gate, Proxy};
use rccar_update_core::Traffic;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const SIZE: usize = 300_000;
const FLOW: Traffic = Traffic::Flow { budget: None };
const MINUTE: Duration = Duration::from_secs(60);

struct Setup {
    host: Host,
    gate: Gate,
    proxy: Proxy,
}

async fn setup_with(tokens: &[&'static str], patience: Duration) -> Setup {
    let host = Host::start(SIZE).await;
    let tokens =
        Tokens { url: host.url.clone(), tokens: Mutex::new(tokens.iter().copied().collect()) };
    let client = HostClient::new(Arc::new(tokens)).unwrap();
    let gate = Gate::default();
    gate.set(FLOW);
    let proxy = Proxy::start_with(client, PATH, SIZE as u64, gate.clone(), patience).await.unwrap();
    Setup { host, gate, proxy }
}

async fn setup() -> Setup {
    setup_with(&["first"], MINUTE).await
}

/// Asks as RAUC's helper does. Returns status, head and body.
async fn get(url: &str, range: &str) -> (u16, String, Vec<u8>) {
    let (address, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    let range = if range.is_empty() { String::new() } else { format!("Range: bytes={range}\r\n") };
    let request =
        format!("GET /{path} HTTP/1.1\r\nHost: {address}\r\n{range}Connection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let head = String::from_utf8(answer[..end].to_vec()).unwrap();
    (head[9..12].parse().unwrap(), head.to_ascii_lowercase(), answer[end + 4..].to_vec())
}

impl Setup {
    async fn get(&self, first: usize, last: usize) -> (u16, Vec<u8>) {
        let (status, _, body) = get(self.proxy.url(), &format!("{first}-{last}")).await;
        (status, body)
    }

    fn part(&self, first: usize, last: usize) -> Vec<u8> {
        self.host.with(|inner| inner.bundle[first..=last].to_vec())
    }
}

#[tokio::test]
async fn a_part_is_passed_on_with_what_rauc_reads() {
    let setup = setup().await;
    let (status, head, body) = get(setup.proxy.url(), "0-3").await;
    assert_eq!((status, body), (206, setup.part(0, 3)));
    assert!(
        head.contains(&format!("content-range: bytes 0-3/{SIZE}"))
            && head.contains("content-length: 4"),
        "{head}"
    );
    assert_eq!(setup.gate.total(), 4 + 900);
}

#[tokio::test]
async fn only_who_knows_the_secret_gets_the_bundle() {
    let setup = setup().await;
    let address = setup.proxy.url().strip_prefix("http://").unwrap().split('/').next().unwrap();
    for path in ["", "bundle.raucb", "00000000000000000000000000000000/bundle.raucb"] {
        assert_eq!(get(&format!("http://{address}/{path}"), "0-3").await.0, 404);
    }
    assert!(setup.host.requests().is_empty());
}

#[tokio::test]
async fn impossible_ranges_are_refused_without_asking_the_host() {
    let setup = setup().await;
    for range in [format!("{SIZE}-"), "9-3".to_owned(), "0-1,5-6".to_owned()] {
        assert_eq!(get(setup.proxy.url(), &range).await.0, 416, "{range}");
    }
    assert!(setup.host.requests().is_empty());
    assert_eq!(setup.gate.ended(), None);
}

#[tokio::test]
async fn after_a_lost_link_only_the_rest_is_fetched() {
    let setup = setup().await;
    setup.host.fault(Fault::CutAfter(100_000));
    setup.host.fault(Fault::CutAfter(50_000));
    setup.host.fault(Fault::Status(503));
    assert_eq!(setup.get(1_000, 250_999).await, (206, setup.part(1_000, 250_999)));
    let rest = |first: usize| format!("bytes={first}-250999");
    assert_eq!(setup.host.requests(), [rest(1_000), rest(101_000), rest(151_000), rest(151_000)]);
    assert_eq!(setup.gate.total(), 250_000 + 4 * 900, "every byte travelled once");
}

#[tokio::test]
async fn a_slow_host_is_waited_for() {
    let setup = setup().await;
    setup.host.fault(Fault::Late(Duration::from_millis(700)));
    assert_eq!(setup.get(0, 9).await, (206, setup.part(0, 9)));
}

#[tokio::test]
async fn a_token_that_expired_is_replaced() {
    let setup = setup_with(&["old", "older", "first"], MINUTE).await;
    assert_eq!(setup.get(0, 9).await, (206, setup.part(0, 9)));
    assert_eq!(setup.host.requests().len(), 3);
}

#[tokio::test]
async fn hopeless_answers_end_the_transfer_at_once_with_a_reason() {
    let cases = [
        (
            Fault::OtherSize,
            "the bundle on the host is not the one that was offered \
             (bytes 0-9/300001 instead of bytes 0-9/300000)",
        ),
        (Fault::Status(404), "the host does not have the bundle any more"),
        (Fault::Status(416), "the bundle on the host is shorter than the one that was offered"),
        (Fault::Whole, "the host does not serve parts of a bundle"),
    ];
    for (fault, reason) in cases {
        let setup = setup().await;
        setup.host.fault(fault);
        // RAUC takes 404 as an error at once, and tries again after any other error.
        assert_eq!(setup.get(0, 9).await.0, 404);
        assert_eq!(setup.gate.ended().as_deref(), Some(reason));
        assert_eq!(setup.get(0, 9).await.0, 404, "nothing more is asked for");
        assert_eq!(setup.host.requests().len(), 1);
    }
}

#[tokio::test]
async fn patience_ends_before_the_kernels_does_and_the_last_error_is_told() {
    let setup = setup_with(&["first"], Duration::from_millis(900)).await;
    setup.host.with(|inner| inner.always = Some(Fault::Status(502)));
    assert_eq!(setup.get(0, 9).await.0, 404);
    let reason = setup.gate.ended().unwrap();
    assert!(
        reason.starts_with("gave up after")
            && reason.ends_with("the host answered 502 Bad Gateway"),
        "{reason}"
    );
}

#[tokio::test]
async fn a_car_without_host_access_says_so() {
    let setup = setup_with(&[], Duration::from_millis(300)).await;
    assert_eq!(setup.get(0, 9).await.0, 404);
    assert!(setup.gate.ended().unwrap().ends_with("the car is not registered with a host"));
}

#[tokio::test]
async fn a_held_transfer_rests_and_goes_on_where_it_was() {
    let setup = setup().await;
    // The host does not answer, and meanwhile somebody comes to drive.
    setup.host.fault(Fault::Late(Duration::from_secs(3600)));
    let (url, gate) = (setup.proxy.url().to_owned(), setup.gate.clone());
    let transfer = tokio::spawn(async move { get(&url, "0-99999").await });
    let asked = async {
        while setup.host.requests().is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), asked).await.expect("the host is asked");
    gate.set(Traffic::Hold);
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(setup.host.requests().len(), 1, "nothing is asked for while somebody drives");
    assert!(!transfer.is_finished());
    gate.set(FLOW);
    let (status, _, body) = transfer.await.unwrap();
    assert_eq!((status, body), (206, setup.part(0, 99_999)));
}

#[tokio::test]
async fn a_transfer_that_is_held_for_too_long_ends_in_order() {
    let setup = setup_with(&["first"], Duration::from_millis(300)).await;
    setup.gate.set(Traffic::Hold);
    assert_eq!(setup.get(0, 9).await.0, 404);
    assert_eq!(
        setup.gate.ended().as_deref(),
        Some("the installation rested for too long, because the car was driven")
    );
    assert!(setup.host.requests().is_empty());
}

#[tokio::test]
async fn a_metered_transfer_ends_before_its_cap() {
    let setup = setup().await;
    setup.gate.set(Traffic::Flow { budget: Some(100_000) });
    let mut fetched = 0;
    let mut at = 0;
    while setup.get(at, at + 16_383).await.0 == 206 {
        at += 16_384;
        fetched += setup.gate.take_metered();
    }
    assert_eq!(
        setup.gate.ended().as_deref(),
        Some("this month's cap for metered links is reached")
    );
    assert_eq!(fetched, 5 * (16_384 + 900));
    assert!(setup.host.with(|inner| inner.sent) <= 100_000);
}

#[tokio::test]
async fn parts_are_fetched_side_by_side() {
    let setup = setup().await;
    let urls = (0..8).map(|index| {
        let url = setup.proxy.url().to_owned();
        async move { get(&url, &format!("{}-{}", index * 30_000, index * 30_000 + 29_999)).await }
    });
    let answers = futures_util::future::join_all(urls).await;
    for (index, (status, _, body)) in answers.into_iter().enumerate() {
        assert_eq!((status, body), (206, setup.part(index * 30_000, index * 30_000 + 29_999)));
    }
}

#[tokio::test]
async fn an_ended_proxy_listens_no_more() {
    let setup = setup().await;
    let url = setup.proxy.url().to_owned();
    drop(setup.proxy);
    let address = url.strip_prefix("http://").unwrap().split('/').next().unwrap().to_owned();
    for _ in 0..500 {
        if TcpStream::connect(&address).await.is_err() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{address} still listens");
}
