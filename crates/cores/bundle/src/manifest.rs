//! The manifest: a key file (GLib, "Key-value file parser") of which four groups matter here.

use crate::verify::BundleError;
use rccar_protocol::release::{Compatible, Version};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Manifest {
    pub(crate) version: Version,
    pub(crate) compatible: Compatible,
    pub(crate) description: Option<String>,
    pub(crate) root_hash: [u8; 32],
    pub(crate) salt: Vec<u8>,
    pub(crate) tree_bytes: u64,
}

impl Manifest {
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, BundleError> {
        let text =
            std::str::from_utf8(bytes).map_err(|_| BundleError::Manifest("is not UTF-8".into()))?;
        match get(text, "bundle", "format") {
            Some("verity") => {}
            // RAUC's default, and the only format of bundles made before 1.6.
            None | Some("plain") => return Err(BundleError::Plain),
            Some("crypt") => return Err(BundleError::Encrypted),
            Some(other) => {
                return Err(BundleError::Manifest(format!(
                    "has the format `{other}`, which is not known here"
                )));
            }
        }
        let bad = |what: &str, why: &dyn std::fmt::Display| {
            BundleError::Manifest(format!("has an illegal `{what}`: {why}"))
        };
        let version = need(text, "update", "version")?;
        let compatible = need(text, "update", "compatible")?;
        let root_hash = need(text, "bundle", "verity-hash")?;
        let salt = need(text, "bundle", "verity-salt")?;
        let tree_bytes = need(text, "bundle", "verity-size")?;
        Ok(Self {
            version: Version::try_from(version.to_owned())
                .map_err(|error| bad("version", &format!("{version:?}: {error}")))?,
            compatible: Compatible::new(compatible).map_err(|error| bad("compatible", &error))?,
            description: get(text, "update", "description").map(str::to_owned),
            root_hash: hex_bytes(root_hash)
                .ok_or_else(|| bad("verity-hash", &"32 bytes in hexadecimal are expected"))?,
            salt: hex_bytes::<32>(salt)
                .ok_or_else(|| bad("verity-salt", &"32 bytes in hexadecimal are expected"))?
                .to_vec(),
            tree_bytes: tree_bytes.parse().map_err(|error| bad("verity-size", &error))?,
        })
    }
}

fn need<'a>(text: &'a str, group: &str, key: &str) -> Result<&'a str, BundleError> {
    get(text, group, key)
        .ok_or_else(|| BundleError::Manifest(format!("has no `{key}` in [{group}]")))
}

/// The value of a key; `None` also if it is empty. If a key is there several times, the last one
/// counts, as in GLib.
fn get<'a>(text: &'a str, group: &str, key: &str) -> Option<&'a str> {
    let (mut inside, mut found) = (false, None);
    for line in text.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            inside = name == group;
        } else if inside
            && let Some((_, value)) = line.split_once('=').filter(|(name, _)| name.trim() == key)
        {
            found = Some(value.trim());
        }
    }
    found.filter(|value| !value.is_empty())
}

fn hex_bytes<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    hex::decode_to_slice(text, &mut bytes).ok().map(|()| bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "[update]\ncompatible=board x\nversion=1.2.3-dev.4\n\n\
        [bundle]\nformat=verity\n\
        verity-hash=0000000000000000000000000000000000000000000000000000000000000001\n\
        verity-salt=0000000000000000000000000000000000000000000000000000000000000002\n\
        verity-size=4096\n\
        [image.rootfs]\nversion=9.9.9\n";

    #[test]
    fn only_the_own_group_counts() {
        let manifest = Manifest::parse(GOOD.as_bytes()).unwrap();
        assert_eq!(
            (manifest.version.to_string(), manifest.compatible.as_str()),
            ("1.2.3-dev.4".into(), "board x")
        );
        assert_eq!((manifest.tree_bytes, manifest.root_hash[31], manifest.salt[31]), (4096, 1, 2));
    }

    #[test]
    fn what_is_missing_or_wrong_is_named() {
        for (from, to, words) in [
            ("version=1.2.3-dev.4\n", "", "no `version` in [update]"),
            ("version=1.2.3-dev.4", "version=today", "\"today\""),
            ("compatible=board x", "compatible=\u{e4}", "illegal `compatible`"),
            ("verity-size=4096", "verity-size=-1", "illegal `verity-size`"),
            ("verity-salt=00", "verity-salt=0g", "illegal `verity-salt`"),
            ("format=verity", "format=other", "`other`"),
            ("format=verity", "format=plain", "format `plain`"),
            ("format=verity", "", "format `plain`"),
            ("format=verity", "format=crypt", "encrypted"),
        ] {
            let error =
                Manifest::parse(GOOD.replacen(from, to, 1).as_bytes()).unwrap_err().to_string();
            assert!(error.contains(words), "{to}: {error}");
        }
        assert!(Manifest::parse(&[0xff]).is_err());
    }
}
