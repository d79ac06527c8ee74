//! The file that keeps what survives reboots.
//!
//! **A damaged file never stops updates: the program sets it aside, logs that, and starts with an
//! empty state.**

use rccar_causes::causes;
use rccar_daemon::files::{self, FileError};
use rccar_update_core::Saved;
use std::fs;
use std::path::{Path, PathBuf};

const NAME: &str = "state.json";
const DAMAGED: &str = "state.json.damaged";

#[derive(Debug, Clone)]
pub(crate) struct StateFile {
    path: PathBuf,
}

impl StateFile {
    pub(crate) fn in_directory(directory: &Path) -> Self {
        Self { path: directory.join(NAME) }
    }

    /// An empty state if the file does not exist or is damaged.
    pub(crate) fn load(&self) -> Result<Saved, FileError> {
        let content = match files::read(&self.path) {
            Ok(None) => return Ok(Saved::default()),
            Ok(Some(content)) => content,
            Err(FileError::TooLarge { .. }) => Vec::new(),
            Err(error) => return Err(error),
        };
        match serde_json::from_slice(&content) {
            Ok(saved) => Ok(saved),
            Err(error) => {
                let aside = self.path.with_file_name(DAMAGED);
                tracing::warn!(
                    error = %causes(&error),
                    path = %self.path.display(),
                    aside = %aside.display(),
                    "the state is damaged: it is set aside, and an empty one is used"
                );
                if let Err(error) = fs::rename(&self.path, &aside) {
                    tracing::warn!(
                        error = %causes(&error),
                        "it cannot be set aside, and will be overwritten"
                    );
                }
                Ok(Saved::default())
            }
        }
    }

    /// Returns when the state is on the disk.
    pub(crate) fn store(&self, saved: &Saved) -> Result<(), FileError> {
        // Cannot fail: the structure has only numbers and texts.
        let content = serde_json::to_vec_pretty(saved).unwrap_or_default();
        files::write(&self.path, &content)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rccar_update_core::{Ended, Version};

    #[test]
    fn what_was_stored_is_loaded() {
        let directory = tempfile::tempdir().unwrap();
        let file = StateFile::in_directory(directory.path());
        assert_eq!(file.load().unwrap(), Saved::default());
        let saved = Saved {
            last: Some(Ended { version: Version::new(1, 2, 3), failed: Some("no".into()) }),
            ..Saved::default()
        };
        file.store(&saved).unwrap();
        assert_eq!(file.load().unwrap(), saved);
    }

    #[test]
    fn a_damaged_file_is_set_aside() {
        let directory = tempfile::tempdir().unwrap();
        let file = StateFile::in_directory(directory.path());
        for damage in [&b"{\"pending\": {\"ver"[..], b"", b"null", &[0; 100]] {
            fs::write(directory.path().join(NAME), damage).unwrap();
            assert_eq!(file.load().unwrap(), Saved::default());
            assert_eq!(fs::read(directory.path().join(DAMAGED)).unwrap(), damage);
            assert!(!directory.path().join(NAME).exists());
        }
    }
}
