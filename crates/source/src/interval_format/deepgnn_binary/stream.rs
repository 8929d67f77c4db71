//! A file of numbers, read from beginning to end.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use crate::SourceError;
use crate::input::open_file;
use crate::limits::{LONGEST_RECORD, too_long};

pub(super) struct Stream {
    path: PathBuf,
    reader: BufReader<File>,
    size: u64,
    read: u64,
}

/// A file that cannot be what it should be.
pub(super) fn broken(path: &Path, problem: String) -> SourceError {
    SourceError::Document { file: path.to_string_lossy().into(), line: 0, problem }
}

macro_rules! numbers {
    ($($name:ident $type:ty;)*) => {
        $(pub(super) fn $name(&mut self) -> Result<$type, SourceError> {
            let mut bytes = [0; size_of::<$type>()];
            self.fill(&mut bytes)?;
            Ok(<$type>::from_le_bytes(bytes))
        })*
    };
}

impl Stream {
    pub(super) fn open(path: PathBuf) -> Result<Stream, SourceError> {
        let (file, facts) = open_file(&path)?;
        let size = facts.len();
        Ok(Stream { path, reader: BufReader::with_capacity(1 << 18, file), size, read: 0 })
    }

    numbers! { u64 u64; i64 i64; i32 i32; f32 f32; }

    /// Bytes not read yet.
    pub(super) fn left(&self) -> u64 {
        self.size.saturating_sub(self.read)
    }

    /// Reads this number of bytes.
    pub(super) fn bytes(&mut self, length: u64, out: &mut Vec<u8>) -> Result<(), SourceError> {
        // Checked first: a wrong length must not ask for all memory.
        let known = usize::try_from(length).ok().filter(|_| length <= self.left());
        let length = known.ok_or_else(|| self.cut_off(length))?;
        if length > LONGEST_RECORD {
            return Err(self.broken(format!("{}: from byte {} on", too_long("a value", LONGEST_RECORD), self.read)));
        }
        out.clear();
        out.resize(length, 0);
        self.fill(out)
    }

    fn fill(&mut self, out: &mut [u8]) -> Result<(), SourceError> {
        if out.len() as u64 > self.left() {
            return Err(self.cut_off(out.len() as u64));
        }
        let failed = self.reader.read_exact(out);
        failed.map_err(|cause| SourceError::Read { file: self.path.to_string_lossy().into(), line: 0, cause })?;
        self.read += out.len() as u64;
        Ok(())
    }

    fn cut_off(&self, wanted: u64) -> SourceError {
        let Stream { size, read, .. } = self;
        self.broken(format!("the file is cut off: it has {size} bytes, and {wanted} are missing from byte {read} on"))
    }

    pub(super) fn broken(&self, problem: String) -> SourceError {
        broken(&self.path, problem)
    }

    /// Refuses bytes that nothing names.
    pub(super) fn finish(self) -> Result<(), SourceError> {
        match self.left() {
            0 => Ok(()),
            left => Err(self.broken(format!(
                "its last {left} bytes belong to nothing: the files of this partition are not of one conversion"
            ))),
        }
    }
}
