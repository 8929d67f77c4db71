//! The cells of one row.

use std::ops::Range;

/// The marks of a file, once they are known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Marks {
    /// `None`: runs of spaces and tabs.
    pub(super) delimiter: Option<u8>,
    pub(super) quote: Option<u8>,
    pub(super) escape: Option<u8>,
    /// Whether it is open what a backslash before a quotation mark means.
    pub(super) is_escape_open: bool,
    pub(super) line_end: u8,
}

/// Why the cells of a row cannot be told apart. Positions are bytes from the start of the row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Fault {
    /// The text ended within a quoted cell that begins here.
    Open(usize),
    /// Text stands behind the closing mark of the quoted cell that begins here.
    Behind(usize),
    /// A backslash stands before what may close the quoted cell that begins here.
    Backslash(usize),
    /// The same, and the cell goes on: the backslash escapes the mark.
    Escaped(usize),
}

impl Fault {
    /// Where the cell at fault begins.
    pub(super) fn start(self) -> usize {
        match self {
            Fault::Open(at) | Fault::Behind(at) | Fault::Backslash(at) | Fault::Escaped(at) => at,
        }
    }

    /// What is wrong, for people; `cell` counts from 1.
    fn problem(self, cell: usize) -> String {
        match self {
            Fault::Open(_) => format!("cell {cell} begins with a quotation mark and never closes: close it"),
            Fault::Behind(_) => {
                format!("cell {cell} goes on behind its closing quotation mark: write marks in a quoted cell twice")
            }
            Fault::Backslash(_) | Fault::Escaped(_) => format!(
                "cell {cell} has a backslash before a quotation mark: --escape '\\' reads it as Spark writes it, \
                 --escape none as a backslash (in a mapping `escape`)"
            ),
        }
    }

    /// The same, and what helps where the dialect is open.
    pub(super) fn message(self, cell: usize) -> String {
        let plain = match self {
            Fault::Open(_) | Fault::Behind(_) => {
                ", or if marks quote nothing in this file: --quote none (in a mapping `quote = \"none\"`)"
            }
            Fault::Backslash(_) | Fault::Escaped(_) => "",
        };
        self.problem(cell) + plain
    }
}

/// Cuts one line whose cells may be quoted; none goes over its end.
pub(crate) fn cut_line(line: &str, delimiter: u8) -> Result<Vec<String>, String> {
    let (quote, escape) = (Some(b'"'), None);
    let marks = Marks { delimiter: Some(delimiter), quote, escape, is_escape_open: false, line_end: b'\n' };
    let mut cells = Cells::default();
    cells.cut(line.as_bytes(), marks, true).map_err(|fault| fault.problem(cells.len() + 1))?;
    let texts = (0..cells.len()).filter_map(|at| cells.get(at, line.as_bytes()));
    Ok(texts.map(|(cell, _)| String::from_utf8_lossy(cell).into_owned()).collect())
}

/// A cell: bytes of the row, or of the texts that were taken out of their quotes.
#[derive(Clone, Copy)]
struct Span {
    start: usize,
    end: usize,
    is_quoted: bool,
    is_apart: bool,
}

/// The cells of one row; the buffers are used again for every row.
#[derive(Default)]
pub(super) struct Cells {
    row: Vec<Span>,
    apart: Vec<u8>,
}

impl Cells {
    /// Number of cells.
    pub(super) fn len(&self) -> usize {
        self.row.len()
    }

