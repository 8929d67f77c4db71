//! Edges at nodes, sorted by time. Loads and replays need none of it, so it is made on first use and kept up from then on.
//!
//! A node has a list of entries for each edge type and side at it; an entry is one life of an edge, with both its times,
//! so that a question about a time reads one piece of memory. All lists lie in a [CSR](csr) that is grouped by (type, side)
//! within a node and made all at once. A node whose edges change afterwards gets [overflow lists](overflow) of its own; when
//! many edges have come since, all is given up, for the next question to make anew. A question never has to merge two lists.

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

use self::csr::{Csr, of_width};
pub(crate) use self::entry::{Clock, Entry, SeenEdge, Tick};
pub(crate) use self::list::{AnyRun, BLOCK, List, Run, ask};
use self::overflow::OverflowList;
pub(crate) use self::parts::{CsrId, CsrLists, CsrView, ListPart, ListSource, OverflowLists, of_csr};
use crate::elements::edge::Edges;

/// How many entries may be added before the CSR is made anew, beside a part of what is in it. What is copied from it does not
/// count: where edges come at random, all nodes have lists of their own after few of them.
const MAX_ADDED: usize = 1 << 16;

/// The lists of all nodes.
#[derive(Clone, Default)]
pub(crate) struct Adjacency {
    pub(crate) csr: Arc<Csr>,
    /// The lists of nodes whose edges have changed since.
    overflow: FxHashMap<NodeIndex, Vec<OverflowList>>,
    /// Entries that the CSR lacks.
    n_added: usize,
}

impl Adjacency {
    /// The lists of all edges.
    pub(crate) fn of(edges: &Edges, nodes: usize) -> Adjacency {
        Adjacency { csr: Arc::new(build::csr(edges, nodes)), ..Adjacency::default() }
    }

    /// Whether all lists are in the CSR.
    pub(crate) fn is_all_csr(&self) -> bool {
        self.overflow.is_empty()
    }

    /// Lists that are in a CSR already.
    pub(crate) fn from_csr(csr: Csr) -> Adjacency {
        Adjacency { csr: Arc::new(csr), ..Adjacency::default() }
    }

    /// Adds an open edge to the lists of both its ends. Says whether few enough lie outside of the CSR; if not, it is better
    /// made anew, once, at the next question, than kept up with a load that asks none.
    #[must_use]
    pub(crate) fn add(&mut self, edges: &Edges, edge: EdgeIndex) -> bool {
        let life = edges.get(edge);
        for (node, direction) in [(life.source, Direction::Out), (life.destination, Direction::In)] {
            self.own(node, life.edge_type, direction).add(Entry::of(edges, edge, direction));
        }
        self.n_added += 2;
        self.n_added <= MAX_ADDED + of_width!(&*self.csr, arrays => arrays.entries.len()) / 4
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
        let own = if self.overflow.is_empty() { None } else { self.overflow.get(&node) };
        let csr = if own.is_some() { 0..0 } else { self.csr.lists_of(node) };
        own.into_iter().flatten().map(OverflowList::list).chain(csr.map(|at| self.csr.list(at)))
    }

    /// The list of a type and side.
    pub(crate) fn list(&self, node: NodeIndex, edge_type: EdgeTypeId, direction: Direction) -> Option<List<'_>> {
        self.lists(node).find(|list| list.edge_type == edge_type && list.direction == direction)
    }

    /// The list of a type and side for writing, added if it is new.
    fn own(&mut self, node: NodeIndex, edge_type: EdgeTypeId, direction: Direction) -> &mut OverflowList {
        let csr = &self.csr;
        let lists = self
            .overflow
            .entry(node)
            .or_insert_with(|| csr.lists_of(node).map(|at| OverflowList::copy(&csr.list(at))).collect());
        let known = lists.iter().position(|list| list.is(edge_type, direction));
        let at = known.unwrap_or_else(|| {
            lists.push(OverflowList::new(edge_type, direction));
            lists.len() - 1
        });
        &mut lists[at]
    }
}
