//! Rows of delimited text with their lines.

use std::io::Read;
use std::ops::Range;

use timeweft_graph::{Name, Place};

use super::cells::{Cells, Fault, Marks};
use super::{Delimiter, Dialect, Mark};
use crate::SourceError;
use crate::limits::{LONGEST_RECORD, long_line};
use crate::text::encoding;

/// Read at once, in bytes; the beginning that is looked at before the first row is given is not longer.
const CHUNK: usize = 1 << 18;
/// Rows of the beginning that are looked at.
pub(crate) const LOOKED_AT: usize = 10_000;

/// Comments that are kept, and bytes of each.
const KEPT_COMMENTS: usize = 64;
const LONGEST_COMMENT: usize = 1 << 10;

/// Reads row after row, in constant memory.
pub(crate) struct Records<R> {
    input: R,
    file: Name,
    marks: Marks,
    /// What begins lines that are no rows.
    comments: Vec<Vec<u8>>,
    is_quote_open: bool,
    buffer: Vec<u8>,
    /// What of the buffer was read and not yet given.
    rest: Range<usize>,
    row: Range<usize>,
    cells: Cells,
    /// The row as text, so that its cells need not be checked one by one; `None` where it is not UTF-8.
    text: Option<String>,
    /// The line that is read next.
    next_line: u64,
    line: u64,
    n_comments: u64,
    /// Whether no option says what begins a comment.
    tells_comments: bool,
    comment_lines: Vec<String>,
    last_comment: u64,
    longest: usize,
    /// Whether what comes next belongs to a line that was refused.
    is_skipping: bool,
    /// Why the row read last was refused.
    fault: Option<Fault>,
    over: bool,
    failure: Option<std::io::Error>,
    notes: Vec<String>,
}

/// A row that could be had, or why not.
pub(crate) type Row = Result<(), String>;

/// What comes next in what was read so far.
enum Next {
    Row(Row),
    /// More must be read first.
    Missing,
    End,
}

impl<R: Read> Records<R> {
    /// Looks at the beginning of a file. Nothing is given yet: a header is a row like others.
    ///
    /// # Errors
    /// If the beginning cannot be read, or the dialect contradicts itself.
    pub(crate) fn new(input: R, file: &Name, dialect: &Dialect) -> Result<Records<R>, SourceError> {
        let fail = |problem| SourceError::Document { file: file.clone(), line: 0, problem };
        dialect.check().map_err(fail)?;
        let mark = |mark, natural| match mark {
            Mark::Natural => natural,
            Mark::Absent => None,
            Mark::Byte(byte) => Some(byte),
        };
        let (delimiter, quote, comments) = match dialect.delimiter {
            Delimiter::Whitespace => (None, None, vec!["#", "%"]),
            Delimiter::Byte(b'\t') => (Some(b'\t'), None, Vec::new()),
            Delimiter::Byte(byte) => (Some(byte), Some(b'"'), Vec::new()),
        };
        let given = dialect.comment.as_ref().map(|marks| marks.iter().map(|mark| mark.clone().into_bytes()).collect());
        let mut records = Records {
            input,
            file: file.clone(),
            marks: Marks {
                delimiter,
                quote: mark(dialect.quote, quote),
                escape: mark(dialect.escape, None),
                is_escape_open: dialect.escape == Mark::Natural,
                line_end: b'\n',
            },
            comments: given.unwrap_or_else(|| comments.iter().map(|mark| mark.as_bytes().to_vec()).collect()),
            is_quote_open: dialect.quote == Mark::Natural && delimiter == Some(b'\t'),
            buffer: Vec::new(),
            rest: 0..0,
            row: 0..0,
            cells: Cells::default(),
            text: None,
            next_line: 1,
            line: 0,
            n_comments: 0,
            tells_comments: dialect.comment.is_none(),
            comment_lines: Vec::new(),
            last_comment: 0,
            longest: LONGEST_RECORD,
            is_skipping: false,
            fault: None,
            over: false,
            failure: None,
            notes: Vec::new(),
        };
        records.fill();
        encoding::look(&records.buffer[records.rest.clone()], file)?;
        records.begin(dialect.comment.is_none() && dialect.delimiter != Delimiter::Whitespace);
        Ok(records)
    }

