//! Walks over live edges by dense number.

use rustc_hash::{FxHashMap, FxHashSet};
use timeweft_graph::{Direction, EdgeIndex, EdgeTypeId, Name, NodeIndex};

use super::Query;
use crate::Index;

/// Relations of a hierarchy, where the query names none.
pub const HIERARCHY: [&str; 2] = ["is_a", "child_of"];

/// Relations that a query walks along.
#[derive(Clone, Debug)]
pub(super) enum Relations {
    /// None were named.
    Hierarchy,
    Named(Vec<Name>),
    Any,
}

impl Relations {
    /// Any relation unless some were named.
    pub(super) fn or_any(&self) -> Relations {
        if let Relations::Named(_) = self { self.clone() } else { Relations::Any }
    }
}

/// For each edge type whether a walk takes it.
pub(super) struct Along(Vec<bool>);

impl Along {
    pub(super) fn new(index: &Index, relations: &Relations) -> Along {
        let taken = |relation: &Name| match relations {
            Relations::Any => true,
            Relations::Named(names) => names.contains(relation),
            Relations::Hierarchy => HIERARCHY.contains(&&**relation),
        };
        Along(index.schema.edge_types().iter().map(|edge| taken(&edge.relation)).collect())
    }

    fn takes(&self, edge_type: EdgeTypeId) -> bool {
        self.0[edge_type.at()]
    }
}

/// A node that a walk found.
pub(super) struct Found {
    pub(super) node: NodeIndex,
    /// Fewest hops from the start.
    pub(super) depth: u32,
    /// Edges between it and the start, if it is one hop away.
    pub(super) edges: Vec<EdgeIndex>,
}

impl Found {
    pub(super) fn at(node: NodeIndex, depth: u32) -> Found {
        Found { node, depth, edges: Vec::new() }
    }
}

impl Query<'_> {
    /// Edges on one side of a node that are shown, and where they lead. An edge ends with its ends, so these are shown too.
    fn steps(
        &self,
        node: NodeIndex,
        direction: Direction,
        along: &Along,
    ) -> impl Iterator<Item = (EdgeIndex, NodeIndex)> {
        let lists = self.index.adjacency().lists(node);
        let taken = lists.filter(move |list| list.direction == direction && along.takes(list.edge_type));
        let shown = taken.flat_map(move |list| self.index.shown_in(list, self.at));
        shown.map(move |edge| {
            let life = self.index.edges.get(edge);
            (edge, if direction == Direction::Out { life.destination } else { life.source })
        })
    }

    /// The other nodes one hop away on some sides, with the edges between.
    pub(super) fn beside(&self, start: NodeIndex, directions: &[Direction], along: &Along) -> Vec<Found> {
        let mut found: Vec<Found> = Vec::new();
        let mut at: FxHashMap<NodeIndex, usize> = FxHashMap::default();
        for (edge, node) in directions.iter().flat_map(|&direction| self.steps(start, direction, along)) {
            if node == start {
                continue;
            }
            let place = *at.entry(node).or_insert(found.len());
            if place == found.len() {
                found.push(Found::at(node, 1));
            }
            found[place].edges.push(edge);
        }
        found
    }

    /// All other nodes within the query's depth on one side, by fewest hops.
    pub(super) fn reach(&self, start: NodeIndex, direction: Direction, along: &Along) -> Vec<Found> {
        let mut seen = FxHashSet::from_iter([start]);
        let mut found: Vec<Found> = Vec::new();
        let mut ring = vec![start];
        for depth in 1..=self.depth {
            let mut next = Vec::new();
            for node in ring {
                next.extend(self.steps(node, direction, along).map(|(_, node)| node).filter(|&node| seen.insert(node)));
            }
            if next.is_empty() {
                break;
            }
            found.extend(next.iter().map(|&node| Found::at(node, depth)));
            ring = next;
        }
        found
    }

    /// Whether `wanted` is among the ancestors of a node.
    pub(super) fn leads_to(&self, node: NodeIndex, wanted: NodeIndex, along: &Along) -> bool {
        self.reach(node, Direction::Out, along).iter().any(|found| found.node == wanted)
    }
}
