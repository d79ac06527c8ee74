//! The peers that an allocation may talk to.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod support;

use rccar_relay::Relay;
use std::net::SocketAddr;
use stun::message::METHOD_CREATE_PERMISSION;
use support::{Client, echo, peer_address, relay};
use tokio::net::UdpSocket;

/// One address of each kind that leads into the relay's own network. 127.0.0.1 is the relayed
/// address itself and has its own test.
const INSIDE: [&str; 8] = [
    "127.9.9.9:53",
    "10.0.0.1:9",
    "192.168.1.1:80",
    "100.64.0.1:9",
    "169.254.169.254:80",
    "224.0.0.251:5353",
    "255.255.255.255:9",
    "0.0.0.0:9",
];

/// Outside the range from which Linux takes the ports of other sockets.
const PORTS: std::ops::RangeInclusive<u16> = 61_000..=65_535;

async fn allocated(relay: &Relay) -> Client {
    let mut client = Client::new(relay.local_addrs()[0], "driver").await;
    assert_eq!(client.allocate().await.code(), 0);
    client
}

#[tokio::test]
async fn peers_inside_the_relays_network_are_refused_and_counted() {
    let relay = relay(|_| ());
    let mut client = allocated(&relay).await;
    for peer in INSIDE {
        assert_eq!(client.permit(&[peer.parse().unwrap()]).await.code(), 403, "{peer}");
        assert_eq!(client.bind_channel(0x4000, peer.parse().unwrap()).await.code(), 403, "{peer}");
    }
    assert_eq!(relay.stats().refused_peers, 16);
}

#[tokio::test]
async fn one_refused_peer_refuses_the_whole_request() {
    let relay = relay(|_| ());
    let mut client = allocated(&relay).await;
    let public: SocketAddr = "203.0.113.1:9".parse().unwrap();
    assert_eq!(client.permit(&[public, "10.0.0.1:9".parse().unwrap()]).await.code(), 403);
    assert_eq!(client.permit(&[public]).await.code(), 0);
}

#[tokio::test]
async fn services_on_the_relays_own_address_stay_out_of_reach() {
    // The relayed address is 127.0.0.1 here, so a permission for it is legal: another client may be
    // there.
    let relay = relay(|config| config.ports = PORTS);
    let service = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = service.local_addr().unwrap();
    let mut client = allocated(&relay).await;
    assert_eq!(client.permit(&[address]).await.code(), 0);
    client.send_indication(b"attack", address).await;
    support::until(&relay, |stats| stats.dropped_peers == 1).await;
    let mut buffer = [0; 64];
    assert!(service.try_recv(&mut buffer).is_err(), "nothing arrived");

    let answer = client.bind_channel(0x4000, address).await;
    assert_eq!(answer.code(), 0);
    client.send_channel(0x4000, b"attack").await;
    support::until(&relay, |stats| stats.dropped_peers == 2).await;
    assert!(service.try_recv(&mut buffer).is_err(), "nothing arrived");
    assert_eq!(relay.stats().packets_to_peers, 0);
}

#[tokio::test]
async fn nothing_comes_in_from_services_on_the_relays_own_address() {
    let relay = relay(|config| config.ports = PORTS);
    let service = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let mut client = Client::new(relay.local_addrs()[0], "driver").await;
    let relayed = client.allocate().await.relayed();
    assert_eq!(client.permit(&[service.local_addr().unwrap()]).await.code(), 0);
    service.send_to(b"leak", relayed).await.unwrap();
    support::until(&relay, |stats| stats.dropped_peers == 1).await;
    assert_eq!(relay.stats().packets_to_clients, 0);
}

#[tokio::test]
async fn listed_networks_are_reachable() {
    let relay = relay(|config| config.allow_peers = vec!["127.0.0.9/32".parse().unwrap()]);
    let mut client = allocated(&relay).await;
    let peer = echo("127.0.0.9:0").await;
    assert_eq!(client.permit(&[peer]).await.code(), 0);
    client.send_indication(b"ping", peer).await;
    assert_eq!(client.data().await, (peer, b"ping".to_vec()));
    assert_eq!(client.permit(&["127.0.0.10:9".parse().unwrap()]).await.code(), 403);
}

#[tokio::test]
async fn the_development_switch_reaches_the_machines_other_addresses() {
    let relay = relay(|config| config.allow_loopback = true);
    for server in relay.local_addrs().iter().copied() {
        for ip in own_addresses().into_iter().filter(|ip| ip.is_ipv4() == server.is_ipv4()) {
            // Bound to the one address, as ICE binds its sockets: it answers from there.
            let peer = echo(&SocketAddr::new(ip, 0).to_string()).await;
            let mut client = Client::new(server, "driver").await;
            let family = if ip.is_ipv4() {
                turn::proto::reqfamily::REQUESTED_FAMILY_IPV4
            } else {
                turn::proto::reqfamily::REQUESTED_FAMILY_IPV6
            };
            let transport =
                turn::proto::reqtrans::RequestedTransport { protocol: turn::proto::PROTO_UDP };
            assert_eq!(
                client.request(stun::message::METHOD_ALLOCATE, &[&transport, &family]).await.code(),
                0
            );
            assert_eq!(
                client.request(METHOD_CREATE_PERMISSION, &[&peer_address(&peer)]).await.code(),
                0,
                "{peer}"
            );
            client.send_indication(b"ping", peer).await;
            assert_eq!(client.data().await, (peer, b"ping".to_vec()));
        }
    }
}

/// All addresses of this machine that need no scope.
fn own_addresses() -> Vec<std::net::IpAddr> {
    let interfaces = nix::ifaddrs::getifaddrs().unwrap().filter_map(|interface| interface.address);
    let addresses: Vec<std::net::IpAddr> = interfaces
        .filter_map(|address| {
            let v4 = address.as_sockaddr_in().map(|address| address.ip().into());
            let v6 = address
                .as_sockaddr_in6()
                .map(|address| std::net::SocketAddrV6::from(*address))
                .filter(|address| address.scope_id() == 0);
            v4.or(v6.map(|address| (*address.ip()).into()))
        })
        .collect();
    assert!(addresses.len() >= 2, "loopback at least");
    addresses
}
