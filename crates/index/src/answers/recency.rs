//! Counters of edge creations: how often and when last, strictly before a time. Deletes do not undo them.

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
