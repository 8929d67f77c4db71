//! Lines of text, each copied into a buffer that is used again.

use std::io::{BufRead, Read};

use timeweft_graph::{Name, Place, Reason, Reject};

use super::encoding;
use crate::SourceError;
use crate::limits::{LONGEST_RECORD, long_line};

/// Lines of UTF-8 text with their numbers; the buffer is used again for every line. Text in other encodings is an error, and
/// lines may end as on old Macs.
pub(crate) struct Lines<R> {
    reader: R,
    file: Name,
    line: u64,
    /// The byte that ends a line.
    end: u8,
    buffer: Vec<u8>,
}

impl<R: BufRead> Lines<R> {
    pub(crate) fn new(reader: R, file: &Name) -> Lines<R> {
        Lines { reader, file: file.clone(), line: 0, end: b'\n', buffer: Vec::new() }
    }

    /// What the lines are read from.
    pub(crate) fn reader(&mut self) -> &mut R {
        &mut self.reader
    }

    /// Where the line read last stands.
    pub(crate) fn place(&self) -> Place {
        Place::new(&self.file, self.line)
    }

    /// The number of the line read last.
    pub(crate) fn line(&self) -> u64 {
        self.line
    }

    /// Reads the next line; `false` at the end.
    pub(crate) fn advance(&mut self) -> Result<bool, SourceError> {
        if self.line == 0 {
            let fail = |cause| SourceError::Read { file: self.file.clone(), line: 1, cause };
            self.end = encoding::look(self.reader.fill_buf().map_err(fail)?, &self.file)?;
        }
        self.buffer.clear();
        self.line += 1;
        let mut limited = (&mut self.reader).take(LONGEST_RECORD as u64);
        let amount = limited.read_until(self.end, &mut self.buffer).map_err(|cause| SourceError::Read {
            file: self.file.clone(),
            line: self.line,
            cause,
        })?;
        Ok(amount > 0)
    }

    /// The bytes of the line read last.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.buffer
    }

    /// The line read last, without its end and without a byte order mark.
    pub(crate) fn text(&mut self) -> Result<&str, Reject> {
        let place = self.place();
        let reject = |text: String| Reject { place: place.clone(), reason: Reason::Malformed(text) };
        if self.buffer.len() == LONGEST_RECORD && self.buffer.last() != Some(&self.end) {
            return Err(self.skip_rest(place.clone()));
        }
        let text = encoding::utf8(&self.buffer).map_err(reject)?;
        let text = text.strip_suffix('\n').unwrap_or(text);
        let text = text.strip_suffix('\r').unwrap_or(text);
        Ok(if self.line == 1 { text.strip_prefix('\u{feff}').unwrap_or(text) } else { text })
    }

    fn skip_rest(&mut self, place: Place) -> Reject {
        // A failure comes back when the next line is read.
        while let Ok(chunk) = self.reader.fill_buf() {
            let end = chunk.iter().position(|&byte| byte == self.end);
            let amount = end.map_or(chunk.len(), |end| end + 1);
            let over = end.is_some() || chunk.is_empty();
            self.reader.consume(amount);
            if over {
                break;
            }
        }
        Reject { place, reason: Reason::Malformed(long_line(LONGEST_RECORD)) }
    }
}
