//! `[drives]`.

use serde::Deserialize;
use std::time::Duration;

/// Rules for drives.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Drives {
    pub(crate) idle_s: u32,
}

impl Default for Drives {
    fn default() -> Self {
        Self { idle_s: 300 }
    }
}

impl Drives {
    /// `None`: nobody is asked.
    pub(crate) fn idle(self) -> Option<Duration> {
        (self.idle_s > 0).then(|| Duration::from_secs(self.idle_s.into()))
    }
}
