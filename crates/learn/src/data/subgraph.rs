//! The part of a graph that a model knows. What it does not know is not there for it: no fact, no neighbor, no count.

use std::sync::Arc;

use timeweft_graph::{Deletes, NodeIndex, Schema, Time};
use timeweft_index::{Fact, Index, Neighbor};

use crate::{SchemaMap, Unknown};

/// A graph, seen through the schema of a model. Nodes, edges and types keep the numbers that the graph gives them.
#[derive(Clone)]
pub struct Subgraph {
    index: Arc<Index>,
    types: SchemaMap,
    /// Facts of known types; `None` if those are all.
    facts: Option<Vec<Fact>>,
}

impl Subgraph {
    /// What a model with a schema knows of a graph.
    pub fn new(index: Arc<Index>, schema: &Schema) -> Subgraph {
        let types = SchemaMap::new(index.schema(), schema);
        let is_known = |fact: &&Fact| match fact.edge {
            Some((edge_type, _)) => types.knows_edge(edge_type),
            None => types.knows_node(index.node_type(fact.source)),
        };
        let known = || index.facts().iter().filter(is_known).copied().collect();
        let facts = (!types.knows_all_types()).then(known);
        Subgraph { facts, types, index }
    }

    /// All of a graph.
    pub fn whole(index: Arc<Index>) -> Subgraph {
        Subgraph { types: SchemaMap::new(index.schema(), index.schema()), facts: None, index }
    }

    /// The numbers of types and features that the model has for those of the graph.
    pub fn types(&self) -> &SchemaMap {
        &self.types
    }

    /// What the graph has beyond a schema.
    pub fn unknown(&self, schema: &Schema) -> Unknown {
        Unknown::new(self.index.schema(), schema)
    }

    /// Everything that happens to known types, in order of (time, position).
    pub fn facts(&self) -> &[Fact] {
        self.facts.as_deref().unwrap_or_else(|| self.index.facts())
    }

    /// As [`Index::last_neighbors`], over known edge types.
    pub(crate) fn last_neighbors(&self, node: NodeIndex, before: Time, k: usize, deletes: Deletes) -> Vec<Neighbor> {
        let mut neighbors = Vec::with_capacity(k.min(64));
        let is_known = |of| self.facts.is_none() || self.types.knows_edge(of);
        self.index.last_neighbors_by(node, before, k, deletes, is_known, &mut neighbors);
        neighbors
    }

    /// As [`Index::degree_before`], over known edge types.
    pub(crate) fn degree_before(&self, node: NodeIndex, before: Time) -> usize {
        self.index.degree_before_by(node, before, |of| self.types.knows_edge(of))
    }
}
