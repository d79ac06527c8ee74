//! Why the host was not reached, kept for the report on the card: `rccar-provision` writes that at
//! the next start, and it is all that a person sees whose car is on no network.

use crate::host_url::HostUrl;
use rccar_car_core::registration::Event;
use rccar_causes::causes;
use rccar_daemon::files;
use std::io;
use std::path::{Path, PathBuf};

/// Most writes of one run: a reason that changes all the time must not wear the card out.
const MAX_WRITES: u8 = 5;

/// Longest reason, in characters: what the host sends is part of it.
const MAX_LENGTH: usize = 1000;

/// The file `host.txt` in the car's state directory. It is there as long as the host has not let
/// this car in since the program started.
pub(crate) struct Trouble {
    file: PathBuf,
    last: String,
    writes_left: u8,
}

impl Trouble {
    pub(crate) fn new(state_dir: &Path) -> Self {
        Self { file: state_dir.join("host.txt"), last: String::new(), writes_left: MAX_WRITES }
    }

    pub(super) fn note(&mut self, url: &HostUrl, event: &Event) {
        match event {
            Event::Lost { why, .. } => {
                let text = format!("{}: {}", url.origin(), why.text());
                let line = text.chars().filter(|c| !c.is_control()).take(MAX_LENGTH);
                self.write(line.chain(['\n']).collect());
            }
            Event::Registered { .. } | Event::Unclaimed => self.remove(),
            Event::DialledAnew(_) => {}
        }
    }

    fn write(&mut self, text: String) {
        if self.writes_left == 0 || text == self.last {
            return;
        }
        self.writes_left -= 1;
        let known =
            files::read(&self.file).ok().flatten().is_some_and(|old| old == text.as_bytes());
        if !known && let Err(error) = files::write(&self.file, text.as_bytes()) {
            tracing::debug!(error = %causes(&error), "the card's report will not say why");
        }
        self.last = text;
    }

    /// After that, losses are those of a drive, which are no mistake of anybody's.
    pub(crate) fn remove(&mut self) {
        self.writes_left = 0;
        match std::fs::remove_file(&self.file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::warn!(error = %causes(&error), "cannot remove the old reason")
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rccar_car_core::registration::End;
    use std::time::Duration;

    fn lost(why: &str) -> Event {
        Event::Lost { retry_in: Duration::ZERO, why: End::Failed(why.to_owned()) }
    }

    #[test]
    fn the_reason_is_kept_until_the_host_lets_the_car_in_and_is_not_written_for_ever() {
        let directory = tempfile::tempdir().unwrap();
        let url = HostUrl::try_from("https://drive.example".to_owned()).unwrap();
        let text = || std::fs::read_to_string(directory.path().join("host.txt")).ok();
        let mut trouble = Trouble::new(directory.path());
        trouble.note(&url, &lost("a proxy"));
        assert_eq!(text().as_deref(), Some("https://drive.example: a proxy\n"));
        for n in 0..20 {
            trouble.note(&url, &lost(&format!("reason {n}")));
        }
        assert_eq!(text().as_deref(), Some("https://drive.example: reason 3\n"));
        let mut next = Trouble::new(directory.path());
        next.note(&url, &lost(&format!("a\nb{}", "ü".repeat(3000))));
        let long = text().unwrap();
        assert!(long.starts_with("https://drive.example: abü") && long.ends_with("ü\n"));
        assert_eq!((long.chars().count(), long.lines().count()), (MAX_LENGTH + 1, 1));
        // As a car does that has no host any more.
        Trouble::new(directory.path()).remove();
        assert_eq!(text(), None);
        trouble.note(&url, &Event::Unclaimed);
        trouble.note(&url, &lost("a tunnel"));
        assert_eq!(text(), None);
    }
}
