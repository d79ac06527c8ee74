//! The parsing of datagrams without a socket, for fuzzing. No part of the interface.

use crate::attributes;
use crate::credentials::{Secret, Username, password};
use crate::listener;
use crate::nonce::Nonces;
use crate::reply::{self, Refusal};
use std::net::SocketAddr;
use std::time::Duration;
use stun::attributes::{ATTR_NONCE, ATTR_REALM, ATTR_USERNAME};
use stun::integrity::MessageIntegrity;
use stun::textattrs::TextAttribute;

/// Time at which credentials are judged: fixed, so that every run sees the same.
const NOW: u64 = 1_750_000_000;

/// Channel and payload of a ChannelData message.
#[must_use]
pub fn channel_data(datagram: &[u8]) -> Option<(u16, &[u8])> {
    attributes::channel_data(datagram).map(|(number, payload)| (number.0, payload))
}

/// Reads a STUN message in every way in which the relay reads one, whatever its class and method.
/// Returns the relay's refusal of such a request; `None` if the datagram is not STUN.
///
/// # Panics
///
/// If a reader breaks its promise.
#[must_use]
pub fn stun(datagram: &[u8]) -> Option<Vec<u8>> {
    let mut whole = listener::decode(datagram)?;
    let message = attributes::signed_part(&whole);
    let (secret, client) = (Secret::new(b"fuzz"), SocketAddr::from(([203, 0, 113, 5], 40_000)));
    let nonces = Nonces::with_key(secret.clone());
    let text = |attribute| {
        TextAttribute::get_from_as(&message, attribute)
            .map(|attribute| attribute.text)
            .unwrap_or_default()
    };

    let (username, realm, nonce) = (text(ATTR_USERNAME), text(ATTR_REALM), text(ATTR_NONCE));
    assert!(
        Username::parse(&username).is_none_or(|read| username.ends_with(read.user)),
        "{username:?} has another user"
    );
    assert!(
        !nonces.check(&nonce, client, NOW) || nonce == nonces.issue(client, nonce_time(&nonce)),
        "{nonce:?} is not ours"
    );
    // The outcome does not matter: the readers below run all the same.
    let key = MessageIntegrity::new_long_term_integrity(
        username.clone(),
        realm,
        password(&secret, &username),
    );
    let _ = key.check(&mut whole);

    let max = Duration::from_secs(3600);
    let lifetime = attributes::lifetime(&message, max);
    assert!(
        lifetime.is_zero() || (crate::config::DEFAULT_LIFETIME..=max).contains(&lifetime),
        "{lifetime:?}"
    );
    for relayed in [SocketAddr::from(([0; 4], 0)), SocketAddr::from(([0_u16; 8], 0))] {
        if let Ok(peers) = attributes::peers(&message, relayed.ip()) {
            assert!(
                !peers.is_empty() && peers.iter().all(|peer| peer.is_ipv4() == relayed.is_ipv4()),
                "{peers:?}"
            );
        }
    }
    if let Ok(channel) = attributes::channel(&message) {
        assert!((0x4000..=0x7fff).contains(&channel.0), "{channel:?}");
    }
    if let Some((_, payload)) = attributes::send(&message) {
        assert!(payload.len() <= datagram.len(), "the payload grew");
    }
    let outcomes = [
        attributes::check_understood(&message),
        attributes::check_transport(&message),
        attributes::wants_ipv4(&message).map(|_| ()),
        Err(Refusal::Unauthorized),
    ];
    let refusal = outcomes.into_iter().find_map(Result::err).unwrap_or(Refusal::BadRequest);
    reply::refusal(
        &message,
        &refusal,
        reply::challenge("rccar", nonces.issue(client, NOW)),
        Some(&key),
    )
}

/// When a nonce that was accepted was issued.
fn nonce_time(nonce: &str) -> u64 {
    u64::from(crate::nonce::expiry(nonce).unwrap_or_default())
        .saturating_sub(crate::nonce::LIFETIME)
}
