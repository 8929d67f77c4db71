//! The lines of an OBO file, stanza by stanza.

use std::io::BufRead;

use timeweft_graph::Name;

use super::tag;
use crate::SourceError;
use crate::input::Lines;

/// `[Name]` and the tags below it.
#[derive(Default)]
pub(super) struct Stanza {
    pub(super) name: String,
    pub(super) line: u64,
    pub(super) tags: Vec<TagLine>,
    pub(super) problems: Vec<Problem>,
}

/// A line that could not be read, and why.
pub(super) struct Problem {
    pub(super) line: u64,
    pub(super) what: String,
    pub(super) loss: Loss,
}

impl Problem {
    pub(super) fn new(line: u64, what: impl Into<String>, loss: Loss) -> Problem {
        Problem { line, what: what.into(), loss }
    }
}

/// What a line that cannot be read leaves unknown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Loss {
    /// No element: a feature of its term, or what other lines say.
    Nothing,
    /// An edge from its term.
    Edge,
    /// Any element: it may have begun another term.
    Anything,
}

impl Loss {
    /// Of a line that is no text, as far as its tag shows.
    fn of(line: &[u8]) -> Loss {
        let tag = line.iter().position(|byte| *byte == b':').map(|end| line[..end].trim_ascii());
        match tag.and_then(|tag| std::str::from_utf8(tag).ok()) {
            Some("is_a" | "instance_of" | "relationship") => Loss::Edge,
            Some("id" | "is_obsolete") | None => Loss::Anything,
            Some(tag) if tag.contains(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '-') => Loss::Anything,
            Some(_) => Loss::Nothing,
        }
    }
}

/// `tag: value`, without comment and qualifiers; escapes are still in the value.
pub(super) struct TagLine {
    pub(super) tag: String,
    pub(super) value: String,
    pub(super) line: u64,
}

/// Reads stanza after stanza.
pub(super) struct Stanzas<R> {
    lines: Lines<R>,
    next: Option<Stanza>,
}

impl<R: BufRead> Stanzas<R> {
    pub(super) fn new(reader: R, file: &Name) -> Result<Stanzas<R>, SourceError> {
        Ok(Stanzas { lines: Lines::of_text(reader, file)?, next: None })
    }

    /// The tags before the first stanza.
    pub(super) fn header(&mut self) -> Result<Stanza, SourceError> {
        let mut header = Stanza::default();
        self.fill(&mut header)?;
        // Without a tag of a term below it no line of the header was the beginning of one.
        let is_of_term = |line: &TagLine| matches!(&*line.tag, "id" | "name" | "def" | "is_a");
        if !header.tags.iter().any(is_of_term) {
            header.problems.iter_mut().for_each(|problem| problem.loss = Loss::Nothing);
        }
        Ok(header)
    }

    /// The next stanza.
    pub(super) fn advance(&mut self) -> Result<Option<Stanza>, SourceError> {
        let Some(mut stanza) = self.next.take() else { return Ok(None) };
        self.fill(&mut stanza)?;
        Ok(Some(stanza))
    }

    /// Reads tags up to the beginning of the next stanza.
    fn fill(&mut self, stanza: &mut Stanza) -> Result<(), SourceError> {
        while let Some((text, line)) = self.logical_line(&mut stanza.problems)? {
            let text = text.trim();
            if text.is_empty() || text.starts_with('!') {
                continue;
            }
            if let Some(name) = text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
                self.next = Some(Stanza { name: name.0.trim().to_owned(), line, ..Stanza::default() });
                return Ok(());
            }
            match tag::line(text) {
                Some((tag, value)) => stanza.tags.push(TagLine { tag, value, line }),
                None => stanza.problems.push(Problem::new(line, "expected `tag: value` or `[Stanza]`", Loss::Anything)),
            }
        }
        Ok(())
    }

    /// A line with those that a backslash at its end continues.
    fn logical_line(&mut self, problems: &mut Vec<Problem>) -> Result<Option<(String, u64)>, SourceError> {
        let mut joined: Option<(String, u64)> = None;
        while self.lines.advance()? {
            let line = self.lines.line();
            let loss = Loss::of(self.lines.bytes());
            let text = match self.lines.text() {
                Ok(text) => text,
                Err(reject) => {
                    problems.push(Problem::new(line, reject.reason.to_string(), loss));
                    continue;
                }
            };
            let (part, goes_on) = match text.strip_suffix('\\') {
                Some(part) if trailing_backslashes(part).is_multiple_of(2) => (part, true),
                _ => (text, false),
            };
            joined.get_or_insert_with(|| (String::new(), line)).0.push_str(part);
            if !goes_on {
                break;
            }
        }
        Ok(joined)
    }
}

fn trailing_backslashes(text: &str) -> usize {
    text.bytes().rev().take_while(|byte| *byte == b'\\').count()
}
