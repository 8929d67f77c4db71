//! Memory as it would be without some edges. Without peer memory in messages a node remembers its own
//! facts only, so a replay of these alone is exact.
//!
//! Equations: `docs/model.md#explanations`.

use std::collections::BTreeSet;

use rustc_hash::FxHashMap;
use timeweft_graph::{EdgeIndex, EdgeTypeId, NodeIndex, Time};

use crate::data::time_encoder::gap;
use crate::model::batch::expand_for;
use crate::nn;
use crate::{GraphContext, Htgn, Neighborhood, Query, Trained, VectorStore};

/// Replays nodes without edges.
pub(crate) struct Counterfactual<'a> {
    trained: &'a Trained,
    /// Positions of the facts of each node.
    facts: Vec<Vec<u32>>,
}

/// What is left of a node: its last message and memory; `None` for a node that has no message, or is gone.
pub(crate) type Left = Option<(Time, Vec<f32>)>;

/// What the facts at some positions leave of a node. Messages do not carry their peers' memory.
pub(crate) fn left_of(model: &Htgn, graph: &GraphContext, node: NodeIndex, positions: &[usize]) -> Left {
    let (messages, tokens) = expand_for(graph, positions, node);
    let last = tokens.node.len().checked_sub(1).filter(|_| tokens.gone.last() == Some(&false))?;
    let (time_encoder, identity, config) = (&graph.statistics.time_encoder, model.identity.as_ref(), graph.config());
    if !config.memory {
        return Some((tokens.time[last], Vec::new()));
    }
    let nothing = VectorStore::new(0, config.state_width(), config.memory_width());
    let encoded = model.encoder.forward(&messages, None, time_encoder, identity);
    let aggregated = model.aggregator.forward(encoded, &tokens, identity);
    let memory = model.memory.forward(aggregated, &tokens, &nothing, time_encoder).memory;
    Some((tokens.time[last], nn::rows(memory, last, 1).values().to_vec()))
}

