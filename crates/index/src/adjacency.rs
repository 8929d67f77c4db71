//! Edges at nodes, sorted by time. Loads and replays need none of it, so it is made on first use and kept up from then on.
//!
//! A node has a list of entries for each edge type and side at it; an entry is one life of an edge, with both its times,
//! so that a question about a time reads one piece of memory. Lists lie in flat arrays, made all at once
//! ([`csr`]); a node whose edges change afterwards gets [lists of its own](overflow), and when those have become many,
//! everything is made anew. A question never has to bring two lists together.

mod build;
pub(crate) mod csr;
mod entry;
mod list;
mod overflow;
pub(crate) mod pairs;
mod parts;

use std::sync::Arc;

use rustc_hash::FxHashMap;
use timeweft_graph::{Direction, EdgeIndex, EdgeTypeId, NodeIndex};

use self::csr::Flat;
pub(crate) use self::entry::{Clock, Entry, Seen, Tick};
pub(crate) use self::list::{AnyRun, BLOCK, List, Run, ask};
use self::overflow::OwnList;
pub(crate) use self::parts::{FlatId, Layout, Lists, Part, Parts, Touched};
use crate::elements::edge::Edges;

/// So many entries may lie outside of the flat arrays before these are made anew, beside a part of what is in them.
const LOOSE: usize = 1 << 16;

/// The lists of all nodes.
#[derive(Clone, Default)]
pub(crate) struct Adjacency {
    pub(crate) flat: Arc<Flat>,
    /// The lists of nodes whose edges have changed since.
    touched: FxHashMap<NodeIndex, Vec<OwnList>>,
    /// Entries in `touched`.
    loose: usize,
}

impl Adjacency {
    /// The lists of all edges.
    pub(crate) fn of(edges: &Edges, nodes: usize) -> Adjacency {
        Adjacency { flat: Arc::new(build::flat(edges, nodes)), ..Adjacency::default() }
    }

    /// Whether all lists are in the flat arrays.
    pub(crate) fn is_all_flat(&self) -> bool {
        self.touched.is_empty()
    }

    /// Lists that are flat already.
    pub(crate) fn from_flat(flat: Flat) -> Adjacency {
        Adjacency { flat: Arc::new(flat), ..Adjacency::default() }
    }

    /// Adds an open edge to the lists of both its ends.
    pub(crate) fn add(&mut self, edges: &Edges, edge: EdgeIndex) {
        let life = edges.get(edge);
        for (node, direction) in [(life.source, Direction::Out), (life.destination, Direction::In)] {
            self.own(node, life.edge_type, direction).add(Entry::of(edges, edge, direction));
            self.loose += 1;
        }
        if self.loose > LOOSE + self.flat.n_entries() / 2 {
            let nodes = self.touched.keys().map(|node| node.at() + 1).max().unwrap_or(0);
            *self = Adjacency::of(edges, nodes.max(self.flat.n_nodes()));
        }
    }

    /// Notes in the lists of both ends that an edge has ended.
    pub(crate) fn end(&mut self, edges: &Edges, edge: EdgeIndex) {
        let life = edges.get(edge);
        for (node, direction) in [(life.source, Direction::Out), (life.destination, Direction::In)] {
            self.own(node, life.edge_type, direction).end(Entry::of(edges, edge, direction));
        }
    }

    /// The lists of a node.
    pub(crate) fn lists(&self, node: NodeIndex) -> impl Iterator<Item = List<'_>> + Clone {
        let own = if self.touched.is_empty() { None } else { self.touched.get(&node) };
        let flat = if own.is_some() { 0..0 } else { self.flat.lists_of(node) };
        own.into_iter().flatten().map(OwnList::list).chain(flat.map(|at| self.flat.list(at)))
    }

    /// The list of a type and side.
    pub(crate) fn list(&self, node: NodeIndex, edge_type: EdgeTypeId, direction: Direction) -> Option<List<'_>> {
        self.lists(node).find(|list| list.edge_type == edge_type && list.direction == direction)
    }

    /// The list of a type and side for writing, added if it is new.
    fn own(&mut self, node: NodeIndex, edge_type: EdgeTypeId, direction: Direction) -> &mut OwnList {
        let (flat, loose) = (&self.flat, &mut self.loose);
        let lists = self.touched.entry(node).or_insert_with(|| {
            let lists: Vec<_> = flat.lists_of(node).map(|at| OwnList::copy(&flat.list(at))).collect();
            *loose += lists.iter().map(OwnList::len).sum::<usize>();
            lists
        });
        let known = lists.iter().position(|list| list.is(edge_type, direction));
        let at = known.unwrap_or_else(|| {
            lists.push(OwnList::new(edge_type, direction));
            lists.len() - 1
        });
        &mut lists[at]
    }
}
