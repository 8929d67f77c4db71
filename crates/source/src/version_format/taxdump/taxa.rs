//! The tree of taxa, small enough to keep.

use timeweft_graph::{Reason, Sink};

use super::rank::Ranks;
use super::{Fields, number};
use crate::text::byte_lines::ByteLines;
use crate::version_format::lineage::{any_taxon, taxon};
use crate::{Input, SourceError};

/// A line of `nodes.dmp`: 16 bytes.
pub(super) struct Taxon {
    pub(super) id: u32,
    pub(super) parent: u32,
    /// Distinct ids below 2^32 stand in fewer lines than that, but for blank ones.
    pub(super) line: u32,
    gencode: u16,
    pub(super) rank: u8,
    state: State,
}

/// What is known of a taxon beside its line.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Unknown,
    /// Its ancestors are being asked.
    Asked,
    Strain,
    NoStrain,
}

/// Stands for a genetic code that is not given. The NCBI has less than forty of them.
const NO_CODE: u16 = u16::MAX;

impl Taxon {
    pub(super) fn gencode(&self) -> Option<u16> {
        Some(self.gencode).filter(|code| *code != NO_CODE)
    }

    pub(super) fn is_strain(&self) -> bool {
        self.state == State::Strain
    }

    fn read(line: &[u8], at: u64, ranks: &mut Ranks) -> Result<Taxon, String> {
        let mut fields = Fields::of(line);
        let (id, parent) = (fields.id()?, fields.id()?);
        let rank = fields.next().ok_or("expected tax_id, parent and rank between bars")?;
        fields.skip_fields(3);
        // Databases beside the NCBI's, such as those made for Kraken 2, have the first four columns only.
        let gencode = match fields.next() {
            None | Some(b"" | b"-") => NO_CODE,
            Some(code) => {
                number(code).and_then(|code| u16::try_from(code).ok()).filter(|code| *code != NO_CODE).ok_or_else(
                    || format!("genetic code: expected a number below 65,535, got `{}`", String::from_utf8_lossy(code)),
                )?
            }
        };
        let line = u32::try_from(at).unwrap_or(u32::MAX);
        Ok(Taxon { id, parent, line, gencode, rank: ranks.number(rank, at)?, state: State::Unknown })
    }
}

/// Taxa after which the sink learns how many more there will be: growing step by step touches several times the memory.
const SAMPLE: usize = 1 << 16;
/// Memory for more taxa than these is only taken when they come.
const MOST_EXPECTED: usize = 1 << 24;

/// All taxa, in order of their ids.
pub(super) struct Taxa {
    pub(super) all: Vec<Taxon>,
}

impl Taxa {
    /// Reads `nodes.dmp`. Lines that cannot be read, and repeated ids, are rejected.
    pub(super) fn read(
        mut lines: ByteLines<Input>,
        ranks: &mut Ranks,
        sink: &mut dyn Sink,
    ) -> Result<Taxa, SourceError> {
        let mut all: Vec<Taxon> = Vec::new();
        let mut ordered = true;
        while !sink.is_closed() && lines.advance()? {
            match Taxon::read(lines.bytes(), lines.line(), ranks) {
                Ok(taxon) => {
                    ordered &= all.last().is_none_or(|last| last.id < taxon.id);
                    if all.len() == SAMPLE {
                        let more = lines.expect_more(SAMPLE).min(MOST_EXPECTED);
                        all.reserve(more);
                        sink.expect(SAMPLE + more, SAMPLE + more);
                    }
                    all.push(taxon);
                }
                Err(_) if lines.bytes().trim_ascii().is_empty() => {}
                Err(problem) => {
                    let told = Fields::of(lines.bytes()).id().map_or_else(|_| any_taxon(), |id| taxon(&id.to_string()));
                    sink.unreadable(told, lines.line(), Reason::Malformed(problem));
                }
            }
        }
        if !ordered {
            // Stable: of repeated ids, the first line stays in front.
            all.sort_by_key(|taxon| taxon.id);
            all.dedup_by(|later, first| {
                let repeated = later.id == first.id;
                if repeated {
                    let problem = format!("taxon {} is there already: line {}", first.id, first.line);
                    sink.reject(later.line.into(), Reason::Malformed(problem));
                }
                repeated
            });
        }
        Ok(Taxa { all })
    }

    /// A strain has a free rank, and the way up to the first taxon with another rank ends at a species or below.
    pub(super) fn mark_strains(&mut self, ranks: &Ranks) {
        let places = Places::new(&self.all);
        let mut path = Vec::new();
        for start in 0..self.all.len() {
            let mut at = start;
            let strain = loop {
                let taxon = &self.all[at];
                match taxon.state {
                    _ if !ranks.is_free(taxon.rank) => break ranks.is_low(taxon.rank),
                    State::Strain => break true,
                    State::Unknown => {}
                    // Known to be none, or a circle: without an end there is no species at it.
                    State::Asked | State::NoStrain => break false,
                }
                let parent = places.find(&self.all, taxon.parent);
                self.all[at].state = State::Asked;
                path.push(at);
                match parent {
                    Some(parent) => at = parent,
                    None => break false,
                }
            };
            for at in path.drain(..) {
                self.all[at].state = if strain { State::Strain } else { State::NoStrain };
            }
        }
    }
}

/// Where the taxa of each range of ids begin. A search among all of them would miss the cache at almost every step.
struct Places {
    /// A range has two to the power of this many ids, and a dozen taxa or so.
    bits: u32,
    starts: Vec<usize>,
}

impl Places {
    fn new(taxa: &[Taxon]) -> Places {
        let last = taxa.last().map_or(0, |taxon| taxon.id);
        let bits = (0..32).find(|bits| last >> bits <= taxa.len() as u32 / 16).unwrap_or(31);
        let mut starts = Vec::with_capacity((last >> bits) as usize + 2);
        for (at, taxon) in taxa.iter().enumerate() {
            let range = (taxon.id >> bits) as usize;
            starts.resize(starts.len().max(range + 1), at);
        }
        starts.push(taxa.len());
        Places { bits, starts }
    }

    fn find(&self, taxa: &[Taxon], id: u32) -> Option<usize> {
        let range = (id >> self.bits) as usize;
        let (start, end) = (*self.starts.get(range)?, *self.starts.get(range + 1)?);
        let at = taxa[start..end].binary_search_by_key(&id, |taxon| taxon.id).ok()?;
        Some(start + at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_taxon_is_found_and_no_other() {
        let dense: Vec<u32> = (0..500).map(|number| number * 3).collect();
        for ids in [&[][..], &[0], &[7], &[u32::MAX], &[0, 1, 70_000, 70_001, u32::MAX - 1], &dense] {
            let taxon = |&id| Taxon { id, parent: 0, line: 0, gencode: 0, rank: 0, state: State::Unknown };
            let taxa: Vec<Taxon> = ids.iter().map(taxon).collect();
            let places = Places::new(&taxa);
            let around = ids.iter().flat_map(|&id| [id.saturating_sub(1), id, id.saturating_add(1)]);
            for id in around.chain([0, 63, 64, u32::MAX]) {
                assert_eq!(places.find(&taxa, id), ids.iter().position(|known| *known == id), "{id} in {ids:?}");
            }
        }
    }
}
