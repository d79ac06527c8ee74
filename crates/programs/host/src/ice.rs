//! STUN and TURN: the built-in relay, and the addresses of it that clients get.

use crate::config::{Config, Turn};
use crate::db::unix_now;
use crate::grants::{Grants, session_of};
use rccar_daemon::files::{self, FileError};
use rccar_interfaces::{Network, Networks, NetworksWatcher};
use rccar_protocol::signaling::IceServer;
use rccar_protocol::text::{Name, SessionId};
use rccar_relay::credentials::{Secret, mint};
use rccar_relay::users::Users;
use rccar_relay::{
    Control, IpNet, Listen, OwnNetworks, Relay, RelayConfig, RelayError, StreamListen, Tls,
};
use rccar_site::{IceEnd, IcePeer, IceServers, TokenHash};
use rccar_tls::{Certificate, CertificateError, CertificateFiles};
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv6Addr, SocketAddr, UdpSocket};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// New credentials come when a third of their time is over: two of three messages may be lost.
const RENEWALS: u32 = 3;

#[derive(Debug, thiserror::Error)]
pub(crate) enum TurnError {
    #[error("cannot use the key of the TURN credentials")]
    Secret(#[from] FileError),
    #[error("no randomness for the key of the TURN credentials")]
    Random(#[source] getrandom::Error),
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    #[error(transparent)]
    Relay(#[from] RelayError),
}

/// The ICE servers that clients get.
pub(crate) struct HostIce {
    /// UDP addresses of the relay, each with the public one if that is configured.
    relay: Vec<(SocketAddr, Option<IpAddr>)>,
    /// The same for TCP.
    tcp: Vec<(SocketAddr, Option<IpAddr>)>,
    /// URLs of TURN over TLS: by name, because the certificate is for a name.
    tls: Vec<String>,
    /// `None` without a relay.
    minting: Option<Minting>,
    lifetime: Duration,
    extra: Vec<IceServer>,
}

/// What credentials for the relay are made with, and ended.
struct Minting {
    secret: Secret,
    grants: Arc<Grants>,
    relay: Control,
}

/// Starts the relay, unless it is switched off. The second value has to live as long as it serves.
/// `page` is the certificate of the page, which TURN may use, too.
pub(crate) fn start(
    config: &Config,
    page: Option<&Arc<Certificate>>,
) -> Result<(HostIce, Option<Relay>), TurnError> {
    let turn = &config.turn;
    let lifetime = Duration::from_secs(turn.credential_ttl_s().into());
    let mut ice = HostIce {
        relay: Vec::new(),
        tcp: Vec::new(),
        tls: Vec::new(),
        minting: None,
        lifetime,
        extra: config.ice.extra_servers.clone(),
    };
    if !turn.enabled {
        return Ok((ice, None));
    }
    let secret = secret(&turn.secret_file)?;
    let listen: Vec<_> = turn.listen.iter().copied().filter(usable).collect();
    let grants = Arc::new(Grants::default());
    let mut relay = RelayConfig::new(secret.clone());
    relay.users = Arc::clone(&grants) as _;
    relay.listen = listen
        .iter()
        .map(|&address| Listen { address, public: turn.public_address(&address) })
        .collect();
    let tcp = listen
        .iter()
        .copied()
        .filter(|_| turn.tcp)
        .map(|address| StreamListen { address, tls: false });
    let tls = turn.tls_listen.iter().map(|&address| StreamListen { address, tls: true });
    relay.streams = tcp.chain(tls).collect();
    let own = turn.tls_certificate.clone().zip(turn.tls_key.clone());
    let own = own.map(|(chain, key)| Certificate::load(CertificateFiles { chain, key }));
    let certificate = own.transpose()?.map(Arc::new).or_else(|| page.cloned());
    relay.tls = certificate.map(|certificate| Tls::new(move || certificate.acceptor()));
    relay.realm.clone_from(&turn.realm);
    relay.ports = turn.min_port..=turn.max_port;
    relay.allow_peers = turn.allow_peers.iter().map(|network| network.0).collect();
    relay.allow_loopback = turn.allow_loopback_peers;
    let relay = Relay::start(relay)?;
    ice.relay =
        relay.local_addrs().iter().map(|&address| (address, public(turn, address))).collect();
    // In the order of `relay.streams`: TLS comes last.
    let (tcp, tls) =
        relay.stream_addrs().split_at(relay.stream_addrs().len() - turn.tls_listen.len());
    ice.tcp = tcp.iter().map(|&address| (address, public(turn, address))).collect();
    ice.tls = config.turn_name().map(|name| tls_urls(name, tls)).unwrap_or_default();
    let reachable = relay.addresses().iter().any(|address| !address.is_loopback());
    if config.tls.is_on() && !reachable && !turn.allow_loopback_peers {
        tracing::warn!(
            "TURN relays on this machine's loopback addresses only, so cars and drivers that find \
             no direct path do not meet: set turn.listen and turn.public_addresses"
        );
    } else if let Some(url) = config.http.public_url.as_ref().filter(|_| config.tls.is_on()) {
        // The page's own port leads to the relay, too; it may be another one than is listened on.
        ice.tls.extend(tls_urls(url.host(), &[SocketAddr::from(([0; 4], url.port()))]));
        ice.tls.sort_unstable();
        ice.tls.dedup();
    }
    ice.minting = Some(Minting { secret, grants, relay: relay.control() });
    Ok((ice, Some(relay)))
}

/// Says to the relay what networks this machine is part of, as they change.
pub(crate) async fn follow_networks(relay: Control) {
    let mut watcher = NetworksWatcher::new();
    loop {
        let Networks { own, links } = watcher.next().await;
        let networks = |found: BTreeSet<Network>| {
            found.into_iter().filter_map(|(ip, prefix)| IpNet::new(ip, prefix).ok()).collect()
        };
        let own = OwnNetworks { addresses: networks(own), links: networks(links) };
        relay.set_own_networks(own);
    }
}

impl IceServers for HostIce {
    fn for_peer(&self, peer: IcePeer<'_>) -> Vec<IceServer> {
        let mut servers = self.extra.clone();
        let told = |relay: &[(SocketAddr, Option<IpAddr>)]| -> Vec<SocketAddr> {
            relay
                .iter()
                .filter_map(|&(local, public)| advertised(local, public, peer.reached))
                .collect()
        };
        let (addresses, tcp) = (told(&self.relay), told(&self.tcp));
        let nothing = addresses.is_empty() && tcp.is_empty() && self.tls.is_empty();
        let (Some(minting), false) = (&self.minting, nothing) else { return servers };
        let now = unix_now();
        let user = minting.grants.add(peer, now.saturating_add(self.lifetime.as_secs()));
        let credentials = mint(&minting.secret, &user, self.lifetime, now);
        let stun: Vec<_> = addresses.iter().map(|address| format!("stun:{address}")).collect();
        if !stun.is_empty() {
            servers.push(IceServer { urls: stun, username: None, credential: None });
        }
        let udp = addresses.iter().map(|address| format!("turn:{address}?transport=udp"));
        let tcp = tcp.iter().map(|address| format!("turn:{address}?transport=tcp"));
        servers.push(IceServer {
            urls: udp.chain(tcp).chain(self.tls.iter().cloned()).collect(),
            username: Some(credentials.username),
            credential: Some(credentials.password),
        });
        servers
    }

    fn renew_every(&self) -> Option<Duration> {
        self.minting.as_ref().map(|_| self.lifetime / RENEWALS)
    }

    fn ended(&self, session: SessionId, forgotten: bool) {
        let Some(Minting { grants, relay, .. }) = &self.minting else { return };
        if forgotten {
            let used = relay.users().iter().filter_map(|user| session_of(user)).collect();
            grants.forget(session, &used, unix_now());
        } else {
            grants.remove(session);
            relay.end(|user| session_of(user) == Some(session));
        }
    }

    fn revoke(&self, is_meant: &dyn Fn(&IceEnd<'_>) -> bool) {
        let Some(Minting { grants, relay, .. }) = &self.minting else { return };
        if grants.revoke(is_meant) {
            relay.end(|user| grants.share(user).is_none());
        }
    }

    fn forgotten(&self) -> Vec<(Name, TokenHash)> {
        self.minting.as_ref().map(|minting| minting.grants.forgotten()).unwrap_or_default()
    }
}

/// The address of the relay that a client can use: the configured one, else the one listened on,
/// else, for a wildcard, the one under which the client reached the page. A loopback address is of
/// use to clients on this machine only.
fn advertised(
    local: SocketAddr,
    public: Option<IpAddr>,
    reached: Option<IpAddr>,
) -> Option<SocketAddr> {
    let reached = reached.map(|address| address.to_canonical());
    let address = match public {
        Some(public) => public,
        None if local.ip().is_unspecified() => {
            reached.filter(|address| address.is_ipv4() == local.is_ipv4())?
        }
        None => local.ip(),
    };
    let near = reached.is_none_or(|reached| reached.is_loopback());
    (near || !address.is_loopback()).then(|| SocketAddr::new(address, local.port()))
}

/// One URL for each port: the name leads to all addresses of the machine.
fn tls_urls(name: &str, listen: &[SocketAddr]) -> Vec<String> {
    let ports: BTreeSet<u16> = listen.iter().map(SocketAddr::port).collect();
    let name = if name.parse::<Ipv6Addr>().is_ok() { format!("[{name}]") } else { name.to_owned() };
    ports.into_iter().map(|port| format!("turns:{name}:{port}?transport=tcp")).collect()
}

fn public(turn: &Turn, address: SocketAddr) -> Option<IpAddr> {
    turn.public_address(&address)
}

/// Machines without IPv6 have no `[::1]`, which is listed by default.
fn usable(listen: &SocketAddr) -> bool {
    let usable = !listen.is_ipv6() || UdpSocket::bind((listen.ip(), 0)).is_ok();
    if !usable {
        tracing::warn!(%listen, "this machine has no such address: no STUN and TURN there");
    }
    usable
}

/// Reads the key; the first start makes it.
fn secret(path: &Path) -> Result<Secret, TurnError> {
    if let Some(text) = files::read(path)? {
        return Ok(Secret::new(text.trim_ascii()));
    }
    let mut key = [0; 32];
    getrandom::fill(&mut key).map_err(TurnError::Random)?;
    let text = hex::encode(key);
    files::write(path, text.as_bytes())?;
    tracing::info!(path = %path.display(), "made a key for TURN credentials");
    Ok(Secret::new(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rccar_protocol::text::CarId;
    use rccar_site::Token;
    use turn::client::{Client as TurnClient, ClientConfig};

    fn told(local: &str, public: Option<&str>, reached: Option<&str>) -> Option<String> {
        let ip = |text: &str| text.parse().unwrap();
        advertised(local.parse().unwrap(), public.map(ip), reached.map(ip))
            .map(|address| address.to_string())
    }

    #[test]
    fn clients_are_told_an_address_that_they_can_reach() {
        let cases = [
            ("192.0.2.1:3478", None, Some("192.0.2.1"), Some("192.0.2.1:3478")),
            ("10.0.0.2:3478", Some("192.0.2.1"), Some("10.0.0.2"), Some("192.0.2.1:3478")),
            ("0.0.0.0:3478", None, Some("192.168.7.2"), Some("192.168.7.2:3478")),
            ("0.0.0.0:3478", None, Some("::ffff:192.168.7.2"), Some("192.168.7.2:3478")),
            ("0.0.0.0:3478", None, Some("::1"), None),
            ("[::]:3478", None, Some("::1"), Some("[::1]:3478")),
            ("127.0.0.1:3478", None, Some("::1"), Some("127.0.0.1:3478")),
            ("127.0.0.1:3478", None, Some("192.168.7.2"), None),
            ("127.0.0.1:3478", None, None, Some("127.0.0.1:3478")),
        ];
        for (local, public, reached, expected) in cases {
            assert_eq!(
                told(local, public, reached).as_deref(),
                expected,
                "{local} {public:?} {reached:?}"
            );
        }
    }

    #[test]
    fn the_key_is_made_once() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("turn.secret");
        secret(&path).unwrap();
        let first = std::fs::read(&path).unwrap();
        secret(&path).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), first);
        assert_eq!(first.len(), 64);
    }

    fn config() -> Config {
        let mut config = Config::default();
        config.turn.listen = vec!["127.0.0.1:0".parse().unwrap()];
        config.turn.secret_file = tempfile::tempdir().unwrap().keep().join("turn.secret");
        config.turn.credential_ttl_s = 60;
        config
    }

    fn name(text: &str) -> Name {
        Name::new(text).unwrap()
    }

    #[tokio::test]
    async fn credentials_are_made_for_the_session_and_name_nobody() {
        let (mut ice, relay) = start(&config(), None).unwrap();
        ice.tls = tls_urls(
            "turn.example",
            &["192.0.2.1:443".parse().unwrap(), "[2001:db8::1]:443".parse().unwrap()],
        );
        let (user, sign_in) = (name("Ada"), Token::generate().unwrap().hash());
        let end = IceEnd::Driver { user: &user, sign_in };
        let peer = |reached: Option<&str>| IcePeer {
            session: SessionId::from_random(0xc0ffee),
            end,
            reached: reached.map(|text| text.parse().unwrap()),
        };
        let servers = ice.for_peer(peer(None));
        let at = relay.unwrap().local_addrs()[0];
        assert_eq!(servers[0].urls, [format!("stun:{at}")]);
        let tcp = &servers[1].urls[1];
        assert!(tcp.starts_with("turn:127.0.0.1:") && tcp.ends_with("?transport=tcp"), "{tcp}");
        assert_eq!(servers[1].urls[0], format!("turn:{at}?transport=udp"));
        assert_eq!(servers[1].urls[2], "turns:turn.example:443?transport=tcp");
        let username = servers[1].username.as_deref().unwrap();
        assert!(username.ends_with(":0000000000c0ffee:driver"), "{username}");
        assert!(servers[1].credential.is_some());
        // Where UDP and TCP lead nowhere, TLS leads to a name.
        let far = ice.for_peer(peer(Some("192.0.2.7")));
        assert_eq!(far.len(), 1);
        assert_eq!(far[0].urls, ["turns:turn.example:443?transport=tcp"]);
    }

    /// A TURN client with one allocation; dropping it sends nothing.
    async fn allocate(servers: &[IceServer], relay: &Relay) -> Result<TurnClient, turn::Error> {
        let server = servers.iter().find(|server| server.username.is_some()).unwrap();
        let address = relay.local_addrs()[0].to_string();
        let client = TurnClient::new(ClientConfig {
            stun_serv_addr: address.clone(),
            turn_serv_addr: address,
            username: server.username.clone().unwrap(),
            password: server.credential.clone().unwrap(),
            realm: String::new(),
            software: String::new(),
            rto_in_ms: 0,
            conn: Arc::new(tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap()),
            vnet: None,
        })
        .await?;
        client.listen().await?;
        client.allocate().await?;
        Ok(client)
    }

    async fn until_none_is_left(relay: &Relay) {
        let waiting = async {
            while relay.stats().allocations > 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), waiting).await.expect("allocations live on");
    }

    #[tokio::test]
    async fn row_5_what_ends_a_session_or_its_people_ends_their_allocations() {
        let (ice, relay) = start(&config(), None).unwrap();
        let relay = relay.unwrap();
        let (ada, bob) = (name("Ada"), name("Bob"));
        let blitz = CarId::new("eh7ddx5bksrgcytl7bkai36se4").unwrap();
        let sign_in = Token::generate().unwrap().hash();
        let session = SessionId::from_random;
        let driver = |number| IcePeer {
            session: session(number),
            end: IceEnd::Driver { user: &ada, sign_in },
            reached: None,
        };
        let car = |number| IcePeer {
            session: session(number),
            end: IceEnd::Car { car: &blitz, owner: Some(&bob) },
            reached: None,
        };
        let ends: [(&str, &dyn Fn()); 4] = [
            ("the session ends", &|| ice.ended(session(1), false)),
            ("the driver signs out", &|| {
                ice.revoke(
                    &|end| matches!(end, IceEnd::Driver { sign_in: s, .. } if *s == sign_in),
                );
            }),
            ("the user is removed", &|| {
                ice.revoke(&|end| matches!(end, IceEnd::Driver { user, .. } if **user == ada));
            }),
            ("the car is struck", &|| {
                ice.revoke(&|end| matches!(end, IceEnd::Car { car, .. } if **car == blitz));
            }),
        ];
        for (what, end) in ends {
            let (of_driver, of_car) = (ice.for_peer(driver(1)), ice.for_peer(car(1)));
            let mut clients = Vec::new();
            for servers in [&of_driver, &of_car] {
                clients.push(allocate(servers, &relay).await.unwrap());
            }
            if what != "the session ends" {
                // The drive goes on over the relay, and the host still asks about its people.
                ice.ended(session(1), true);
                assert_eq!(ice.forgotten(), [(ada.clone(), sign_in)]);
                assert_eq!(relay.stats().allocations, 2);
            }
            end();
            until_none_is_left(&relay).await;
            for servers in [&of_driver, &of_car] {
                assert!(allocate(servers, &relay).await.is_err(), "after this: {what}");
            }
            assert!(ice.forgotten().is_empty(), "{what}");
        }
    }

    #[tokio::test]
    async fn row_5_credentials_live_for_ten_minutes_at_most_and_are_renewed_in_time() {
        let mut config = config();
        assert_eq!(Turn::default().credential_ttl_s(), 600);
        // An older configuration.
        config.turn.credential_ttl_s = 43_200;
        let (ice, _relay) = start(&config, None).unwrap();
        assert_eq!(ice.renew_every(), Some(Duration::from_secs(200)));
        let (user, sign_in) = (name("Ada"), Token::generate().unwrap().hash());
        let end = IceEnd::Driver { user: &user, sign_in };
        let session = SessionId::from_random(1);
        let servers = ice.for_peer(IcePeer { session, end, reached: None });
        let username = servers[1].username.as_deref().unwrap();
        let expiry: u64 = username.split(':').next().unwrap().parse().unwrap();
        assert!(expiry <= unix_now() + 600, "{username}");
    }
}
