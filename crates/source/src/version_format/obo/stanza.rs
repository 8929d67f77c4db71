//! The lines of an OBO file, stanza by stanza.

use std::io::BufRead;

use timeweft_graph::Name;

use super::line;
use crate::SourceError;
use crate::limits::{LONGEST_RECORD, too_long};
use crate::text::lines::Lines;

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
    longest: usize,
}

/// What a tag takes in memory beside its text.
const TAG: usize = 64;

impl<R: BufRead> Stanzas<R> {
    pub(super) fn new(reader: R, file: &Name) -> Stanzas<R> {
        Stanzas { lines: Lines::new(reader, file), next: None, longest: LONGEST_RECORD }
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
        let mut size = 0;
        while let Some((text, line)) = self.logical_line(stanza, &mut size)? {
            let text = text.trim();
            if text.is_empty() || text.starts_with('!') {
                continue;
            }
            if let Some(name) = text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
                self.next = Some(Stanza { name: name.0.trim().to_owned(), line, ..Stanza::default() });
                return Ok(());
            }
            match line::read(text) {
                Some((tag, value)) => stanza.tags.push(TagLine { tag, value, line }),
                None => stanza.problems.push(Problem::new(line, "expected `tag: value` or `[Stanza]`", Loss::Anything)),
            }
        }
        Ok(())
    }

    /// A line with those that a backslash at its end continues.
    /// `size` is what the stanza takes so far.
    fn logical_line(&mut self, stanza: &mut Stanza, size: &mut usize) -> Result<Option<(String, u64)>, SourceError> {
        let mut joined: Option<(String, u64)> = None;
        while self.lines.advance()? {
            let line = self.lines.line();
            *size += self.lines.bytes().len() + TAG;
            if *size > self.longest {
                return Err(self.too_long(stanza));
            }
            let loss = Loss::of(self.lines.bytes());
            let text = match self.lines.text() {
                Ok(text) => text,
                Err(reject) => {
                    stanza.problems.push(Problem::new(line, reject.reason.to_string(), loss));
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

    fn too_long(&self, stanza: &Stanza) -> SourceError {
        let what = match &*stanza.name {
            "" => "the header, up to the first `[Term]`,".to_owned(),
            name => format!("the stanza [{name}] of line {}", stanza.line),
        };
        let problem = format!("{}: is this an OBO file?", too_long(&what, self.longest));
        SourceError::Document { file: self.lines.place().file, line: self.lines.line(), problem }
    }
}

fn trailing_backslashes(text: &str) -> usize {
    text.bytes().rev().take_while(|byte| *byte == b'\\').count()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// Reads all stanzas, each of at most `limit` bytes.
    fn read(text: &str, longest: usize) -> Result<usize, String> {
        let mut stanzas = Stanzas { longest, ..Stanzas::new(text.as_bytes(), &"f".into()) };
        let all = (|| {
            stanzas.header()?;
            let mut n = 0;
            while stanzas.advance()?.is_some() {
                n += 1;
            }
            Ok(n)
        })();
        all.map_err(|error: SourceError| error.to_string())
    }

    #[test]
    fn a_stanza_without_end_is_refused_and_many_short_ones_are_read() {
        let longest = 1 << 20;
        let short = "[Term]\nid: X:1\nname: one\n\n".repeat(100_000);
        assert_eq!(read(&short, longest), Ok(100_000), "the limit is one of each stanza");
        for (line, held) in [("synonym: x\n", 15), ("no tag\n", 10), ("a: \\\n", 10), ("! said\n", 10), ("\u{0}\n", 5)]
        {
            let text = format!("format-version: 1.2\n\n[Term]\n{}", line.repeat(longest / held));
            let told = read(&text, longest).unwrap_err();
            assert!(told.contains("the stanza [Term] of line 3 is longer than 1 MiB"), "{told}");
        }
        let told = read(&"no tag\n".repeat(longest / 10), longest).unwrap_err();
        assert!(told.contains("the header, up to the first `[Term]`, is longer than 1 MiB"), "{told}");
    }
}
