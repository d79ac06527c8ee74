//! Requests: Binding, and the four of TURN, which are authenticated first.

use crate::attributes;
use crate::credentials::{password, user_of};
use crate::listener::Listener;
use crate::relayed::Relayed;
use crate::reply::{self, Attributes, Refusal};
use crate::sockets::{self, RelayAddress};
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
use turn::allocation::Allocation;
use turn::allocation::channel_bind::ChannelBind;
use turn::allocation::permission::Permission;
use turn::proto::lifetime::Lifetime;
use turn::proto::relayaddr::RelayedAddress;

/// Channels last ten minutes (RFC 8656 section 12).
const CHANNEL_LIFETIME: std::time::Duration = std::time::Duration::from_secs(600);

/// The answer to a request. The outer `None`: the method is unknown; the inner one: the answer
/// could not be written.
pub(crate) async fn answer(
    listener: &mut Listener,
    request: &Message,
    client: SocketAddr,
) -> Option<Option<Vec<u8>>> {
    let counters = Arc::clone(&listener.shared.counters);
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
    let owner = match authenticate(listener, request, client, now) {
        Ok(owner) => owner,
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
    let outcome = match request.typ.method {
        METHOD_ALLOCATE => allocate(listener, request, client, &owner).await,
        METHOD_REFRESH => refresh(listener, request, client, &owner).await,
        METHOD_CREATE_PERMISSION => create_permission(listener, request, client, &owner).await,
        _ => channel_bind(listener, request, client, &owner).await,
    };
    Some(match outcome {
        Ok(attributes) => reply::success(request, &attributes, Some(&owner.key)),
        Err(refusal) => {
            tracing::debug!(user = owner.user(), method = %request.typ.method, ?refusal, "refused");
            match refusal {
                Refusal::Forbidden => counters.refused_peers.increment(),
                Refusal::QuotaReached => counters.refused_quota.increment(),
                _ => {}
            }
            reply::refusal(request, &refusal, Vec::new(), Some(&owner.key))
        }
    })
}

/// The authenticated sender of a request.
struct Owner {
    username: String,
    key: MessageIntegrity,
}

impl Owner {
    /// The expiry does not count: a user who gets new credentials keeps the allocations.
    fn user(&self) -> &str {
        user_of(&self.username, 0).unwrap_or_default()
    }
}

/// Long-term credentials (RFC 8489 section 9.2.4).
fn authenticate(
    listener: &Listener,
    request: &Message,
    client: SocketAddr,
    now: u64,
) -> Result<Owner, Refusal> {
    let shared = &listener.shared;
    if !request.contains(ATTR_MESSAGE_INTEGRITY) {
        return Err(Refusal::Unauthorized);
    }
    let nonce = text(request, ATTR_NONCE)?;
    let username = text(request, ATTR_USERNAME)?;
    // The realm must be there. If it is another one, the client has computed another key.
    text(request, ATTR_REALM)?;
    if !shared.nonces.check(&nonce, client, now) {
        return Err(Refusal::StaleNonce);
    }
    let refused = |reason| {
        shared.counters.refused_credentials.increment();
        tracing::debug!(%client, reason, "refused");
        Refusal::Unauthorized
    };
    if user_of(&username, now).is_none() {
        return Err(refused("the username has expired or is malformed"));
    }
    let key = MessageIntegrity::new_long_term_integrity(
        username.clone(),
        shared.realm.clone(),
        password(&shared.secret, &username),
    );
    if key.check(&mut request.clone()).is_err() {
        return Err(refused("wrong password or realm"));
    }
    attributes::check_understood(request)?;
    Ok(Owner { username, key })
}

async fn allocate(
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
    let granted = |relayed: &Relayed| -> Attributes {
        let address = RelayedAddress { ip: relayed.address.ip(), port: relayed.address.port() };
        vec![Box::new(address), Box::new(Lifetime(lifetime)), Box::new(mapped(client))]
    };
    if let Some((_, relayed)) = listener.allocation(client).await {
        // A retransmission: the first answer was lost.
        let again = relayed.transaction == request.transaction_id && relayed.user() == owner.user();
        return if again { Ok(granted(&relayed)) } else { Err(Refusal::AllocationMismatch) };
    }
    attributes::check_transport(request)?;
    let place = place(listener, request, client)?;
    let permit = match shared.quota.take(owner.user()) {
        Some(permit) => permit,
        // A client that has lost its network cannot give its allocation back, and comes again from
        // another address.
        None => {
            listener.give_up_silent(owner.user()).await;
            shared.quota.take(owner.user()).ok_or(Refusal::QuotaReached)?
        }
    };
    let relayed = sockets::relay(place, &shared.ports)
        .and_then(|socket| {
            Relayed::new(socket, place.public, request.transaction_id, permit, Arc::clone(&shared))
        })
        .map_err(|error| {
            tracing::warn!(
                error = %causes(&error), ports = ?shared.ports,
                "no port for a new allocation"
            );
            Refusal::InsufficientCapacity
        })?;
    let relayed = Arc::new(relayed);
    listener.handover.put(Some(Arc::clone(&relayed)));
    let socket = Arc::clone(&listener.socket);
    let username = TextAttribute::new(ATTR_USERNAME, owner.username.clone());
    let five_tuple = listener.five_tuple(client);
    let made = listener
        .manager
        .create_allocation(five_tuple, socket, 0, lifetime, username, place.public.is_ipv4())
        .await;
    if let Err(error) = made {
        // Else the next allocation would get this one's socket.
        listener.handover.put(None);
        tracing::warn!(error = %causes(&error), "no allocation");
        return Err(Refusal::InsufficientCapacity);
    }
    listener.remember(client, &relayed);
    shared.counters.allocations_made.increment();
    tracing::debug!(user = owner.user(), %client, relayed = %relayed.address, "allocated");
    Ok(granted(&relayed))
}

async fn refresh(
    listener: &Listener,
    request: &Message,
    client: SocketAddr,
    owner: &Owner,
) -> Result<Attributes, Refusal> {
    let lifetime = attributes::lifetime(request, listener.shared.max_lifetime);
    match owned(listener, client, owner).await {
        Ok((_, relayed))
            if attributes::wants_ipv4(request)?
                .is_some_and(|ipv4| ipv4 != relayed.address.is_ipv4()) =>
        {
            return Err(Refusal::PeerFamilyMismatch);
        }
        Ok(_) if lifetime.is_zero() => {
            listener.manager.delete_allocation(&listener.five_tuple(client)).await
        }
        Ok((allocation, _)) => allocation.refresh(lifetime).await,
        // A retransmission: the first request has ended the allocation (RFC 8656 section 8.2).
        Err(Refusal::AllocationMismatch) if lifetime.is_zero() => {}
        Err(refusal) => return Err(refusal),
    }
    Ok(vec![Box::new(Lifetime(lifetime))])
}

async fn create_permission(
    listener: &Listener,
    request: &Message,
    client: SocketAddr,
    owner: &Owner,
) -> Result<Attributes, Refusal> {
    let (allocation, relayed) = owned(listener, client, owner).await?;
    let peers = attributes::peers(request, relayed.address.ip())?;
    permit(listener, &relayed, &peers)?;
    for peer in peers {
        allocation.add_permission(Permission::new(peer)).await;
    }
    Ok(Vec::new())
}

async fn channel_bind(
    listener: &Listener,
    request: &Message,
    client: SocketAddr,
    owner: &Owner,
) -> Result<Attributes, Refusal> {
    let (allocation, relayed) = owned(listener, client, owner).await?;
    let channel = attributes::channel(request)?;
    let peers = attributes::peers(request, relayed.address.ip())?;
    let &[peer] = peers.as_slice() else { return Err(Refusal::BadRequest) };
    permit(listener, &relayed, &peers)?;
    let bound =
        allocation.add_channel_bind(ChannelBind::new(channel, peer), CHANNEL_LIFETIME).await;
    // An error: the channel has another peer, or the peer another channel.
    bound.map(|()| Vec::new()).map_err(|_| Refusal::BadRequest)
}

/// All or nothing: one refused peer refuses the request.
fn permit(listener: &Listener, relayed: &Relayed, peers: &[SocketAddr]) -> Result<(), Refusal> {
    if peers.iter().any(|peer| !listener.shared.policy.permits(peer.ip())) {
        return Err(Refusal::Forbidden);
    }
    let ips: Vec<_> = peers.iter().map(SocketAddr::ip).collect();
    if relayed.note_peers(&ips) { Ok(()) } else { Err(Refusal::InsufficientCapacity) }
}

async fn owned(
    listener: &Listener,
    client: SocketAddr,
    owner: &Owner,
) -> Result<(Arc<Allocation>, Arc<Relayed>), Refusal> {
    let (allocation, relayed) =
        listener.allocation(client).await.ok_or(Refusal::AllocationMismatch)?;
    if relayed.user() == owner.user() {
        Ok((allocation, relayed))
    } else {
        Err(Refusal::WrongCredentials)
    }
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
