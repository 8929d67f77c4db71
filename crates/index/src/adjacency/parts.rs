//! Lists by where they lie, for readers that ask many nodes at once and fetch what they will read ahead of reading it.

use std::ops::Range;
use std::sync::{Arc, Weak};

use timeweft_graph::{Direction, EdgeTypeId, NodeIndex};

use super::csr::{Csr, CsrArrays, ListHeader, LongList, summed_up};
use super::overflow::OverflowList;
use super::{Adjacency, BLOCK, Clock, Entry, List, Run, Tick};

/// The CSR, with times of one of two widths.
#[derive(Clone, Copy)]
pub(crate) enum CsrView<'a> {
    Narrow(CsrLists<'a, u32>),
    Wide(CsrLists<'a, i64>),
}

/// Does the same with the CSR of either width.
macro_rules! of_csr {
    ($adjacency:expr, $lists:ident => $answer:expr) => {
        match $adjacency.csr() {
            $crate::adjacency::CsrView::Narrow($lists) => $answer,
            $crate::adjacency::CsrView::Wide($lists) => $answer,
        }
    };
}
pub(crate) use of_csr;

/// Where the edges of one type on one side of a node lie, or the last ones of them.
#[derive(Clone, Copy)]
pub(crate) struct ListPart {
    pub(crate) start: u32,
    pub(crate) end: u32,
    /// The list's position among all, or among the node's own.
    pub(crate) list: u32,
    pub(crate) edge_type: EdgeTypeId,
    pub(crate) direction: Direction,
}

impl ListPart {
    /// How many entries it has.
    pub(crate) fn len(&self) -> usize {
        (self.end - self.start) as usize
    }
}

/// Lists that parts lie in.
pub(crate) trait ListSource<'a, T: Tick>: Copy {
    /// Whether these are the lists of the CSR, which do not change.
    const IS_CSR: bool;

    /// The entries of a part.
    fn entries(self, part: &ListPart) -> &'a [Entry<T>];

    /// The entries of the first of some parts and of those that lie behind it side by side, and how many parts these are.
    fn joined(self, parts: &[ListPart]) -> (&'a [Entry<T>], usize);

    /// The entry at a place; the places of a part are from its start to its end.
    fn entry(self, part: &ListPart, place: usize) -> &'a Entry<T>;

    /// A part with what it takes to count and to skip.
    fn run(self, part: &ListPart) -> Run<'a, T>;

    /// How many entries of its list lie before a part: whole blocks, if the part is a long one.
    fn skipped(self, part: &ListPart) -> usize;

    /// What ticks mean.
    fn clock(self) -> Clock;
}

/// The CSR as slices, all of them compared with their hashes: readers of many nodes need not check each read.
#[derive(Clone, Copy)]
pub(crate) struct CsrLists<'a, T> {
    pub(crate) starts: &'a [u32],
    pub(crate) heads: &'a [ListHeader],
    pub(crate) entries: &'a [Entry<T>],
    long: &'a [LongList],
    removals: &'a [T],
    latest: &'a [T],
    clock: Clock,
}

impl<'a, T: Tick> CsrLists<'a, T> {
    fn of(arrays: &'a CsrArrays<T>) -> CsrLists<'a, T> {
        CsrLists {
            starts: arrays.starts.all(),
            heads: arrays.lists.all(),
            entries: arrays.entries.all(),
            long: arrays.long.all(),
            removals: arrays.removals.all(),
            latest: arrays.latest.all(),
            clock: arrays.clock,
        }
    }

    /// The positions of a node's lists.
    #[inline]
    pub(crate) fn of_node(&self, node: NodeIndex) -> Range<u32> {
        match self.starts.get(node.at()..node.at().saturating_add(2)) {
            Some(&[start, end]) => start..end,
            _ => 0..0,
        }
    }

    /// The lists at positions.
    #[inline]
    pub(crate) fn parts(&self, lists: Range<u32>) -> impl Iterator<Item = ListPart> + 'a {
        let heads = lists.start as usize..(lists.end as usize).saturating_add(1);
        let heads = self.heads.get(heads).unwrap_or_default();
        lists.zip(heads.windows(2)).map(|(list, heads)| ListPart {
            start: heads[0].entries,
            end: heads[1].entries,
            list,
            edge_type: heads[0].edge_type,
            direction: heads[0].direction(),
        })
    }

    /// All lists.
    pub(crate) fn all(&self) -> impl Iterator<Item = ListPart> + 'a {
        self.parts(0..self.heads.len().saturating_sub(1) as u32)
    }
}

