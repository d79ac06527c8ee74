//! The directory of bundles.
//!
//! **A bundle has its final name only when every byte of it was checked and is on the disk.** Until
//! then it is a temporary file that its writer has locked. When a host starts, it deletes temporary
//! files that nobody has locked: they are left from a crash.

use rccar_bundle::{Bundle, BundleError, Keyring, KeyringError, verify};
use rccar_causes::causes;
use rccar_protocol::release::Sha256;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

const TEMPORARY: &str = ".upload-";
const ENDING: &str = "raucb";

#[derive(Debug, thiserror::Error)]
pub(crate) enum ShelfError {
    #[error("cannot use {} for releases (releases.dir)", .path.display())]
    Directory { path: PathBuf, source: io::Error },
    #[error("cannot read the keyring {} (releases.keyring)", .path.display())]
    Keyring { path: PathBuf, source: io::Error },
    #[error("the keyring {} {source}", .path.display())]
    BadKeyring { path: PathBuf, source: KeyringError },
    #[error("no randomness")]
    Random(#[from] getrandom::Error),
    #[error(transparent)]
    Bundle(#[from] BundleError),
    #[error("cannot write a bundle")]
    Write(#[source] io::Error),
}

/// The directory, and the certificates that may vouch for a bundle.
#[derive(Debug)]
pub(crate) struct Shelf {
    directory: PathBuf,
    keyring: Option<PathBuf>,
}

/// A bundle that is being written.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) file: File,
    path: PathBuf,
    kept: bool,
}

impl Shelf {
    /// Makes the directory if it is missing, below one that has to be there.
    pub(crate) fn open(directory: &Path, keyring: Option<&Path>) -> Result<Self, ShelfError> {
        let failed = |source| ShelfError::Directory { path: directory.to_owned(), source };
        match fs::create_dir(directory) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(failed(error));
            }
            _ => {}
        }
        fs::read_dir(directory).map_err(failed)?;
        Ok(Self { directory: directory.to_owned(), keyring: keyring.map(Path::to_owned) })
    }

    /// Without a keyring no signature can be checked, so nothing is taken.
    pub(crate) fn has_keyring(&self) -> bool {
        self.keyring.is_some()
    }

    /// Deletes the temporary files of writers that are gone.
    pub(crate) fn tidy(&self) {
        let entries = fs::read_dir(&self.directory).into_iter().flatten().flatten();
        for path in entries.map(|entry| entry.path()).filter(|path| is_temporary(path)) {
            if File::open(&path).is_ok_and(|file| file.try_lock().is_ok())
                && fs::remove_file(&path).is_ok()
            {
                tracing::info!(path = %path.display(), "removed what was left of a broken upload");
            }
        }
    }

    /// Begins a bundle: a temporary file that is locked and goes when the draft is dropped.
    pub(crate) fn draft(&self) -> Result<Draft, ShelfError> {
        let path = self.directory.join(format!("{TEMPORARY}{:016x}", getrandom::u64()?));
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .mode(0o640)
            .open(&path)
            .map_err(ShelfError::Write)?;
        let draft = Draft { file, path, kept: false };
        draft.file.lock().map_err(ShelfError::Write)?;
        Ok(draft)
    }

    /// Brings the bundle to the disk and checks it. It still goes unless [`Self::keep`] follows.
    /// The keyring is read again each time: changing it needs no restart.
    pub(crate) fn check(&self, draft: &mut Draft) -> Result<Bundle, ShelfError> {
        let path = self.keyring.clone().unwrap_or_default();
        let pem =
            fs::read(&path).map_err(|source| ShelfError::Keyring { path: path.clone(), source })?;
        let keyring =
            Keyring::from_pem(&pem).map_err(|source| ShelfError::BadKeyring { path, source })?;
        let now =
            SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
        draft.file.sync_all().map_err(ShelfError::Write)?;
        draft.file.rewind().map_err(ShelfError::Write)?;
        Ok(verify(&mut draft.file, &keyring, now)?)
    }

    /// Gives a checked bundle its final name.
    pub(crate) fn keep(&self, mut draft: Draft, sha256: &Sha256) -> Result<(), ShelfError> {
        fs::rename(&draft.path, self.path(sha256)).map_err(ShelfError::Write)?;
        draft.kept = true;
        // The name is on the disk only when its directory is.
        File::open(&self.directory)
            .and_then(|directory| directory.sync_all())
            .map_err(ShelfError::Write)
    }

    pub(crate) fn path(&self, sha256: &Sha256) -> PathBuf {
        self.directory.join(format!("{sha256}.{ENDING}"))
    }

    /// Removes a bundle. Cars that are fetching it get it to the end: the file is open.
    pub(crate) fn discard(&self, sha256: &Sha256) {
        let path = self.path(sha256);
        if let Err(error) = fs::remove_file(&path) {
            tracing::warn!(
                path = %path.display(),
                error = %causes(&error),
                "cannot remove a bundle"
            );
        }
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.kept
            && let Err(error) = fs::remove_file(&self.path)
        {
            tracing::warn!(
                path = %self.path.display(),
                error = %causes(&error),
                "cannot remove an unfinished upload"
            );
        }
    }
}

fn is_temporary(path: &Path) -> bool {
    path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with(TEMPORARY))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_nobody_writes_any_more_is_tidied_away() {
        let directory = tempfile::tempdir().unwrap();
        let shelf = Shelf::open(&directory.path().join("releases"), None).unwrap();
        let draft = shelf.draft().unwrap();
        let left = shelf.directory.join(format!("{TEMPORARY}left"));
        let kept = shelf.directory.join("0.raucb");
        fs::write(&left, "x").unwrap();
        fs::write(&kept, "x").unwrap();
        shelf.tidy();
        assert_eq!((draft.path.exists(), left.exists(), kept.exists()), (true, false, true));
        let path = draft.path.clone();
        drop(draft);
        assert!(!path.exists());
    }
}
