//! What a client or a stranger must not get from the relay; the rows are those of
//! docs/security.md.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod support;

use rccar_relay::credentials::{Credentials, mint};
use rccar_relay::users::{Share, Users};
use rccar_relay::{OwnNetworks, Relay};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use stun::message::{
    METHOD_ALLOCATE, METHOD_BINDING, METHOD_CREATE_PERMISSION, METHOD_REFRESH, Setter,
};
use support::{Client, echo, message, peer_address, relay, secret, unix_now, until};
use tokio::net::UdpSocket;
use turn::proto::PROTO_UDP;
use turn::proto::lifetime::Lifetime;
use turn::proto::reqtrans::RequestedTransport;

/// Sessions and who is in them, as a host knows them.
#[derive(Debug, Default)]
struct Sessions(Mutex<BTreeMap<String, Share>>);

impl Sessions {
    fn new(sessions: &[(&str, &str, Option<&str>)]) -> Arc<Self> {
        let share = |account: &str, owner: Option<&str>| Share {
            account: account.to_owned(),
            owner: owner.map(str::to_owned),
        };
        let all = sessions
            .iter()
            .map(|(session, account, owner)| ((*session).to_owned(), share(account, *owner)))
            .collect();
        Arc::new(Self(Mutex::new(all)))
    }

    fn end(&self, session: &str) {
        self.0.lock().unwrap().remove(session);
    }
}

impl Users for Sessions {
    fn share(&self, user: &str) -> Option<Share> {
        self.0.lock().unwrap().get(user).cloned()
    }

    fn outlast_credentials(&self) -> bool {
        true
    }
}

/// Resident memory of this process, in KiB.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().strip_suffix(" kB").unwrap().parse().unwrap()
}

async fn client(relay: &Relay, user: &str) -> Client {
    Client::new(relay.local_addrs()[0], user).await
}

fn expired(user: &str) -> Credentials {
    mint(&secret(), user, Duration::from_secs(60), unix_now() - 61)
}

#[tokio::test]
#[allow(clippy::print_stdout, reason = "the figure")]
async fn row_5_memory_stays_flat_however_many_channels_a_client_asks_for() {
    let relay = relay(|_| ());
    let mut driver = client(&relay, "driver").await;
    assert_eq!(driver.allocate().await.code(), 0);
    let peer = |port: u16| SocketAddr::from(([203, 0, 113, 1], port));
    let mut bound = 0;
    let mut before = 0;
    for number in 0x4000..=0x7fff_u16 {
        let code = driver.bind_channel(number, peer(number)).await.code();
        assert!([0, 508].contains(&code), "{code}");
        bound += usize::from(code == 0);
        if number == 0x4100 {
            before = resident();
        }
    }
    let grown = resident().saturating_sub(before);
    println!("16,384 channels asked for, {bound} bound; resident memory grew by {grown} KiB");
    assert_eq!(bound, 64);
    assert!(grown <= 1024, "{grown} KiB");
}

#[tokio::test]
#[allow(clippy::print_stdout, reason = "the figure")]
async fn row_5_a_full_allocation_takes_few_kilobytes() {
    /// Twice as many get a challenge without a wait.
    const ALLOCATIONS: usize = 30;
    let relay = relay(|config| config.allocations_per_account = 2 * ALLOCATIONS);
    let mut clients = Vec::new();
    let mut before = 0;
    for round in 0..2 * ALLOCATIONS {
        // The first half makes room for what the process needs anyway.
        if round == ALLOCATIONS {
            before = resident();
        }
        let mut driver = client(&relay, "driver").await;
        assert_eq!(driver.allocate().await.code(), 0);
        for number in 0..64_u16 {
            let peer = SocketAddr::from(([203, 0, 113, number.to_be_bytes()[1]], 9));
            assert_eq!(driver.bind_channel(0x4000 + number, peer).await.code(), 0);
        }
        let others: Vec<SocketAddr> =
            (64..128).map(|host| SocketAddr::from(([203, 0, 113, host], 9))).collect();
        assert_eq!(driver.permit(&others).await.code(), 0);
        clients.push(driver);
    }
    let each = resident().saturating_sub(before) / ALLOCATIONS;
    println!("{each} KiB for each allocation with 64 channels and 128 permissions");
    assert!(each <= 64, "{each} KiB");
}

