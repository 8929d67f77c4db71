//! Many nodes at once: what the next ones will be asked for is fetched while the ones before are answered.
//!
//! A node's lists are three dependent reads away (where its lists are, where these lie, their entries), each most often
//! a miss of all caches in a large graph. So nodes are taken in groups, and each read is started a group ahead of the one
//! that needs it. All that is fetched in a step is fetched in one go: a fetch ends only when its address is
//! translated, which takes about as long as a miss where pages are many, and only what stands close by in the program
//! overlaps that. Fetched between the answers of two nodes, each would wait for its own translation.

use std::ops::Range;

use timeweft_graph::{Direction, NodeIndex};

use super::scope::Taken;
use super::small_degree::Few;
use super::weights::Weights;
use crate::adjacency::{Adjacency, Layout, Lists, Part, Parts, Tick, Touched};
use crate::memory::array::{Places, fetch};

/// Nodes that are taken together: enough for memory to answer meanwhile, and few enough that all that is fetched stays in
/// the nearest cache.
const GROUP: usize = 16;

/// Steps before the lists of a node are read.
const STEPS: usize = 3;

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
    let mut ahead = Ahead {
        lists,
        taken,
        weights,
        places: [const { 0..0 }; GROUP],
        parts: Default::default(),
        stretches: Vec::new(),
    };
    let has_touched = adjacency.has_touched();
    for step in 0..nodes.len().div_ceil(GROUP) + STEPS {
        let group = |behind: usize| group(nodes.len(), step, behind);
        ahead.take(step % 2, group(2).len());
        ahead.place(&nodes[group(1)]);
        ahead.fetch(&nodes[group(0)]);
        for (room, position) in group(STEPS).enumerate() {
            match if has_touched { adjacency.touched(nodes[position]) } else { None } {
                None => visitor.visit(position, lists, &ahead.parts[(step + 1) % 2][room]),
                Some(touched) => visit_touched(position, touched, taken, visitor),
            }
        }
    }
}

/// The positions of the group that is so many steps behind the newest one.
#[inline]
fn group(n: usize, step: usize, behind: usize) -> Range<usize> {
    let start = step.checked_sub(behind).map_or(n, |at| n.min(at * GROUP));
    start..n.min(start + GROUP)
}

/// Brings a node that has lists of its own before a visitor.
#[inline(never)]
fn visit_touched(position: usize, touched: Touched<'_>, taken: &Taken, visitor: &mut impl Visitor) {
    let taken = touched.parts().filter(|part| taken.takes(part.edge_type, part.direction));
    let mut own: Vec<Part> = taken.filter(|part| part.len() > 0).collect();
    own.sort_by_key(|part| (part.edge_type, part.direction));
    visitor.visit(position, touched, &own);
}

/// What is known of the nodes that come next.
struct Ahead<'a, T> {
    lists: Lists<'a, T>,
    taken: &'a Taken,
    weights: Option<&'a Weights>,
    /// Where the lists of a group stand among all.
    places: [Range<u32>; GROUP],
    /// Where those lie that are taken, of the group that is visited and of the next one.
    parts: [[Vec<Part>; GROUP]; 2],
    /// Where the entries of a group lie.
    stretches: Vec<Range<usize>>,
}

impl<T: Tick> Ahead<'_, T> {
    /// Reads where the lists of the nodes of a group lie.
    #[inline(always)]
    fn take(&mut self, half: usize, n: usize) {
        self.stretches.clear();
        for (place, parts) in self.places[..n].iter().zip(&mut self.parts[half]) {
            parts.clear();
            // Lists that lie side by side are fetched together.
            let mut side_by_side = 0..0;
            for part in self.lists.parts(place.clone()).take_while(|part| !self.taken.is_past(part.direction)) {
                if self.taken.takes(part.edge_type, part.direction) {
                    if part.start as usize != side_by_side.end {
                        self.stretches.push(side_by_side);
                        side_by_side = part.start as usize..0;
                    }
                    side_by_side.end = part.end as usize;
                    parts.push(part);
                }
            }
            self.stretches.push(side_by_side);
            self.taken.arrange(parts);
        }
    }

    /// Reads where the lists of the nodes of a group stand.
    #[inline(always)]
    fn place(&mut self, nodes: &[NodeIndex]) {
        self.places.iter_mut().zip(nodes).for_each(|(place, node)| *place = self.lists.of_node(*node));
        self.places[nodes.len()..].fill(0..0);
    }

    /// Fetches what was found, and where the lists of a further group stand.
    #[inline(always)]
    fn fetch(&mut self, nodes: &[NodeIndex]) {
        self.stretches.iter().for_each(|stretch| fetch_lists(&self.lists, self.weights, stretch.clone()));
        for place in &self.places {
            fetch(self.lists.heads, place.start as usize);
            let end = if self.taken.is_past(Direction::In) { place.end.min(place.start + OUTWARDS) } else { place.end };
            fetch(self.lists.heads, end as usize);
        }
        nodes.iter().for_each(|node| fetch(self.lists.starts, node.at()));
    }
}

#[inline(always)]
fn fetch_lists<T: Tick>(lists: &Lists<'_, T>, weights: Option<&Weights>, places: Range<usize>) {
    fetch_lines(lists.entries, places.clone());
    if let Some(weights) = weights {
        fetch_lines(weights.flat(), places);
    }
}

/// Fetches the first lines of a stretch, and its end.
#[inline(always)]
fn fetch_lines<'a, T: 'a>(array: impl Into<Places<'a, T>>, places: Range<usize>) {
    let array = array.into();
    if places.is_empty() {
        return;
    }
    let line = (64 / size_of::<T>()).max(1);
    places.clone().step_by(line).take(LINES).for_each(|at| fetch(array, at));
    fetch(array, places.end - 1);
}
