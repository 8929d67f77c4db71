//! The tree of taxa, small enough to keep.

use timeweft_graph::{Reason, VersionSink};

use super::rank::Ranks;
use super::{Fields, number};
use crate::byte_lines::ByteLines;
use crate::{Input, SourceError};

/// A line of `nodes.dmp`: 16 bytes.
pub(super) struct Taxon {
    pub(super) id: u32,
    pub(super) parent: u32,
    /// Distinct ids below 2^32 stand in fewer lines than that, but for blank ones.
    pub(super) line: u32,
    pub(super) gencode: u16,
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

impl Taxon {
    pub(super) fn is_strain(&self) -> bool {
        self.state == State::Strain
    }

    fn read(line: &[u8], at: u64, ranks: &mut Ranks) -> Result<Taxon, String> {
        let mut fields = Fields::of(line);
        let (id, parent) = (fields.id()?, fields.id()?);
        let rank = fields.next();
        fields.skip_fields(3);
        let code = fields.next();
        let (Some(rank), Some(code)) = (rank, code) else {
            return Err("expected tax_id, parent, rank and, as the seventh field, the genetic code".into());
        };
        let gencode = number(code).and_then(|code| u16::try_from(code).ok()).ok_or_else(|| {
            format!("genetic code: expected a number below 65,536, got `{}`", String::from_utf8_lossy(code))
        })?;
        let line = u32::try_from(at).unwrap_or(u32::MAX);
        Ok(Taxon { id, parent, line, gencode, rank: ranks.number(rank, at)?, state: State::Unknown })
    }
}

/// After so many taxa it is told how many more there will be: growing step by step touches several times the memory.
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
        sink: &mut dyn VersionSink,
    ) -> Result<Taxa, SourceError> {
        let mut all: Vec<Taxon> = Vec::new();
        let mut ordered = true;
        while lines.advance()? {
            match Taxon::read(lines.bytes(), lines.line(), ranks) {
                Ok(taxon) => {
                    ordered &= all.last().is_none_or(|last| last.id < taxon.id);
                    if all.len() == SAMPLE {
                        all.reserve(lines.expect_more(SAMPLE).min(MOST_EXPECTED));
                    }
                    all.push(taxon);
                }
                Err(_) if lines.bytes().trim_ascii().is_empty() => {}
                Err(problem) => sink.reject(lines.line(), Reason::Malformed(problem)),
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
                let parent = self.all.binary_search_by_key(&taxon.parent, |other| other.id);
                self.all[at].state = State::Asked;
                path.push(at);
                match parent {
                    Ok(parent) => at = parent,
                    Err(_) => break false,
                }
            };
            for at in path.drain(..) {
                self.all[at].state = if strain { State::Strain } else { State::NoStrain };
            }
        }
    }
}
