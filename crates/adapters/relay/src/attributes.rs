//! Reads the attributes of requests, strictly.

use crate::config::DEFAULT_LIFETIME;
use crate::reply::Refusal;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use stun::attributes::{
    ATTR_CHANNEL_NUMBER, ATTR_DATA, ATTR_EVEN_PORT, ATTR_LIFETIME, ATTR_MESSAGE_INTEGRITY,
    ATTR_NONCE, ATTR_REALM, ATTR_REQUESTED_ADDRESS_FAMILY, ATTR_REQUESTED_TRANSPORT,
    ATTR_RESERVATION_TOKEN, ATTR_USERNAME, ATTR_XOR_PEER_ADDRESS, AttrType, Attributes,
};
use stun::message::{Getter, Message};
use turn::proto::PROTO_UDP;
use turn::proto::channum::ChannelNumber;
use turn::proto::data::Data;
use turn::proto::lifetime::Lifetime;
use turn::proto::peeraddr::PeerAddress;
use turn::proto::reqfamily::{REQUESTED_FAMILY_IPV4, RequestedAddressFamily};
use turn::proto::reqtrans::RequestedTransport;

/// Of the attributes that must be understood (0x0000–0x7FFF), those that this server understands.
const UNDERSTOOD: [AttrType; 12] = [
    ATTR_CHANNEL_NUMBER,
    ATTR_DATA,
    ATTR_EVEN_PORT,
    ATTR_LIFETIME,
    ATTR_MESSAGE_INTEGRITY,
    ATTR_NONCE,
    ATTR_REALM,
    ATTR_REQUESTED_ADDRESS_FAMILY,
    ATTR_REQUESTED_TRANSPORT,
    ATTR_RESERVATION_TOKEN,
    ATTR_USERNAME,
    ATTR_XOR_PEER_ADDRESS,
];

/// Unknown attributes that an answer lists at most. Without a limit a hostile request could cause
/// an answer larger than itself.
const MAX_LISTED: usize = 8;

/// The message without the attributes after MESSAGE-INTEGRITY: nobody has signed them, so they are
/// ignored (RFC 8489 section 14.5). FINGERPRINT and MESSAGE-INTEGRITY-SHA256, which may be there,
/// are of no use to this server.
pub(crate) fn signed_part(message: &Message) -> Message {
    let all = &message.attributes.0;
    let end = all.iter().position(|attribute| attribute.typ == ATTR_MESSAGE_INTEGRITY);
    let signed = all.iter().take(end.map_or(all.len(), |index| index + 1)).cloned().collect();
    Message { attributes: Attributes(signed), ..message.clone() }
}

/// Refuses requests with unknown attributes that must be understood (RFC 8489 section 6.3.1).
pub(crate) fn check_understood(request: &Message) -> Result<(), Refusal> {
    let unknown = request
        .attributes
        .0
        .iter()
        .map(|attribute| attribute.typ)
        .filter(|typ| typ.required() && !UNDERSTOOD.contains(typ));
    let unknown: Vec<u16> = unknown.map(|typ| typ.value()).take(MAX_LISTED).collect();
    if unknown.is_empty() { Ok(()) } else { Err(Refusal::UnknownAttributes(unknown)) }
}

/// Accepts UDP only, and no wish for a port of a certain parity or for a reserved one.
pub(crate) fn check_transport(request: &Message) -> Result<(), Refusal> {
    let mut transport = RequestedTransport::default();
    transport.get_from(request).map_err(|_| Refusal::BadRequest)?;
    if transport.protocol != PROTO_UDP {
        return Err(Refusal::TransportNotSupported);
    }
    if request.contains(ATTR_EVEN_PORT) || request.contains(ATTR_RESERVATION_TOKEN) {
        return Err(Refusal::InsufficientCapacity);
    }
    Ok(())
}

/// Whether the request asks for an IPv4 address; `None` if it names no family.
pub(crate) fn wants_ipv4(request: &Message) -> Result<Option<bool>, Refusal> {
    if !request.contains(ATTR_REQUESTED_ADDRESS_FAMILY) {
        return Ok(None);
    }
    let mut family = RequestedAddressFamily::default();
    family.get_from(request).map_err(|_| Refusal::FamilyNotSupported)?;
    Ok(Some(family == REQUESTED_FAMILY_IPV4))
}

/// The lifetime to grant: the wanted one, but between the default and `max` (RFC 8656 section 7.2).
/// Zero stays zero: it ends an allocation.
pub(crate) fn lifetime(request: &Message, max: Duration) -> Duration {
    let mut wanted = Lifetime::default();
    match wanted.get_from(request) {
        Ok(()) if wanted.0.is_zero() => Duration::ZERO,
        Ok(()) => wanted.0.clamp(DEFAULT_LIFETIME, max),
        Err(_) => DEFAULT_LIFETIME,
    }
}

/// All peers that the request names. An error if there is none, or one of another family than the
/// relayed address.
pub(crate) fn peers(request: &Message, relayed: IpAddr) -> Result<Vec<SocketAddr>, Refusal> {
    let named =
        request.attributes.0.iter().filter(|attribute| attribute.typ == ATTR_XOR_PEER_ADDRESS);
    let peers = named
        .map(|attribute| {
            // The getter reads only the first attribute of a message, so each gets its own message.
            let only = Message {
                transaction_id: request.transaction_id,
                attributes: Attributes(vec![attribute.clone()]),
                ..Message::default()
            };
            let peer = peer(&only)?;
            if peer.is_ipv4() == relayed.is_ipv4() {
                Ok(peer)
            } else {
                Err(Refusal::PeerFamilyMismatch)
            }
        })
        .collect::<Result<Vec<_>, _>>()?;
    if peers.is_empty() { Err(Refusal::BadRequest) } else { Ok(peers) }
}

