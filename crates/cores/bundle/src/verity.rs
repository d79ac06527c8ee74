//! dm-verity's hash tree (Linux, `Documentation/admin-guide/device-mapper/verity.rst`): version 1,
//! SHA-256, blocks of 4096 bytes, the salt before the block.

use sha2::{Digest, Sha256};

/// Bytes of a block, both of data and of hashes.
pub(crate) const BLOCK: usize = 4096;
const DIGEST: usize = 32;

/// The tree of the data that was added so far.
pub(crate) struct Tree {
    salt: Vec<u8>,
    /// Digests of the data, one after the other.
    leaves: Vec<u8>,
}

impl Tree {
    pub(crate) fn new(salt: Vec<u8>) -> Self {
        Self { salt, leaves: Vec::new() }
    }

    /// Adds the next block of data.
    pub(crate) fn add(&mut self, block: &[u8]) {
        let digest = hash(&self.salt, block);
        self.leaves.extend(digest);
    }

    /// Returns the root hash, and the tree as it is stored: the topmost level first, each level
    /// padded to whole blocks.
    pub(crate) fn finish(self) -> ([u8; DIGEST], Vec<u8>) {
        if self.leaves.len() <= DIGEST {
            // A single block has no tree: its digest is the root. Without any block there is no
            // digest, and zeros equal no root hash.
            return (self.leaves.try_into().unwrap_or([0; DIGEST]), Vec::new());
        }
        let mut levels = vec![padded(self.leaves)];
        while let Some(level) = levels.last().filter(|level| level.len() > BLOCK) {
            let above = level.chunks(BLOCK).flat_map(|block| hash(&self.salt, block)).collect();
            levels.push(padded(above));
        }
        let root = levels.last().map_or([0; DIGEST], |top| hash(&self.salt, top));
        (root, levels.into_iter().rev().flatten().collect())
    }
}

/// Bytes of the tree of this many data blocks.
pub(crate) fn tree_bytes(blocks: u64) -> u64 {
    let per_block = (BLOCK / DIGEST) as u64;
    let (mut level, mut total) = (blocks, 0);
    while level > 1 {
        level = level.div_ceil(per_block);
        total += level;
    }
    total * BLOCK as u64
}

/// Number of the first data block whose digest differs in two stored trees of the same size.
pub(crate) fn first_difference(blocks: u64, one: &[u8], other: &[u8]) -> Option<u64> {
    let leaves = |tree: &[u8]| {
        let bytes = usize::try_from(blocks.div_ceil((BLOCK / DIGEST) as u64))
            .unwrap_or(usize::MAX)
            .saturating_mul(BLOCK);
        tree.get(tree.len().checked_sub(bytes)?..).map(<[u8]>::to_vec)
    };
    let (one, other) = (leaves(one)?, leaves(other)?);
    one.chunks(DIGEST)
        .zip(other.chunks(DIGEST))
        .position(|(one, other)| one != other)
        .map(|at| at as u64)
}

fn padded(mut level: Vec<u8>) -> Vec<u8> {
    level.resize(level.len().next_multiple_of(BLOCK), 0);
    level
}

fn hash(salt: &[u8], block: &[u8]) -> [u8; DIGEST] {
    Sha256::new().chain_update(salt).chain_update(block).finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tree_has_the_foretold_size() {
        for blocks in [1, 2, 127, 128, 129, 128 * 128, 128 * 128 + 1] {
            let mut tree = Tree { salt: vec![7; 32], leaves: Vec::new() };
            // The size does not depend on the digests.
            tree.leaves.resize(usize::try_from(blocks).unwrap() * DIGEST, 1);
            assert_eq!(tree.finish().1.len() as u64, tree_bytes(blocks), "{blocks}");
        }
    }

    #[test]
    fn the_first_block_that_differs_is_found() {
        let tree = |odd: u64| {
            let mut tree = Tree::new(vec![7; 32]);
            (0..300).for_each(|number| tree.add(&[u8::from(number == odd); BLOCK]));
            tree.finish().1
        };
        assert_eq!(first_difference(300, &tree(299), &tree(300)), Some(299));
        assert_eq!(first_difference(300, &tree(0), &tree(300)), Some(0));
        assert_eq!(first_difference(300, &tree(5), &tree(5)), None);
    }
}
