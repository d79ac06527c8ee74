//! TLS by the host itself: page and TURN on one port, and the certificate of an authority: Pebble,
//! the one that Let's Encrypt tests with.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod common;

use common::{Host, eventually};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

const NAME: &str = "drive.example";

type Stream = StreamOwned<ClientConnection, TcpStream>;

/// Makes an authority and a certificate of it for this name: `root.pem`, `chain.pem`, `key.pem`.
fn write_certificate(folder: &Path, name: &str) {
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let root = authority.self_signed(&key).unwrap();
    let issuer = Issuer::new(authority, key);
    let own = KeyPair::generate().unwrap();
    let made = CertificateParams::new([name.to_owned()]).unwrap().signed_by(&own, &issuer).unwrap();
    std::fs::write(folder.join("root.pem"), root.pem()).unwrap();
    std::fs::write(folder.join("chain.pem"), made.pem()).unwrap();
    std::fs::write(folder.join("key.pem"), own.serialize_pem()).unwrap();
}

fn dial(port: u16, name: &'static str, roots: RootCertStore) -> std::io::Result<Stream> {
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(name).unwrap();
    let connection = ClientConnection::new(Arc::new(config), name).unwrap();
    let socket = TcpStream::connect(("127.0.0.1", port))?;
    socket.set_read_timeout(Some(Duration::from_secs(20)))?;
    let mut stream = StreamOwned::new(connection, socket);
    stream.conn.complete_io(&mut stream.sock)?;
    Ok(stream)
}

fn roots(pem: &[u8]) -> RootCertStore {
    let mut roots = RootCertStore::empty();
    for root in CertificateDer::pem_slice_iter(pem) {
        roots.add(root.unwrap()).unwrap();
    }
    roots
}

fn get(mut stream: impl Read + Write, host: &str, path: &str) -> String {
    let request = format!("GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    // Not everybody says good-bye in TLS's way.
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[test]
fn page_and_turn_share_a_port_and_plain_http_is_led_there() {
    let folder = tempfile::tempdir().unwrap();
    write_certificate(folder.path(), NAME);
    let (port, plain, at) = (free_port(), free_port(), folder.path().display());
    let host = Host::start_with(&format!(
        "public_url = \"https://{NAME}\"\n[tls]\nlisten = [\"127.0.0.1:{port}\"]\n\
         redirect_listen = [\"127.0.0.1:{plain}\"]\n\
         certificate = \"{at}/chain.pem\"\nkey = \"{at}/key.pem\"\n"
    ));
    let roots = roots(&std::fs::read(folder.path().join("root.pem")).unwrap());
    let answer = get(dial(port, NAME, roots.clone()).unwrap(), NAME, "/");
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains("<html"), "{answer}");
    assert!(answer.contains("strict-transport-security: max-age=31536000"), "{answer}");
    let other = get(dial(port, NAME, roots.clone()).unwrap(), "other.example", "/");
    assert!(other.starts_with("HTTP/1.1 421 "), "{other}");

    // A Binding request (RFC 8489 section 5): type, length, magic cookie, transaction.
    let mut stun = dial(port, NAME, roots.clone()).unwrap();
    let request = [&[0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42][..], &[7; 12]].concat();
    stun.write_all(&request).unwrap();
    let mut answer = [0; 20];
    stun.read_exact(&mut answer).unwrap();
    assert_eq!((&answer[..2], &answer[8..]), (&[1, 1][..], &[7; 12][..]), "a Binding response");

    // The page goes on while somebody keeps the port busy with nothing.
    let _silent: Vec<_> =
        (0..8).map(|_| TcpStream::connect(("127.0.0.1", port)).unwrap()).collect();
    let _greeted: Vec<_> = (0..8).map(|_| dial(port, NAME, roots.clone()).unwrap()).collect();
    let answer = get(dial(port, NAME, roots).unwrap(), NAME, "/healthz");
    assert!(answer.ends_with("ok"), "{answer}");

    let led = get(TcpStream::connect(("127.0.0.1", plain)).unwrap(), "192.0.2.1", "/a?b");
    assert!(led.starts_with("HTTP/1.1 308 "), "{led}");
    assert!(led.contains(&format!("location: https://{NAME}/a?b\r\n")), "{led}");
    assert!(host.output().contains(&format!("listening on https://{NAME}")), "{}", host.output());
}

/// Pebble and its name server, until they are dropped.
struct Authority {
    folder: tempfile::TempDir,
    programs: Vec<Child>,
    port: u16,
    management: u16,
}

impl Authority {
    /// Asks for proofs at this port.
    fn start(tls_port: u16) -> Self {
        let folder = tempfile::tempdir().unwrap();
        write_certificate(folder.path(), "localhost");
        let [port, management, names, unused] = [(); 4].map(|()| free_port());
        let at = folder.path().display();
        let config = format!(
            r#"{{"pebble": {{"listenAddress": "127.0.0.1:{port}",
            "managementListenAddress": "127.0.0.1:{management}",
            "certificate": "{at}/chain.pem", "privateKey": "{at}/key.pem",
            "httpPort": {unused}, "tlsPort": {tls_port}, "ocspResponderURL": "",
            "externalAccountBindingRequired": false}}}}"#
        );
        let path = folder.path().join("pebble.json");
        std::fs::write(&path, config).unwrap();
        let names_at = format!("127.0.0.1:{names}");
        let spawn = |command: &mut Command| {
            command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
        };
        let programs = vec![
            spawn(Command::new("pebble-challtestsrv").args([
                "-dns01",
                &names_at,
                "-defaultIPv6",
                "",
                "-http01",
                "",
                "-https01",
                "",
                "-tlsalpn01",
                "",
                "-management",
                &format!("127.0.0.1:{unused}"),
            ])),
            spawn(
                Command::new("pebble")
                    .args(["-config", path.to_str().unwrap(), "-dnsserver", &names_at])
                    .env("PEBBLE_VA_NOSLEEP", "1"),
            ),
        ];
        let authority = Self { folder, programs, port, management };
        eventually("Pebble", || TcpStream::connect(("127.0.0.1", management)).is_ok());
        authority
    }

    /// Lines for `host.toml`.
    fn tls(&self, listen: u16) -> String {
        format!(
            "public_url = \"https://{NAME}\"\n[tls]\nlisten = [\"127.0.0.1:{listen}\"]\n\
             [tls.acme]\nagree_to_terms = true\ncontact = \"ada@example.org\"\n\
             directory = \"https://localhost:{}/dir\"\nroot = \"{}/root.pem\"\n",
            self.port,
            self.folder.path().display()
        )
    }

    /// What vouches for the certificates that it makes.
    fn root(&self) -> RootCertStore {
        let own = roots(&std::fs::read(self.folder.path().join("root.pem")).unwrap());
        let asked = dial(self.management, "localhost", own).unwrap();
        let answer = get(asked, "localhost", "/roots/0");
        let pem = answer.split_once("\r\n\r\n").unwrap().1;
        roots(pem.as_bytes())
    }
}

