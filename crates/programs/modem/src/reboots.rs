//! Reboots: asks for them by a file, and remembers their times in another.

use rccar_causes::causes;
use rccar_daemon::files::{self, FileError};
use rccar_modem_core::timing::DAY;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

#[derive(Debug, Clone)]
pub(crate) struct Reboots {
    /// The times of the last day's reboots: seconds since 1970, one a line. After a time without
    /// power the car's clock goes on from its last saved time: it is late, but never early by much.
    file: PathBuf,
    request: PathBuf,
}

impl Reboots {
    pub(crate) fn new(state_dir: &Path, request: &Path) -> Self {
        Self { file: state_dir.join("reboots"), request: request.to_owned() }
    }

    /// How long ago each reboot of the last day was, oldest first. None if the file cannot be read.
    pub(crate) fn ages(&self, now: SystemTime) -> Vec<Duration> {
        let text = files::read(&self.file).unwrap_or_else(|error| {
            tracing::warn!(error = %causes(&error), "earlier reboots are not known");
            None
        });
        ages(&String::from_utf8_lossy(&text.unwrap_or_default()), now)
    }

    /// Remembers a reboot, then asks for it. In this order: a reboot that cannot be remembered does
    /// not happen, because then there would be no limit to their number.
    pub(crate) fn ask(&self, now: SystemTime, reason: &str) -> Result<(), FileError> {
        let failed = |path: &Path, source: io::Error| FileError::Io {
            action: "write",
            path: path.to_owned(),
            source,
        };
        let times = self
            .ages(now)
            .into_iter()
            .chain([Duration::ZERO])
            .map(|age| seconds(now).saturating_sub(age.as_secs()));
        let text: String = times.map(|time| format!("{time}\n")).collect();
        files::write(&self.file, text.as_bytes())?;
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o644)
            .open(&self.request);
        file.and_then(|mut file| writeln!(file, "{reason}"))
            .map_err(|error| failed(&self.request, error))
    }
}

/// The ages of the last day. A time in the future counts as now: the clock has been set back since.
fn ages(text: &str, now: SystemTime) -> Vec<Duration> {
    let times = text.lines().filter_map(|line| line.parse::<u64>().ok());
    let mut ages: Vec<Duration> =
        times.map(|time| Duration::from_secs(seconds(now).saturating_sub(time))).collect();
    ages.retain(|age| *age < DAY);
    ages.sort_by(|one, other| other.cmp(one));
    ages
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reboot_is_asked_for_and_remembered_for_a_day() {
        let folder = tempfile::tempdir().unwrap();
        let reboots = Reboots::new(folder.path(), &folder.path().join("reboot"));
        let hour = Duration::from_secs(3600);
        let now = UNIX_EPOCH + 1000 * hour;
        assert_eq!(reboots.ages(now), Vec::<Duration>::new());
        reboots.ask(now, "why not").unwrap();
        assert_eq!(std::fs::read_to_string(folder.path().join("reboot")).unwrap(), "why not\n");
        reboots.ask(now + 5 * hour, "again").unwrap();
        assert_eq!(reboots.ages(now + 6 * hour), [6 * hour, hour]);
        assert_eq!(reboots.ages(now + 25 * hour), [20 * hour]);
        // The clock was set back.
        assert_eq!(reboots.ages(now), [Duration::ZERO, Duration::ZERO]);
    }

    #[test]
    fn a_reboot_that_cannot_be_remembered_is_not_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let reboots = Reboots::new(&folder.path().join("missing"), &folder.path().join("reboot"));
        let error = reboots.ask(UNIX_EPOCH, "why not").unwrap_err();
        assert!(error.to_string().contains("missing"), "{error}");
        assert!(!folder.path().join("reboot").exists());
    }
}
