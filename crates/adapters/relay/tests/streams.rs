//! Clients over TCP and TLS.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod support;

use rccar_relay::{Relay, RelayConfig, StreamListen, Tls};
use rccar_tls::{Certificate, CertificateFiles};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use stun::attributes::{ATTR_NONCE, ATTR_REALM};
use stun::message::{
    METHOD_ALLOCATE, METHOD_BINDING, METHOD_CHANNEL_BIND, METHOD_REFRESH, Method, Setter,
};
use stun::textattrs::TextAttribute;
use support::{
    Answer, Client, LIMIT, credentials, decode, echo, message, peer_address, relay, until,
};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto};
use turn::proto::PROTO_UDP;
use turn::proto::channum::ChannelNumber;
use turn::proto::lifetime::Lifetime;
use turn::proto::reqtrans::RequestedTransport;

/// A client over a stream. Requests are written by a client over UDP that never sends them.
struct StreamClient<S> {
    stream: S,
    writer: Client,
}

impl<S: AsyncRead + AsyncWrite + Unpin> StreamClient<S> {
    async fn new(stream: S) -> Self {
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 9));
        Self { stream, writer: Client::with(nowhere, credentials("driver")).await }
    }

    async fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
        self.stream.flush().await.unwrap();
    }

    async fn receive(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        timeout(LIMIT, self.stream.read_exact(&mut bytes)).await.expect("no bytes").unwrap();
        bytes
    }

    async fn answer(&mut self) -> Answer {
        let mut raw = self.receive(20).await;
        let length = usize::from(u16::from_be_bytes([raw[2], raw[3]]));
        raw.extend(self.receive(length).await);
        Answer(decode(raw))
    }

    async fn request(&mut self, method: Method, attributes: &[&dyn Setter]) -> Answer {
        self.send(&message(method, attributes).raw).await;
        let challenge = self.answer().await;
        assert_eq!(challenge.code(), 401);
        self.writer.set_realm(&TextAttribute::get_from_as(&challenge.0, ATTR_REALM).unwrap().text);
        self.writer.set_nonce(&TextAttribute::get_from_as(&challenge.0, ATTR_NONCE).unwrap().text);
        let request = self.writer.signed(method, attributes).raw;
        self.send(&request).await;
        self.answer().await
    }

    async fn allocate(&mut self) -> Answer {
        self.request(METHOD_ALLOCATE, &[&RequestedTransport { protocol: PROTO_UDP }]).await
    }

    /// Whether the relay has ended the stream.
    async fn is_over(&mut self) -> bool {
        matches!(
            timeout(LIMIT, self.stream.read(&mut [0; 1])).await.expect("the stream lives on"),
            Ok(0) | Err(_)
        )
    }
}

fn with_streams(change: impl FnOnce(&mut RelayConfig)) -> Relay {
    relay(|config| {
        config.allow_loopback = true;
        config.streams = vec![StreamListen { address: "127.0.0.1:0".parse().unwrap(), tls: false }];
        change(config);
    })
}

async fn dial(relay: &Relay) -> StreamClient<TcpStream> {
    StreamClient::new(TcpStream::connect(relay.stream_addrs()[0]).await.unwrap()).await
}

#[tokio::test]
async fn a_client_over_tcp_talks_to_a_peer_and_its_channel_data_is_padded() {
    let relay = with_streams(|_| {});
    let peer = echo("127.0.0.1:0").await;
    let mut client = dial(&relay).await;
    assert_eq!(client.allocate().await.code(), 0);
    let bound =
        client.request(METHOD_CHANNEL_BIND, &[&ChannelNumber(0x4001), &peer_address(&peer)]).await;
    assert_eq!(bound.code(), 0);
    // Two messages at once, and one in pieces.
    client.send(b"\x40\x01\x00\x05hello\0\0\0\x40\x01\x00\x01x\0\0\0").await;
    assert_eq!(client.receive(12).await[..9], *b"\x40\x01\x00\x05hello");
    assert_eq!(client.receive(8).await[..5], *b"\x40\x01\x00\x01x");
    client.send(b"\x40\x01\x00").await;
    client.send(b"\x04piec\x40").await;
    assert_eq!(client.receive(8).await, b"\x40\x01\x00\x04piec");
}

