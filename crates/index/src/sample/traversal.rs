//! A traversal of many nodes that prefetches: what the next ones need is fetched while the ones before are answered.
//!
//! A node's lists are three dependent reads away (where its lists are, where these lie, their entries), each most often
//! a miss of all caches in a large graph. So nodes are taken in groups, and each read is started a group ahead of the one
//! that needs it. All that is fetched in a step is fetched in one go: a fetch ends only when its address is
//! translated, which takes about as long as a miss where pages are many, and only what stands close by in the program
//! overlaps that. Fetched between the answers of two nodes, each would wait for its own translation.

use std::ops::Range;

use timeweft_graph::{Direction, NodeIndex, Time};

use super::scope::{EdgeFilter, Roots};
use super::weights::Weights;
use super::window::Window;
use crate::adjacency::{Adjacency, CsrLists, ListPart, ListSource, OverflowLists, Tick, of_csr};
use crate::memory::array::{Places, prefetch};

/// Nodes that are taken together: enough for memory to answer meanwhile, and few enough that all that is fetched stays in
/// the nearest cache.
const GROUP: usize = 16;

/// Steps before the lists of a node are read.
const STEPS: usize = 3;

/// Cache lines that are fetched of lists side by side; where more are needed, the processor sees by itself how it goes on.
const LINES: usize = 4;

/// How many list headers are fetched where only edges outwards are asked for: few nodes have more of them.
const OUTWARDS: u32 = 4;

/// Answers for one node after the other.
pub(crate) trait Visitor {
    /// Buffers for times of one width, used again from node to node.
    type Scratch<T: Tick>: Default;

    /// Takes the lists in scope of the node at a position, by (type, side), none of them empty; of each what was created in
    /// the window, which may be in two parts.
    fn visit<'a, T: Tick, P: ListSource<'a, T>>(
        &mut self,
        scratch: &mut Self::Scratch<T>,
        at: usize,
        source: P,
        parts: &[ListPart],
    );
}

/// Gives a visitor the lists in scope of each root, in order. Inlined, so that it is compiled for the processor that
/// its caller is compiled for.
#[inline(always)]
pub(crate) fn traverse(
    adjacency: &Adjacency,
    filter: &EdgeFilter,
    weights: Option<&Weights>,
    roots: Roots<'_>,
    visitor: &mut impl Visitor,
) {
    of_csr!(adjacency, lists => traverse_in(adjacency, lists, filter, weights, roots, visitor));
}

#[inline(always)]
fn traverse_in<T: Tick, V: Visitor>(
    adjacency: &Adjacency,
    lists: CsrLists<'_, T>,
    filter: &EdgeFilter,
    weights: Option<&Weights>,
    Roots { nodes, times }: Roots<'_>,
    visitor: &mut V,
) {
    let (mut scratch, mut overflow, mut window) = (V::Scratch::<T>::default(), None, Window::default());
    let mut prefetcher = Prefetcher {
        lists,
        filter,
        weights,
        places: [const { 0..0 }; GROUP],
        parts: Default::default(),
        stretches: Vec::new(),
    };
    let has_overflow = !adjacency.is_all_csr();
    for step in 0..nodes.len().div_ceil(GROUP) + STEPS {
        let group = |behind: usize| group(nodes.len(), step, behind);
        prefetcher.take(step % 2, group(2).len());
        prefetcher.place(&nodes[group(1)]);
        prefetcher.prefetch(&nodes[group(0)]);
        for (place, position) in group(STEPS).enumerate() {
            match if has_overflow { adjacency.overflow_lists(nodes[position]) } else { None } {
                None => {
                    let parts = prefetcher.parts[(step + 1) % 2][place].as_slice();
                    let parts = match filter.first(times[position]) {
                        None => parts,
                        Some(first) => window.cut(lists, parts.iter().copied(), first),
                    };
                    visitor.visit(&mut scratch, position, lists, parts);
                }
                Some(own) => visit_overflow(&mut overflow, (position, times[position]), own, filter, visitor),
            }
        }
    }
}

