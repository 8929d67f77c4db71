//! A question, asked as if its ends had never been linked with some nodes: no fact, no neighbor, no counter and no memory has
//! seen these edges.
//!
//! Slow reference: `timeweft_learn::Trained::erase`, over the whole log.
//!
//! Equations: `docs/model.md#explanations`.

use std::collections::BTreeSet;

use timeweft_graph::{EdgeIndex, EdgeTypeId, NodeIndex, Time};

use crate::data::subgraph::Edges;
use crate::explain::counterfactual::left_of;
use crate::model::memory_state::batches_are_part;
use crate::model::vector_store::Settled;
use crate::nn::Buffer;
use crate::predict::asker::Asker;
use crate::{GraphContext, LearnError, PastMemory, Query, Trained, VectorStore};

impl Asker<'_> {
    /// The score of a question, and how far it stands above the other candidates that [`Trained::explain`] compares it with, as if
    /// neither of its ends had ever been linked with any of `nodes`. Costs a look at all facts; for a model whose memory depends on
    /// how facts are cut into batches or on its peers' memory, a replay of all facts before the question.
    ///
    /// # Errors
    /// [`LearnError::Stopped`] once that is asked for.
    pub fn explain_without(self, query: &Query, nodes: &[NodeIndex]) -> Result<(f32, f32), LearnError> {
        let Asker { trained, stop, .. } = self;
        let asked = trained.with_negatives(query);
        let edges = edges_between(&trained.graph, [query.source, query.destination], nodes);
        let left = trained.over(trained.graph.without(&edges));
        let store = match batches_are_part(&trained.config) {
            true => left.memory_at(query.as_of, stop)?.into_owned(),
            false => self.replayed(&left, &edges, query.as_of),
        };
        let scores = left.asker(&store, stop).score(&asked)?;
        let Some((own, others)) = scores.split_first() else { return Err(LearnError::Stopped) };
        let mean = others.iter().sum::<f32>() / others.len().max(1) as f32;
        Ok((*own, if others.is_empty() { *own } else { own - mean }))
    }

    /// The memory of a question over a graph without some edges: only their ends remember otherwise.
    fn replayed(self, left: &Trained, edges: &Edges, as_of: Time) -> VectorStore {
        let facts = left.graph.facts();
        let until = left.graph.n_facts_before(as_of);
        let index = &left.graph.index;
        let touched: BTreeSet<NodeIndex> = edges
            .iter()
            .flat_map(|&(_, edge)| {
                let (_, source, destination) = index.edge_ends(edge);
                [source, destination]
            })
            .collect();
        let mut positions = vec![Vec::new(); touched.len()];
        let place: std::collections::BTreeMap<NodeIndex, usize> = touched.iter().copied().zip(0..).collect();
        for (at, fact) in facts[..until].iter().enumerate() {
            for node in [Some(fact.source), Some(fact.destination).filter(|node| *node != fact.source)] {
                if let Some(place) = node.and_then(|node| place.get(&node)) {
                    positions[*place].push(at);
                }
            }
        }
        let (mut memories, mut lasts) = (Vec::new(), Vec::new());
        for (&node, positions) in touched.iter().zip(&positions) {
            let width = left.config.model.memory_width();
            let (last, memory) = left_of(&left.model, &left.graph, node, positions)
                .map_or((None, vec![0.0; width]), |(last, memory)| (Some(last), memory));
            lasts.push(last);
            memories.extend(memory);
        }
        let mut store = self.store.clone();
        store.commit(&Settled {
            receivers: touched.iter().copied().collect(),
            state: Buffer::zeros(touched.len() * left.config.model.state_width()),
            memory: memories.into(),
            last: lasts,
            absorbed: until,
        });
        store
    }
}

/// All edges between either of two ends and some nodes, of any type and time.
fn edges_between(graph: &GraphContext, ends: [NodeIndex; 2], nodes: &[NodeIndex]) -> Edges {
    let is_one = |a: NodeIndex, b: NodeIndex| ends.contains(&a) && nodes.contains(&b);
    let between =
        |fact: &&timeweft_index::Fact| is_one(fact.source, fact.destination) || is_one(fact.destination, fact.source);
    graph.facts().iter().filter(between).filter_map(|fact| fact.edge).collect::<BTreeSet<(EdgeTypeId, EdgeIndex)>>()
}

impl Trained {
    /// The weights over another graph, without a memory.
    fn over(&self, graph: GraphContext) -> Trained {
        let store = crate::empty_store(&graph, &self.config);
        Trained {
            model: self.model.clone(),
            graph,
            latest: self.latest.clone(),
            store,
            past: PastMemory::default(),
            config: self.config.clone(),
            epochs: Vec::new(),
            best: self.best,
            seen: 0,
            base: 0,
        }
    }
}