#[tokio::test]
async fn the_end_of_a_stream_is_the_end_of_its_allocation() {
    let relay = with_streams(|_| {});
    let mut client = dial(&relay).await;
    assert_eq!(client.allocate().await.code(), 0);
    until(&relay, |stats| stats.allocations == 1).await;
    drop(client);
    until(&relay, |stats| stats.allocations == 0).await;
}

#[tokio::test]
async fn clients_over_udp_and_tcp_meet_on_one_relay() {
    let relay = with_streams(|_| {});
    let (mut over_tcp, mut over_udp) =
        (dial(&relay).await, Client::new(relay.local_addrs()[0], "car").await);
    let (near, far) = (over_tcp.allocate().await.relayed(), over_udp.allocate().await.relayed());
    assert_eq!(over_udp.bind_channel(0x4002, near).await.code(), 0);
    assert_eq!(
        over_tcp
            .request(METHOD_CHANNEL_BIND, &[&ChannelNumber(0x4003), &peer_address(&far)])
            .await
            .code(),
        0
    );
    over_udp.send_channel(0x4002, b"picture!").await;
    assert_eq!(over_tcp.receive(12).await, b"\x40\x03\x00\x08picture!");
    over_tcp.send(b"\x40\x03\x00\x04left").await;
    assert_eq!(over_udp.receive().await, b"\x40\x02\x00\x04left");
}

#[tokio::test]
async fn a_stream_that_is_no_turn_ends_and_counts() {
    let relay = with_streams(|_| {});
    let mut client = dial(&relay).await;
    client.send(b"GET / HTTP/1.1\r\n\r\n").await;
    assert!(client.is_over().await);
    until(&relay, |stats| stats.refused_streams == 1).await;
}

#[tokio::test]
async fn row_7_strangers_make_room_for_newer_ones_and_never_cost_an_allocation() {
    let relay = with_streams(|config| config.strangers.per_address = 2);
    let mut driver = dial(&relay).await;
    assert_eq!(driver.allocate().await.code(), 0);
    let (mut first, mut second) = (dial(&relay).await, dial(&relay).await);
    for client in [&mut first, &mut second] {
        client.send(&message(METHOD_BINDING, &[]).raw).await;
        assert_eq!(client.answer().await.code(), 0);
    }
    let mut third = dial(&relay).await;
    assert!(first.is_over().await);
    for client in [&mut second, &mut third] {
        client.send(&message(METHOD_BINDING, &[]).raw).await;
        assert_eq!(client.answer().await.code(), 0);
    }
    assert_eq!(third.allocate().await.code(), 0);
    let again = driver.request(METHOD_REFRESH, &[&Lifetime(Duration::from_secs(600))]).await;
    assert_eq!(again.code(), 0);
    assert_eq!((relay.stats().allocations, relay.stats().refused_streams), (2, 1));
}

#[tokio::test]
async fn streams_with_an_allocation_have_a_limit_of_their_own() {
    let relay = with_streams(|config| config.streams_total = 1);
    let (mut one, mut other) = (dial(&relay).await, dial(&relay).await);
    assert_eq!((one.allocate().await.code(), other.allocate().await.code()), (0, 508));
    let end = one.request(METHOD_REFRESH, &[&Lifetime(Duration::ZERO)]).await;
    assert_eq!(end.code(), 0);
    let again = async { while other.allocate().await.code() != 0 {} };
    timeout(LIMIT, again).await.expect("the place is free again");
}

#[tokio::test(start_paused = true)]
async fn row_7_a_byte_in_twenty_seconds_keeps_no_stream_without_an_allocation() {
    let relay = with_streams(|_| {});
    let mut client = dial(&relay).await;
    let begun = tokio::time::Instant::now();
    // A message of a kilobyte, byte by byte.
    client.send(b"\x40\x00\x04\x00").await;
    let over = async {
        loop {
            tokio::time::sleep(Duration::from_secs(10)).await;
            if client.stream.write_all(b"x").await.is_err() {
                return;
            }
        }
    };
    timeout(Duration::from_secs(90), over).await.expect("the stream lives on");
    assert!(begun.elapsed() <= Duration::from_secs(60), "{:?}", begun.elapsed());
    assert_eq!(relay.stats().refused_streams, 1);
}

