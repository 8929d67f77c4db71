//! The nodes of a source: ids, types and lives, of those that it describes and of those that only edges name.

use rustc_hash::FxHashMap;
use timeweft_graph::{Interval, NodeTypeId, Time};

/// A node.
#[derive(Clone, Copy)]
pub(super) struct Node {
    pub(super) id: u64,
    pub(super) life: Interval,
    pub(super) described: bool,
    pub(super) node_type: NodeTypeId,
    /// The line that describes it, or the first edge that names it.
    pub(super) origin: u64,
}

/// All nodes, numbered in the order in which they are met.
#[derive(Default)]
pub(super) struct Nodes {
    pub(super) all: Vec<Node>,
    /// Number by id, for ids that are not much larger than there are nodes.
    direct: Vec<u32>,
    /// The others.
    table: FxHashMap<u64, u32>,
}

const NONE: u32 = u32::MAX;

impl Nodes {
    /// The number of an id, if it was met.
    #[inline]
    pub(super) fn find(&self, id: u64) -> Option<u32> {
        match usize::try_from(id).ok().and_then(|at| self.direct.get(at)) {
            Some(&node) if node != NONE => Some(node),
            _ if self.table.is_empty() => None,
            _ => self.table.get(&id).copied(),
        }
    }

    /// The number of the id of a node at a new edge. Without a description it lives from 0, so that the node itself need
    /// only be looked at if the edge begins before.
    #[inline]
    pub(super) fn named(&mut self, id: u64, created: Time, edge: u64) -> u32 {
        match self.find(id) {
            Some(known) if created >= Time(0) => known,
            Some(known) => {
                let node = &mut self.all[known as usize];
                if !node.described && created < node.life.created {
                    node.life.created = created;
                }
                known
            }
            None => {
                let life = Interval::open(Time(0).min(created));
                let node_type = NodeTypeId(0);
                self.add(Node { id, life, described: false, node_type, origin: edge })
            }
        }
    }

    /// Describes a node that is new or only named so far.
    pub(super) fn describe(&mut self, id: u64, node_type: NodeTypeId, life: Interval, line: u64) {
        let node = Node { id, life, described: true, node_type, origin: line };
        match self.find(id) {
            Some(known) => self.all[known as usize] = node,
            None => _ = self.add(node),
        }
    }

    fn add(&mut self, node: Node) -> u32 {
        const LEAST: usize = 4096;
        let number = self.all.len() as u32;
        match usize::try_from(node.id) {
            Ok(at) if at < LEAST + self.all.len().saturating_mul(4) => {
                if self.direct.len() <= at {
                    self.direct.resize(at + 1, NONE);
                }
                self.direct[at] = number;
            }
            _ => _ = self.table.insert(node.id, number),
        }
        self.all.push(node);
        number
    }
}
