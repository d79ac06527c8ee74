//! Requests: Binding, and the four of TURN, which are authenticated first.

use crate::allocation::{self, Allocation};
use crate::attributes;
use crate::credentials::{Username, password};
use crate::listener::Listener;
use crate::reply::{self, Attributes, Refusal};
use crate::sockets::{self, RelayAddress};
use crate::users::Share;
use rccar_causes::causes;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};
use stun::attributes::{ATTR_MESSAGE_INTEGRITY, ATTR_NONCE, ATTR_REALM, ATTR_USERNAME, AttrType};
use stun::integrity::MessageIntegrity;
use stun::message::{
    METHOD_ALLOCATE, METHOD_BINDING, METHOD_CHANNEL_BIND, METHOD_CREATE_PERMISSION, METHOD_REFRESH,
    Message,
};
use stun::textattrs::TextAttribute;
use stun::xoraddr::XorMappedAddress;
use turn::proto::lifetime::Lifetime;
use turn::proto::relayaddr::RelayedAddress;

/// The answer to a request. The outer `None`: the method is unknown; the inner one: there is none.
pub(crate) fn answer(
    listener: &mut Listener,
    whole: &Message,
    client: SocketAddr,
) -> Option<Option<Vec<u8>>> {
    let counters = Arc::clone(&listener.shared.counters);
    let request = &attributes::signed_part(whole);
    if request.typ.method == METHOD_BINDING {
        counters.bindings.increment();
        return Some(reply::success(request, &vec![Box::new(mapped(client)) as _], None));
    }
    if ![METHOD_ALLOCATE, METHOD_REFRESH, METHOD_CREATE_PERMISSION, METHOD_CHANNEL_BIND]
        .contains(&request.typ.method)
    {
        return None;
    }
    let now = unix_now();
    let owner = match authenticate(listener, whole, request, client, now) {
        Ok(owner) => owner,
        Err(refusal)
            if !matches!(refusal, Refusal::StaleNonce) && !listener.may_answer_stranger(client) =>
        {
            counters.unanswered.increment();
            return Some(None);
        }
        Err(refusal) => {
            let challenge = match refusal {
                Refusal::Unauthorized | Refusal::StaleNonce => reply::challenge(
                    &listener.shared.realm,
                    listener.shared.nonces.issue(client, now),
                ),
                _ => Vec::new(),
            };
            return Some(reply::refusal(request, &refusal, challenge, None));
        }
    };
    let outcome = match attributes::check_understood(request) {
        Err(refusal) => Err(refusal),
        Ok(()) => match request.typ.method {
            METHOD_ALLOCATE => allocate(listener, request, client, &owner),
            METHOD_REFRESH => refresh(listener, request, client, &owner),
            METHOD_CREATE_PERMISSION => create_permission(listener, request, client, &owner),
            _ => channel_bind(listener, request, client, &owner),
        },
    };
    Some(match outcome {
        Ok(attributes) => reply::success(request, &attributes, Some(&owner.key)),
        Err(refusal) => {
            tracing::debug!(user = owner.user, method = %request.typ.method, ?refusal, "refused");
            match refusal {
                Refusal::Forbidden => counters.refused_peers.increment(),
                Refusal::QuotaReached => counters.refused_quota.increment(),
                _ => {}
            }
            reply::refusal(request, &refusal, Vec::new(), Some(&owner.key))
        }
    })
}

/// The authenticated sender of a request. The expiry of the username does not count: a user who
/// gets new credentials keeps the allocations.
struct Owner {
    user: String,
    share: Share,
    key: MessageIntegrity,
}

