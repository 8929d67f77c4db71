//! Elements that several namespaces hold: few, so what becomes of each is one event, applied in the end.

use std::collections::BTreeMap;

use rustc_hash::{FxHashMap, FxHashSet};
use timeweft_graph::delta::{Living, NAMESPACES, by_element, held_by};
use timeweft_graph::rows::RowRef;
use timeweft_graph::{
    Action, EdgeIndex, EdgeTypeId, Element, Event, FeatureId, Features, Name, NodeIndex, NodeTypeId, Owner, OwnerName,
    Time, Value,
};

use super::nodes::absent;
use super::{LogStep, VersionLoader};
use crate::Index;
use crate::elements::life::LifeRecord;
use crate::intake::check::in_order;

/// Which namespaces hold an element.
#[derive(Clone, Copy)]
pub(super) struct HeldBy {
    /// The one of the version.
    pub(super) own: bool,
    /// Others.
    pub(super) others: bool,
}

/// Elements that say which namespaces hold them, and what the version makes of them.
#[derive(Default)]
pub(super) struct Shared {
    nodes: FxHashMap<u32, HeldBy>,
    edges: FxHashMap<u32, HeldBy>,
    /// Nodes that are not listed any more and that edges of other namespaces need.
    pub(super) needed: FxHashSet<u32>,
    /// What becomes of elements that are listed, or stand in.
    pub(super) changed: Vec<Event>,
    /// What becomes of elements that live on and that the namespace lets go.
    pub(super) let_go: Vec<Event>,
}

impl Shared {
    /// Looks for them among all that lives, unless no type has the feature of shared elements.
    pub(super) fn of(index: &Index, namespace: &Name) -> Shared {
        let feature = |owner| index.schema.feature(owner, NAMESPACES).map(|(id, _)| id);
        let node_types: Vec<_> =
            (0..index.schema.node_types().len() as u16).map(|id| feature(Owner::Node(NodeTypeId(id)))).collect();
        let edge_types: Vec<_> =
            (0..index.schema.edge_types().len() as u16).map(|id| feature(Owner::Edge(EdgeTypeId(id)))).collect();
        let named = |feature: Option<FeatureId>, feature_row| {
            index.feature_store.value(index.feature_store.value_at(feature_row, feature?, Time::FOREVER))
        };
        let mut shared = Shared::default();
        if node_types.iter().any(Option::is_some) {
            for node in (0..index.n_nodes() as u32).map(NodeIndex) {
                let Some(life) = index.nodes.latest_life(node).filter(|life| life.interval.is_open()) else { continue };
                if let Some(named) = named(node_types[life.node_type.at()], life.feature_row()) {
                    shared.nodes.insert(node.0, held(index, &named, index.nodes.owner(node), namespace));
                }
            }
        }
        if edge_types.iter().any(Option::is_some) {
            for (edge, life) in (0u32..).zip(&index.edges.lives).filter(|(_, life)| life.interval.is_open()) {
                if let Some(named) = named(edge_types[life.edge_type.at()], life.feature_row()) {
                    shared.edges.insert(edge, held(index, &named, life.namespace, namespace));
                }
            }
        }
        shared
    }

    /// Whether a node says which namespaces hold it.
    #[inline]
    pub(super) fn has_node(&self, node: NodeIndex) -> bool {
        !self.nodes.is_empty() && self.nodes.contains_key(&node.0)
    }

    /// Whether an edge says which namespaces hold it.
    #[inline]
    pub(super) fn has_edge(&self, edge: EdgeIndex) -> bool {
        !self.edges.is_empty() && self.edges.contains_key(&edge.0)
    }
}

fn held(index: &Index, named: &Value, creator: u32, namespace: &Name) -> HeldBy {
    let held_by = held_by(Some(named), &index.namespace(creator));
    HeldBy { own: held_by.contains(namespace), others: held_by.iter().any(|name| name != namespace) }
}

fn name_of(element: &Element) -> String {
    match element {
        Element::Node(node) => format!("node {node}"),
        Element::Edge(edge) => format!("edge {edge}"),
        Element::Merge { from, into } => format!("merge of {from} into {into}"),
    }
}

impl VersionLoader<'_> {
    /// Which namespaces hold a node with an open life.
    pub(super) fn node_held_by(&self, node: NodeIndex) -> HeldBy {
        let own = self.index.nodes.owner(node) == self.namespace_id;
        self.shared.nodes.get(&node.0).copied().unwrap_or(HeldBy { own, others: !own })
    }

    /// Which namespaces hold an edge with an open life.
    pub(super) fn edge_held_by(&self, edge: EdgeIndex) -> HeldBy {
        let own = self.index.edges.get(edge).namespace == self.namespace_id;
        self.shared.edges.get(&edge.0).copied().unwrap_or(HeldBy { own, others: !own })
    }

    /// A listed node that another namespace holds.
    pub(super) fn shared_node(&mut self, row: RowRef<'_>, node: NodeIndex) {
        let (living, element) = (self.index.living_node(node), Element::Node(self.index.node_key(node)));
        self.take(row, &living, element, self.index.nodes.latest(node));
    }

    /// A listed edge that another namespace holds.
    pub(super) fn shared_edge(&mut self, row: RowRef<'_>, edge: EdgeIndex) {
        let (living, element) = (self.index.living_edge_life(edge), Element::Edge(self.index.edge_key(edge)));
        self.take(row, &living, element, self.index.edges.latest(edge));
    }

    fn take(&mut self, row: RowRef<'_>, living: &Living, element: Element, latest: Time) {
        let owner = OwnerName::of(&self.index.schema, row.owner());
        let defs = self.index.schema.features(row.owner());
        let named =
            row.features().filter_map(|(id, bytes)| Some((defs.get(id.at())?.name.clone(), Value::decode(bytes)?)));
        let wanted: BTreeMap<Name, Value> = named.collect();
        let taken = living.take(&self.namespace, wanted, &|name| self.common.counts(&owner, name));
        let is_changed = !taken.all.is_empty();
        let order = is_changed.then(|| in_order(self.index.schema.unit(), self.at, latest, || name_of(&element)));
        if let Some(Err(reason)) = order {
            return self.reject(row.place(), reason);
        }
        let report = if matches!(element, Element::Node(_)) { &mut self.report.nodes } else { &mut self.report.edges };
        taken.count(report, &owner, &self.common);
        if is_changed {
            self.shared.changed.push(Event { time: self.at, action: Action::Update, element, features: taken.all });
        }
    }

    /// Notes that an element lives on which the namespace lets go.
    pub(super) fn note_let_go(&mut self, element: Element, features: Features) {
        self.shared.let_go.push(Event { time: self.at, action: Action::Update, element, features });
    }

    /// Applies what becomes of shared elements. Not before all types are known: these events bring features of their own.
    pub(super) fn change_shared(&mut self) {
        let mut changed = std::mem::take(&mut self.shared.changed);
        changed.append(&mut self.shared.let_go);
        // Features that are new get their numbers in one order, whatever that of the records.
        changed.sort_by(by_element);
        for event in changed {
            match self.index.apply(&event, &self.namespace) {
                Ok(()) => self.steps.push(LogStep::Event(Box::new(event))),
                Err(reason) => self.reject(absent(), reason),
            }
        }
    }
}
