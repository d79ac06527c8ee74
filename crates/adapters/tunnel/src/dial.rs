//! Connections to servers.

use crate::{Local, Options, Server};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use rccar_causes::causes;
use socket2::SockRef;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::OnceCell;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto};

/// The next server is dialled when the one before has not answered within this time (RFC 8305
/// section 5 recommends 250 ms).
const STAGGER: Duration = Duration::from_millis(250);
/// TCP repeats what is lost after 1 s and 3 s; TLS takes two more round trips.
const DIAL_WITHIN: Duration = Duration::from_secs(8);
/// The kernel's queue for a connection; the kernel doubles it. Small, because what is in there
/// cannot be dropped any more.
const KERNEL_QUEUE: usize = 16 * 1024;
/// TCP gives up a connection on which nothing gets through for so long.
const STALLED: Duration = Duration::from_secs(6);

/// A connection, with TLS or without.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// Dials the servers of a tunnel.
pub(crate) struct Dialer {
    pub(crate) options: Options,
    /// Made when first needed: reading the system's authorities takes some milliseconds.
    connector: OnceCell<TlsConnector>,
}

impl fmt::Debug for Dialer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dialer").field("options", &self.options).finish_non_exhaustive()
    }
}

impl Dialer {
    pub(crate) fn new(options: Options) -> Self {
        Self { options, connector: OnceCell::new() }
    }

    /// Connects to the first server that answers, through the interface of `local`. If all fail,
    /// returns the error of the last one.
    pub(crate) async fn dial(&self, local: &Local) -> io::Result<Box<dyn Stream>> {
        let (mut rest, mut dialled) = (self.options.servers.iter(), FuturesUnordered::new());
        let mut failed = io::Error::new(io::ErrorKind::NotFound, "no server");
        loop {
            match rest.next() {
                Some(server) => dialled.push(self.dial_one(server, local)),
                None if dialled.is_empty() => return Err(failed),
                None => {}
            }
            tokio::select! {
                Some((server, outcome)) = dialled.next() => match outcome {
                    Ok(stream) => {
                        tracing::info!(
                            server = %server.address, tls = server.tls.is_some(),
                            "TURN goes through a tunnel"
                        );
                        return Ok(stream);
                    }
                    Err(error) => {
                        tracing::debug!(
                            server = %server.address, tls = server.tls.is_some(),
                            error = %causes(&error),
                            "cannot dial"
                        );
                        failed = error;
                    }
                },
                () = sleep(STAGGER), if rest.len() > 0 => {}
            }
        }
    }

    async fn dial_one<'s>(
        &self,
        server: &'s Server,
        local: &Local,
    ) -> (&'s Server, io::Result<Box<dyn Stream>>) {
        let dialled = async {
            let stream = connect(server.address, local).await?;
            let Some(name) = server.tls.clone() else {
                return Ok(Box::new(stream) as Box<dyn Stream>);
            };
            let connector = self.connector.get_or_try_init(connector).await?;
            Ok(Box::new(connector.connect(name, stream).await?) as Box<dyn Stream>)
        };
        (
            server,
            timeout(DIAL_WITHIN, dialled)
                .await
                .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())),
        )
    }
}

async fn connect(server: SocketAddr, local: &Local) -> io::Result<TcpStream> {
    let socket = if server.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.bind(SocketAddr::new(local.source_for(server), 0))?;
    local.tie(&socket);
    let stream = socket.connect(server).await?;
    stream.set_nodelay(true)?;
    let settings = SockRef::from(&stream);
    settings.set_send_buffer_size(KERNEL_QUEUE)?;
    settings.set_tcp_user_timeout(Some(STALLED))?;
    Ok(stream)
}

async fn connector() -> io::Result<TlsConnector> {
    let found = tokio::task::spawn_blocking(rustls_native_certs::load_native_certs)
        .await
        .map_err(io::Error::other)?;
    for error in &found.errors {
        tracing::warn!(
            error = %causes(error),
            "some of the system's certificate authorities cannot be read"
        );
    }
    let mut roots = RootCertStore::empty();
    let (usable, _) = roots.add_parsable_certificates(found.certs);
    if usable == 0 {
        tracing::warn!(
            "the system trusts no certificate authority: no TURN server over TLS can be used"
        );
    }
    let config = ClientConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}
