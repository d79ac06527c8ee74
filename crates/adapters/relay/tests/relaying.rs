//! Packets through the relay.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod support;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use stun::message::METHOD_ALLOCATE;
use support::{Client, credentials, echo, relay, until};
use tokio::net::UdpSocket;
use turn::client::{Client as TurnClient, ClientConfig};
use turn::proto::PROTO_UDP;
use turn::proto::reqfamily::{REQUESTED_FAMILY_IPV4, REQUESTED_FAMILY_IPV6};
use turn::proto::reqtrans::RequestedTransport;
use webrtc_util::Conn;

#[tokio::test]
async fn indications_and_channels_reach_a_peer_and_come_back() {
    let relay = relay(|config| config.allow_loopback = true);
    let peer = echo("127.0.0.1:0").await;
    let mut client = Client::new(relay.local_addrs()[0], "driver").await;
    let relayed = client.allocate().await.relayed();
    assert_eq!(relayed.ip(), IpAddr::from([127, 0, 0, 1]));
    assert!(relayed.port() >= 49_152);

    assert_eq!(client.permit(&[peer]).await.code(), 0);
    client.send_indication(b"ping", peer).await;
    assert_eq!(client.data().await, (peer, b"ping".to_vec()));

    assert_eq!(client.bind_channel(0x4001, peer).await.code(), 0);
    client.send_channel(0x4001, b"pong").await;
    assert_eq!(client.receive().await, b"\x40\x01\x00\x04pong");

    let stats = relay.stats();
    assert_eq!((stats.packets_to_peers, stats.bytes_to_peers), (2, 8));
    assert_eq!((stats.packets_to_clients, stats.bytes_to_clients), (2, 8));
}

#[tokio::test]
async fn an_ipv6_client_gets_the_family_that_it_asks_for() {
    let relay = relay(|config| config.allow_loopback = true);
    let peer = echo("[::1]:0").await;
    let mut client = Client::new(relay.local_addrs()[1], "driver").await;
    let answer = client
        .request(
            METHOD_ALLOCATE,
            &[&RequestedTransport { protocol: PROTO_UDP }, &REQUESTED_FAMILY_IPV6],
        )
        .await;
    assert_eq!(answer.relayed().ip(), "::1".parse::<IpAddr>().unwrap());
    assert_eq!(client.permit(&[peer]).await.code(), 0);
    client.send_indication(b"ping", peer).await;
    assert_eq!(client.data().await, (peer, b"ping".to_vec()));
    assert_eq!(client.permit(&["127.0.0.1:9".parse().unwrap()]).await.code(), 443);

    let mut client = Client::new(relay.local_addrs()[1], "driver").await;
    let answer = client
        .request(
            METHOD_ALLOCATE,
            &[&RequestedTransport { protocol: PROTO_UDP }, &REQUESTED_FAMILY_IPV4],
        )
        .await;
    assert_eq!(answer.relayed().ip(), IpAddr::from([127, 0, 0, 1]));
}

#[tokio::test]
async fn an_ipv6_client_that_asks_for_no_family_gets_ipv4_or_its_own_as_configured() {
    for (keep_family, expected) in [(false, "127.0.0.1"), (true, "::1")] {
        let relay = relay(|config| config.keep_family = keep_family);
        let mut client = Client::new(relay.local_addrs()[1], "driver").await;
        assert_eq!(client.allocate().await.relayed().ip(), expected.parse::<IpAddr>().unwrap());
    }
}

#[tokio::test]
async fn a_family_without_an_address_is_refused() {
    let relay = relay(|config| config.listen.truncate(1));
    let mut client = Client::new(relay.local_addrs()[0], "driver").await;
    let answer = client
        .request(
            METHOD_ALLOCATE,
            &[&RequestedTransport { protocol: PROTO_UDP }, &REQUESTED_FAMILY_IPV6],
        )
        .await;
    assert_eq!(answer.code(), 440);
}

