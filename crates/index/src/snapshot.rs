//! An index in a file, to be mapped into memory: opening it copies nothing but what changes places when it grows.
//!
//! A snapshot is a cache (law 1): it holds what the log up to a commit makes, and costs a rebuild if it is lost. Bytes are
//! those of a little-endian machine.
//!
//! | part | bytes |
//! |---|---|
//! | arrays | each begins at a multiple of 2^14, the page of most systems; what each one holds is in [`parts`] |
//! | table | an entry of 64 bytes an array: its name, in 32 bytes filled with zeros; where it begins, its length, bytes of a block, 8 bytes each; 8 zeros |
//! | hashes | 8 bytes a block: its XXH3 hash, seeded with where it begins in the file; array after array |
//! | end | 64 bytes: the format in 8 bytes; commit, what the caller stamped it with, where the table begins, how many entries it has, the hash of the table and the hashes, 8 bytes each; 16 zeros |
//!
//! Opening compares the table and the hashes. Each block is compared when it is first read ([`crate::memory::damage`]), so that
//! opening takes no longer for a large graph than for a small one; [`Index::check`] compares all that are left.

mod compare;
mod parts;
mod read;
mod write;

use std::path::Path;

use timeweft_graph::Commit;

use crate::Index;
use crate::memory::damage::{Damage, catch};

pub use self::read::SnapshotError;

/// The format, as it ends a file.
const FORMAT: [u8; 8] = *b"TWSNAP05";
/// What the formats of all versions begin with.
const FORMATS: &[u8] = b"TWSNAP";
/// Arrays begin at multiples of this, so that each can be mapped for itself.
const ALIGN: usize = 1 << 14;
/// Bytes of an entry of the table, and of the end.
const ENTRY: usize = 64;
/// Bytes of a name.
const NAME: usize = 32;

impl Index {
    /// Writes the index as it is at a commit, stamped with a number that identifies the log. The lists of edges are
    /// made first if they are not there yet. An index that is of a snapshot itself is to be checked before.
    pub fn write_snapshot(&self, commit: Commit, stamp: u64, out: impl std::io::Write) -> std::io::Result<()> {
        let mut writer = write::Writer::new(out);
        parts::save(self, &mut writer)?;
        writer.finish(commit, stamp)
    }

    /// Opens the snapshot of a commit with a stamp. Only what says where everything is is compared now; all else when it is
    /// read.
    ///
    /// The file must not change while the index is in use; a snapshot is never written to, only replaced.
    ///
    /// # Errors
    /// If it cannot be read, or is damaged, or is another one.
    pub fn open_snapshot(path: &Path, commit: Commit, stamp: u64) -> Result<Index, SnapshotError> {
        let snapshot = read::Reader::open(path)?;
        if snapshot.of != (commit, stamp) {
            return Err(SnapshotError::Other);
        }
        // Some small parts are read at once.
        catch(|| parts::load(&snapshot)).unwrap_or_else(|damage| Err(read::damaged(damage.problem)))
    }

    /// Whether a file ends as a snapshot of this version does.
    pub fn has_snapshot_format(path: &Path) -> bool {
        read::has_format(path).unwrap_or(false)
    }

    /// Compares all of its snapshot that was not compared yet: a tenth of a second or so for each gigabyte, on all
    /// processors, and no memory that stays. Whatever changes an index, or makes something of all of it that stays, asks for this first.
    ///
    /// # Errors
    /// The first block that is damaged.
    pub fn check(&self) -> Result<(), Damage> {
        catch(|| parts::check(self))
    }

    /// Whether nothing is left for [`Index::check`] to do.
    pub fn is_checked(&self) -> bool {
        parts::is_checked(self)
    }

    /// Gives memory back that the system can read from the snapshot again.
    pub fn release(&self) {
        parts::release(self);
    }
}
