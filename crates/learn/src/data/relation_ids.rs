//! Numbers of relations.

use timeweft_graph::{Direction, EdgeTypeId, NodeTypeId, Schema};

use crate::ModelConfig;

/// Numbers relations as a model sees them: each edge type outwards and inwards, then each node type's facts about itself.
/// An untyped model sees one edge type and one kind of fact. Types are numbered as in the model's schema.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RelationIds {
    n_edge_types: usize,
    n_node_types: usize,
    typed: bool,
}

impl RelationIds {
    /// The relations of a schema, each by itself or one for each role, as a configuration says.
    pub fn of(schema: &Schema, config: &ModelConfig) -> RelationIds {
        let (n_edge_types, n_node_types) = (schema.edge_types().len(), schema.node_types().len());
        RelationIds { n_edge_types, n_node_types, typed: config.typed }
    }

    /// Number of relations.
    pub fn len(self) -> usize {
        if self.typed { 2 * self.n_edge_types + self.n_node_types } else { 3 }
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// Number of node types.
    pub fn n_node_types(self) -> usize {
        self.n_node_types
    }

    /// Number of edge types.
    pub fn n_edge_types(self) -> usize {
        self.n_edge_types
    }

    /// Number of relations that are edges: the first ones.
    pub fn n_edges(self) -> usize {
        2 * if self.typed { self.n_edge_types } else { 1 }
    }

    /// What a relation is to its root: 0 an edge outwards, 1 an edge inwards, 2 a fact about itself.
    pub fn role(self, relation: u32) -> u32 {
        if (relation as usize) < self.n_edges() { relation % 2 } else { 2 }
    }

    /// The relation of an edge seen from one of its ends.
    pub fn edge(self, edge_type: EdgeTypeId, direction: Direction) -> u32 {
        2 * if self.typed { u32::from(edge_type.0) } else { 0 } + u32::from(direction == Direction::In)
    }

    pub(crate) fn itself(self, node_type: NodeTypeId) -> u32 {
        if self.typed { 2 * self.n_edge_types as u32 + u32::from(node_type.0) } else { 2 }
    }
}
