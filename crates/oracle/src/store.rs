//! The slow way to load a version: the pure delta over the reference graph.

mod delta;

use std::collections::BTreeMap;

use timeweft_graph::delta::{DeltaReport, Fields, NAMESPACES, held_by};
use timeweft_graph::{
    Action, At, DeltaError, DeltaOptions, EdgeKey, Element, Event, GraphView, MergeRecord, Name, NodeKey, Owner,
    Reject, Schema, Time, TimeUnit, Value,
};

use self::delta::{Delta, delta};
use crate::{ReferenceGraph, Version};

/// Several namespaces in one reference graph, and who owns what.
#[derive(Default)]
pub struct ReferenceStore {
    graph: ReferenceGraph,
    log: Vec<Event>,
    spaces: BTreeMap<Name, Space>,
    node_owners: BTreeMap<NodeKey, Name>,
    edge_owners: BTreeMap<EdgeKey, Name>,
    /// The last value of each node that tells which namespaces hold it.
    named: BTreeMap<NodeKey, Value>,
    /// Merges that were begun and not ended, in the order of the log.
    merges: Vec<(NodeKey, NodeKey, Name)>,
}

#[derive(Clone, Default)]
struct Space {
    newest: Option<Time>,
    fields: Option<Fields>,
}

/// What came of a version.
pub struct Loaded {
    /// What changed, in numbers.
    pub report: DeltaReport,
    /// Records that were refused, by the source and by the delta.
    pub rejects: Vec<Reject>,
    /// Number of events.
    pub n_events: u64,
    /// Whether it was taken in: a version of which every record is refused is not.
    pub taken_in: bool,
}

impl ReferenceStore {
    /// An empty one, in milliseconds.
    pub fn new() -> ReferenceStore {
        ReferenceStore { graph: ReferenceGraph::new(Schema::new(TimeUnit::Milli)), ..ReferenceStore::default() }
    }

    /// The graph after the latest load.
    pub fn graph(&self) -> &ReferenceGraph {
        &self.graph
    }

    /// Timestamp of the newest load of a namespace.
    pub fn newest(&self, namespace: &Name) -> Option<Time> {
        self.spaces.get(namespace).and_then(|space| space.newest)
    }

    /// Loads a version by the slow delta.
    ///
    /// # Panics
    ///
    /// If the graph refuses an event of the delta.
    pub fn load(
        &mut self,
        namespace: &Name,
        version: &Version,
        at: Time,
        options: &DeltaOptions,
    ) -> Result<Loaded, DeltaError> {
        // A reader declares its types in the schema of the graph, and they stay there.
        let mut declared = Version::new(self.graph.schema().clone());
        version.send(&mut declared);
        let mut graph = ReferenceGraph::new(declared.schema);
        let schema = graph.schema().clone();
        self.log.iter().for_each(|event| graph.apply(&widened(event, &schema)).unwrap());
        let before = std::mem::replace(&mut self.graph, graph);
        let delta = delta(&Before { store: self, namespace }, version, at, options);
        let rejects = |delta: &Delta| version.rejects.iter().chain(&delta.rejects).cloned().collect::<Vec<_>>();
        let taken_in = delta
            .as_ref()
            .is_ok_and(|delta| delta.report.nodes.listed + delta.report.edges.listed > 0 || rejects(delta).is_empty());
        if !taken_in {
            self.graph = before;
            let none = |delta: Delta| Loaded { rejects: rejects(&delta), report: delta.report, n_events: 0, taken_in };
            return delta.map(none);
        }
        let delta = delta?;
        for event in &delta.events {
            self.graph.apply(event).unwrap_or_else(|reason| panic!("{event:?}: {reason}"));
            self.note(event, namespace);
        }
        let n_events = delta.events.len() as u64;
        let rejects = rejects(&delta);
        let space = self.spaces.entry(namespace.clone()).or_default();
        *space = Space { newest: Some(at), fields: delta.fields };
        Ok(Loaded { rejects, report: delta.report, n_events, taken_in })
    }

    fn note_holders(&mut self, event: &Event) {
        let Element::Node(node) = &event.element else { return };
        if event.action == Action::Create {
            self.named.remove(node);
        }
        match event.features.iter().find(|(name, _)| **name == *NAMESPACES) {
            Some((_, Some(named))) => _ = self.named.insert(node.clone(), named.clone()),
            Some((_, None)) => _ = self.named.remove(node),
            None => {}
        }
    }