/// The positions of the group that is `behind` steps behind the newest one.
#[inline]
fn group(n: usize, step: usize, behind: usize) -> Range<usize> {
    let start = step.checked_sub(behind).map_or(n, |at| n.min(at * GROUP));
    start..n.min(start + GROUP)
}

/// Gives a visitor the lists of a node whose edges have changed.
#[inline(never)]
fn visit_overflow<V: Visitor>(
    scratch: &mut Option<V::Scratch<i64>>,
    (position, time): (usize, Time),
    own: OverflowLists<'_>,
    filter: &EdgeFilter,
    visitor: &mut V,
) {
    let admitted = own.parts().filter(|part| filter.admits(part.edge_type, part.direction));
    let mut parts: Vec<ListPart> = admitted.filter(|part| part.len() > 0).collect();
    parts.sort_by_key(|part| (part.edge_type, part.direction));
    let mut window = Window::default();
    let parts = match filter.first(time) {
        None => parts.as_slice(),
        Some(first) => window.cut(own, parts, first),
    };
    visitor.visit(scratch.get_or_insert_default(), position, own, parts);
}

/// Reads where the lists of the next nodes lie, a step at a time, and prefetches what the next step reads.
struct Prefetcher<'a, T> {
    lists: CsrLists<'a, T>,
    filter: &'a EdgeFilter,
    weights: Option<&'a Weights>,
    /// Where the lists of a group stand among all.
    places: [Range<u32>; GROUP],
    /// Where the lists in scope lie, of the group that is visited and of the next one.
    parts: [[Vec<ListPart>; GROUP]; 2],
    /// Where the entries of a group lie.
    stretches: Vec<Range<usize>>,
}

impl<T: Tick> Prefetcher<'_, T> {
    /// Reads where the lists of the nodes of a group lie.
    #[inline(always)]
    fn take(&mut self, half: usize, n: usize) {
        self.stretches.clear();
        for (place, parts) in self.places[..n].iter().zip(&mut self.parts[half]) {
            parts.clear();
            // Lists that lie side by side are fetched together.
            let mut side_by_side = 0..0;
            for part in self.lists.parts(place.clone()).take_while(|part| !self.filter.is_past(part.direction)) {
                if self.filter.admits(part.edge_type, part.direction) {
                    if part.start as usize != side_by_side.end {
                        self.stretches.push(side_by_side);
                        side_by_side = part.start as usize..0;
                    }
                    side_by_side.end = part.end as usize;
                    parts.push(part);
                }
            }
            self.stretches.push(side_by_side);
            self.filter.arrange(parts);
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
    fn prefetch(&mut self, nodes: &[NodeIndex]) {
        self.stretches.iter().for_each(|stretch| prefetch_lists(&self.lists, self.weights, stretch.clone()));
        for place in &self.places {
            prefetch(self.lists.heads, place.start as usize);
            let end =
                if self.filter.is_past(Direction::In) { place.end.min(place.start + OUTWARDS) } else { place.end };
            prefetch(self.lists.heads, end as usize);
        }
        nodes.iter().for_each(|node| prefetch(self.lists.starts, node.at()));
    }
}

#[inline(always)]
fn prefetch_lists<T: Tick>(lists: &CsrLists<'_, T>, weights: Option<&Weights>, places: Range<usize>) {
    prefetch_lines(lists.entries, places.clone());
    if let Some(weights) = weights {
        prefetch_lines(weights.by_entry(), places);
    }
}

/// Fetches the first lines of a stretch, and its end.
#[inline(always)]
fn prefetch_lines<'a, T: 'a>(array: impl Into<Places<'a, T>>, places: Range<usize>) {
    let array = array.into();
    if places.is_empty() {
        return;
    }
    let line = (64 / size_of::<T>()).max(1);
    places.clone().step_by(line).take(LINES).for_each(|at| prefetch(array, at));
    prefetch(array, places.end - 1);
}