#[tokio::test]
async fn two_clients_of_one_relay_meet_at_their_relayed_addresses() {
    let relay = relay(|_| ());
    let mut one = Client::new(relay.local_addrs()[0], "car").await;
    let mut other = Client::new(relay.local_addrs()[0], "driver").await;
    let (at_one, at_other) = (one.allocate().await.relayed(), other.allocate().await.relayed());
    assert_eq!(one.permit(&[at_other]).await.code(), 0);
    assert_eq!(other.permit(&[at_one]).await.code(), 0);
    one.send_indication(b"hello", at_other).await;
    assert_eq!(other.data().await, (at_one, b"hello".to_vec()));
}

#[tokio::test]
async fn a_peer_without_permission_is_not_heard() {
    let relay = relay(|config| config.allow_loopback = true);
    let mut client = Client::new(relay.local_addrs()[0], "driver").await;
    let relayed = client.allocate().await.relayed();
    let stranger = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let friend = UdpSocket::bind("127.0.0.2:0").await.unwrap();
    assert_eq!(client.permit(&[friend.local_addr().unwrap()]).await.code(), 0);
    stranger.send_to(b"spam", relayed).await.unwrap();
    friend.send_to(b"hello", relayed).await.unwrap();
    assert_eq!(client.data().await.1, b"hello");
}

#[tokio::test]
async fn all_peers_of_one_request_get_their_permission() {
    let relay = relay(|config| config.allow_loopback = true);
    let mut client = Client::new(relay.local_addrs()[0], "driver").await;
    client.allocate().await;
    let peers = [echo("127.0.0.2:0").await, echo("127.0.0.3:0").await];
    assert_eq!(client.permit(&peers).await.code(), 0);
    for peer in peers {
        client.send_indication(b"ping", peer).await;
        assert_eq!(client.data().await.0, peer);
    }
}

#[tokio::test]
async fn a_lost_answer_is_given_again_and_a_second_allocation_is_not() {
    let relay = relay(|_| ());
    let mut client = Client::new(relay.local_addrs()[0], "driver").await;
    assert_eq!(client.refresh(0).await.code(), 0, "ending nothing is no error");
    let request = client.signed(METHOD_ALLOCATE, &[&RequestedTransport { protocol: PROTO_UDP }]);
    let first = client.exchange(&request).await.relayed();
    assert_eq!(client.exchange(&request).await.relayed(), first);
    assert_eq!(client.allocate().await.code(), 437);
    assert_eq!(relay.stats().allocations, 1);
}

#[tokio::test]
async fn a_refresh_prolongs_and_zero_ends_an_allocation() {
    let relay = relay(|config| config.max_lifetime = std::time::Duration::from_secs(1200));
    let mut client = Client::new(relay.local_addrs()[0], "driver").await;
    assert_eq!(client.allocate().await.lifetime(), 600);
    assert_eq!(client.refresh(900).await.lifetime(), 900);
    assert_eq!(client.refresh(99_999).await.lifetime(), 1200);
    assert_eq!(client.refresh(0).await.lifetime(), 0);
    until(&relay, |stats| stats.allocations == 0).await;
    assert_eq!(client.refresh(600).await.code(), 437);
    assert_eq!(client.allocate().await.code(), 0);
}

#[tokio::test]
async fn the_turn_crates_own_client_relays() {
    let relay = relay(|config| config.allow_loopback = true);
    let peer = echo("127.0.0.1:0").await;
    let credentials = credentials("driver");
    let client = TurnClient::new(ClientConfig {
        stun_serv_addr: relay.local_addrs()[0].to_string(),
        turn_serv_addr: relay.local_addrs()[0].to_string(),
        username: credentials.username,
        password: credentials.password,
        realm: String::new(),
        software: String::new(),
        rto_in_ms: 0,
        conn: Arc::new(UdpSocket::bind("127.0.0.1:0").await.unwrap()),
        vnet: None,
    })
    .await
    .unwrap();
    client.listen().await.unwrap();
    let conn = client.allocate().await.unwrap();
    let mut buffer = [0; 64];
    conn.send_to(b"ping", peer).await.unwrap();
    let (length, from): (usize, SocketAddr) = conn.recv_from(&mut buffer).await.unwrap();
    assert_eq!((&buffer[..length], from), (&b"ping"[..], peer));
    client.close().await.unwrap();
}