impl<'a> Counterfactual<'a> {
    /// `None` for a model without memory, or one whose messages carry their peers' memory.
    pub(crate) fn new(trained: &'a Trained) -> Option<Counterfactual<'a>> {
        let config = &trained.config.model;
        if !config.memory || config.sweeps > 0 {
            return None;
        }
        let mut facts = vec![Vec::new(); trained.graph.index.n_nodes()];
        for (at, fact) in (0..).zip(trained.graph.facts()) {
            facts[fact.source.at()].push(at);
            if fact.destination != fact.source {
                facts[fact.destination.at()].push(at);
            }
        }
        Some(Counterfactual { trained, facts })
    }

    /// A neighborhood, read as of `query`, with memory replayed without the edges to the neighbors at some places.
    pub(crate) fn without(&self, neighborhood: &Neighborhood, gone: &[usize], query: &Query) -> Neighborhood {
        let edges: BTreeSet<(EdgeTypeId, EdgeIndex)> =
            gone.iter().map(|&j| (neighborhood.neighbors[j].edge_type, neighborhood.neighbors[j].edge)).collect();
        let roots = neighborhood.root_of_neighbors(neighborhood.neighbors.len());
        let ends =
            gone.iter().flat_map(|&j| [neighborhood.roots[roots[j] as usize].node, neighborhood.neighbors[j].node]);
        let touched: BTreeSet<NodeIndex> = ends.collect();
        let left: FxHashMap<NodeIndex, Left> =
            touched.into_iter().map(|node| (node, self.replay(node, query.as_of, &edges))).collect();
        let mut out = neighborhood.clone();
        for (root, entry) in neighborhood.root_entry.iter().enumerate() {
            if let Some(left) = left.get(&neighborhood.roots[root].node) {
                self.put(&mut out, *entry, neighborhood.root_type[root], left);
            }
        }
        for (j, entry) in neighborhood.neighbor_entry.iter().enumerate() {
            let node = neighborhood.neighbors[j].node;
            if let Some(left) = left.get(&node) {
                self.put(&mut out, *entry, self.trained.graph.node_type(node).at() as u32, left);
                let idle = gap(left.as_ref().map(|(time, _)| *time), query.time);
                out.neighbor_idle.get_mut(j).into_iter().for_each(|gap| *gap = idle);
            }
        }
        self.read_anew(&mut out, &roots, gone, &left);
        out
    }

    /// When each root was last read changes with what is left of it, and so do the ages of its neighbors.
    fn read_anew(&self, out: &mut Neighborhood, roots: &[u32], gone: &[usize], left: &FxHashMap<NodeIndex, Left>) {
        let mut read: Vec<Option<Time>> = out
            .roots
            .iter()
            .zip(&out.root_read)
            .map(|(root, read)| left.get(&root.node).map_or(*read, |left| left.as_ref().map(|(time, _)| *time)))
            .collect();
        let stays = |j: &usize| !gone.contains(j);
        for j in (0..out.neighbors.len()).filter(stays) {
            let read = &mut read[roots[j] as usize];
            *read = (*read).max(Some(out.neighbors[j].created));
        }
        for (neighbor, (since, &root)) in out.neighbors.iter().zip(out.neighbor_gap.iter_mut().zip(roots)) {
            *since = read[root as usize].map_or(0.0, |read| gap(Some(neighbor.created), read));
        }
        out.root_read = read;
    }

    /// Memory of a node as of a time, from its facts without those of some edges.
    fn replay(&self, node: NodeIndex, as_of: Time, without: &BTreeSet<(EdgeTypeId, EdgeIndex)>) -> Left {
        let Trained { model, graph, .. } = self.trained;
        let until = graph.n_facts_before(as_of);
        let before = self.facts[node.at()].iter().map(|&at| at as usize).take_while(|&at| at < until);
        let stays = |&at: &usize| graph.facts()[at].edge.is_none_or(|edge| !without.contains(&edge));
        left_of(model, graph, node, &before.filter(stays).collect::<Vec<_>>())
    }

    /// Writes what is left of a node over its stored row, if the entry is one.
    fn put(&self, neighborhood: &mut Neighborhood, entry: u32, node_type: u32, left: &Left) {
        let d = self.trained.config.model.width;
        let row = neighborhood.entry_row[entry as usize] as usize;
        let Some(stored) = neighborhood.stored.get_mut(row * d..(row + 1) * d) else { return };
        match left {
            Some((_, memory)) => stored.copy_from_slice(memory),
            None => {
                let start = self.trained.model.memory.start();
                stored.copy_from_slice(&start.values()[node_type as usize * d..][..d]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use std::sync::Arc;

    use timeweft_graph::{Schema, Time, TimeUnit};
    use timeweft_index::Index;
    use timeweft_oracle::synthetic;

    use super::*;
    use crate::{Config, Task, train};

    fn distance(a: &[f32], b: &[f32]) -> f32 {
        assert_eq!(a.len(), b.len());
        a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
    }

    #[test]
    fn a_replay_without_an_edge_is_the_memory_of_a_log_without_it() {
        let task = synthetic::planted_cause(3, 1);
        let mut config: Config = serde_json::from_value(task.config).unwrap();
        (config.model.memory, config.train.epochs, config.train.split) = (true, 1, [0.4, 0.7]);
        let mut index = Index::new(Schema::new(TimeUnit::Step));
        task.events.iter().for_each(|event| index.apply(event, &"".into()).unwrap());
        let trained = train(&Task::new(Arc::new(index), &config).unwrap(), &config, |_| ()).unwrap();
        let replays = Counterfactual::new(&trained).unwrap();
        let nodes = || (0..trained.graph.index.n_nodes() as u32).map(NodeIndex);
        for node in nodes() {
            let stored = trained.store.memory(node);
            let replayed = replays.replay(node, Time::FOREVER, &BTreeSet::new());
            assert_eq!(stored.is_some(), replayed.is_some());
            assert!(replayed.is_none_or(|(_, memory)| distance(&memory, stored.unwrap()) < 1e-5));
        }
        // A visit in the middle: its fact and its event.
        let at = trained.graph.facts().iter().rposition(|fact| fact.edge.is_some_and(|(of, _)| of.0 == 0)).unwrap();
        let fact = trained.graph.facts()[at];
        let without = BTreeSet::from([fact.edge.unwrap()]);
        let replayed: Vec<Left> = nodes().map(|node| replays.replay(node, Time::FOREVER, &without)).collect();
        let visited = fact.destination;
        assert!(distance(&replayed[visited.at()].clone().unwrap().1, trained.store.memory(visited).unwrap()) > 1e-3);
        // The key of an edge is the position of its event.
        let position = trained.graph.index.edge_key(fact.edge.unwrap().1).key.unwrap().parse::<u32>().unwrap();
        let erased = trained.erase(&[position].into_iter().collect()).trained;
        for (node, replayed) in replayed.iter().enumerate() {
            let expected = erased.store.memory(NodeIndex(node as u32));
            let found = replayed.as_ref().map(|(_, memory)| memory.as_slice());
            assert!(
                found.is_none() == expected.is_none() && found.is_none_or(|f| distance(f, expected.unwrap()) < 1e-5)
            );
        }
    }
}
