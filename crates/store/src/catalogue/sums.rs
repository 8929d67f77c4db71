//! Checksums of the rows of the catalogue, compared whenever a row is read.
//!
//! redb compares the checksums of its pages only where it repairs a file. So each row that says something has its CRC-32C in a
//! table of its own, with the row's table and key in it: a row that changed, changed places, went or came is an error, and
//! never another answer. Bytes of small segments have theirs in the row of the segment. Graphs of formats before 5 get the
//! sums of all their rows with the next load.

use redb::{Error, ReadOnlyTable, ReadTransaction, TableDefinition, TableError, WriteTransaction};

/// By table and key of the row.
const SUMS: TableDefinition<(&str, u64, u32), u32> = TableDefinition::new("sums");
/// Graphs of this format and later ones have the sum of every row.
const SINCE: u64 = 5;

/// The number in a key: rows of loads and schemas have no second one.
pub(crate) type Place = (u64, u32);

fn sum(table: &str, (at, part): Place, bytes: &[u8]) -> u32 {
    let sum = crc32c::crc32c(table.as_bytes());
    let sum = crc32c::crc32c_append(sum, &at.to_le_bytes());
    crc32c::crc32c_append(crc32c::crc32c_append(sum, &part.to_le_bytes()), bytes)
}

/// Notes the sum of a row that is written.
pub(crate) fn note(write: &WriteTransaction, table: &str, place: Place, bytes: &[u8]) -> Result<(), Error> {
    write.open_table(SUMS)?.insert((table, place.0, place.1), sum(table, place, bytes))?;
    Ok(())
}

/// Whether rows of a graph of this format have sums.
pub(crate) fn are_in(format: &str) -> bool {
    format.parse().is_ok_and(|format: u64| format >= SINCE)
}

/// The sums, while rows are read.
pub(crate) struct Sums(Option<ReadOnlyTable<(&'static str, u64, u32), u32>>);

fn damaged(table: &str, what: &str) -> Error {
    Error::Corrupted(format!("{what} of table `{table}` is not what was written"))
}

impl Sums {
    /// The sums of a graph of some format.
    pub(crate) fn of(read: &ReadTransaction, format: &str) -> Result<Sums, Error> {
        match read.open_table(SUMS) {
            Ok(table) => Ok(Sums(Some(table))),
            Err(TableError::TableDoesNotExist(_)) if !are_in(format) => Ok(Sums(None)),
            Err(TableError::TableDoesNotExist(_)) => {
                Err(Error::Corrupted("the checksums of its rows are missing".into()))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Compares a row.
    pub(crate) fn check(&self, table: &str, place: Place, bytes: &[u8]) -> Result<(), Error> {
        let Some(sums) = &self.0 else { return Ok(()) };
        let known = sums.get((table, place.0, place.1))?.map(|sum| sum.value());
        if known == Some(sum(table, place, bytes)) { Ok(()) } else { Err(damaged(table, &format!("row {}", place.0))) }
    }

    /// Compares how many rows a table has.
    pub(crate) fn check_count(&self, table: &str, rows: usize) -> Result<(), Error> {
        let Some(sums) = &self.0 else { return Ok(()) };
        let known = sums.range((table, 0, 0)..=(table, u64::MAX, u32::MAX))?.count();
        if known == rows { Ok(()) } else { Err(damaged(table, "the number of rows")) }
    }

    /// The last row of a table up to a key, if there are sums.
    pub(crate) fn newest(&self, table: &str, at: u64) -> Result<Option<u64>, Error> {
        let Some(sums) = &self.0 else { return Ok(None) };
        let newest = sums.range((table, 0, 0)..=(table, at, u32::MAX))?.next_back().transpose()?;
        Ok(newest.map(|(key, _)| key.value().1))
    }
}
