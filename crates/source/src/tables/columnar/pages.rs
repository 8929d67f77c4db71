//! The bytes of a Parquet file for the readers of its columns, and how much these unpack at once.
//!
//! The library unpacks a page as a whole. What a page says of its size is looked at before, and what is held of all columns,
//! and taken in for one batch of rows, has a limit: a few hundred bytes can unpack to gigabytes.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, Length};

use super::thrift::{self, Page};
use crate::limits::{LARGEST_BATCH, LARGEST_PAGE};

/// Elements of the lists of a batch of rows.
const MOST_ELEMENTS: u64 = 1 << 27;

/// Bytes behind the description of the file: its length, and a mark.
const TAIL: u64 = 8;

/// One open file for the readers of all columns.
#[derive(Clone)]
pub(super) struct Shared {
    file: Arc<File>,
    largest_dictionary: u64,
    /// Bytes of the pages that all readers hold, one each.
    held: Arc<AtomicU64>,
    reader: Arc<Reader>,
}

/// What one reader has unpacked.
#[derive(Default)]
struct Reader {
    /// Bytes of the page that it holds; it is part of `held`.
    page: AtomicU64,
    held: Arc<AtomicU64>,
    has_lists: bool,
    /// Bytes and values of the pages that this batch of rows needed.
    bytes: AtomicU64,
    values: AtomicU64,
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.held.fetch_sub(*self.page.get_mut(), Ordering::Relaxed);
    }
}

impl Shared {
    pub(super) fn new(file: File) -> Shared {
        Shared { file: Arc::new(file), largest_dictionary: u64::MAX, held: Arc::default(), reader: Arc::default() }
    }

    /// The same file for the reader of a column.
    pub(super) fn for_column(&self, has_lists: bool) -> Shared {
        let mut reader = Reader::default();
        (reader.held, reader.has_lists) = (self.held.clone(), has_lists);
        Shared { reader: Arc::new(reader), ..self.clone() }
    }

    /// Rows of a batch, of which each may hold the whole dictionary. What the file says of its chunks is kept to: a page that
    /// is larger is refused.
    pub(super) fn fit_rows(&mut self, rows: usize, largest: impl Iterator<Item = u64>) -> usize {
        let largest = largest.max().unwrap_or(0).max(LARGEST_BATCH as u64 / rows as u64);
        self.largest_dictionary = largest;
        (LARGEST_BATCH as u64 / largest).max(1) as usize
    }

    /// A batch of rows begins.
    pub(super) fn begin_batch(&self) {
        self.reader.bytes.store(0, Ordering::Relaxed);
        self.reader.values.store(0, Ordering::Relaxed);
    }

    /// Refuses a description of the file with a length that is larger than the description.
    pub(super) fn check_description(&self) -> Result<(), ParquetError> {
        // The library tells of what is no description.
        let Some(end) = self.len().checked_sub(TAIL) else { return Ok(()) };
        let tail = self.get_bytes(end, TAIL as usize)?;
        let length = tail.first_chunk::<4>().map_or(0, |length| u32::from_le_bytes(*length));
        let Some(start) = end.checked_sub(length.into()) else { return Ok(()) };
        let description = self.get_bytes(start, length as usize)?;
        thrift::page(&description, length.into()).map_err(ParquetError::General)?;
        Ok(())
    }

    /// The bytes that the page unpacks to that begins there.
    pub(super) fn page_size(&self, start: u64) -> u64 {
        let read = self.file.get_read(start).map_err(|error| error.to_string());
        read.and_then(|mut read| self.look(&mut read)).map_or(0, |page| page.size)
    }

    /// Looks at the description of a page, and reads nothing.
    fn look(&self, read: &mut BufReader<File>) -> Result<Page, String> {
        thrift::page(read.fill_buf().map_err(|error| error.to_string())?, self.len())
    }

