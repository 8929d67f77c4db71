//! The memory of all nodes as of a place in the facts, with weights as they are.

use std::ops::{ControlFlow, Range};

use crate::data::fact_batches::batches;
use crate::model::pipeline::{Reader, absorb_in_slices};
use crate::{Bucket, Config, GraphContext, Htgn, VectorStore, expand};

/// Facts of one time that are taken in at once: bounds the memory of bulk loads.
pub(crate) const SLICE: usize = 1 << 16;
/// Most facts of the newest time that are taken in again when another one of that time comes.
const REPEATED: usize = 1 << 12;

/// Memory from nothing with fixed weights: all facts up to number `until`. Used whenever weights change for good.
pub fn rebuild(model: &Htgn, graph: &GraphContext, config: &Config, until: usize) -> VectorStore {
    let mut store = empty_store(graph, config);
    absorb(model, graph, config, &mut store, until);
    store
}

/// Takes in the facts from where the store stands up to number `until`.
pub fn absorb(model: &Htgn, graph: &GraphContext, config: &Config, store: &mut VectorStore, until: usize) {
    let (parts, mut goes_on) = ((model, graph, config), |_: &_| ControlFlow::Continue(()));
    // Cut as where a model stands at the end of the facts.
    let _ = match until == graph.facts().len() {
        true => absorb_all(parts, store, &mut goes_on),
        false => absorb_until(parts, store, until, &mut goes_on),
    };
}

/// Takes in the facts up to number `until`, where `goes_on` sees the store before each batch. Once it says to break, the store is true up to there.
pub(crate) fn absorb_until(
    (model, graph, config): (&Htgn, &GraphContext, &Config),
    store: &mut VectorStore,
    until: usize,
    goes_on: &mut dyn FnMut(&VectorStore) -> ControlFlow<()>,
) -> ControlFlow<()> {
    for range in absorbed_batches(graph, config, store.absorbed()..until) {
        goes_on(store)?;
        match range.len() > SLICE && graph.is_one_time(&range) {
            true => absorb_in_slices(model, graph, range, store, SLICE),
            false => Reader { model, graph, store }.remember(range).commit(store),
        }
    }
    ControlFlow::Continue(())
}

/// The batches in which facts are taken in.
fn absorbed_batches(graph: &GraphContext, config: &Config, facts: Range<usize>) -> Vec<Range<usize>> {
    // Larger batches are faster and change nothing.
    let size = config.train.batch.saturating_mul(if batches_are_part(config) { 1 } else { 4 });
    batches(graph.facts(), facts, size, 0)
}

/// Takes in when something happened alone, into a store whose rows have no width: what depends on no weights is read from it.
pub(crate) fn absorb_times(graph: &GraphContext, config: &Config, store: &mut VectorStore, until: usize) {
    for range in absorbed_batches(graph, config, store.absorbed()..until) {
        let absorbs = range.end;
        let (_, tokens) = expand(graph, range, store);
        store.commit(&tokens.settled_times(absorbs));
    }
}

/// Takes in all facts. Those of the newest time stand by themselves, so that they can be taken back: others of that time may
/// come, and a question of that very time must not know of them.
pub(crate) fn absorb_all(
    (model, graph, config): (&Htgn, &GraphContext, &Config),
    store: &mut VectorStore,
    goes_on: &mut dyn FnMut(&VectorStore) -> ControlFlow<()>,
) -> ControlFlow<()> {
    let (facts, parts) = (graph.facts(), (model, graph, config));
    let n = facts.len();
    let newest = facts.last().map_or(0, |last| graph.n_facts_before(last.time));
    if batches_are_part(config) || n - newest > REPEATED || store.absorbed() > newest {
        return absorb_until(parts, store, n, goes_on);
    }
    absorb_until(parts, store, newest, goes_on)?;
    goes_on(store)?;
    if newest < n {
        Reader { model, graph, store }.remember(newest..n).commit_for_now(store);
    }
    ControlFlow::Continue(())
}

/// Whether what is known inside a batch is part of the model: then memory depends on where the facts are cut.
pub(crate) fn batches_are_part(config: &Config) -> bool {
    config.model.bucket == Bucket::Batch || config.model.sweeps > 0
}

/// A vector store without rows.
pub fn empty_store(graph: &GraphContext, config: &Config) -> VectorStore {
    VectorStore::new(graph.index.n_nodes(), config.model.state_width(), config.model.memory_width())
}