    fn note(&mut self, event: &Event, namespace: &Name) {
        self.log.push(event.clone());
        self.note_holders(event);
        match (&event.element, event.action) {
            (Element::Node(node), Action::Create) => {
                self.node_owners.insert(node.clone(), namespace.clone());
                self.merges.retain(|(from, ..)| from != node);
            }
            (Element::Edge(edge), Action::Create) => _ = self.edge_owners.insert(edge.clone(), namespace.clone()),
            (Element::Merge { from, into }, Action::Create) => {
                self.merges.push((from.clone(), into.clone(), namespace.clone()));
            }
            (Element::Merge { from, into }, Action::Delete) => {
                self.merges.retain(|merge| (&merge.0, &merge.1) != (from, into));
            }
            _ => {}
        }
    }
}

/// An event of before some features became wider.
fn widened(event: &Event, schema: &Schema) -> Event {
    let end = |node: &NodeKey| schema.node_type(&node.node_type);
    let owner = match &event.element {
        Element::Node(node) => end(node).map(Owner::Node),
        Element::Edge(edge) => end(&edge.source)
            .zip(end(&edge.destination))
            .and_then(|(source, destination)| schema.edge_type(source, &edge.relation, destination).map(Owner::Edge)),
        Element::Merge { .. } => Some(Owner::Merge),
    };
    let kind = |name: &Name| Some(schema.feature(owner?, name)?.1.kind);
    let wide = |(name, value): &(Name, Option<Value>)| {
        let wide = value.as_ref().zip(kind(name)).map(|(value, kind)| value.widened(kind).unwrap());
        (name.clone(), wide.or_else(|| value.clone()))
    };
    Event { features: event.features.iter().map(wide).collect(), ..event.clone() }
}

/// The graph before a version, as the namespace of the version sees it.
pub(crate) struct Before<'a> {
    store: &'a ReferenceStore,
    namespace: &'a Name,
}

impl Before<'_> {
    fn holds(&self, features: &BTreeMap<Name, Value>, creator: Option<&Name>) -> bool {
        creator.is_some_and(|creator| held_by(features.get(NAMESPACES), creator).contains(self.namespace))
    }

    /// The name of the namespace.
    pub(crate) fn namespace(&self) -> Name {
        self.namespace.clone()
    }

    /// The whole graph, all namespaces.
    pub(crate) fn graph(&self) -> &dyn GraphView {
        &self.store.graph
    }

    /// Timestamp of the namespace's newest load.
    pub(crate) fn newest(&self) -> Option<Time> {
        self.store.newest(self.namespace)
    }

    /// Nodes that live and that the namespace holds.
    pub(crate) fn nodes(&self) -> Vec<NodeKey> {
        let live = self.store.graph.nodes(None, At::now()).into_iter();
        let own = live.filter(|node| self.holds(&node.features, self.store.node_owners.get(&node.key)));
        own.map(|node| node.key).collect()
    }

    /// Edges that live and that the namespace holds.
    pub(crate) fn edges(&self) -> Vec<EdgeKey> {
        let live = self.store.graph.edges(None, At::now()).into_iter();
        let own = live.filter(|edge| self.holds(&edge.features, self.store.edge_owners.get(&edge.key)));
        own.map(|edge| edge.key).collect()
    }

    /// The namespace that began the life of a node that lives.
    pub(crate) fn node_owner(&self, node: &NodeKey) -> Option<Name> {
        self.store.graph.node(node, At::now())?;
        self.store.node_owners.get(node).cloned()
    }

    /// The namespace that began the life of an edge that lives.
    pub(crate) fn edge_owner(&self, edge: &EdgeKey) -> Option<Name> {
        self.store.graph.edge(edge, At::now())?;
        self.store.edge_owners.get(edge).cloned()
    }

    /// Whether the namespace began the latest life of a node, open or over, or was among the last to hold it.
    pub(crate) fn is_own(&self, node: &NodeKey) -> bool {
        let creator = self.store.node_owners.get(node);
        creator == Some(self.namespace)
            || creator.is_some_and(|creator| held_by(self.store.named.get(node), creator).contains(self.namespace))
    }

    /// The open merges of the namespace, in the order of the log.
    pub(crate) fn open_merges(&self) -> Vec<MergeRecord> {
        let records = self.store.graph.merges();
        let own = self.store.merges.iter().filter(|merge| merge.2 == *self.namespace);
        let record = |(from, into, _): &(NodeKey, NodeKey, Name)| {
            let mut found = records.iter().filter(|merge| merge.from == *from && merge.into == *into);
            found.find(|merge| merge.interval.is_open()).cloned()
        };
        own.filter_map(record).collect()
    }

    /// The fields of the namespace; `None` if they follow from the data.
    pub(crate) fn fields(&self) -> Option<Fields> {
        self.store.spaces.get(self.namespace)?.fields.clone()
    }
}
