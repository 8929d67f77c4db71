//! Merges: which node became which, and when.

use timeweft_graph::{Interval, NodeIndex, NodeKey, Reason, Time};

use crate::node::Nodes;
use crate::{NONE, life::Life, life::chain};

/// One episode in which `from` is `into`. One that ended when it began is never shown.
#[derive(Clone)]
pub(crate) struct Merge {
    pub(crate) interval: Interval,
    pub(crate) from: NodeIndex,
    pub(crate) into: NodeIndex,
    /// The episode of `from` before this one, or [`NONE`].
    previous: u32,
    pub(crate) namespace: u32,
}

impl Life for Merge {
    fn interval(&self) -> Interval {
        self.interval
    }
    fn previous(&self) -> u32 {
        self.previous
    }
    fn track(&self) -> u32 {
        NONE
    }
}

/// All merges, in the order of the log.
#[derive(Clone, Default)]
pub(crate) struct Merges {
    pub(crate) all: Vec<Merge>,
}

impl Merges {
    /// The open merge of a node, given its latest one.
    pub(crate) fn open_of(&self, latest: u32) -> Option<u32> {
        (latest != NONE && self.all[latest as usize].interval.is_open()).then_some(latest)
    }

    /// Begins a merge.
    pub(crate) fn open(
        &mut self,
        nodes: &mut Nodes,
        from: NodeIndex,
        into: NodeIndex,
        time: Time,
        namespace: u32,
    ) -> u32 {
        let id = self.all.len() as u32;
        let node = &mut nodes.all[from.at()];
        self.all.push(Merge { interval: Interval::open(time), from, into, previous: node.merge, namespace });
        node.merge = id;
        node.latest = time;
        id
    }

    /// Ends a merge.
    pub(crate) fn close(&mut self, merge: u32, time: Time) {
        self.all[merge as usize].interval.removed = time;
    }

    /// The node that `node` has become at a time: follows merges that hold then, and stops before going round in a circle.
    pub(crate) fn resolve(&self, nodes: &Nodes, node: NodeIndex, time: Time) -> NodeIndex {
        let mut path = vec![node];
        let mut last = node;
        while let Some(next) = self.target(nodes, last, time).filter(|next| !path.contains(next)) {
            path.push(next);
            last = next;
        }
        last
    }

    fn target(&self, nodes: &Nodes, node: NodeIndex, time: Time) -> Option<NodeIndex> {
        let merges = chain(&self.all, nodes.get(node).merge).map(|at| &self.all[at as usize]);
        merges.filter(|merge| merge.is_real()).find(|merge| merge.interval.contains(time)).map(|merge| merge.into)
    }
}

/// Why a merge cannot begin or end.
pub(crate) fn refused(from: &NodeKey, into: &NodeKey, why: &str) -> Reason {
    Reason::BadMerge(format!("{from} into {into}: {why}"))
}
