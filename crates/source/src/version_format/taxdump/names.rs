//! `names.dmp`, read in step with the taxa.

use std::sync::atomic::{AtomicBool, Ordering};

use rustc_hash::{FxHashMap, FxHashSet};
use timeweft_graph::Name;

use super::taxa::Taxon;
use super::{Fields, ONES};
use crate::text::byte_lines::ByteLines;
use crate::text::encoding::utf8;
use crate::{Input, SourceError};

/// The names of one taxon.
#[derive(Default)]
pub(super) struct Card {
    scientific_name: Vec<u8>,
    scientific_names: usize,
    /// Aliases as JSON objects, one behind the other.
    aliases: Vec<u8>,
    /// Where each of them lies.
    ranges: Vec<(usize, usize)>,
}

impl Card {
    fn clear(&mut self) {
        self.scientific_name.clear();
        self.scientific_names = 0;
        self.aliases.clear();
        self.ranges.clear();
    }

    /// Takes in a line, behind its tax_id.
    fn add(&mut self, mut fields: Fields<'_>) -> Result<(), String> {
        let name = fields.next();
        let mut third = Fields { rest: fields.rest };
        fields.skip_fields(1);
        let class = match fields.next() {
            // A line of three columns ends in the class.
            Some(b"") | None if fields.rest.is_none() => third.next().filter(|class| !matches!(*class, b"" | b"-")),
            class => class,
        };
        let (Some(name), Some(class)) = (name, class) else {
            return Err("expected tax_id, name, unique name and name class".into());
        };
        let name = Text::of(name)?;
        if name.bytes().is_empty() || class.is_empty() {
            return Err("the name or its class is empty".into());
        }
        if class == b"scientific name" {
            self.scientific_name.clear();
            self.scientific_name.extend_from_slice(name.bytes());
            self.scientific_names += 1;
        } else {
            let class = Text::of(class)?;
            let start = self.aliases.len();
            self.aliases.extend_from_slice(b"{\"category\":");
            class.write_json(&mut self.aliases);
            self.aliases.extend_from_slice(b",\"name\":");
            name.write_json(&mut self.aliases);
            self.aliases.push(b'}');
            self.ranges.push((start, self.aliases.len()));
        }
        Ok(())
    }

    /// Appends its texts.
    fn pack(&mut self, out: &mut Vec<u8>) -> Packed {
        out.extend_from_slice(&self.scientific_name);
        let name = out.len();
        self.write_aliases(out);
        Packed { scientific_names: self.scientific_names, name, aliases: out.len() }
    }

    /// Appends the aliases as a JSON list in the canonical order of a multiset.
    fn write_aliases(&mut self, out: &mut Vec<u8>) {
        let aliases = &self.aliases;
        if self.ranges.len() > 1 {
            self.ranges.sort_unstable_by_key(|&(start, end)| &aliases[start..end]);
        }
        out.push(b'[');
        for (at, &(start, end)) in self.ranges.iter().enumerate() {
            if at > 0 {
                out.push(b',');
            }
            out.extend_from_slice(&aliases[start..end]);
        }
        out.push(b']');
    }
}

