//! Nodes and their lives.

use bytemuck::{Pod, Zeroable};
use timeweft_graph::rows::IdRef;
use timeweft_graph::{Interval, NodeIndex, NodeTypeId, Time};

use crate::NONE;
use crate::array::Array;
use crate::ids::Ids;
use crate::life::Life;

/// A node: all its lives share one index. One that is only named as the target of a merge has no life yet.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct Node {
    /// Latest event of the node, or of a merge from it; [`Time::MIN`] before the first.
    pub(crate) latest: Time,
    /// Its latest life in [`Nodes::lives`], or [`NONE`].
    pub(crate) life: u32,
    /// Its latest merge into another node.
    pub(crate) merge: u32,
}

/// One life of a node.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct NodeLife {
    pub(crate) interval: Interval,
    pub(crate) node: NodeIndex,
    pub(crate) previous: u32,
    pub(crate) track: u32,
    pub(crate) namespace: u32,
}

impl Life for NodeLife {
    fn interval(&self) -> Interval {
        self.interval
    }
    fn previous(&self) -> u32 {
        self.previous
    }
    fn track(&self) -> u32 {
        self.track
    }
}

/// All nodes, in the order in which the log first names them.
#[derive(Clone, Default)]
pub(crate) struct Nodes {
    pub(crate) all: Array<Node>,
    pub(crate) lives: Array<NodeLife>,
    pub(crate) ids: Ids,
}

impl Nodes {
    /// Makes room for so many more.
    pub(crate) fn reserve(&mut self, nodes: usize) {
        self.all.reserve(nodes);
        self.lives.reserve(nodes);
        self.ids.reserve(nodes);
    }

    /// The node of a type and id, if it was created at least once.
    pub(crate) fn created(&self, node_type: NodeTypeId, id: IdRef<'_>) -> Option<NodeIndex> {
        self.find(node_type, id).filter(|&node| self.get(node).life != NONE)
    }

    /// The node of a type and id, created or only named.
    pub(crate) fn find(&self, node_type: NodeTypeId, id: IdRef<'_>) -> Option<NodeIndex> {
        self.ids.find(node_type, id).map(NodeIndex)
    }

    /// The same, looked for at `guess` first.
    pub(crate) fn find_near(&self, node_type: NodeTypeId, id: IdRef<'_>, guess: u32) -> Option<NodeIndex> {
        match self.all.get(guess as usize) {
            Some(_) if self.ids.node_type(guess) == node_type && self.ids.get(guess) == id => Some(NodeIndex(guess)),
            _ => self.find(node_type, id),
        }
    }

    /// Adds a node that is not there yet, without a life. The caller bounds how many there are.
    pub(crate) fn add(&mut self, node_type: NodeTypeId, id: IdRef<'_>) -> NodeIndex {
        let index = self.all.len() as u32;
        self.ids.push(node_type, id);
        self.all.push(Node { latest: Time::MIN, life: NONE, merge: NONE });
        NodeIndex(index)
    }

    /// Opens a life and makes it the node's latest.
    pub(crate) fn open(&mut self, node: NodeIndex, time: Time, track: u32, namespace: u32) -> u32 {
        let life = self.lives.len() as u32;
        let owner = &mut self.all[node.at()];
        let interval = Interval::open(time);
        self.lives.push(NodeLife { interval, node, previous: owner.life, track, namespace });
        owner.life = life;
        owner.latest = time;
        life
    }

    /// Its type.
    pub(crate) fn node_type(&self, node: NodeIndex) -> NodeTypeId {
        self.ids.node_type(node.0)
    }

    /// Its id.
    pub(crate) fn id(&self, node: NodeIndex) -> IdRef<'_> {
        self.ids.get(node.0)
    }

    /// The node.
    pub(crate) fn get(&self, node: NodeIndex) -> &Node {
        &self.all[node.at()]
    }

    /// Its latest life; none if it was never created.
    pub(crate) fn latest_life(&self, node: NodeIndex) -> Option<&NodeLife> {
        let life = self.get(node).life;
        (life != NONE).then(|| &self.lives[life as usize])
    }
}
