//! The best answers to one question.

use timeweft_graph::{Direction, EdgeTypeId, NodeIndex, NodeTypeId, Time};

use crate::floats;
use crate::model::memory_state::rebuild;
use crate::model::pipeline::{Reader, Remembered};
use crate::{Predict, Query, Trained};

/// A candidate destination and its score.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct RankedNode {
    /// The destination.
    pub node: NodeIndex,
    /// Its logit.
    pub logit: f32,
    /// Softmax over all candidates of the question.
    pub probability: f32,
}

impl Trained {
    /// Scores of destinations for `(source, relation)` at a time, best first. Candidates are the nodes of the relation's
    /// destination type that are alive just before, without the source unless it had an edge of the type to itself; for a model
    /// of removals those among them that the source has an edge to.
    pub fn predict(&self, edge_type: EdgeTypeId, source: NodeIndex, time: Time, top: usize) -> Vec<RankedNode> {
        let direction = Direction::Out;
        let (index, mut candidates) = (&self.graph.index, self.candidates(edge_type, direction, time));
        if self.config.train.predict == Predict::Removed {
            candidates.retain(|&node| index.is_linked(edge_type, source, node, time.before()));
        }
        let loops = index.pair_before(edge_type, source, source, time).count > 0;
        candidates.retain(|&node| node != source || loops);
        let ask = |&destination| Query { edge_type, direction, source, destination, time, as_of: time };
        self.ranked(candidates.iter().map(ask).collect(), time, top)
    }

    /// Scores of the nodes of a type that are alive just before a time, those first that the model of nodes that go expects
    /// to go next.
    pub fn predict_gone(&self, node_type: NodeTypeId, time: Time, top: usize) -> Vec<RankedNode> {
        let (edge_type, direction) = (self.graph.stand_in(), Direction::Out);
        let ask = |node| Query { edge_type, direction, source: node, destination: node, time, as_of: time };
        self.ranked(self.alive(node_type, time).into_iter().map(ask).collect(), time, top)
    }

    fn ranked(&self, queries: Vec<Query>, time: Time, top: usize) -> Vec<RankedNode> {
        let index = &self.graph.index;
        let logits = self.score(&queries, time);
        let best = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let sum: f32 = logits.iter().map(|logit| (logit - best).exp()).sum();
        let mut predictions: Vec<RankedNode> = queries
            .into_iter()
            .zip(logits)
            .map(|(query, logit)| RankedNode {
                node: query.destination,
                logit,
                probability: (logit - best).exp() / sum,
            })
            .collect();
        predictions.sort_by(|a, b| b.logit.total_cmp(&a.logit).then_with(|| index.compare_nodes(a.node, b.node)));
        predictions.truncate(top);
        predictions
    }

    /// Nodes of the type that a relation leads to, seen from the asking side, that are alive just before a time.
    pub(crate) fn candidates(&self, edge_type: EdgeTypeId, direction: Direction, time: Time) -> Vec<NodeIndex> {
        let index = &self.graph.index;
        let Some(edge) = index.schema().edge_types().get(edge_type.at()) else { return Vec::new() };
        let wanted = match direction {
            Direction::Out => edge.destination,
            Direction::In => edge.source,
        };
        self.alive(wanted, time)
    }

    /// The nodes of a type that are alive just before a time.
    pub(crate) fn alive(&self, node_type: NodeTypeId, time: Time) -> Vec<NodeIndex> {
        let index = &self.graph.index;
        let nodes = (0..index.n_nodes() as u32).map(NodeIndex);
        nodes.filter(|&node| index.node_type(node) == node_type && index.alive(node, time.before())).collect()
    }

    /// Logits of queries that all stand at one time.
    pub fn score(&self, queries: &[Query], time: Time) -> Vec<f32> {
        let store = self.memory_before(time);
        let (nothing, reader) = (Remembered::nothing(&store), self.reader(&store));
        queries.chunks(8192).flat_map(|queries| floats(reader.answer(&nothing, queries, None))).collect()
    }

    /// Reads a memory with the chosen weights.
    pub(crate) fn reader<'a>(&'a self, store: &'a crate::VectorStore) -> Reader<'a> {
        Reader { model: &self.model, graph: &self.graph, store }
    }

    /// Memory of everything strictly before a time: the stored one if it is that, else rebuilt.
    pub(crate) fn memory_before(&self, time: Time) -> std::borrow::Cow<'_, crate::VectorStore> {
        let n = self.graph.n_facts_before(time);
        if n == self.store.absorbed() {
            return std::borrow::Cow::Borrowed(&self.store);
        }
        std::borrow::Cow::Owned(rebuild(&self.model, &self.graph, &self.config, n))
    }
}
