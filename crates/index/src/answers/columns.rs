//! Many nodes and edges as columns of numbers, for what reads them into arrays: no key and no text is made of any.
//!
//! Slow reference: the answers of [`GraphView`](timeweft_graph::GraphView), one element at a time.

use std::ops::Range;

use timeweft_graph::{At, EdgeIndex, EdgeTypeId, IdRef, Interval, NodeIndex, NodeTypeId, Time};

use crate::elements::edge::EdgeLife;
use crate::elements::life::shown;
use crate::elements::node::NodeLife;
use crate::sample::NO_NODE;
use crate::{Index, NONE};

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

impl NodeColumns {
    fn push(&mut self, life: &NodeLife) {
        self.nodes.push(life.node);
        self.types.push(life.node_type);
        self.created.push(life.interval.created);
        self.removed.push(life.interval.removed);
    }

    /// Takes out all nodes, and keeps the memory.
    pub fn clear(&mut self) {
        self.nodes.clear();
        self.types.clear();
        self.created.clear();
        self.removed.clear();
    }
}

impl EdgeColumns {
    fn push(&mut self, edge: EdgeIndex, life: &EdgeLife) {
        self.edges.push(edge);
        self.types.push(life.edge_type);
        self.sources.push(life.source);
        self.destinations.push(life.destination);
        self.created.push(life.interval.created);
        self.removed.push(life.interval.removed);
    }

    /// Takes out all edges, and keeps the memory.
    pub fn clear(&mut self) {
        self.edges.clear();
        self.types.clear();
        self.sources.clear();
        self.destinations.clear();
        self.created.clear();
        self.removed.clear();
    }
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
        self.shown_nodes(node_type, at).for_each(|life| columns.push(&self.nodes.lives[life as usize]));
        columns
    }

    /// Adds nodes with numbers of a range that a moment shows and that are wanted, until there are `most`; gives the number
    /// from which to go on. All ranges one after the other give the nodes of [`Index::node_columns`] in its order.
    pub fn node_columns_in(
        &self,
        nodes: Range<u32>,
        at: At,
        wanted: impl Fn(NodeTypeId, Interval) -> bool,
        most: usize,
        columns: &mut NodeColumns,
    ) -> u32 {
        let end = nodes.end.min(self.n_nodes() as u32);
        let (latest, lives) = (self.nodes.life.checked(), self.nodes.lives.checked());
        for node in nodes.start..end {
            if columns.nodes.len() >= most {
                return node;
            }
            let Some(life) = shown(lives, *latest.at(node as usize), at) else { continue };
            let life = lives.at(life as usize);
            if wanted(life.node_type, life.interval) {
                columns.push(life);
            }
        }
        end
    }

    /// The edges that a moment shows, of one relation if one is named, in the order of their keys' first creation.
    pub fn edge_columns(&self, relation: Option<&str>, at: At) -> EdgeColumns {
        let mut columns = EdgeColumns::default();
        self.shown_edges(relation, at).for_each(|edge| columns.push(edge, self.edges.get(edge)));
        columns
    }

    /// Adds edges that a moment shows and that are wanted, of those whose latest life has a number of a range, until there are
    /// `most`; gives the number from which to go on. All ranges one after the other give the edges of
    /// [`Index::edge_columns`] in its order.
    pub fn edge_columns_in(
        &self,
        lives: Range<u32>,
        at: At,
        wanted: impl Fn(EdgeTypeId, Interval) -> bool,
        most: usize,
        columns: &mut EdgeColumns,
    ) -> u32 {
        let end = lives.end.min(self.n_edges() as u32);
        let all = self.edges.lives.checked();
        for latest in lives.start..end {
            if columns.edges.len() >= most {
                return latest;
            }
            if all.at(latest as usize).next != NONE {
                continue;
            }
            let Some(edge) = shown(all, latest, at) else { continue };
            let life = all.at(edge as usize);
            if wanted(life.edge_type, life.interval) {
                columns.push(EdgeIndex(edge), life);
            }
        }
        end
    }

    /// Adds lives of edges, whatever a moment shows.
    pub fn push_edges(&self, edges: impl IntoIterator<Item = EdgeIndex>, columns: &mut EdgeColumns) {
        edges.into_iter().for_each(|edge| columns.push(edge, self.edges.get(edge)));
    }
}