/// A piece of text.
enum Text<'a> {
    /// Only of characters that stand for themselves in JSON.
    Plain(&'a [u8]),
    Any(&'a str),
}

impl<'a> Text<'a> {
    fn of(bytes: &'a [u8]) -> Result<Text<'a>, String> {
        Ok(if is_plain(bytes) { Text::Plain(bytes) } else { Text::Any(utf8(bytes)?) })
    }

    fn bytes(&self) -> &'a [u8] {
        match self {
            Text::Plain(bytes) => bytes,
            Text::Any(text) => text.as_bytes(),
        }
    }

    /// Appends it as JSON, as the JSON library writes it.
    fn write_json(&self, out: &mut Vec<u8>) {
        match self {
            Text::Plain(bytes) => {
                out.push(b'"');
                out.extend_from_slice(bytes);
                out.push(b'"');
            }
            // Writing a text into memory cannot fail.
            Text::Any(text) => _ = serde_json::to_writer(out, text),
        }
    }
}

/// Whether all bytes are ASCII characters that stand for themselves in JSON, eight at a time.
fn is_plain(bytes: &[u8]) -> bool {
    // The highest bit is set in the lowest byte that is zero, and in none below.
    let zeros = |block: u64| block.wrapping_sub(ONES) & !block;
    let other = |block: u64| {
        let below_space = block.wrapping_sub(ONES * u64::from(b' ')) & !block;
        block | below_space | zeros(block ^ (ONES * u64::from(b'"'))) | zeros(block ^ (ONES * u64::from(b'\\')))
    };
    let (blocks, rest) = bytes.as_chunks::<8>();
    let mut last = [b' '; 8];
    last[..rest.len()].copy_from_slice(rest);
    let others = blocks.iter().chain([&last]).fold(0, |others, block| others | other(u64::from_le_bytes(*block)));
    others & (ONES << 7) == 0
}

/// The names of some taxa, one behind the other.
#[derive(Default)]
pub(super) struct Batch {
    /// Of every taxon the scientific name, then the aliases.
    text: String,
    cards: Vec<Packed>,
    pub(super) problems: Vec<Problem>,
}

/// Where the texts of a card end.
struct Packed {
    scientific_names: usize,
    name: usize,
    aliases: usize,
}

/// A line that is refused.
pub(super) struct Problem {
    /// Found before the names of the taxon at this position of the batch were complete.
    pub(super) before: usize,
    pub(super) line: u64,
    pub(super) what: String,
    /// The taxon whose name it is.
    pub(super) of: Option<u32>,
}

/// The names of a taxon, borrowed.
pub(super) struct CardRef<'a> {
    pub(super) scientific_name: &'a str,
    pub(super) scientific_names: usize,
    /// JSON list in the canonical order of a multiset.
    pub(super) aliases: &'a str,
}

impl Batch {
    /// A batch of one card.
    pub(super) fn of(mut card: Card) -> Batch {
        let mut batch = Batch::default();
        let Ok(()) = batch.fill(|cards, text| {
            cards.push(card.pack(text));
            Ok::<_, std::convert::Infallible>(())
        });
        batch
    }

    /// Fills it anew. Names are looked at as bytes; that all of them are text is told to the compiler only once.
    fn fill<E>(&mut self, fill: impl FnOnce(&mut Vec<Packed>, &mut Vec<u8>) -> Result<(), E>) -> Result<(), E> {
        let mut bytes = std::mem::take(&mut self.text).into_bytes();
        bytes.clear();
        self.cards.clear();
        fill(&mut self.cards, &mut bytes)?;
        self.text = String::from_utf8(bytes).unwrap_or_default();
        Ok(())
    }

    /// The cards, one for each taxon.
    pub(super) fn cards(&self) -> impl Iterator<Item = CardRef<'_>> {
        let mut start = 0;
        self.cards.iter().map(move |card| {
            let text = |from: usize, to: usize| self.text.get(from..to).unwrap_or_default();
            let (scientific_name, aliases) = (text(start, card.name), text(card.name, card.aliases));
            start = card.aliases;
            CardRef { scientific_name, scientific_names: card.scientific_names, aliases }
        })
    }
}

/// The ids with a line behind one of a greater id. In the dumps of the NCBI there are none.
/// Nobody waits for the answer any more once the reading `is_over`.
pub(super) fn late_ids(mut lines: ByteLines<Input>, is_over: &AtomicBool) -> Result<FxHashSet<u32>, SourceError> {
    let (mut late, mut greatest) = (FxHashSet::default(), 0);
    while !is_over.load(Ordering::Relaxed) && lines.advance()? {
        let Ok(id) = Fields::of(lines.bytes()).id() else { continue };
        if id < greatest {
            late.insert(id);
        }
        greatest = greatest.max(id);
    }
    Ok(late)
}

/// Whether lines of this taxon do not come in order.
pub(super) fn is_late(late: &FxHashSet<u32>, id: u32) -> bool {
    !late.is_empty() && late.contains(&id)
}

