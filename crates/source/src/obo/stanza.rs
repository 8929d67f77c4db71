//! The lines of an OBO file, stanza by stanza.

use std::io::BufRead;

use timeweft_graph::{Name, Place, Reason, Reject};

use super::tag;
use crate::SourceError;
use crate::input::Lines;

/// `[Name]` and the tags below it.
pub(super) struct Stanza {
    pub(super) name: String,
    pub(super) place: Place,
    pub(super) tags: Vec<TagLine>,
}

/// `tag: value`, without comment and qualifiers; escapes are still in the value.
pub(super) struct TagLine {
    pub(super) tag: String,
    pub(super) value: String,
    pub(super) place: Place,
}

/// Reads stanza after stanza.
pub(super) struct Stanzas<R> {
    lines: Lines<R>,
    next: Option<Stanza>,
    rejects: Vec<Reject>,
}

impl<R: BufRead> Stanzas<R> {
    pub(super) fn new(reader: R, file: &Name) -> Stanzas<R> {
        Stanzas { lines: Lines::new(reader, file), next: None, rejects: Vec::new() }
    }

    /// The tags before the first stanza.
    pub(super) fn header(&mut self) -> Result<Stanza, SourceError> {
        let mut header = Stanza { name: String::new(), place: self.lines.place(), tags: Vec::new() };
        self.fill(&mut header)?;
        Ok(header)
    }

    /// The next stanza.
    pub(super) fn advance(&mut self) -> Result<Option<Stanza>, SourceError> {
        let Some(mut stanza) = self.next.take() else { return Ok(None) };
        self.fill(&mut stanza)?;
        Ok(Some(stanza))
    }

    /// Lines that could not be read.
    pub(super) fn into_rejects(self) -> Vec<Reject> {
        self.rejects
    }

    /// Reads tags up to the beginning of the next stanza.
    fn fill(&mut self, stanza: &mut Stanza) -> Result<(), SourceError> {
        while let Some((text, place)) = self.logical_line()? {
            let text = text.trim();
            if text.is_empty() || text.starts_with('!') {
                continue;
            }
            if let Some(name) = text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
                self.next = Some(Stanza { name: name.0.trim().to_owned(), place, tags: Vec::new() });
                return Ok(());
            }
            match tag::line(text) {
                Some((tag, value)) => stanza.tags.push(TagLine { tag, value, place }),
                None => {
                    let reason = Reason::Malformed("expected `tag: value` or `[Stanza]`".into());
                    self.rejects.push(Reject { place, reason });
                }
            }
        }
        Ok(())
    }

    /// A line with those that a backslash at its end continues.
    fn logical_line(&mut self) -> Result<Option<(String, Place)>, SourceError> {
        let mut joined: Option<(String, Place)> = None;
        while self.lines.advance()? {
            let place = self.lines.place();
            let text = match self.lines.text() {
                Ok(text) => text,
                Err(reject) => {
                    self.rejects.push(reject);
                    continue;
                }
            };
            let (part, goes_on) = match text.strip_suffix('\\') {
                Some(part) if trailing_backslashes(part).is_multiple_of(2) => (part, true),
                _ => (text, false),
            };
            joined.get_or_insert_with(|| (String::new(), place)).0.push_str(part);
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
