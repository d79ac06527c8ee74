//! The network's end of a call: PPP (RFC 1661) with PAP (RFC 1334), IPCP (RFC 1332, 1877) and
//! IPV6CP (RFC 5072), and a router that advertises an IPv6 prefix, as mobile networks do.
//!
//! It does no more than pppd needs at the other end. Its only timer is the caller's, for
//! [`Peer::repeat`].

mod frame;

use frame::{Deframer, frame};
use std::net::{Ipv4Addr, Ipv6Addr};

const IP: u16 = 0x0021;
const IPV6: u16 = 0x0057;
const LCP: u16 = 0xc021;
const PAP: u16 = 0xc023;
const IPCP: u16 = 0x8021;
const IPV6CP: u16 = 0x8057;

/// Codes of the control protocols (RFC 1661, 5) and of PAP (RFC 1334, 2.2).
mod code {
    pub(super) const REQUEST: u8 = 1;
    pub(super) const ACK: u8 = 2;
    pub(super) const NAK: u8 = 3;
    pub(super) const REJECT: u8 = 4;
    pub(super) const TERMINATE: u8 = 5;
    pub(super) const TERMINATE_ACK: u8 = 6;
    pub(super) const PROTOCOL_REJECT: u8 = 8;
    pub(super) const ECHO: u8 = 9;
    pub(super) const ECHO_REPLY: u8 = 10;
}

/// Magic number of LCP: an end that gets its own back knows that the line is looped back.
const MAGIC: [u8; 4] = *b"peer";
/// Interface identifiers (RFC 5072): the network's, and the one that it gives to the other end.
const OURS: [u8; 8] = [0, 0, 0, 0, 0, 0, 0, 1];
const THEIRS: [u8; 8] = [2, 0, 0, 0, 0, 0, 0, 2];

#[derive(Debug, Clone)]
pub struct Network {
    /// Its own address on the link.
    pub here: Ipv4Addr,
    /// Address of the caller.
    pub there: Ipv4Addr,
    /// A name server, which it gives as the first and the second one.
    pub dns: Ipv4Addr,
    /// The prefix of 64 bits that it advertises.
    pub prefix: Ipv6Addr,
    /// User and password that a caller needs; `None`: everybody may call.
    pub sign_in: Option<(String, String)>,
}

/// Something that came over the line.
#[derive(Debug, PartialEq, Eq)]
pub enum Event {
    /// A packet for the network.
    Packet(Vec<u8>),
    /// Text for a log.
    Said(String),
    /// The call is over.
    Over,
}

/// One end of a line.
#[derive(Debug)]
pub struct Peer {
    network: Network,
    line: Deframer,
    lcp: Layer,
    ipcp: Layer,
    ipv6cp: Layer,
    /// The caller has signed in, or need not.
    known: bool,
    /// Identifier of the newest request.
    next: u8,
    /// Bytes that wait to be written to the line.
    output: Vec<u8>,
    events: Vec<Event>,
}

/// State of one protocol: it is open when both requests are accepted.
#[derive(Debug, Default)]
struct Layer {
    /// The other end has accepted our request.
    ours: bool,
    /// This end has accepted the other's request.
    theirs: bool,
}

impl Layer {
    fn is_open(&self) -> bool {
        self.ours && self.theirs
    }
}

/// The answer to an option of a request.
enum Answer {
    Good,
    /// Another value is wanted.
    Rather(Vec<u8>),
    /// The option is not known.
    No,
}

impl Peer {
    /// The state at the beginning of a call.
    #[must_use]
    pub fn new(network: Network) -> Self {
        let known = network.sign_in.is_none();
        let (line, lcp, ipcp, ipv6cp) = Default::default();
        Self {
            network,
            line,
            lcp,
            ipcp,
            ipv6cp,
            known,
            next: 0,
            output: Vec::new(),
            events: Vec::new(),
        }
    }

    /// Takes bytes from the line.
    pub fn read(&mut self, bytes: &[u8]) -> Vec<Event> {
        for byte in bytes {
            if let Some((protocol, content)) = self.line.push(*byte) {
                self.receive(protocol, &content);
            }
        }
        std::mem::take(&mut self.events)
    }

    /// Sends unanswered requests again. Call it about every second.
    pub fn repeat(&mut self) -> Vec<Event> {
        for protocol in [LCP, IPCP, IPV6CP] {
            // This end begins only LCP. For addresses it waits until the other end has asked.
            if !self.layer(protocol).ours && (protocol == LCP || self.layer(protocol).theirs) {
                self.request(protocol);
            }
        }
        std::mem::take(&mut self.events)
    }