/// Long-term credentials (RFC 8489 section 9.2.4). `whole` is `request` as it came.
fn authenticate(
    listener: &Listener,
    whole: &Message,
    request: &Message,
    client: SocketAddr,
    now: u64,
) -> Result<Owner, Refusal> {
    let shared = &listener.shared;
    if !request.contains(ATTR_MESSAGE_INTEGRITY) {
        return Err(Refusal::Unauthorized);
    }
    let nonce = text(request, ATTR_NONCE)?;
    let name = text(request, ATTR_USERNAME)?;
    // The realm must be there. If it is another one, the client has computed another key.
    text(request, ATTR_REALM)?;
    let refused = |reason| {
        shared.counters.refused_credentials.increment();
        tracing::debug!(%client, reason, "refused");
        Refusal::Unauthorized
    };
    let username = Username::parse(&name).ok_or_else(|| refused("the username is malformed"))?;
    let key = MessageIntegrity::new_long_term_integrity(
        name.clone(),
        shared.realm.clone(),
        password(&shared.secret, &name),
    );
    if key.check(&mut whole.clone()).is_err() {
        return Err(refused("wrong password or realm"));
    }
    // After the password: whoever knows it is no stranger, and gets a new one in any case.
    if !shared.nonces.check(&nonce, client, now) {
        return Err(Refusal::StaleNonce);
    }
    let owns = |allocation: Arc<Allocation>| allocation.user() == username.user;
    let outlasts = shared.users.outlast_credentials()
        && request.typ.method != METHOD_ALLOCATE
        && listener.allocation(client).is_some_and(owns);
    if username.expiry <= now && !outlasts {
        return Err(refused("the username has expired"));
    }
    let share = shared
        .users
        .share(username.user)
        .ok_or_else(|| refused("the user is not served, or no longer"))?;
    Ok(Owner { user: username.user.to_owned(), share, key })
}

fn allocate(
    listener: &mut Listener,
    request: &Message,
    client: SocketAddr,
    owner: &Owner,
) -> Result<Attributes, Refusal> {
    let shared = Arc::clone(&listener.shared);
    // Zero means the end of an allocation, and there is none yet.
    let lifetime = match attributes::lifetime(request, shared.max_lifetime) {
        zero if zero.is_zero() => crate::config::DEFAULT_LIFETIME,
        lifetime => lifetime,
    };
    let granted = |allocation: &Allocation| -> Attributes {
        let address =
            RelayedAddress { ip: allocation.address.ip(), port: allocation.address.port() };
        vec![Box::new(address), Box::new(Lifetime(lifetime)), Box::new(mapped(client))]
    };
    if let Some(allocation) = listener.allocation(client) {
        // A retransmission: the first answer was lost.
        let again =
            allocation.transaction == request.transaction_id && allocation.user() == owner.user;
        return if again { Ok(granted(&allocation)) } else { Err(Refusal::AllocationMismatch) };
    }
    attributes::check_transport(request)?;
    let place = place(listener, request, client)?;
    if !listener.take_seat() {
        return Err(Refusal::InsufficientCapacity);
    }
    let permit = shared.quota.take(&owner.share).or_else(|full| {
        // A client that has lost its network cannot give its allocation back, and comes again from
        // another address.
        shared.registry.give_up_silent(&owner.share, full, shared.silent_after);
        shared.quota.take(&owner.share).map_err(|_| Refusal::QuotaReached)
    })?;
    let asked = allocation::Request {
        transaction: request.transaction_id,
        user: owner.user.clone(),
        share: owner.share.clone(),
        client,
        lifetime,
    };
    let way = listener.way.clone();
    let allocation = sockets::relay(place, &shared.ports)
        .and_then(|socket| {
            Allocation::start(socket, place, asked, way, permit, Arc::clone(&shared))
        })
        .map_err(|error| {
            tracing::warn!(
                error = %causes(&error), ports = ?shared.ports,
                "no port for a new allocation"
            );
            Refusal::InsufficientCapacity
        })?;
    // The user may have been sent away since the request was authenticated. From here on the
    // allocation is known to those who do that.
    if shared.users.share(&owner.user).is_none() {
        allocation.end();
        return Err(Refusal::AllocationMismatch);
    }
    listener.remember(client, &allocation);
    shared.counters.allocations_made.increment();
    tracing::debug!(user = owner.user, %client, relayed = %allocation.address, "allocated");
    Ok(granted(&allocation))
}