    /// Where the row read last begins.
    pub(crate) fn place(&self) -> Place {
        Place::new(&self.file, self.line)
    }

    /// The line on which the row read last begins.
    pub(crate) fn line(&self) -> u64 {
        self.line
    }

    /// The number of cells of the row read last.
    pub(crate) fn n_cells(&self) -> usize {
        self.cells.len()
    }

    /// A cell of the row read last, and whether it was quoted.
    pub(crate) fn bytes(&self, at: usize) -> Option<(&[u8], bool)> {
        self.cells.get(at, self.buffer.get(self.row.clone()).unwrap_or_default())
    }

    /// A cell of the row read last as text, empty where the row has no such cell, and whether it was quoted; `None` if it
    /// is not UTF-8.
    pub(crate) fn cell(&self, at: usize) -> Option<(&str, bool)> {
        if let Some(cell) = self.text.as_deref().and_then(|text| self.cells.get_text(at, text)) {
            return Some(cell);
        }
        let (cell, is_quoted) = self.bytes(at).unwrap_or_default();
        std::str::from_utf8(cell).ok().map(|cell| (cell, is_quoted))
    }

    /// A cell of the row read last as text.
    pub(crate) fn text(&self, at: usize) -> Result<&str, String> {
        let cell = self.cell(at).ok_or_else(|| format!("cell {} is not UTF-8 text: convert the file to UTF-8", at + 1));
        cell.map(|(cell, _)| cell)
    }

    /// The first comments that were passed over so far.
    pub(crate) fn comments(&self) -> &[String] {
        &self.comment_lines
    }

