//! An index in a file, to be mapped into memory: opening it copies nothing but what changes places when it grows.
//!
//! A snapshot is a cache (law 1): it holds what the log up to a commit makes, and costs a rebuild if it is lost. Bytes are
//! those of a little-endian machine.
//!
//! | part | bytes |
//! |---|---|
//! | arrays | each begins at a multiple of 2^14, the page of most systems; what each one holds is in [`parts`] |
//! | table | an entry of 64 bytes an array: its name, in 32 bytes filled with zeros; where it begins, its length and its XXH3 hash, 8 bytes each; 8 zeros |
//! | end | 64 bytes: the format in 8 bytes; commit, what the caller stamped it with, where the table begins, how many entries it has, the hash of the table, 8 bytes each; 16 zeros |

mod parts;
mod read;
mod write;

use std::path::Path;

use timeweft_graph::Commit;

use crate::Index;

pub use self::read::SnapshotError;

/// The format, as it ends a file.
const FORMAT: [u8; 8] = *b"TWSNAP04";
/// Arrays begin at multiples of this, so that each can be mapped for itself.
const ALIGN: usize = 1 << 14;
/// Bytes of an entry of the table, and of the end.
const ENTRY: usize = 64;
/// Bytes of a name.
const NAME: usize = 32;

impl Index {
    /// Writes the index as it is at a commit, stamped with a number that tells one log from another. The lists of edges are
    /// made first if nobody has asked for them yet.
    pub fn write_snapshot(&self, commit: Commit, stamp: u64, out: impl std::io::Write) -> std::io::Result<()> {
        let mut writer = write::Writer::new(out);
        parts::save(self, &mut writer)?;
        writer.finish(commit, stamp)
    }

    /// Opens the snapshot of a commit with a stamp. Compares the hashes of the table and of small parts; those of
    /// large arrays only if `check` says so, because that reads every byte.
    ///
    /// The file must not change while the index is in use; a snapshot is never written to, only replaced.
    pub fn open_snapshot(path: &Path, commit: Commit, stamp: u64, check: bool) -> Result<Index, SnapshotError> {
        let snapshot = read::Reader::open(path, check)?;
        if snapshot.of != (commit, stamp) {
            return Err(read::damaged("it is of another graph or commit"));
        }
        parts::load(&snapshot)
    }
}