fn refresh(
    listener: &Listener,
    request: &Message,
    client: SocketAddr,
    owner: &Owner,
) -> Result<Attributes, Refusal> {
    let lifetime = attributes::lifetime(request, listener.shared.max_lifetime);
    match owned(listener, client, owner) {
        Ok(allocation)
            if attributes::wants_ipv4(request)?
                .is_some_and(|ipv4| ipv4 != allocation.address.is_ipv4()) =>
        {
            return Err(Refusal::PeerFamilyMismatch);
        }
        Ok(allocation) if lifetime.is_zero() => allocation.end(),
        Ok(allocation) => allocation.refresh(lifetime),
        // A retransmission: the first request has ended the allocation (RFC 8656 section 8.2).
        Err(Refusal::AllocationMismatch) if lifetime.is_zero() => {}
        Err(refusal) => return Err(refusal),
    }
    Ok(vec![Box::new(Lifetime(lifetime))])
}

fn create_permission(
    listener: &Listener,
    request: &Message,
    client: SocketAddr,
    owner: &Owner,
) -> Result<Attributes, Refusal> {
    let allocation = owned(listener, client, owner)?;
    let peers = attributes::peers(request, allocation.address.ip())?;
    check_peers(listener, &peers)?;
    let ips: Vec<_> = peers.iter().map(SocketAddr::ip).collect();
    allocation.permit(&ips).map(|()| Vec::new())
}

fn channel_bind(
    listener: &Listener,
    request: &Message,
    client: SocketAddr,
    owner: &Owner,
) -> Result<Attributes, Refusal> {
    let allocation = owned(listener, client, owner)?;
    let channel = attributes::channel(request)?;
    let peers = attributes::peers(request, allocation.address.ip())?;
    let &[peer] = peers.as_slice() else { return Err(Refusal::BadRequest) };
    check_peers(listener, &peers)?;
    allocation.bind(channel.0, peer).map(|()| Vec::new())
}

/// All or nothing: one refused peer refuses the request.
fn check_peers(listener: &Listener, peers: &[SocketAddr]) -> Result<(), Refusal> {
    let permitted = peers.iter().all(|peer| listener.shared.policy.permits(peer.ip()));
    if permitted { Ok(()) } else { Err(Refusal::Forbidden) }
}

/// The client's allocation. The request is a sign of life: it was authenticated.
fn owned(
    listener: &Listener,
    client: SocketAddr,
    owner: &Owner,
) -> Result<Arc<Allocation>, Refusal> {
    let allocation = listener.allocation(client).ok_or(Refusal::AllocationMismatch)?;
    if allocation.user() != owner.user {
        return Err(Refusal::WrongCredentials);
    }
    allocation.note_heard();
    Ok(allocation)
}

fn place(
    listener: &Listener,
    request: &Message,
    client: SocketAddr,
) -> Result<RelayAddress, Refusal> {
    let addresses = listener.addresses;
    let place = match attributes::wants_ipv4(request)? {
        Some(true) => addresses.v4,
        Some(false) => addresses.v6,
        None if listener.shared.keep_family && client.is_ipv6() => addresses.v6.or(addresses.v4),
        None => addresses.v4.or(addresses.v6),
    };
    place.ok_or(Refusal::FamilyNotSupported)
}

fn text(request: &Message, attribute: AttrType) -> Result<String, Refusal> {
    TextAttribute::get_from_as(request, attribute)
        .map(|attribute| attribute.text)
        .map_err(|_| Refusal::BadRequest)
}

fn mapped(client: SocketAddr) -> XorMappedAddress {
    XorMappedAddress { ip: client.ip(), port: client.port() }
}

fn unix_now() -> u64 {
    // With a clock before 1970 nothing can be checked: all credentials count as expired.
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(u64::MAX, |since| since.as_secs())
}