#[tokio::test]
async fn what_a_silent_client_over_a_stream_holds_goes_to_the_next_one_of_its_account() {
    let silence = Duration::from_millis(300);
    let relay =
        with_streams(|config| (config.allocations_per_account, config.silent_after) = (1, silence));
    let mut lost = dial(&relay).await;
    assert_eq!(lost.allocate().await.code(), 0);
    let mut next = Client::new(relay.local_addrs()[0], "driver").await;
    assert_eq!(next.allocate().await.code(), 486, "it was heard just now");
    tokio::time::sleep(silence).await;
    assert_eq!(Client::new(relay.local_addrs()[1], "driver").await.allocate().await.code(), 0);
    let refreshed = lost.request(METHOD_REFRESH, &[&Lifetime(Duration::from_secs(600))]).await;
    assert_eq!(refreshed.code(), 437);
}

#[tokio::test]
async fn over_tls_everything_is_the_same_and_plain_tcp_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let files = certificate(folder.path());
    let relay = with_streams(|config| {
        config.streams[0].tls = true;
        let certificate = Certificate::load(files.clone()).unwrap();
        config.tls = Some(Tls::new(move || certificate.acceptor()));
    });
    let config = trusts(&files);
    let stream = TcpStream::connect(relay.stream_addrs()[0]).await.unwrap();
    let name = ServerName::try_from("turn.example").unwrap();
    let mut client = StreamClient::new(
        TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap(),
    )
    .await;
    assert_eq!(client.allocate().await.code(), 0);

    let mut plain = dial(&relay).await;
    plain.send(&message(METHOD_BINDING, &[]).raw).await;
    // TLS says good-bye with an alert.
    let mut rest = Vec::new();
    let _ = timeout(LIMIT, plain.stream.read_to_end(&mut rest)).await.expect("the stream lives on");
    assert!(!rest.starts_with(&[1, 1]), "no STUN answer: {rest:?}");
    until(&relay, |stats| stats.refused_streams == 1).await;
}

/// As the host's page and TURN do, which share a port.
#[tokio::test]
async fn a_stream_that_another_server_accepted_is_served_until_the_relay_closes() {
    let folder = tempfile::tempdir().unwrap();
    let files = certificate(folder.path());
    let relay = with_streams(|_| {});
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (streams, certificate) =
        (relay.streams(address), Certificate::load(files.clone()).unwrap());
    let server = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let stream = certificate.accept(stream).await.unwrap().unwrap();
        streams.serve(stream).await;
    });
    let stream = TcpStream::connect(address).await.unwrap();
    let name = ServerName::try_from("turn.example").unwrap();
    let mut client = StreamClient::new(
        TlsConnector::from(Arc::new(trusts(&files))).connect(name, stream).await.unwrap(),
    )
    .await;
    assert_eq!(client.allocate().await.code(), 0);
    assert_eq!(relay.stats().streams, 1);
    timeout(Duration::from_secs(5), relay.close()).await.expect("it closes");
    timeout(LIMIT, server).await.expect("the stream ends with the relay").unwrap();
}

#[tokio::test]
async fn a_relay_that_closes_ends_its_streams() {
    let relay = with_streams(|_| {});
    let mut client = dial(&relay).await;
    assert_eq!(client.allocate().await.code(), 0);
    timeout(Duration::from_secs(5), relay.close()).await.expect("it closes");
    assert!(client.is_over().await);
}

fn trusts(files: &CertificateFiles) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(&files.chain).unwrap()).unwrap();
    ClientConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth()
}

fn certificate(folder: &Path) -> CertificateFiles {
    let made = rcgen::generate_simple_self_signed(vec!["turn.example".to_owned()]).unwrap();
    let files = CertificateFiles { chain: folder.join("chain.pem"), key: folder.join("key.pem") };
    std::fs::write(&files.chain, made.cert.pem()).unwrap();
    std::fs::write(&files.key, made.signing_key.serialize_pem()).unwrap();
    files
}
