//! Counters as inputs: exact, as fresh as the answer. Counting carries much of the accuracy on public benchmarks, so the
//! model gets it for free and can be asked to do without.

use timeweft_graph::{EdgeTypeId, NodeIndex, Time};
use timeweft_index::{Index, Recency};

use crate::{Clock, batch::gap};

/// Width of the inputs that counters make.
pub(crate) const WIDTH: usize = 3 * SOURCES;

/// Pair, reversed pair, destination reached, destination as source, source.
const SOURCES: usize = 5;

/// One question: would `source` reach `destination` at `time`, knowing what was before `as_of`?
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Query {
    /// Relation asked about.
    pub edge_type: EdgeTypeId,
    /// Asking node.
    pub source: NodeIndex,
    /// Candidate answer.
    pub destination: NodeIndex,
    /// When.
    pub time: Time,
    /// What may be known: everything strictly before.
    pub as_of: Time,
}

/// The counters of a query: recencies of the pair (s, d), of (d, s), of d as a destination, of d as a source, of s as a source.
pub(crate) fn count(index: &Index, query: &Query) -> [Recency; SOURCES] {
    let Query { edge_type, source, destination, as_of, .. } = *query;
    [
        index.pair_before(edge_type, source, destination, as_of),
        index.pair_before(edge_type, destination, source, as_of),
        index.destination_before(edge_type, destination, as_of),
        index.source_before(edge_type, destination, as_of),
        index.source_before(edge_type, source, as_of),
    ]
}

/// The counters as inputs: for each, whether it was ever, how fresh it is, and how often it was.
pub(crate) fn inputs(index: &Index, clock: &Clock, query: &Query) -> [f32; WIDTH] {
    let mut row = [0.0; WIDTH];
    let span = (clock.longest + 1.0).ln() as f32;
    for (cells, recency) in row.chunks_exact_mut(3).zip(count(index, query)) {
        // Freshness falls with the logarithm of the age and is zero where there never was any.
        if let Some(last) = recency.last {
            cells[0] = 1.0;
            cells[1] = 1.0 - clock.log(gap(Some(last), query.time)) / span;
            cells[2] = (recency.count as f32).ln_1p() / 4.0;
        }
    }
    row
}
