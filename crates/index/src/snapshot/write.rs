//! Writing arrays one behind the other.

use std::io::{self, Write};

use bytemuck::Pod;
use timeweft_graph::Commit;
use xxhash_rust::xxh3::xxh3_64;

use super::{ALIGN, ENTRY, FORMAT, NAME};
use crate::memory::array::Array;
use crate::memory::blocks::{bytes_of, hash};

/// A snapshot that is being written.
pub(super) struct Writer<W> {
    out: W,
    at: u64,
    table: Vec<u8>,
    entries: usize,
    /// Of the blocks of all arrays.
    hashes: Vec<u8>,
}

impl<W: Write> Writer<W> {
    pub(super) fn new(out: W) -> Writer<W> {
        Writer { out, at: 0, table: Vec::new(), entries: 0, hashes: Vec::new() }
    }

    /// Appends an array under a name.
    pub(super) fn array<T: Pod>(&mut self, name: &str, values: &Array<T>) -> io::Result<()> {
        self.slice(name, values.all())
    }

    /// The same for values that lie elsewhere.
    pub(super) fn slice<T: Pod>(&mut self, name: &str, values: &[T]) -> io::Result<()> {
        self.align()?;
        let (bytes, block): (&[u8], _) = (bytemuck::cast_slice(values), bytes_of::<T>());
        let mut entry = [0; ENTRY];
        entry[..name.len().min(NAME)].copy_from_slice(&name.as_bytes()[..name.len().min(NAME)]);
        let numbers = [self.at, bytes.len() as u64, block as u64];
        for (place, number) in entry[NAME..].chunks_exact_mut(8).zip(numbers) {
            place.copy_from_slice(&number.to_le_bytes());
        }
        self.table.extend_from_slice(&entry);
        self.entries += 1;
        for bytes in bytes.chunks(block) {
            self.hashes.extend_from_slice(&hash(bytes, self.at).to_le_bytes());
            self.write(bytes)?;
        }
        Ok(())
    }

    /// Writes the table and the end.
    pub(super) fn finish(mut self, commit: Commit, stamp: u64) -> io::Result<()> {
        self.align()?;
        let mut table = std::mem::take(&mut self.table);
        table.append(&mut self.hashes);
        let numbers = [commit.0, stamp, self.at, self.entries as u64, xxh3_64(&table)];
        self.write(&table)?;
        let mut end = [0; ENTRY];
        end[..8].copy_from_slice(&FORMAT);
        for (place, number) in end[8..].chunks_exact_mut(8).zip(numbers) {
            place.copy_from_slice(&number.to_le_bytes());
        }
        self.write(&end)?;
        self.out.flush()
    }

    fn align(&mut self) -> io::Result<()> {
        let gap = self.at.next_multiple_of(ALIGN as u64) - self.at;
        self.write(&[0; ALIGN][..gap as usize])
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.at += bytes.len() as u64;
        self.out.write_all(bytes)
    }
}
