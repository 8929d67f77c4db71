//! Edges that wait for the last node.

use rustc_hash::FxHashMap;
use timeweft_graph::{EdgeTypeId, Name, Sink};

use super::{Ids, Relations, Types};

/// An edge between two normal ids. Its relation is the id of a property.
pub(crate) struct Edge {
    pub(crate) relation: Name,
    pub(crate) source: Name,
    pub(crate) destination: Box<str>,
    pub(crate) line: u64,
}

/// The edges of a file.
#[derive(Default)]
pub(crate) struct Edges {
    pub(crate) all: Vec<Edge>,
    obsolete: usize,
    /// The first line with an edge of an obsolete term.
    first_obsolete: Option<u64>,
}

impl Edges {
    /// Counts an edge of an obsolete term: the term is no node, so the edge is none either.
    pub(crate) fn add_obsolete(&mut self, line: u64) {
        self.obsolete += 1;
        self.first_obsolete.get_or_insert(line);
    }

    /// All ids at the ends.
    pub(crate) fn ids(&self) -> impl Iterator<Item = &str> {
        self.all.iter().flat_map(|edge| [&*edge.source, &*edge.destination])
    }

    /// Pushes them; `None` if the schema is full.
    pub(crate) fn push(self, types: &Types, relations: &Relations, ids: &Ids, sink: &mut dyn Sink) -> Option<()> {
        let mut numbers = FxHashMap::<Name, usize>::default();
        let mut used = Vec::new();
        for edge in &self.all {
            if !numbers.contains_key(&edge.relation) {
                numbers.insert(edge.relation.clone(), used.len());
                used.push(edge.relation.clone());
            }
        }
        let names = relations.names(&used);
        let declared: Option<Vec<EdgeTypeId>> =
            names.iter().map(|name| sink.schema().add_edge_type(types.term, name, types.term)).collect();
        let declared = declared?;
        if let Some(line) = self.first_obsolete {
            let edges = super::count(self.obsolete, "edge", "edges");
            sink.warn(
                line,
                format!("{edges} of obsolete terms: an obsolete term is no node, so its edges are left out"),
            );
        }
        for edge in &self.all {
            let (source, destination) = (ids.id(&edge.source), ids.id(&edge.destination));
            sink.edge(declared[numbers[&edge.relation]], (&source, &destination), None, &[], edge.line);
        }
        Some(())
    }
}
