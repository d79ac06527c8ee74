//! What survives a reboot.
//!
//! It is saved before the step that it describes, so that after a power cut it is true or one step
//! ahead: [`Stage::Installing`] before the installer is called, [`Stage::Condemned`] before the
//! slot is marked bad.

use crate::meter::Meter;
use semver::Version;
use serde::{Deserialize, Serialize};

/// How many failed versions are remembered. A host offers one or two at a time.
const FAILURES: usize = 8;

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Saved {
    pub pending: Option<Pending>,
    /// The slot that proved itself last, and its version.
    pub proven: Option<Proven>,
    /// Versions that failed, oldest first.
    pub failures: Vec<Failure>,
    /// How the last update ended.
    pub last: Option<Ended>,
    pub meter: Meter,
}

/// An update that is under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    pub version: Version,
    /// The slot that was booted when the update began. If another one is booted, it is the new one.
    pub from: String,
    pub stage: Stage,
    /// The owner asked for it.
    pub asked: bool,
    /// The car was registered with its host when the update began. Only then must the new version
    /// register, too.
    #[serde(default = "yes")]
    pub registered: bool,
    /// Reboots that `rccar-update` asked for in this stage.
    pub reboots: u32,
}

fn yes() -> bool {
    true
}

/// How far an update is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// The installer may be writing.
    Installing,
    /// Installed; the next boot is the trial.
    Installed,
    /// The trial failed for this reason; the car has to leave the slot.
    Condemned(String),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proven {
    pub slot: String,
    pub version: Version,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    pub version: Version,
    /// Failures that count against it.
    pub tries: u32,
    /// Passing failures since the last failure that counted.
    pub passing: u32,
    /// It is not to be tried again.
    pub is_final: bool,
    /// Why it failed last.
    pub reason: String,
}

/// How an update ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    pub version: Version,
    /// Why it failed; `None` if it proved itself.
    pub failed: Option<String>,
}

impl Saved {
    #[must_use]
    pub fn failure(&self, version: &Version) -> Option<&Failure> {
        self.failures.iter().find(|failure| failure.version == *version)
    }

    pub(crate) fn failure_mut(&mut self, version: &Version) -> &mut Failure {
        let at =
            self.failures.iter().position(|failure| failure.version == *version).unwrap_or_else(
                || {
                    if self.failures.len() >= FAILURES {
                        self.failures.remove(0);
                    }
                    self.failures.push(Failure {
                        version: version.clone(),
                        tries: 0,
                        passing: 0,
                        is_final: false,
                        reason: String::new(),
                    });
                    self.failures.len() - 1
                },
            );
        &mut self.failures[at]
    }

    pub(crate) fn forget_failure(&mut self, version: &Version) {
        self.failures.retain(|failure| failure.version != *version);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_newest_failures_are_remembered() {
        let mut saved = Saved::default();
        for patch in 0..20 {
            saved.failure_mut(&Version::new(1, 0, patch)).tries += 1;
        }
        assert_eq!(saved.failures.len(), FAILURES);
        assert!(saved.failure(&Version::new(1, 0, 19)).is_some());
        assert!(saved.failure(&Version::new(1, 0, 11)).is_none());
    }

    #[test]
    fn what_an_older_program_wrote_is_read() {
        assert_eq!(serde_json::from_str::<Saved>("{}").unwrap(), Saved::default());
        let all = Saved {
            pending: Some(Pending {
                version: Version::new(1, 2, 3),
                from: "A".into(),
                stage: Stage::Condemned("no picture".into()),
                asked: true,
                registered: false,
                reboots: 1,
            }),
            ..Saved::default()
        };
        assert_eq!(
            serde_json::from_str::<Saved>(&serde_json::to_string(&all).unwrap()).unwrap(),
            all
        );
    }
}
