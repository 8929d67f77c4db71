//! Counters of edge creations: how often and when last, strictly before a time. Deletes do not undo them.

use rustc_hash::FxHashSet;
use timeweft_graph::{Direction, EdgeTypeId, NodeIndex, Time};

use crate::Index;

/// How many edges were created, and when the last one.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Recency {
    /// Number of creations.
    pub count: u32,
    /// Time of the last creation; `None` if there is none.
    pub last: Option<Time>,
}

impl Index {
    /// Edges of a type from `source` created strictly before `time`.
    pub fn source_before(&self, edge_type: EdgeTypeId, source: NodeIndex, time: Time) -> Recency {
        self.side_before(edge_type, source, Direction::Out, time)
    }

    /// Edges of a type to `destination` created strictly before `time`.
    pub fn destination_before(&self, edge_type: EdgeTypeId, destination: NodeIndex, time: Time) -> Recency {
        self.side_before(edge_type, destination, Direction::In, time)
    }

    /// The distinct destinations of `source` by edges of a type created strictly before `time`, each with its last
    /// creation: latest first, then by node key. Costs the degree.
    pub fn partners_before(&self, edge_type: EdgeTypeId, source: NodeIndex, time: Time) -> Vec<(NodeIndex, Time)> {
        let Some(list) = self.adjacency().list(source, edge_type, Direction::Out) else { return Vec::new() };
        let mut seen = FxHashSet::default();
        let before = list.newest(list.before(time), None);
        let mut partners: Vec<_> = before.map(|entry| (entry.neighbor, entry.created)).collect();
        partners.retain(|(node, _)| seen.insert(*node));
        partners.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| self.compare_nodes(a.0, b.0)));
        partners
    }

    /// Distinct destinations of all edges of a type that ever were, sorted by node key.
    pub fn destinations(&self, edge_type: EdgeTypeId) -> Vec<NodeIndex> {
        self.all_at(edge_type, Direction::In)
    }

    /// Distinct sources of all edges of a type that ever were, sorted by node key.
    pub fn sources(&self, edge_type: EdgeTypeId) -> Vec<NodeIndex> {
        self.all_at(edge_type, Direction::Out)
    }

    fn all_at(&self, edge_type: EdgeTypeId, direction: Direction) -> Vec<NodeIndex> {
        let ever = |&node: &NodeIndex| self.adjacency().list(node, edge_type, direction).is_some();
        let mut nodes: Vec<_> = (0..self.n_nodes() as u32).map(NodeIndex).filter(ever).collect();
        nodes.sort_by(|a, b| self.compare_nodes(*a, *b));
        nodes
    }

    fn side_before(&self, edge_type: EdgeTypeId, node: NodeIndex, direction: Direction, time: Time) -> Recency {
        let Some(list) = self.adjacency().list(node, edge_type, direction) else { return Recency::default() };
        let n = list.before(time);
        let last = n.checked_sub(1).and_then(|at| list.get(at));
        Recency { count: n as u32, last: last.map(|last| last.created) }
    }
}
