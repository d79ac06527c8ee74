//! Bundles.

use crate::error::RaucError;
use crate::installer::{Dict, dict, text};

/// What the manifest of a bundle says. RAUC has checked its signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    /// The system that it is made for.
    pub compatible: String,
    pub version: String,
    /// Hash of the manifest, from which everything else in the bundle follows.
    pub manifest_hash: Option<String>,
}

impl Bundle {
    pub(crate) fn read(values: &Dict) -> Result<Self, RaucError> {
        let update =
            dict(values, "update").ok_or(RaucError::Answer("a bundle without `update`"))?;
        let compatible = text(&update, "compatible")
            .ok_or(RaucError::Answer("a bundle without `compatible`"))?;
        let version =
            text(&update, "version").ok_or(RaucError::Answer("a bundle without `version`"))?;
        Ok(Self { compatible, version, manifest_hash: text(values, "manifest-hash") })
    }
}