    /// Takes a packet of the network for the line. It is dropped if its protocol is not open.
    pub fn send(&mut self, packet: &[u8]) {
        let (layer, protocol) = match packet.first().map(|byte| byte >> 4) {
            Some(4) => (&self.ipcp, IP),
            Some(6) => (&self.ipv6cp, IPV6),
            _ => return,
        };
        if layer.is_open() {
            self.output.extend(frame(protocol, packet));
        }
    }

    /// Bytes to write to the line. Each is returned once.
    #[must_use]
    pub fn output(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.output)
    }

    fn receive(&mut self, protocol: u16, content: &[u8]) {
        match protocol {
            LCP | PAP | IPCP | IPV6CP => {
                let [code, id, high, low, ..] = *content else { return };
                let length = usize::from(u16::from_be_bytes([high, low]));
                let Some(data) = content.get(4..length) else { return };
                match protocol {
                    PAP => self.add_sign_in(code, id, data),
                    _ => self.control(protocol, code, id, data),
                }
            }
            IPV6 if is_solicitation(content) => self.advertise(),
            IP | IPV6 => self.events.push(Event::Packet(content.to_vec())),
            _ => {
                let rejected = [&protocol.to_be_bytes(), content].concat();
                let id = self.id();
                self.write(LCP, code::PROTOCOL_REJECT, id, &rejected);
            }
        }
    }

    fn control(&mut self, protocol: u16, code: u8, id: u8, data: &[u8]) {
        match code {
            code::REQUEST => self.judge(protocol, id, data),
            code::ACK => {
                self.layer(protocol).ours = true;
                if protocol == IPV6CP {
                    self.advertise();
                }
            }
            code::NAK | code::REJECT => {
                self.events.push(Event::Said(format!("{protocol:04x}: refuses {data:02x?}")))
            }
            code::TERMINATE => {
                self.write(protocol, code::TERMINATE_ACK, id, &[]);
                if protocol == LCP {
                    self.events.push(Event::Over);
                }
            }
            code::ECHO if protocol == LCP => {
                let reply = [&MAGIC, data.get(4..).unwrap_or_default()].concat();
                self.write(LCP, code::ECHO_REPLY, id, &reply);
            }
            _ => {}
        }
    }

    /// Answers a request of the other end (RFC 1661, 5.1 to 5.4): rejects unknown options first,
    /// then asks for other values, then accepts.
    fn judge(&mut self, protocol: u16, id: u8, data: &[u8]) {
        let (mut rather, mut no) = (Vec::new(), Vec::new());
        let mut rest = data;
        while let [kind, length, ..] = *rest {
            let Some((option, behind)) = rest.split_at_checked(usize::from(length).max(2)) else {
                return;
            };
            rest = behind;
            match self.option(protocol, kind, &option[2..]) {
                Answer::Good => {}
                Answer::Rather(value) => rather.extend(self::option(kind, &value)),
                Answer::No => no.extend_from_slice(option),
            }
        }
        let (code, answer) = match (no.is_empty(), rather.is_empty()) {
            (false, _) => (code::REJECT, no.as_slice()),
            (true, false) => (code::NAK, rather.as_slice()),
            (true, true) => (code::ACK, data),
        };
        self.write(protocol, code, id, answer);
        if code == code::ACK && !std::mem::replace(&mut self.layer(protocol).theirs, true) {
            self.request(protocol);
        }
    }

    fn option(&self, protocol: u16, kind: u8, value: &[u8]) -> Answer {
        let should_be = |wanted: &[u8]| {
            if value == wanted { Answer::Good } else { Answer::Rather(wanted.to_vec()) }
        };
        match (protocol, kind) {
            // Size, characters to escape, magic number, and two compressions of the header.
            (LCP, 1 | 2 | 5 | 7 | 8) => Answer::Good,
            (IPCP, 3) => should_be(&self.network.there.octets()),
            (IPCP, 129 | 131) => should_be(&self.network.dns.octets()),
            (IPV6CP, 1) => should_be(&THEIRS),
            _ => Answer::No,
        }
    }

    /// Answers a request of PAP: user and password.
    fn add_sign_in(&mut self, code: u8, id: u8, data: &[u8]) {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let split = |data: &[u8]| {
            data.split_first().and_then(|(length, rest)| {
                rest.split_at_checked(usize::from(*length)).map(|(a, b)| (text(a), b.to_vec()))
            })
        };
        let Some((user, rest)) = split(data).filter(|_| code == code::REQUEST) else { return };
        let Some((password, _)) = split(&rest) else { return };
        self.known = self
            .network
            .sign_in
            .as_ref()
            .is_none_or(|sign_in| *sign_in == (user.clone(), password));
        self.events
            .push(Event::Said(format!("{user} is {}known", if self.known { "" } else { "not " })));
        // The 0 is the length of the message, which is empty.
        self.write(PAP, if self.known { code::ACK } else { code::NAK }, id, &[0]);
    }

    fn request(&mut self, protocol: u16) {
        let wanted = match protocol {
            IPCP => option(3, &self.network.here.octets()),
            IPV6CP => option(1, &OURS),
            _ => {
                let sign_in = self.network.sign_in.as_ref().map(|_| option(3, &PAP.to_be_bytes()));
                [option(2, &[0; 4]), option(5, &MAGIC), sign_in.unwrap_or_default()].concat()
            }
        };
        let id = self.id();
        self.write(protocol, code::REQUEST, id, &wanted);
    }

    /// Sends a router's advertisement of the prefix to all nodes (RFC 4861, 4.2 and 4.6.2).
    fn advertise(&mut self) {
        if !self.ipv6cp.is_open() {
            return;
        }
        let (router, everybody) = (
            Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1),
            Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1),
        );
        // The router counts for half an hour. The prefix is for addresses (flag A), and is not on
        // the link (no flag L).
        let mut message = vec![134, 0, 0, 0, 64, 0, 0x07, 0x08, 0, 0, 0, 0, 0, 0, 0, 0];
        message.extend([3, 4, 64, 0x40, 0, 0, 0x0e, 0x10, 0, 0, 0x0e, 0x10, 0, 0, 0, 0]);
        message.extend(self.network.prefix.octets());
        let sum = icmp6_checksum(router, everybody, &message);
        message[2..4].copy_from_slice(&sum.to_be_bytes());
        let length = u16::try_from(message.len()).unwrap_or_default();
        let packet = [
            &[0x60, 0, 0, 0][..],
            &length.to_be_bytes(),
            &[58, 255],
            &router.octets(),
            &everybody.octets(),
            &message,
        ];
        self.output.extend(frame(IPV6, &packet.concat()));
    }

    fn layer(&mut self, protocol: u16) -> &mut Layer {
        match protocol {
            IPCP => &mut self.ipcp,
            IPV6CP => &mut self.ipv6cp,
            _ => &mut self.lcp,
        }
    }

    fn id(&mut self) -> u8 {
        self.next = self.next.wrapping_add(1);
        self.next
    }

    fn write(&mut self, protocol: u16, code: u8, id: u8, data: &[u8]) {
        let Ok(length) = u16::try_from(data.len() + 4) else { return };
        let [high, low] = length.to_be_bytes();
        self.output.extend(frame(protocol, &[&[code, id, high, low], data].concat()));
    }
}

