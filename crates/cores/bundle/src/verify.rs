//! A bundle from end to end.

use crate::keyring::Keyring;
use crate::manifest::Manifest;
use crate::signature;
use crate::verity::{BLOCK, Tree, first_difference, tree_bytes};
use rccar_protocol::release::{Compatible, Sha256 as Sha256Hex, Version};
use sha2::{Digest, Sha256};
use std::io::{self, Read, Seek, SeekFrom};
use std::time::Duration;

/// Largest signature in bytes; RAUC's own limit (`MAX_BUNDLE_SIGNATURE_SIZE`).
const MAX_SIGNATURE: u64 = 64 * 1024;
/// Bytes of the last field of the file: the size of the signature.
const SIZE_FIELD: u64 = 8;
const BLOCK_BYTES: u64 = BLOCK as u64;

/// A bundle that passed. Version, compatible and description are from the manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    pub version: Version,
    /// The board that the image runs on.
    pub compatible: Compatible,
    pub description: Option<String>,
    /// Subject of the first signer's certificate.
    pub signer: String,
    /// Bytes of the file.
    pub size: u64,
    /// Of the whole file.
    pub sha256: Sha256Hex,
}

#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    #[error("the bundle cannot be read")]
    Io(#[from] io::Error),
    /// Another kind of file, or a part of a bundle.
    #[error("this is no whole RAUC bundle: {0}")]
    NoBundle(String),
    #[error(
        "the bundle is of RAUC's format `plain`, which cannot be streamed to cars; \
         set `format=verity` in the manifest's [bundle] and make it again"
    )]
    Plain,
    #[error(
        "the bundle is encrypted (RAUC's format `crypt`), so its content cannot be checked here; \
         use `format=verity`"
    )]
    Encrypted,
    /// The signature cannot be read, or lacks something.
    #[error("the bundle's signature {0}")]
    Signature(String),
    #[error(
        "the bundle's signature does not fit its manifest: the manifest was altered after signing"
    )]
    Forged,
    /// The signature fits, but the keyring does not vouch for the signer.
    #[error("the bundle is signed by {signer}, whom this host does not trust: {why}")]
    Untrusted {
        /// Subject of the certificate.
        signer: String,
        why: String,
    },
    #[error("the bundle's manifest {0}")]
    Manifest(String),
    #[error("the bundle's payload is not what was signed: {0}")]
    Altered(String),
}

/// Reads and checks the whole bundle. `now` is the time since 1970 (UTC), for the validity of
/// certificates.
pub fn verify<R: Read + Seek>(
    bundle: &mut R,
    keyring: &Keyring,
    now: Duration,
) -> Result<Bundle, BundleError> {
    let size = bundle.seek(SeekFrom::End(0))?;
    let (cms, content_bytes) = signature_at_the_end(bundle, size)?;
    let signed = signature::open(&cms, keyring, now)?;
    let manifest = Manifest::parse(&signed.content)?;
    let blocks = payload_blocks(content_bytes, manifest.tree_bytes)?;
    let sha256 = check_payload(bundle, blocks, &manifest)?;
    let Manifest { version, compatible, description, .. } = manifest;
    Ok(Bundle { version, compatible, description, signer: signed.signer, size, sha256 })
}

/// Returns the signature and the number of bytes before it.
fn signature_at_the_end<R: Read + Seek>(
    bundle: &mut R,
    size: u64,
) -> Result<(Vec<u8>, u64), BundleError> {
    let head = head(bundle)?;
    let Some(field) = size.checked_sub(SIZE_FIELD).filter(|_| head.is_squashfs) else {
        return Err(BundleError::NoBundle("it does not begin with a squashfs file system".into()));
    };
    let cut = || match head.bytes_used.filter(|&used| size < used) {
        Some(used) => BundleError::NoBundle(format!(
            "it has {size} bytes of {used} at least, the rest is missing"
        )),
        None => BundleError::NoBundle(format!(
            "no signature is at its end; was it cut off after {size} bytes?"
        )),
    };
    bundle.seek(SeekFrom::Start(field))?;
    let mut bytes = [0; 8];
    bundle.read_exact(&mut bytes)?;
    let length = u64::from_be_bytes(bytes);
    let start = field
        .checked_sub(length)
        .filter(|_| (1..=MAX_SIGNATURE).contains(&length))
        .ok_or_else(cut)?;
    bundle.seek(SeekFrom::Start(start))?;
    let mut cms = Vec::new();
    bundle.take(length).read_to_end(&mut cms)?;
    Ok((cms, start))
}

