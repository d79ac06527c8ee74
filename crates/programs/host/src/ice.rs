//! STUN and TURN: the built-in relay, and the addresses of it that clients get.

use crate::config::{Config, Turn};
use crate::db::unix_now;
use rccar_daemon::files::{self, FileError};
use rccar_interfaces::{Network, Networks, NetworksWatcher};
use rccar_protocol::signaling::IceServer;
use rccar_relay::credentials::{Secret, mint};
use rccar_relay::{
    CertificateFiles, Control, IpNet, Listen, OwnNetworks, Relay, RelayConfig, RelayError,
    StreamListen,
};
use rccar_site::{IcePeer, IceServers};
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv6Addr, SocketAddr, UdpSocket};
use std::path::Path;
use std::time::Duration;

#[derive(Debug, thiserror::Error)]
pub(crate) enum TurnError {
    #[error("cannot use the key of the TURN credentials")]
    Secret(#[from] FileError),
    #[error("no randomness for the key of the TURN credentials")]
    Random(#[source] getrandom::Error),
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
    secret: Option<Secret>,
    lifetime: Duration,
    extra: Vec<IceServer>,
}

/// Starts the relay, unless it is switched off. The second value has to live as long as it serves.
pub(crate) fn start(config: &Config) -> Result<(HostIce, Option<Relay>), TurnError> {
    let turn = &config.turn;
    let lifetime = Duration::from_secs(turn.credential_ttl_s.into());
    let mut ice = HostIce {
        relay: Vec::new(),
        tcp: Vec::new(),
        tls: Vec::new(),
        secret: None,
        lifetime,
        extra: config.ice.extra_servers.clone(),
    };
    if !turn.enabled {
        return Ok((ice, None));
    }
    let secret = secret(&turn.secret_file)?;
    let listen: Vec<_> = turn.listen.iter().copied().filter(usable).collect();
    let mut relay = RelayConfig::new(secret.clone());
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
    relay.certificate = turn
        .tls_certificate
        .clone()
        .zip(turn.tls_key.clone())
        .map(|(chain, key)| CertificateFiles { chain, key });
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
    ice.secret = Some(secret);
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
    fn for_peer(&self, peer: IcePeer) -> Vec<IceServer> {
        let mut servers = self.extra.clone();
        let told = |relay: &[(SocketAddr, Option<IpAddr>)]| -> Vec<SocketAddr> {
            relay
                .iter()
                .filter_map(|&(local, public)| advertised(local, public, peer.reached))
                .collect()
        };
        let (addresses, tcp) = (told(&self.relay), told(&self.tcp));
        let nothing = addresses.is_empty() && tcp.is_empty() && self.tls.is_empty();
        let (Some(secret), false) = (&self.secret, nothing) else { return servers };
        // User names are sent in the clear. The session's number does not say who drives.
        let credentials = mint(secret, &peer.session.to_string(), self.lifetime, unix_now());
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
    use rccar_protocol::text::SessionId;

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

    #[test]
    fn credentials_are_made_for_the_session_and_name_nobody() {
        let relay = vec![("127.0.0.1:3478".parse().unwrap(), None)];
        let lifetime = Duration::from_secs(60);
        let tls = tls_urls(
            "turn.example",
            &["192.0.2.1:443".parse().unwrap(), "[2001:db8::1]:443".parse().unwrap()],
        );
        let ice = HostIce {
            tcp: relay.clone(),
            relay,
            tls,
            secret: Some(Secret::new(b"key")),
            lifetime,
            extra: vec![],
        };
        let servers =
            ice.for_peer(IcePeer { session: SessionId::from_random(0xc0ffee), reached: None });
        assert_eq!(servers[0].urls, ["stun:127.0.0.1:3478"]);
        let urls = [
            "turn:127.0.0.1:3478?transport=udp",
            "turn:127.0.0.1:3478?transport=tcp",
            "turns:turn.example:443?transport=tcp",
        ];
        assert_eq!(servers[1].urls, urls);
        assert!(servers[1].username.as_deref().unwrap().ends_with(":0000000000c0ffee"));
        assert!(servers[1].credential.is_some());
    }
}
