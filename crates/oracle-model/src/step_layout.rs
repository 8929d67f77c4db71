//! A step as plain numbers.

use std::collections::HashMap;
use std::ops::Range;

use timeweft_graph::{NodeIndex, Time};
use timeweft_learn::{
    Counted, GraphContext, Messages, Neighborhood, Pairs, Peers, Query, Root, Since, Tokens, VectorStore, expand,
    pipeline,
};

/// All that a step computes on, laid out by the product: who is who, and numbers; nothing that has a gradient.
#[derive(Clone, Debug)]
pub struct StepLayout {
    /// The messages of the facts.
    pub messages: Messages,
    /// Their sets.
    pub tokens: Tokens,
    /// The stored state before each segment: S times the floats of a state, zeros where a life begins.
    pub state: Vec<f32>,
    /// Where messages read the memory of their peers: out of what was before the facts, and out of their tokens too.
    pub peers: Option<[Peers; 2]>,
    /// What the roots of the questions read.
    pub neighborhood: Neighborhood,
    /// Which roots a question pairs, and how long ago something last happened at both.
    pub pairs: Pairs,
    /// C: the counters of the questions, one after another; empty where the model has none.
    pub counters: Vec<f32>,
}

impl StepLayout {
    /// Lays out the facts at some positions, which memory `store` has not seen, and questions whose answers may know them. As in
    /// the product, questions share a root as long as nothing happens that its embedding knows.
    pub fn new(graph: &GraphContext, store: &VectorStore, facts: Range<usize>, queries: &[Query]) -> StepLayout {
        let asked = pipeline::ask(graph, queries);
        lay_out(graph, store, facts, queries, asked)
    }

    /// The same with a root for every node and time that is asked about, whether or not anything happened between two times: what
    /// the sharing of roots is compared with.
    pub fn of_each_time(
        graph: &GraphContext,
        store: &VectorStore,
        facts: Range<usize>,
        queries: &[Query],
    ) -> StepLayout {
        let (_, mut pairs) = pipeline::ask(graph, queries);
        let (mut roots, mut known) = (Vec::new(), HashMap::new());
        let mut root = |node: NodeIndex, as_of: Time| {
            *known.entry((node, as_of)).or_insert_with(|| {
                roots.push(Root { node, as_of });
                roots.len() as u32 - 1
            })
        };
        pairs.source = queries.iter().map(|query| root(query.source, query.as_of)).collect();
        pairs.destination = queries.iter().map(|query| root(query.destination, query.as_of)).collect();
        lay_out(graph, store, facts, queries, (roots, pairs))
    }
}

fn lay_out(
    graph: &GraphContext,
    store: &VectorStore,
    facts: Range<usize>,
    queries: &[Query],
    (roots, mut pairs): (Vec<Root>, Pairs),
) -> StepLayout {
    let config = &graph.statistics.config;
    let (messages, tokens) = expand(graph, facts, store);
    let none = Tokens { segments: vec![0], ..Tokens::default() };
    let peers = (config.memory && config.sweeps > 0)
        .then(|| [&none, &tokens].map(|known| Peers::read(graph, (&messages, &tokens), known, store)));
    let mut state = Vec::new();
    for (&node, &born) in tokens.receivers.iter().zip(&tokens.born) {
        match store.state(node).filter(|_| !born) {
            Some(stored) => state.extend_from_slice(stored),
            None => state.resize(state.len() + config.state_width(), 0.0),
        }
    }
    let neighborhood = Neighborhood::read(graph, &roots, &tokens, store);
    let since = |roots: &[u32]| -> Since {
        let ends = roots.iter().zip(queries);
        ends.map(|(&root, query)| since(neighborhood.root_read[root as usize], query.time)).collect()
    };
    pairs.since = [since(&pairs.source), since(&pairs.destination)];
    let counters = if config.counters { Counted::of(graph, queries).rows() } else { Vec::new() };
    StepLayout { messages, tokens, state, peers, neighborhood, pairs, counters }
}

/// Ticks since something last happened; 0 where nothing ever did.
fn since(last: Option<Time>, time: Time) -> f64 {
    last.map_or(0.0, |last| time.0.saturating_sub(last.0).max(0) as f64)
}
