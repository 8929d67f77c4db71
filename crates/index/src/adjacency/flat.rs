//! The lists of all nodes in flat arrays.

use std::ops::Range;

use timeweft_graph::{Direction, EdgeTypeId, NodeIndex};

use super::AnyRun;
use super::{Clock, Entry, List, Run, Tick};

/// Flat lists, with times as narrow as they allow.
pub(super) enum Flat {
    Narrow(Arrays<u32>),
    Wide(Arrays<i64>),
}

impl Default for Flat {
    fn default() -> Flat {
        Flat::Wide(Arrays::default())
    }
}

impl Flat {
    /// Nodes from this number on have no list.
    pub(super) fn n_nodes(&self) -> usize {
        self.starts().len().saturating_sub(1)
    }

    pub(super) fn n_entries(&self) -> usize {
        match self {
            Flat::Narrow(arrays) => arrays.entries.len(),
            Flat::Wide(arrays) => arrays.entries.len(),
        }
    }

    /// The positions of a node's lists.
    pub(super) fn lists_of(&self, node: NodeIndex) -> Range<usize> {
        match self.starts().get(node.at()..node.at() + 2) {
            Some(&[start, end]) => start as usize..end as usize,
            _ => 0..0,
        }
    }

    /// The list at a position.
    pub(super) fn list(&self, at: usize) -> List<'_> {
        match self {
            Flat::Narrow(arrays) => arrays.list(at, AnyRun::Narrow),
            Flat::Wide(arrays) => arrays.list(at, AnyRun::Wide),
        }
    }

    fn starts(&self) -> &[u32] {
        match self {
            Flat::Narrow(arrays) => &arrays.starts,
            Flat::Wide(arrays) => &arrays.starts,
        }
    }
}

/// The arrays for one width of times.
#[derive(Default)]
pub(super) struct Arrays<T> {
    pub(super) clock: Clock,
    /// The first list of each node, and the end of the last.
    pub(super) starts: Vec<u32>,
    /// All lists by (node, edge type, direction), and one that stands for the end.
    pub(super) lists: Vec<Head>,
    pub(super) entries: Vec<Entry<T>>,
    pub(super) removals: Vec<T>,
    pub(super) latest: Vec<T>,
}

/// Where a list lies; the next one's tells where it ends.
#[derive(Clone, Copy)]
pub(crate) struct Head {
    pub(super) entries: u32,
    pub(super) removals: u32,
    pub(super) latest: u32,
    pub(super) edge_type: EdgeTypeId,
    /// Whether the node is the destination.
    pub(super) inward: bool,
}

impl<T: Tick> Arrays<T> {
    fn list<'a>(&'a self, at: usize, wrap: impl FnOnce(Run<'a, T>) -> AnyRun<'a>) -> List<'a> {
        let (head, end) = (self.lists[at], self.lists[at + 1]);
        let run = Run {
            entries: &self.entries[head.entries as usize..end.entries as usize],
            removals: &self.removals[head.removals as usize..end.removals as usize],
            latest: &self.latest[head.latest as usize..end.latest as usize],
            clock: self.clock,
        };
        let direction = if head.inward { Direction::In } else { Direction::Out };
        List { edge_type: head.edge_type, direction, run: wrap(run) }
    }
}
