//! Which edges lead from one node to another: a bisection, also at a hub.
//!
//! The outgoing edges of a list of more than a few lie in the adjacency by time; here is, made on first use, the same
//! order by (neighbor, time), in four bytes an edge. Edges that came after the flat lists were made are kept apart.

use rustc_hash::FxHashMap;
use timeweft_graph::{Direction, EdgeIndex, EdgeTypeId, NodeIndex, Time};

use crate::adjacency::{Entry, FlatId, Layout, Lists, Part, Parts, Tick};
use crate::elements::edge::{EdgeLife, Edges};
use crate::{Index, Recency};

/// Lists up to this length are looked through.
const SHORT: usize = 16;

/// Edges by (type, source, destination).
#[derive(Clone, Default)]
pub(crate) struct Pairs {
    id: FlatId,
    /// For each long list of outgoing edges its positions sorted by (neighbor, position).
    order: Vec<u32>,
    /// Where those of a list begin.
    starts: FxHashMap<u32, u32>,
    /// Edges that are not in the flat lists, sorted by (created, arrival).
    later: FxHashMap<Pair, Vec<(Time, EdgeIndex)>>,
}

impl Pairs {
    fn of(index: &Index) -> Pairs {
        let adjacency = index.adjacency();
        let mut pairs = Pairs { id: adjacency.flat_id(), ..Pairs::default() };
        let flat = match adjacency.layout() {
            Layout::Narrow(lists) => pairs.sort(lists),
            Layout::Wide(lists) => pairs.sort(lists),
        };
        (flat..index.n_edges()).for_each(|at| pairs.add(&index.edges, EdgeIndex(at as u32)));
        pairs
    }

    /// Sorts the long lists; how many edges are in the flat ones.
    fn sort<T: Tick>(&mut self, lists: Lists<'_, T>) -> usize {
        for part in lists.all().filter(|part| part.direction == Direction::Out && part.len() > SHORT) {
            let start = self.order.len();
            self.starts.insert(part.list, start as u32);
            self.order.extend(0..part.len() as u32);
            let entries = lists.entries(&part);
            self.order[start..].sort_unstable_by_key(|&at| (entries[at as usize].neighbor(), at));
        }
        lists.entries.len() / 2
    }

    /// Keeps an edge that came after the flat lists were made.
    fn add(&mut self, edges: &Edges, edge: EdgeIndex) {
        let life: &EdgeLife = edges.get(edge);
        let known = self.later.entry((life.edge_type, life.source, life.destination)).or_default();
        let new = (life.interval.created, edge);
        known.insert(known.partition_point(|old| *old < new), new);
    }

    /// The later edges of a pair, by time.
    fn later(&self, pair: Pair) -> &[(Time, EdgeIndex)] {
        self.later.get(&pair).map_or(&[], |edges| edges)
    }

    /// Positions of the entries of a long list, by (neighbor, position).
    fn order(&self, part: &Part) -> Option<&[u32]> {
        let start = *self.starts.get(&part.list)? as usize;
        self.order.get(start..start + part.len())
    }

    /// The flat edges of a pair that were created by a tick.
    fn flat<'a, T: Tick>(&'a self, lists: &Lists<'a, T>, pair: Pair, by: T) -> Found<'a, T> {
        let (edge_type, source, destination) = pair;
        let is_part = |part: &Part| part.edge_type == edge_type && part.direction == Direction::Out;
        let part = lists.parts(lists.of_node(source)).find(is_part);
        let entries = part.as_ref().map_or(&[][..], |part| lists.entries(part));
        let Some(order) = part.as_ref().and_then(|part| self.order(part)) else {
            return Found { entries, sorted: None, destination, by };
        };
        let of = |at: &u32| &entries[*at as usize];
        let start = order.partition_point(|at| of(at).neighbor() < destination);
        let len = order[start..].partition_point(|at| of(at).neighbor() == destination && of(at).created <= by);
        Found { entries, sorted: Some(&order[start..start + len]), destination, by }
    }
}

pub(crate) type Pair = (EdgeTypeId, NodeIndex, NodeIndex);

/// Entries of one list that lead to a node, created by a tick.
struct Found<'a, T> {
    entries: &'a [Entry<T>],
    /// Where they are, by time; a short list is looked through.
    sorted: Option<&'a [u32]>,
    destination: NodeIndex,
    by: T,
}

impl<'a, T: Tick> Found<'a, T> {
    fn iter(&self) -> impl DoubleEndedIterator<Item = &'a Entry<T>> {
        let (entries, destination, by) = (self.entries, self.destination, self.by);
        let scanned = if self.sorted.is_some() { &[] } else { entries };
        let scanned = scanned.iter().filter(move |entry| entry.neighbor() == destination && entry.created <= by);
        self.sorted.unwrap_or_default().iter().map(move |&at| &entries[at as usize]).chain(scanned)
    }

    /// How many there are, and the last.
    fn tally(&self) -> (usize, Option<&'a Entry<T>>) {
        match self.sorted {
            Some(sorted) => (sorted.len(), sorted.last().map(|&at| &self.entries[at as usize])),
            None => self.iter().fold((0, None), |(n, _), entry| (n + 1, Some(entry))),
        }
    }
}

impl Index {
    fn pairs(&self) -> &Pairs {
        self.pairs.get_or_init(|| Pairs::of(self))
    }

    /// Edges of a type from `source` to `destination` created strictly before `time`.
    pub fn pair_before(&self, edge_type: EdgeTypeId, source: NodeIndex, destination: NodeIndex, time: Time) -> Recency {
        if time == Time::MIN {
            Recency::default()
        } else {
            self.pair_by((edge_type, source, destination), time.before())
        }
    }

