//! Files of other programs.

use nix::unistd::{Group, chown};
use rccar_daemon::files::{self, FileError};
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// The users who may read a file.
#[derive(Debug, Clone, Copy)]
pub(super) enum Readers {
    /// root only.
    Nobody,
    /// root and this group.
    Group(&'static str),
    Everybody,
}

/// Writes the file, at once and durably, unless it has this content already. Makes its directory if
/// that is missing.
pub(super) fn put(path: &Path, content: &str, readers: Readers) -> Result<(), FileError> {
    let failed = |source| FileError::Io { action: "write", path: path.to_owned(), source };
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory).map_err(failed)?;
    }
    // A file that cannot be read is replaced.
    if files::read(path).ok().flatten().as_deref() != Some(content.as_bytes()) {
        files::write(path, content.as_bytes())?;
    }
    let mode = match readers {
        Readers::Nobody => 0o600,
        Readers::Group(name) => {
            // A system without that group has no service that would read the file.
            if let Ok(Some(group)) = Group::from_name(name) {
                chown(path, None, Some(group.gid)).map_err(|error| failed(error.into()))?;
            }
            0o640
        }
        Readers::Everybody => 0o644,
    };
    fs::set_permissions(path, Permissions::from_mode(mode)).map_err(failed)
}

/// A file that is missing is no error.
pub(super) fn remove(path: &Path) -> Result<(), FileError> {
    match fs::remove_file(path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(FileError::Io { action: "remove", path: path.to_owned(), source })
        }
        _ => Ok(()),
    }
}

/// Largest file of a service that is read, in bytes: a line or two.
const MAX_OF_SERVICE: u64 = 4096;

/// The content of a text file in a directory of a service, which may put there what it likes.
/// `None`: it is missing, or not UTF-8.
pub(super) fn text_of_service(path: &Path) -> Result<Option<String>, FileError> {
    let bytes = files::read_untrusted(path, MAX_OF_SERVICE)?;
    Ok(bytes.and_then(|bytes| String::from_utf8(bytes).ok()))
}

/// The content of a text file. `None`: it is missing, or not UTF-8.
pub(super) fn text(path: &Path) -> Result<Option<String>, FileError> {
    Ok(files::read(path)?.and_then(|bytes| String::from_utf8(bytes).ok()))
}
