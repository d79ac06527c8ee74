//! Answers to requests.

use rccar_causes::causes;
use std::net::SocketAddr;
use stun::agent::TransactionId;
use stun::attributes::{ATTR_NONCE, ATTR_REALM, AttrType};
use stun::error_code::{
    CODE_ADDR_FAMILY_NOT_SUPPORTED, CODE_ALLOC_MISMATCH, CODE_ALLOC_QUOTA_REACHED,
    CODE_BAD_REQUEST, CODE_FORBIDDEN, CODE_INSUFFICIENT_CAPACITY, CODE_PEER_ADDR_FAMILY_MISMATCH,
    CODE_STALE_NONCE, CODE_UNAUTHORIZED, CODE_UNKNOWN_ATTRIBUTE, CODE_UNSUPPORTED_TRANS_PROTO,
    CODE_WRONG_CREDENTIALS, ErrorCode,
};
use stun::fingerprint::FINGERPRINT;
use stun::integrity::MessageIntegrity;
use stun::message::{
    CLASS_ERROR_RESPONSE, CLASS_INDICATION, CLASS_SUCCESS_RESPONSE, METHOD_DATA, Message,
    MessageType, Setter,
};
use stun::textattrs::TextAttribute;
use stun::uattrs::UnknownAttributes;
use turn::proto::data::Data;
use turn::proto::peeraddr::PeerAddress;

/// Why a request is refused (RFC 8489 section 14.8, RFC 8656 section 19).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// 400: an attribute is missing or broken.
    BadRequest,
    /// 401: credentials are missing, wrong or expired.
    Unauthorized,
    /// 403: the policy refuses the peer.
    Forbidden,
    /// 420: these attributes must be understood, but are unknown.
    UnknownAttributes(Vec<u16>),
    /// 437: there is no allocation, or there is one already.
    AllocationMismatch,
    /// 438: the nonce is too old or not ours.
    StaleNonce,
    /// 440: the relay has no address of this family.
    FamilyNotSupported,
    /// 441: the allocation belongs to someone else.
    WrongCredentials,
    /// 442: the relay speaks UDP only.
    TransportNotSupported,
    /// 443: the peer's address is of another family than the relayed address.
    PeerFamilyMismatch,
    /// 486: the user has enough allocations.
    QuotaReached,
    /// 508: the relay is full, or cannot give what was asked for.
    InsufficientCapacity,
}

impl Refusal {
    fn code(&self) -> ErrorCode {
        match self {
            Self::BadRequest => CODE_BAD_REQUEST,
            Self::Unauthorized => CODE_UNAUTHORIZED,
            Self::Forbidden => CODE_FORBIDDEN,
            Self::UnknownAttributes(_) => CODE_UNKNOWN_ATTRIBUTE,
            Self::AllocationMismatch => CODE_ALLOC_MISMATCH,
            Self::StaleNonce => CODE_STALE_NONCE,
            Self::FamilyNotSupported => CODE_ADDR_FAMILY_NOT_SUPPORTED,
            Self::WrongCredentials => CODE_WRONG_CREDENTIALS,
            Self::TransportNotSupported => CODE_UNSUPPORTED_TRANS_PROTO,
            Self::PeerFamilyMismatch => CODE_PEER_ADDR_FAMILY_MISMATCH,
            Self::QuotaReached => CODE_ALLOC_QUOTA_REACHED,
            Self::InsufficientCapacity => CODE_INSUFFICIENT_CAPACITY,
        }
    }
}

/// Attributes of an answer, in their order.
pub(crate) type Attributes = Vec<Box<dyn Setter + Send>>;

/// The key that authenticated the request also signs the answer (RFC 8489 section 9.2.4).
pub(crate) fn success(
    request: &Message,
    attributes: &Attributes,
    key: Option<&MessageIntegrity>,
) -> Option<Vec<u8>> {
    build(request, MessageType::new(request.typ.method, CLASS_SUCCESS_RESPONSE), attributes, key)
}

pub(crate) fn refusal(
    request: &Message,
    refusal: &Refusal,
    challenge: Attributes,
    key: Option<&MessageIntegrity>,
) -> Option<Vec<u8>> {
    let mut attributes: Attributes = vec![Box::new(refusal.code())];
    if let Refusal::UnknownAttributes(unknown) = refusal {
        attributes
            .push(Box::new(UnknownAttributes(unknown.iter().copied().map(AttrType).collect())));
    }
    attributes.extend(challenge);
    build(request, MessageType::new(request.typ.method, CLASS_ERROR_RESPONSE), &attributes, key)
}

/// The attributes that a client needs to authenticate (RFC 8489 section 9.2.4).
pub(crate) fn challenge(realm: &str, nonce: String) -> Attributes {
    vec![
        Box::new(TextAttribute::new(ATTR_REALM, realm.to_owned())),
        Box::new(TextAttribute::new(ATTR_NONCE, nonce)),
    ]
}

/// A Data indication (RFC 8656 section 11.4): what a peer without a channel has sent. `None` if it
/// does not fit into a message.
pub(crate) fn data(payload: &[u8], peer: SocketAddr) -> Option<Vec<u8>> {
    let mut indication = Message::new();
    indication.transaction_id = TransactionId::new();
    indication.set_type(MessageType::new(METHOD_DATA, CLASS_INDICATION));
    indication.write_header();
    PeerAddress { ip: peer.ip(), port: peer.port() }.add_to(&mut indication).ok()?;
    Data(payload.to_vec()).add_to(&mut indication).ok()?;
    Some(indication.raw)
}

fn build(
    request: &Message,
    typ: MessageType,
    attributes: &Attributes,
    key: Option<&MessageIntegrity>,
) -> Option<Vec<u8>> {
    let mut answer = Message::new();
    answer.transaction_id = request.transaction_id;
    answer.set_type(typ);
    answer.write_header();
    // In this order: integrity covers the attributes, and the fingerprint covers all (RFC 8489
    // sections 14.5, 14.7).
    let written = attributes
        .iter()
        .try_for_each(|attribute| attribute.add_to(&mut answer))
        .and_then(|()| key.map_or(Ok(()), |key| key.add_to(&mut answer)))
        .and_then(|()| FINGERPRINT.add_to(&mut answer));
    match written {
        Ok(()) => Some(answer.raw),
        Err(error) => {
            // Only an overlong realm can cause this.
            tracing::error!(error = %causes(&error), "cannot write an answer");
            None
        }
    }
}
