//! Many nodes at once: what the next ones will be asked for is fetched while the ones before are answered.
//!
//! A node's lists are three dependent reads away (where its lists are, where these lie, their entries), each most often
//! a miss of all caches in a large graph. So nodes are taken in groups, and each read is started for the whole group
//! before the first of its results is needed.

use timeweft_graph::NodeIndex;

use super::scope::Taken;
use super::weights::Weights;
use crate::adjacency::{Adjacency, Layout, Lists, Part, Parts, Tick};

/// So many nodes are taken together: more misses than a core can have under way at once, and little enough to stay in
/// its nearest cache.
const GROUP: usize = 32;

/// Cache lines of a list that are fetched; where more are needed, the processor sees by itself how it goes on.
const LINES: usize = 4;

/// Someone who wants the lists of nodes.
pub(crate) trait Visitor {
    /// The lists in scope of the node at a position, by (type, side), none of them empty.
    fn visit<'a, T: Tick, P: Parts<'a, T>>(&mut self, at: usize, source: P, parts: &[Part]);
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

fn visit_in<T: Tick>(
    adjacency: &Adjacency,
    lists: Lists<'_, T>,
    taken: &Taken,
    weights: Option<&Weights>,
    nodes: &[NodeIndex],
    visitor: &mut impl Visitor,
) {
    let has_touched = adjacency.has_touched();
    let mut parts: Vec<Part> = Vec::new();
    for (group, nodes) in nodes.chunks(GROUP).enumerate() {
        nodes.iter().for_each(|node| fetch(lists.starts, node.at()));
        let mut spans = [(0u32, 0u32); GROUP];
        for (span, &node) in spans.iter_mut().zip(nodes) {
            let of_node = lists.of_node(node);
            *span = (of_node.start, of_node.end);
            fetch(lists.heads, of_node.start as usize);
            fetch(lists.heads, of_node.end as usize);
        }
        parts.clear();
        for span in spans.iter_mut().take(nodes.len()) {
            let start = parts.len() as u32;
            let own = lists.parts(span.0..span.1).filter(|part| taken.takes(part.edge_type, part.direction));
            for part in own {
                fetch_part(&lists, weights, &part);
                parts.push(part);
            }
            *span = (start, parts.len() as u32);
        }
        for (at, (span, &node)) in (group * GROUP..).zip(spans.iter().zip(nodes)) {
            match if has_touched { adjacency.touched(node) } else { None } {
                None => visitor.visit(at, lists, &parts[span.0 as usize..span.1 as usize]),
                Some(touched) => {
                    let taken = touched.parts().filter(|part| taken.takes(part.edge_type, part.direction));
                    let mut own: Vec<Part> = taken.filter(|part| part.len() > 0).collect();
                    own.sort_by_key(|part| (part.edge_type, part.direction));
                    visitor.visit(at, touched, &own);
                }
            }
        }
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
    let step = (64 / size_of::<T>()).max(1);
    fetch(array, start);
    if end - start > step {
        (1..LINES).for_each(|line| fetch(array, (start + line * step).min(end - 1)));
    }
    fetch(array, end - 1);
}

/// Starts to bring a place of an array into the nearest cache.
#[inline]
fn fetch<T>(array: &[T], at: usize) {
    #[cfg(target_arch = "x86_64")]
    if let Some(place) = array.get(at) {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        #[expect(
            unsafe_code,
            reason = "std has no safe way to fetch ahead; an address that is borrowed is always good"
        )]
        unsafe {
            _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(place).cast());
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (array, at);
}