impl<'a, T: Tick> ListSource<'a, T> for CsrLists<'a, T> {
    const IS_CSR: bool = true;

    #[inline]
    fn entries(self, part: &ListPart) -> &'a [Entry<T>] {
        &self.entries[part.start as usize..part.end as usize]
    }

    #[inline]
    fn joined(self, parts: &[ListPart]) -> (&'a [Entry<T>], usize) {
        let Some(first) = parts.first() else { return (&[], 0) };
        let (mut end, mut n) = (first.end, 1);
        while let Some(next) = parts.get(n).filter(|next| next.start == end) {
            (end, n) = (next.end, n + 1);
        }
        (&self.entries[first.start as usize..end as usize], n)
    }

    #[inline]
    fn entry(self, _: &ListPart, place: usize) -> &'a Entry<T> {
        &self.entries[place]
    }

    #[inline]
    fn run(self, part: &ListPart) -> Run<'a, T> {
        let (removals, latest) = summed_up(self.long, part.list, part.len());
        let run = Run {
            entries: self.entries(part),
            removals: &self.removals[removals],
            latest: &self.latest[latest],
            clock: self.clock,
        };
        if part.len() <= BLOCK { run } else { run.behind(self.skipped(part)) }
    }

    #[inline]
    fn skipped(self, part: &ListPart) -> usize {
        (part.start - self.heads[part.list as usize].entries) as usize
    }

    fn clock(self) -> Clock {
        self.clock
    }
}

/// The lists of a node whose edges have changed since the CSR was made.
#[derive(Clone, Copy)]
pub(crate) struct OverflowLists<'a>(&'a [OverflowList]);

impl OverflowLists<'_> {
    /// All its lists.
    pub(crate) fn parts(&self) -> impl Iterator<Item = ListPart> {
        (0u32..).zip(self.0).map(|(at, own)| {
            let List { edge_type, direction, .. } = own.list();
            ListPart { start: 0, end: own.len() as u32, list: at, edge_type, direction }
        })
    }
}

impl<'a> ListSource<'a, i64> for OverflowLists<'a> {
    const IS_CSR: bool = false;

    fn entries(self, part: &ListPart) -> &'a [Entry<i64>] {
        &self.0[part.list as usize].run().entries[part.start as usize..part.end as usize]
    }

    fn joined(self, parts: &[ListPart]) -> (&'a [Entry<i64>], usize) {
        parts.first().map_or((&[], 0), |part| (self.entries(part), 1))
    }

    fn entry(self, part: &ListPart, place: usize) -> &'a Entry<i64> {
        &self.0[part.list as usize].run().entries[place]
    }

    fn run(self, part: &ListPart) -> Run<'a, i64> {
        let (run, entries) = (self.0[part.list as usize].run(), self.entries(part));
        match entries.len() {
            n if n == run.entries.len() => run,
            // Looked through as a whole, wherever in its list it begins.
            n if n <= BLOCK => Run { entries, removals: &[], latest: &[], ..run },
            _ => Run { entries, ..run }.behind(self.skipped(part)),
        }
    }

    fn skipped(self, part: &ListPart) -> usize {
        part.start as usize
    }

    fn clock(self) -> Clock {
        Clock::default()
    }
}

/// Identifies a CSR.
#[derive(Clone, Default)]
pub(crate) struct CsrId(Weak<Csr>);

impl Adjacency {
    /// The CSR; lists of nodes that have overflow lists are out of date there. Samplers are a tenth slower where this is
    /// inlined into them.
    #[inline(never)]
    pub(crate) fn csr(&self) -> CsrView<'_> {
        match &*self.csr {
            Csr::Narrow(arrays) => CsrView::Narrow(CsrLists::of(arrays)),
            Csr::Wide(arrays) => CsrView::Wide(CsrLists::of(arrays)),
        }
    }

    /// The overflow lists of a node.
    pub(crate) fn overflow_lists(&self, node: NodeIndex) -> Option<OverflowLists<'_>> {
        self.overflow.get(&node).map(|lists| OverflowLists(lists))
    }

    /// Which CSR this is. The id keeps their address taken, so that no later ones have it too.
    pub(crate) fn csr_id(&self) -> CsrId {
        CsrId(Arc::downgrade(&self.csr))
    }

    /// Whether the CSR is that of an id.
    pub(crate) fn is_csr(&self, id: &CsrId) -> bool {
        std::ptr::eq(id.0.as_ptr(), Arc::as_ptr(&self.csr))
    }
}
