//! Nodes and their lives.

use std::hash::{Hash, Hasher};

use hashbrown::HashTable;
use rustc_hash::FxHasher;
use timeweft_graph::rows::IdRef;
use timeweft_graph::{ExternalId, Interval, NodeIndex, NodeKey, NodeTypeId, Time};

use crate::NONE;
use crate::life::Life;

/// A node: all its lives share one index. One that is only named as the target of a merge has no life yet.
#[derive(Clone)]
pub(crate) struct Node {
    pub(crate) key: NodeKey,
    /// Latest event of the node, or of a merge from it; [`Time::MIN`] before the first.
    pub(crate) latest: Time,
    /// Its latest life in [`Nodes::lives`], or [`NONE`].
    pub(crate) life: u32,
    /// Its first list in the adjacency.
    pub(crate) lists: u32,
    /// Its latest merge into another node.
    pub(crate) merge: u32,
    pub(crate) node_type: NodeTypeId,
}

/// One life of a node.
#[derive(Clone)]
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
    pub(crate) all: Vec<Node>,
    pub(crate) lives: Vec<NodeLife>,
    table: HashTable<u32>,
}

impl Nodes {
    /// Makes room for so many more.
    pub(crate) fn reserve(&mut self, nodes: usize) {
        self.all.reserve(nodes);
        self.lives.reserve(nodes);
        let all = &self.all;
        self.table.reserve(nodes, |&at| hash(all[at as usize].node_type, &all[at as usize].key.id));
    }

    /// The node of a type and id, if it was created at least once.
    pub(crate) fn created(&self, node_type: NodeTypeId, id: &ExternalId) -> Option<NodeIndex> {
        self.find(node_type, id).filter(|&node| self.get(node).life != NONE)
    }

    /// The node of a type and id, created or only named.
    pub(crate) fn find(&self, node_type: NodeTypeId, id: &ExternalId) -> Option<NodeIndex> {
        let same = |&at: &u32| {
            let node = &self.all[at as usize];
            node.node_type == node_type && node.key.id == *id
        };
        self.table.find(hash(node_type, id), same).copied().map(NodeIndex)
    }

    /// The same for an id that is borrowed.
    pub(crate) fn find_ref(&self, node_type: NodeTypeId, id: IdRef<'_>) -> Option<NodeIndex> {
        let same = |&at: &u32| {
            let node = &self.all[at as usize];
            node.node_type == node_type && id == node.key.id
        };
        self.table.find(hash_ref(node_type, id), same).copied().map(NodeIndex)
    }

    /// The same, looked for at `guess` first.
    pub(crate) fn find_near(&self, node_type: NodeTypeId, id: IdRef<'_>, guess: u32) -> Option<NodeIndex> {
        match self.all.get(guess as usize) {
            Some(node) if node.node_type == node_type && id == node.key.id => Some(NodeIndex(guess)),
            _ => self.find_ref(node_type, id),
        }
    }

    /// Adds a node that is not there yet, without a life. The caller bounds how many there are.
    pub(crate) fn add(&mut self, node_type: NodeTypeId, key: NodeKey) -> NodeIndex {
        let index = self.all.len() as u32;
        let all = &self.all;
        self.table.insert_unique(hash(node_type, &key.id), index, |&at| {
            let node = &all[at as usize];
            hash(node.node_type, &node.key.id)
        });
        self.all.push(Node { key, latest: Time::MIN, life: NONE, lists: NONE, merge: NONE, node_type });
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

fn hash(node_type: NodeTypeId, id: &ExternalId) -> u64 {
    hash_ref(node_type, id.as_ref())
}

fn hash_ref(node_type: NodeTypeId, id: IdRef<'_>) -> u64 {
    let mut hasher = FxHasher::default();
    node_type.hash(&mut hasher);
    match id {
        IdRef::Int(number) => number.hash(&mut hasher),
        IdRef::Text(text) => text.hash(&mut hasher),
    }
    hasher.finish()
}
