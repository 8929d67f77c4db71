//! The best answers to one question.

use std::borrow::Cow;

use timeweft_graph::{Direction, EdgeTypeId, NodeIndex, NodeTypeId, Stop, Time};

use crate::model::pipeline::Reader;
use crate::{Query, Trained, VectorStore};

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
        // Nobody asks this one to stop.
        let (store, stop) = (self.memory_before(time), Stop::default());
        self.asker(&store, &stop).predict(edge_type, source, time, top).unwrap_or_default().best
    }

    /// Scores of the nodes of a type that are alive just before a time, those first that the model of nodes that go expects
    /// to go next.
    pub fn predict_gone(&self, node_type: NodeTypeId, time: Time, top: usize) -> Vec<RankedNode> {
        let (store, stop) = (self.memory_before(time), Stop::default());
        self.asker(&store, &stop).predict_gone(node_type, time, top).unwrap_or_default().best
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
        let (store, stop) = (self.memory_before(time), Stop::default());
        self.asker(&store, &stop).score(queries).unwrap_or_default()
    }

    /// Reads a memory with the chosen weights.
    pub(crate) fn reader<'a>(&'a self, store: &'a VectorStore) -> Reader<'a> {
        Reader { model: &self.model, graph: &self.graph, store }
    }

    /// As [`Trained::memory_at`]; nobody asks this one to stop.
    pub(crate) fn memory_before(&self, time: Time) -> Cow<'_, VectorStore> {
        self.memory_at(time, &Stop::default()).unwrap_or(Cow::Borrowed(&self.store))
    }
}
