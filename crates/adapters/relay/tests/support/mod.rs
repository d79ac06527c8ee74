//! A relay on loopback and a client that speaks raw STUN, so that tests see every answer as it is
//! on the wire.

#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test file includes this one and uses a part of it"
)]

use rccar_relay::credentials::{Credentials, Secret, mint};
use rccar_relay::{Relay, RelayConfig, RelayStats};
use std::net::SocketAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use stun::agent::TransactionId;
use stun::attributes::{ATTR_NONCE, ATTR_REALM, ATTR_USERNAME};
use stun::error_code::ErrorCodeAttribute;
use stun::integrity::MessageIntegrity;
use stun::message::{
    CLASS_ERROR_RESPONSE, CLASS_INDICATION, CLASS_REQUEST, CLASS_SUCCESS_RESPONSE, Getter,
    METHOD_ALLOCATE, METHOD_BINDING, METHOD_CHANNEL_BIND, METHOD_CREATE_PERMISSION, METHOD_REFRESH,
    METHOD_SEND, Message, MessageType, Method, Setter,
};
use stun::textattrs::TextAttribute;
use tokio::net::UdpSocket;
use turn::proto::PROTO_UDP;
use turn::proto::channum::ChannelNumber;
use turn::proto::data::Data;
use turn::proto::lifetime::Lifetime;
use turn::proto::peeraddr::PeerAddress;
use turn::proto::relayaddr::RelayedAddress;
use turn::proto::reqtrans::RequestedTransport;

/// Far longer than anything on loopback takes; only a failing test waits for it.
pub const LIMIT: Duration = Duration::from_secs(10);

pub fn secret() -> Secret {
    Secret::new(b"the north wind")
}

/// A relay on one free port of 127.0.0.1 and one of ::1, changed by `change`.
pub fn relay(change: impl FnOnce(&mut RelayConfig)) -> Relay {
    let mut config = RelayConfig::new(secret());
    config.listen = vec!["127.0.0.1:0".parse().unwrap(), "[::1]:0".parse().unwrap()];
    // TEST-NET-3 stands for the Internet.
    config.allow_peers = vec!["203.0.113.0/24".parse().unwrap()];
    change(&mut config);
    Relay::start(config).unwrap()
}

pub fn credentials(user: &str) -> Credentials {
    mint(&secret(), user, Duration::from_secs(60), unix_now())
}

pub fn unix_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// Waits until the relay's counters are as `condition` wants them.
pub async fn until(relay: &Relay, mut condition: impl FnMut(&RelayStats) -> bool) {
    let waiting = async {
        while !condition(&relay.stats()) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(LIMIT, waiting)
        .await
        .unwrap_or_else(|_| panic!("not reached: {:?}", relay.stats()));
}

/// A socket that sends back whatever it gets.
pub async fn echo(address: &str) -> SocketAddr {
    let socket = UdpSocket::bind(address).await.unwrap();
    let local = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut buffer = [0; 2048];
        while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
            socket.send_to(&buffer[..length], from).await.unwrap();
        }
    });
    local
}

/// One 5-tuple.
pub struct Client {
    pub socket: UdpSocket,
    pub server: SocketAddr,
    pub credentials: Credentials,
    realm: String,
    nonce: String,
}

/// An answer to a request.
pub struct Answer(pub Message);

impl Answer {
    /// The error code, 0 after success.
    pub fn code(&self) -> u16 {
        if self.0.typ.class == CLASS_SUCCESS_RESPONSE {
            return 0;
        }
        assert!(self.0.typ.class == CLASS_ERROR_RESPONSE);
        let mut error = ErrorCodeAttribute::default();
        error.get_from(&self.0).unwrap();
        error.code.0
    }

    pub fn relayed(&self) -> SocketAddr {
        let mut address = RelayedAddress::default();
        address.get_from(&self.0).unwrap();
        SocketAddr::new(address.ip, address.port)
    }

    pub fn lifetime(&self) -> u64 {
        let mut lifetime = Lifetime::default();
        lifetime.get_from(&self.0).unwrap();
        lifetime.0.as_secs()
    }
}

impl Client {
    pub async fn new(server: SocketAddr, user: &str) -> Self {
        Self::with(server, credentials(user)).await
    }

    pub async fn with(server: SocketAddr, credentials: Credentials) -> Self {
        let socket = UdpSocket::bind(SocketAddr::new(server.ip(), 0)).await.unwrap();
        Self { socket, server, credentials, realm: String::new(), nonce: String::new() }
    }

    pub async fn bind(&mut self) -> Answer {
        self.exchange(&message(METHOD_BINDING, &[])).await
    }

