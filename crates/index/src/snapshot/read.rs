//! Finding arrays in a mapped file.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::path::Path;

use bytemuck::Pod;
use memmap2::Mmap;
use rustc_hash::FxHashMap;
use timeweft_graph::Commit;
use xxhash_rust::xxh3::xxh3_64;

use super::{ENTRY, FORMAT, NAME};
use crate::array::Array;

/// Why a snapshot cannot be used. The log makes the same graph: delete the file.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// The file cannot be read.
    #[error("cannot read it: {0}")]
    Io(#[from] io::Error),
    /// It is not what was written.
    #[error("{0}")]
    Damaged(String),
}

pub(super) fn damaged(problem: impl Into<String>) -> SnapshotError {
    SnapshotError::Damaged(problem.into())
}

/// Parts up to this many bytes are always compared with their hashes.
const SMALL: usize = 1 << 16;

/// A mapped snapshot.
pub(super) struct Reader {
    file: File,
    map: Mmap,
    parts: FxHashMap<String, Range<usize>>,
    /// The commit, and the stamp.
    pub(super) of: (Commit, u64),
}

impl Reader {
    pub(super) fn open(path: &Path, check: bool) -> Result<Reader, SnapshotError> {
        let file = File::open(path)?;
        // SAFETY: the file is written under another name, renamed when it is whole and never written to again, so that
        // what is mapped does not change.
        #[allow(unsafe_code)]
        let map = unsafe { Mmap::map(&file) }?;
        let end =
            map.len().checked_sub(ENTRY).and_then(|at| map.get(at..)).ok_or_else(|| damaged("it is too short"))?;
        if end[..8] != FORMAT {
            return Err(damaged("it does not end as a snapshot of this version"));
        }
        let [commit, stamp, start, count, hash] = numbers(&end[8..]);
        let table = usize::try_from(start).ok().zip(usize::try_from(count).ok());
        let table = table.and_then(|(start, count)| map.get(start..start.checked_add(count.checked_mul(ENTRY)?)?));
        let table = table.filter(|table| xxh3_64(table) == hash).ok_or_else(|| damaged("its table is damaged"))?;
        let mut parts = FxHashMap::default();
        for entry in table.chunks_exact(ENTRY) {
            let name = String::from_utf8_lossy(&entry[..NAME]).trim_end_matches('\0').to_owned();
            let [start, length, hash] = numbers(&entry[NAME..]);
            let range = usize::try_from(start).ok().zip(usize::try_from(length).ok());
            let range = range.and_then(|(start, length)| Some(start..start.checked_add(length)?));
            let part = range.filter(|range| map.get(range.clone()).is_some());
            let part = part.ok_or_else(|| damaged(format!("part `{name}` lies outside of the file")))?;
            if (check || part.len() <= SMALL) && xxh3_64(&map[part.clone()]) != hash {
                return Err(damaged(format!("part `{name}` is damaged")));
            }
            parts.insert(name, part);
        }
        Ok(Reader { parts, of: (Commit(commit), stamp), file, map })
    }

    /// The array of a name.
    pub(super) fn array<T: Pod>(&self, name: &str) -> Result<Array<T>, SnapshotError> {
        let part = self.part(name)?;
        // SAFETY: a snapshot is never written to once it has its name, as at opening.
        #[allow(unsafe_code)]
        let array = unsafe { Array::mapped(&self.file, part.start as u64..part.end as u64) };
        array.map_err(|error| damaged(format!("part `{name}`: {error}")))
    }

    /// The bytes of a name.
    pub(super) fn bytes(&self, name: &str) -> Result<&[u8], SnapshotError> {
        Ok(&self.map[self.part(name)?])
    }

    fn part(&self, name: &str) -> Result<Range<usize>, SnapshotError> {
        self.parts.get(name).cloned().ok_or_else(|| damaged(format!("part `{name}` is missing")))
    }
}

/// Numbers of eight bytes; zeros where there are too few.
fn numbers<const N: usize>(bytes: &[u8]) -> [u64; N] {
    let mut numbers = [0; N];
    for (number, bytes) in numbers.iter_mut().zip(bytes.chunks_exact(8)) {
        *number = u64::from_le_bytes(bytes.try_into().unwrap_or_default());
    }
    numbers
}
