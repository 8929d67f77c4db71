//! The most recent edges of a node, over all edge types and both directions.

use std::cmp::Ordering;

use timeweft_graph::{Deletes, Direction, EdgeIndex, EdgeTypeId, NodeIndex, Time};

use crate::Index;
use crate::adjacency::{Entry, Series};
use crate::edge::Edges;
use crate::life::Life;

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

/// All edges of each node in one series. Only models ask for it, so it is made on first use.
#[derive(Clone, Default)]
pub(crate) struct Timeline {
    series: Vec<Series>,
}

impl Timeline {
    fn of(index: &Index) -> Timeline {
        let mut timeline = Timeline { series: vec![Series::default(); index.n_nodes()] };
        for edge in (0..index.edges.lives.len() as u32).map(EdgeIndex) {
            timeline.add(&index.edges, edge);
            if !index.edges.get(edge).interval.is_open() {
                timeline.end(&index.edges, edge);
            }
        }
        timeline
    }

    /// Adds an open edge.
    pub(crate) fn add(&mut self, edges: &Edges, edge: EdgeIndex) {
        for (node, entry) in sides(edges, edge) {
            if self.series.len() <= node.at() {
                self.series.resize(node.at() + 1, Series::default());
            }
            self.series[node.at()].add(entry);
        }
    }

    /// Notes the end of an edge.
    pub(crate) fn end(&mut self, edges: &Edges, edge: EdgeIndex) {
        for (node, entry) in sides(edges, edge) {
            self.series[node.at()].end(entry, edges.get(edge).interval.removed, edges);
        }
    }
}

/// Both sides of an edge with the node on each.
fn sides(edges: &Edges, edge: EdgeIndex) -> [(NodeIndex, Entry); 2] {
    let life = edges.get(edge);
    [(life.source, Entry::new(edges, edge, Direction::Out)), (life.destination, Entry::new(edges, edge, Direction::In))]
}

impl Index {
    /// Puts into `out` (cleared first) the `k` most recent edges of a node that were created strictly before `before`,
    /// newest first, over all edge types and both directions; a self-loop is there twice.
    ///
    /// With hard deletes they are alive at `before.before()`, and so are both their ends; with soft deletes every life
    /// counts. Edges of one time are cut by (relation, direction, neighbor, edge key), never by arrival.
    pub fn last_neighbors(&self, node: NodeIndex, before: Time, k: usize, deletes: Deletes, out: &mut Vec<Neighbor>) {
        out.clear();
        let Some(series) = self.timeline().series.get(node.at()).filter(|_| k > 0) else { return };
        let cut = before.before();
        let over_by = if deletes == Deletes::Hard { cut } else { Time::MIN };
        let mut tied = false;
        for entry in series.newest(series.before(before), over_by) {
            let last = out.last().map(|neighbor: &Neighbor| neighbor.created);
            if out.len() >= k && last != Some(entry.created) {
                break;
            }
            let life = self.edges.get(entry.edge());
            if life.is_real() && (deletes == Deletes::Soft || life.interval.contains(cut)) {
                tied |= last == Some(entry.created);
                out.push(neighbor(entry, life.edge_type));
            }
        }
        if tied {
            self.cut(k, out);
        }
    }

    /// How many edges at a node were created strictly before `before`, over all edge types and both directions; deletes
    /// do not undo them, and a self-loop counts twice.
    pub fn degree_before(&self, node: NodeIndex, before: Time) -> usize {
        self.timeline().series.get(node.at()).map_or(0, |series| series.before(before))
    }

    fn timeline(&self) -> &Timeline {
        self.timeline.get_or_init(|| Timeline::of(self))
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

fn neighbor(entry: Entry, edge_type: EdgeTypeId) -> Neighbor {
    Neighbor {
        node: entry.neighbor,
        edge_type,
        direction: entry.direction(),
        created: entry.created,
        edge: entry.edge(),
    }
}