    /// A cell, and whether it was quoted; `text` is the row.
    pub(super) fn get<'a>(&'a self, at: usize, text: &'a [u8]) -> Option<(&'a [u8], bool)> {
        let Span { start, end, is_quoted, is_apart } = *self.row.get(at)?;
        let from = if is_apart { &self.apart } else { text };
        Some((from.get(start..end).unwrap_or_default(), is_quoted))
    }

    /// The same cell where the row is text; `None` for one that stands apart.
    pub(super) fn get_text<'a>(&'a self, at: usize, text: &'a str) -> Option<(&'a str, bool)> {
        let Span { start, end, is_quoted, is_apart } = *self.row.get(at)?;
        if is_apart { None } else { text.get(start..end).map(|cell| (cell, is_quoted)) }
    }

    fn push(&mut self, range: Range<usize>) {
        self.row.push(Span { start: range.start, end: range.end, is_quoted: false, is_apart: false });
    }

    fn clear(&mut self) {
        self.row.clear();
        self.apart.clear();
    }

    /// Cuts a line without marks of any kind.
    pub(super) fn cut_plain(&mut self, line: &[u8], delimiter: Option<u8>) {
        self.clear();
        let Some(delimiter) = delimiter else {
            let is_space = |byte: &u8| byte.is_ascii_whitespace();
            let mut start = 0;
            while let Some(skip) = line[start..].iter().position(|byte| !is_space(byte)) {
                start += skip;
                let end = line[start..].iter().position(is_space).map_or(line.len(), |length| start + length);
                self.push(start..end);
                start = end;
            }
            return;
        };
        let mut start = 0;
        // Cells are a few bytes long: looking at each byte is quicker than searching for the next delimiter.
        for (at, byte) in line.iter().enumerate() {
            if *byte == delimiter {
                self.push(start..at);
                start = at + 1;
            }
        }
        self.push(start..line.len());
    }

    /// Cuts a row with quoted or escaped cells, and gives where it ends: at a line end, or at the end of the text if
    /// `is_last`.
    pub(super) fn cut(&mut self, text: &[u8], marks: Marks, is_last: bool) -> Result<usize, Fault> {
        self.clear();
        let mut at = 0;
        loop {
            let quote = marks.quote.filter(|quote| text.get(at) == Some(quote));
            at = match quote {
                Some(quote) => self.quoted(text, at, quote, marks, is_last)?,
                None if marks.quote.is_none() && marks.escape.is_some() => self.escaped(text, at, marks, is_last)?,
                None => self.unquoted(text, at, marks),
            };
            if at >= text.len() || text[at] != marks.delimiter.unwrap_or(b'\t') {
                return Ok(at);
            }
            at += 1;
        }
    }

    fn unquoted(&mut self, text: &[u8], start: usize, marks: Marks) -> usize {
        let delimiter = marks.delimiter.unwrap_or(b'\t');
        let end = memchr::memchr2(delimiter, marks.line_end, &text[start..]).map_or(text.len(), |found| start + found);
        let is_line_end = text.get(end) != Some(&delimiter);
        let cell = &text[start..end];
        let length = if is_line_end { cell.strip_suffix(b"\r").unwrap_or(cell).len() } else { cell.len() };
        self.push(start..start + length);
        end
    }

    /// A cell of a file without quotes, where the escape takes the meaning from what follows it.
    fn escaped(&mut self, text: &[u8], start: usize, marks: Marks, is_last: bool) -> Result<usize, Fault> {
        let (delimiter, escape) = (marks.delimiter.unwrap_or(b'\t'), marks.escape.unwrap_or(b'\\'));
        let (first, mut at) = (self.apart.len(), start);
        loop {
            let rest = &text[at..];
            let found = memchr::memchr3(delimiter, marks.line_end, escape, rest).map_or(text.len(), |found| at + found);
            self.apart.extend_from_slice(&text[at..found]);
            if text.get(found) != Some(&escape) {
                if text.get(found) != Some(&delimiter) && self.apart.len() > first && self.apart.last() == Some(&b'\r')
                {
                    self.apart.pop();
                }
                self.row.push(Span { start: first, end: self.apart.len(), is_quoted: false, is_apart: true });
                return Ok(found);
            }
            match text.get(found + 1) {
                None if !is_last => return Err(Fault::Open(start)),
                Some(&byte) if byte == escape || byte == delimiter || byte == marks.line_end => self.apart.push(byte),
                Some(&byte) => self.apart.extend([escape, byte]),
                None => self.apart.push(escape),
            }
            at = (found + 2).min(text.len());
        }
    }

    fn quoted(&mut self, text: &[u8], start: usize, quote: u8, marks: Marks, is_last: bool) -> Result<usize, Fault> {
        let escape = marks.escape.unwrap_or(quote);
        let (first, mut from, mut at) = (self.apart.len(), start + 1, start + 1);
        let close = loop {
            let found = memchr::memchr2(quote, escape, &text[at..]).ok_or(Fault::Open(start))? + at;
            let next = text.get(found + 1).copied();
            if next.is_none() && !is_last {
                return Err(Fault::Open(start));
            }
            let is_escape = text[found] == escape;
            at = match next {
                // A mark that is written twice, or escaped, is one.
                Some(byte) if byte == quote || (is_escape && byte == escape) => {
                    self.apart.extend_from_slice(&text[from..found]);
                    from = found + 1;
                    found + 2
                }
                _ if text[found] == quote => break found,
                _ => found + 1,
            };
        };
        let has_backslash = marks.is_escape_open && close > start + 1 && text[close - 1] == b'\\';
        let end =
            if text.get(close + 1) == Some(&b'\r') && text.get(close + 2).is_none_or(|byte| *byte == marks.line_end) {
                close + 2
            } else {
                close + 1
            };
        if end >= text.len() && !is_last {
            return Err(Fault::Open(start));
        }
        let is_end = text.get(end).is_none_or(|byte| Some(*byte) == marks.delimiter || *byte == marks.line_end);
        match (is_end, has_backslash) {
            (true, false) => {}
            (true, true) => return Err(Fault::Backslash(start)),
            (false, true) => return Err(Fault::Escaped(start)),
            (false, false) => return Err(Fault::Behind(start)),
        }
        let span = if from == start + 1 {
            Span { start: from, end: close, is_quoted: true, is_apart: false }
        } else {
            self.apart.extend_from_slice(&text[from..close]);
            Span { start: first, end: self.apart.len(), is_quoted: true, is_apart: true }
        };
        self.row.push(span);
        Ok(end)
    }
}
