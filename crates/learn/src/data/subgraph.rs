//! The part of a graph that a model knows. What it does not know is not there for it: no fact, no neighbor, no count.

use std::collections::BTreeSet;
use std::sync::Arc;

use timeweft_graph::{Action, Deletes, EdgeIndex, EdgeTypeId, NodeIndex, Schema, Time};
use timeweft_index::{Fact, Index, Neighbor};

use crate::{SchemaMap, Unknown};

/// Some edges.
pub(crate) type Edges = BTreeSet<(EdgeTypeId, EdgeIndex)>;

/// A graph, seen through the schema of a model. Nodes, edges and types keep the numbers that the graph gives them.
#[derive(Clone)]
pub struct Subgraph {
    index: Arc<Index>,
    types: SchemaMap,
    /// Facts of known types; `None` if those are all.
    facts: Option<Vec<Fact>>,
    /// Edges that are left out, of known types.
    left_out: Edges,
    /// When they appeared.
    left_out_facts: Vec<Fact>,
}

impl Subgraph {
    /// What a model with a schema knows of a graph.
    pub fn new(index: Arc<Index>, schema: &Schema) -> Subgraph {
        let types = SchemaMap::new(index.schema(), schema);
        let known = || index.facts().iter().filter(|fact| is_known(&index, &types, fact)).copied().collect();
        let facts = (!types.knows_all_types()).then(known);
        Subgraph { facts, types, index, left_out: Edges::new(), left_out_facts: Vec::new() }
    }

    /// All of a graph.
    pub fn whole(index: Arc<Index>) -> Subgraph {
        let types = SchemaMap::new(index.schema(), index.schema());
        Subgraph { types, facts: None, index, left_out: Edges::new(), left_out_facts: Vec::new() }
    }

    /// Changes the graph by events that are not before any other. It is copied before where somebody else reads it; by that
    /// alone this costs more than what changes.
    pub(crate) fn grow<T>(&mut self, schema: &Schema, change: impl FnOnce(&mut Index) -> T) -> T {
        let known = self.index.facts().len();
        let shape = shape(self.index.schema());
        let done = change(Arc::make_mut(&mut self.index));
        if shape != self::shape(self.index.schema()) {
            let newer = Subgraph::new(self.index.clone(), schema);
            if newer.types.knows_all_types() != self.types.knows_all_types() {
                *self = newer;
                return done;
            }
            self.types = newer.types;
        }
        let types = &self.types;
        if let Some(facts) = &mut self.facts {
            let is_known = |fact: &&Fact| is_known(&self.index, types, fact);
            facts.extend(self.index.facts().get(known..).unwrap_or_default().iter().filter(is_known));
        }
        done
    }

    /// The graph.
    pub(crate) fn index(&self) -> &Arc<Index> {
        &self.index
    }

    /// The same as if some of its edges had never been.
    pub(crate) fn without(&self, edges: &Edges) -> Subgraph {
        let is_out = |fact: &&Fact| fact.edge.is_some_and(|edge| edges.contains(&edge));
        let created = self.facts().iter().filter(is_out).filter(|fact| fact.action == Action::Create);
        let left_out_facts = created.chain(&self.left_out_facts).copied().collect();
        let left_out = self.left_out.union(edges).copied().collect();
        let facts = self.facts().iter().filter(|fact| !is_out(fact)).copied().collect();
        Subgraph { index: self.index.clone(), types: self.types.clone(), facts: Some(facts), left_out, left_out_facts }
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
        // A self-loop is there twice.
        let more = 2 * self.left_out_facts.len();
        self.index.last_neighbors_by(node, before, k + more, deletes, is_known, &mut neighbors);
        if more > 0 {
            neighbors.retain(|neighbor| !self.left_out.contains(&(neighbor.edge_type, neighbor.edge)));
            neighbors.truncate(k);
        }
        neighbors
    }

    /// As [`Index::degree_before`], over known edge types.
    pub(crate) fn degree_before(&self, node: NodeIndex, before: Time) -> usize {
        let ends = |fact: &Fact| usize::from(fact.source == node) + usize::from(fact.destination == node);
        let left_out = self.left_out_facts.iter().filter(|fact| fact.time < before);
        self.index.degree_before_by(node, before, |of| self.types.knows_edge(of)) - left_out.map(ends).sum::<usize>()
    }
}

fn is_known(index: &Index, types: &SchemaMap, fact: &Fact) -> bool {
    match fact.edge {
        Some((edge_type, _)) => types.knows_edge(edge_type),
        None => types.knows_node(index.node_type(fact.source)),
    }
}

/// How many types and features a schema has: events only ever add to them.
fn shape(schema: &Schema) -> [usize; 3] {
    let nodes = schema.node_types().iter().map(|of| of.features.len());
    let edges = schema.edge_types().iter().map(|of| of.features.len());
    [schema.node_types().len(), schema.edge_types().len(), nodes.chain(edges).sum()]
}
