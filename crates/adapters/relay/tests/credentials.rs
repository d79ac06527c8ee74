//! The credentials that the relay accepts.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod support;

use rccar_relay::credentials::{Secret, mint};
use std::time::Duration;
use support::{Client, credentials, relay, secret, unix_now};

#[tokio::test]
async fn expired_credentials_are_refused() {
    let relay = relay(|_| ());
    let expired = mint(&secret(), "driver", Duration::from_secs(60), unix_now() - 61);
    let mut client = Client::with(relay.local_addrs()[0], expired).await;
    assert_eq!(client.allocate().await.code(), 401);
    assert_eq!(relay.stats().refused_credentials, 1);
    assert_eq!(relay.stats().allocations, 0);
}

#[tokio::test]
async fn credentials_of_another_secret_are_refused() {
    let relay = relay(|_| ());
    let foreign =
        mint(&Secret::new(b"the south wind"), "driver", Duration::from_secs(60), unix_now());
    let mut client = Client::with(relay.local_addrs()[0], foreign).await;
    assert_eq!(client.allocate().await.code(), 401);
    assert_eq!(relay.stats().refused_credentials, 1);
}

#[tokio::test]
async fn an_expiry_moved_by_the_client_is_refused() {
    let relay = relay(|_| ());
    let mut moved = credentials("driver");
    moved.username = format!("{}:driver", unix_now() + 1_000_000);
    let mut client = Client::with(relay.local_addrs()[0], moved).await;
    assert_eq!(client.allocate().await.code(), 401);
}

#[tokio::test]
async fn a_nonce_that_is_not_ours_gets_a_new_one() {
    let relay = relay(|_| ());
    let mut client = Client::new(relay.local_addrs()[0], "driver").await;
    assert_eq!(client.allocate().await.code(), 0);
    client.set_nonce("0123456789abcdef");
    assert_eq!(client.refresh(600).await.code(), 438);
    client.set_nonce("");
    assert_eq!(client.refresh(600).await.code(), 0);
}

#[tokio::test]
async fn an_allocation_belongs_to_its_user_also_with_new_credentials() {
    let relay = relay(|_| ());
    let mut client = Client::new(relay.local_addrs()[0], "driver").await;
    assert_eq!(client.allocate().await.code(), 0);
    client.credentials = credentials("thief");
    assert_eq!(client.refresh(600).await.code(), 441);
    client.credentials = mint(&secret(), "driver", Duration::from_secs(999), unix_now());
    assert_eq!(client.refresh(600).await.code(), 0);
}
