//! Which edges lead from one node to another: a bisection, also at a hub.
//!
//! The outgoing edges of a list of more than a few lie in the adjacency by time; here is, made on first use, the same
//! order by (neighbor, time), in four bytes an edge. Edges that came after the CSR was made are kept apart.

use rustc_hash::FxHashMap;
use timeweft_graph::{Direction, EdgeIndex, EdgeTypeId, NodeIndex, Time};

use super::{Adjacency, Clock, CsrId, CsrLists, Entry, ListPart, ListSource, Tick, of_csr};
use crate::elements::edge::{EdgeLife, Edges};

/// Lists up to this length are looked through.
const SHORT: usize = 16;

/// Edges by (type, source, destination).
#[derive(Clone, Default)]
pub(crate) struct Pairs {
    pub(crate) id: CsrId,
    /// For each long list of outgoing edges its positions sorted by (neighbor, position).
    order: Vec<u32>,
    /// Where those of a list begin.
    starts: FxHashMap<u32, u32>,
    /// Edges that are not in the CSR, sorted by (created, arrival).
    later: FxHashMap<Pair, Vec<(Time, EdgeIndex)>>,
}

impl Pairs {
    /// The pairs of all edges.
    pub(crate) fn of(adjacency: &Adjacency, edges: &Edges) -> Pairs {
        let mut pairs = Pairs { id: adjacency.csr_id(), ..Pairs::default() };
        let flat = of_csr!(adjacency, lists => pairs.sort(lists));
        (flat..edges.lives.len()).for_each(|at| pairs.add(edges, EdgeIndex(at as u32)));
        pairs
    }

    /// Sorts the long lists; returns how many edges are in the CSR.
    fn sort<T: Tick>(&mut self, lists: CsrLists<'_, T>) -> usize {
        for part in lists.all().filter(|part| part.direction == Direction::Out && part.len() > SHORT) {
            let start = self.order.len();
            self.starts.insert(part.list, start as u32);
            self.order.extend(0..part.len() as u32);
            let entries = lists.entries(&part);
            self.order[start..].sort_unstable_by_key(|&at| (entries[at as usize].neighbor(), at));
        }
        lists.entries.len() / 2
    }

    /// Keeps an edge that came after the CSR was made.
    pub(crate) fn add(&mut self, edges: &Edges, edge: EdgeIndex) {
        let life: &EdgeLife = edges.get(edge);
        let known = self.later.entry((life.edge_type, life.source, life.destination)).or_default();
        let new = (life.interval.created, edge);
        known.insert(known.partition_point(|old| *old < new), new);
    }

    /// The later edges of a pair, by time.
    pub(crate) fn later(&self, pair: Pair) -> &[(Time, EdgeIndex)] {
        self.later.get(&pair).map_or(&[], |edges| edges)
    }

    /// Positions of the entries of a long list, by (neighbor, position).
    fn order(&self, part: &ListPart) -> Option<&[u32]> {
        let start = *self.starts.get(&part.list)? as usize;
        self.order.get(start..start + part.len())
    }

    /// The edges of a pair in the CSR that were created by a time.
    pub(crate) fn flat<'a, T: Tick>(
        &'a self,
        lists: &CsrLists<'a, T>,
        pair: Pair,
        by: Time,
    ) -> Option<FlatPair<'a, T>> {
        let (edge_type, source, destination) = pair;
        let (clock, by) = (lists.clock(), T::floor(lists.clock(), by)?);
        let is_part = |part: &ListPart| part.edge_type == edge_type && part.direction == Direction::Out;
        let part = lists.parts(lists.of_node(source)).find(is_part);
        let entries = part.as_ref().map_or(&[][..], |part| lists.entries(part));
        let Some(order) = part.as_ref().and_then(|part| self.order(part)) else {
            return Some(FlatPair { entries, sorted: None, clock, destination, by });
        };
        let of = |at: &u32| &entries[*at as usize];
        let start = order.partition_point(|at| of(at).neighbor() < destination);
        let len = order[start..].partition_point(|at| of(at).neighbor() == destination && of(at).created <= by);
        Some(FlatPair { entries, sorted: Some(&order[start..start + len]), clock, destination, by })
    }
}

/// Type, source and destination.
pub(crate) type Pair = (EdgeTypeId, NodeIndex, NodeIndex);

/// Entries of one list that lead to a node, created by a tick.
pub(crate) struct FlatPair<'a, T> {
    entries: &'a [Entry<T>],
    /// Where they are, by time; a short list is looked through.
    sorted: Option<&'a [u32]>,
    clock: Clock,
    destination: NodeIndex,
    by: T,
}

impl<'a, T: Tick> FlatPair<'a, T> {
    /// When each was created, and its number, by (created, arrival).
    pub(crate) fn edges(self) -> impl DoubleEndedIterator<Item = (Time, EdgeIndex)> + use<'a, T> {
        let clock = self.clock;
        self.entries().map(move |entry| (entry.created.time(clock), entry.edge()))
    }

    fn entries(&self) -> impl DoubleEndedIterator<Item = &'a Entry<T>> + use<'a, T> {
        let (entries, destination, by) = (self.entries, self.destination, self.by);
        let scanned = if self.sorted.is_some() { &[] } else { entries };
        let scanned = scanned.iter().filter(move |entry| entry.neighbor() == destination && entry.created <= by);
        self.sorted.unwrap_or_default().iter().map(move |&at| &entries[at as usize]).chain(scanned)
    }

    /// How many there are, and when the last was created.
    pub(crate) fn tally(self) -> (u32, Option<Time>) {
        let (count, last) = match self.sorted {
            Some(sorted) => (sorted.len(), sorted.last().map(|&at| &self.entries[at as usize])),
            None => self.entries().fold((0, None), |(n, _), entry| (n + 1, Some(entry))),
        };
        (count as u32, last.map(|entry| entry.created.time(self.clock)))
    }
}
