//! Random versions, and what a view says of them.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;
use timeweft_graph::{At, EdgeState, GraphView, NodeKey, NodeState, Time};

/// Lines of a version: few nodes, edges that may dangle, merges and deletions that may contradict.
pub(crate) fn lines() -> impl Strategy<Value = Vec<String>> {
    let nodes = vec((0..4u8, 0..6u8), 5);
    let edges = vec((0..3u8, 0..5usize, 0..5usize, 0..3u8), 0..5);
    let merges = vec((0..5usize, 0..6usize, 0..4u8), 0..4);
    let deleted = vec(0..5usize, 0..2);
    (nodes, edges, merges, deleted).prop_map(|(nodes, edges, merges, deleted)| {
        let id = |at: usize| ["A", "B", "C", "D", "E", "OUT"][at];
        let mut lines = vec!["n root".to_string()];
        for (at, (data, luck)) in nodes.into_iter().enumerate() {
            match luck {
                0 | 1 => {}
                2 => lines.push(format!("n {}", id(at))),
                _ => lines.push(format!("n {} {data}", id(at))),
            }
        }
        let edges: BTreeMap<_, _> = edges.into_iter().map(|(key, a, b, data)| ((key, a, b), data)).collect();
        lines.extend(edges.into_iter().map(|((key, a, b), data)| format!("e {key} {} {} {data}", id(a), id(b))));
        lines.extend(merges.into_iter().map(|(a, b, kind)| match kind {
            0 => format!("m {} {} consider", id(a), id(b)),
            1 => format!("m {} {} replaced_by", id(a), id(b)),
            _ => format!("m {} {}", id(a), id(b)),
        }));
        lines.extend(deleted.into_iter().map(|at| format!("d {}", id(at))));
        lines
    })
}

/// Everything that a view says of the nodes and edges at a time.
pub(crate) type State = (Vec<NodeState>, Vec<EdgeState>);

pub(crate) fn state(view: &dyn GraphView, time: i64) -> State {
    (view.nodes(None, At::time(Time(time))), view.edges(None, At::time(Time(time))))
}

/// The same without the beginnings of lives.
pub(crate) fn content(view: &dyn GraphView, time: i64) -> (Vec<String>, Vec<String>) {
    let (nodes, edges) = state(view, time);
    let nodes = nodes.into_iter().map(|node| format!("{} {:?}", node.key, node.features));
    let edges = edges.into_iter().map(|edge| format!("{} {:?}", edge.key, edge.features));
    (nodes.collect(), edges.collect())
}

/// What the nodes of the random versions have become at a time.
pub(crate) fn resolved(view: &dyn GraphView, time: i64) -> BTreeMap<&'static str, NodeKey> {
    let ids = ["A", "B", "C", "D", "E"];
    ids.into_iter().map(|id| (id, view.resolve(&crate::world::node(id), Time(time)))).collect()
}
