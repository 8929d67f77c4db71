//! The model, and the one line that it is: batch -> encoder -> aggregator -> memory -> gnn -> prediction.

use std::ops::Range;

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use timeweft_graph::{Direction, NodeIndex};

use crate::batch::expand;
use crate::counters::Past;
use crate::layers::{Init, constant};
use crate::neighborhood::{Root, read};
use crate::predictor::Pairs;
use crate::{
    Aggregator, Config, Encoder, Gnn, Identity, Memory, Neighborhood, Predictor, Query, Scanned, Tokens, VectorStore,
    World, counters,
};

/// The Heterogeneous Temporal Graph Network: its five learned stages, and who is who.
#[derive(Module, Debug)]
pub struct Htgn {
    /// Identity of nodes, read by the first four stages.
    pub identity: Option<Identity>,
    /// Stage 1.
    pub encoder: Encoder,
    /// Stage 2.
    pub aggregator: Aggregator,
    /// Stage 3.
    pub memory: Memory,
    /// Stage 4.
    pub gnn: Gnn,
    /// Stage 5.
    pub predictor: Predictor,
}

impl Htgn {
    /// A model with starting weights for a graph.
    pub fn new(config: &Config, world: &World, device: &Device) -> Htgn {
        let model = &config.model;
        let d = model.width;
        let fitted = &world.fitted;
        let (relations, clock, slots) = (world.relations, &fitted.clock, fitted.identity_slots);
        let (nodes, edges) = (fitted.featurizer.node_widths(), fitted.featurizer.edge_widths());
        let widths = [&nodes[..], &edges[..]];
        let init = &mut Init::new(config.train.seed, device);
        Htgn {
            identity: Identity::new(init, slots, d),
            encoder: Encoder::new(init, d, relations, widths, clock, slots),
            aggregator: Aggregator::new(init, model, relations, slots),
            memory: Memory::new(init, model, relations.n_node_types(), clock),
            gnn: Gnn::new(init, model, relations, widths, clock),
            predictor: Predictor::new(init, d, 2 * relations.n_edge_kinds(), model.counters),
        }
    }
}

/// A batch of facts as the memory takes it in. Nothing is committed yet: predict strictly before update.
pub struct Remembered {
    /// Its tokens.
    pub tokens: Tokens,
    /// What the scan made of them; `None` for no facts, or no memory.
    pub scanned: Option<Scanned>,
    /// Facts up to here will be in.
    absorbs: usize,
}

/// Stages 1 to 3: facts to versions of memory.
pub fn remember(model: &Htgn, world: &World, facts: Range<usize>, store: &VectorStore) -> Remembered {
    let clock = &world.fitted.clock;
    let absorbs = facts.end;
    let (messages, tokens) = expand(&world.context(), world.facts(), facts, store);
    let scanned = (!tokens.node.is_empty() && world.fitted.config.memory).then(|| {
        let identity = model.identity.as_ref();
        let encoded = model.encoder.forward(&messages, clock, identity);
        let aggregated = model.aggregator.forward(encoded, &tokens, identity);
        model.memory.forward(aggregated, &tokens, store, clock)
    });
    Remembered { tokens, scanned, absorbs }
}

/// Stages 4 and 5: logits `[C]` of queries, each knowing only what was strictly before its `as_of`.
pub fn answer(
    model: &Htgn,
    world: &World,
    remembered: &Remembered,
    store: &VectorStore,
    queries: &[Query],
) -> Tensor<1> {
    answer_with(model, world, remembered, store, queries, None)
}

/// The same in a step of training: `draw` is the key of its noise, if the model has any.
pub fn answer_with(
    model: &Htgn,
    world: &World,
    remembered: &Remembered,
    store: &VectorStore,
    queries: &[Query],
    draw: Option<u64>,
) -> Tensor<1> {
    let (roots, pairs) = ask(world, queries);
    let embeddings = embed(model, world, remembered, store, &roots, draw);
    score(model, world, embeddings, queries, &pairs)
}

