//! Remembers that the SIM has refused the PIN. Otherwise each start of the program would cost one
//! of its few tries.

use crate::config::Secret;
use rccar_causes::causes;
use rccar_daemon::files;
use rccar_modem_core::Pin;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};

/// Remembers the configured PIN if it was refused. The file has its SHA-256, so that the program
/// sees when the PIN has changed. The hash does not hide the PIN, and need not: the card has it.
#[derive(Debug)]
pub(crate) struct RefusedPin {
    file: PathBuf,
    configured: Option<[u8; 32]>,
    refused: bool,
}

impl RefusedPin {
    /// If the file cannot be read, no PIN counts as refused.
    pub(crate) fn new(state_dir: &Path, configured: Option<&Secret>) -> Self {
        let file = state_dir.join("refused-pin");
        let configured = configured.map(|pin| Sha256::digest(pin.reveal()).into());
        let remembered = files::read(&file).unwrap_or_else(|error| {
            tracing::warn!(error = %causes(&error), "whether the PIN was refused is not known");
            None
        });
        let refused =
            configured.is_some_and(|pin: [u8; 32]| remembered.as_deref() == Some(pin.as_slice()));
        Self { file, configured, refused }
    }

    /// In the core's words.
    pub(crate) fn pin(&self) -> Pin {
        match (self.configured, self.refused) {
            (None, _) => Pin::Missing,
            (Some(_), false) => Pin::Configured,
            (Some(_), true) => Pin::Refused,
        }
    }

    /// Remembers or forgets that the PIN was refused. Writes the file only if that changes.
    pub(crate) fn keep(&mut self, refused: bool) {
        let Some(pin) = self.configured.filter(|_| refused != self.refused) else { return };
        self.refused = refused;
        if let Err(error) = files::write(&self.file, if refused { &pin } else { &[] }) {
            tracing::warn!(
                error = %causes(&error),
                refused,
                "whether the PIN was refused is not known after the next start"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(pin: &str) -> Secret {
        serde_json::from_value(pin.into()).unwrap()
    }

    #[test]
    fn a_refused_pin_is_remembered_until_it_is_another_one_or_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let start = |pin: Option<&str>| RefusedPin::new(folder.path(), pin.map(secret).as_ref());
        let mut first = start(Some("1111"));
        assert_eq!((first.pin(), start(None).pin()), (Pin::Configured, Pin::Missing));
        first.keep(false);
        assert!(
            std::fs::read_dir(folder.path()).unwrap().next().is_none(),
            "nothing is written for nothing"
        );
        first.keep(true);
        assert_eq!(
            (start(Some("1111")).pin(), start(Some("4321")).pin(), start(None).pin()),
            (Pin::Refused, Pin::Configured, Pin::Missing)
        );
        let mut second = start(Some("1111"));
        second.keep(false);
        assert_eq!(start(Some("1111")).pin(), Pin::Configured);
    }

    #[test]
    fn without_a_place_to_remember_it_the_pin_is_used() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("missing");
        let mut pin = RefusedPin::new(&missing, Some(&secret("1111")));
        pin.keep(true);
        assert_eq!(
            (pin.pin(), RefusedPin::new(&missing, Some(&secret("1111"))).pin()),
            (Pin::Refused, Pin::Configured)
        );
    }
}
