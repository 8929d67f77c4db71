//! Many nodes at once: what the next ones will be asked for is fetched while the ones before are answered.
//!
//! A node's lists are three dependent reads away (where its lists are, where these lie, their entries), each most often
//! a miss of all caches in a large graph. So each read is started some nodes ahead of the one that needs it. That is done
//! node by node, between answers: a core can have only so many misses under way, and would stand still if many nodes were
//! fetched at once.

use std::ops::Range;

use timeweft_graph::{Direction, NodeIndex};

use super::few::Few;
use super::scope::Taken;
use super::weights::Weights;
use crate::adjacency::{Adjacency, Layout, Lists, Part, Parts, Tick, Touched};
use crate::array::fetch;

/// So many nodes lie between one read of a node's and the next: long enough for memory to answer, and little enough that
/// all that is fetched stays in the nearest cache.
const AHEAD: usize = 8;

/// Cache lines that are fetched of lists side by side; where more are needed, the processor sees by itself how it goes on.
const LINES: usize = 4;

/// Where only edges outwards are asked for, the heads of so many lists are fetched: few nodes have more of them.
const OUTWARDS: u32 = 4;

/// Times of entries of one of the two widths, each with room of its own.
pub(crate) trait Width: Tick {
    /// The room for what has times of this width.
    fn few(rooms: &mut Rooms) -> &mut Few<Self>;
}

/// Room for roots with few edges, of either width.
#[derive(Default)]
pub(crate) struct Rooms {
    narrow: Few<u32>,
    wide: Few<i64>,
}

impl Width for u32 {
    fn few(rooms: &mut Rooms) -> &mut Few<u32> {
        &mut rooms.narrow
    }
}

impl Width for i64 {
    fn few(rooms: &mut Rooms) -> &mut Few<i64> {
        &mut rooms.wide
    }
}

/// Someone who wants the lists of nodes.
pub(crate) trait Visitor {
    /// The lists in scope of the node at a position, by (type, side), none of them empty.
    fn visit<'a, T: Width, P: Parts<'a, T>>(&mut self, at: usize, source: P, parts: &[Part]);
}

/// Brings each node's lists that are taken before a visitor, in order. Inlined, so that it is compiled for the processor that
/// its caller is compiled for.
#[inline(always)]
pub(crate) fn visit(
    adjacency: &Adjacency,
    taken: &Taken,
    weights: Option<&Weights>,
    nodes: &[NodeIndex],
    visitor: &mut impl Visitor,
) {
    match adjacency.layout() {
        Layout::Narrow(lists) => visit_in(adjacency, lists, taken, weights, nodes, visitor),
        Layout::Wide(lists) => visit_in(adjacency, lists, taken, weights, nodes, visitor),
    }
}

#[inline(always)]
fn visit_in<T: Width>(
    adjacency: &Adjacency,
    lists: Lists<'_, T>,
    taken: &Taken,
    weights: Option<&Weights>,
    nodes: &[NodeIndex],
    visitor: &mut impl Visitor,
) {
    let mut ahead = Ahead { lists, taken, weights, places: [(0, 0); AHEAD], parts: Default::default() };
    let has_touched = adjacency.has_touched();
    for step in 0..nodes.len() + 3 * AHEAD {
        if let Some(node) = nodes.get(step) {
            fetch(lists.starts, node.at());
        }
        // The oldest first: its room is used again.
        if let Some((position, &node)) = at(nodes, step, 3) {
            match if has_touched { adjacency.touched(node) } else { None } {
                None => visitor.visit(position, lists, &ahead.parts[position % AHEAD]),
                Some(touched) => visit_touched(position, touched, taken, visitor),
            }
        }
        if let Some((position, _)) = at(nodes, step, 2) {
            ahead.take(position % AHEAD);
        }
        if let Some((position, &node)) = at(nodes, step, 1) {
            ahead.place(position % AHEAD, node);
        }
    }
}

/// The same for a node that has lists of its own.
#[inline(never)]
fn visit_touched(position: usize, touched: Touched<'_>, taken: &Taken, visitor: &mut impl Visitor) {
    let taken = touched.parts().filter(|part| taken.takes(part.edge_type, part.direction));
    let mut own: Vec<Part> = taken.filter(|part| part.len() > 0).collect();
    own.sort_by_key(|part| (part.edge_type, part.direction));
    visitor.visit(position, touched, &own);
}

/// The node that a stage has come to, and its position.
#[inline]
fn at(nodes: &[NodeIndex], step: usize, stage: usize) -> Option<(usize, &NodeIndex)> {
    let position = step.wrapping_sub(stage * AHEAD);
    Some(position).zip(nodes.get(position))
}

/// What is known of the nodes that come next.
struct Ahead<'a, T> {
    lists: Lists<'a, T>,
    taken: &'a Taken,
    weights: Option<&'a Weights>,
    /// Where the lists of a node stand among all.
    places: [(u32, u32); AHEAD],
    /// Where those lie that are taken.
    parts: [Vec<Part>; AHEAD],
}

impl<T: Tick> Ahead<'_, T> {
    /// Reads where the lists of a node stand, and fetches what tells where they lie.
    #[inline]
    fn place(&mut self, room: usize, node: NodeIndex) {
        let of_node = self.lists.of_node(node);
        self.places[room] = (of_node.start, of_node.end);
        fetch(self.lists.heads, of_node.start as usize);
        let end =
            if self.taken.is_past(Direction::In) { of_node.end.min(of_node.start + OUTWARDS) } else { of_node.end };
        fetch(self.lists.heads, end as usize);
    }

    /// Reads where the lists of a node lie, and fetches those that are taken.
    #[inline]
    fn take(&mut self, room: usize) {
        let (place, parts) = (self.places[room], &mut self.parts[room]);
        parts.clear();
        // Lists that lie side by side are fetched together.
        let mut side_by_side = 0..0;
        for part in self.lists.parts(place.0..place.1).take_while(|part| !self.taken.is_past(part.direction)) {
            if self.taken.takes(part.edge_type, part.direction) {
                if part.start as usize != side_by_side.end {
                    fetch_lists(&self.lists, self.weights, side_by_side);
                    side_by_side = part.start as usize..0;
                }
                side_by_side.end = part.end as usize;
                parts.push(part);
            }
        }
        fetch_lists(&self.lists, self.weights, side_by_side);
        self.taken.arrange(parts);
    }
}

#[inline]
fn fetch_lists<T: Tick>(lists: &Lists<'_, T>, weights: Option<&Weights>, places: Range<usize>) {
    fetch_lines(lists.entries, places.clone());
    if let Some(weights) = weights {
        fetch_lines(weights.flat(), places);
    }
}

/// Fetches the first lines of a stretch, and its end.
#[inline]
fn fetch_lines<T>(array: &[T], places: Range<usize>) {
    if places.is_empty() {
        return;
    }
    let line = (64 / size_of::<T>()).max(1);
    places.clone().step_by(line).take(LINES).for_each(|at| fetch(array, at));
    fetch(array, places.end - 1);
}
