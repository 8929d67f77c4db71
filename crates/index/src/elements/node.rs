//! Nodes and their lives.

use bytemuck::{Pod, Zeroable};
use timeweft_graph::{FeatureId, IdRef, Interval, NodeIndex, NodeTypeId, Time};

use crate::NONE;
use crate::elements::ids::Ids;
use crate::elements::life::{LifeRecord, life_record};
use crate::feature_store::FeatureRow;
use crate::memory::array::Array;

/// One life of a node. It has 32 bytes, so that each lies in one line of memory.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct NodeLife {
    pub(crate) interval: Interval,
    pub(crate) node: NodeIndex,
    pub(crate) previous: u32,
    /// Its [`FeatureRow`].
    feature_row: u32,
    only: FeatureId,
    /// The node's, so that reading features takes no look at its id.
    pub(crate) node_type: NodeTypeId,
}

life_record!(NodeLife);

/// All nodes, in the order in which the log first names them. All lives of a node share its number. One that is only named
/// as the target of a merge has no life yet.
#[derive(Clone, Default)]
pub(crate) struct Nodes {
    /// Latest life of each in `lives`, or [`NONE`]: for itself, so that a line of memory has those of sixteen nodes.
    pub(crate) life: Array<u32>,
    /// Latest event of each, or of a merge from it; [`Time::MIN`] before the first.
    pub(crate) latest: Array<Time>,
    /// Latest merge of each into another node, or [`NONE`].
    pub(crate) merge: Array<u32>,
    pub(crate) lives: Array<NodeLife>,
    /// Number of the namespace that created each life.
    pub(crate) owners: Array<u32>,
    pub(crate) ids: Ids,
}

impl Nodes {
    /// Reserves memory for more nodes.
    pub(crate) fn reserve(&mut self, nodes: usize) {
        self.life.reserve(nodes);
        self.latest.reserve(nodes);
        self.merge.reserve(nodes);
        self.lives.reserve(nodes);
        self.owners.reserve(nodes);
        self.ids.reserve(nodes);
    }

    /// The node of a type and id, if it was created at least once.
    pub(crate) fn created(&self, node_type: NodeTypeId, id: IdRef<'_>) -> Option<NodeIndex> {
        self.find(node_type, id).filter(|&node| self.life(node) != NONE)
    }

    /// The node of a type and id, created or only named.
    pub(crate) fn find(&self, node_type: NodeTypeId, id: IdRef<'_>) -> Option<NodeIndex> {
        self.ids.find(node_type, id).map(NodeIndex)
    }

    /// The same, looked for at `guess` first.
    pub(crate) fn find_near(&self, node_type: NodeTypeId, id: IdRef<'_>, guess: u32) -> Option<NodeIndex> {
        match self.life.get(guess as usize) {
            Some(_) if self.ids.node_type(guess) == node_type && self.ids.get(guess) == id => Some(NodeIndex(guess)),
            _ => self.find(node_type, id),
        }
    }

    /// Adds a node that is not there yet, without a life. The caller bounds how many there are.
    pub(crate) fn add(&mut self, node_type: NodeTypeId, id: IdRef<'_>) -> NodeIndex {
        let index = self.life.len() as u32;
        self.ids.push(node_type, id);
        self.life.push(NONE);
        self.latest.push(Time::MIN);
        self.merge.push(NONE);
        NodeIndex(index)
    }

    /// Opens a life and makes it the node's latest.
    pub(crate) fn open(&mut self, node: NodeIndex, feature_row: FeatureRow, namespace: u32) {
        let life = self.lives.len() as u32;
        let node_type = self.node_type(node);
        let FeatureRow { at, only, begun } = feature_row;
        self.lives.push(NodeLife {
            interval: Interval::open(begun),
            node,
            previous: self.life(node),
            feature_row: at,
            only,
            node_type,
        });
        self.owners.push(namespace);
        self.life[node.at()] = life;
        self.latest[node.at()] = begun;
    }

    /// Ends a node's open life.
    pub(crate) fn close(&mut self, node: NodeIndex, time: Time) {
        let life = self.life(node);
        self.lives[life as usize].interval.removed = time;
        self.latest[node.at()] = time;
    }

    /// Whether its latest life is open.
    #[inline]
    pub(crate) fn is_open(&self, node: NodeIndex) -> bool {
        self.latest_life(node).is_some_and(|life| life.interval.is_open())
    }

    /// Its type.
    pub(crate) fn node_type(&self, node: NodeIndex) -> NodeTypeId {
        self.ids.node_type(node.0)
    }

    /// Its id.
    pub(crate) fn id(&self, node: NodeIndex) -> IdRef<'_> {
        self.ids.get(node.0)
    }

    /// Its latest life, or [`NONE`].
    pub(crate) fn life(&self, node: NodeIndex) -> u32 {
        self.life[node.at()]
    }

    /// Its latest event.
    pub(crate) fn latest(&self, node: NodeIndex) -> Time {
        self.latest[node.at()]
    }

    /// Its latest merge, or [`NONE`].
    pub(crate) fn merge(&self, node: NodeIndex) -> u32 {
        self.merge[node.at()]
    }

    /// Number of the namespace that created its latest life, or [`NONE`].
    pub(crate) fn owner(&self, node: NodeIndex) -> u32 {
        self.owners.get(self.life(node) as usize).copied().unwrap_or(NONE)
    }

    /// Its latest life; none if it was never created.
    pub(crate) fn latest_life(&self, node: NodeIndex) -> Option<&NodeLife> {
        let life = self.life(node);
        (life != NONE).then(|| &self.lives[life as usize])
    }
}