    /// Edges of a pair created by a time.
    pub(crate) fn pair_by(&self, pair: Pair, by: Time) -> Recency {
        let pairs = self.pairs();
        let flat = match self.adjacency().layout() {
            Layout::Narrow(lists) => count(pairs, &lists, pair, by),
            Layout::Wide(lists) => count(pairs, &lists, pair, by),
        };
        let later = pairs.later(pair);
        let later = &later[..later.partition_point(|(created, _)| *created <= by)];
        let last = later.last().map(|(created, _)| *created).max(flat.last);
        Recency { count: flat.count + later.len() as u32, last }
    }

    /// The lives of edges of a type from `source` to `destination` that began by a time, by (created, arrival). Costs
    /// O(log degree) and what is found.
    pub fn pair_edges(
        &self,
        edge_type: EdgeTypeId,
        source: NodeIndex,
        destination: NodeIndex,
        by: Time,
    ) -> Vec<EdgeIndex> {
        let (pairs, pair) = (self.pairs(), (edge_type, source, destination));
        let mut found: Vec<(Time, EdgeIndex)> = match self.adjacency().layout() {
            Layout::Narrow(lists) => edges(pairs, &lists, pair, by),
            Layout::Wide(lists) => edges(pairs, &lists, pair, by),
        };
        let later = pairs.later(pair);
        found.extend(later.iter().filter(|(created, _)| *created <= by));
        found.sort_unstable();
        found.into_iter().map(|(_, edge)| edge).collect()
    }

    /// Whether some edge of a type from `source` to `destination` is alive at a time.
    pub fn is_linked(&self, edge_type: EdgeTypeId, source: NodeIndex, destination: NodeIndex, time: Time) -> bool {
        self.newest_between((edge_type, source, destination), time, |edge| self.edge_alive(edge, time)).is_some()
    }

    /// The newest edge of a pair that was created by a time and passes, of one time the one that arrived last. Costs
    /// O(log degree) and what does not pass.
    pub(crate) fn newest_between(&self, pair: Pair, by: Time, passes: impl Fn(EdgeIndex) -> bool) -> Option<EdgeIndex> {
        let pairs = self.pairs();
        let later = pairs.later(pair);
        let later = &later[..later.partition_point(|(created, _)| *created <= by)];
        let later = later.iter().rev().find(|(_, edge)| passes(*edge)).copied();
        let flat = match self.adjacency().layout() {
            Layout::Narrow(lists) => newest(pairs, &lists, pair, by, passes),
            Layout::Wide(lists) => newest(pairs, &lists, pair, by, passes),
        };
        later.max(flat).map(|(_, edge)| edge)
    }

    /// How many distinct nodes both `a` and `b` had edges of a type with, created strictly before `time`: as sources of
    /// these edges, or as their destinations. Costs the smaller degree times the logarithm of another one.
    pub fn common_before(&self, edge_type: EdgeTypeId, side: Direction, a: NodeIndex, b: NodeIndex, time: Time) -> u32 {
        let before = |node: NodeIndex| {
            let list = (node.at() < self.n_nodes()).then(|| self.adjacency().list(node, edge_type, side)).flatten();
            list.map(|list| (list.before(time), list))
        };
        let (Some(of_a), Some(of_b)) = (before(a), before(b)) else { return 0 };
        let (fewer, other) = if of_a.0 <= of_b.0 { (of_a, b) } else { (of_b, a) };
        let mut nodes: Vec<NodeIndex> = fewer.1.newest(fewer.0, None).map(|seen| seen.neighbor).collect();
        nodes.sort_unstable();
        nodes.dedup();
        let met = |node: NodeIndex| match side {
            Direction::Out => self.pair_before(edge_type, other, node, time),
            Direction::In => self.pair_before(edge_type, node, other, time),
        };
        nodes.into_iter().filter(|&node| met(node).count > 0).count() as u32
    }

    /// Keeps the pairs up with a new edge.
    pub(crate) fn count(&mut self, edge: EdgeIndex) {
        let Some(pairs) = self.pairs.get_mut() else { return };
        if self.adjacency.get().is_some_and(|adjacency| adjacency.is_flat(&pairs.id)) {
            pairs.add(&self.edges, edge);
        } else {
            self.pairs.take();
        }
    }
}

fn count<T: Tick>(pairs: &Pairs, lists: &Lists<'_, T>, pair: Pair, by: Time) -> Recency {
    let Some(by) = T::floor(lists.clock(), by) else { return Recency::default() };
    let (count, last) = pairs.flat(lists, pair, by).tally();
    Recency { count: count as u32, last: last.map(|entry| entry.created.time(lists.clock())) }
}

fn edges<T: Tick>(pairs: &Pairs, lists: &Lists<'_, T>, pair: Pair, by: Time) -> Vec<(Time, EdgeIndex)> {
    let Some(by) = T::floor(lists.clock(), by) else { return Vec::new() };
    let found = pairs.flat(lists, pair, by);
    found.iter().map(|entry| (entry.created.time(lists.clock()), entry.edge())).collect()
}

fn newest<T: Tick>(
    pairs: &Pairs,
    lists: &Lists<'_, T>,
    pair: Pair,
    by: Time,
    passes: impl Fn(EdgeIndex) -> bool,
) -> Option<(Time, EdgeIndex)> {
    let found = pairs.flat(lists, pair, T::floor(lists.clock(), by)?);
    let newest = found.iter().rev().find(|entry| passes(entry.edge()))?;
    Some((newest.created.time(lists.clock()), newest.edge()))
}
