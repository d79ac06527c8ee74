//! The code by which somebody near the car may claim it, and where it is shown.

use rccar_daemon::files;
use rccar_protocol::claim::ClaimCode;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// As long as a host takes a code.
const LIFETIME: Duration = Duration::from_secs(24 * 3_600);

/// Makes codes, and writes the one that counts where the console finds it.
pub(crate) struct Claim {
    /// `<runtime_dir>/claim-code`: for root, who tells the serial console, and nobody else.
    file: PathBuf,
    code: Option<(ClaimCode, Instant)>,
}

impl Claim {
    pub(crate) fn new(runtime_dir: &Path) -> Self {
        let claim = Self { file: runtime_dir.join("claim-code"), code: None };
        // The code of an earlier run is worth nothing.
        claim.hide();
        claim
    }

    /// The code to register with; a new one after a day.
    pub(crate) fn code(&mut self, now: Instant) -> Result<ClaimCode, getrandom::Error> {
        match &self.code {
            Some((code, made)) if now.saturating_duration_since(*made) < LIFETIME => Ok(code.clone()),
            _ => {
                let code = ClaimCode::from_random(getrandom::u64()?);
                self.code = Some((code.clone(), now));
                Ok(code)
            }
        }
    }

    /// The host waits for it.
    pub(crate) fn show(&self, code: &ClaimCode) {
        if let Err(error) = files::write(&self.file, format!("{code}\n").as_bytes()) {
            tracing::debug!(%error, "the claim code is on the car's page only");
        }
    }

    /// It counts no longer, but will if the car comes back soon.
    pub(crate) fn hide(&self) {
        match std::fs::remove_file(&self.file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => tracing::warn!(%error, "cannot remove the old claim code"),
            _ => {}
        }
    }

    /// It was used or refused: the next one is new.
    pub(crate) fn spend(&mut self) {
        self.code = None;
        self.hide();
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.hide();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_code_lasts_a_day_unless_it_is_spent() {
        let directory = tempfile::tempdir().unwrap();
        let (mut claim, now) = (Claim::new(directory.path()), Instant::now());
        let first = claim.code(now).unwrap();
        assert_eq!(claim.code(now + LIFETIME - Duration::from_secs(1)).unwrap(), first);
        let second = claim.code(now + LIFETIME).unwrap();
        assert_ne!(second, first);
        claim.spend();
        assert_ne!(claim.code(now + LIFETIME).unwrap(), second);
    }

    #[test]
    fn the_code_is_shown_to_root_alone_and_goes_away() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("claim-code");
        std::fs::write(&file, "old").unwrap();
        let mut claim = Claim::new(directory.path());
        assert!(!file.exists());
        let code = claim.code(Instant::now()).unwrap();
        claim.show(&code);
        assert_eq!(std::fs::read_to_string(&file).unwrap(), format!("{code}\n"));
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        drop(claim);
        assert!(!file.exists());
    }

    #[test]
    fn without_the_directory_the_car_works_all_the_same() {
        let mut claim = Claim::new(Path::new("/nonexistent/rccar"));
        let code = claim.code(Instant::now()).unwrap();
        claim.show(&code);
        claim.spend();
    }
}