struct Head {
    is_squashfs: bool,
    /// Size of the file system by its superblock. It is not signed: it only helps to word an error.
    bytes_used: Option<u64>,
}

fn head<R: Read + Seek>(bundle: &mut R) -> Result<Head, BundleError> {
    // `s_magic` at 0 and `bytes_used` at 40 (Linux, `fs/squashfs/squashfs_fs.h`).
    let mut head = Vec::new();
    bundle.seek(SeekFrom::Start(0))?;
    bundle.take(48).read_to_end(&mut head)?;
    let bytes_used =
        head.get(40..48).and_then(|bytes| bytes.try_into().ok()).map(u64::from_le_bytes);
    Ok(Head { is_squashfs: head.starts_with(b"hsqs"), bytes_used })
}

/// Number of data blocks before the hash tree. `content` are the bytes before the signature, `tree`
/// those of the hash tree by the manifest.
fn payload_blocks(content: u64, tree: u64) -> Result<u64, BundleError> {
    let data = content.checked_sub(tree).filter(|data| *data > 0 && data % BLOCK_BYTES == 0);
    let blocks = data.map(|data| data / BLOCK_BYTES).filter(|&blocks| tree_bytes(blocks) == tree);
    blocks.ok_or_else(|| {
        BundleError::Altered(format!(
            "its {content} bytes are no whole blocks with a hash tree of {tree} bytes, \
             as the manifest says"
        ))
    })
}

/// Reads the whole file once, checks payload and tree, and returns the SHA-256 of the file.
fn check_payload<R: Read + Seek>(
    bundle: &mut R,
    blocks: u64,
    manifest: &Manifest,
) -> Result<Sha256Hex, BundleError> {
    bundle.seek(SeekFrom::Start(0))?;
    let (mut whole, mut tree) = (Sha256::new(), Tree::new(manifest.salt.clone()));
    let mut buffer = vec![0; 64 * BLOCK];
    let mut left = blocks;
    while left > 0 {
        let now = left.min(64);
        let chunk = usize::try_from(now)
            .ok()
            .and_then(|now| buffer.get_mut(..now * BLOCK))
            .unwrap_or_default();
        bundle.read_exact(chunk)?;
        whole.update(&chunk);
        chunk.chunks(BLOCK).for_each(|block| tree.add(block));
        left -= now;
    }
    let mut stored = Vec::new();
    bundle.take(manifest.tree_bytes).read_to_end(&mut stored)?;
    whole.update(&stored);
    let (root, computed) = tree.finish();
    if root != manifest.root_hash {
        // The stored tree still has the signed digests, unless it was altered, too.
        let at = first_difference(blocks, &stored, &computed);
        let place = at.map_or_else(
            || "its root hash differs".into(),
            |block| format!("from byte {} on", block * BLOCK_BYTES),
        );
        return Err(BundleError::Altered(place));
    }
    if stored != computed {
        return Err(BundleError::Altered("its hash tree does not fit its data".into()));
    }
    // The rest is the signature: only the file's hash is left to compute.
    loop {
        let read = bundle.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        whole.update(&buffer[..read]);
    }
    let digits = hex::encode(whole.finalize());
    Sha256Hex::try_from(digits).map_err(|error| BundleError::Signature(error.to_string()))
}