    /// Takes note of a page that is about to be read.
    fn take(&self, page: Page) -> Result<(), ParquetError> {
        let reader = &self.reader;
        let (largest, batch) = (LARGEST_PAGE as u64, LARGEST_BATCH as u64);
        if page.size > largest {
            return refused(format!("a page unpacks to {} bytes, more than {} GiB", page.size, largest >> 30));
        }
        if page.is_dictionary && page.size > self.largest_dictionary {
            return refused(format!("a dictionary unpacks to {} bytes, more than its file says", page.size));
        }
        let bytes = reader.bytes.fetch_add(page.size, Ordering::Relaxed) + page.size;
        let before = reader.page.swap(page.size, Ordering::Relaxed);
        let others = self.held.fetch_sub(before, Ordering::Relaxed) - before;
        self.held.fetch_add(page.size, Ordering::Relaxed);
        if bytes.max(others + page.size) > batch {
            return refused(format!("its pages, or those of all columns, unpack to more than {} GiB", batch >> 30));
        }
        let values = reader.values.fetch_add(page.n_values, Ordering::Relaxed).saturating_add(page.n_values);
        if reader.has_lists && values > MOST_ELEMENTS {
            return refused(format!("the lists of a few rows have {values} elements, more than {MOST_ELEMENTS}"));
        }
        Ok(())
    }
}

fn refused(problem: String) -> Result<(), ParquetError> {
    Err(ParquetError::General(format!("{problem} at once: write it with smaller pages")))
}

impl Length for Shared {
    fn len(&self) -> u64 {
        self.file.len()
    }
}

impl ChunkReader for Shared {
    type T = <File as ChunkReader>::T;

    /// The library asks so for the description of a page.
    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        let mut read = self.file.get_read(start)?;
        // The end of the file, where the library looks for the length of the description.
        if start + TAIL == self.len() {
            return Ok(read);
        }
        let page = self.look(&mut read).map_err(ParquetError::General)?;
        self.take(page)?;
        Ok(read)
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        // What a damaged file says of its lengths is no reason to make room for it.
        match start.checked_add(length as u64) {
            Some(end) if end <= self.len() => self.file.get_bytes(start, length),
            _ => Err(ParquetError::EOF(format!("{length} bytes at {start} are beyond the end of the file"))),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::io::Write as _;

    use super::*;

    /// The description of a page with its number of bytes, then of the beginning of its kind with its number of values.
    fn page(size: u32, kind: u8, n_values: u32) -> Vec<u8> {
        let number = |out: &mut Vec<u8>, number: u32| {
            let mut left = u64::from(number) << 1;
            while left > 0x7f {
                out.push(left as u8 | 0x80);
                left >>= 7;
            }
            out.push(left as u8);
        };
        let mut out = vec![0x15, 0, 0x15];
        number(&mut out, size);
        out.extend([0x15, 20, kind << 4 | 0x0c, 0x15]);
        number(&mut out, n_values);
        out.extend([0, 0]);
        out.resize(64, 0);
        out
    }

    fn told(pages: &[(u32, u32)], has_lists: bool) -> String {
        let mut file = tempfile::tempfile().unwrap();
        // Two behind the field before it: the description of a page of data.
        pages.iter().for_each(|(size, n)| file.write_all(&page(*size, 2, *n)).unwrap());
        let shared = Shared::new(file).for_column(has_lists);
        let read = (0..pages.len()).try_for_each(|at| shared.get_read(64 * at as u64).map(|_| ()));
        read.err().map(|error| error.to_string()).unwrap_or_default()
    }

    #[test]
    fn pages_that_unpack_to_more_than_is_held_are_refused_before_they_are_unpacked() {
        const GIB: u32 = 1 << 30;
        assert_eq!(told(&[(GIB, 5); 4], false), "");
        assert!(told(&[(GIB + 1, 5)], false).contains("a page unpacks to 1073741825 bytes, more than 1 GiB"));
        assert!(told(&[(GIB, 5); 5], false).contains("unpack to more than 4 GiB at once"));
        assert_eq!(told(&[(10, 1 << 27), (10, 1)], false), "", "equal values of a flat column take no room");
        assert!(told(&[(10, 1 << 27), (10, 1)], true).contains("the lists of a few rows have 134217729 elements"));
    }

    #[test]
    fn readers_share_what_they_may_hold() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&page(1 << 30, 2, 1)).unwrap();
        let whole = Shared::new(file);
        let mut readers: Vec<Shared> = (0..4).map(|_| whole.for_column(false)).collect();
        readers.iter().for_each(|reader| drop(reader.get_read(0).unwrap()));
        assert!(whole.for_column(false).get_read(0).is_err());
        readers.pop();
        assert!(whole.for_column(false).get_read(0).is_ok(), "one is gone, with what it held");
    }
}
