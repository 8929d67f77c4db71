//! Many nodes and edges as columns of numbers, for what reads them into arrays: no key and no text is made of any.
//!
//! Slow reference: the answers of [`GraphView`](timeweft_graph::GraphView), one element at a time.

use timeweft_graph::{At, EdgeIndex, EdgeTypeId, IdRef, NodeIndex, NodeTypeId, Time};

use crate::Index;
use crate::sample::NO_NODE;

/// Nodes at one moment: entries of one position are of one node.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct NodeColumns {
    /// Dense numbers, ascending.
    pub nodes: Vec<NodeIndex>,
    /// Their types.
    pub types: Vec<NodeTypeId>,
    /// When the life began that the moment shows.
    pub created: Vec<Time>,
    /// When it ended; [`Time::FOREVER`] where it has no end.
    pub removed: Vec<Time>,
}

/// Edges at one moment: entries of one position are of one edge.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct EdgeColumns {
    /// Dense numbers of the lives that the moment shows.
    pub edges: Vec<EdgeIndex>,
    /// Their types.
    pub types: Vec<EdgeTypeId>,
    /// Where they start.
    pub sources: Vec<NodeIndex>,
    /// Where they end.
    pub destinations: Vec<NodeIndex>,
    /// When each life began.
    pub created: Vec<Time>,
    /// When it ended; [`Time::FOREVER`] where it has no end.
    pub removed: Vec<Time>,
}

impl Index {
    /// The numbers of nodes of one type by their ids; [`NO_NODE`] for those that the graph never had.
    pub fn node_indices<'a>(&self, node_type: &str, ids: impl IntoIterator<Item = IdRef<'a>>) -> Vec<NodeIndex> {
        let node_type = self.schema.node_type(node_type);
        let find = |id| node_type.and_then(|of| self.nodes.created(of, id)).unwrap_or(NO_NODE);
        ids.into_iter().map(find).collect()
    }

    /// Type and id of each of many nodes, read in place; `None` where there is no node, as for [`NO_NODE`].
    pub fn node_ids(
        &self,
        nodes: impl IntoIterator<Item = NodeIndex>,
    ) -> impl Iterator<Item = Option<(NodeTypeId, IdRef<'_>)>> {
        let id = |node: NodeIndex| (self.nodes.node_type(node), self.nodes.id(node));
        nodes.into_iter().map(move |node| (node.at() < self.n_nodes()).then(|| id(node)))
    }

    /// The nodes that a moment shows, of one type if one is named.
    pub fn node_columns(&self, node_type: Option<&str>, at: At) -> NodeColumns {
        let mut columns = NodeColumns::default();
        for life in self.shown_nodes(node_type, at) {
            let life = &self.nodes.lives[life as usize];
            columns.nodes.push(life.node);
            columns.types.push(life.node_type);
            columns.created.push(life.interval.created);
            columns.removed.push(life.interval.removed);
        }
        columns
    }

    /// The edges that a moment shows, of one relation if one is named, in the order of their keys' first creation.
    pub fn edge_columns(&self, relation: Option<&str>, at: At) -> EdgeColumns {
        let mut columns = EdgeColumns::default();
        for edge in self.shown_edges(relation, at) {
            let life = self.edges.get(edge);
            columns.edges.push(edge);
            columns.types.push(life.edge_type);
            columns.sources.push(life.source);
            columns.destinations.push(life.destination);
            columns.created.push(life.interval.created);
            columns.removed.push(life.interval.removed);
        }
        columns
    }
}
