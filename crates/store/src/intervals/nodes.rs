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
    /// Twice the number by id, and one more if it is described, for ids that are not much larger than there are nodes: most
    /// ends of edges are described, and then the node itself need not be looked at.
    direct: Vec<u64>,
    /// The others.
    table: FxHashMap<u64, u32>,
}

const NONE: u64 = u64::MAX;

impl Nodes {
    fn direct(&self, id: u64) -> Option<u64> {
        usize::try_from(id).ok().and_then(|at| self.direct.get(at)).copied().filter(|&node| node != NONE)
    }

    /// The number of an id, if it was met.
    pub(super) fn find(&self, id: u64) -> Option<u32> {
        match self.direct(id) {
            None if self.table.is_empty() => None,
            None => self.table.get(&id).copied(),
            Some(node) => Some((node >> 1) as u32),
        }
    }

    /// The number of the id of a node at a new edge.
    #[inline]
    pub(super) fn named(&mut self, id: u64, created: Time, edge: u64) -> u32 {
        match self.direct(id) {
            Some(node) if node & 1 == 1 => (node >> 1) as u32,
            _ => self.named_first(id, created, edge),
        }
    }

    fn named_first(&mut self, id: u64, created: Time, edge: u64) -> u32 {
        match self.find(id) {
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
        match self.find(id) {
            Some(known) => {
                let node = &mut self.all[known as usize];
                *node = Node { life, node_type, described: true, origin: line, ..*node };
                if let Some(node) = usize::try_from(id).ok().and_then(|at| self.direct.get_mut(at)) {
                    *node |= 1;
                }
            }
            None => {
                self.add(Node { id, life, described: true, node_type, origin: line });
            }
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
                self.direct[at] = u64::from(number) << 1 | u64::from(node.described);
            }
            _ => _ = self.table.insert(node.id, number),
        }
        self.all.push(node);
        number
    }
}
