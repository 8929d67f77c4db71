//! A step as plain numbers.

use std::ops::Range;

use timeweft_learn::{
    Counted, GraphContext, Messages, Neighborhood, Pairs, Peers, Query, Tokens, VectorStore, expand, pipeline,
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
    /// Which roots a question pairs, and how long ago the versions of both are.
    pub pairs: Pairs,
    /// C: the counters of the questions, one after another; empty where the model has none.
    pub counters: Vec<f32>,
}

impl StepLayout {
    /// Lays out the facts at some positions, which memory `store` has not seen, and questions whose answers may know them.
    pub fn new(graph: &GraphContext, store: &VectorStore, facts: Range<usize>, queries: &[Query]) -> StepLayout {
        let config = &graph.statistics.config;
        let (messages, tokens) = expand(graph, facts, store);
        let none = Tokens { segments: vec![0], ..Tokens::default() };
        let peers = (config.memory && config.sweeps > 0)
            .then(|| [&none, &tokens].map(|known| Peers::read(graph, (&messages, &tokens), known, store)));
        let mut state = Vec::new();
        for (&node, &born) in tokens.receivers.iter().zip(&tokens.born) {
            match born {
                true => state.resize(state.len() + config.state_width(), 0.0),
                false => store.append_state(node, &mut state),
            }
        }
        let (roots, pairs) = pipeline::ask(graph, queries);
        let neighborhood = Neighborhood::read(graph, &roots, &tokens, store);
        let pairs = pairs.measure(queries, &neighborhood.root_read);
        let counters = if config.counters { Counted::of(graph, queries).rows() } else { Vec::new() };
        StepLayout { messages, tokens, state, peers, neighborhood, pairs, counters }
    }
}