/// The channel to bind (RFC 8656 section 12).
pub(crate) fn channel(request: &Message) -> Result<ChannelNumber, Refusal> {
    let mut number = ChannelNumber::default();
    number.get_from(request).map_err(|_| Refusal::BadRequest)?;
    if number.valid() { Ok(number) } else { Err(Refusal::BadRequest) }
}

/// Peer and payload of a Send indication, `None` if it is broken.
pub(crate) fn send(indication: &Message) -> Option<(SocketAddr, Vec<u8>)> {
    let mut data = Data::default();
    data.get_from(indication).ok()?;
    Some((peer(indication).ok()?, data.0))
}

/// Channel and payload of a ChannelData message (RFC 8656 section 12.4), `None` if it is broken.
pub(crate) fn channel_data(datagram: &[u8]) -> Option<(ChannelNumber, &[u8])> {
    let (header, rest) = datagram.split_first_chunk::<4>()?;
    let number = ChannelNumber(u16::from_be_bytes([header[0], header[1]]));
    let length = usize::from(u16::from_be_bytes([header[2], header[3]]));
    // Over UDP the padding may be left out.
    Some((number, rest.get(..length)?)).filter(|_| number.valid())
}

fn peer(message: &Message) -> Result<SocketAddr, Refusal> {
    // The getter accepts short addresses and fills them with zeros, so their length is checked.
    let length = message.get(ATTR_XOR_PEER_ADDRESS).map_err(|_| Refusal::BadRequest)?.len();
    let mut peer = PeerAddress::default();
    peer.get_from(message).map_err(|_| Refusal::BadRequest)?;
    if length == if peer.ip.is_ipv4() { 8 } else { 20 } {
        Ok(SocketAddr::new(peer.ip, peer.port))
    } else {
        Err(Refusal::BadRequest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stun::message::Setter;

    fn message(setters: &[&dyn Setter]) -> Message {
        let mut message = Message::new();
        for setter in setters {
            setter.add_to(&mut message).unwrap();
        }
        message
    }

    fn peer_address(text: &str) -> PeerAddress {
        let peer: SocketAddr = text.parse().unwrap();
        PeerAddress { ip: peer.ip(), port: peer.port() }
    }

    #[test]
    fn every_peer_of_a_request_is_read() {
        let request = message(&[&peer_address("1.2.3.4:5"), &peer_address("6.7.8.9:10")]);
        let peers = peers(&request, IpAddr::from([127, 0, 0, 1])).unwrap();
        assert_eq!(peers, ["1.2.3.4:5".parse().unwrap(), "6.7.8.9:10".parse().unwrap()]);
    }

    #[test]
    fn a_peer_of_the_other_family_is_refused() {
        let request = message(&[&peer_address("1.2.3.4:5"), &peer_address("[2001:db8::1]:10")]);
        assert_eq!(peers(&request, IpAddr::from([127, 0, 0, 1])), Err(Refusal::PeerFamilyMismatch));
        assert_eq!(peers(&message(&[]), IpAddr::from([127, 0, 0, 1])), Err(Refusal::BadRequest));
    }

    #[test]
    fn a_shortened_address_is_not_filled_up_with_zeros() {
        let mut request = Message::new();
        request.add(ATTR_XOR_PEER_ADDRESS, &[0, 1, 2, 3, 4, 5]);
        assert_eq!(peers(&request, IpAddr::from([127, 0, 0, 1])), Err(Refusal::BadRequest));
    }

    #[test]
    fn lifetimes_stay_between_the_default_and_the_limit() {
        let max = Duration::from_secs(1800);
        let granted = |wanted: u64| {
            lifetime(&message(&[&Lifetime(Duration::from_secs(wanted))]), max).as_secs()
        };
        assert_eq!((granted(0), granted(1), granted(1200), granted(999_999)), (0, 600, 1200, 1800));
        assert_eq!(lifetime(&message(&[]), max), DEFAULT_LIFETIME);
    }

    #[test]
    fn channel_data_may_end_with_padding_and_not_before_its_length() {
        assert_eq!(
            channel_data(&[0x40, 0, 0, 2, 7, 8, 0, 0]),
            Some((ChannelNumber(0x4000), &[7, 8][..]))
        );
        assert_eq!(channel_data(&[0x40, 0, 0, 3, 7, 8]), None);
        assert_eq!(channel_data(&[0x80, 0, 0, 0]), None);
        assert_eq!(channel_data(&[0x40, 0, 0]), None);
    }

    #[test]
    fn row_8_what_follows_the_integrity_is_not_read() {
        let mut request = message(&[&Lifetime(Duration::from_secs(700))]);
        request.add(ATTR_MESSAGE_INTEGRITY, &[0; 20]);
        let first = peer_address("1.2.3.4:5");
        first.add_to(&mut request).unwrap();
        request.add(AttrType(0x001A), b"");
        let read = signed_part(&request);
        assert_eq!(peers(&read, IpAddr::from([127, 0, 0, 1])), Err(Refusal::BadRequest));
        assert_eq!(check_understood(&read), Ok(()));
        assert_eq!(lifetime(&read, Duration::from_secs(3600)).as_secs(), 700);
        assert_eq!(read.raw, request.raw, "the integrity is checked over what came");
    }

    #[test]
    fn unknown_attributes_that_must_be_understood_are_named() {
        let mut request = Message::new();
        request.add(AttrType(0x8022), b"optional");
        assert_eq!(check_understood(&request), Ok(()));
        request.add(AttrType(0x001A), b"");
        assert_eq!(check_understood(&request), Err(Refusal::UnknownAttributes(vec![0x001A])));
    }
}
