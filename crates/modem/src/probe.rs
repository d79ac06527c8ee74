//! Data probes: packets over this interface and no other.

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::UdpSocket;

/// A question to a name server for the servers of the root (RFC 1035): identifier, flags "recursion desired", one question.
const QUESTION: [u8; 17] = [0x52, 0x43, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 1];

/// Whether any of the targets answers in time. A refusal is an answer: it has come all the way.
pub(crate) async fn data(interface: &str, targets: &[SocketAddr], limit: Duration) -> bool {
    let mut asked: FuturesUnordered<_> = targets.iter().map(|target| ask(interface, *target)).collect();
    let any = async {
        while let Some(outcome) = asked.next().await {
            match outcome {
                Ok(()) => return true,
                Err(error) => tracing::trace!(%error, interface, "no answer to a probe"),
            }
        }
        false
    };
    tokio::time::timeout(limit, any).await.unwrap_or(false)
}

async fn ask(interface: &str, target: SocketAddr) -> io::Result<()> {
    let socket = Socket::new(Domain::for_address(target), Type::DGRAM.nonblocking(), Some(Protocol::UDP))?;
    socket.bind_device(Some(interface.as_bytes()))?;
    let socket = UdpSocket::from_std(socket.into())?;
    socket.connect(target).await?;
    socket.send(&QUESTION).await?;
    match socket.recv(&mut [0; 512]).await {
        Err(error) if error.kind() != io::ErrorKind::ConnectionRefused => Err(error),
        _ => Ok(()),
    }
}
