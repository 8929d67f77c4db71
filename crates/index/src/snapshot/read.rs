//! Finding arrays in a mapped file.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use bytemuck::Pod;
use memmap2::Mmap;
use rustc_hash::FxHashMap;
use timeweft_graph::Commit;
use xxhash_rust::xxh3::xxh3_64;

use super::{ENTRY, FORMAT, FORMATS, NAME};
use crate::memory::array::Array;
use crate::memory::blocks::{Blocks, Origin, bytes_of};

/// Why a snapshot cannot be used. The log makes the same graph: delete the file.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// The file cannot be read.
    #[error("cannot read it: {0}")]
    Io(#[from] io::Error),
    /// It is not what was written.
    #[error("{0}")]
    Damaged(String),
    /// It was written by another version of this library.
    #[error("it is of another version of timeweft")]
    Version,
    /// It is of another graph, or of another commit than its name says.
    #[error("it is of another graph or commit")]
    Other,
}

pub(super) fn damaged(problem: impl Into<String>) -> SnapshotError {
    SnapshotError::Damaged(problem.into())
}

/// A mapped snapshot.
pub(super) struct Reader {
    path: Arc<Path>,
    file: File,
    parts: FxHashMap<String, Section>,
    /// The commit, and the stamp.
    pub(super) of: (Commit, u64),
}

/// Where an array lies.
struct Section {
    range: Range<u64>,
    block: usize,
    hashes: Box<[u64]>,
}

impl Reader {
    pub(super) fn open(path: &Path) -> Result<Reader, SnapshotError> {
        let file = File::open(path)?;
        // SAFETY: the file is written under another name, renamed when it is whole and never written to again, so that
        // what is mapped does not change.
        #[allow(unsafe_code)]
        let map = unsafe { Mmap::map(&file) }?;
        let until = map.len().checked_sub(ENTRY).ok_or_else(|| damaged("it is too short"))?;
        let end = &map[until..];
        if end[..8] != FORMAT {
            let other = end.starts_with(FORMATS) && end[FORMATS.len()..8].iter().all(u8::is_ascii_digit);
            return Err(if other { SnapshotError::Version } else { damaged("it does not end as a snapshot") });
        }
        let [commit, stamp, start, count, hash] = numbers(&end[8..]);
        let table = usize::try_from(start).ok().and_then(|start| map.get(start..until));
        let table = table.filter(|table| xxh3_64(table) == hash).ok_or_else(|| damaged("its table is damaged"))?;
        let entries = usize::try_from(count).ok().and_then(|count| count.checked_mul(ENTRY));
        let (entries, mut hashes) =
            entries.and_then(|bytes| table.split_at_checked(bytes)).ok_or_else(|| damaged("its table is too short"))?;
        let mut parts = FxHashMap::default();
        for entry in entries.chunks_exact(ENTRY) {
            let name = String::from_utf8_lossy(&entry[..NAME]).trim_end_matches('\0').to_owned();
            let part = Section::read(numbers(&entry[NAME..]), start, &mut hashes);
            let part = part.ok_or_else(|| damaged(format!("part `{name}` lies outside of the file")))?;
            parts.insert(name, part);
        }
        Ok(Reader { path: path.into(), file, parts, of: (Commit(commit), stamp) })
    }

    /// The array of a name.
    pub(super) fn array<T: Pod>(&self, name: &str) -> Result<Array<T>, SnapshotError> {
        let Section { range, block, hashes } =
            self.parts.get(name).ok_or_else(|| damaged(format!("part `{name}` is missing")))?;
        if *block != bytes_of::<T>() {
            return Err(damaged(format!("part `{name}` has blocks of another size")));
        }
        let origin = Origin { file: self.path.clone(), part: name.into(), start: range.start };
        let blocks = Blocks::new(origin, hashes.clone(), *block, (range.end - range.start) as usize);
        // SAFETY: a snapshot is never written to once it has its name, as at opening.
        #[allow(unsafe_code)]
        let array = unsafe { Array::mapped(&self.file, range.clone(), blocks) };
        array.map_err(|error| damaged(format!("part `{name}`: {error}")))
    }
}

/// Whether a file ends as a snapshot of this version does.
pub(super) fn has_format(path: &Path) -> io::Result<bool> {
    let (mut file, mut format) = (File::open(path)?, FORMAT);
    file.seek(SeekFrom::End(-(ENTRY as i64)))?;
    file.read_exact(&mut format)?;
    Ok(format == FORMAT)
}

impl Section {
    /// What an entry of the table says; its hashes are the next ones.
    fn read([start, length, block]: [u64; 3], end: u64, hashes: &mut &[u8]) -> Option<Section> {
        let range = start..start.checked_add(length).filter(|until| *until <= end)?;
        let block = usize::try_from(block).ok().filter(|block| *block > 0)?;
        let blocks = usize::try_from(length).ok()?.div_ceil(block);
        let (own, rest) = hashes.split_at_checked(blocks.checked_mul(8)?)?;
        *hashes = rest;
        let number = |bytes: &[u8]| u64::from_le_bytes(bytes.try_into().unwrap_or_default());
        Some(Section { range, block, hashes: own.chunks_exact(8).map(number).collect() })
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
