//! Edges at nodes, sorted by time. Loads and replays need none of it, so it is made on first use and kept up from then on.

use std::ops::Deref;

use timeweft_graph::{Direction, EdgeIndex, EdgeTypeId, NodeIndex, Time};

use crate::NONE;
use crate::edge::Edges;

/// Entries whose removal times are summed up by one number.
const BLOCK: usize = 64;

/// One side of one life of an edge.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Entry {
    pub(crate) created: Time,
    /// The edge, and in the lowest bit whether this is its destination's side.
    side: u32,
    pub(crate) neighbor: NodeIndex,
}

impl Entry {
    /// The side of an edge that `direction` says. The caller keeps edges below 2^31.
    pub(crate) fn new(edges: &Edges, edge: EdgeIndex, direction: Direction) -> Entry {
        let life = edges.get(edge);
        let (neighbor, bit) = match direction {
            Direction::Out => (life.destination, 0),
            Direction::In => (life.source, 1),
        };
        Entry { created: life.interval.created, side: edge.0 << 1 | bit, neighbor }
    }

    /// The edge.
    pub(crate) fn edge(self) -> EdgeIndex {
        EdgeIndex(self.side >> 1)
    }

    /// Which side of it the node is.
    pub(crate) fn direction(self) -> Direction {
        if self.side & 1 == 0 { Direction::Out } else { Direction::In }
    }
}

/// Entries of a series. Most series have one, which needs no memory of its own.
#[derive(Clone)]
enum Entries {
    One(Entry),
    Many(Vec<Entry>),
}

impl Default for Entries {
    fn default() -> Entries {
        Entries::Many(Vec::new())
    }
}

impl Deref for Entries {
    type Target = [Entry];
    fn deref(&self) -> &[Entry] {
        match self {
            Entries::One(entry) => std::slice::from_ref(entry),
            Entries::Many(entries) => entries,
        }
    }
}

impl Entries {
    fn insert(&mut self, at: usize, entry: Entry) {
        match self {
            Entries::One(first) if at == 0 => *self = Entries::Many(vec![entry, *first]),
            Entries::One(first) => *self = Entries::Many(vec![*first, entry]),
            Entries::Many(entries) if entries.is_empty() => *self = Entries::One(entry),
            Entries::Many(entries) => {
                if entries.len() == entries.capacity() {
                    entries.reserve_exact(entries.len());
                }
                entries.insert(at, entry);
            }
        }
    }
}

/// Entries by (created, arrival), with what it takes to count and to skip the removed ones.
#[derive(Clone, Default)]
pub(crate) struct Series {
    entries: Entries,
    ended: Option<Box<Ended>>,
}

/// Removals in a series that has some.
#[derive(Clone, Default)]
struct Ended {
    /// Removal times, sorted.
    removed: Vec<Time>,
    /// For each block of entries a bound: none of them is removed later.
    latest: Vec<Time>,
}

impl Series {
    /// Adds an open edge.
    pub(crate) fn add(&mut self, entry: Entry) {
        let at = match self.entries.last() {
            Some(last) if *last > entry => self.entries.partition_point(|known| *known < entry),
            _ => self.entries.len(),
        };
        self.entries.insert(at, entry);
        if let Some(ended) = &mut self.ended {
            ended.shift(at, self.entries.len());
        }
    }

    /// Notes that an entry's edge has ended at `time`.
    pub(crate) fn end(&mut self, entry: Entry, time: Time, edges: &Edges) {
        let Ok(at) = self.entries.binary_search(&entry) else { return };
        let ended = self.ended.get_or_insert_with(|| {
            Box::new(Ended { removed: Vec::new(), latest: vec![Time::FOREVER; self.entries.len().div_ceil(BLOCK)] })
        });
        let place = ended.removed.partition_point(|known| *known <= time);
        ended.removed.insert(place, time);
        let block = at / BLOCK;
        let members = &self.entries[block * BLOCK..self.entries.len().min((block + 1) * BLOCK)];
        ended.latest[block] =
            members.iter().map(|entry| edges.get(entry.edge()).interval.removed).max().unwrap_or(Time::MIN);
    }

    /// How many edges were created at or before `time` and not removed by then.
    pub(crate) fn degree(&self, time: Time) -> usize {
        let removed = self.ended.as_ref().map_or(0, |ended| ended.removed.partition_point(|known| *known <= time));
        self.begun(time) - removed
    }

    /// Latest removal of any of its edges.
    pub(crate) fn last_removal(&self) -> Option<Time> {
        self.ended.as_ref()?.removed.last().copied()
    }

    /// How many were created at or before `time`, removed or not.
    pub(crate) fn begun(&self, time: Time) -> usize {
        self.entries.partition_point(|entry| entry.created <= time)
    }

