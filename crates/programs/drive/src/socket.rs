//! The socket on which set-points arrive and from which the status leaves.

use nix::sys::stat::{Mode, umask};
use rccar_protocol::calibration::MAX_DRIVE_MESSAGE_BYTES;
use std::fs;
use std::io::{self, ErrorKind};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::path::{Path, PathBuf};

/// One byte more than the largest datagram of the protocol, so that the decoder sees one that is
/// too long.
const BUFFER: usize = MAX_DRIVE_MESSAGE_BYTES + 1;

#[derive(Debug, thiserror::Error)]
pub enum SocketError {
    #[error("{}: another rccar-drive is running", .0.display())]
    Busy(PathBuf),
    #[error("{}: exists and is not a socket; it is left alone", .0.display())]
    NotASocket(PathBuf),
    #[error("{}: cannot {action}: {source}", path.display())]
    Io {
        /// What the system refused, as a verb: "bind".
        action: &'static str,
        path: PathBuf,
        source: io::Error,
    },
}

/// A bound socket. Dropping it removes its file.
#[derive(Debug)]
pub struct DriveSocket {
    socket: UnixDatagram,
    path: PathBuf,
}

impl DriveSocket {
    /// Binds with mode 0660. Makes a missing directory, and replaces a socket on which nobody
    /// listens.
    pub fn bind(path: &Path) -> Result<Self, SocketError> {
        let failed =
            |action| move |source| SocketError::Io { action, path: path.to_owned(), source };
        if let Some(directory) = path.parent() {
            fs::create_dir_all(directory).map_err(failed("make the directory"))?;
        }
        match fs::symlink_metadata(path) {
            Ok(found) if !found.file_type().is_socket() => {
                return Err(SocketError::NotASocket(path.to_owned()));
            }
            Ok(_) if is_alive(path) => return Err(SocketError::Busy(path.to_owned())),
            Ok(_) => fs::remove_file(path).map_err(failed("remove the stale socket"))?,
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(failed("look")(error)),
        }
        // By the mask, because a `chmod` after `bind` would leave the socket open for a moment.
        let old_mask = umask(Mode::from_bits_truncate(0o117));
        let bound = UnixDatagram::bind(path);
        umask(old_mask);
        let socket = bound.map_err(failed("bind"))?;
        socket.set_nonblocking(true).map_err(failed("make it non-blocking"))?;
        Ok(Self { socket, path: path.to_owned() })
    }

    /// The next datagram and its sender; `None` if there is none now. Of a datagram that is too
    /// long only the beginning is returned.
    pub fn receive<'a>(
        &self,
        buffer: &'a mut Buffer,
    ) -> io::Result<Option<(&'a [u8], SocketAddr)>> {
        loop {
            match self.socket.recv_from(&mut buffer.0) {
                Ok((size, from)) => return Ok(Some((&buffer.0[..size.min(BUFFER)], from))),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Sends without waiting. A slow receiver misses the datagram. False: the receiver is gone.
    pub fn send(&self, datagram: &[u8], to: &SocketAddr) -> bool {
        match self.socket.send_to_addr(datagram, to) {
            Ok(_) => true,
            Err(error) => matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted),
        }
    }
}

impl AsFd for DriveSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl Drop for DriveSocket {
    fn drop(&mut self) {
        // If this fails, the next start replaces the file.
        let _ = fs::remove_file(&self.path);
    }
}

/// Space for one datagram.
#[derive(Debug)]
pub struct Buffer([u8; BUFFER]);

impl Default for Buffer {
    fn default() -> Self {
        Self([0; BUFFER])
    }
}

/// Whether a process listens on the socket at `path`.
fn is_alive(path: &Path) -> bool {
    UnixDatagram::unbound().is_ok_and(|probe| probe.connect(path).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_socket_is_for_owner_and_group_and_vanishes_with_its_owner() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("made/drive.sock");
        let socket = DriveSocket::bind(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o660);
        drop(socket);
        assert!(!path.exists());
    }

    #[test]
    fn a_stale_file_is_replaced_and_a_live_one_is_not() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("drive.sock");
        drop(UnixDatagram::bind(&path).unwrap());
        assert!(path.exists(), "left behind as by a killed process");
        let socket = DriveSocket::bind(&path).unwrap();
        assert!(matches!(DriveSocket::bind(&path), Err(SocketError::Busy(_))));
        drop(socket);
    }

    #[test]
    fn a_file_that_is_not_a_socket_is_left_alone() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert!(matches!(DriveSocket::bind(file.path()), Err(SocketError::NotASocket(_))));
        assert!(file.path().exists());
    }

    #[test]
    fn a_slow_reader_costs_nothing_and_an_absent_one_is_noticed() {
        let directory = tempfile::tempdir().unwrap();
        let socket = DriveSocket::bind(&directory.path().join("drive.sock")).unwrap();
        let path = directory.path().join("reader.sock");
        let reader = UnixDatagram::bind(&path).unwrap();
        let address = SocketAddr::from_pathname(&path).unwrap();
        for _ in 0..10_000 {
            assert!(socket.send(&[0; 44], &address), "the reader's queue is full long ago");
        }
        drop(reader);
        assert!(!socket.send(&[0; 44], &address));
    }
}
