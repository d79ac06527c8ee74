//! Small state files: keys, identities, settings.
//!
//! **After a power cut at any moment, a file holds either all of its old content or all of its new
//! content.**

use nix::fcntl::OFlag;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Largest file that [`read`] takes. Keys have a hundred bytes; a larger file is there by mistake.
pub const MAX_BYTES: u64 = 1024 * 1024;

#[derive(Debug, Error)]
pub enum FileError {
    #[error("cannot {action} {}", .path.display())]
    Io {
        /// A verb: `read` or `write`.
        action: &'static str,
        path: PathBuf,
        source: io::Error,
    },
    #[error("{} is larger than {max} bytes", .path.display())]
    TooLarge { path: PathBuf, max: u64 },
}

/// Returns `None` if the file does not exist.
pub fn read(path: &Path) -> Result<Option<Vec<u8>>, FileError> {
    read_with(path, OFlag::empty(), MAX_BYTES)
}

/// Reads a file in a directory of somebody with fewer rights, who may have put anything there: a
/// link to a file that only this process may read, or a pipe at which it would wait for ever. Takes
/// plain files only, up to `max` bytes. The directory itself must be where it is meant to be.
///
/// Returns `None` if the file does not exist.
pub fn read_untrusted(path: &Path, max: u64) -> Result<Option<Vec<u8>>, FileError> {
    read_with(path, OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK, max)
}

fn read_with(path: &Path, flags: OFlag, max: u64) -> Result<Option<Vec<u8>>, FileError> {
    let failed = |source| FileError::Io { action: "read", path: path.to_owned(), source };
    let file = match OpenOptions::new().read(true).custom_flags(flags.bits()).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    if !flags.is_empty() && !file.metadata().map_err(failed)?.is_file() {
        return Err(failed(io::Error::other("it is no plain file")));
    }
    let mut content = Vec::new();
    file.take(max + 1).read_to_end(&mut content).map_err(failed)?;
    if content.len() as u64 > max {
        return Err(FileError::TooLarge { path: path.to_owned(), max });
    }
    Ok(Some(content))
}

/// Replaces a state file atomically. Only its owner may read it (mode 0600). The directory must
/// exist.
///
/// One process at a time may write a given file.
pub fn write(path: &Path, content: &[u8]) -> Result<(), FileError> {
    let temporary = temporary_name(path);
    replace(path, &temporary, content).map_err(|source| {
        // If this fails, too, no harm is done: the next write replaces the temporary file.
        let _ = fs::remove_file(&temporary);
        FileError::Io { action: "write", path: path.to_owned(), source }
    })
}

fn replace(path: &Path, temporary: &Path, content: &[u8]) -> io::Result<()> {
    match fs::remove_file(temporary) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    // `create_new` does not follow a link that someone may have put there.
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(temporary)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(temporary, path)?;
    // The rename is on disk only when the directory is.
    File::open(directory(path))?.sync_all()
}

/// In the same directory, because a rename cannot cross file systems. Always the same name, so that
/// power cuts leave at most one such file behind.
fn temporary_name(path: &Path) -> PathBuf {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".new");
    directory(path).join(name)
}

fn directory(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_written_file_reads_back_and_only_its_owner_may_read_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("identity.key");
        assert_eq!(read(&path).unwrap(), None);
        write(&path, b"first").unwrap();
        write(&path, b"second").unwrap();
        assert_eq!(read(&path).unwrap().unwrap(), b"second");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "no temporary file is left");
    }

    #[test]
    fn what_a_power_cut_left_behind_does_not_stop_the_next_write() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("identity.key");
        fs::write(temporary_name(&path), b"half").unwrap();
        write(&path, b"whole").unwrap();
        assert_eq!(read(&path).unwrap().unwrap(), b"whole");
    }

    #[test]
    fn a_missing_directory_is_named() {
        let error = write(Path::new("/nonexistent/rccar/key"), b"").unwrap_err();
        assert_eq!(error.to_string(), "cannot write /nonexistent/rccar/key");
    }

    #[test]
    fn of_strangers_only_short_plain_files_are_read() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        fs::write(at("plain"), b"abc").unwrap();
        assert_eq!(read_untrusted(&at("plain"), 3).unwrap().unwrap(), b"abc");
        assert_eq!(read_untrusted(&at("missing"), 3).unwrap(), None);
        let long = read_untrusted(&at("plain"), 2);
        assert!(matches!(long, Err(FileError::TooLarge { max: 2, .. })), "{long:?}");
        std::os::unix::fs::symlink(at("plain"), at("link")).unwrap();
        nix::unistd::mkfifo(&at("pipe"), nix::sys::stat::Mode::S_IRUSR).unwrap();
        for name in ["link", "pipe", "."] {
            let error = read_untrusted(&at(name), 3).unwrap_err();
            assert!(matches!(error, FileError::Io { action: "read", .. }), "{name}: {error:?}");
        }
    }

    #[test]
    fn an_oversize_file_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("huge");
        File::create(&path).unwrap().set_len(MAX_BYTES + 1).unwrap();
        assert!(matches!(read(&path), Err(FileError::TooLarge { .. })));
    }
}
