//! The blocks of an array that is mapped from a snapshot: each is compared with its hash before it is first used.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::memory::damage::Damage;
use crate::parallel::share;

/// The most bytes of a block: they take some microseconds to hash, about as long as it takes the system to map them.
const MOST: usize = 1 << 16;

/// Fewer blocks than this are not worth another thread.
const GRAIN: usize = 64;

/// Values of a block, by the power of two, so that none lies in two: at most 2^16 bytes.
pub(crate) const fn shift<T>() -> u32 {
    let size = if size_of::<T>() == 0 { 1 } else { size_of::<T>() };
    MOST.trailing_zeros() - size.next_power_of_two().trailing_zeros()
}

/// Bytes of a block of values.
pub(crate) const fn bytes_of<T>() -> usize {
    size_of::<T>() << shift::<T>()
}

/// The hash of a block that begins at a place of the file. The place is in it, so that a block is known in its own place alone.
pub(crate) fn hash(bytes: &[u8], place: u64) -> u64 {
    xxh3_64_with_seed(bytes, place)
}

/// Where a part comes from.
#[derive(Clone)]
pub(crate) struct Origin {
    pub(crate) file: Arc<Path>,
    pub(crate) part: Arc<str>,
    /// Where it begins in the file.
    pub(crate) start: u64,
}

impl Origin {
    pub(crate) fn damage(&self, block: usize) -> Damage {
        Damage { file: self.file.to_path_buf(), problem: format!("block {block} of part `{}` is damaged", self.part) }
    }
}

/// Which blocks of a part were compared already.
pub(crate) struct Blocks {
    origin: Origin,
    hashes: Box<[u64]>,
    /// Bytes of a block; the last may be shorter.
    size: usize,
    /// Bytes of the part as it is in the file. What was appended since is not in it.
    bytes: usize,
    /// How many blocks have not been compared yet.
    left: AtomicUsize,
    /// A bit a block, set once it was compared.
    compared: Box<[AtomicU64]>,
}

impl Blocks {
    /// The blocks of a part of some bytes.
    pub(crate) fn new(origin: Origin, hashes: Box<[u64]>, size: usize, bytes: usize) -> Blocks {
        let words = hashes.len().div_ceil(64);
        // Bits that stand for no block count as compared.
        let word = |at: usize| match hashes.len() - at * 64 {
            blocks @ 0..64 => u64::MAX << blocks,
            _ => 0,
        };
        let compared = (0..words).map(|at| AtomicU64::new(word(at))).collect();
        Blocks { origin, left: AtomicUsize::new(hashes.len()), compared, hashes, size, bytes }
    }

    /// Whether all blocks were compared.
    #[cfg(test)]
    fn are_all_compared(&self) -> bool {
        self.left.load(Ordering::Relaxed) == 0
    }

    /// Whether half of the blocks were compared.
    pub(crate) fn are_half_compared(&self) -> bool {
        2 * self.left.load(Ordering::Relaxed) <= self.hashes.len()
    }

    /// Compares a block of the part's bytes with its hash, unless that was done before; ends the question if they differ.
    /// Nothing else depends on the order in which other threads see this: the bytes never change.
    #[inline]
    pub(crate) fn check(&self, block: usize, part: &[u8]) {
        if let Some(word) = self.compared.get(block / 64)
            && word.load(Ordering::Relaxed) & (1 << (block % 64)) == 0
        {
            self.compare(block, part);
        }
    }

    /// Compares all blocks that were not compared before.
    pub(crate) fn check_all(&self, part: &[u8]) {
        share(0..self.hashes.len(), GRAIN, &mut (), &|blocks, ()| blocks.for_each(|block| self.check(block, part)));
    }

    #[cold]
    #[inline(never)]
    fn compare(&self, block: usize, part: &[u8]) {
        let start = block * self.size;
        let bytes = part.get(start..self.bytes.min(start + self.size)).unwrap_or_default();
        if self.hashes.get(block) != Some(&hash(bytes, self.origin.start + start as u64)) {
            self.origin.damage(block).give_up();
        }
        let bit = 1 << (block % 64);
        if self.compared[block / 64].fetch_or(bit, Ordering::Relaxed) & bit == 0 {
            self.left.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocks(bytes: &[u8], size: usize) -> Blocks {
        let hashes = bytes.chunks(size).enumerate().map(|(at, block)| hash(block, 7 + (at * size) as u64)).collect();
        let origin = Origin { file: Path::new("s").into(), part: "p".into(), start: 7 };
        Blocks::new(origin, hashes, size, bytes.len())
    }

    #[test]
    fn no_value_lies_in_two_blocks() {
        assert_eq!((shift::<u8>(), shift::<u32>(), shift::<[u8; 48]>(), shift::<[u8; 64]>()), (16, 14, 10, 10));
        assert_eq!((bytes_of::<u8>(), bytes_of::<u32>(), bytes_of::<[u8; 48]>()), (1 << 16, 1 << 16, 48 << 10));
    }

    #[test]
    fn each_block_is_compared_once_and_a_damaged_or_swapped_one_is_never_passed() {
        let bytes: Vec<u8> = (0..670u32).map(|at| (at * at) as u8).collect();
        let sound = blocks(&bytes, 10);
        (0..67).for_each(|block| sound.check(block, &bytes));
        assert!(sound.are_all_compared());
        // What was appended, or changed once it was compared, is not what the file has.
        let mut longer = bytes.clone();
        longer[3] ^= 1;
        longer.push(1);
        (0..100).for_each(|block| sound.check(block, &longer));
        let fresh = blocks(&bytes, 10);
        let damage = crate::memory::damage::catch(|| fresh.check(0, &longer)).expect_err("it is damaged");
        assert_eq!(damage.to_string(), "s: block 0 of part `p` is damaged");
        assert!(crate::memory::damage::catch(|| fresh.check(0, &longer)).is_err());
        fresh.check(66, &longer);
        let zeros = [0; 40];
        let fresh = blocks(&zeros, 10);
        let mut swapped = fresh.hashes.clone();
        swapped.swap(1, 2);
        let fresh = Blocks { hashes: swapped, ..fresh };
        assert!(crate::memory::damage::catch(|| fresh.check(1, &zeros)).is_err());
    }
}
