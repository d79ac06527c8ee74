//! A TURN client over UDP, the tunnel, and the real relay over TCP and TLS.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use rccar_relay::credentials::{Secret, mint};
use rccar_relay::{Relay, RelayConfig, RelayStats, StreamListen, Tls};
use rccar_tls::{Certificate, CertificateFiles};
use rccar_tunnel::{Local, Options, Server, ServerName, Tunnel};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::net::UdpSocket;
use tokio::time::timeout;
use turn::client::{Client, ClientConfig};
use webrtc_util::Conn;

const LIMIT: Duration = Duration::from_secs(10);

fn relay(change: impl FnOnce(&mut RelayConfig)) -> Relay {
    let mut config = RelayConfig::new(Secret::new(b"the north wind"));
    config.listen = vec!["127.0.0.1:0".parse().unwrap()];
    config.streams = vec![StreamListen { address: "127.0.0.1:0".parse().unwrap(), tls: false }];
    config.allow_loopback = true;
    change(&mut config);
    Relay::start(config).unwrap()
}

/// A client of the crate `turn`, which speaks UDP only.
async fn client(server: SocketAddr) -> Client {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let credentials = mint(&Secret::new(b"the north wind"), "driver", Duration::from_secs(60), now);
    let client = Client::new(ClientConfig {
        stun_serv_addr: String::new(),
        turn_serv_addr: server.to_string(),
        username: credentials.username,
        password: credentials.password,
        realm: String::new(),
        software: String::new(),
        rto_in_ms: 0,
        conn: Arc::new(UdpSocket::bind("127.0.0.1:0").await.unwrap()),
        vnet: None,
    });
    let client = client.await.unwrap();
    client.listen().await.unwrap();
    client
}

