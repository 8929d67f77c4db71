//! What a view answers, and what a version read alone says, in one form that can be compared.

use std::collections::BTreeMap;

use timeweft_graph::delta::Canonical;
use timeweft_graph::{At, Deletes, EdgeKey, Event, GraphView, MergeRecord, Name, NodeKey, Time, Value};
use timeweft_oracle::Version;

/// Features by name.
pub(crate) type Held = BTreeMap<Name, Value>;

/// Nodes and edges with their features.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct State {
    pub(crate) nodes: BTreeMap<NodeKey, Held>,
    pub(crate) edges: BTreeMap<EdgeKey, Held>,
}

impl State {
    /// What lives at a time.
    pub(crate) fn at(view: &dyn GraphView, time: Time) -> State {
        let nodes = view.nodes(None, At::time(time)).into_iter().map(|node| (node.key, node.features));
        let edges = view.edges(None, At::time(time)).into_iter().map(|edge| (edge.key, edge.features));
        State { nodes: nodes.collect(), edges: edges.collect() }
    }

    /// What a version says by itself, without the edges at nodes that it does not list.
    pub(crate) fn of(version: &Version) -> State {
        let canonical = Canonical::new(&version.schema, &version.schema);
        let nodes = version.nodes.iter().map(|node| (node.key.clone(), canonical.node(&node.key, &node.features)));
        let nodes: BTreeMap<_, _> = nodes.collect();
        let whole = version
            .edges
            .iter()
            .filter(|edge| nodes.contains_key(&edge.key.source) && nodes.contains_key(&edge.key.destination));
        let edges = whole.map(|edge| (edge.key.clone(), canonical.edge(&edge.key, &edge.features))).collect();
        State { nodes, edges }
    }
}

/// Panics with the first elements in which two states differ.
pub(crate) fn assert_same_state(found: &State, expected: &State, what: &str) {
    fn differ<K: Ord + std::fmt::Debug>(found: &BTreeMap<K, Held>, expected: &BTreeMap<K, Held>) -> Vec<String> {
        let gone = expected.iter().filter(|(key, held)| found.get(key) != Some(held));
        let gone = gone.map(|(key, held)| format!("- {key:?} {held:?}\n+ {:?}", found.get(key)));
        let more = found.keys().filter(|key| !expected.contains_key(key)).map(|key| format!("+ {key:?}"));
        gone.chain(more).take(3).collect()
    }
    let (nodes, edges) = (differ(&found.nodes, &expected.nodes), differ(&found.edges, &expected.edges));
    assert!(nodes.is_empty() && edges.is_empty(), "{what}:\n{}\n{}", nodes.join("\n"), edges.join("\n"));
}

/// Every answer that a view gives at some times, each as a text with what was asked.
pub(crate) fn answers(view: &dyn GraphView, times: &[Time]) -> Vec<(String, String)> {
    let mut all = Vec::new();
    let mut tell = |asked: String, answer: String| all.push((asked, answer));
    let ever = |time| At { time, deletes: Deletes::Soft };
    for &time in times {
        for at in [At::time(time), ever(time)] {
            tell(format!("{at:?} counts"), format!("{:?}", view.counts(at)));
            view.nodes(None, at).iter().for_each(|node| tell(format!("{at:?} {}", node.key), format!("{node:?}")));
            view.edges(None, at).iter().for_each(|edge| tell(format!("{at:?} {}", edge.key), format!("{edge:?}")));
        }
    }
    for node in view.nodes(None, ever(Time::FOREVER)) {
        tell(format!("history of {}", node.key), format!("{:?}", view.node_history(&node.key)));
    }
    for edge in view.edges(None, ever(Time::FOREVER)) {
        tell(format!("history of {}", edge.key), format!("{:?}", view.edge_history(&edge.key)));
    }
    let merges: Vec<MergeRecord> = view.merges();
    for merge in &merges {
        tell(format!("merge of {}", merge.from), format!("{merge:?}"));
        for &time in times {
            tell(format!("{} at {time} became", merge.from), view.resolve(&merge.from, time).to_string());
        }
    }
    for pair in times.windows(2) {
        tell(format!("{pair:?}"), format!("{:?}", view.diff(pair[0], pair[1])));
    }
    all
}

/// Panics with the first answer that differs.
pub(crate) fn assert_same_answers(found: &[(String, String)], expected: &[(String, String)], what: &str) {
    for (found, expected) in found.iter().zip(expected) {
        assert_eq!(found.0, expected.0, "{what}: asked in the same order");
        assert_eq!(found.1, expected.1, "{what}: {}", found.0);
    }
    assert_eq!(found.len(), expected.len(), "{what}");
}

/// The events of a view in one order, and the features of each, for logs that say the same in another.
pub(crate) fn sorted(events: Vec<Event>) -> Vec<String> {
    let line = |mut event: Event| {
        event.features.sort_by(|a, b| a.0.cmp(&b.0));
        format!("{event:?}")
    };
    let mut lines: Vec<_> = events.into_iter().map(line).collect();
    lines.sort_unstable();
    lines
}
