//! FASTA: a header after `>`, and the lines of its sequence.

use std::path::Path;

use crate::text::byte_lines::ByteLines;
use crate::{Input, SourceError};

/// Reads entry after entry; the texts are used again.
pub(crate) struct Fasta {
    lines: ByteLines<Input>,
    /// Whether the present line begins an entry.
    at_header: bool,
    header: Vec<u8>,
    sequence: Vec<u8>,
    line: u64,
}

impl Fasta {
    pub(crate) fn open(path: &Path) -> Result<Fasta, SourceError> {
        let lines = ByteLines::open(path)?;
        Ok(Fasta { lines, at_header: false, header: Vec::new(), sequence: Vec::new(), line: 0 })
    }

    /// The name for messages.
    pub(crate) fn file(&self) -> &timeweft_graph::Name {
        self.lines.file()
    }

    /// The line of the present header.
    pub(crate) fn line(&self) -> u64 {
        self.line
    }

    /// The text behind `>`.
    pub(crate) fn header(&self) -> Result<&str, String> {
        crate::text::encoding::utf8(&self.header).map(str::trim)
    }

    /// The sequence without ends of lines.
    pub(crate) fn sequence(&self) -> Result<&str, String> {
        crate::text::encoding::utf8(&self.sequence)
    }

    /// Reads the next entry; `false` at the end. Lines before the first header are an error of the file.
    pub(crate) fn advance(&mut self) -> Result<bool, SourceError> {
        while !self.at_header {
            if !self.lines.advance()? {
                return Ok(false);
            }
            let text = self.lines.bytes().trim_ascii();
            self.at_header = text.starts_with(b">");
            if !self.at_header && !text.is_empty() {
                let problem = "this is no FASTA file: expected a header that begins with `>`".into();
                let file = self.lines.file().clone();
                return Err(SourceError::Document { file, line: self.lines.line(), problem });
            }
        }
        self.line = self.lines.line();
        self.header.clear();
        self.header.extend_from_slice(&self.lines.bytes().trim_ascii()[1..]);
        self.sequence.clear();
        self.at_header = false;
        while self.lines.advance()? {
            let text = self.lines.bytes().trim_ascii();
            self.at_header = text.starts_with(b">");
            if self.at_header {
                break;
            }
            self.sequence.extend_from_slice(text);
        }
        Ok(true)
    }
}
