//! Versions loaded by the slow delta into the slow graph, and random histories of versions.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;
use timeweft_graph::delta::{Baseline, DeltaReport, Fields};
use timeweft_graph::reference::ReferenceGraph;
use timeweft_graph::{
    Action, At, DeltaOptions, EdgeKey, EdgeState, Element, GraphView, MergeRecord, Name, NodeKey, NodeState, Schema,
    Time, TimeUnit, Version, delta,
};

/// One namespace.
pub(crate) struct Oracle {
    pub(crate) graph: ReferenceGraph,
    newest: Option<Time>,
    fields: Option<Fields>,
}

impl Oracle {
    pub(crate) fn new() -> Oracle {
        Oracle { graph: ReferenceGraph::new(Schema::new(TimeUnit::Milli)), newest: None, fields: None }
    }

    pub(crate) fn load(&mut self, version: &Version, at: Time, options: &DeltaOptions) -> (DeltaReport, usize) {
        let delta = delta(self, version, at, options).unwrap();
        for event in &delta.events {
            self.graph.apply(event).unwrap_or_else(|reason| panic!("{event:?}: {reason}"));
        }
        (self.newest, self.fields) = (Some(at), delta.fields);
        (delta.report, delta.rejects.len())
    }
}

impl Baseline for Oracle {
    fn namespace(&self) -> Name {
        "ns".into()
    }
    fn graph(&self) -> &dyn GraphView {
        &self.graph
    }
    fn newest(&self) -> Option<Time> {
        self.newest
    }
    fn nodes(&self) -> Vec<NodeKey> {
        self.graph.nodes(None, At::now()).into_iter().map(|node| node.key).collect()
    }
    fn edges(&self) -> Vec<EdgeKey> {
        self.graph.edges(None, At::now()).into_iter().map(|edge| edge.key).collect()
    }
    fn node_owner(&self, node: &NodeKey) -> Option<Name> {
        self.graph.node(node, At::now()).map(|_| "ns".into())
    }
    fn edge_owner(&self, edge: &EdgeKey) -> Option<Name> {
        self.graph.edge(edge, At::now()).map(|_| "ns".into())
    }
    fn is_own(&self, _: &NodeKey) -> bool {
        true
    }
    fn open_merges(&self) -> Vec<MergeRecord> {
        let mut open: Vec<(NodeKey, NodeKey)> = Vec::new();
        for event in self.graph.events() {
            match (event.element, event.action) {
                (Element::Merge { from, into }, Action::Create) => open.push((from, into)),
                (Element::Merge { from, into }, Action::Delete) => {
                    open.retain(|pair| *pair != (from.clone(), into.clone()))
                }
                (Element::Node(node), Action::Create) => open.retain(|(from, _)| *from != node),
                _ => {}
            }
        }
        let records = self.graph.merges();
        let record = |(from, into): &(NodeKey, NodeKey)| {
            let mut found = records.iter().filter(|merge| merge.from == *from && merge.into == *into);
            found.find(|merge| merge.interval.is_open()).cloned()
        };
        open.iter().filter_map(record).collect()
    }
    fn fields(&self) -> Option<Fields> {
        self.fields.clone()
    }
}

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
