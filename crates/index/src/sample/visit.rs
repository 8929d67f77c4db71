//! Many nodes at once: what the next ones will be asked for is fetched while the ones before are answered.
//!
//! A node's lists are three dependent reads away (where its lists are, where these lie, their entries), each most often
//! a miss of all caches in a large graph. So nodes are taken in groups, and each read is started for a whole group while
//! another one is answered.

use timeweft_graph::NodeIndex;

use super::few::Few;
use super::scope::Taken;
use super::weights::Weights;
use crate::adjacency::{Adjacency, Layout, Lists, Part, Parts, Tick};
use crate::array::fetch;

/// So many nodes are taken together: more misses than a core can have under way at once, and little enough that all that
/// is fetched for three groups stays in its nearest cache.
const GROUP: usize = 16;

/// Cache lines of a list that are fetched; where more are needed, the processor sees by itself how it goes on.
const LINES: usize = 4;

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

/// Brings each node's lists that are taken before a visitor, in order.
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

fn visit_in<T: Width>(
    adjacency: &Adjacency,
    lists: Lists<'_, T>,
    taken: &Taken,
    weights: Option<&Weights>,
    nodes: &[NodeIndex],
    visitor: &mut impl Visitor,
) {
    let mut ahead = Ahead { lists, taken, weights, places: [[(0, 0); GROUP]; 2], parts: Default::default() };
    let has_touched = adjacency.has_touched();
    let group = |at: usize| nodes.get(at * GROUP..).map(|rest| &rest[..rest.len().min(GROUP)]).unwrap_or_default();
    for step in 0..nodes.len().div_ceil(GROUP) + 3 {
        group(step).iter().for_each(|node| fetch(lists.starts, node.at()));
        if step > 0 {
            ahead.place(step - 1, group(step - 1));
        }
        if step > 1 {
            ahead.take(step - 2, group(step - 2));
        }
        let Some(now) = step.checked_sub(3) else { continue };
        for (at, &node) in group(now).iter().enumerate() {
            let position = now * GROUP + at;
            match if has_touched { adjacency.touched(node) } else { None } {
                None => visitor.visit(position, lists, ahead.parts(now, at)),
                Some(touched) => {
                    let taken = touched.parts().filter(|part| taken.takes(part.edge_type, part.direction));
                    let mut own: Vec<Part> = taken.filter(|part| part.len() > 0).collect();
                    own.sort_by_key(|part| (part.edge_type, part.direction));
                    visitor.visit(position, touched, &own);
                }
            }
        }
    }
}

/// What is known of the groups that come next; of two groups at each stage, one being made while the other is used.
struct Ahead<'a, T> {
    lists: Lists<'a, T>,
    taken: &'a Taken,
    weights: Option<&'a Weights>,
    /// For each node where its lists stand among all, and then which of `parts` are its.
    places: [Ranges; 2],
    parts: [(Vec<Part>, Ranges); 2],
}

/// A range for each node of a group.
type Ranges = [(u32, u32); GROUP];

impl<T: Tick> Ahead<'_, T> {
    /// Reads where the lists of a group's nodes stand, and fetches what tells where they lie.
    fn place(&mut self, group: usize, nodes: &[NodeIndex]) {
        for (place, &node) in self.places[group % 2].iter_mut().zip(nodes) {
            let of_node = self.lists.of_node(node);
            *place = (of_node.start, of_node.end);
            fetch(self.lists.heads, of_node.start as usize);
            fetch(self.lists.heads, of_node.end as usize);
        }
    }

    /// Reads where the lists of a group's nodes lie, and fetches those that are taken.
    fn take(&mut self, group: usize, nodes: &[NodeIndex]) {
        let (parts, own) = &mut self.parts[group % 2];
        parts.clear();
        for (own, place) in own.iter_mut().zip(&self.places[group % 2][..nodes.len()]) {
            let start = parts.len();
            own.0 = start as u32;
            for part in self.lists.parts(place.0..place.1) {
                if self.taken.takes(part.edge_type, part.direction) {
                    fetch_part(&self.lists, self.weights, &part);
                    parts.push(part);
                }
            }
            self.taken.arrange(&mut parts[start..]);
            own.1 = parts.len() as u32;
        }
    }

    fn parts(&self, group: usize, at: usize) -> &[Part] {
        let (parts, own) = &self.parts[group % 2];
        &parts[own[at].0 as usize..own[at].1 as usize]
    }
}

#[inline]
fn fetch_part<T: Tick>(lists: &Lists<'_, T>, weights: Option<&Weights>, part: &Part) {
    let (start, end) = (part.start as usize, part.end as usize);
    fetch_lines(lists.entries, start, end);
    if let Some(weights) = weights {
        fetch_lines(weights.flat(), start, end);
    }
}

/// Fetches the first lines of a stretch, and its end.
#[inline]
fn fetch_lines<T>(array: &[T], start: usize, end: usize) {
    let line = (64 / size_of::<T>()).max(1);
    fetch(array, start);
    if end - start > line {
        let lines = (end - start) / line;
        (1..lines.min(LINES)).for_each(|at| fetch(array, start + at * line));
    }
    fetch(array, end - 1);
}
