//! Where clients come in: plain TCP, or TLS, whose port may serve a second protocol.

use async_trait::async_trait;
use std::fmt;
use std::io;
use std::sync::Arc;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::server::TlsStream;

/// A socket that clients come to.
pub struct Listening {
    pub(crate) socket: TcpListener,
    pub(crate) tls: Option<Arc<dyn Tls>>,
}

/// How clients are met over TLS. This crate sets the time for each step.
#[async_trait]
pub trait Tls: Send + Sync {
    /// The handshake. `None`: there is nothing more to be said to this client.
    async fn accept(&self, stream: TcpStream) -> io::Result<Option<TlsStream<TcpStream>>>;

    /// Serves a client that speaks STUN or TURN, as its first byte says.
    async fn turn(&self, stream: TlsStream<TcpStream>);
}

impl Listening {
    /// A socket whose clients speak TLS.
    #[must_use]
    pub fn with_tls(socket: TcpListener, tls: Arc<dyn Tls>) -> Self {
        Self { socket, tls: Some(tls) }
    }
}

impl From<TcpListener> for Listening {
    fn from(socket: TcpListener) -> Self {
        Self { socket, tls: None }
    }
}

impl fmt::Debug for Listening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listening")
            .field("socket", &self.socket)
            .field("tls", &self.tls.is_some())
            .finish()
    }
}

/// Whether a client that begins so speaks STUN: the two highest bits are zero, and methods have
/// small numbers (RFC 8489 section 5). A request of HTTP begins with a letter.
pub(crate) fn is_stun(first: u8) -> bool {
    first <= 1
}