/// The file, at a line whose names are not late.
pub(super) struct NameFile<'a> {
    lines: ByteLines<Input>,
    /// Taxon of the present line; `None` behind the last one.
    id: Option<u32>,
    pub(super) late: &'a FxHashSet<u32>,
    cards: FxHashMap<u32, Card>,
    card: Card,
    problems: Vec<Problem>,
    /// Position in the batch.
    at: usize,
}

/// What is left when all taxa in order have their names.
#[derive(Default)]
pub(super) struct RestOfNames {
    /// Those that did not come in order.
    pub(super) cards: FxHashMap<u32, Card>,
    pub(super) problems: Vec<Problem>,
}

impl<'a> NameFile<'a> {
    pub(super) fn new(lines: ByteLines<Input>, late: &'a FxHashSet<u32>) -> Result<NameFile<'a>, SourceError> {
        let (cards, card, problems) = (FxHashMap::default(), Card::default(), Vec::new());
        let mut names = NameFile { lines, id: None, late, cards, card, problems, at: 0 };
        names.step()?;
        Ok(names)
    }

    pub(super) fn file(&self) -> &Name {
        self.lines.file()
    }

    /// Goes on to the next line whose names are not late.
    fn step(&mut self) -> Result<(), SourceError> {
        self.id = None;
        while self.lines.advance()? {
            let mut fields = Fields::of(self.lines.bytes());
            let read = match fields.id() {
                Ok(id) if !is_late(self.late, id) => {
                    self.id = Some(id);
                    break;
                }
                Ok(id) => self.cards.entry(id).or_default().add(fields),
                Err(_) if self.lines.bytes().trim_ascii().is_empty() => Ok(()),
                Err(problem) => Err(problem),
            };
            if let Err(problem) = read {
                let of = Fields::of(self.lines.bytes()).id().ok();
                self.refuse(problem, of);
            }
        }
        Ok(())
    }

    /// Takes the lines of taxa that come in ascending order; the late ones get empty cards.
    pub(super) fn collect(&mut self, taxa: &[Taxon], batch: &mut Batch) -> Result<(), SourceError> {
        batch.fill(|cards, text| {
            for (at, taxon) in taxa.iter().enumerate() {
                self.at = at;
                self.card.clear();
                if !is_late(self.late, taxon.id) {
                    self.collect_one(taxon.id)?;
                }
                cards.push(self.card.pack(text));
            }
            Ok(())
        })?;
        batch.problems = std::mem::take(&mut self.problems);
        Ok(())
    }

    fn collect_one(&mut self, id: u32) -> Result<(), SourceError> {
        while let Some(present) = self.id.filter(|present| *present <= id) {
            let read = if present < id {
                Err((unknown(present), None))
            } else {
                let mut fields = Fields::of(self.lines.bytes());
                fields.skip_fields(1);
                self.card.add(fields).map_err(|problem| (problem, Some(id)))
            };
            if let Err((problem, of)) = read {
                self.refuse(problem, of);
            }
            self.step()?;
        }
        Ok(())
    }

    /// Reads to the end.
    pub(super) fn finish(mut self) -> Result<RestOfNames, SourceError> {
        while let Some(id) = self.id {
            self.refuse(unknown(id), None);
            self.step()?;
        }
        Ok(RestOfNames { cards: self.cards, problems: self.problems })
    }

    fn refuse(&mut self, what: String, of: Option<u32>) {
        self.problems.push(Problem { before: self.at, line: self.lines.line(), what, of });
    }
}

pub(super) fn unknown(id: u32) -> String {
    format!("a name of taxon {id}, which is not among the nodes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_plain_where_json_leaves_them_alone() {
        for byte in 0..=u8::MAX {
            let alone = byte.is_ascii() && serde_json::to_string(&char::from(byte)).is_ok_and(|json| json.len() == 3);
            for (length, at) in (1..20).flat_map(|length| (0..length).map(move |at| (length, at))) {
                let mut text = vec![b'!'; length];
                text[at] = byte;
                assert_eq!(is_plain(&text), alone, "{byte} at {at} of {length}");
            }
        }
        assert!(is_plain(b""));
    }
}
