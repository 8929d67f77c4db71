//! Which edges a question sees, and the words for it.

use pyo3::prelude::*;
use timeweft::Deletes;
use timeweft::read::Index;
use timeweft::sample::{AsOf, Choice, EdgeTypes, HopTime, Scope, Side, WalkTimes};

use crate::errors::{self, Result};
use crate::lookup;

/// Which edges, as `python/timeweft/_scope.py` writes it.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct ScopeArgs {
    edge_types: Option<Vec<String>>,
    side: String,
    before: bool,
    soft: bool,
    /// In ticks.
    within: Option<u64>,
}

impl ScopeArgs {
    pub(crate) fn scope(&self, index: &Index) -> Result<Scope> {
        let only = |names: &Vec<String>| {
            let found = names.iter().map(|name| lookup::edge_types(index.schema(), name));
            found.collect::<Result<Vec<_>>>().map(|found| EdgeTypes::Only(found.concat()))
        };
        let edge_types = self.edge_types.as_ref().map_or(Ok(EdgeTypes::All), only)?;
        let side = word("side", &self.side, &SIDES)?;
        let scope = Scope::new(edge_types, side, as_of(self.before)).deletes(deletes(self.soft));
        Ok(Scope { within: self.within, ..scope })
    }
}

/// Whether the time itself counts.
pub(crate) fn as_of(before: bool) -> AsOf {
    if before { AsOf::Before } else { AsOf::At }
}

/// Whether what has ended is seen.
pub(crate) fn deletes(soft: bool) -> Deletes {
    if soft { Deletes::Soft } else { Deletes::Hard }
}

const SIDES: [(&str, Side); 3] = [("out", Side::Out), ("in", Side::In), ("both", Side::Both)];

pub(crate) const CHOICES: [(&str, Choice); 6] = [
    ("last", Choice::Last),
    ("uniform", Choice::Uniform),
    ("uniform-distinct", Choice::UniformDistinct),
    ("weighted", Choice::Weighted),
    ("weighted-distinct", Choice::WeightedDistinct),
    ("heaviest", Choice::Heaviest),
];

pub(crate) const HOP_TIMES: [(&str, HopTime); 2] = [("root", HopTime::Root), ("edge", HopTime::Edge)];

pub(crate) const ORDERS: [(&str, WalkTimes); 4] = [
    ("any", WalkTimes::Any),
    ("not-later", WalkTimes::NotLater),
    ("earlier", WalkTimes::Earlier),
    ("later", WalkTimes::Later),
];

/// What a word means.
pub(crate) fn word<T: Copy>(argument: &str, given: &str, words: &[(&str, T)]) -> Result<T> {
    let found = words.iter().find(|(word, _)| *word == given).map(|(_, meaning)| *meaning);
    found.ok_or_else(|| {
        let known: Vec<String> = words.iter().map(|(word, _)| format!("'{word}'")).collect();
        errors::named("SampleError", format!("{argument}: expected {}, not '{given}'", known.join(", ")))
    })
}
