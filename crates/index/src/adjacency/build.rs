//! All lists at once, by counting.

use timeweft_graph::{Direction, EdgeIndex, EdgeTypeId, NodeIndex};

use super::csr::{Csr, CsrArrays, ListHeader, LongList};
use super::list::BLOCK;
use super::overflow::latest;
use super::{Clock, Entry, Tick};
use crate::elements::edge::{EdgeLife, Edges};
use crate::parallel::{Split, share};

/// The lists of all edges, of nodes below a number that is above them all.
pub(super) fn csr(edges: &Edges, nodes: usize) -> Csr {
    let times = edges.lives.iter().flat_map(|life| [life.interval.created, life.interval.removed]);
    match Clock::narrow(times) {
        Some(clock) => Csr::Narrow(arrays(edges, nodes, clock)),
        None => Csr::Wide(arrays(edges, nodes, Clock::default())),
    }
}

fn arrays<T: Tick>(edges: &Edges, nodes: usize, clock: Clock) -> CsrArrays<T> {
    let (ends, mut entries) = by_node::<T>(edges, nodes, clock);
    let unsorted = Unsorted { first: 0, ends: &ends, entries: &mut entries };
    share(unsorted, GRAIN, &mut (), &|unsorted, ()| unsorted.sort(edges));
    let mut arrays = CsrArrays {
        clock,
        starts: Vec::with_capacity(nodes + 1).into(),
        entries: entries.into(),
        ..CsrArrays::default()
    };
    let mut start = 0;
    for end in ends {
        arrays.starts.push(arrays.lists.len() as u32);
        add_lists(&mut arrays, edges, start..end as usize);
        start = end as usize;
    }
    arrays.starts.push(arrays.lists.len() as u32);
    arrays.lists.push(ListHeader { entries: start as u32, edge_type: EdgeTypeId(0), inward: 0 });
    arrays.long.push(arrays.end(u32::MAX));
    arrays
}

/// Entries by node, those of a node in the order of their creation in the log; and where those of each node end.
fn by_node<T: Tick>(edges: &Edges, nodes: usize, clock: Clock) -> (Vec<u32>, Vec<Entry<T>>) {
    let mut ends = vec![0u32; nodes];
    for (node, _) in edges.lives.iter().flat_map(sides) {
        ends[node.at()] += 1;
    }
    let mut sum = 0;
    for end in &mut ends {
        (sum, *end) = (sum + *end, sum);
    }
    let mut entries = vec![Entry::default(); edges.lives.len() * 2];
    for (edge, life) in (0u32..).map(EdgeIndex).zip(edges.lives.iter()) {
        let (created, removed) = (T::of(clock, life.interval.created), T::of(clock, life.interval.removed));
        let mut other = [life.destination, life.source].into_iter();
        for (node, direction) in sides(life) {
            let neighbor = other.next().unwrap_or(node);
            let end = &mut ends[node.at()];
            entries[*end as usize] = Entry::new(created, removed, edge, direction, neighbor);
            *end += 1;
        }
    }
    (ends, entries)
}

fn sides(life: &EdgeLife) -> [(NodeIndex, Direction); 2] {
    [(life.source, Direction::Out), (life.destination, Direction::In)]
}

/// Fewer entries than this are not worth another thread.
const GRAIN: usize = 1 << 15;

/// Entries by node that are to be sorted, and where those of each node end.
struct Unsorted<'a, T> {
    /// The place of the first entry.
    first: u32,
    ends: &'a [u32],
    entries: &'a mut [Entry<T>],
}

impl<T: Tick> Split for Unsorted<'_, T> {
    /// Those of one node are not cut.
    fn len(&self) -> usize {
        if self.ends.len() > 1 { self.entries.len() } else { 0 }
    }
    /// By nodes: near enough to half of the entries.
    fn split_at(self, _: usize) -> (Self, Self) {
        let (near, far) = self.ends.split_at(self.ends.len() / 2);
        let border = near.last().map_or(self.first, |end| *end);
        let (here, there) = self.entries.split_at_mut((border - self.first) as usize);
        (Unsorted { ends: near, entries: here, ..self }, Unsorted { first: border, ends: far, entries: there })
    }
}

impl<T: Tick> Unsorted<'_, T> {
    fn sort(self, edges: &Edges) {
        let Unsorted { first: mut start, ends, entries: mut rest } = self;
        for &end in ends {
            let (own, others) = rest.split_at_mut((end - start) as usize);
            let order = |entry: &Entry<T>| (list_of(edges, entry), entry.order());
            if !own.is_sorted_by_key(order) {
                own.sort_by_cached_key(order);
            }
            (rest, start) = (others, end);
        }
    }
}

/// What distinguishes the lists of a node: side and type.
fn list_of<T: Tick>(edges: &Edges, entry: &Entry<T>) -> (bool, EdgeTypeId) {
    (entry.direction() == Direction::In, edges.get(entry.edge()).edge_type)
}

/// Heads the lists of the next node, whose entries are sorted.
fn add_lists<T: Tick>(arrays: &mut CsrArrays<T>, edges: &Edges, own: std::ops::Range<usize>) {
    let mut start = own.start;
    while start < own.end {
        let list = list_of(edges, &arrays.entries[start]);
        let own = arrays.entries[start..own.end].iter();
        let len = own.take_while(|entry| list_of(edges, entry) == list).count();
        arrays.sum_up(start..start + len);
        arrays.lists.push(ListHeader { entries: start as u32, edge_type: list.1, inward: list.0.into() });
        start += len;
    }
}

impl<T: Tick> CsrArrays<T> {
    /// What sums up a list begins here.
    fn end(&self, list: u32) -> LongList {
        LongList { list, removals: self.removals.len() as u32, latest: self.latest.len() as u32 }
    }

    /// Keeps what the next list needs if it is long and has removals.
    fn sum_up(&mut self, list: std::ops::Range<usize>) {
        let entries = &self.entries[list];
        if entries.len() <= BLOCK || entries.iter().all(|entry| entry.removed == T::NEVER) {
            return;
        }
        self.long.push(self.end(self.lists.len() as u32));
        let start = self.removals.len();
        self.removals.extend(entries.iter().map(|entry| entry.removed).filter(|removed| *removed != T::NEVER));
        self.removals[start..].sort_unstable();
        self.latest.extend(entries.chunks(BLOCK).map(latest));
    }
}
