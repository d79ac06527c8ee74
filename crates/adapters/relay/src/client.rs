//! The ways back to clients.

use crate::outbox::Outbox;
use crate::stats::Counters;
use rccar_causes::causes;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::UdpSocket;

#[derive(Debug, Clone)]
pub(crate) enum Way {
    /// One socket for all clients.
    Datagrams(Arc<UdpSocket>),
    /// A stream for one client.
    Stream(Arc<Outbox>),
}

impl Way {
    /// A packet that cannot be sent is counted and forgotten.
    pub(crate) async fn send(&self, datagram: &[u8], client: SocketAddr, counters: &Counters) {
        match self {
            Self::Datagrams(socket) => {
                if let Err(error) = socket.send_to(datagram, client).await {
                    tracing::trace!(error = %causes(&error), %client, "packet to client not sent");
                    counters.send_errors.increment();
                }
            }
            Self::Stream(outbox) => outbox.push(datagram.to_vec()),
        }
    }
}
