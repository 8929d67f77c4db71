//! Lines of bytes, borrowed from one large buffer: for dumps of hundreds of megabytes.

use std::io::Read;
use std::ops::Range;
use std::path::Path;

use timeweft_graph::Name;

use super::encoding;
use crate::limits::{LONGEST_RECORD, long_line};
use crate::{Input, SourceError, open};

/// Read at once, in bytes.
const CHUNK: usize = 1 << 20;

/// Lines with their numbers. No line is copied, but for those over the end of the buffer.
pub(crate) struct ByteLines<R> {
    reader: R,
    file: Name,
    buffer: Vec<u8>,
    /// What of the buffer was read and not yet given.
    rest: Range<usize>,
    current: Range<usize>,
    line: u64,
    /// The byte that ends a line.
    end: u8,
    over: bool,
}

impl ByteLines<Input> {
    /// The lines of a file, unpacked where its name says that it is packed.
    pub(crate) fn open(path: &Path) -> Result<ByteLines<Input>, SourceError> {
        let input = open(path)?;
        let name = input.name().clone();
        Ok(ByteLines::new(input, &name))
    }

    /// An estimate of the lines that are still to come, rather too high, if they are like the first `n` ones.
    pub(crate) fn expect_more(&self, n: usize) -> usize {
        let read = self.reader.bytes_read().get();
        // What waits in the buffer was not yet given. How much of a packed file that is on disk is unknown.
        let given = read.checked_sub(self.rest.len() as u64).filter(|given| *given > 0).unwrap_or(read).max(1);
        let left = self.reader.size().unwrap_or(0).saturating_sub(given);
        ((n as u64).saturating_mul(left) / given).saturating_mul(9) as usize / 8
    }
}

impl<R: Read> ByteLines<R> {
    pub(crate) fn new(reader: R, file: &Name) -> ByteLines<R> {
        let buffer = vec![0; CHUNK];
        ByteLines { reader, file: file.clone(), buffer, rest: 0..0, current: 0..0, line: 0, end: b'\n', over: false }
    }

    /// The name for messages.
    pub(crate) fn file(&self) -> &Name {
        &self.file
    }

    /// The number of the line read last.
    pub(crate) fn line(&self) -> u64 {
        self.line
    }

    /// The line read last, without its end and without a byte order mark.
    pub(crate) fn bytes(&self) -> &[u8] {
        let line = &self.buffer[self.current.clone()];
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if self.line == 1 { line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line) } else { line }
    }

    /// The line as text.
    pub(crate) fn text(&self) -> Result<&str, String> {
        encoding::utf8(self.bytes())
    }

    /// Reads the next line; `false` at the end.
    pub(crate) fn advance(&mut self) -> Result<bool, SourceError> {
        self.line += 1;
        let mut searched = 0;
        loop {
            let unseen = &self.buffer[self.rest.start + searched..self.rest.end];
            if let Some(at) = memchr::memchr(self.end, unseen) {
                let end = self.rest.start + searched + at;
                self.current = self.rest.start..end;
                self.rest.start = end + 1;
                return Ok(true);
            }
            if self.over {
                self.current = self.rest.clone();
                self.rest.start = self.rest.end;
                return Ok(!self.current.is_empty());
            }
            searched = self.rest.len();
            self.fill()?;
        }
    }

    fn fill(&mut self) -> Result<(), SourceError> {
        self.buffer.copy_within(self.rest.clone(), 0);
        self.rest = 0..self.rest.len();
        if self.rest.end == self.buffer.len() {
            if self.buffer.len() >= LONGEST_RECORD {
                let problem = long_line(LONGEST_RECORD);
                return Err(SourceError::Document { file: self.file.clone(), line: self.line, problem });
            }
            self.buffer.resize(self.buffer.len() * 2, 0);
        }
        let amount = loop {
            match self.reader.read(&mut self.buffer[self.rest.end..]) {
                Err(cause) if cause.kind() == std::io::ErrorKind::Interrupted => {}
                Err(cause) => return Err(SourceError::Read { file: self.file.clone(), line: self.line, cause }),
                Ok(amount) => break amount,
            }
        };
        let is_first = self.rest.end == 0 && self.line == 1;
        self.rest.end += amount;
        self.over = amount == 0;
        if is_first {
            self.end = encoding::look(&self.buffer[..amount], &self.file)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives a few bytes at a time.
    struct Slow<'a>(&'a [u8]);

    impl Read for Slow<'_> {
        fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
            let amount = self.0.len().min(out.len()).min(3);
            out[..amount].copy_from_slice(&self.0[..amount]);
            self.0 = &self.0[amount..];
            Ok(amount)
        }
    }

    #[test]
    fn lines_come_whole_over_the_ends_of_reads() {
        let long = "x".repeat(CHUNK + 7);
        let text = format!("\u{feff}first\r\n\n{long}\nlast");
        let mut lines = ByteLines::new(Slow(text.as_bytes()), &"f".into());
        let mut found = Vec::new();
        while lines.advance().unwrap_or(false) {
            found.push((lines.line(), String::from_utf8_lossy(lines.bytes()).into_owned()));
        }
        assert_eq!(found, [(1, "first".into()), (2, String::new()), (3, long), (4, "last".into())]);
    }
}
