//! The most recent edges of a node, over all edge types and both directions.

use std::cmp::Ordering;

use timeweft_graph::{Deletes, Direction, EdgeIndex, EdgeTypeId, NodeIndex, Time};

use crate::Index;
use crate::adjacency::{Run, Tick, ask};

/// An edge seen from a node.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Neighbor {
    /// The node at the other end.
    pub node: NodeIndex,
    /// The edge's type.
    pub edge_type: EdgeTypeId,
    /// Which side the asking node is.
    pub direction: Direction,
    /// When the edge was created.
    pub created: Time,
    /// The edge's life.
    pub edge: EdgeIndex,
}

impl Index {
    /// Puts into `out` (cleared first) the `k` most recent edges of a node that were created strictly before `before`,
    /// newest first, over all edge types and both directions; a self-loop is there twice.
    ///
    /// With hard deletes they are alive at `before.before()`, and so are both their ends; with soft deletes every life
    /// counts. Edges of one time are cut by (relation, direction, neighbor, edge key), never by arrival.
    pub fn last_neighbors(&self, node: NodeIndex, before: Time, k: usize, deletes: Deletes, out: &mut Vec<Neighbor>) {
        self.last_neighbors_by(node, before, k, deletes, |_| true, out);
    }

    /// The same over the edge types that are `wanted`, as if there were no others.
    pub fn last_neighbors_by(
        &self,
        node: NodeIndex,
        before: Time,
        k: usize,
        deletes: Deletes,
        wanted: impl Fn(EdgeTypeId) -> bool,
        out: &mut Vec<Neighbor>,
    ) {
        out.clear();
        if k == 0 || before == Time::MIN {
            return;
        }
        let cut = before.before();
        let (mut lists, mut tied) = (0, false);
        for list in self.adjacency().lists(node).filter(|list| wanted(list.edge_type)) {
            lists += 1;
            tied |= ask!(list, run => newest_of(run, list.edge_type, cut, k, deletes, out));
        }
        if tied || lists > 1 {
            self.cut(k, out);
        }
    }

    /// How many edges at a node were created strictly before `before`, over all edge types and both directions; deletes
    /// do not undo them, and a self-loop counts twice.
    pub fn degree_before(&self, node: NodeIndex, before: Time) -> usize {
        self.degree_before_by(node, before, |_| true)
    }

    /// The same over the edge types that are `wanted`.
    pub fn degree_before_by(&self, node: NodeIndex, before: Time, wanted: impl Fn(EdgeTypeId) -> bool) -> usize {
        let lists = self.adjacency().lists(node).filter(|list| wanted(list.edge_type));
        lists.map(|list| list.before(before)).sum()
    }

    /// Sorts newest first with ties in canonical order, and keeps `k`.
    fn cut(&self, k: usize, out: &mut Vec<Neighbor>) {
        if out.len() > k {
            out.select_nth_unstable_by(k, |a, b| self.compare(a, b));
            out.truncate(k);
        }
        out.sort_unstable_by(|a, b| self.compare(a, b));
    }

    fn compare(&self, a: &Neighbor, b: &Neighbor) -> Ordering {
        let relation = |neighbor: &Neighbor| &self.schema.edge_types()[neighbor.edge_type.at()].relation;
        let key = |neighbor: &Neighbor| self.keys.get(self.edges.get(neighbor.edge).key);
        b.created.cmp(&a.created).then_with(|| {
            relation(a)
                .cmp(relation(b))
                .then(a.direction.cmp(&b.direction))
                .then_with(|| self.compare_nodes(a.node, b.node))
                .then_with(|| key(a).cmp(&key(b)))
        })
    }
}

/// Adds the `k` newest entries of a list, and those that were created at the time of the last of them; whether any two
/// are of one time.
fn newest_of<T: Tick>(
    run: Run<'_, T>,
    edge_type: EdgeTypeId,
    cut: Time,
    k: usize,
    deletes: Deletes,
    out: &mut Vec<Neighbor>,
) -> bool {
    let Some(at) = T::floor(run.clock, cut) else { return false };
    let (start, mut last, mut tied) = (out.len(), None, false);
    for entry in run.newest(run.begun(at), (deletes == Deletes::Hard).then_some(at)) {
        let again = last == Some(entry.created);
        if out.len() - start >= k && !again {
            break;
        }
        if entry.created < entry.removed && (deletes == Deletes::Soft || entry.outlives(at)) {
            tied |= again;
            last = Some(entry.created);
            out.push(Neighbor {
                node: entry.neighbor(),
                edge_type,
                direction: entry.direction(),
                created: entry.created.time(run.clock),
                edge: entry.edge(),
            });
        }
    }
    tied
}