#[tokio::test]
async fn row_5_sessions_are_free_and_the_account_counts() {
    let users = Sessions::new(&[
        ("session 1", "ada", None),
        ("session 2", "ada", None),
        ("session 3", "ada", None),
        ("session 4", "bob", None),
    ]);
    let relay = relay(|config| {
        config.users = users;
        config.allocations_per_account = 2;
    });
    for (session, code) in
        [("session 1", 0), ("session 2", 0), ("session 3", 486), ("session 4", 0)]
    {
        assert_eq!(client(&relay, session).await.allocate().await.code(), code, "{session}");
    }
}

#[tokio::test]
async fn row_5_the_cars_of_one_owner_do_not_take_all_places() {
    let users = Sessions::new(&[
        ("session 1", "car 1", Some("ada")),
        ("session 2", "car 2", Some("ada")),
        ("session 3", "car 3", Some("ada")),
        ("session 4", "car 4", Some("bob")),
    ]);
    let relay = relay(|config| {
        config.users = users;
        config.allocations_per_owner = 2;
    });
    for (session, code) in
        [("session 1", 0), ("session 2", 0), ("session 3", 486), ("session 4", 0)]
    {
        assert_eq!(client(&relay, session).await.allocate().await.code(), code, "{session}");
    }
}

#[tokio::test]
async fn row_5_the_end_of_a_session_ends_its_credentials_and_its_allocations() {
    let users = Sessions::new(&[("session 1", "ada", None), ("session 2", "ada", None)]);
    let relay = relay(|config| config.users = Arc::clone(&users) as _);
    let (mut gone, mut other) =
        (client(&relay, "session 1").await, client(&relay, "session 2").await);
    assert_eq!((gone.allocate().await.code(), other.allocate().await.code()), (0, 0));
    users.end("session 1");
    relay.control().end(|user| user == "session 1");
    until(&relay, |stats| stats.allocations == 1).await;
    assert_eq!((gone.refresh(600).await.code(), other.refresh(600).await.code()), (401, 0));
    assert_eq!(client(&relay, "session 1").await.allocate().await.code(), 401);
}

#[tokio::test]
async fn row_5_expired_credentials_keep_an_allocation_and_make_none() {
    let users = Sessions::new(&[("session 1", "ada", None), ("session 2", "ada", None)]);
    let relay = relay(|config| {
        config.users = Arc::clone(&users) as _;
        config.allow_loopback = true;
    });
    let peer = echo("127.0.0.1:0").await;
    let mut driver = client(&relay, "session 1").await;
    assert_eq!(driver.allocate().await.code(), 0);
    // A browser goes on with what it had, for as long as the drive lasts.
    driver.credentials = expired("session 1");
    assert_eq!(driver.refresh(600).await.code(), 0);
    assert_eq!(driver.bind_channel(0x4000, peer).await.code(), 0);
    driver.send_channel(0x4000, b"left").await;
    assert_eq!(driver.receive().await, b"\x40\x00\x00\x04left");
    // Another allocation, and one of another session, need new ones.
    let mut again = Client::with(relay.local_addrs()[0], expired("session 1")).await;
    assert_eq!(again.allocate().await.code(), 401);
    driver.credentials = expired("session 2");
    assert_eq!(driver.refresh(600).await.code(), 401);
    driver.credentials = expired("session 1");
    users.end("session 1");
    assert_eq!(driver.refresh(600).await.code(), 401);
}