    /// Sends the request like a client that knows nothing yet, and again with the realm and nonce
    /// of the challenge.
    pub async fn request(&mut self, method: Method, attributes: &[&dyn Setter]) -> Answer {
        if self.nonce.is_empty() {
            let challenge = self.exchange(&message(method, attributes)).await;
            assert_eq!(challenge.code(), 401);
            self.realm = TextAttribute::get_from_as(&challenge.0, ATTR_REALM).unwrap().text;
            self.nonce = TextAttribute::get_from_as(&challenge.0, ATTR_NONCE).unwrap().text;
        }
        let request = self.signed(method, attributes);
        self.exchange(&request).await
    }

    pub fn signed(&self, method: Method, attributes: &[&dyn Setter]) -> Message {
        let Credentials { username, password } = self.credentials.clone();
        let key = MessageIntegrity::new_long_term_integrity(
            username.clone(),
            self.realm.clone(),
            password,
        );
        let user = TextAttribute::new(ATTR_USERNAME, username);
        let realm = TextAttribute::new(ATTR_REALM, self.realm.clone());
        let nonce = TextAttribute::new(ATTR_NONCE, self.nonce.clone());
        let own: [&dyn Setter; 4] = [&user, &realm, &nonce, &key];
        message(method, &[attributes, &own].concat())
    }

    pub fn set_nonce(&mut self, nonce: &str) {
        nonce.clone_into(&mut self.nonce);
    }

    pub fn set_realm(&mut self, realm: &str) {
        realm.clone_into(&mut self.realm);
    }

    pub async fn allocate(&mut self) -> Answer {
        self.request(METHOD_ALLOCATE, &[&RequestedTransport { protocol: PROTO_UDP }]).await
    }

    pub async fn refresh(&mut self, seconds: u64) -> Answer {
        self.request(METHOD_REFRESH, &[&Lifetime(Duration::from_secs(seconds))]).await
    }

    pub async fn permit(&mut self, peers: &[SocketAddr]) -> Answer {
        let peers: Vec<PeerAddress> = peers.iter().map(peer_address).collect();
        let attributes: Vec<&dyn Setter> = peers.iter().map(|peer| peer as &dyn Setter).collect();
        self.request(METHOD_CREATE_PERMISSION, &attributes).await
    }

    pub async fn bind_channel(&mut self, number: u16, peer: SocketAddr) -> Answer {
        self.request(METHOD_CHANNEL_BIND, &[&ChannelNumber(number), &peer_address(&peer)]).await
    }

    pub async fn send_indication(&self, payload: &[u8], peer: SocketAddr) {
        let mut indication = message(METHOD_SEND, &[&peer_address(&peer), &Data(payload.to_vec())]);
        indication.set_type(MessageType::new(METHOD_SEND, CLASS_INDICATION));
        self.send(&indication.raw).await;
    }

    pub async fn send_channel(&self, number: u16, payload: &[u8]) {
        let length = u16::try_from(payload.len()).unwrap();
        self.send(&[&number.to_be_bytes()[..], &length.to_be_bytes(), payload].concat()).await;
    }

    /// Peer and payload of the next Data indication.
    pub async fn data(&self) -> (SocketAddr, Vec<u8>) {
        let message = decode(self.receive().await);
        let (mut peer, mut data) = (PeerAddress::default(), Data::default());
        peer.get_from(&message).unwrap();
        data.get_from(&message).unwrap();
        (SocketAddr::new(peer.ip, peer.port), data.0)
    }

    pub async fn send(&self, datagram: &[u8]) {
        self.socket.send_to(datagram, self.server).await.unwrap();
    }

    pub async fn receive(&self) -> Vec<u8> {
        let mut buffer = [0; 2048];
        let length = tokio::time::timeout(LIMIT, self.socket.recv(&mut buffer))
            .await
            .expect("no datagram")
            .unwrap();
        buffer[..length].to_vec()
    }

    pub async fn exchange(&self, request: &Message) -> Answer {
        self.send(&request.raw).await;
        let answer = decode(self.receive().await);
        assert!(answer.transaction_id == request.transaction_id);
        Answer(answer)
    }
}

pub fn message(method: Method, attributes: &[&dyn Setter]) -> Message {
    let mut message = Message::new();
    message.set_type(MessageType::new(method, CLASS_REQUEST));
    message.transaction_id = TransactionId::new();
    message.write_header();
    for attribute in attributes {
        attribute.add_to(&mut message).unwrap();
    }
    message
}

pub fn peer_address(peer: &SocketAddr) -> PeerAddress {
    PeerAddress { ip: peer.ip(), port: peer.port() }
}

pub fn decode(raw: Vec<u8>) -> Message {
    let mut message = Message { raw, ..Message::default() };
    message.decode().unwrap();
    message
}