    /// What may be the matter with the row read last if it has another number of cells than it should.
    pub(crate) fn hint(&self) -> &'static str {
        let begins = |with: u8| {
            (0..self.cells.len()).any(|at| self.bytes(at).is_some_and(|(cell, _)| cell.first() == Some(&with)))
        };
        match self.bytes(0).and_then(|(cell, _)| cell.first().copied()) {
            Some(b'#') if self.comments.is_empty() => "; if it is a comment: --comment '#' (in a mapping `comment`)",
            Some(b'%') if self.comments.is_empty() => "; if it is a comment: --comment '%' (in a mapping `comment`)",
            _ if self.is_quote_open && begins(b'"') => "; if its cells are quoted: --quote '\"' (in a mapping `quote`)",
            _ => "",
        }
    }

    /// What was chosen of what the dialect leaves open, for people.
    pub(crate) fn notes(&self) -> Vec<String> {
        let mut notes = self.notes.clone();
        if self.n_comments > 0 && self.tells_comments {
            let lines = if self.n_comments == 1 { "line was" } else { "lines were" };
            notes.push(format!("{} {lines} passed over as comments", self.n_comments));
        }
        notes
    }

    /// Reads the next row that is not blank; `None` at the end, a problem for a row that cannot be read.
    pub(crate) fn advance(&mut self) -> Result<Option<Row>, SourceError> {
        loop {
            match self.next() {
                Next::Row(row) => return Ok(Some(row)),
                Next::End => {
                    let failed = |cause| SourceError::Read { file: self.file.clone(), line: self.next_line, cause };
                    return self.failure.take().map_or(Ok(None), |cause| Err(failed(cause)));
                }
                Next::Missing => self.fill(),
            }
        }
    }

    /// Gives the rows at the beginning that were read already, until `each` is not interested any more; they are given
    /// again afterwards. A row that cannot be read is left out.
    pub(crate) fn look_ahead(&mut self, mut each: impl FnMut(&Records<R>) -> bool) {
        let (rest, next_line, line) = (self.rest.clone(), self.next_line, self.line);
        let n_comments = self.n_comments;
        for _ in 0..LOOKED_AT {
            match self.next() {
                Next::Row(Ok(())) if !each(self) => break,
                Next::Row(_) => {}
                Next::Missing | Next::End => break,
            }
        }
        (self.rest, self.next_line, self.line, self.n_comments) = (rest, next_line, line, n_comments);
    }

    fn next(&mut self) -> Next {
        let next = self.cut();
        if matches!(next, Next::Row(Ok(()))) {
            let text = std::str::from_utf8(self.buffer.get(self.row.clone()).unwrap_or_default());
            let mut kept = self.text.take().unwrap_or_default();
            kept.clear();
            self.text = text.ok().map(|text| {
                kept.push_str(text);
                kept
            });
        }
        next
    }

    fn cut(&mut self) -> Next {
        loop {
            let unread = &self.buffer[self.rest.clone()];
            let Some(end) = memchr::memchr(self.marks.line_end, unread).or(self.over.then_some(unread.len())) else {
                if self.is_skipping {
                    self.rest.start = self.rest.end;
                } else if unread.len() > self.longest {
                    return self.skip_long_line();
                }
                return Next::Missing;
            };
            if unread.is_empty() {
                return Next::End;
            }
            if std::mem::take(&mut self.is_skipping) {
                self.consume(end);
                continue;
            }
            self.line = self.next_line;
            if end > self.longest {
                self.consume(end);
                return Next::Row(Err(long_line(self.longest)));
            }
            let line = &unread[..end];
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if line.is_empty() || (self.marks.delimiter.is_none() && line.trim_ascii().is_empty()) {
                self.consume(end);
                continue;
            }
            if self.comments.iter().any(|mark| line.starts_with(mark)) {
                self.pass_over(end);
                continue;
            }
            let Marks { quote, escape, .. } = self.marks;
            let is_plain = match (quote, escape) {
                (None, None) => true,
                (Some(quote), _) => memchr::memchr(quote, line).is_none(),
                (None, Some(escape)) => memchr::memchr(escape, line).is_none(),
            };
            if !is_plain {
                return self.cut_marked();
            }
            self.cells.cut_plain(line, self.marks.delimiter);
            self.row = self.rest.start..self.rest.start + line.len();
            let row = if self.is_quote_open { self.unquoted(line.len()) } else { Ok(()) };
            self.consume(end);
            return Next::Row(row);
        }
    }

    /// Takes a comment off what was read; the first ones are kept, for some tell what the columns are.
    fn pass_over(&mut self, end: usize) {
        self.n_comments += 1;
        if self.comment_lines.len() < KEPT_COMMENTS && self.next_line > self.last_comment {
            let line = &self.buffer[self.rest.start..self.rest.start + end.min(LONGEST_COMMENT)];
            self.comment_lines.push(String::from_utf8_lossy(line).trim().to_owned());
            self.last_comment = self.next_line;
        }
        self.consume(end);
    }

    /// Takes a line off what was read.
    fn consume(&mut self, end: usize) {
        self.rest.start = (self.rest.start + end + 1).min(self.rest.end);
        self.next_line += 1;
    }

    /// Cuts a row with quoted or escaped cells, which may go over many lines.
    fn cut_marked(&mut self) -> Next {
        let unread = &self.buffer[self.rest.clone()];
        let text = &unread[..unread.len().min(self.longest)];
        let is_whole = self.over && text.len() == unread.len();
        let cut = self.cells.cut(text, self.marks, is_whole);
        let is_at_end = matches!(cut, Ok(end) if end == text.len() && !is_whole) || matches!(cut, Err(Fault::Open(_)));
        if is_at_end && !self.over && unread.len() <= self.longest {
            return Next::Missing;
        }
        match cut {
            Ok(end) if end == text.len() && !is_whole => self.skip_long_line(),
            Ok(end) => {
                self.row = self.rest.start..self.rest.start + end;
                let n_lines = memchr::memchr_iter(self.marks.line_end, &text[..end]).count() as u64;
                self.consume(end);
                self.next_line += n_lines;
                Next::Row(Ok(()))
            }
            Err(fault) => {
                // What stands before the cell at fault is its row; the lines behind that one are rows of their own.
                let end = memchr::memchr(self.marks.line_end, &text[fault.start()..]);
                let end = end.map_or(text.len(), |end| fault.start() + end);
                let n_lines = memchr::memchr_iter(self.marks.line_end, &text[..end]).count() as u64;
                let problem = fault.message(self.cells.len() + 1);
                self.fault = Some(fault);
                self.consume(end);
                self.next_line += n_lines;
                Next::Row(Err(problem))
            }
        }
    }

    /// Whether a line of tabs looks as if its cells were quoted after all: then its marks cannot be taken as they stand.
    fn unquoted(&self, length: usize) -> Row {
        let line = &self.buffer[self.rest.start..self.rest.start + length];
        if memchr::memmem::find(line, b"\"\"").is_none() {
            return Ok(());
        }
        for at in 0..self.cells.len() {
            let inner = self.cells.get(at, line).and_then(|(cell, _)| cell.strip_prefix(b"\"")?.strip_suffix(b"\""));
            let has_doubled = inner.is_some_and(|inner| {
                let doubled = memchr::memmem::find_iter(inner, b"\"\"").count();
                doubled > 0 && 2 * doubled == memchr::memchr_iter(b'"', inner).count()
            });
            if has_doubled {
                return Err(format!(
                    "cell {} looks quoted as in CSV: --quote '\"' reads it so, --quote none as it stands (in a mapping `quote`)",
                    at + 1
                ));
            }
        }
        Ok(())
    }

    /// Refuses a line that is too long; the rest of it is passed over.
    fn skip_long_line(&mut self) -> Next {
        self.line = self.next_line;
        self.is_skipping = true;
        Next::Row(Err(long_line(self.longest)))
    }

    /// Reads on, so much that a row which is still not whole costs no more than twice its length.
    fn fill(&mut self) {
        self.buffer.copy_within(self.rest.clone(), 0);
        self.rest = 0..self.rest.len();
        let wanted = (2 * self.rest.len()).max(CHUNK);
        self.buffer.resize(self.buffer.len().max(wanted), 0);
        while self.rest.end < wanted && !self.over {
            match self.input.read(&mut self.buffer[self.rest.end..wanted]) {
                Ok(0) => self.over = true,
                Ok(amount) => self.rest.end += amount,
                Err(cause) if cause.kind() == std::io::ErrorKind::Interrupted => {}
                // What was read before is given first.
                Err(cause) => (self.over, self.failure) = (true, Some(cause)),
            }
        }
    }

    /// Looks at the beginning for what the dialect leaves open.
    fn begin(&mut self, passes_over_marks: bool) {
        let begin = &self.buffer[self.rest.clone()];
        if begin.starts_with(b"\xef\xbb\xbf") {
            self.rest.start += 3;
        }
        if memchr::memchr(b'\n', begin).is_none() && memchr::memchr(b'\r', begin).is_some() {
            self.marks.line_end = b'\r';
        }
        if passes_over_marks {
            self.pass_over_preamble();
        }
        if self.is_quote_open {
            self.ask_header_for_quotes();
        }
        if self.marks.quote.is_some() && self.marks.is_escape_open {
            self.look_for_escapes();
        }
    }

    /// Lines with `#` or `%` and without a delimiter, before anything else, are no header.
    fn pass_over_preamble(&mut self) {
        loop {
            let unread = &self.buffer[self.rest.clone()];
            let Some(end) = memchr::memchr(self.marks.line_end, unread) else { return };
            let line = &unread[..end];
            let delimiter = self.marks.delimiter.unwrap_or(b',');
            if !line.starts_with(b"#") && !line.starts_with(b"%") || line.contains(&delimiter) {
                return;
            }
            self.pass_over(end);
        }
    }

    /// Tables of tabs are not quoted, unless the first row is from its first cell to its last.
    fn ask_header_for_quotes(&mut self) {
        let mut is_quoted = false;
        self.look_ahead(|row| {
            let is_quoted_cell = |at| row.bytes(at).is_some_and(|(cell, _)| matches!(cell, [b'"', .., b'"']));
            is_quoted = (0..row.n_cells()).all(is_quoted_cell);
            false
        });
        if is_quoted {
            (self.marks.quote, self.is_quote_open) = (Some(b'"'), false);
            self.notes.push("cells are quoted, as those of the first row are".into());
        }
    }

    /// Whether backslashes escape quotation marks.
    fn look_for_escapes(&mut self) {
        if memchr::memmem::find(&self.buffer[self.rest.clone()], b"\\\"").is_none() {
            return;
        }
        let (rest, next_line, line, n_comments) = (self.rest.clone(), self.next_line, self.line, self.n_comments);
        for _ in 0..LOOKED_AT {
            let next = self.next();
            if matches!((&next, self.fault), (Next::Row(Err(_)), Some(Fault::Escaped(_)))) {
                (self.marks.escape, self.marks.is_escape_open) = (Some(b'\\'), false);
                let place = self.place();
                self.notes.push(format!("backslashes escape quotation marks, as line {} shows", place.line));
                break;
            }
            if matches!(next, Next::Missing | Next::End) {
                break;
            }
        }
        (self.rest, self.next_line, self.line, self.n_comments) = (rest, next_line, line, n_comments);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Cells of every row, or why it was refused, with its line.
    fn rows(text: &str, longest: usize) -> Vec<(u64, Result<Vec<String>, String>)> {
        let mut records =
            Records::new(text.as_bytes(), &"f".into(), &Dialect::default()).unwrap_or_else(|e| panic!("{e}"));
        records.longest = longest;
        let mut rows = Vec::new();
        while let Some(row) = records.advance().unwrap_or_default() {
            let cells =
                row.and_then(|()| (0..records.n_cells()).map(|at| records.text(at).map(str::to_owned)).collect());
            rows.push((records.line(), cells));
        }
        assert!(records.buffer.len() <= (4 * longest).max(4 * CHUNK), "memory is bounded");
        rows
    }

    fn cells(cells: &[&str]) -> Result<Vec<String>, String> {
        Ok(cells.iter().map(|cell| (*cell).to_owned()).collect())
    }

    #[test]
    fn rows_come_whole_over_the_ends_of_reads() {
        let long = "y\n".repeat(CHUNK);
        let found = rows(&format!("a,b\n1,\"{long}\"\n2,\"\"\"{long}\"\"\"\n3,z"), LONGEST_RECORD);
        let after = 3 + CHUNK as u64;
        let expected = [
            (1, cells(&["a", "b"])),
            (2, cells(&["1", &long])),
            (after, cells(&["2", &format!("\"{long}\"")])),
            (after + 1 + CHUNK as u64, cells(&["3", "z"])),
        ];
        assert!(found == expected);
    }

    #[test]
    fn a_row_without_end_is_refused_in_bounded_memory() {
        let longest = 1 << 16;
        let filler = "x".repeat(10 * CHUNK);
        let found = rows(&format!("a,b\n{filler}\n2,z\n"), longest);
        assert_eq!(found[1].1, Err(long_line(longest)));
        assert_eq!(found[2..], [(3, cells(&["2", "z"]))]);

        let lines = "2,z\n".repeat(3 * CHUNK / 4);
        let found = rows(&format!("a,b\n1,\"{lines}"), longest);
        assert!(found[1].1.as_ref().is_err_and(|problem| problem.contains("never closes")));
        assert_eq!((found.len(), &found[2]), (1 + 3 * CHUNK / 4, &(3, cells(&["2", "z"]))));

        let found = rows(&format!("a,b\n1,\"{filler}"), longest);
        assert_eq!(found.len(), 2, "the file ends within the line");
    }

    #[test]
    fn a_failure_comes_behind_what_was_read() {
        struct Failing(bool);
        impl Read for Failing {
            fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
                if std::mem::replace(&mut self.0, true) {
                    return Err(std::io::Error::other("the disk is gone"));
                }
                buffer[..4].copy_from_slice(b"a,b\n");
                Ok(4)
            }
        }
        let mut records =
            Records::new(Failing(false), &"f".into(), &Dialect::default()).unwrap_or_else(|e| panic!("{e}"));
        assert!(matches!(records.advance(), Ok(Some(Ok(())))));
        let failure = records.advance().err().map(|error| error.to_string());
        assert_eq!(failure.as_deref(), Some("f:2: reading stopped: the disk is gone"));
    }
}
