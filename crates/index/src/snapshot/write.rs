//! Writing arrays one behind the other.

use std::io::{self, Write};

use bytemuck::Pod;
use timeweft_graph::Commit;
use xxhash_rust::xxh3::xxh3_64;

use super::{ALIGN, ENTRY, FORMAT, NAME};

/// A snapshot that is being written.
pub(super) struct Writer<W> {
    out: W,
    at: u64,
    table: Vec<u8>,
}

impl<W: Write> Writer<W> {
    pub(super) fn new(out: W) -> Writer<W> {
        Writer { out, at: 0, table: Vec::new() }
    }

    /// Appends an array under a name.
    pub(super) fn array<T: Pod>(&mut self, name: &str, values: &[T]) -> io::Result<()> {
        self.bytes(name, bytemuck::cast_slice(values))
    }

    /// The same for bytes.
    pub(super) fn bytes(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.align()?;
        let mut entry = [0; ENTRY];
        entry[..name.len().min(NAME)].copy_from_slice(&name.as_bytes()[..name.len().min(NAME)]);
        for (place, number) in entry[NAME..].chunks_exact_mut(8).zip([self.at, bytes.len() as u64, xxh3_64(bytes)]) {
            place.copy_from_slice(&number.to_le_bytes());
        }
        self.table.extend_from_slice(&entry);
        self.write(bytes)
    }

    /// Writes the table and the end.
    pub(super) fn finish(mut self, commit: Commit, stamp: u64) -> io::Result<()> {
        self.align()?;
        let table = std::mem::take(&mut self.table);
        let numbers = [commit.0, stamp, self.at, (table.len() / ENTRY) as u64, xxh3_64(&table)];
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
