//! `names.dmp`, read in step with the taxa.

use rustc_hash::{FxHashMap, FxHashSet};
use timeweft_graph::{Name, Reason, VersionSink};

use super::Fields;
use crate::byte_lines::{ByteLines, text};
use crate::{Input, SourceError};

/// The names of one taxon.
#[derive(Default)]
pub(super) struct Card {
    pub(super) scientific_name: String,
    pub(super) scientific_names: usize,
    /// Aliases as JSON objects, one behind the other.
    aliases: String,
    /// Where each of them ends.
    ends: Vec<usize>,
}

impl Card {
    pub(super) fn clear(&mut self) {
        self.scientific_name.clear();
        self.scientific_names = 0;
        self.aliases.clear();
        self.ends.clear();
    }

    /// Takes in a line, behind its tax_id.
    fn add(&mut self, mut fields: Fields<'_>) -> Result<(), String> {
        let (Some(name), Some(class)) = (fields.next(), fields.nth(1)) else {
            return Err("expected tax_id, name, unique name and name class".into());
        };
        let name = text(name)?;
        if name.is_empty() || class.is_empty() {
            return Err("the name or its class is empty".into());
        }
        if class == b"scientific name" {
            self.scientific_name.clear();
            self.scientific_name.push_str(name);
            self.scientific_names += 1;
        } else {
            let class = text(class)?;
            self.aliases.push_str("{\"category\":");
            write_json(class, &mut self.aliases);
            self.aliases.push_str(",\"name\":");
            write_json(name, &mut self.aliases);
            self.aliases.push('}');
            self.ends.push(self.aliases.len());
        }
        Ok(())
    }

    /// Appends the aliases as a JSON list in the canonical order of a multiset.
    pub(super) fn write_aliases(&self, out: &mut String) {
        out.push('[');
        if self.ends.len() < 2 {
            out.push_str(&self.aliases);
        } else {
            let starts = std::iter::once(0).chain(self.ends.iter().copied());
            let mut aliases: Vec<&str> =
                starts.zip(&self.ends).map(|(start, end)| &self.aliases[start..*end]).collect();
            aliases.sort_unstable();
            for (at, alias) in aliases.into_iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                out.push_str(alias);
            }
        }
        out.push(']');
    }
}

/// Appends a text as JSON, as the JSON library writes it.
fn write_json(text: &str, out: &mut String) {
    if text.bytes().all(|byte| byte >= b' ' && byte != b'"' && byte != b'\\') {
        out.push('"');
        out.push_str(text);
        out.push('"');
    } else {
        out.push_str(&serde_json::Value::from(text).to_string());
    }
}

/// The ids with a line behind one of a greater id. In the dumps of the NCBI there are none.
pub(super) fn late_ids(mut lines: ByteLines<Input>) -> Result<FxHashSet<u32>, SourceError> {
    let (mut late, mut greatest) = (FxHashSet::default(), 0);
    while lines.advance()? {
        let Ok(id) = Fields::of(lines.bytes()).id() else { continue };
        if id < greatest {
            late.insert(id);
        }
        greatest = greatest.max(id);
    }
    Ok(late)
}

/// The file, at a line whose names are not late.
pub(super) struct NameFile {
    lines: ByteLines<Input>,
    /// Taxon of the present line; `None` behind the last one.
    id: Option<u32>,
    late: FxHashSet<u32>,
    cards: FxHashMap<u32, Card>,
    /// The file that the sink is told in between.
    nodes: Name,
}

impl NameFile {
    pub(super) fn new(lines: ByteLines<Input>, late: FxHashSet<u32>, nodes: &Name) -> NameFile {
        NameFile { lines, id: None, late, cards: FxHashMap::default(), nodes: nodes.clone() }
    }

    pub(super) fn file(&self) -> &Name {
        self.lines.file()
    }

    /// Whether lines of this taxon do not come in order.
    pub(super) fn is_late(&self, id: u32) -> bool {
        !self.late.is_empty() && self.late.contains(&id)
    }

    /// Goes on to the next line whose names are not late.
    pub(super) fn step(&mut self, sink: &mut dyn VersionSink) -> Result<(), SourceError> {
        self.id = None;
        while self.lines.advance()? {
            let mut fields = Fields::of(self.lines.bytes());
            let read = match fields.id() {
                Ok(id) if !self.is_late(id) => {
                    self.id = Some(id);
                    break;
                }
                Ok(id) => self.cards.entry(id).or_default().add(fields),
                Err(_) if self.lines.bytes().trim_ascii().is_empty() => Ok(()),
                Err(problem) => Err(problem),
            };
            if let Err(problem) = read {
                self.refuse(problem, sink);
            }
        }
        Ok(())
    }

    /// Takes the lines of a taxon. Ids are asked for in ascending order.
    pub(super) fn collect(&mut self, id: u32, card: &mut Card, sink: &mut dyn VersionSink) -> Result<(), SourceError> {
        while let Some(present) = self.id.filter(|present| *present <= id) {
            let read = if present < id {
                Err(unknown(present))
            } else {
                let mut fields = Fields::of(self.lines.bytes());
                fields.next();
                card.add(fields)
            };
            if let Err(problem) = read {
                self.refuse(problem, sink);
            }
            self.step(sink)?;
        }
        Ok(())
    }

    /// Reads to the end.
    pub(super) fn finish(&mut self, sink: &mut dyn VersionSink) -> Result<(), SourceError> {
        while let Some(id) = self.id {
            self.refuse(unknown(id), sink);
            self.step(sink)?;
        }
        Ok(())
    }

    /// The names of a taxon whose lines did not come in order.
    pub(super) fn take_late(&mut self, id: u32) -> Card {
        self.cards.remove(&id).unwrap_or_default()
    }

    /// Refuses the late names that no taxon took.
    pub(super) fn refuse_late(&mut self, sink: &mut dyn VersionSink) {
        let mut ids: Vec<u32> = self.cards.drain().map(|(id, _)| id).collect();
        ids.sort_unstable();
        sink.file(self.lines.file());
        for id in ids {
            sink.reject(0, Reason::Malformed(unknown(id)));
        }
        sink.file(&self.nodes);
    }

    fn refuse(&self, problem: String, sink: &mut dyn VersionSink) {
        sink.file(self.lines.file());
        sink.reject(self.lines.line(), Reason::Malformed(problem));
        sink.file(&self.nodes);
    }
}

fn unknown(id: u32) -> String {
    format!("a name of taxon {id}, which is not among the nodes")
}