async fn until(relay: &Relay, condition: impl Fn(&RelayStats) -> bool) {
    let waiting = async {
        while !condition(&relay.stats()) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    timeout(LIMIT, waiting).await.unwrap_or_else(|_| panic!("not reached: {:?}", relay.stats()));
}

/// Sends through the allocation and receives what comes back.
async fn exchange(relayed: &impl Conn, peer: &UdpSocket) {
    let mut buffer = [0; 64];
    for (there, back) in [(&b"picture"[..], &b"to the left"[..]), (b"four", b"!")] {
        relayed.send_to(there, peer.local_addr().unwrap()).await.unwrap();
        let (length, from) =
            timeout(LIMIT, peer.recv_from(&mut buffer)).await.expect("it gets there").unwrap();
        assert_eq!((&buffer[..length], from), (there, relayed.local_addr().unwrap()));
        peer.send_to(back, from).await.unwrap();
        let (length, _) =
            timeout(LIMIT, relayed.recv_from(&mut buffer)).await.expect("it comes back").unwrap();
        assert_eq!(&buffer[..length], back);
    }
}

fn open(options: Options) -> Tunnel {
    let mut tunnel = Tunnel::new(options);
    tunnel.follow(&[Local::loopback()]);
    tunnel
}

fn plain(address: SocketAddr) -> Server {
    Server { address, tls: None }
}

#[tokio::test]
async fn without_an_answer_over_udp_an_allocation_is_made_over_tcp() {
    let relay = relay(|_| {});
    let silent = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let datagrams = vec![silent.local_addr().unwrap()];
    let tunnel = open(Options { servers: vec![plain(relay.stream_addrs()[0])], datagrams });
    let client = client(tunnel.addresses()[0]).await;
    let relayed = client.allocate().await.unwrap();
    let peer = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    exchange(&relayed, &peer).await;
    assert_eq!(relay.stats().streams, 1);
    drop(tunnel);
    until(&relay, |stats| stats.allocations == 0).await;
}

#[tokio::test]
async fn as_long_as_udp_works_requests_are_refused_and_nothing_is_dialled() {
    let relay = relay(|_| {});
    let options = Options {
        servers: vec![plain(relay.stream_addrs()[0])],
        datagrams: relay.local_addrs().to_vec(),
    };
    let tunnel = open(options);
    let refused = timeout(LIMIT, client(tunnel.addresses()[0]).await.allocate())
        .await
        .expect("an answer at once");
    assert!(refused.is_err());
    assert_eq!(relay.stats().streams, 0);
}

#[tokio::test]
async fn a_dead_server_costs_a_moment_and_the_next_one_is_taken() {
    let relay = relay(|_| {});
    // A full backlog does not answer, like a firewall that drops packets.
    let stuck = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    stuck.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    stuck.listen(0).unwrap();
    let address = stuck.local_addr().unwrap().as_socket().unwrap();
    let _filler = tokio::net::TcpStream::connect(address).await.unwrap();
    let refusing = SocketAddr::from(([127, 0, 0, 1], 9));
    let servers = vec![plain(address), plain(refusing), plain(relay.stream_addrs()[0])];
    let tunnel = open(Options { servers, datagrams: vec![] });
    let client = client(tunnel.addresses()[0]).await;
    let allocated = timeout(LIMIT, client.allocate()).await.expect("the third server answers");
    allocated.unwrap();
}

#[tokio::test]
async fn each_client_has_a_connection_of_its_own() {
    let relay = relay(|_| {});
    let options = Options { servers: vec![plain(relay.stream_addrs()[0])], datagrams: vec![] };
    let tunnel = open(options);
    let (one, other) = (client(tunnel.addresses()[0]).await, client(tunnel.addresses()[0]).await);
    let (one, other) = (one.allocate().await.unwrap(), other.allocate().await.unwrap());
    assert_ne!(one.local_addr().unwrap(), other.local_addr().unwrap());
    assert_eq!((relay.stats().streams, relay.stats().allocations), (2, 2));
}

#[tokio::test]
async fn a_broken_connection_is_dialled_again() {
    let first = relay(|_| {});
    let address = first.stream_addrs()[0];
    let tunnel = open(Options { servers: vec![plain(address)], datagrams: vec![] });
    let client = client(tunnel.addresses()[0]).await;
    client.allocate().await.unwrap();
    first.close().await;
    let second = relay(|config| config.streams[0].address = address);
    // The old allocation is gone with its connection: any request of the client opens a new one.
    let server = tunnel.addresses()[0].to_string();
    let asking = async {
        while second.stats().bindings == 0 {
            let _ =
                timeout(Duration::from_millis(300), client.send_binding_request_to(&server)).await;
        }
    };
    timeout(LIMIT, asking).await.expect("the tunnel dials again");
}

#[tokio::test]
async fn near_ends_follow_the_addresses_and_serve_no_others() {
    let relay = relay(|_| {});
    let mut tunnel =
        open(Options { servers: vec![plain(relay.stream_addrs()[0])], datagrams: vec![] });
    let first = tunnel.addresses();
    let second = Local { ip: "127.0.0.2".parse().unwrap(), device: None };
    tunnel.follow(&[Local::loopback(), second.clone()]);
    assert_eq!((tunnel.addresses()[0], tunnel.addresses().len()), (first[0], 2));
    let refused = timeout(LIMIT, client(tunnel.addresses()[1]).await.allocate())
        .await
        .expect("an answer at once");
    assert!(refused.is_err(), "the client is on 127.0.0.1");
    tunnel.follow(&[second]);
    assert!(!tunnel.addresses().contains(&first[0]));
    assert_eq!(relay.stats().streams, 0);
}

/// The network lab tests the other half: a server that the system trusts.
#[tokio::test]
async fn a_server_that_the_system_does_not_trust_is_not_used() {
    let folder = tempfile::tempdir().unwrap();
    let files = certificate(folder.path(), "turn.example");
    let relay = relay(|config| {
        config.streams[0].tls = true;
        let certificate = Certificate::load(files.clone()).unwrap();
        config.tls = Some(Tls::new(move || certificate.acceptor()));
    });
    let address = relay.stream_addrs()[0];
    let tls = Some(ServerName::try_from("turn.example").unwrap());
    let tunnel = open(Options { servers: vec![Server { address, tls }], datagrams: vec![] });
    let client = client(tunnel.addresses()[0]).await;
    let asking = tokio::spawn(async move { client.allocate().await.map(drop) });
    // The tunnel hangs up when it has seen the certificate.
    until(&relay, |stats| stats.refused_streams == 1).await;
    asking.abort();
    assert_eq!(relay.stats().allocations_made, 0);
}

fn certificate(folder: &Path, name: &str) -> CertificateFiles {
    let made = rcgen::generate_simple_self_signed(vec![name.to_owned()]).unwrap();
    let files = CertificateFiles { chain: folder.join("chain.pem"), key: folder.join("key.pem") };
    std::fs::write(&files.chain, made.cert.pem()).unwrap();
    std::fs::write(&files.key, made.signing_key.serialize_pem()).unwrap();
    files
}
