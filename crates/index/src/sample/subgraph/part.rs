//! The subgraph around a part of the roots.

use timeweft_graph::{Direction, EdgeIndex, EdgeTypeId, NodeIndex, NodeTypeId, Time};

use super::places::{Places, SeenNode};
use super::{Hops, NO_TYPE, group_of};
use crate::sample::fan_out::HopTime;
use crate::sample::sampling::Sampling;
use crate::sample::scope::{NO_NODE, Roots, SampleError};
use crate::sample::slots::{Missing, Slots};
use crate::{Index, NONE};

/// What was seen around a part of the roots; places count within it.
pub(super) struct Part {
    /// By node type.
    pub(super) nodes: Vec<ByHop<NodeRow>>,
    /// By [`group_of`].
    pub(super) edges: Vec<ByHop<EdgeRow>>,
    /// Type and place of each root; [`NO_TYPE`] and [`NONE`] of one that is no node.
    pub(super) roots: Vec<(NodeTypeId, u32)>,
}

/// Rows in order of first sight, and how many there are up to each hop.
pub(super) struct ByHop<R> {
    pub(super) rows: Vec<R>,
    ends: Vec<u32>,
}

pub(super) struct NodeRow {
    pub(super) node: NodeIndex,
    pub(super) root: u32,
    pub(super) time: Time,
}

pub(super) struct EdgeRow {
    /// The node whose neighbor was sampled, and the neighbor.
    pub(super) near: u32,
    pub(super) far: u32,
    pub(super) edge: EdgeIndex,
    pub(super) root: u32,
    pub(super) created: Time,
}

/// Nodes whose neighbors are sampled next.
#[derive(Default)]
struct Frontier {
    nodes: Vec<NodeIndex>,
    times: Vec<Time>,
    /// What the random numbers of each depend on: where it stands among the slots of [`Index::fan_out`], or [`Hops::key`].
    positions: Vec<u64>,
    places: Vec<u32>,
    roots: Vec<u32>,
}

/// What was sampled at a hop.
#[derive(Default)]
struct Sampled {
    neighbors: Vec<NodeIndex>,
    edges: Vec<EdgeIndex>,
    edge_types: Vec<EdgeTypeId>,
    directions: Vec<Direction>,
    created: Vec<Time>,
    counts: Vec<u32>,
}

impl Part {
    /// Samples around roots, the first of which has a position among all.
    pub(super) fn of(
        index: &Index,
        sampling: &Sampling,
        hops: &Hops<'_>,
        (start, roots): (u32, Roots<'_>),
    ) -> Result<Part, SampleError> {
        let schema = index.schema();
        let part = Part {
            nodes: schema.node_types().iter().map(|_| ByHop::new()).collect(),
            edges: (0..schema.edge_types().len() * 2).map(|_| ByHop::new()).collect(),
            roots: Vec::with_capacity(roots.len()),
        };
        let mut builder = Builder { index, hops, part, places: Places::new(roots.len()), next: Frontier::default() };
        builder.add_roots(sampling.first_root, start, roots);
        let mut sampled = Sampled::default();
        for (hop, &k) in (0..).zip(hops.sizes) {
            let frontier = std::mem::take(&mut builder.next);
            let own = Sampling { k, quotas: Vec::new(), ..sampling.clone() };
            let asked = Roots::new(&frontier.nodes, &frontier.times)?;
            let slots = sampled.slots(frontier.nodes.len(), k);
            index.sample_at(&own, (hop, Some(&frontier.positions)), asked, slots)?;
            builder.add_hop(&frontier, &sampled, k);
        }
        Ok(builder.part)
    }
}

impl<R> ByHop<R> {
    fn new() -> ByHop<R> {
        ByHop { rows: Vec::new(), ends: Vec::new() }
    }

    /// The rows of a hop.
    pub(super) fn of_hop(&self, hop: usize) -> &[R] {
        let start = hop.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.rows[start as usize..self.ends[hop] as usize]
    }

    fn end_hop(&mut self) {
        self.ends.push(self.rows.len() as u32);
    }
}

impl Frontier {
    fn push(&mut self, row: &NodeRow, position: u64, place: u32) {
        self.nodes.push(row.node);
        self.times.push(row.time);
        self.positions.push(position);
        self.places.push(place);
        self.roots.push(row.root);
    }
}

impl Sampled {
    fn slots(&mut self, roots: usize, k: usize) -> Slots<'_> {
        let (n, none) = (roots * k, Missing::NONE);
        self.neighbors.resize(n, none.neighbor);
        self.edges.resize(n, none.edge);
        self.edge_types.resize(n, none.edge_type);
        self.directions.resize(n, Direction::Out);
        self.created.resize(n, none.created);
        self.counts.resize(roots, 0);
        Slots {
            neighbors: Some(&mut self.neighbors),
            edges: Some(&mut self.edges),
            edge_types: Some(&mut self.edge_types),
            directions: Some(&mut self.directions),
            created: Some(&mut self.created),
            weights: None,
            counts: Some(&mut self.counts),
        }
    }
}

/// A part in the making.
struct Builder<'a> {
    index: &'a Index,
    hops: &'a Hops<'a>,
    part: Part,
    places: Places,
    next: Frontier,
}

impl Builder<'_> {
    fn add_roots(&mut self, first: u64, start: u32, roots: Roots<'_>) {
        for ((root, &node), &time) in (start..).zip(roots.nodes).zip(roots.times) {
            if node == NO_NODE {
                self.part.roots.push((NO_TYPE, NONE));
                continue;
            }
            let of_type = self.index.node_type(node);
            let row = NodeRow { node, root, time };
            let place = self.see(of_type, row, first.wrapping_add(u64::from(root)));
            self.part.roots.push((of_type, place));
        }
        self.part.nodes.iter_mut().for_each(ByHop::end_hop);
    }

    fn add_hop(&mut self, frontier: &Frontier, sampled: &Sampled, k: usize) {
        let types = self.index.schema().edge_types();
        for at in 0..frontier.nodes.len() {
            let (root, near) = (frontier.roots[at], frontier.places[at]);
            for slot in 0..sampled.counts[at] as usize {
                let place = at * k + slot;
                let (edge_type, direction) = (sampled.edge_types[place], sampled.directions[place]);
                let (node, created) = (sampled.neighbors[place], sampled.created[place]);
                let ends = &types[edge_type.at()];
                let of_type = if direction == Direction::Out { ends.destination } else { ends.source };
                let time = if self.hops.time == HopTime::Root { frontier.times[at] } else { created };
                let position = frontier.positions[at].wrapping_mul(k as u64).wrapping_add(slot as u64);
                let far = self.see(of_type, NodeRow { node, root, time }, position);
                let row = EdgeRow { near, far, edge: sampled.edges[place], root, created };
                self.part.edges[group_of(edge_type, direction)].rows.push(row);
            }
        }
        self.part.nodes.iter_mut().for_each(ByHop::end_hop);
        self.part.edges.iter_mut().for_each(ByHop::end_hop);
    }

    /// The place of a node; one that is new is asked for its neighbors at the next hop.
    fn see(&mut self, of_type: NodeTypeId, row: NodeRow, position: u64) -> u32 {
        let root = if self.hops.joint { 0 } else { row.root };
        let nodes = &mut self.part.nodes[of_type.at()].rows;
        let seen = SeenNode { root, node: row.node, time: row.time };
        let (place, is_new) = self.places.place(seen, nodes.len() as u32);
        if is_new {
            let position = if self.hops.joint { Hops::key(row.node, row.time) } else { position };
            self.next.push(&row, position, place);
            nodes.push(row);
        }
        place
    }
}
