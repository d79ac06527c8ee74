//! What RAUC reads from a bundle.

use crate::error::RaucError;
use crate::installer::{Dict, dict, text};

/// A bundle's manifest, whose signature RAUC has checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    /// The board that the bundle is made for.
    pub compatible: String,
    pub version: String,
    /// SHA-256 of the manifest, which determines everything else in the bundle. `None` if RAUC does
    /// not report it.
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
