//! The sockets that clients come to.

use crate::error::HostError;
use nix::errno::Errno;
use socket2::SockRef;
use std::io;
use std::net::SocketAddr;
use tokio::net::{TcpListener, TcpSocket};

/// Connections that wait to be accepted. The kernel drops what comes beyond it, and a client then
/// waits a second. Linux takes 4096 at most by default (`net.core.somaxconn`).
const BACKLOG: u32 = 4_096;

pub(crate) fn listen(addresses: &[SocketAddr]) -> Result<Vec<TcpListener>, HostError> {
    let mut listeners = Vec::new();
    for &address in addresses {
        // `[::]` alone takes IPv4, too. Beside `0.0.0.0` it would find its port taken.
        let shared = |other: &SocketAddr| other.is_ipv4() && other.port() == address.port();
        let only_v6 = address.is_ipv6() && addresses.iter().any(shared);
        match listener(address, only_v6) {
            Ok(listener) => listeners.push(listener),
            // Machines without IPv6 have no `[::1]`, which is listed by default.
            Err(error) if no_such_address(&error) && !listeners.is_empty() && address.is_ipv6() => {
                tracing::warn!(%address, "this machine has no such address: not listening there");
            }
            Err(source) => return Err(HostError::Bind { address, source }),
        }
    }
    Ok(listeners)
}

/// Like [`TcpListener::bind`], with a longer queue: when a host comes back, all its cars do.
fn listener(address: SocketAddr, only_v6: bool) -> io::Result<TcpListener> {
    let socket = if address.is_ipv6() { TcpSocket::new_v6()? } else { TcpSocket::new_v4()? };
    if only_v6 {
        SockRef::from(&socket).set_only_v6(true)?;
    }
    // An address that was in use a moment ago is no longer taken (tcp(7), TIME_WAIT).
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Without IPv6 in the kernel the error is `EAFNOSUPPORT`, which has no kind of its own.
pub(crate) fn no_such_address(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::AddrNotAvailable
        || error.raw_os_error() == Some(Errno::EAFNOSUPPORT as i32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpStream;

    #[test]
    fn a_kernel_without_ipv6_lacks_the_address_and_a_taken_port_is_another_matter() {
        let lacks = |errno: Errno| no_such_address(&io::Error::from(errno));
        assert!(lacks(Errno::EAFNOSUPPORT) && lacks(Errno::EADDRNOTAVAIL));
        assert!(!lacks(Errno::EADDRINUSE) && !lacks(Errno::EACCES));
    }

    /// As the documents list them.
    #[tokio::test]
    async fn the_wildcards_of_both_families_share_a_port_in_either_order() {
        for order in [["0.0.0.0", "[::]"], ["[::]", "0.0.0.0"]] {
            let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
            let port = port.port();
            let addresses = order.map(|ip| format!("{ip}:{port}").parse().unwrap());
            let listeners = listen(&addresses).unwrap();
            assert!(TcpStream::connect(("127.0.0.1", port)).is_ok(), "{order:?}");
            if listeners.len() == 2 {
                assert!(TcpStream::connect(("::1", port)).is_ok(), "{order:?}");
            }
        }
    }

    #[tokio::test]
    async fn the_wildcard_of_ipv6_alone_takes_both() {
        let Ok(listeners) = listen(&["[::]:0".parse().unwrap()]) else { return };
        let port = listeners[0].local_addr().unwrap().port();
        assert!(TcpStream::connect(("127.0.0.1", port)).is_ok());
    }
}