impl Drop for Authority {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Authority {
    fn stop(&mut self) {
        for program in &mut self.programs {
            let _ = program.kill();
            let _ = program.wait();
        }
    }
}

fn has_pebble() -> bool {
    let found = Command::new("pebble").arg("-version").output().is_ok();
    if !found {
        rccar_require::skip("pebble", "an authority to test with is not installed");
    }
    found
}

#[test]
fn a_host_gets_its_certificate_from_an_authority_and_keeps_it() {
    if !has_pebble() {
        return;
    }
    let port = free_port();
    let mut authority = Authority::start(port);
    let mut host = Host::start_with(&authority.tls(port));
    let roots = authority.root();
    eventually("a certificate", || dial(port, NAME, roots.clone()).is_ok());
    let answer = get(dial(port, NAME, roots.clone()).unwrap(), NAME, "/healthz");
    assert!(answer.ends_with("ok"), "{answer}");
    let account = host.directory.path().join("acme/account.json");
    let first = std::fs::read_to_string(&account).unwrap();
    assert!(dial(port, "other.example", roots.clone()).is_err());

    // The same certificate and account, without another question.
    host.stop();
    authority.stop();
    host.launch();
    eventually("the certificate from before", || dial(port, NAME, roots.clone()).is_ok());
    assert_eq!(std::fs::read_to_string(&account).unwrap(), first);
    assert!(!host.log().contains("asking for a certificate"), "{}", host.log());

    // Another authority, as after a first try with one for tests.
    host.stop();
    let other = Authority::start(port);
    let path = host.directory.path().join("host.toml");
    let config = std::fs::read_to_string(&path).unwrap();
    assert!(config.contains(&authority.tls(port)));
    std::fs::write(&path, config.replace(&authority.tls(port), &other.tls(port))).unwrap();
    host.launch();
    let roots = other.root();
    eventually("a certificate of the other", || dial(port, NAME, roots.clone()).is_ok());
    assert_ne!(std::fs::read_to_string(&account).unwrap(), first);
}

#[test]
fn a_name_that_leads_elsewhere_is_said_and_the_host_serves_on() {
    if !has_pebble() {
        return;
    }
    // The authority asks where nobody listens.
    let authority = Authority::start(free_port());
    let port = free_port();
    let host = Host::start_with(&authority.tls(port));
    eventually("the refusal", || host.log().contains("no new certificate"));
    let log = host.log();
    for words in ["Failed to connect to 127.0.0.1", "port 443", "again_in_s=300"] {
        assert!(log.contains(words), "{words}: {log}");
    }
    assert!(dial(port, NAME, RootCertStore::empty()).is_err());
    let plain = TcpStream::connect(&host.address).unwrap();
    assert!(get(plain, NAME, "/healthz").ends_with("ok"));
}
