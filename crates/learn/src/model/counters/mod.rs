//! Counters as inputs: exact, as fresh as the answer. Counting carries much of the accuracy on public benchmarks, so the
//! model gets it for free and can be asked to do without.
//!
//! A question finds its place in what was counted as edges came ([`EdgeHistory`]) and reads there: what the asking node
//! did once, what a candidate did once a candidate, and what the two had to do with each other only of those who had.
//! Ages are given in time and in events, counts and ranks by the distinct times at which something happened: events of one
//! time have no order. The clock of events ticks for every fact, whatever became of it.
//!
//! Equations: `docs/model.md#counters`. Slow reference: `timeweft_oracle::counters`, which counts each question anew.

mod columns;
mod counted;
mod marks;
mod question;
mod walks;

use std::cell::RefCell;

use rayon::prelude::*;
use timeweft_graph::Direction;
use timeweft_index::Recency;

pub use crate::model::counters::counted::Counted;

use crate::data::directed_relation::DirectedRelation;
use crate::model::counters::columns::Logarithms;
use crate::model::counters::question::Reader;
use crate::nn::stage;
use crate::{GraphContext, Query};

/// Queries that one thread counts before it takes the next ones. A number of threads would change which rows are shared.
const CHUNK: usize = 256;

/// What explanations show: recencies of the pair (s, d), of (d, s), of d as a destination, of d as a source, of s as a
/// source.
pub(crate) fn count(graph: &GraphContext, query: &Query) -> [Recency; 5] {
    let Query { edge_type, source, destination, as_of, .. } = *query;
    let history = graph.history.read();
    let (out, back) =
        (DirectedRelation::new(edge_type, Direction::Out), DirectedRelation::new(edge_type, Direction::In));
    let limit = history.limit(as_of);
    [
        history.pair_recency(source, out, destination, limit),
        history.pair_recency(destination, out, source, limit),
        history.recency(destination, back, limit),
        history.recency(destination, out, limit),
        history.recency(source, out, limit),
    ]
}

thread_local! {
    /// Kept from question to question: it is as long as there are nodes. In a box: memory of threads is scarce in a library
    /// that is loaded late.
    static READER: RefCell<Box<Reader>> = RefCell::default();
}

impl Counted {
    /// Counts queries; those of one question stand together, or it is read again.
    pub fn of(graph: &GraphContext, queries: &[Query]) -> Counted {
        let _running = stage("counters");
        let logarithms = Logarithms::new(graph.statistics.time_encoder.longest);
        let part = |queries: &&[Query]| READER.with_borrow_mut(|reader| reader.read(graph, queries, &logarithms));
        let mut parts: Vec<Counted> = chunks(queries).par_iter().map(part).collect();
        if parts.len() == 1 {
            return parts.pop().unwrap_or_default();
        }
        let mut all = Counted::default();
        all.reserve(&parts);
        parts.iter().for_each(|part| all.append(part));
        all
    }
}

/// Whole questions, at least [`CHUNK`] queries at a time; a larger question is cut.
fn chunks(queries: &[Query]) -> Vec<&[Query]> {
    let mut chunks = Vec::with_capacity(queries.len() / CHUNK + 1);
    let (mut start, mut end) = (0, 0);
    for question in queries.chunk_by(|a, b| a.is_same_question(b)) {
        end += question.len();
        if end - start >= CHUNK {
            chunks.extend(queries[start..end].chunks(2 * CHUNK));
            start = end;
        }
    }
    if end > start {
        chunks.push(&queries[start..end]);
    }
    chunks
}
