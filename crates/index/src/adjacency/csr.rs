//! The CSR (compressed sparse rows) of all lists: where the lists of each node begin, a header a list, the entries.

use std::ops::Range;

use bytemuck::{Pod, Zeroable};
use timeweft_graph::{Direction, EdgeTypeId, NodeIndex};

use super::AnyRun;
use super::list::BLOCK;
use super::{Clock, Entry, List, Run, Tick};
use crate::memory::array::Array;

/// A CSR, with times as narrow as they allow.
pub(crate) enum Csr {
    Narrow(CsrArrays<u32>),
    Wide(CsrArrays<i64>),
}

/// Does the same with the arrays of either width.
macro_rules! of_width {
    ($csr:expr, $arrays:ident => $answer:expr) => {
        match $csr {
            $crate::adjacency::csr::Csr::Narrow($arrays) => $answer,
            $crate::adjacency::csr::Csr::Wide($arrays) => $answer,
        }
    };
}
pub(crate) use of_width;

impl Default for Csr {
    fn default() -> Csr {
        Csr::Wide(CsrArrays::default())
    }
}

impl Csr {
    /// The positions of a node's lists.
    pub(super) fn lists_of(&self, node: NodeIndex) -> Range<usize> {
        match self.starts().get_range(node.at()..node.at() + 2) {
            Some(&[start, end]) => start as usize..end as usize,
            _ => 0..0,
        }
    }

    /// The list at a position.
    pub(super) fn list(&self, at: usize) -> List<'_> {
        match self {
            Csr::Narrow(arrays) => arrays.list(at, AnyRun::Narrow),
            Csr::Wide(arrays) => arrays.list(at, AnyRun::Wide),
        }
    }

    fn starts(&self) -> &Array<u32> {
        of_width!(self, arrays => &arrays.starts)
    }
}

/// The arrays for one width of times.
#[derive(Default)]
pub(crate) struct CsrArrays<T: Tick> {
    pub(crate) clock: Clock,
    /// The first list of each node, and the end of the last.
    pub(crate) starts: Array<u32>,
    /// All lists by (node, direction, edge type), and one that stands for the end.
    pub(crate) lists: Array<ListHeader>,
    pub(crate) entries: Array<Entry<T>>,
    /// The long lists that have removals, in order, and one that stands for the end.
    pub(crate) long: Array<LongList>,
    pub(crate) removals: Array<T>,
    pub(crate) latest: Array<T>,
}

/// A list header: where the list begins. The next header says where it ends.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct ListHeader {
    pub(crate) entries: u32,
    pub(crate) edge_type: EdgeTypeId,
    /// 1 if the node is the destination, else 0.
    pub(crate) inward: u16,
}

impl ListHeader {
    pub(crate) fn direction(&self) -> Direction {
        if self.inward != 0 { Direction::In } else { Direction::Out }
    }
}

/// Where the summary of a long list begins. The next one says where it ends.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct LongList {
    pub(crate) list: u32,
    pub(crate) removals: u32,
    pub(crate) latest: u32,
}

impl<T: Tick> CsrArrays<T> {
    fn list<'a>(&'a self, at: usize, wrap: impl FnOnce(Run<'a, T>) -> AnyRun<'a>) -> List<'a> {
        let (head, end) = (self.lists[at], self.lists[at + 1]);
        let entries = &self.entries[head.entries as usize..end.entries as usize];
        let (removals, latest) = summed_up(self.long.all(), at as u32, entries.len());
        let run = Run { entries, removals: &self.removals[removals], latest: &self.latest[latest], clock: self.clock };
        List { edge_type: head.edge_type, direction: head.direction(), run: wrap(run) }
    }
}

/// Where the removals of a list lie, and the latest of its blocks.
#[inline]
pub(crate) fn summed_up(long: &[LongList], list: u32, len: usize) -> (Range<usize>, Range<usize>) {
    if len <= BLOCK {
        return (0..0, 0..0);
    }
    let at = long.partition_point(|long| long.list < list);
    match long.get(at..at + 2) {
        Some([own, next]) if own.list == list => {
            (own.removals as usize..next.removals as usize, own.latest as usize..next.latest as usize)
        }
        _ => (0..0, 0..0),
    }
}