/// Stage 4: embeddings `[Q, d]` of roots; `draw` as in [`answer_with`].
pub fn embed(
    model: &Htgn,
    world: &World,
    remembered: &Remembered,
    store: &VectorStore,
    roots: &[Root],
    draw: Option<u64>,
) -> Tensor<2> {
    let hood = read(&world.context(), roots, &remembered.tokens, store);
    let table = memory_table(model, remembered, &hood);
    model.gnn.forward(table, &hood, &world.fitted.clock, model.identity.as_ref(), draw)
}

/// Stage 5: logits `[C]` of queries, whose roots are embedded already.
pub fn score(model: &Htgn, world: &World, embeddings: Tensor<2>, queries: &[Query], pairs: &Pairs) -> Tensor<1> {
    let device = embeddings.device();
    let counted = model.predictor.has_counters().then(|| counted(world, queries, &device));
    model.predictor.forward(embeddings, pairs, counted)
}

/// The rows that a neighbourhood's entries point into: stored memory, starts of the node types, tokens of the batch.
pub fn memory_table(model: &Htgn, remembered: &Remembered, hood: &Neighborhood) -> Tensor<2> {
    let start = model.memory.start();
    let [_, d] = start.dims();
    let mut parts = Vec::with_capacity(3);
    if !hood.stored.is_empty() {
        parts.push(constant(hood.stored.clone(), [hood.stored.len() / d, d], &start.device()));
    }
    parts.push(start);
    parts.extend(remembered.scanned.as_ref().map(|scanned| scanned.memory.clone()));
    Tensor::cat(parts, 0)
}

/// Counters of the queries, `[C, counters::WIDTH]`.
pub fn counted(world: &World, queries: &[Query], device: &Device) -> Tensor<2> {
    use rayon::prelude::*;
    let mut rows = vec![0.0; queries.len() * counters::WIDTH];
    let questions: Vec<&[Query]> = queries.chunk_by(|a, b| a.is_same_question(b)).collect();
    let pasts: Vec<Past> = questions.par_iter().map(|question| Past::of(world, &question[0])).collect();
    let asked: Vec<&Past> =
        questions.iter().zip(&pasts).flat_map(|(question, past)| std::iter::repeat_n(past, question.len())).collect();
    rows.par_chunks_exact_mut(counters::WIDTH).zip(queries).zip(asked).for_each(|((row, query), past)| {
        past.inputs(world, query.destination, row);
    });
    constant(rows, [queries.len(), counters::WIDTH], device)
}

/// The distinct roots of queries, and which roots each query pairs.
pub fn ask(world: &World, queries: &[Query]) -> (Vec<Root>, Pairs) {
    let mut roots = Vec::new();
    let mut known = rustc_hash::FxHashMap::default();
    let mut root = |node: NodeIndex, query: &Query| {
        let root = Root { node, time: query.time, as_of: query.as_of };
        *known.entry(root).or_insert_with(|| {
            roots.push(root);
            roots.len() as u32 - 1
        })
    };
    let mut pairs = Pairs::default();
    for query in queries {
        pairs.source.push(root(query.source, query));
        pairs.destination.push(root(query.destination, query));
        pairs.relation.push(match query.direction {
            Direction::Out => world.relations.outward(query.edge_type),
            Direction::In => world.relations.inward(query.edge_type),
        });
    }
    (roots, pairs)
}

impl Remembered {
    /// No facts: answers come from the store alone.
    pub fn nothing(store: &VectorStore) -> Remembered {
        let tokens = Tokens { segments: vec![0], ..Tokens::default() };
        Remembered { tokens, scanned: None, absorbs: store.absorbed() }
    }

    /// Commits the values of this forward pass, once.
    pub fn commit(self, store: &mut VectorStore) {
        let Tokens { receivers, gone, time, .. } = &self.tokens;
        let ends = self.tokens.last_tokens();
        let (state, memory) = match self.scanned {
            Some(scanned) => (floats(scanned.state.inner()), floats(crate::nn::gather(scanned.memory.inner(), &ends))),
            None => Default::default(),
        };
        let last = ends.iter().zip(gone).map(|(&end, gone)| (!gone).then(|| time[end as usize]));
        store.commit(receivers, &state, &memory, &last.collect::<Vec<_>>(), self.absorbs);
    }
}

/// The values of a tensor.
pub fn floats<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().try_to_vec().unwrap_or_default()
}