#[tokio::test]
async fn row_6_nothing_reaches_this_machine_and_its_neighbours_from_the_relay() {
    let relay = relay(|config| config.allow_peers = vec!["203.0.113.0/24".parse().unwrap()]);
    let mut driver = client(&relay, "driver").await;
    assert_eq!(driver.allocate().await.code(), 0);
    let neighbour: SocketAddr = "5.9.1.8:9".parse().unwrap();
    assert_eq!(driver.permit(&[neighbour]).await.code(), 0);
    let own = |addresses: &[&str], links: &[&str]| OwnNetworks {
        addresses: addresses.iter().map(|text| text.parse().unwrap()).collect(),
        links: links.iter().map(|text| text.parse().unwrap()).collect(),
    };
    relay.control().set_own_networks(own(&["203.0.113.7/32"], &["5.9.1.0/24"]));
    driver.send_indication(b"to a neighbour", neighbour).await;
    until(&relay, |stats| stats.dropped_peers == 1).await;
    assert_eq!(driver.permit(&[neighbour]).await.code(), 403);
    assert_eq!(driver.permit(&["203.0.113.7:51820".parse().unwrap()]).await.code(), 403);
    assert_eq!(driver.permit(&["203.0.113.8:9".parse().unwrap()]).await.code(), 0);
    assert_eq!(relay.stats().packets_to_peers, 0);
}

#[tokio::test]
async fn row_6_own_ports_without_an_allocation_are_out_of_reach() {
    let relay = relay(|_| ());
    let (mut one, mut other) = (client(&relay, "car").await, client(&relay, "driver").await);
    let (at_one, at_other) = (one.allocate().await.relayed(), other.allocate().await.relayed());
    // WireGuard's port is in the range of relayed ones.
    let service = UdpSocket::bind("127.0.0.1:51820").await.unwrap();
    assert_eq!(one.permit(&[at_other]).await.code(), 0);
    assert_eq!(other.permit(&[at_one]).await.code(), 0);
    one.send_indication(b"hello", service.local_addr().unwrap()).await;
    until(&relay, |stats| stats.dropped_peers == 1).await;
    one.send_indication(b"hello", at_other).await;
    assert_eq!(other.data().await, (at_one, b"hello".to_vec()));
    assert_eq!(other.refresh(0).await.code(), 0);
    until(&relay, |stats| stats.allocations == 1).await;
    one.send_indication(b"hello", at_other).await;
    until(&relay, |stats| stats.dropped_peers == 2).await;
    assert!(service.try_recv(&mut [0; 64]).is_err(), "nothing arrived");
}

#[tokio::test]
#[allow(clippy::print_stdout, reason = "the figure")]
async fn row_8_a_source_gets_few_refusals_and_small_ones() {
    const REQUESTS: usize = 2_000;
    /// Of an IPv4 packet over UDP.
    const HEADERS: usize = 28;
    let relay = relay(|_| ());
    let mut neighbour = client(&relay, "driver").await;
    assert_eq!(neighbour.allocate().await.code(), 0);
    let stranger = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let request = message(METHOD_ALLOCATE, &[]).raw;
    let begun = std::time::Instant::now();
    let (mut answers, mut bytes) = (0, 0);
    let mut buffer = [0; 2048];
    for sent in 1..=REQUESTS {
        stranger.send_to(&request, relay.local_addrs()[0]).await.unwrap();
        // In step, so that no queue drops anything unseen.
        if sent % 20 == 0 {
            until(&relay, |stats| {
                let seen = usize::try_from(stats.unanswered).unwrap() + answers;
                while let Ok(length) = stranger.try_recv(&mut buffer) {
                    (answers, bytes) = (answers + 1, bytes + HEADERS + length);
                }
                seen >= sent
            })
            .await;
        }
    }
    let allowed = 64 + begun.elapsed().as_millis() as usize / 62 + 1;
    let factor = bytes as f64 / (REQUESTS * (HEADERS + request.len())) as f64;
    println!("{answers} answers to {REQUESTS} requests, {factor:.2} bytes for each byte");
    assert!((64..=allowed).contains(&answers), "{answers}, not {allowed}");
    assert!(bytes / answers <= 3 * (HEADERS + request.len()), "{} bytes each", bytes / answers);
    // Others are not touched, nor is somebody at the same address who knows a password.
    assert_eq!(neighbour.refresh(600).await.code(), 0);
    let mut over_ipv6 = Client::new(relay.local_addrs()[1], "driver").await;
    assert_eq!(over_ipv6.allocate().await.code(), 0);
}

