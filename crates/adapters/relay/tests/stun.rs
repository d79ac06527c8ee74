//! STUN: a client learns its own address.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod support;

use stun::message::Getter;
use stun::xoraddr::XorMappedAddress;
use support::{Client, relay};

#[tokio::test]
async fn a_client_learns_its_address_over_ipv4_and_ipv6_without_credentials() {
    let relay = relay(|_| ());
    for server in relay.local_addrs() {
        let mut client = Client::new(*server, "nobody").await;
        let answer = client.bind().await;
        assert_eq!(answer.code(), 0);
        let mut mapped = XorMappedAddress::default();
        mapped.get_from(&answer.0).unwrap();
        assert_eq!(
            std::net::SocketAddr::new(mapped.ip, mapped.port),
            client.socket.local_addr().unwrap()
        );
    }
    assert_eq!(relay.stats().bindings, 2);
}
