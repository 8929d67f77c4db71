//! What lives now, by the namespaces that hold it.

use timeweft_graph::delta::NAMESPACES;
use timeweft_graph::{EdgeIndex, Interval, Name, NodeIndex, NodeKey, Owner, Value};

use crate::Index;

/// A node that was never removed since it was last created.
#[derive(Clone, Debug)]
pub struct LiveNode {
    /// Which node.
    pub node: NodeIndex,
    /// Its key.
    pub key: NodeKey,
    /// Its open life.
    pub life: Interval,
    /// What the namespace says of it, by name.
    pub features: Vec<(Name, Value)>,
}

/// An edge that was never removed since it was last created.
#[derive(Clone, Debug)]
pub struct LiveEdge<'a> {
    /// Its open life.
    pub edge: EdgeIndex,
    /// Where it starts.
    pub source: NodeKey,
    /// Name of the relation.
    pub relation: &'a Name,
    /// Where it ends.
    pub destination: NodeKey,
    /// The key that distinguishes parallel edges.
    pub key: Option<&'a Name>,
    /// Its open life's interval.
    pub life: Interval,
    /// What the namespace says of it, by name.
    pub features: Vec<(Name, Value)>,
}

impl Index {
    /// The nodes that a namespace holds and that are alive at the end of time, in the order in which the log first names
    /// them.
    pub fn live_nodes_of(&self, namespace: &str) -> impl Iterator<Item = LiveNode> {
        let all = (0..self.n_nodes() as u32).map(NodeIndex);
        let live = all.filter_map(|node| Some((node, self.nodes.latest_life(node)?)));
        live.filter(|(_, life)| life.interval.is_open()).filter_map(move |(node, life)| {
            let may_be = self.namespaces.get(self.nodes.owner(node)).is_some_and(|owner| **owner == *namespace);
            if !may_be && self.schema.feature(Owner::Node(life.node_type), NAMESPACES).is_none() {
                return None;
            }
            let features = self.living_node(node).shares().get(namespace)?.clone();
            Some(LiveNode {
                node,
                key: self.node_key(node),
                life: life.interval,
                features: features.into_iter().collect(),
            })
        })
    }

    /// The edges that a namespace holds and that are alive at the end of time, in the order of their creation in the log.
    pub fn live_edges_of(&self, namespace: &str) -> impl Iterator<Item = LiveEdge<'_>> {
        let all = (0u32..).map(EdgeIndex).zip(&self.edges.lives);
        all.filter(|(_, life)| life.interval.is_open()).filter_map(move |(edge, life)| {
            let may_be = self.namespaces.get(life.namespace).is_some_and(|owner| **owner == *namespace);
            if !may_be && self.schema.feature(Owner::Edge(life.edge_type), NAMESPACES).is_none() {
                return None;
            }
            let features = self.living_edge_life(edge).shares().get(namespace)?.clone();
            Some(LiveEdge {
                edge,
                source: self.node_key(life.source),
                relation: self.relation(life.edge_type),
                destination: self.node_key(life.destination),
                key: self.keys.get(life.key),
                life: life.interval,
                features: features.into_iter().collect(),
            })
        })
    }
}