    /// How many were created strictly before `time`, removed or not.
    pub(crate) fn before(&self, time: Time) -> usize {
        self.entries.partition_point(|entry| entry.created < time)
    }

    /// All entries.
    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The first `n` entries from the last to the first, without whole blocks that were removed by `time`.
    pub(crate) fn newest(&self, n: usize, time: Time) -> impl Iterator<Item = Entry> {
        let mut left = n;
        std::iter::from_fn(move || {
            while left > 0 && (left == n || left.is_multiple_of(BLOCK)) && self.is_over((left - 1) / BLOCK, time) {
                left = (left - 1) / BLOCK * BLOCK;
            }
            left = left.checked_sub(1)?;
            self.entries.get(left).copied()
        })
    }

    fn is_over(&self, block: usize, time: Time) -> bool {
        let latest = self.ended.as_ref().and_then(|ended| ended.latest.get(block));
        latest.is_some_and(|&latest| latest <= time && latest != Time::FOREVER)
    }
}

impl Ended {
    /// Makes room in the bounds for an open entry at `at`: later blocks each take in the last entry of the one before.
    fn shift(&mut self, at: usize, len: usize) {
        self.latest.resize(len.div_ceil(BLOCK), Time::MIN);
        let first = at / BLOCK;
        for block in (first + 1..self.latest.len()).rev() {
            self.latest[block] = self.latest[block].max(self.latest[block - 1]);
        }
        self.latest[first] = Time::FOREVER;
    }
}

/// The edges of one type on one side of a node.
#[derive(Clone)]
pub(crate) struct List {
    pub(crate) series: Series,
    /// The node's next list, or [`NONE`].
    next: u32,
    pub(crate) edge_type: EdgeTypeId,
    pub(crate) direction: Direction,
}

/// The lists of all nodes.
#[derive(Clone, Default)]
pub(crate) struct Adjacency {
    /// The first list of each node, or [`NONE`].
    first: Vec<u32>,
    lists: Vec<List>,
}

impl Adjacency {
    /// The lists of all edges.
    pub(crate) fn of(edges: &Edges, nodes: usize) -> Adjacency {
        let mut adjacency = Adjacency { first: vec![NONE; nodes], lists: Vec::new() };
        for edge in (0..edges.lives.len() as u32).map(EdgeIndex) {
            adjacency.add(edges, edge);
            if !edges.get(edge).interval.is_open() {
                adjacency.end(edges, edge);
            }
        }
        adjacency
    }

    /// Adds an open edge to the lists of both its ends.
    pub(crate) fn add(&mut self, edges: &Edges, edge: EdgeIndex) {
        let life = edges.get(edge);
        for (node, direction) in [(life.source, Direction::Out), (life.destination, Direction::In)] {
            self.series_mut(node, life.edge_type, direction).add(Entry::new(edges, edge, direction));
        }
    }

    /// Notes in the lists of both ends that an edge has ended.
    pub(crate) fn end(&mut self, edges: &Edges, edge: EdgeIndex) {
        let life = edges.get(edge);
        for (node, direction) in [(life.source, Direction::Out), (life.destination, Direction::In)] {
            let entry = Entry::new(edges, edge, direction);
            self.series_mut(node, life.edge_type, direction).end(entry, life.interval.removed, edges);
        }
    }

    /// The lists of a node.
    pub(crate) fn lists(&self, node: NodeIndex) -> impl Iterator<Item = &List> {
        let get = |at: u32| self.lists.get(at as usize);
        let first = self.first.get(node.at()).and_then(|&first| get(first));
        std::iter::successors(first, move |list| get(list.next))
    }

    /// The list of a type and side.
    pub(crate) fn list(&self, node: NodeIndex, edge_type: EdgeTypeId, direction: Direction) -> Option<&List> {
        self.lists(node).find(|list| list.edge_type == edge_type && list.direction == direction)
    }

    /// The list of a type and side for writing, added if it is new.
    fn series_mut(&mut self, node: NodeIndex, edge_type: EdgeTypeId, direction: Direction) -> &mut Series {
        if self.first.len() <= node.at() {
            self.first.resize(node.at() + 1, NONE);
        }
        let first = &mut self.first[node.at()];
        let mut at = *first;
        while at != NONE {
            let list = &self.lists[at as usize];
            if list.edge_type == edge_type && list.direction == direction {
                break;
            }
            at = list.next;
        }
        if at == NONE {
            at = self.lists.len() as u32;
            self.lists.push(List { series: Series::default(), next: *first, edge_type, direction });
            *first = at;
        }
        &mut self.lists[at as usize].series
    }
}