fn option(kind: u8, value: &[u8]) -> Vec<u8> {
    let length = u8::try_from(value.len() + 2).unwrap_or(2);
    [&[kind, length], value].concat()
}

/// Whether a packet is a router solicitation: ICMPv6 (58) of type 133.
fn is_solicitation(packet: &[u8]) -> bool {
    packet.get(6) == Some(&58) && packet.get(40) == Some(&133)
}

/// The checksum of RFC 4443, 2.3, with the pseudo header of RFC 8200, 8.1.
fn icmp6_checksum(from: Ipv6Addr, to: Ipv6Addr, message: &[u8]) -> u16 {
    let length = u32::try_from(message.len()).unwrap_or_default();
    let header = [&from.octets()[..], &to.octets(), &length.to_be_bytes(), &[0, 0, 0, 58]].concat();
    let words = header
        .chunks(2)
        .chain(message.chunks(2))
        .map(|pair| u32::from(pair[0]) << 8 | u32::from(*pair.get(1).unwrap_or(&0)));
    let sum = words.fold(0_u32, |sum, word| sum.wrapping_add(word));
    let folded = (sum & 0xffff) + (sum >> 16);
    !u16::try_from((folded & 0xffff) + (folded >> 16)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(sign_in: Option<(&str, &str)>) -> Network {
        let sign_in = sign_in.map(|(user, password)| (user.to_owned(), password.to_owned()));
        let [here, there, dns] = [1, 2, 53].map(|last| Ipv4Addr::new(10, 64, 0, last));
        Network {
            here,
            there,
            dns,
            prefix: Ipv6Addr::new(0x2001, 0xdb8, 0x64, 0, 0, 0, 0, 0),
            sign_in,
        }
    }

    fn said(peer: &mut Peer) -> Vec<(u16, Vec<u8>)> {
        let mut line = Deframer::default();
        peer.output().iter().filter_map(|byte| line.push(*byte)).collect()
    }

    fn packet(code: u8, id: u8, data: &[u8]) -> Vec<u8> {
        let length = u8::try_from(data.len() + 4).unwrap();
        [&[code, id, 0, length], data].concat()
    }

    fn hear(
        peer: &mut Peer,
        protocol: u16,
        code: u8,
        id: u8,
        data: &[u8],
    ) -> (Vec<Event>, Vec<(u16, Vec<u8>)>) {
        let events = peer.read(&frame(protocol, &packet(code, id, data)));
        (events, said(peer))
    }

    fn opened(sign_in: Option<(&str, &str)>) -> Peer {
        let mut peer = Peer::new(network(sign_in));
        let (_, answers) = hear(&mut peer, LCP, code::REQUEST, 1, &option(5, b"pppd"));
        assert_eq!(answers[0], (LCP, packet(code::ACK, 1, &option(5, b"pppd"))));
        assert_eq!(answers[1].1[0], code::REQUEST);
        hear(&mut peer, LCP, code::ACK, 1, &answers[1].1[4..]);
        peer
    }

    #[test]
    fn whoever_calls_is_told_address_and_name_server() {
        let mut peer = opened(None);
        let asked = [option(3, &[0; 4]), option(2, &[0, 0x2d, 15, 1])].concat();
        assert_eq!(
            hear(&mut peer, IPCP, code::REQUEST, 1, &asked).1,
            [(IPCP, packet(code::REJECT, 1, &option(2, &[0, 0x2d, 15, 1])))]
        );
        let asked = [option(3, &[0; 4]), option(129, &[0; 4])].concat();
        let told = [option(3, &[10, 64, 0, 2]), option(129, &[10, 64, 0, 53])].concat();
        assert_eq!(
            hear(&mut peer, IPCP, code::REQUEST, 2, &asked).1,
            [(IPCP, packet(code::NAK, 2, &told))]
        );
        let (_, answers) = hear(&mut peer, IPCP, code::REQUEST, 3, &told);
        assert_eq!(answers[0], (IPCP, packet(code::ACK, 3, &told)));
        assert_eq!(answers[1].1[4..], option(3, &[10, 64, 0, 1]));
        peer.send(&[0x45, 1]);
        assert_eq!(said(&mut peer), []);
        hear(&mut peer, IPCP, code::ACK, 2, &answers[1].1[4..]);
        peer.send(&[0x45, 1]);
        assert_eq!(said(&mut peer), [(IP, vec![0x45, 1])]);
    }

    #[test]
    fn a_prefix_is_advertised_with_a_good_checksum() {
        let mut peer = opened(None);
        hear(&mut peer, IPV6CP, code::REQUEST, 1, &option(1, &THEIRS));
        let (_, answers) = hear(&mut peer, IPV6CP, code::ACK, 2, &option(1, &OURS));
        let [(IPV6, advertisement)] = answers.as_slice() else { panic!("{answers:?}") };
        let address =
            |at: usize| Ipv6Addr::from(<[u8; 16]>::try_from(&advertisement[at..at + 16]).unwrap());
        // The checksum over a message with a right checksum in it is 0.
        assert_eq!(icmp6_checksum(address(8), address(24), &advertisement[40..]), 0);
        assert_eq!(address(advertisement.len() - 16), peer.network.prefix);
    }

    #[test]
    fn a_wrong_password_is_refused() {
        let mut peer = opened(Some(("car", "secret")));
        let (events, answers) = hear(&mut peer, PAP, code::REQUEST, 1, b"\x03car\x05wrong");
        assert_eq!(
            (events, answers),
            (
                vec![Event::Said("car is not known".to_owned())],
                vec![(PAP, packet(code::NAK, 1, &[0]))]
            )
        );
        assert_eq!(
            hear(&mut peer, PAP, code::REQUEST, 2, b"\x03car\x06secret").1,
            [(PAP, packet(code::ACK, 2, &[0]))]
        );
    }

    #[test]
    fn the_end_and_the_unknown_are_answered() {
        let mut peer = opened(None);
        assert_eq!(
            hear(&mut peer, 0x80fd, 1, 1, &[]).1[0].1[..6],
            [code::PROTOCOL_REJECT, 2, 0, 10, 0x80, 0xfd]
        );
        assert_eq!(
            hear(&mut peer, LCP, code::ECHO, 7, b"pppd").1,
            [(LCP, packet(code::ECHO_REPLY, 7, &MAGIC))]
        );
        assert_eq!(
            hear(&mut peer, LCP, code::TERMINATE, 8, &[]),
            (vec![Event::Over], vec![(LCP, packet(code::TERMINATE_ACK, 8, &[]))])
        );
    }
}
