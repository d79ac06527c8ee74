//! TLS by the program itself: page, signaling and TURN on one port.

mod acme;
mod authority;

pub(crate) use acme::Renewal;

use crate::config::Config;
use async_trait::async_trait;
use rccar_relay::Streams;
use rccar_site::Tls;
use rccar_tls::{Certificate, CertificateError, CertificateFiles, TlsStream};
use std::io;
use std::path::Path;
use std::sync::Arc;
use tokio::net::TcpStream;

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TlsError {
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    #[error("cannot make the directory {} for the certificate", .path.display())]
    Directory { path: std::path::PathBuf, source: io::Error },
    #[error("cannot use tls.acme.root")]
    Root(#[source] io::Error),
}

/// Browsers ask for HTTP, and clients of TURN for nothing or this (RFC 7443).
const PROTOCOLS: [&str; 2] = ["http/1.1", "stun.turn"];

/// The certificate of `[tls]`.
pub(crate) struct Identity {
    pub(crate) certificate: Arc<Certificate>,
    /// What keeps it fresh; `None` where another program does.
    pub(crate) renewal: Option<Renewal>,
}

/// `None` without TLS.
pub(crate) fn identity(config: &Config) -> Result<Option<Identity>, TlsError> {
    if !config.tls.is_on() {
        return Ok(None);
    }
    if let Some(files) = config.tls.files() {
        let certificate = Certificate::awaited(files, &PROTOCOLS);
        certificate.read()?;
        return Ok(Some(Identity { certificate: Arc::new(certificate), renewal: None }));
    }
    let dir = config.acme_dir();
    make(&dir).map_err(|source| TlsError::Directory { path: dir.clone(), source })?;
    // One file for both, so that they always fit each other.
    let path = dir.join("certificate.pem");
    let files = CertificateFiles { chain: path.clone(), key: path.clone() };
    let certificate = Arc::new(Certificate::awaited(files, &PROTOCOLS));
    let renewal = Renewal::new(config, path, Arc::clone(&certificate))?;
    Ok(Some(Identity { certificate, renewal }))
}

fn make(dir: &Path) -> io::Result<()> {
    match std::fs::create_dir(dir) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// Clients of one socket.
pub(crate) struct Front {
    pub(crate) certificate: Arc<Certificate>,
    /// `None` without a relay.
    pub(crate) turn: Option<Streams>,
}

#[async_trait]
impl Tls for Front {
    async fn accept(&self, stream: TcpStream) -> io::Result<Option<TlsStream<TcpStream>>> {
        self.certificate.accept(stream).await
    }

    async fn turn(&self, stream: TlsStream<TcpStream>) {
        if let Some(turn) = &self.turn {
            turn.serve(stream).await;
        }
    }
}
