//! Where the code is shown by which somebody near the car may claim it.

use rccar_causes::causes;
use rccar_daemon::files;
use rccar_protocol::claim::ClaimCode;
use std::io;
use std::path::{Path, PathBuf};

/// Writes the code that counts where the console finds it.
pub(crate) struct ClaimCodeFile {
    /// `<runtime_dir>/claim-code`: for root, who tells the serial console, and nobody else.
    file: PathBuf,
}

impl ClaimCodeFile {
    pub(crate) fn new(runtime_dir: &Path) -> Self {
        let claim = Self { file: runtime_dir.join("claim-code") };
        // The code of an earlier run is worth nothing.
        claim.hide();
        claim
    }

    /// The host waits for it.
    pub(crate) fn show(&self, code: &ClaimCode) {
        if let Err(error) = files::write(&self.file, format!("{code}\n").as_bytes()) {
            tracing::debug!(error = %causes(&error), "the claim code is on the car's page only");
        }
    }

    /// It counts no longer, but will if the car comes back soon.
    pub(crate) fn hide(&self) {
        match std::fs::remove_file(&self.file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::warn!(error = %causes(&error), "cannot remove the old claim code")
            }
            _ => {}
        }
    }
}

impl Drop for ClaimCodeFile {
    fn drop(&mut self) {
        self.hide();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn the_code_is_shown_to_root_alone_and_goes_away() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("claim-code");
        std::fs::write(&file, "old").unwrap();
        let claim = ClaimCodeFile::new(directory.path());
        assert!(!file.exists());
        let code = ClaimCode::from_random(7);
        claim.show(&code);
        assert_eq!(std::fs::read_to_string(&file).unwrap(), format!("{code}\n"));
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        drop(claim);
        assert!(!file.exists());
    }

    #[test]
    fn without_the_directory_the_car_works_all_the_same() {
        let claim = ClaimCodeFile::new(Path::new("/nonexistent/rccar"));
        claim.show(&ClaimCode::from_random(7));
        claim.hide();
    }
}
