//! `[picture]`: what the age of the driver's picture leaves of the throttle.

use super::Share;
use rccar_drive_core::PictureSettings;
use serde::Deserialize;

/// `[picture]`; see [`PictureSettings`].
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PictureConfig {
    full_ms: u16,
    crawl_ms: u16,
    stop_ms: u16,
    crawl: Share,
}

impl PictureConfig {
    pub(super) fn settings(&self) -> PictureSettings {
        let Self { full_ms, crawl_ms, stop_ms, crawl } = *self;
        PictureSettings { full_ms, crawl_ms, stop_ms, crawl: crawl.0 }
    }
}

impl Default for PictureConfig {
    fn default() -> Self {
        let PictureSettings { full_ms, crawl_ms, stop_ms, crawl } = PictureSettings::default();
        Self { full_ms, crawl_ms, stop_ms, crawl: Share(crawl) }
    }
}
