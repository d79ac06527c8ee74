//! The two ends that an allocation of `turn` holds: its relayed socket, made before and handed over
//! by a generator, and the socket to its client.

use crate::outbox::Outbox;
use crate::relayed::{Relayed, unconnected};
use crate::stats::Counters;
use async_trait::async_trait;
use rccar_causes::causes;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::net::UdpSocket;
use turn::relay::RelayAddressGenerator;
use webrtc_util::Conn;

/// Gives the relayed socket that was put in to the next allocation.
#[derive(Debug, Default, Clone)]
pub(crate) struct Handover(Arc<Mutex<Option<Arc<Relayed>>>>);

impl Handover {
    /// One task makes all allocations of a listener, one after the other, so one place is enough.
    pub(crate) fn put(&self, relayed: Option<Arc<Relayed>>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = relayed;
    }
}

#[async_trait]
impl RelayAddressGenerator for Handover {
    fn validate(&self) -> Result<(), turn::Error> {
        Ok(())
    }

    async fn allocate_conn(
        &self,
        _: bool,
        _: u16,
    ) -> Result<(Arc<dyn Conn + Send + Sync>, SocketAddr), turn::Error> {
        let relayed = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        let relayed = relayed.ok_or(turn::Error::ErrRelayAddressGeneratorUnset)?;
        let address = relayed.address;
        Ok((relayed, address))
    }
}

/// An allocation's way to its client. A packet that cannot be sent is counted and forgotten: `turn`
/// would log each.
#[derive(Debug)]
pub(crate) struct ClientSocket {
    pub(crate) way: Way,
    pub(crate) local: SocketAddr,
    pub(crate) counters: Arc<Counters>,
}

#[derive(Debug)]
pub(crate) enum Way {
    /// One socket for all clients.
    Datagrams(Arc<UdpSocket>),
    /// A stream for this client.
    Stream(Arc<Outbox>),
}

impl ClientSocket {
    pub(crate) async fn send(&self, datagram: &[u8], client: SocketAddr) {
        match &self.way {
            Way::Datagrams(socket) => {
                if let Err(error) = socket.send_to(datagram, client).await {
                    tracing::trace!(error = %causes(&error), %client, "packet to client not sent");
                    self.counters.send_errors.increment();
                }
            }
            Way::Stream(outbox) => outbox.push(datagram.to_vec()),
        }
    }
}

#[async_trait]
impl Conn for ClientSocket {
    async fn send_to(&self, datagram: &[u8], client: SocketAddr) -> webrtc_util::Result<usize> {
        self.send(datagram, client).await;
        Ok(datagram.len())
    }

    fn local_addr(&self) -> webrtc_util::Result<SocketAddr> {
        Ok(self.local)
    }

    /// Does nothing: each allocation calls this at its end, but the socket belongs to all of them.
    async fn close(&self) -> webrtc_util::Result<()> {
        Ok(())
    }

    async fn connect(&self, _: SocketAddr) -> webrtc_util::Result<()> {
        Err(unconnected())
    }

    async fn recv(&self, _: &mut [u8]) -> webrtc_util::Result<usize> {
        Err(unconnected())
    }

    async fn recv_from(&self, _: &mut [u8]) -> webrtc_util::Result<(usize, SocketAddr)> {
        Err(unconnected())
    }

    async fn send(&self, _: &[u8]) -> webrtc_util::Result<usize> {
        Err(unconnected())
    }

    fn remote_addr(&self) -> Option<SocketAddr> {
        None
    }

    fn as_any(&self) -> &(dyn std::any::Any + Send + Sync) {
        self
    }
}
