//! How many allocations one user may have.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod support;

use rccar_relay::{Listen, RelayConfig, RelayError};
use std::net::SocketAddr;
use std::time::Duration;
use support::{Client, relay, secret, until};
use tokio::net::UdpSocket;

#[tokio::test]
async fn a_user_has_a_share_and_gets_it_back() {
    let relay = relay(|config| config.allocations_per_account = 2);
    let server = relay.local_addrs()[0];
    let (mut one, mut two, mut three) = (
        Client::new(server, "driver").await,
        Client::new(server, "driver").await,
        Client::new(server, "driver").await,
    );
    assert_eq!(
        (one.allocate().await.code(), two.allocate().await.code(), three.allocate().await.code()),
        (0, 0, 486)
    );
    assert_eq!(
        Client::new(server, "car").await.allocate().await.code(),
        0,
        "others are not touched"
    );
    assert_eq!(relay.stats().refused_quota, 1);
    assert_eq!(one.refresh(0).await.code(), 0);
    until(&relay, |stats| stats.allocations == 2).await;
    assert_eq!(three.allocate().await.code(), 0);
}

#[tokio::test]
async fn what_a_silent_client_holds_goes_to_the_next_one_of_its_user() {
    let silence = Duration::from_millis(300);
    let relay =
        relay(|config| (config.allocations_per_account, config.silent_after) = (2, silence));
    let server = relay.local_addrs()[0];
    let (mut lost, mut alive, mut next) = (
        Client::new(server, "car").await,
        Client::new(server, "car").await,
        Client::new(server, "car").await,
    );
    assert_eq!((lost.allocate().await.code(), alive.allocate().await.code()), (0, 0));
    assert_eq!(next.allocate().await.code(), 486, "both were heard just now");
    tokio::time::sleep(silence).await;
    assert_eq!(alive.refresh(600).await.code(), 0);
    assert_eq!(Client::new(server, "car").await.allocate().await.code(), 0);
    assert_eq!(relay.stats().allocations, 2);
    assert_eq!(
        (lost.refresh(600).await.code(), alive.refresh(600).await.code()),
        (437, 0),
        "the silent one is gone"
    );
    assert_eq!(next.allocate().await.code(), 486, "the others were heard");
}

#[tokio::test]
async fn all_users_together_have_a_limit() {
    let relay = relay(|config| config.allocations_total = 2);
    for (user, code) in [("a", 0), ("b", 0), ("c", 486)] {
        assert_eq!(Client::new(relay.local_addrs()[0], user).await.allocate().await.code(), code);
    }
    assert_eq!((relay.stats().allocations, relay.stats().allocations_made), (2, 2));
}

#[tokio::test]
async fn a_full_port_range_is_an_answer_and_not_a_hang() {
    let only = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let port = only.local_addr().unwrap().port();
    let relay = relay(|config| config.ports = port..=port);
    assert_eq!(Client::new(relay.local_addrs()[0], "driver").await.allocate().await.code(), 508);
    assert_eq!(relay.stats().allocations, 0, "the place in the quota is given back");
}

#[tokio::test]
async fn an_allocation_has_a_limited_number_of_peers() {
    let relay = relay(|config| config.listen.truncate(1));
    let mut client = Client::new(relay.local_addrs()[0], "driver").await;
    client.allocate().await;
    let peer = |last: u8| SocketAddr::from(([203, 0, 113, last], 9));
    let first: Vec<SocketAddr> = (0..64).map(peer).collect();
    let second: Vec<SocketAddr> = (64..128).map(peer).collect();
    assert_eq!(client.permit(&first).await.code(), 0);
    assert_eq!(client.permit(&second).await.code(), 0);
    assert_eq!(client.permit(&[peer(128)]).await.code(), 508);
    assert_eq!(client.permit(&first).await.code(), 0, "known ones are refreshed");
}

#[tokio::test]
async fn a_taken_port_is_named() {
    let taken = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let mut config = RelayConfig::new(secret());
    config.listen = vec![Listen::from(taken.local_addr().unwrap())];
    let error = rccar_relay::Relay::start(config).unwrap_err();
    assert!(matches!(error, RelayError::Bind { .. }));
    let text = error.to_string();
    assert!(
        text.contains(&taken.local_addr().unwrap().to_string())
            && text.contains("another STUN or TURN server"),
        "{text}"
    );
}

#[tokio::test]
async fn closing_frees_all_ports() {
    let relay = relay(|_| ());
    let listened = relay.local_addrs().to_vec();
    let relayed = Client::new(listened[0], "driver").await.allocate().await.relayed();
    relay.close().await;
    for address in listened.into_iter().chain([relayed]) {
        UdpSocket::bind(address).await.unwrap();
    }
}