#[tokio::test]
async fn row_8_attributes_after_the_integrity_are_not_obeyed() {
    let relay = relay(|_| ());
    let mut driver = client(&relay, "driver").await;
    assert_eq!(driver.allocate().await.code(), 0);
    // Somebody on the way adds an end of the allocation, and another peer.
    let mut refresh = driver.signed(METHOD_REFRESH, &[]);
    Lifetime(Duration::ZERO).add_to(&mut refresh).unwrap();
    let answer = driver.exchange(&refresh).await;
    assert_eq!((answer.code(), answer.lifetime()), (0, 600));
    let (meant, added) = ("203.0.113.1:9".parse().unwrap(), "203.0.113.2:9".parse().unwrap());
    let mut permission = driver.signed(METHOD_CREATE_PERMISSION, &[&peer_address(&meant)]);
    peer_address(&added).add_to(&mut permission).unwrap();
    assert_eq!(driver.exchange(&permission).await.code(), 0);
    driver.send_indication(b"x", added).await;
    until(&relay, |stats| stats.dropped_clients == 1).await;
    // What is missing does not come from there either.
    let mut without = driver.signed(METHOD_CREATE_PERMISSION, &[]);
    peer_address(&added).add_to(&mut without).unwrap();
    assert_eq!(driver.exchange(&without).await.code(), 400);
}

#[tokio::test]
async fn row_8_forged_datagrams_keep_no_dead_allocation() {
    let silence = Duration::from_millis(300);
    let relay =
        relay(|config| (config.allocations_per_account, config.silent_after) = (1, silence));
    let mut lost = client(&relay, "car").await;
    assert_eq!(lost.allocate().await.code(), 0);
    let peer: SocketAddr = "203.0.113.1:9".parse().unwrap();
    let mut thief = Client::with(lost.server, support::credentials("thief")).await;
    // Learns a nonce; it is for its own address.
    assert_eq!(thief.refresh(600).await.code(), 437);
    let forged_refresh = thief.signed(METHOD_REFRESH, &[]).raw;
    let (begun, mut rounds) = (std::time::Instant::now(), 0);
    while begun.elapsed() < silence || rounds < 12 {
        rounds += 1;
        // The sender of each is the client's address, as somebody who forges it would write.
        lost.send(&message(METHOD_BINDING, &[]).raw).await;
        lost.send(&message(METHOD_ALLOCATE, &[&RequestedTransport { protocol: PROTO_UDP }]).raw)
            .await;
        lost.send(&forged_refresh).await;
        lost.send_channel(0x4000, b"x").await;
        lost.send_indication(b"x", peer).await;
        lost.send(b"\xff").await;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    until(&relay, |stats| stats.malformed >= 10 && stats.dropped_clients >= 20).await;
    assert_eq!(client(&relay, "car").await.allocate().await.code(), 0, "it took the place");
}

#[tokio::test]
async fn packets_on_what_an_authenticated_request_opened_are_a_sign_of_life() {
    let silence = Duration::from_millis(400);
    let relay = relay(|config| {
        (config.allocations_per_account, config.silent_after) = (1, silence);
        config.allow_loopback = true;
    });
    let peer = echo("127.0.0.1:0").await;
    let mut driver = client(&relay, "driver").await;
    assert_eq!(driver.allocate().await.code(), 0);
    assert_eq!(driver.bind_channel(0x4000, peer).await.code(), 0);
    let begun = std::time::Instant::now();
    while begun.elapsed() < 2 * silence {
        driver.send_channel(0x4000, b"left").await;
        driver.receive().await;
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(client(&relay, "driver").await.allocate().await.code(), 486);
}
