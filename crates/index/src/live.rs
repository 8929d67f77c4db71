//! What lives now, by the namespace that owns it.

use timeweft_graph::{EdgeIndex, EdgeKey, FeatureId, Interval, Name, NodeIndex, NodeKey, Owner, Time, Value};

use crate::Index;
use crate::life::Life;

/// A node that was never removed since it was last created.
#[derive(Clone, Debug)]
pub struct LiveNode<'a> {
    /// Which node.
    pub node: NodeIndex,
    /// Its key.
    pub key: NodeKey,
    /// Its open life.
    pub life: Interval,
    /// Its current features, in the order of the schema.
    pub features: Vec<(&'a Name, Value)>,
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
    /// Tells parallel edges apart.
    pub key: Option<&'a Name>,
    /// Its open life's interval.
    pub life: Interval,
    /// Its current features, in the order of the schema.
    pub features: Vec<(&'a Name, Value)>,
}

impl LiveEdge<'_> {
    /// The edge's key.
    pub fn to_key(&self) -> EdgeKey {
        EdgeKey {
            source: self.source.clone(),
            relation: self.relation.clone(),
            destination: self.destination.clone(),
            key: self.key.cloned(),
        }
    }
}

impl Index {
    /// The namespace that created a node's latest life; empty if none was given, `None` for an unknown node.
    pub fn namespace_of(&self, key: &NodeKey) -> Option<&Name> {
        self.namespaces.get(self.nodes.owner(self.node_index(key)?))
    }

    /// The namespace that created an edge's latest life; empty if none was given, `None` for an unknown edge.
    pub fn namespace_of_edge(&self, key: &EdgeKey) -> Option<&Name> {
        self.namespaces.get(self.edges.get(self.edge_index(key)?).namespace)
    }

    /// The nodes of a namespace that are alive at the end of time, in the order in which the log first names them.
    pub fn live_nodes_of(&self, namespace: &str) -> impl Iterator<Item = LiveNode<'_>> {
        let wanted = self.namespaces.find(namespace);
        let all = (0..self.n_nodes() as u32).map(NodeIndex);
        let lives = all.filter_map(|node| Some((node, self.nodes.latest_life(node)?)));
        let live = lives.filter(move |(node, life)| life.interval.is_open() && Some(self.nodes.owner(*node)) == wanted);
        live.map(|(node, life)| LiveNode {
            node,
            key: self.node_key(node),
            life: life.interval,
            features: self.current(life, Owner::Node(life.node_type)),
        })
    }

    /// The edges of a namespace that are alive at the end of time, in the order of their creation in the log.
    pub fn live_edges_of(&self, namespace: &str) -> impl Iterator<Item = LiveEdge<'_>> {
        let wanted = self.namespaces.find(namespace);
        let all = (0u32..).map(EdgeIndex).zip(&self.edges.lives);
        let live = all.filter(move |(_, life)| Some(life.namespace) == wanted && life.interval.is_open());
        live.map(|(edge, life)| LiveEdge {
            edge,
            source: self.node_key(life.source),
            relation: self.relation(life.edge_type),
            destination: self.node_key(life.destination),
            key: self.keys.get(life.key),
            life: life.interval,
            features: self.current(life, Owner::Edge(life.edge_type)),
        })
    }

    fn current(&self, life: &impl Life, owner: Owner) -> Vec<(&Name, Value)> {
        let defs = self.schema.features(owner);
        let named = |(id, value): (FeatureId, u32)| Some((&defs.get(id.at())?.name, self.columns.value(value)?));
        self.columns.at(life.track(), Time::FOREVER).filter_map(named).collect()
    }
}
