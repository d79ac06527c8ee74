//! Shows the claim code to people near the car who look at its console.

use rccar_causes::causes;
use rccar_daemon::files;
use rccar_protocol::claim::ClaimCode;
use std::io;
use std::path::{Path, PathBuf};

/// The file from which the console takes the valid code. Dropping this removes it.
pub(crate) struct ClaimCodeFile {
    /// `<runtime_dir>/claim-code`. Only root, who writes it to the serial console, can read it.
    file: PathBuf,
}

impl ClaimCodeFile {
    pub(crate) fn new(runtime_dir: &Path) -> Self {
        let claim = Self { file: runtime_dir.join("claim-code") };
        // A code of an earlier run is not valid.
        claim.hide();
        claim
    }

    /// Writes the code that the host now accepts.
    pub(crate) fn show(&self, code: &ClaimCode) {
        if let Err(error) = files::write(&self.file, format!("{code}\n").as_bytes()) {
            tracing::debug!(error = %causes(&error), "the claim code is on the car's page only");
        }
    }

    /// Removes the file: the host does not accept the code at present. It may accept the same code
    /// again if the car comes back soon.
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
