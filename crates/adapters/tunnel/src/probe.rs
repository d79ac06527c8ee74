//! Finds out whether a server can be reached over UDP.

use crate::Local;
use rccar_causes::causes;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::UdpSocket;
use tokio::time::timeout;

/// When the request is sent, counted from the first time: two may get lost.
const ASK_AT: [Duration; 3] =
    [Duration::ZERO, Duration::from_millis(150), Duration::from_millis(350)];
/// How long to wait for an answer to the last request. Even over a bad mobile link it comes within
/// half a second; a link where it does not is worth a tunnel.
const LAST_WAIT: Duration = Duration::from_millis(300);
/// Magic cookie (RFC 8489 section 5).
const COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];

/// Asks all servers at once until one answers, through the interface of `local`.
pub(crate) async fn answers(servers: &[SocketAddr], local: &Local) -> bool {
    let mut asked = futures_util::stream::FuturesUnordered::new();
    for &server in servers {
        asked.push(async move {
            ask(server, local).await.unwrap_or_else(|error| {
                tracing::debug!(error = %causes(&error), %server, "cannot ask over UDP");
                false
            })
        });
    }
    while let Some(answered) = futures_util::StreamExt::next(&mut asked).await {
        if answered {
            return true;
        }
    }
    false
}

async fn ask(server: SocketAddr, local: &Local) -> io::Result<bool> {
    let socket = UdpSocket::bind((local.source_for(server), 0)).await?;
    local.tie(&socket);
    // A connected socket hears no strangers, and reports an unreachable server as an error.
    socket.connect(server).await?;
    let request = binding_request()?;
    let waits = ASK_AT.windows(2).map(|pair| pair[1] - pair[0]).chain([LAST_WAIT]);
    for wait in waits {
        socket.send(&request).await?;
        if timeout(wait, answer(&socket, &request)).await.is_ok_and(|answer| answer.is_ok()) {
            return Ok(true);
        }
    }
    Ok(false)
}

async fn answer(socket: &UdpSocket, request: &[u8]) -> io::Result<()> {
    let mut buffer = [0; 512];
    loop {
        let length = socket.recv(&mut buffer).await?;
        // Any answer will do, even an error: it came over UDP.
        if length >= request.len() && buffer[0] == 0x01 && buffer[4..20] == request[4..20] {
            return Ok(());
        }
    }
}

/// A Binding request without attributes (RFC 8489 section 5).
fn binding_request() -> io::Result<[u8; 20]> {
    let mut request = [0; 20];
    request[1] = 1;
    request[4..8].copy_from_slice(&COOKIE);
    getrandom::fill(&mut request[8..]).map_err(io::Error::other)?;
    Ok(request)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server that answers one request in `hears`.
    async fn server(hears: usize) -> SocketAddr {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        tokio::spawn(async move {
            let mut buffer = [0; 64];
            for count in 1.. {
                let (length, from) = socket.recv_from(&mut buffer).await.unwrap();
                if count % hears == 0 {
                    buffer[0] = 1;
                    socket.send_to(&buffer[..length], from).await.unwrap();
                }
            }
        });
        address
    }

    #[tokio::test]
    async fn a_server_that_answers_is_found_among_silent_ones_and_with_losses() {
        let silent = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let servers = [silent.local_addr().unwrap(), server(3).await];
        assert!(answers(&servers, &Local::loopback()).await);
        let other = Local { ip: "::1".parse().unwrap(), device: None };
        assert!(answers(&servers, &other).await, "an address of another family does not matter");
    }

    #[tokio::test]
    async fn silence_and_no_servers_are_no_answer() {
        let silent = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        assert!(!answers(&[silent.local_addr().unwrap()], &Local::loopback()).await);
        assert!(!answers(&[], &Local::loopback()).await);
    }
}
