//! What the system knows and does: running version, booted slot, month, reboot.

use rccar_causes::causes;
use rccar_rauc::{Rauc, RaucError};
use rccar_update_core::{Boot, Month, Version};
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use thiserror::Error;
use time::OffsetDateTime;

/// systemd-timesyncd makes this file when the clock is right.
const CLOCK_IS_RIGHT: &str = "/run/systemd/timesync/synchronized";
/// The kernel's command line, where the boot script names the slot that it chose: `rauc.slot=A`.
const COMMAND_LINE: &str = "/proc/cmdline";

#[derive(Debug, Error)]
pub(crate) enum VersionError {
    #[error("cannot read {}", .0.display())]
    File(PathBuf, #[source] io::Error),
    #[error("{} has no IMAGE_VERSION", .0.display())]
    Missing(PathBuf),
    #[error("IMAGE_VERSION in {} is `{text}`, which is not a version", .path.display())]
    Illegal { path: PathBuf, text: String, source: semver::Error },
}

/// `IMAGE_VERSION` of os-release(5).
pub(crate) fn running_version(path: &Path) -> Result<Version, VersionError> {
    let content =
        fs::read_to_string(path).map_err(|error| VersionError::File(path.to_owned(), error))?;
    let value = content.lines().find_map(|line| line.trim().strip_prefix("IMAGE_VERSION="));
    let text = value
        .ok_or_else(|| VersionError::Missing(path.to_owned()))?
        .trim_matches(['"', '\''])
        .to_owned();
    text.parse().map_err(|source| VersionError::Illegal { path: path.to_owned(), text, source })
}

/// Which slot is booted, and which comes next. If RAUC does not answer, the slot is the one that
/// the boot script names: a broken RAUC must not keep a new version from being judged.
pub(crate) async fn boot(rauc: &Rauc, running: Version) -> Result<Boot, RaucError> {
    match by_rauc(rauc).await {
        Ok((slot, primary)) => Ok(Boot { slot, running, primary }),
        Err(error) => {
            let line = fs::read_to_string(COMMAND_LINE).unwrap_or_default();
            let slot = line
                .split_whitespace()
                .find_map(|word| word.strip_prefix("rauc.slot="))
                .ok_or(error)?;
            Ok(Boot { slot: slot.to_owned(), running, primary: None })
        }
    }
}

async fn by_rauc(rauc: &Rauc) -> Result<(String, Option<String>), RaucError> {
    let slots = rauc.slots().await?;
    // RAUC and the bootloader have different names for a slot; here the bootloader's count.
    let booted = slots.iter().find(|slot| slot.booted).and_then(|slot| slot.bootname.clone());
    let booted = match booted {
        Some(booted) => booted,
        None => rauc.booted().await?,
    };
    // Not every bootloader says which slot it would choose.
    let primary = rauc.primary().await.ok();
    let primary = primary.and_then(|name| {
        slots.iter().find(|slot| slot.name == name).and_then(|slot| slot.bootname.clone())
    });
    Ok((booted, primary))
}

/// The month (UTC); `None` if the clock cannot be trusted.
pub(crate) fn month() -> Option<Month> {
    let right = Path::new(CLOCK_IS_RIGHT).exists();
    let now = OffsetDateTime::now_utc();
    right.then(|| Month { year: now.year(), month: now.month().into() })
}

/// Asks for a reboot: a path unit waits for this file. Its content, the reason, is for the journal.
pub(crate) fn request_reboot(path: &Path, reason: &str) -> io::Result<()> {
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o644).open(path)?;
    writeln!(file, "{reason}")
}

/// Takes the request back, so that it cannot lead to a reboot later.
pub(crate) fn withdraw_reboot(path: &Path) {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            tracing::warn!(
                error = %causes(&error),
                path = %path.display(),
                "the request to reboot cannot be taken back"
            );
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(content: &str) -> Result<Version, VersionError> {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), content).unwrap();
        running_version(file.path())
    }

    #[test]
    fn the_running_version_is_that_of_the_image() {
        assert_eq!(
            version("ID=debian\nIMAGE_VERSION=0.2.0-dev.7\n").unwrap().to_string(),
            "0.2.0-dev.7"
        );
        assert_eq!(version("IMAGE_VERSION=\"1.2.3\"\n").unwrap(), Version::new(1, 2, 3));
        assert!(version("ID=debian\n").unwrap_err().to_string().ends_with("has no IMAGE_VERSION"));
        assert!(
            version("IMAGE_VERSION=trixie\n")
                .unwrap_err()
                .to_string()
                .ends_with("is `trixie`, which is not a version")
        );
    }
}
